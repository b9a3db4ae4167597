//! The `#[kernel]` attribute: a function → itself, and a checked surface tree of it beside it.

mod attr;
mod emit;
mod fallback;
mod name;
mod param;
mod read;
mod refuse;
mod scope;
mod source;

use proc_macro::TokenStream;
use quote::quote;

/// Compiles a function for the place where it is called, and keeps it as an ordinary function beside that.
#[proc_macro_attribute]
pub fn kernel(attr: TokenStream, item: TokenStream) -> TokenStream {
    let func = match syn::parse::<syn::ItemFn>(item.clone()) {
        Ok(func) => func,
        Err(error) => {
            let error = error.to_compile_error();
            let item = proc_macro2::TokenStream::from(item);
            return quote!(#error #item).into();
        }
    };
    match read::read(attr.into(), &func) {
        Ok(read::Reading { tree, plain }) => {
            emit::kernel(&func, emit::Forms { tree, plain, companion: fallback::companion() }).into()
        }
        Err(errors) => {
            emit::mistaken(&func, &fallback::companion(), errors).into()
        }
    }
}
