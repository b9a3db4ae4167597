//! The function and what was read from it → what stands in the user's crate: the function, run at the default place, and a
//! module of the same name with its other forms.
//!
//! ```text
//! fn f(…) -> R                    call(…) at the default place; panics on an error
//! mod f {
//!     fn plain(…) -> R            the body as written
//!     fn call(…) -> Call<'_, R>   the kernel with these arguments
//!     fn kernel() -> &Kernel      the kernel, to look at
//!     fn __cuprous_tree()         its surface tree
//! }
//! ```
//!
//! A parameter `&[T]` becomes `impl SliceArg<'_, T>` in all three, so that an ndarray view may stand for it. Each function of
//! the module brings the names of the surrounding module along by an import of its own: so `call` in a kernel's body is what
//! it was outside.

use crate::param::{Form, Param};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Error, GenericParam, Ident, ItemFn, Lifetime, ReturnType, Signature, WherePredicate};

/// What was read from a function.
pub struct Forms {
    /// A constant expression of type `syntax::Kernel`.
    pub tree: TokenStream,
    /// The body in which kernels are called by their plain form.
    pub plain: syn::Block,
    /// What other kernels need to find in the module.
    pub companion: TokenStream,
}

/// A kernel.
pub fn kernel(func: &ItemFn, forms: Forms) -> TokenStream {
    let params: Vec<Param> = Param::of(&func.sig);
    let part = Parts::of(func);
    let plain = plain(func, &params, &forms.plain);
    let tree = &forms.tree;
    let companion = &forms.companion;
    let vis = &func.vis;
    let name = &func.sig.ident;
    let higher = params.iter().any(|param| matches!(param.form, Form::Function));
    let (function, forms) = match higher {
        // A function cannot be passed to compiled code: such a kernel is there to be inlined into others.
        true => (direct(func, &params), TokenStream::new()),
        false => (default(func, &params, &part), calls(func, &params, &part)),
    };
    let title = format!("The forms of the kernel [`{name}`](fn@{name}).");
    let lints = part.lints;
    quote! {
        #function

        #[doc = #title]
        #(#lints)*
        #[allow(
            dead_code, unused_imports, unused_qualifications, private_interfaces, private_bounds, unreachable_pub,
            single_use_lifetimes, clippy::module_name_repetitions, clippy::wildcard_imports, clippy::missing_errors_doc,
            clippy::missing_panics_doc
        )]
        #vis mod #name {
            use super::*;
            #plain
            #forms
            #[doc(hidden)]
            pub fn __cuprous_tree() -> &'static ::cuprous::__private::syntax::Kernel {
                use super::*;
                static TREE: ::cuprous::__private::syntax::Kernel = #tree;
                &TREE
            }
            #companion
        }
    }
}

/// A function that is no valid kernel: itself, so that the rest of the crate is not at fault too, and the mistakes.
pub fn mistaken(func: &ItemFn, companion: &TokenStream, errors: Vec<Error>) -> TokenStream {
    let errors = errors.into_iter().map(Error::into_compile_error);
    let name = &func.sig.ident;
    let vis = &func.vis;
    quote! {
        #(#errors)*
        #[allow(warnings)]
        #func
        #[allow(warnings)]
        #vis mod #name {
            pub(super) use super::#name as plain;
            pub fn __cuprous_tree() -> &'static ::cuprous::__private::syntax::Kernel {
                loop {}
            }
            #companion
        }
    }
}

/// The pieces of the function's head that several forms share.
struct Parts {
    /// `allow`, `warn`, `deny` and `forbid`.
    lints: Vec<Attribute>,
    /// Type and const parameters with their bounds.
    generics: Vec<GenericParam>,
    /// Their names.
    names: Vec<Ident>,
    predicates: Vec<WherePredicate>,
    result: TokenStream,
}

impl Parts {
    fn of(func: &ItemFn) -> Parts {
        let generics = &func.sig.generics;
        let kept = generics.params.iter().filter(|p| !matches!(p, GenericParam::Lifetime(_)));
        let names = kept.clone().map(|param| match param {
            GenericParam::Type(param) => param.ident.clone(),
            GenericParam::Const(param) => param.ident.clone(),
            _ => unreachable!("lifetimes are filtered out"),
        });
        let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let result = match &func.sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        };
        Parts {
            lints: lints(&func.attrs, &["allow", "warn", "deny", "forbid"]),
            names: names.collect(),
            generics: kept.cloned().collect(),
            predicates: predicates
                .filter(|p| !matches!(p, WherePredicate::Lifetime(_)))
                .cloned()
                .collect(),
            result,
        }
    }

    /// The head's `where`, if there is one.
    fn clause(&self) -> TokenStream {
        let predicates = &self.predicates;
        match predicates.is_empty() {
            true => TokenStream::new(),
            false => quote!(where #(#predicates),*),
        }
    }

    /// `::<T, N>`, or nothing.
    fn turbofish(&self) -> TokenStream {
        let names = &self.names;
        match names.is_empty() {
            true => TokenStream::new(),
            false => quote!(::<#(#names),*>),
        }
    }
}

fn lints(attrs: &[Attribute], names: &[&str]) -> Vec<Attribute> {
    let wanted = |attr: &&Attribute| names.iter().any(|name| attr.path().is_ident(name));
    attrs.iter().filter(wanted).cloned().collect()
}

/// The function itself: a call at the default place.
fn default(func: &ItemFn, params: &[Param], part: &Parts) -> TokenStream {
    let attrs = kept(func);
    let vis = &func.vis;
    let name = &func.sig.ident;
    let generics = &part.generics;
    let (clause, turbofish, result) = (part.clause(), part.turbofish(), &part.result);
    let live = live();
    let names = params.iter().map(|param| &param.name);
    let heads = params.iter().map(|param| param.head(&live));
    quote! {
        #(#attrs)*
        #[allow(dead_code, private_interfaces, private_bounds, clippy::all, clippy::pedantic)]
        #[track_caller]
        #vis fn #name<#live, #(#generics),*>(#(#heads),*) -> #result #clause {
            #name::call #turbofish(#(#names),*).value()
        }
    }
}

