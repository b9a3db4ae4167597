//! The function and what was read from it → what stands in the user's crate: the function, run at the default place, and a
//! module of the same name with its other forms.
//!
//! ```text
//! fn f(…) -> R                              call(…) at the default place; panics on an error
//! fn __cuprous_plain_f(…) -> R              the body as written
//! fn __cuprous_call_f(…) -> Call<'_, R>     the kernel with these arguments
//! fn __cuprous_kernel_f() -> &Kernel        the kernel, to look at
//! fn __cuprous_tree_f()                     its surface tree
//! mod f { use super::__cuprous_plain_f as plain; … }
//! ```
//!
//! The functions stand beside `f`, not in the module: so `super::x` and `self::x` in the user's tokens mean what they meant.
//! A parameter `&[T]` becomes `impl SliceArg<'_, T>` in all of them, so that an ndarray view may stand for it.

use crate::param::{Form, Param};
use crate::scope::text;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Error, GenericParam, Ident, ItemFn, Lifetime, ReturnType, Signature, Visibility,
    WherePredicate,
};

/// What was read from a function.
pub struct Forms {
    /// A constant expression of type `syntax::Kernel`.
    pub tree: TokenStream,
    /// The body in which kernels are called by their plain form.
    pub plain: syn::Block,
    /// Items that rustc refuses if a method is not the library's.
    pub known: TokenStream,
    /// What other kernels need to find in the module.
    pub companion: TokenStream,
}

/// A kernel.
pub fn kernel(func: &ItemFn, forms: Forms) -> TokenStream {
    let params: Vec<Param> = Param::of(&func.sig);
    let part = Parts::of(func);
    let names = Names::of(&func.sig.ident);
    let plain = plain(func, &params, &forms.plain, &names);
    let Forms {
        tree,
        companion,
        known,
        ..
    } = &forms;
    let (vis, name) = (&func.vis, &func.sig.ident);
    let inside = inside(vis);
    let higher = params
        .iter()
        .any(|param| matches!(param.form, Form::Function));
    let (function, calls) = match higher {
        // A function cannot be passed to compiled code: such a kernel is there to be inlined into others.
        true => (direct(func, &params, &names), TokenStream::new()),
        false => (
            default(func, &params, &part, &names),
            calls(func, &params, &part, &names),
        ),
    };
    let Names {
        plain: plain_name,
        call: call_name,
        kernel: kernel_name,
        tree: tree_name,
        ..
    } = &names;
    let imports = match higher {
        true => TokenStream::new(),
        false => quote! {
            #[doc(inline)]
            #inside use super::#call_name as call;
            #[doc(inline)]
            #inside use super::#kernel_name as kernel;
        },
    };
    let lints = &part.lints;
    let title = format!(
        "The forms of the kernel [`{}`](fn@{}).",
        text(name),
        text(name)
    );
    quote! {
        #function
        #plain
        #calls
        #known

        #[doc(hidden)]
        #(#lints)*
        #[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic)]
        #vis fn #tree_name() -> &'static ::cuprous::__private::syntax::Kernel {
            static TREE: ::cuprous::__private::syntax::Kernel = #tree;
            &TREE
        }

        #[doc = #title]
        #[allow(dead_code, non_snake_case, unused_imports, unreachable_pub)]
        #vis mod #name {
            #[doc(inline)]
            #inside use super::#plain_name as plain;
            #imports
            #[doc(hidden)]
            #inside use super::#tree_name as __cuprous_tree;
            #companion
        }
    }
}

