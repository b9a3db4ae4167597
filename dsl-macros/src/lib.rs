//! The `#[kernel]` attribute: a function → itself, and a checked surface tree of it beside it.

mod emit;
mod param;

use proc_macro::TokenStream;
use quote::quote;

/// x
#[proc_macro_attribute]
pub fn kernel(_attr: TokenStream, item: TokenStream) -> TokenStream {
    let func: syn::ItemFn = match syn::parse(item) { Ok(f) => f, Err(e) => return e.into_compile_error().into() };
    let name = func.sig.ident.to_string();
    let tree = quote! {{
        use ::cuprous::__private::syntax as __cuprous;
        __cuprous::Kernel {
            name: #name, module: ::core::module_path!(),
            source: __cuprous::Source { file: ::core::file!(), first_line: ::core::line!(), text: "" },
            generics: &[], params: &[], result: __cuprous::Type::Infer,
            body: __cuprous::Block { stmts: &[], value: None, span: __cuprous::Span { line: 0, column: 0, end_line: 0, end_column: 0 } }, contract: false }
    }};
    let plain = (*func.block).clone();
    emit::kernel(&func, emit::Forms { tree, plain, companion: Default::default() }).into()
}
