//! The `#[kernel]` attribute: a function → itself, and a checked surface tree of it beside it.

mod attr;
mod fallback;
mod name;
mod read;
mod refuse;
mod scope;
mod source;

use proc_macro::TokenStream;
use quote::{ToTokens, quote};

/// Compiles a function for the place where it is called, and keeps it as an ordinary function beside that.
#[proc_macro_attribute]
pub fn kernel(attr: TokenStream, item: TokenStream) -> TokenStream {
    let func = match read::item(item.clone().into()) {
        Ok(func) => func,
        Err(error) => {
            let error = error.to_compile_error();
            let item = proc_macro2::TokenStream::from(item);
            return quote!(#error #item).into();
        }
    };
    match read::read(attr.into(), &func) {
        Ok(read::Reading { tree, plain }) => {
            let name = &func.sig.ident;
            let companion = fallback::companion();
            let mut hidden = func.clone();
            hidden.sig.ident = quote::format_ident!("__cuprous_plain_{}", name);
            hidden.block = Box::new(plain);
            let tree_name = quote::format_ident!("__cuprous_tree_{}", name);
            let vis = &func.vis;
            let hidden_name = &hidden.sig.ident;
            let inner_vis = match vis {
                syn::Visibility::Inherited => quote!(pub(super)),
                vis => vis.to_token_stream(),
            };
            quote! {
                #hidden
                #[doc(hidden)]
                #vis fn #tree_name() -> &'static ::cuprous::__private::syntax::Kernel {
                    static TREE: ::cuprous::__private::syntax::Kernel = #tree;
                    &TREE
                }
                #vis mod #name {
                    #[allow(unused_imports)]
                    #inner_vis use super::#hidden_name as plain;
                    #[allow(unused_imports)]
                    #inner_vis use super::#tree_name as __cuprous_tree;
                    #companion
                }
            }
            .into()
        }
        Err(errors) => {
            let errors = errors.iter().map(syn::Error::to_compile_error);
            quote!(#func #(#errors)*).into()
        }
    }
}
