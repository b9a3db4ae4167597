//! Format strings → `Format`: text and arguments in the order in which they are shown.

use super::Reader;
use crate::scope::Binding;
use crate::source::Stretch;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, LitStr, Token};

/// One argument behind the format string: `x`, `name = x`.
pub struct Argument {
    name: Option<Ident>,
    pub value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let named = input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]);
        let name = match named {
            true => {
                let name = input.parse()?;
                input.parse::<Token![=]>()?;
                Some(name)
            }
            false => None,
        };
        let value = input.parse()?;
        Ok(Argument { name, value })
    }
}

impl quote::ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Some(name) = &self.name {
            tokens.extend(quote!(#name =));
        }
        self.value.to_tokens(tokens);
    }
}

/// A message as it stands in a macro: a format string and its arguments. An empty one is none.
pub type Message = Punctuated<Argument, Token![,]>;

/// A piece of a format string.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What stands before the colon, and behind it.
    Arg(String, String),
}

/// Takes a format string apart.
fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                text.push(c);
            }
            '{' => {
                let inner: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let (name, spec) = inner.split_once(':').unwrap_or((&inner, ""));
                if spec.contains('$') || spec.contains('*') {
                    return Err(format!(
                        "the width and precision in `{{{inner}}}` must be numbers"
                    ));
                }
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Arg(name.trim().to_owned(), spec.trim().to_owned()));
            }
            '}' => return Err("a lone `}` in a format string is written `}}`".to_owned()),
            c => text.push(c),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// A piece of text in the tree.
pub fn text_part(text: &str) -> TokenStream {
    quote!(__cuprous::FormatPart::Text(#text))
}

impl Reader {
    /// The parts of a message.
    pub(super) fn message(&mut self, message: &mut Message) -> Vec<TokenStream> {
        let Some(first) = message.first() else {
            return Vec::new();
        };
        let literal = match literal(&first.value) {
            Some(literal) if first.name.is_none() => literal.clone(),
            _ => {
                self.refuse(
                    &first.value,
                    "a message begins with a format string in quotes",
                );
                return Vec::new();
            }
        };
        let pieces = match pieces(&literal.value()) {
            Ok(pieces) => pieces,
            Err(error) => {
                self.refuse(&literal, error);
                return Vec::new();
            }
        };
        let args: Vec<(Option<Ident>, TokenStream)> = message
            .iter_mut()
            .skip(1)
            .map(|arg| (arg.name.clone(), self.expr(&mut arg.value)))
            .collect();
        let mut next = 0;
        let mut parts = Vec::new();
        for piece in pieces {
            let (name, spec) = match piece {
                Piece::Text(text) => {
                    parts.push(text_part(&text));
                    continue;
                }
                Piece::Arg(name, spec) => (name, spec),
            };
            let index = if name.is_empty() {
                next += 1;
                Some(next - 1)
            } else {
                let named = args
                    .iter()
                    .position(|(n, _)| n.as_ref().is_some_and(|n| *n == name));
                name.parse().ok().or(named)
            };
            let value = match index {
                Some(index) => match args.get(index) {
                    Some((_, value)) => value.clone(),
                    // rustc counts the arguments of the body as written, and says so.
                    None => {
                        let span = Stretch::of(&literal);
                        quote!(__cuprous::Expr { kind: __cuprous::ExprKind::Tuple(&[]), span: #span })
                    }
                },
                None => self.captured(&name, &literal),
            };
            parts.push(quote!(__cuprous::FormatPart::Arg(&#value, #spec)));
        }
        parts
    }

    /// `{name}` without an argument of that name: a variable or a constant.
    fn captured(&mut self, name: &str, literal: &LitStr) -> TokenStream {
        if let Some(Binding::Local(local)) = self.scope.captured(name, literal.span()) {
            let local = local.clone();
            let span = Stretch::of(literal);
            return quote! {
                __cuprous::Expr { kind: __cuprous::ExprKind::Local(#local), span: #span }
            };
        }
        match syn::parse_str::<Ident>(name) {
            Ok(mut ident) => {
                ident.set_span(literal.span());
                self.expr(&mut syn::parse_quote!(#ident))
            }
            Err(_) => self.refuse(
                literal,
                format!("`{{{name}}}` names no variable: pass it as an argument"),
            ),
        }
    }
}

/// The string literal that an expression is.
fn literal(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text),
            _ => None,
        },
        Expr::Group(inner) => literal(&inner.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_string_falls_into_text_and_arguments() {
        let text = |t: &str| Piece::Text(t.into());
        let arg = |n: &str, s: &str| Piece::Arg(n.into(), s.into());
        assert_eq!(
            pieces("a {{{x:.3}}} {} {0:?}b").unwrap(),
            [
                text("a {"),
                arg("x", ".3"),
                text("} "),
                arg("", ""),
                text(" "),
                arg("0", "?"),
                text("b")
            ]
        );
        assert_eq!(pieces("").unwrap(), []);
        assert!(pieces("}").is_err());
        assert!(pieces("{:w$}").is_err());
    }
}