/// A function that is no valid kernel: itself, so that the rest of the crate is not at fault too, and the mistakes.
pub fn mistaken(func: &ItemFn, companion: &TokenStream, errors: Vec<Error>) -> TokenStream {
    let errors = errors.into_iter().map(Error::into_compile_error);
    let (vis, name) = (&func.vis, &func.sig.ident);
    let inside = inside(vis);
    if func.sig.receiver().is_some() {
        // In an `impl`, where no module can stand.
        return quote!(#(#errors)* #[allow(warnings)] #func);
    }
    quote! {
        #(#errors)*
        #[allow(warnings)]
        #func
        #[allow(warnings)]
        #vis mod #name {
            #inside use super::#name as plain;
            pub fn __cuprous_tree() -> &'static ::cuprous::__private::syntax::Kernel {
                loop {}
            }
            #companion
        }
    }
}

/// The names of what stands beside the function.
struct Names {
    plain: Ident,
    call: Ident,
    kernel: Ident,
    tree: Ident,
    native: Ident,
    generics: Ident,
    identity: Ident,
}

impl Names {
    fn of(function: &Ident) -> Names {
        let shown = text(function);
        let name = |form: &str| Ident::new(&format!("__cuprous_{form}_{shown}"), function.span());
        Names {
            plain: name("plain"),
            call: name("call"),
            kernel: name("kernel"),
            tree: name("tree"),
            native: name("native"),
            generics: name("generics"),
            identity: name("identity"),
        }
    }
}

