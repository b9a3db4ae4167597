//! A function's head → the generics, parameters and result of a `Kernel`; what a kernel cannot be is refused here.

use super::Reader;
use super::pattern::Position;
use crate::refuse::form;
use crate::source::Stretch;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{FnArg, GenericArgument, PathArguments, ReturnType, Safety, Signature, Type, TypePath};

impl Reader {
    /// The fields `generics`, `params` and `result`.
    pub(super) fn signature(&mut self, sig: &Signature) -> TokenStream {
        self.qualifiers(sig);
        let generics = self.generic(&sig.generics);
        let params: Vec<TokenStream> = sig.inputs.iter().map(|p| self.param(p)).collect();
        let result = match &sig.output {
            ReturnType::Default => quote!(__cuprous::Type::Tuple(&[])),
            ReturnType::Type(_, ty) => {
                if !crate::param::Param::of(sig).iter().any(is_function) {
                    self.returned(ty);
                }
                self.result(ty)
            }
        };
        quote! {
            generics: #generics,
            params: &[#(#params),*],
            result: #result,
        }
    }

    fn qualifiers(&mut self, sig: &Signature) {
        if let Some(token) = &sig.constness {
            self.refuse(
                token,
                "a kernel cannot be a `const fn`: it is compiled when it is first called",
            );
        }
        if let Some(token) = &sig.asyncness {
            self.refuse(token, form::ASYNC);
        }
        if let Safety::Unsafe(token) = &sig.safety {
            self.refuse(token, form::UNSAFE);
        }
        if let Some(abi) = &sig.abi {
            self.refuse(
                abi,
                "a kernel has no foreign calling convention: export a function that calls it",
            );
        }
        if let Some(variadic) = &sig.variadic {
            self.refuse(
                variadic,
                "a kernel has a fixed number of parameters: take a slice",
            );
        }
    }

    fn param(&mut self, param: &FnArg) -> TokenStream {
        let param = match param {
            FnArg::Receiver(receiver) => {
                self.scope
                    .bind(&Ident::new("self", receiver.self_token.span));
                return self.refuse(receiver, form::METHOD);
            }
            FnArg::Typed(param) => param,
        };
        self.attributes(&param.attrs);
        let span = Stretch::of(param);
        let ty = match &*param.ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                match super::ty::peel(&reference.elem) {
                    Type::Slice(_) => self.ty(&param.ty),
                    _ => self.refuse(
                        &param.ty,
                        "a `&mut` parameter of a kernel is a slice `&mut [T]`: return the new value instead",
                    ),
                }
            }
            ty => self.ty(ty),
        };
        if let Type::Reference(reference) = super::ty::peel(&param.ty)
            && let Some(lifetime) = reference.lifetime.as_ref().filter(|l| l.ident == "static")
        {
            self.refuse(
                lifetime,
                "a kernel takes its arguments for the length of a call: leave the lifetime out",
            );
        }
        let pattern = self.pattern(&param.pat, Position::Whole);
        quote!(__cuprous::Param { pattern: #pattern, ty: #ty, span: #span })
    }

    /// Refuses what a call cannot hand back. A kernel that takes functions has no calls, only other kernels that call it.
    fn returned(&mut self, ty: &Type) {
        match super::ty::peel(ty) {
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|member| self.returned(member)),
            Type::Path(path) => match container(path) {
                Some(("Option", _)) => {
                    self.refuse(
                        ty,
                        "a kernel returns no `Option`: return a tuple `(bool, T)`, or a value that stands for none",
                    );
                }
                Some(("Vec", Some(element))) if matches!(super::ty::peel(element), Type::Path(inner) if container(inner).is_some()) =>
                {
                    self.refuse(
                        ty,
                        "a kernel returns no nested `Vec`: return an `Array2<T>`, or the elements in one `Vec<T>` and where each row begins in another",
                    );
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn result(&mut self, ty: &Type) -> TokenStream {
        match super::ty::peel(ty) {
            Type::ImplTrait(_) => {
                return self.refuse(ty, "a kernel returns a value whose type is named: `collect()` it and return `Vec<T>`");
            }
            Type::Tuple(tuple) => {
                let members: Vec<TokenStream> =
                    tuple.elems.iter().map(|m| self.result(m)).collect();
                return quote!(__cuprous::Type::Tuple(&[#(#members),*]));
            }
            Type::Reference(reference) => {
                let instead = match super::ty::peel(&reference.elem) {
                    Type::Slice(_) => "return `Vec<T>`, made by `.to_vec()`",
                    _ => "return the value itself",
                };
                return self.refuse(
                    ty,
                    format!("a kernel returns values of its own, no references: {instead}"),
                );
            }
            _ => {}
        }
        self.ty(ty)
    }
}

fn is_function(param: &crate::param::Param) -> bool {
    matches!(param.form, crate::param::Form::Function)
}

/// `Vec` or `Option`, and what is in it.
fn container(ty: &TypePath) -> Option<(&'static str, Option<&Type>)> {
    let last = ty.path.segments.last()?;
    let name = ["Vec", "Option"]
        .into_iter()
        .find(|own| last.ident == own)?;
    let element = match &last.arguments {
        PathArguments::AngleBracketed(given) => {
            given.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    };
    Some((name, element))
}
