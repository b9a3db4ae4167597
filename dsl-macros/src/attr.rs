//! `#[kernel]`'s own arguments → what they switch on.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Token};

/// What stands in the parentheses of `#[kernel(…)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attr {
    /// `contract`: `a * b + c` is one rounding.
    pub contract: bool,
}

struct Words(Punctuated<Ident, Token![,]>);

impl Parse for Words {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        Punctuated::parse_terminated(input).map(Words)
    }
}

/// Reads the attribute's arguments; an unknown or repeated one is an error at its own place.
pub fn parse(tokens: TokenStream) -> Result<Attr, Error> {
    let unknown = |span| {
        Error::new(
            span,
            "unknown argument of `#[kernel]`: it takes none, or `contract`",
        )
    };
    let words: Words = match syn::parse2(tokens.clone()) {
        Ok(words) => words,
        Err(error) => {
            let at = tokens.into_iter().next();
            return Err(unknown(at.map_or_else(|| error.span(), |t| t.span())));
        }
    };
    let mut attr = Attr::default();
    for word in words.0 {
        if word != "contract" {
            return Err(unknown(word.span()));
        }
        if attr.contract {
            return Err(Error::new(word.span(), "`contract` is given twice"));
        }
        attr.contract = true;
    }
    Ok(attr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn only_contract_is_known() {
        assert!(!parse(quote!()).unwrap().contract);
        assert!(parse(quote!(contract)).unwrap().contract);
        assert!(parse(quote!(contract, contract)).is_err());
        assert!(parse(quote!(fast)).is_err());
        assert!(parse(quote!(contract = true)).is_err());
    }
}
