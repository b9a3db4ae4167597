//! One parameter of a kernel in each of its forms: in the heads of the generated functions, on its way into a call, and
//! back into the plain function.

use crate::scope::text;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericArgument, GenericParam, Ident, Lifetime, Pat, PathArguments, PathSegment,
    Signature, Type, TypeParamBound, TypeReference, WherePredicate,
};

/// A parameter.
pub struct Param {
    /// What the generated heads call it.
    pub name: Ident,
    /// The user's pattern.
    pattern: Pat,
    /// The user's type.
    ty: Type,
    /// What may stand for it.
    pub form: Form,
}

/// What may stand for a parameter.
pub enum Form {
    /// `&[T]`.
    Slice(Type),
    /// `&mut [T]`.
    SliceMut(Type),
    /// `&ArrayN<T>`: the element type and the dimension.
    Array(Type, TokenStream),
    /// `ArrayViewN<T>`.
    View(Type, TokenStream),
    /// `&ArrayViewN<T>`.
    ViewRef(Type, TokenStream),
    /// `impl Fn`, or a type parameter bounded by it.
    Function,
    /// A value of its own type.
    Value,
}

impl Param {
    /// The parameters of a function without `self`.
    pub fn of(sig: &Signature) -> Vec<Param> {
        let typed = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Some(input),
            FnArg::Receiver(_) => None,
        });
        let one = |(i, input): (usize, &syn::PatType)| Param {
            name: match &*input.pat {
                Pat::Ident(pat) => pat.ident.clone(),
                _ => format_ident!("arg{i}"),
            },
            pattern: (*input.pat).clone(),
            ty: (*input.ty).clone(),
            form: form(&input.ty, sig),
        };
        typed.enumerate().map(one).collect()
    }

    /// `name: type` for a call whose arguments live for `live`.
    pub fn head(&self, live: &Lifetime) -> TokenStream {
        let name = &self.name;
        let ty = match self.taken(live) {
            Some(taken) => taken,
            None => relive(&self.ty, live).into_token_stream(),
        };
        quote!(#name: #ty)
    }

    /// `name: type` with the user's lifetimes, and `live` where there is none.
    pub fn head_as_written(&self, live: &Lifetime) -> TokenStream {
        let name = &self.name;
        let live = match &self.ty {
            Type::Reference(TypeReference {
                lifetime: Some(lifetime),
                ..
            }) => lifetime.clone(),
            _ => live.clone(),
        };
        let ty = match self.taken(&live) {
            Some(taken) => taken,
            None => self.ty.to_token_stream(),
        };
        quote!(#name: #ty)
    }

    /// The trait of what may stand for it, unless that is its type alone.
    fn taken(&self, live: &Lifetime) -> Option<TokenStream> {
        match &self.form {
            Form::Slice(element) => {
                Some(quote!(impl ::cuprous::__private::SliceArg<#live, #element>))
            }
            Form::Array(element, dim) | Form::View(element, dim) | Form::ViewRef(element, dim) => {
                Some(quote!(impl ::cuprous::__private::NdArg<#live, #element, #dim>))
            }
            Form::SliceMut(_) | Form::Function | Form::Value => None,
        }
    }

    /// The statements that bind the user's pattern to what the user's type says.
    pub fn unwrap(&self) -> TokenStream {
        let Param {
            name, pattern, ty, ..
        } = self;
        let held = self.held();
        let (how, value) = match &self.form {
            Form::Slice(element) => (
                quote!(<_ as ::cuprous::__private::SliceArg<'_, #element>>::to_slice(#name)),
                quote!(&*#held),
            ),
            Form::Array(element, dim) => (
                quote!(<_ as ::cuprous::__private::NdArg<'_, #element, #dim>>::to_array(#name)),
                quote!(&*#held),
            ),
            Form::View(element, dim) => (
                quote!(<_ as ::cuprous::__private::NdArg<'_, #element, #dim>>::to_view(#name)),
                quote!(#held.view()),
            ),
            Form::ViewRef(element, dim) => (
                quote!(<_ as ::cuprous::__private::NdArg<'_, #element, #dim>>::to_view(#name)),
                quote!(&#held.view()),
            ),
            Form::SliceMut(_) | Form::Function | Form::Value => {
                return match pattern {
                    Pat::Ident(pat)
                        if pat.mutability.is_none()
                            && pat.by_ref.is_none()
                            && pat.subpat.is_none() =>
                    {
                        TokenStream::new()
                    }
                    _ => quote!(let #pattern = #name;),
                };
            }
        };
        let ty = relive(ty, &elided());
        quote! {
            let #held = #how;
            let #pattern: #ty = #value;
        }
    }

    /// The argument with its type forgotten.
    pub fn pass(&self, live: &Lifetime) -> TokenStream {
        let name = &self.name;
        match &self.form {
            Form::Slice(element) => {
                quote!(<_ as ::cuprous::__private::SliceArg<#live, #element>>::pass(#name))
            }
            Form::SliceMut(element) => {
                quote!(::cuprous::__private::pass_slice_mut::<#element>(#name))
            }
            Form::Array(element, dim) | Form::View(element, dim) | Form::ViewRef(element, dim) => {
                quote!(<_ as ::cuprous::__private::NdArg<#live, #element, #dim>>::pass(#name))
            }
            Form::Function | Form::Value => {
                quote!(::cuprous::__private::Param::<#live>::pass(#name))
            }
        }
    }

    /// The statement that makes the argument what it was.
    pub fn restore(&self, i: usize) -> TokenStream {
        let held = self.held();
        match &self.form {
            Form::Slice(element) => quote!(let #held = args.slice::<#element>(#i);),
            Form::SliceMut(element) => quote!(let mut #held = args.slice_mut::<#element>(#i);),
            Form::Array(element, dim) => quote!(let #held = args.array::<#element, #dim>(#i);),
            Form::View(element, dim) | Form::ViewRef(element, dim) => {
                quote!(let #held = args.view::<#element, #dim>(#i);)
            }
            Form::Function | Form::Value => {
                let ty = relive(&self.ty, &elided());
                quote!(let #held = args.value::<#ty>(#i);)
            }
        }
    }

    /// What the plain function is given then.
    pub fn given(&self) -> TokenStream {
        let held = self.held();
        match &self.form {
            Form::Slice(_) | Form::Array(..) => quote!(&*#held),
            Form::SliceMut(_) => quote!(&mut #held),
            Form::View(..) | Form::ViewRef(..) => quote!(#held.view()),
            Form::Function | Form::Value => quote!(#held),
        }
    }

    /// The statement that writes a `&mut` argument when the plain function has returned.
    pub fn write(&self, i: usize) -> TokenStream {
        let held = self.held();
        match &self.form {
            Form::SliceMut(element) => quote!(args.write_slice::<#element>(#i, #held);),
            _ => TokenStream::new(),
        }
    }

    fn held(&self) -> Ident {
        Ident::new(
            &format!("__cuprous_{}", text(&self.name)),
            Span::mixed_site(),
        )
    }
}

fn elided() -> Lifetime {
    Lifetime::new("'_", Span::mixed_site())
}

/// The type with each of its lifetimes, written or not, replaced; `'static` stays.
pub fn relive(ty: &Type, live: &Lifetime) -> Type {
    struct Relive<'l>(&'l Lifetime);
    impl VisitMut for Relive<'_> {
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.is_none() {
                reference.lifetime = Some(self.0.clone());
            }
            visit_mut::visit_type_reference_mut(self, reference);
        }
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                *lifetime = self.0.clone();
            }
        }
    }
    let mut ty = ty.clone();
    Relive(live).visit_type_mut(&mut ty);
    ty
}

/// The type without parentheses and invisible groups around it.
fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => peel(&inner.elem),
        Type::Group(inner) => peel(&inner.elem),
        ty => ty,
    }
}

fn form(ty: &Type, sig: &Signature) -> Form {
    match peel(ty) {
        Type::ImplTrait(_) => Form::Function,
        Type::Reference(reference) => match (peel(&reference.elem), reference.mutability.is_some())
        {
            (Type::Slice(slice), false) => Form::Slice((*slice.elem).clone()),
            (Type::Slice(slice), true) => Form::SliceMut((*slice.elem).clone()),
            (inner, false) => match nd(inner) {
                Some((Storage::Owned, element, dim)) => Form::Array(element, dim),
                Some((Storage::View, element, dim)) => Form::ViewRef(element, dim),
                None => Form::Value,
            },
            _ => Form::Value,
        },
        Type::Path(path)
            if path
                .path
                .get_ident()
                .is_some_and(|name| is_function(name, sig)) =>
        {
            Form::Function
        }
        ty => match nd(ty) {
            Some((Storage::View, element, dim)) => Form::View(element, dim),
            _ => Form::Value,
        },
    }
}

enum Storage {
    Owned,
    View,
}

/// ndarray's types by their names: `Array2<T>`, `ArrayView2<'_, T>`, `Array<T, Ix2>`, `ArrayView<'_, T, Ix2>`.
fn nd(ty: &Type) -> Option<(Storage, Type, TokenStream)> {
    let Type::Path(path) = ty else { return None };
    let last: &PathSegment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    let element = types.next()?;
    let name = last.ident.to_string();
    let (storage, rank) = match name.strip_prefix("ArrayView") {
        Some(rank) => (Storage::View, rank),
        None => (Storage::Owned, name.strip_prefix("Array")?),
    };
    let dim = match rank {
        "" => types.next()?.into_token_stream(),
        "1" | "2" | "3" | "4" | "5" | "6" => {
            let dim = format_ident!("Ix{rank}");
            quote!(::cuprous::__private::ndarray::#dim)
        }
        _ => return None,
    };
    Some((storage, element, dim))
}

/// Whether a type parameter is bounded by `Fn`, `FnMut` or `FnOnce`.
fn is_function(name: &Ident, sig: &Signature) -> bool {
    let bounds = sig.generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) if param.ident == *name => Some(&param.bounds),
        _ => None,
    });
    let clauses = sig
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    let further = clauses.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => match peel(&predicate.bounded_ty) {
            Type::Path(path) if path.path.is_ident(name) => Some(&predicate.bounds),
            _ => None,
        },
        _ => None,
    });
    let mut all = bounds.chain(further).flatten();
    all.any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last();
            last.is_some_and(|segment| matches!(segment.arguments, PathArguments::Parenthesized(_)))
        }
        _ => false,
    })
}
