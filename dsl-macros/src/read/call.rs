//! Paths, calls and methods → `Callee`s, `Call`, `Method`; in the plain body each kernel is replaced by its plain form.

use super::Reader;
use crate::name::{Case, Meaning, case, meaning};
use crate::refuse::{form, of_function, of_method};
use crate::scope::{Binding, text};
use crate::source::Stretch;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{AngleBracketedGenericArguments, Expr, ExprCall, ExprMethodCall, ExprPath};
use syn::{GenericArgument, Path, PathArguments, Type, TypePath};

/// What a path in the place of a function is.
struct Function {
    callee: TokenStream,
    turbofish: Vec<TokenStream>,
    /// What stands in its place in the plain body, if that is something else.
    plain: Option<Expr>,
}

impl Reader {
    /// A path in the place of a value.
    pub(super) fn path(&mut self, expr: &mut Expr) -> TokenStream {
        let Expr::Path(path) = &*expr else {
            return self.refuse(&*expr, form::UNKNOWN);
        };
        self.attributes(&path.attrs);
        if let Some(name) = path.path.get_ident().filter(|_| path.qself.is_none()) {
            match self.scope.get(name) {
                Some(Binding::Local(name)) => return quote!(__cuprous::ExprKind::Local(#name)),
                Some(Binding::Constant) => return self.constant(path),
                None => {}
            }
            if let Some(index) = self.generics.constant(name) {
                return quote!(__cuprous::ExprKind::ConstParam(#index));
            }
            if name == "self" {
                return self.refuse(path.clone(), form::METHOD);
            }
        }
        let path = path.clone();
        if meaning(&path.path) == Meaning::Constant {
            return self.constant(&path);
        }
        if ends_in(&path.path, "None") {
            return self.none(&path);
        }
        let Some(function) = self.function_path(&path, false) else {
            return TokenStream::new();
        };
        if !function.turbofish.is_empty() {
            return self.refuse(&path, form::TURBOFISH_PATH);
        }
        if let Some(plain) = function.plain {
            *expr = plain;
        }
        let callee = function.callee;
        quote!(__cuprous::ExprKind::Path(#callee))
    }

    /// `None`; `None::<T>` is `{ let none: Option<T> = None; none }`.
    fn none(&mut self, path: &ExprPath) -> TokenStream {
        let given = path.path.segments.iter().find_map(|s| match &s.arguments {
            PathArguments::AngleBracketed(given) => given.args.first(),
            _ => None,
        });
        let none = quote!(__cuprous::ExprKind::None);
        let Some(GenericArgument::Type(ty)) = given else {
            return none;
        };
        let ty = self.ty(ty);
        let span = Stretch::of(path);
        let expr = |kind: TokenStream| quote!(__cuprous::Expr { kind: #kind, span: #span });
        let (none, value) = (expr(none), expr(quote!(__cuprous::ExprKind::Local("none"))));
        quote! {
            __cuprous::ExprKind::Block(::core::option::Option::None, __cuprous::Block {
                stmts: &[__cuprous::Stmt::Let {
                    pattern: __cuprous::Pattern {
                        kind: __cuprous::PatternKind::Bind {
                            name: "none",
                            mutable: false,
                            inner: ::core::option::Option::None,
                        },
                        span: #span,
                    },
                    ty: __cuprous::Type::Option(&#ty),
                    init: ::core::option::Option::Some(&#none),
                    or_else: ::core::option::Option::None,
                    span: #span,
                }],
                value: ::core::option::Option::Some(&#value),
                span: #span,
            })
        }
    }

    /// A constant: rustc reads it, unless it belongs to a type parameter.
    fn constant(&mut self, path: &ExprPath) -> TokenStream {
        let typed = typed(path);
        if let Some((ty, name)) = typed
            && self.generics.mentioned(&ty).is_some()
        {
            let ty = self.ty(&ty);
            return quote!(__cuprous::ExprKind::AssocConst(#ty, #name));
        }
        let shown = quote!(#path).to_string().replace(' ', "");
        let span = path
            .path
            .segments
            .last()
            .map_or_else(Span::call_site, |s| s.ident.span());
        let read = self.scope.enclose(quote_spanned! {span=>
            ::cuprous::__private::syntax::IntoConstant::constant(&#path)
        });
        quote!(__cuprous::ExprKind::Constant(#shown, || #read))
    }

    /// A path in the place of a function, which takes closures or does not. None if it was refused.
    fn function_path(&mut self, path: &ExprPath, closures: bool) -> Option<Function> {
        if let Some(name) = path.path.get_ident()
            && path.qself.is_none()
            && let Some(Binding::Local(name)) = self.scope.get(name)
        {
            let callee = quote!(__cuprous::Callee::Local(#name));
            return Some(Function {
                callee,
                turbofish: Vec::new(),
                plain: None,
            });
        }
        let last = path.path.segments.last()?;
        let turbofish = match &last.arguments {
            PathArguments::AngleBracketed(given) => self.turbofish(given),
            _ => Vec::new(),
        };
        let found = match path.qself {
            Some(_) => Meaning::Member,
            None => meaning(&path.path),
        };
        // `T::PI()` of a type parameter is a function in spite of its name.
        let of_parameter =
            || typed(path).is_some_and(|(ty, _)| self.generics.mentioned(&ty).is_some());
        let found = match found {
            Meaning::Constant if of_parameter() => Meaning::Member,
            found => found,
        };
        match found {
            Meaning::Member => {
                let (ty, name) = typed(path)?;
                self.known.add(&last.ident);
                let errors = self.errors.len();
                let ty = self.ty(&ty);
                let callee = quote!(__cuprous::Callee::Assoc(#ty, #name));
                let function = Function {
                    callee,
                    turbofish,
                    plain: None,
                };
                (errors == self.errors.len()).then_some(function)
            }
            Meaning::Function(library) => {
                let single = path.path.segments.len() == 1;
                if let Some(message) = of_function(&text(&last.ident)).filter(|_| single) {
                    self.refuse(path, message);
                    return None;
                }
                let alone = path.path.get_ident().filter(|_| !closures);
                let (plain, callee) = match alone.filter(|name| !self.scope.reads_like(name)) {
                    Some(name) => self.called.add_name(name, library),
                    None => self.called.add(&path.path, library),
                };
                Some(Function {
                    callee,
                    turbofish,
                    plain: Some(plain),
                })
            }
            Meaning::Std => {
                let message = of_function(&text(&last.ident)).unwrap_or(form::STD);
                self.refuse(path, message);
                None
            }
            Meaning::Constant | Meaning::Constructor => {
                self.refuse(path, form::RECORD);
                None
            }
        }
    }

    /// `f(a, b)`.
    pub(super) fn call(&mut self, call: &mut ExprCall) -> TokenStream {
        self.attributes(&call.attrs);
        let func = peel(&mut call.func);
        let Expr::Path(path) = &*func else {
            return self.refuse(func, form::CALLEE);
        };
        let path = path.clone();
        if ends_in(&path.path, "Some") && call.args.len() == 1 {
            let value = self.expr(&mut call.args[0]);
            return quote!(__cuprous::ExprKind::Some(&#value));
        }
        if path.path.segments.last().is_some_and(|s| s.ident == "Axis") && call.args.len() == 1 {
            // A tuple struct of ndarray's, known like a function: the plain body keeps the constructor.
            let axis = self.expr(&mut call.args[0]);
            return quote! {
                __cuprous::ExprKind::Call(__cuprous::Callee::Prelude("Axis"), &[], &[#axis])
            };
        }
        // rustc tells a closure its types from a function that stands in its place as a path, and from no other form.
        let closures = call
            .args
            .iter_mut()
            .any(|arg| matches!(peel(arg), Expr::Closure(_)));
        let Some(function) = self.function_path(&path, closures) else {
            return TokenStream::new();
        };
        if let Some(plain) = function.plain {
            *call.func = plain;
        }
        let args: Vec<TokenStream> = call.args.iter_mut().map(|a| self.argument(a)).collect();
        let Function {
            callee, turbofish, ..
        } = function;
        quote!(__cuprous::ExprKind::Call(#callee, &[#(#turbofish),*], &[#(#args),*]))
    }

    /// An argument of a call: the one place where `&mut` may stand.
    fn argument(&mut self, expr: &mut Expr) -> TokenStream {
        let span = Stretch::of(&*expr);
        match peel(expr) {
            Expr::Reference(reference) if reference.mutability.is_some() => {
                let of = self.expr(&mut reference.expr);
                quote! {
                    __cuprous::Expr {
                        kind: __cuprous::ExprKind::Unary(__cuprous::Unary::RefMut, &#of),
                        span: #span,
                    }
                }
            }
            expr => self.expr(expr),
        }
    }

    /// `x.f(a)`.
    pub(super) fn method(&mut self, call: &mut ExprMethodCall) -> TokenStream {
        self.attributes(&call.attrs);
        let receiver = self.expr(&mut call.receiver);
        let name = text(&call.method);
        if let Some(message) = of_method(&name) {
            return self.refuse(&call.method, message);
        }
        self.known.add(&call.method);
        let name_span = Stretch::from(call.method.span());
        let turbofish = match &call.turbofish {
            Some(given) => self.turbofish(given),
            None => Vec::new(),
        };
        let args = match name.as_str() {
            // Its message is the one text that is an argument; what fails says so itself.
            "expect" => Vec::new(),
            _ => self.exprs(&mut call.args),
        };
        quote! {
            __cuprous::ExprKind::Method {
                receiver: &#receiver,
                name: #name,
                name_span: #name_span,
                turbofish: &[#(#turbofish),*],
                args: &[#(#args),*],
            }
        }
    }

    fn turbofish(&mut self, given: &AngleBracketedGenericArguments) -> Vec<TokenStream> {
        let mut types = Vec::new();
        for argument in &given.args {
            match argument {
                GenericArgument::Lifetime(_) => {}
                GenericArgument::Type(ty) => types.push(self.ty(ty)),
                other => {
                    self.refuse(other, form::CONST_ARG);
                }
            }
        }
        types
    }
}

/// The type and the name of `<ty>::name`, `ty::name`, `<ty as Trait>::name`.
fn typed(path: &ExprPath) -> Option<(Type, String)> {
    let name = text(&path.path.segments.last()?.ident);
    if let Some(qself) = &path.qself {
        return Some(((*qself.ty).clone(), name));
    }
    let mut path = path.path.clone();
    path.segments.pop()?;
    path.segments.pop_punct();
    let named = case(&path.segments.last()?.ident) != Case::Lower;
    let ty = Type::Path(TypePath {
        attrs: Vec::new(),
        qself: None,
        path,
    });
    (named || super::ty::is_primitive(&ty)).then_some((ty, name))
}

/// Whether a path is `name` or `Option::name`.
fn ends_in(path: &Path, name: &str) -> bool {
    let mut from_end = path.segments.iter().rev();
    from_end.next().is_some_and(|s| s.ident == name)
        && from_end.next().is_none_or(|s| s.ident == "Option")
}

/// An expression without parentheses and the invisible groups of a `macro_rules!`.
fn peel(expr: &mut Expr) -> &mut Expr {
    match expr {
        Expr::Paren(inner) => peel(&mut inner.expr),
        Expr::Group(inner) => peel(&mut inner.expr),
        expr => expr,
    }
}
