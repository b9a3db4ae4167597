//! One function → its surface tree and its plain body, in one walk.
//!
//! The walk checks the subset and collects every refusal; it does not go into what it refuses, so one mistake gives one
//! message. It resolves names as it goes, writes the tree, and replaces each call of a kernel in the function by a call
//! of that kernel's plain form: what is a kernel in one is a kernel in the other.

mod block;
mod call;
mod expr;
mod format;
mod generic;
mod macros;
mod pattern;
mod signature;
mod ty;

use crate::fallback::Called;
use crate::known::Known;
use crate::refuse::form;
use crate::scope::Scope;
use crate::source::Lines;
use crate::{attr, scope};
use generic::Generics;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use std::collections::HashSet;
use syn::{Attribute, Error, Item, ItemFn};

/// What `#[kernel]` makes of a function.
#[derive(Debug)]
pub struct Reading {
    /// A constant expression of type `::cuprous::__private::syntax::Kernel`.
    pub tree: TokenStream,
    /// The function's body in which kernels are called by their plain form.
    pub plain: syn::Block,
    /// What rustc refuses if a method is not the library's.
    pub known: TokenStream,
}

/// Reads a function; all that is wrong with it otherwise.
pub fn read(attr: TokenStream, func: &ItemFn) -> Result<Reading, Vec<Error>> {
    let attr_errors = attr::parse(attr);
    let mut plain = func.clone();
    let mut reader = Reader {
        scope: Scope::default(),
        generics: Generics::default(),
        called: Called::default(),
        known: Known::default(),
        lines: Lines::of(func, Span::call_site()),
        variables: Vec::new(),
        errors: Vec::new(),
    };
    let contract = match attr_errors {
        Ok(attr) => attr.contract,
        Err(error) => {
            reader.errors.push(error);
            false
        }
    };
    let signature = reader.signature(&plain.sig);
    reader.attributes(&plain.attrs);
    let body = reader.block(&mut plain.block);
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let name = scope::text(&func.sig.ident);
    let lines = &reader.lines;
    let variables = variables(&reader.variables);
    let tree = reader.called.tree(quote! {
        #variables
        use ::cuprous::__private::syntax as __cuprous;
        __cuprous::Kernel {
            name: #name,
            module: ::core::module_path!(),
            source: #lines,
            #signature
            body: #body,
            contract: #contract,
        }
    });
    let plain = reader.called.plain(*plain.block);
    let known = reader.known.items();
    Ok(Reading { tree, plain, known })
}

/// Items that rustc refuses if one of these names is a constant's: the pattern would then mean that constant.
fn variables(names: &[Ident]) -> TokenStream {
    let mut seen = HashSet::new();
    let names = names.iter().filter(|name| seen.insert(scope::text(name)));
    quote! {
        #(
            #[allow(unused_variables, non_snake_case, clippy::all, clippy::pedantic)]
            const _: () = match () {
                #names @ _ => {}
            };
        )*
    }
}

/// The function that `#[kernel]` stands on.
pub fn item(tokens: TokenStream) -> Result<ItemFn, Error> {
    syn::parse2(tokens.clone()).map_err(|error| match syn::parse2::<syn::Item>(tokens) {
        Ok(Item::Impl(item)) => Error::new_spanned(item.impl_token, form::METHOD),
        Ok(Item::Struct(item)) => Error::new_spanned(item.struct_token, form::RECORD),
        Ok(Item::Enum(item)) => Error::new_spanned(item.enum_token, form::RECORD),
        Ok(item) => {
            let first = item.to_token_stream().into_iter().next();
            Error::new_spanned(first, "`#[kernel]` is put on a function")
        }
        Err(_) => error,
    })
}

/// The state of the walk.
struct Reader {
    scope: Scope,
    generics: Generics,
    called: Called,
    known: Known,
    lines: Lines,
    /// The names that stand alone in patterns which may fail, and are read as variables.
    variables: Vec<Ident>,
    errors: Vec<Error>,
}

impl Reader {
    /// Notes a refusal. What it returns stands where the tree would: it is never compiled.
    fn refuse(&mut self, at: impl ToTokens, message: impl std::fmt::Display) -> TokenStream {
        self.errors.push(Error::new_spanned(at, message));
        TokenStream::new()
    }

    /// Refuses attributes that would change the function without the tree.
    fn attributes(&mut self, attrs: &[Attribute]) {
        for attr in attrs {
            let path = attr.path();
            if path.is_ident("cfg") || path.is_ident("cfg_attr") {
                self.refuse(attr, form::CFG);
            }
        }
    }
}

/// `Some(&…)` or `None`, for a part that may be missing.
fn option(part: Option<TokenStream>) -> TokenStream {
    match part {
        Some(part) => quote!(::core::option::Option::Some(&#part)),
        None => quote!(::core::option::Option::None),
    }
}

#[cfg(test)]
mod tests;