/// The function itself, where it takes functions: its plain form.
fn direct(func: &ItemFn, params: &[Param]) -> TokenStream {
    let attrs = kept(func);
    let vis = &func.vis;
    let sig = written(func, params);
    let name = &sig.ident;
    let names = params.iter().map(|param| &param.name);
    quote! {
        #(#attrs)*
        #[allow(dead_code, private_interfaces, private_bounds, clippy::all, clippy::pedantic)]
        #[track_caller]
        #vis #sig {
            #name::plain(#(#names),*)
        }
    }
}

/// The attributes that the function keeps: all but what would be said twice.
fn kept(func: &ItemFn) -> Vec<Attribute> {
    let gone = |attr: &&Attribute| {
        !["track_caller", "expect", "inline", "cold"].iter().any(|name| attr.path().is_ident(name))
    };
    func.attrs.iter().filter(gone).cloned().collect()
}

/// The head with the user's lifetimes, and what may stand for each parameter.
fn written(func: &ItemFn, params: &[Param]) -> Signature {
    let mut sig = func.sig.clone();
    let live = live();
    for (input, param) in sig.inputs.iter_mut().zip(params) {
        let head = param.head_as_written(&live);
        *input = syn::parse_quote!(#head);
    }
    sig.generics.params.insert(0, syn::parse_quote!(#live));
    sig
}

/// The body as written, on real slices and arrays.
fn plain(func: &ItemFn, params: &[Param], block: &syn::Block) -> TokenStream {
    let attrs = lints(&func.attrs, &["expect", "inline", "cold", "must_use"]);
    let mut sig = written(func, params);
    sig.ident = Ident::new("plain", func.sig.ident.span());
    let lets = params.iter().map(Param::unwrap);
    quote! {
        /// The function as written, compiled by rustc.
        #(#attrs)*
        #[allow(
            unstable_name_collisions, clippy::too_many_arguments, clippy::type_complexity, clippy::needless_pass_by_value,
            clippy::must_use_candidate
        )]
        #[track_caller]
        pub #sig {
            use super::*;
            #(#lets)*
            #block
        }
    }
}

/// `call` and `kernel`.
fn calls(func: &ItemFn, params: &[Param], part: &Parts) -> TokenStream {
    let generics = &part.generics;
    let (clause, turbofish, result) = (part.clause(), part.turbofish(), &part.result);
    let live = live();
    let names = &part.names;
    let heads = params.iter().map(|param| param.head(&live));
    let passes = params.iter().map(|param| param.pass(&live));
    let restores = params.iter().enumerate().map(|(i, param)| param.restore(i));
    let given = params.iter().map(Param::given);
    let writes = params.iter().enumerate().map(|(i, param)| param.write(i));
    let values = part.generics.iter().map(|param| match param {
        GenericParam::Const(param) => {
            let name = &param.ident;
            quote!(::cuprous::__private::const_arg(#name))
        }
        GenericParam::Type(param) => {
            let name = &param.ident;
            quote!(::cuprous::__private::type_arg::<#name>())
        }
        _ => TokenStream::new(),
    });
    let identities = part.generics.iter().zip(names).map(|(param, name)| match param {
        GenericParam::Const(_) => quote!([(); #name]),
        _ => quote!(#name),
    });
    let identity = quote!(::cuprous::__private::TypeId::of::<(#(#identities,)*)>());
    let shown = func.sig.ident.to_string();
    let call_doc = format!("A call of `{shown}`, to be run where one likes.");
    let kernel_doc = format!("The kernel `{shown}`: its IR, its plan and its code.");
    quote! {
        fn __cuprous_generics<#(#generics),*>() -> ::std::vec::Vec<::cuprous::__private::GenericArg> #clause {
            ::std::vec![#(#values),*]
        }

        fn __cuprous_identity<#(#generics),*>() -> ::cuprous::__private::TypeId #clause {
            #identity
        }

        #[allow(unused_variables, clippy::all, clippy::pedantic)]
        fn __cuprous_native<#(#generics),*>(args: &::cuprous::__private::Args<'_>) -> #result #clause {
            #(#restores)*
            let result = plain #turbofish(#(#given),*);
            #(#writes)*
            result
        }

        #[doc = #call_doc]
        #[allow(clippy::all, clippy::pedantic)]
        pub fn call<#live, #(#generics),*>(#(#heads),*) -> ::cuprous::__private::Call<#live, #result> #clause {
            ::cuprous::__private::Call::make(
                ::cuprous::__private::Entry {
                    tree: __cuprous_tree,
                    generics: __cuprous_generics #turbofish,
                    identity: __cuprous_identity #turbofish,
                    native: __cuprous_native #turbofish,
                },
                ::cuprous::__private::Args::new() #(.with(#passes))*,
            )
        }

        #[doc = #kernel_doc]
        pub fn kernel<#(#generics),*>() -> &'static ::cuprous::__private::Kernel #clause {
            ::cuprous::__private::Kernel::of(
                __cuprous_tree(),
                __cuprous_generics #turbofish,
                __cuprous_identity #turbofish(),
            )
        }
    }
}

/// The lifetime of a call's arguments.
fn live() -> Lifetime {
    Lifetime::new("'cuprous", Span::mixed_site())
}
