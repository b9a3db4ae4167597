//! A path to a kernel → tokens that find the kernel's parts, or say at the user's name that it is none.
//!
//! A kernel `g` is a function and a module of the same name; what is called is a member of that module. If `g` is an
//! ordinary function, there is no module, and rustc would speak of an unresolved module that the user never wrote. So each
//! use brings a module of that name along, one scope further out than the names of the user's module:
//!
//! ```text
//! { mod g { … }  { use self::*; g::plain } }
//! ```
//!
//! A block's glob import comes before the items of the block around it: a real kernel wins, and the module `g` written here
//! is looked at only where there is none. Its `plain` is the function itself, so that nothing but the one message is said.

use crate::scope::text;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Path, PathArguments};

/// What the module of every kernel holds for the sake of other kernels, beside `plain` and `__cuprous_tree`.
pub fn companion() -> TokenStream {
    quote! {
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

/// Where a path's last name is looked up: the import that brings it into a block, and the same one module further in.
struct Place {
    outer: TokenStream,
    inner: TokenStream,
    name: Ident,
}

/// A path without its turbofish, as the two imports need it.
fn place(path: &Path) -> Place {
    let names: Vec<&Ident> = path.segments.iter().map(|s| &s.ident).collect();
    let (name, prefix) = names.split_last().expect("a path has a segment");
    let span = name.span();
    let colons = quote_spanned!(span=> ::);
    let start = path.leading_colon.map(|_| colons.clone());
    let mut inner = start.to_token_stream();
    match prefix.first() {
        Some(first) if *first == "self" => {
            let up = Ident::new("super", span);
            inner.extend(quote!(#up #colons));
            prefix[1..]
                .iter()
                .for_each(|n| inner.extend(quote!(#n #colons)));
        }
        Some(first) if *first != "super" => {
            prefix.iter().for_each(|n| inner.extend(quote!(#n #colons)));
        }
        _ => {
            let up = Ident::new("super", span);
            inner.extend(quote!(#up #colons));
            prefix.iter().for_each(|n| inner.extend(quote!(#n #colons)));
        }
    }
    let outer = match prefix {
        [] => quote!(self::),
        _ => quote!(#start #(#prefix)::* ::),
    };
    Place {
        outer,
        inner,
        name: (*name).clone(),
    }
}

fn lints() -> TokenStream {
    quote!(#[allow(unused_imports, dead_code, clippy::all, clippy::pedantic)])
}

/// The plain form of a kernel: `m::g::<T>` becomes `m::g::plain::<T>`.
pub fn plain(path: &Path) -> syn::Expr {
    let Place { outer, inner, name } = place(path);
    let arguments = match &path.segments.last().map(|s| &s.arguments) {
        Some(PathArguments::AngleBracketed(given)) => {
            let mut given = given.clone();
            given.colon2_token = Some(Default::default());
            given.to_token_stream()
        }
        _ => TokenStream::new(),
    };
    let plain = Ident::new("plain", name.span());
    let lints = lints();
    syn::parse_quote! {
        ({
            #lints
            mod #name {
                use super::*;
                pub(super) use #inner #name as #plain;
            }
            {
                #lints
                use #outer *;
                #name::#plain #arguments
            }
        })
    }
}

/// A kernel in the surface tree: a constant expression of type `Callee`. `library` is what the name means if no kernel has it.
pub fn callee(path: &Path, library: Option<&str>) -> TokenStream {
    let place = place(path);
    let Place { outer, name, .. } = &place;
    let span = name.span();
    let lints = lints();
    let callee = Ident::new("__cuprous_callee", span);
    let check = match library {
        Some(_) => TokenStream::new(),
        None => check(&place),
    };
    let library = library.unwrap_or_default();
    // The call is the user's name alone: that is what a message about it underlines.
    let call = quote_spanned!(span=> #name::#callee());
    quote! {{
        #lints
        mod #name {
            pub(super) const fn __cuprous_callee() -> ::cuprous::__private::syntax::Callee {
                ::cuprous::__private::syntax::Callee::Prelude(#library)
            }
        }
        #check
        {
            #lints
            use #outer *;
            #call
        }
    }}
}

/// An item that trips over a bound if the name is no kernel.
///
/// The bound is on a type beneath the imported name: `()` in a kernel's module. An ordinary function has no module, and
/// the type is found one block further out, where it is another. If there is nothing of that name at all, the import's
/// own error covers the type too, and the bound says nothing more.
fn check(Place { inner, name, .. }: &Place) -> TokenStream {
    let shown = text(name);
    let span = name.span();
    let lints = lints();
    let message = format!("`{shown}` is not a kernel");
    let note =
        format!("put `#[kernel]` on `{shown}`; if it is a constant, write its name in upper case");
    let found = Ident::new("__cuprous_found", span);
    let kernel = quote_spanned!(span=> #found::__CuprousKernel);
    quote! {
        #lints
        mod __cuprous_check {
            use super::*;

            #[diagnostic::on_unimplemented(message = #message, label = "not a kernel", note = #note)]
            trait Kernel {}

            #[diagnostic::do_not_recommend]
            impl Kernel for () {}

            const fn check<T: Kernel>() {}

            const _: () = {
                mod __cuprous_found {
                    pub enum __CuprousKernel {}
                }
                {
                    use #inner #name as #found;
                    check::<#kernel>()
                }
            };
        }
    }
}
