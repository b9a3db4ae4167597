//! The kernels that a function calls → what stands for them in its plain body and in its tree, or a message at the user's name.
//!
//! A kernel `g` is a function and a module of the same name; what is called is a member of that module. If `g` is an
//! ordinary function, or nothing at all, there is no module, and rustc would speak of a module that the user never wrote.
//!
//! # A name
//!
//! An import of what is not there is an error in itself, so a single name is not imported: it is looked up where it stands,
//! in two blocks of which the outer has the fallback.
//!
//! ```text
//! {
//!     mod scope { pub(super) use super::*; }
//!     mod fallback_g { … }
//!     (match g { written => {
//!         use fallback_g as g;
//!         { use scope::*; g::__cuprous_choose(written, written, g::plain) }
//!     } })(x)
//! }
//! ```
//!
//! The glob brings the module `g` if there is one: a kernel wins, and its `__cuprous_choose` returns the plain form. It takes
//! the function for its types to be inferred, which are those of the plain form. The fallback's returns the function, and has a
//! bound that no type meets unless the library has a function of that name. If there is no `g`, rustc says so where it is
//! written, and knows the names around it best; its type is then unknown, so that nothing more is said.
//!
//! # A path
//!
//! Where a module would have to be guessed too, and where type arguments or closures are given, the kernel gets an alias, and one more
//! module stands behind it, one block further out:
//!
//! ```text
//! {
//!     mod real { use super::m::g as found; mod fallback { use super::found as plain; } }
//!     use real::fallback as alias;
//!     {
//!         use real::found as alias;
//!         alias::plain(x)
//!     }
//! }
//! ```
//!
//! The inner import brings the function, and the module if there is one. Of an ordinary function, the alias is looked for as a
//! module further out, where its `plain` is the function itself. If there is no `g` at all, the innermost import says so, and
//! its error covers all that follows from it.

use crate::scope::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Path, PathArguments, parse_quote};