/// The visibility that means the same one module further in.
fn inside(vis: &Visibility) -> Visibility {
    let Visibility::Restricted(restricted) = vis else {
        return match vis {
            Visibility::Inherited => syn::parse_quote!(pub(super)),
            other => other.clone(),
        };
    };
    let path = &restricted.path;
    let rest = path.segments.iter().skip(1);
    match path
        .segments
        .first()
        .map(|first| first.ident.to_string())
        .as_deref()
    {
        Some("self") if path.segments.len() == 1 => syn::parse_quote!(pub(super)),
        Some("self") => syn::parse_quote!(pub(in super #(::#rest)*)),
        Some("super") => syn::parse_quote!(pub(in super::#path)),
        _ => vis.clone(),
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
        let kept = generics
            .params
            .iter()
            .filter(|p| !matches!(p, GenericParam::Lifetime(_)));
        let names = kept.clone().map(|param| match param {
            GenericParam::Type(param) => param.ident.clone(),
            GenericParam::Const(param) => param.ident.clone(),
            _ => unreachable!("lifetimes are filtered out"),
        });
        let predicates = generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates);
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
fn default(func: &ItemFn, params: &[Param], part: &Parts, names: &Names) -> TokenStream {
    let attrs = kept(func);
    let vis = &func.vis;
    let name = &func.sig.ident;
    let generics = &part.generics;
    let (clause, turbofish, result) = (part.clause(), part.turbofish(), &part.result);
    let live = live();
    let call = &names.call;
    let given = params.iter().map(|param| &param.name);
    let heads = params.iter().map(|param| param.head(&live));
    quote! {
        #(#attrs)*
        #[allow(dead_code, private_interfaces, private_bounds, clippy::all, clippy::pedantic)]
        #[track_caller]
        #vis fn #name<#live, #(#generics),*>(#(#heads),*) -> #result #clause {
            #call #turbofish(#(#given),*).value()
        }
    }
}

/// The function itself, where it takes functions: its plain form.
fn direct(func: &ItemFn, params: &[Param], names: &Names) -> TokenStream {
    let attrs = kept(func);
    let vis = &func.vis;
    let sig = written(func, params);
    let plain = &names.plain;
    let given = params.iter().map(|param| &param.name);
    quote! {
        #(#attrs)*
        #[allow(dead_code, private_interfaces, private_bounds, clippy::all, clippy::pedantic)]
        #[track_caller]
        #vis #sig {
            #plain(#(#given),*)
        }
    }
}

/// The attributes that the function keeps: all but what would be said twice.
fn kept(func: &ItemFn) -> Vec<Attribute> {
    let gone = |attr: &&Attribute| {
        !["track_caller", "expect", "inline", "cold"]
            .iter()
            .any(|name| attr.path().is_ident(name))
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
fn plain(func: &ItemFn, params: &[Param], block: &syn::Block, names: &Names) -> TokenStream {
    let attrs = lints(
        &func.attrs,
        &[
            "allow", "warn", "deny", "forbid", "expect", "inline", "cold", "must_use",
        ],
    );
    let mut sig = written(func, params);
    sig.ident = names.plain.clone();
    let vis = &func.vis;
    let lets = params.iter().map(Param::unwrap);
    let stmts = &block.stmts;
    quote! {
        /// The function as written, compiled by rustc.
        #[doc(hidden)]
        #(#attrs)*
        #[allow(
            dead_code, non_snake_case, private_interfaces, private_bounds, unstable_name_collisions, clippy::too_many_arguments, clippy::type_complexity, clippy::needless_pass_by_value,
            clippy::must_use_candidate, clippy::extra_unused_lifetimes
        )]
        #vis #sig {
            #(#lets)*
            #(#stmts)*
        }
    }
}

/// `call` and `kernel`.
fn calls(func: &ItemFn, params: &[Param], part: &Parts, names: &Names) -> TokenStream {
    let generics = &part.generics;
    let (clause, turbofish, result) = (part.clause(), part.turbofish(), &part.result);
    let live = live();
    let Names {
        plain,
        call,
        kernel,
        tree,
        native,
        generics: choice,
        identity: which,
    } = names;
    let vis = &func.vis;
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
    let identities = part
        .generics
        .iter()
        .zip(&part.names)
        .map(|(param, name)| match param {
            GenericParam::Const(_) => quote!([(); #name]),
            _ => quote!(#name),
        });
    let identity = quote!(::cuprous::__private::TypeId::of::<(#(#identities,)*)>());
    let shown = text(&func.sig.ident);
    let call_doc = format!("A call of `{shown}`, to be run where one likes.");
    let kernel_doc = format!("The kernel `{shown}`: its IR, its plan and its code.");
    let lints = &part.lints;
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic)]
        fn #choice<#(#generics),*>() -> ::std::vec::Vec<::cuprous::__private::GenericArg> #clause {
            ::std::vec![#(#values),*]
        }

        #[doc(hidden)]
        #[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic)]
        fn #which<#(#generics),*>() -> ::cuprous::__private::TypeId #clause {
            #identity
        }

        #[doc(hidden)]
        #(#lints)*
        #[allow(dead_code, non_snake_case, unused_variables, clippy::all, clippy::pedantic)]
        fn #native<#(#generics),*>(args: &::cuprous::__private::Args<'_>) -> #result #clause {
            #(#restores)*
            let result = #plain #turbofish(#(#given),*);
            #(#writes)*
            result
        }

        #[doc = #call_doc]
        #[doc(hidden)]
        #(#lints)*
        #[allow(dead_code, non_snake_case, private_interfaces, private_bounds, clippy::all, clippy::pedantic)]
        #vis fn #call<#live, #(#generics),*>(#(#heads),*) -> ::cuprous::__private::Call<#live, #result> #clause {
            ::cuprous::__private::Call::make(
                ::cuprous::__private::Entry {
                    tree: #tree,
                    generics: #choice #turbofish,
                    identity: #which #turbofish,
                    native: #native #turbofish,
                },
                ::cuprous::__private::Args::new() #(.with(#passes))*,
            )
        }

        #[doc = #kernel_doc]
        #[doc(hidden)]
        #[allow(dead_code, non_snake_case, private_bounds, clippy::all, clippy::pedantic)]
        #vis fn #kernel<#(#generics),*>() -> &'static ::cuprous::__private::Kernel #clause {
            ::cuprous::__private::Kernel::of(#tree(), #choice #turbofish, #which #turbofish())
        }
    }
}

/// The lifetime of a call's arguments.
fn live() -> Lifetime {
    Lifetime::new("'cuprous", Span::mixed_site())
}
