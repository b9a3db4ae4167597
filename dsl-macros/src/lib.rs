//! The `#[kernel]` attribute: a function → itself, and a checked surface tree of it beside it.

mod attr;
mod emit;
mod fallback;
mod known;
mod name;
mod param;
mod read;
mod refuse;
mod scope;
mod source;

use proc_macro::TokenStream;
use quote::quote;

/// Compiles a function for the place where it is called, and keeps it as an ordinary function beside that.
///
/// `#[kernel] fn f(…) -> R`, at module level, leaves `fn f(…) -> R`, which now runs at the default place, and adds
///
/// * `f::plain(…) -> R`: the body as written;
/// * `f::call(…) -> Call<'_, R>`: a call, to be run where one likes;
/// * `f::kernel() -> &'static Kernel`: the kernel, to look at its IR, its plan and its code.
///
/// For a parameter `&[T]` each of them takes a slice, fixed array, vector, one-dimensional ndarray array or view, or an
/// array at a place; for a parameter that is an ndarray array, that or a view or an array at a place.
///
/// `#[kernel(contract)]` computes `a * b + c` with one rounding, on every place but `native`.
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
    let companion = fallback::companion(func.sig.inputs.len());
    let tokens = match read::read(attr.into(), &func) {
        Ok(read::Reading { tree, plain, known }) => {
            let forms = emit::Forms {
                tree,
                plain,
                known,
                companion,
            };
            emit::kernel(&func, forms)
        }
        Err(errors) => emit::mistaken(&func, &companion, errors),
    };
    tokens.into()
}