/// What the module of a kernel with so many parameters holds for the sake of other kernels, beside `plain` and
/// `__cuprous_tree`.
pub fn companion(params: usize) -> TokenStream {
    let types: Vec<Ident> = (0..params).map(|i| format_ident!("T{i}")).collect();
    quote! {
        /// The plain form of this kernel, of the types that the function has where it is named.
        #[doc(hidden)]
        #[inline(always)]
        pub fn __cuprous_choose<F, P, R, #(#types),*>(_: F, _: F, plain: P) -> P
        where
            F: ::core::ops::FnOnce(#(#types),*) -> R,
            P: ::core::ops::FnOnce(#(#types),*) -> R,
        {
            plain
        }

        /// How a kernel's surface tree names this kernel.
        #[doc(hidden)]
        pub const fn __cuprous_callee() -> ::cuprous::__private::syntax::Callee {
            ::cuprous::__private::syntax::Callee::Kernel(__cuprous_tree)
        }

        /// Tells a kernel's module from any other.
        #[doc(hidden)]
        pub type __CuprousKernel = ();
    }
}

/// The kernels that a function calls.
#[derive(Default)]
pub struct Called {
    names: Vec<Name>,
    paths: Vec<Kernel>,
}

/// A single name in the place of a function.
struct Name {
    name: Ident,
    library: Option<&'static str>,
}

/// A path in the place of a function.
struct Kernel {
    /// As the user wrote it, without turbofish; its text tells whether two are the same.
    path: String,
    /// The path one module further in, without its last name, and that.
    prefix: TokenStream,
    name: Ident,
    alias: Ident,
    /// What the name means if no kernel has it.
    library: Option<&'static str>,
}

impl Called {
    /// Notes a call by a single name that is no variable's, whatever its hygiene.
    pub fn add_name(
        &mut self,
        name: &Ident,
        library: Option<&'static str>,
    ) -> (syn::Expr, TokenStream) {
        if !self
            .names
            .iter()
            .any(|known| text(&known.name) == text(name))
        {
            let name = name.clone();
            self.names.push(Name { name, library });
        }
        let span = name.span();
        let fallback = fallback(name);
        let lints = lints();
        let choose = quote_spanned!(span=> #name::__cuprous_choose);
        let plain = quote_spanned!(span=> #name::plain);
        let callee = quote_spanned!(span=> #name::__cuprous_callee());
        let found = |of: TokenStream| {
            quote!({
                #lints
                use #fallback as #name;
                {
                    #lints
                    use __cuprous_scope::*;
                    #of
                }
            })
        };
        let written = Ident::new("__cuprous_written", Span::mixed_site().located_at(span));
        let chosen = found(quote!(#choose(#written, #written, #plain)));
        (
            parse_quote!(match #name { #written => #chosen }),
            found(callee),
        )
    }

    /// Notes a call. Returns its plain form `alias::plain::<T>`, and its form in the tree, a constant of type `Callee`.
    pub fn add(&mut self, path: &Path, library: Option<&'static str>) -> (syn::Expr, TokenStream) {
        let name = path.segments.last().expect("a path has a segment");
        let arguments = match &name.arguments {
            PathArguments::AngleBracketed(given) => {
                let mut given = given.clone();
                given.colon2_token = Some(Default::default());
                given.to_token_stream()
            }
            _ => TokenStream::new(),
        };
        let mut alias = self.alias(path, library);
        let span = name.ident.span();
        alias.set_span(span);
        let plain = Ident::new("plain", span);
        let callee = Ident::new("__cuprous_callee", span);
        let colons = quote_spanned!(span=> ::);
        (
            parse_quote!(#alias #colons #plain #arguments),
            quote_spanned!(span=> #alias::#callee()),
        )
    }

    fn alias(&mut self, path: &Path, library: Option<&'static str>) -> Ident {
        let names: Vec<&Ident> = path.segments.iter().map(|s| &s.ident).collect();
        let start = path.leading_colon.map(|_| "::").unwrap_or_default();
        let names_text: Vec<String> = names.iter().map(|n| text(n)).collect();
        let written = format!("{start}{}", names_text.join("::"));
        if let Some(known) = self.paths.iter().find(|k| k.path == written) {
            return known.alias.clone();
        }
        let (name, above) = names.split_last().expect("a path has a segment");
        let alias = format_ident!("__cuprous_{}_{}", self.paths.len(), text(name));
        self.paths.push(Kernel {
            path: written,
            prefix: prefix(path, above, name),
            name: (*name).clone(),
            alias: alias.clone(),
            library,
        });
        alias
    }

    /// The plain body with its kernels in scope.
    pub fn plain(&self, body: syn::Block) -> syn::Block {
        if self.names.is_empty() && self.paths.is_empty() {
            return body;
        }
        let (outer, inner) = self.scopes(|_| TokenStream::new());
        let stmts = &body.stmts;
        parse_quote!({ #outer { #inner #(#stmts)* } })
    }

    /// A constant expression of the tree with its kernels in scope.
    pub fn tree(&self, tree: TokenStream) -> TokenStream {
        if self.names.is_empty() && self.paths.is_empty() {
            return quote!({ #tree });
        }
        let (outer, inner) = self.scopes(|kernel| {
            let library = kernel.library.unwrap_or_default();
            let check = match kernel.library {
                Some(_) => TokenStream::new(),
                None => kernel.check(),
            };
            quote! {
                pub(in super::super) const fn __cuprous_callee() -> ::cuprous::__private::syntax::Callee {
                    ::cuprous::__private::syntax::Callee::Prelude(#library)
                }
                #check
            }
        });
        quote!({ #outer { #inner #tree } })
    }

    /// The items of the outer and of the inner block; `more` stands in the fallback module.
    fn scopes(&self, more: impl Fn(&Kernel) -> TokenStream) -> (TokenStream, TokenStream) {
        let mut outer = TokenStream::new();
        let mut inner = TokenStream::new();
        let lints = lints();
        for kernel in &self.paths {
            let Kernel {
                prefix,
                name,
                alias,
                ..
            } = kernel;
            let real = format_ident!("{alias}_real");
            let found = Ident::new("found", name.span());
            let more = more(kernel);
            outer.extend(quote! {
                #lints
                mod #real {
                    use super::*;
                    pub(super) use #prefix #name as #found;
                    pub(super) mod fallback {
                        pub(in super::super) use super::found as plain;
                        #more
                    }
                }
                #lints
                use #real::fallback as #alias;
            });
            inner.extend(quote! {
                #lints
                use #real::found as #alias;
            });
        }
        if !self.names.is_empty() {
            let names = self.names.iter().map(Name::module);
            outer.extend(quote! {
                #lints
                mod __cuprous_scope {
                    pub(super) use super::*;
                }
                #(#lints #names)*
            });
        }
        (outer, inner)
    }
}

/// The name of the module that stands where no kernel has this one.
fn fallback(name: &Ident) -> Ident {
    format_ident!(
        "__cuprous_fallback_{}",
        text(name),
        span = Span::mixed_site()
    )
}

fn lints() -> TokenStream {
    quote!(#[allow(unused_imports, dead_code, non_upper_case_globals, clippy::all, clippy::pedantic)])
}

impl Name {
    /// The module that stands where there is no kernel.
    fn module(&self) -> TokenStream {
        let Name { name, library } = self;
        let span = name.span();
        let module = fallback(name);
        let shown = text(name);
        let message = format!("`{shown}` is not a kernel");
        let note = format!(
            "put `#[kernel]` on `{shown}`; if it is a constant, write its name in upper case"
        );
        let bound = match library {
            Some(_) => TokenStream::new(),
            None => quote_spanned!(span=> : Kernel),
        };
        let library = library.unwrap_or_default();
        let choose = quote_spanned!(span=> __cuprous_choose);
        quote! {
            mod #module {
                #[diagnostic::on_unimplemented(message = #message, label = "not a kernel", note = #note)]
                pub(super) trait Kernel {}
                #[diagnostic::do_not_recommend]
                impl Kernel for () {}
                pub(super) fn #choose<T #bound, F>(_: T, written: F, (): ()) -> F {
                    written
                }
                pub(super) const plain: () = ();
                pub(super) const fn __cuprous_callee() -> ::cuprous::__private::syntax::Callee {
                    ::cuprous::__private::syntax::Callee::Prelude(#library)
                }
            }
        }
    }
}

/// What stands before a path's last name, seen from one module further in.
fn prefix(path: &Path, above: &[&Ident], name: &Ident) -> TokenStream {
    let span = name.span();
    let colons = quote_spanned!(span=> ::);
    let up = Ident::new("super", span);
    let start = path.leading_colon.map(|_| colons.clone());
    let (up, above) = match above.first() {
        None => (Some(up), above),
        Some(first) if *first == "self" => (Some(up), &above[1..]),
        Some(first) if *first == "super" => (Some(up), above),
        Some(_) => (None, above),
    };
    let up = up.map(|up| quote!(#up #colons));
    quote!(#start #up #(#above #colons)*)
}

impl Kernel {
    /// Items that trip over a bound if the name is no kernel: beneath an alias for it, a kernel's module has a type that is
    /// `()`, and the block further out one that is not.
    fn check(&self) -> TokenStream {
        let shown = text(&self.name);
        let span = self.name.span();
        let message = format!("`{shown}` is not a kernel");
        let note = format!(
            "put `#[kernel]` on `{shown}`; if it is a constant, write its name in upper case"
        );
        let checked = Ident::new("checked", span);
        let kernel = quote_spanned!(span=> #checked::__CuprousKernel);
        quote! {
            #[diagnostic::on_unimplemented(message = #message, label = "not a kernel", note = #note)]
            trait Kernel {}

            #[diagnostic::do_not_recommend]
            impl Kernel for () {}

            const fn check<T: Kernel>() {}

            const _: () = {
                mod checked {
                    pub enum __CuprousKernel {}
                }
                {
                    use super::found as #checked;
                    check::<#kernel>()
                }
            };
        }
    }
}
