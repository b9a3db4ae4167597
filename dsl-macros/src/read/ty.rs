//! Types as written → `Type`.
//!
//! The names of the language's own types are read here, wherever they are imported from. What any other path means, rustc
//! tells: `<path as Describe>::TYPE`.

use super::{Reader, generic};
use crate::refuse::{form, of_type};
use crate::scope::{Binding, text};
use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{Expr, GenericArgument, Lifetime, Lit, ParenthesizedGenericArguments, Path};
use syn::{PathArguments, ReturnType, Type, TypePath};

const SCALAR: &[(&str, &str)] = &[
    ("bool", "Bool"),
    ("i8", "I8"),
    ("i16", "I16"),
    ("i32", "I32"),
    ("i64", "I64"),
    ("isize", "Isize"),
    ("u8", "U8"),
    ("u16", "U16"),
    ("u32", "U32"),
    ("u64", "U64"),
    ("usize", "Usize"),
    ("f32", "F32"),
    ("f64", "F64"),
];

/// ndarray's names and their number of dimensions; 0 is any.
const ND: &[(&str, usize)] = &[
    ("Array1", 1),
    ("Array2", 2),
    ("Array3", 3),
    ("Array4", 4),
    ("ArrayD", 0),
    ("ArrayView1", 1),
    ("ArrayView2", 2),
    ("ArrayView3", 3),
    ("ArrayView4", 4),
    ("ArrayViewD", 0),
];

/// A scalar type's name in the tree.
pub fn scalar(name: &str) -> Option<TokenStream> {
    let (_, variant) = SCALAR.iter().find(|(own, _)| *own == name)?;
    let variant = quote::format_ident!("{variant}");
    Some(quote!(__cuprous::Scalar::#variant))
}

/// A type without its parentheses and the invisible groups of a `macro_rules!`.
pub fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => peel(&inner.elem),
        Type::Group(inner) => peel(&inner.elem),
        ty => ty,
    }
}

impl Reader {
    /// A type.
    pub(super) fn ty(&mut self, ty: &Type) -> TokenStream {
        match peel(ty) {
            Type::Infer(_) => quote!(__cuprous::Type::Infer),
            Type::Never(_) => quote!(__cuprous::Type::Never),
            Type::Reference(reference) => {
                let to = self.ty(&reference.elem);
                let mutable = reference.mutability.is_some();
                quote!(__cuprous::Type::Ref { to: &#to, mutable: #mutable })
            }
            Type::Slice(slice) => {
                let element = self.ty(&slice.elem);
                quote!(__cuprous::Type::Slice(&#element))
            }
            Type::Tuple(tuple) => {
                let members: Vec<TokenStream> = tuple.elems.iter().map(|m| self.ty(m)).collect();
                quote!(__cuprous::Type::Tuple(&[#(#members),*]))
            }
            Type::Array(array) => {
                let element = self.ty(&array.elem);
                let len = self.len(&array.len);
                quote!(__cuprous::Type::Array { element: &#element, len: #len })
            }
            Type::ImplTrait(of) => match generic::function(&of.bounds) {
                Some(signature) => self.function(&signature),
                None => self.refuse(
                    of,
                    "the only `impl` types of the kernel language are functions: `impl Fn(T) -> U`; name the type, or use a type parameter",
                ),
            },
            Type::Path(path) => self.path_type(path),
            Type::TraitObject(object) => self.refuse(
                object,
                "trait objects are not types of the kernel language: use a type parameter, or `impl Fn(T) -> U`",
            ),
            Type::FnPtr(pointer) => self.refuse(
                pointer,
                "function pointers are not types of the kernel language: use `impl Fn(T) -> U`",
            ),
            Type::Ptr(pointer) => self.refuse(pointer, form::RAW),
            ty => self.refuse(ty, "this form of type is not known in a kernel: write it out"),
        }
    }

    fn function(&mut self, signature: &ParenthesizedGenericArguments) -> TokenStream {
        let params: Vec<TokenStream> = signature.inputs.iter().map(|p| self.ty(&p.ty)).collect();
        let result = match &signature.output {
            ReturnType::Default => quote!(__cuprous::Type::Tuple(&[])),
            ReturnType::Type(_, ty) => self.ty(ty),
        };
        quote!(__cuprous::Type::Fn { params: &[#(#params),*], result: &#result })
    }

    fn path_type(&mut self, ty: &TypePath) -> TokenStream {
        let last = ty.path.segments.last().expect("a path has a segment");
        let name = text(&last.ident);
        if ty.qself.is_none() {
            if let Some(ident) = ty.path.get_ident() {
                if let Some((index, function)) = self.generics.ty(ident) {
                    return match function {
                        Some(signature) => self.function(&signature),
                        None => quote!(__cuprous::Type::Param(#index)),
                    };
                }
                if let Some(scalar) = scalar(&name) {
                    return quote!(__cuprous::Type::Scalar(#scalar));
                }
            }
            if let Some(message) = of_type(&name) {
                return self.refuse(last, message);
            }
            if let Some(known) = self.own(&ty.path) {
                return known;
            }
        }
        self.described(ty)
    }

    /// The language's own types with an element: `Vec<T>`, `Option<T>`, `Array2<T>`.
    fn own(&mut self, path: &Path) -> Option<TokenStream> {
        let last = path.segments.last()?;
        let name = text(&last.ident);
        let mut types = match &last.arguments {
            PathArguments::AngleBracketed(given) => given
                .args
                .iter()
                .filter_map(|a| match a {
                    GenericArgument::Type(ty) => Some(ty.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let rank = ND
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, rank)| *rank);
        if types.len() > 1 || (rank.is_none() && name != "Vec" && name != "Option") {
            return None;
        }
        let element = match types.pop() {
            Some(ty) => self.ty(&ty),
            None => quote!(__cuprous::Type::Infer),
        };
        Some(match rank {
            Some(rank) => quote!(__cuprous::Type::Nd { rank: #rank, element: &#element }),
            None if name == "Vec" => quote!(__cuprous::Type::Vec(&#element)),
            None => quote!(__cuprous::Type::Option(&#element)),
        })
    }

    /// A path that only rustc can read.
    fn described(&mut self, ty: &TypePath) -> TokenStream {
        let mut whole = Type::Path(ty.clone());
        if let Some(param) = self.generics.mentioned(&whole) {
            let message = format!(
                "this type speaks of `{param}`: write it with `Vec`, slices, tuples, `[T; N]` and `Array1` to `Array4`"
            );
            return self.refuse(ty, message);
        }
        let mut open = Open(false);
        open.visit_type_mut(&mut whole);
        if open.0 {
            return quote!(__cuprous::Type::Infer);
        }
        let described = self.scope.enclose(quote! {
            <#whole as ::cuprous::__private::syntax::Describe>::TYPE
        });
        quote!(__cuprous::Type::Known(&#described))
    }

    fn len(&mut self, len: &Expr) -> TokenStream {
        match len {
            Expr::Group(inner) => return self.len(&inner.expr),
            Expr::Paren(inner) => return self.len(&inner.expr),
            Expr::Infer(_) => return quote!(__cuprous::Len::Infer),
            Expr::Lit(literal) if !matches!(literal.lit, Lit::Int(_)) => {
                return self.refuse(len, "the length of an array is a `usize`");
            }
            Expr::Block(block) if block.label.is_none() => {
                if let [syn::Stmt::Expr(inner, None)] = block.block.stmts.as_slice() {
                    return self.len(inner);
                }
            }
            Expr::Path(path) => {
                if let Some(name) = path.path.get_ident()
                    && self.scope.get(name).is_none_or(|b| *b == Binding::Constant)
                    && let Some(index) = self.generics.constant(name)
                {
                    return quote!(__cuprous::Len::Param(#index));
                }
            }
            _ => {}
        }
        let known = self.scope.enclose(quote!(#len));
        quote!(__cuprous::Len::Known(#known))
    }
}

/// Makes a type fit for a static: lifetimes are `'static`. Notes whether a `_` stands in it.
struct Open(bool);

impl VisitMut for Open {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        *lifetime = Lifetime::new("'static", lifetime.span());
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        self.0 |= matches!(ty, Type::Infer(_));
        syn::visit_mut::visit_type_mut(self, ty);
    }
}

/// Whether a type is a scalar by its bare name.
pub fn is_primitive(ty: &Type) -> bool {
    match ty {
        Type::Path(ty) => ty
            .path
            .get_ident()
            .is_some_and(|name| scalar(&text(name)).is_some()),
        _ => false,
    }
}
