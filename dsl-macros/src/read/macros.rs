//! The macros that a kernel may call → their meaning; their arguments are read like any expression.

use super::format::{Message, text_part};
use super::{Reader, option};
use crate::refuse::of_macro;
use crate::scope::text;
use crate::source::Stretch;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprRange, Macro, Pat, RangeLimits, Token};

/// A macro's reader: takes it, leaves the plain form's arguments in it, returns the kind of the expression.
type Read = fn(&mut Reader, &mut Macro) -> syn::Result<TokenStream>;

const KNOWN: &[(&str, Read)] = &[
    ("assert", assert),
    ("debug_assert", assert),
    ("assert_eq", |r, m| compare(r, m, "==")),
    ("debug_assert_eq", |r, m| compare(r, m, "==")),
    ("assert_ne", |r, m| compare(r, m, "!=")),
    ("debug_assert_ne", |r, m| compare(r, m, "!=")),
    ("panic", |r, m| panic(r, m, "explicit panic", "")),
    ("unreachable", |r, m| {
        panic(
            r,
            m,
            "internal error: entered unreachable code",
            "internal error: entered unreachable code: ",
        )
    }),
    ("unimplemented", |r, m| {
        panic(r, m, "not implemented", "not implemented: ")
    }),
    ("vec", vec),
    ("s", slice),
    ("matches", matches),
];

impl Reader {
    /// A macro call in the place of an expression or statement.
    pub(super) fn macro_call(&mut self, call: &mut Macro) -> TokenStream {
        let name = call
            .path
            .segments
            .last()
            .map(|s| text(&s.ident))
            .unwrap_or_default();
        match KNOWN.iter().find(|(known, _)| *known == name) {
            Some((_, read)) => match read(self, call) {
                Ok(kind) => kind,
                Err(error) => {
                    self.errors.push(error);
                    TokenStream::new()
                }
            },
            None => self.refuse(&call.path, of_macro(&name)),
        }
    }
}

fn comma(input: ParseStream) -> syn::Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// A condition or two values, then a message.
struct Checked<const N: usize> {
    values: Vec<Expr>,
    message: Message,
}

impl<const N: usize> Parse for Checked<N> {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut values = Vec::new();
        for _ in 0..N {
            values.push(input.parse()?);
            comma(input)?;
        }
        Ok(Checked {
            values,
            message: Message::parse_terminated(input)?,
        })
    }
}

impl<const N: usize> ToTokens for Checked<N> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Checked { values, message } = self;
        match message.is_empty() {
            true => tokens.extend(quote!(#(#values),*)),
            false => tokens.extend(quote!(#(#values,)* #message)),
        }
    }
}

fn assert(reader: &mut Reader, call: &mut Macro) -> syn::Result<TokenStream> {
    let mut checked: Checked<1> = call.parse_body()?;
    let shown = reader
        .lines
        .between(Stretch::of(&checked.values[0]))
        .unwrap_or_else(|| checked.values[0].to_token_stream().to_string());
    let cond = reader.expr(&mut checked.values[0]);
    let mut parts = reader.message(&mut checked.message);
    if checked.message.is_empty() {
        parts.push(text_part(&format!("assertion failed: {shown}")));
    }
    call.tokens = checked.to_token_stream();
    Ok(quote! {
        __cuprous::ExprKind::Assert { cond: &#cond, message: __cuprous::Format(&[#(#parts),*]) }
    })
}

fn compare(reader: &mut Reader, call: &mut Macro, op: &str) -> syn::Result<TokenStream> {
    let mut checked: Checked<2> = call.parse_body()?;
    let span = Stretch::of(&checked.values[0]);
    let values = reader.exprs(&mut checked.values);
    let (left, right) = (&values[0], &values[1]);
    let message = reader.message(&mut checked.message);
    let colon = if message.is_empty() { "" } else { ": " };
    let mut parts = vec![text_part(&format!(
        "assertion `left {op} right` failed{colon}"
    ))];
    parts.extend(message);
    parts.push(text_part("\n  left: "));
    parts.push(quote!(__cuprous::FormatPart::Arg(&#left, "?")));
    parts.push(text_part("\n right: "));
    parts.push(quote!(__cuprous::FormatPart::Arg(&#right, "?")));
    let operator = quote::format_ident!("{}", if op == "==" { "Eq" } else { "Ne" });
    call.tokens = checked.to_token_stream();
    Ok(quote! {
        __cuprous::ExprKind::Assert {
            cond: &__cuprous::Expr {
                kind: __cuprous::ExprKind::Binary(__cuprous::Binary::#operator, &#left, &#right),
                span: #span,
            },
            message: __cuprous::Format(&[#(#parts),*]),
        }
    })
}

fn panic(
    reader: &mut Reader,
    call: &mut Macro,
    bare: &str,
    prefix: &str,
) -> syn::Result<TokenStream> {
    let mut checked: Checked<0> = call.parse_body()?;
    let mut parts = reader.message(&mut checked.message);
    if checked.message.is_empty() {
        parts.push(text_part(bare));
    } else if !prefix.is_empty() {
        parts.insert(0, text_part(prefix));
    }
    call.tokens = checked.to_token_stream();
    Ok(quote!(__cuprous::ExprKind::Panic(__cuprous::Format(&[#(#parts),*]))))
}

fn vec(reader: &mut Reader, call: &mut Macro) -> syn::Result<TokenStream> {
    let parse = |input: ParseStream| -> syn::Result<(Punctuated<Expr, Token![,]>, Option<Expr>)> {
        let mut members = Punctuated::new();
        while !input.is_empty() {
            members.push_value(input.parse()?);
            if members.len() == 1 && input.peek(Token![;]) {
                input.parse::<Token![;]>()?;
                return Ok((members, Some(input.parse()?)));
            }
            if !input.is_empty() {
                members.push_punct(input.parse()?);
            }
        }
        Ok((members, None))
    };
    let (mut members, mut count) = parse.parse2(call.tokens.clone())?;
    let values = reader.exprs(&mut members);
    Ok(match &mut count {
        Some(count) => {
            let (value, length) = (&values[0], reader.expr(count));
            call.tokens = quote!(#members; #count);
            quote!(__cuprous::ExprKind::VecRepeat(&#value, &#length))
        }
        None => {
            call.tokens = members.into_token_stream();
            quote!(__cuprous::ExprKind::Vec(&[#(#values),*]))
        }
    })
}

/// One dimension of `s![…]`: an index or a range, and a step.
struct Dimension {
    range: Expr,
    step: Option<(Token![;], Expr)>,
}

impl Parse for Dimension {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let range = input.parse()?;
        let step = match input.peek(Token![;]) {
            true => Some((input.parse()?, input.parse()?)),
            false => None,
        };
        Ok(Dimension { range, step })
    }
}

impl ToTokens for Dimension {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.range.to_tokens(tokens);
        if let Some((semicolon, step)) = &self.step {
            tokens.extend(quote!(#semicolon #step));
        }
    }
}

fn slice(reader: &mut Reader, call: &mut Macro) -> syn::Result<TokenStream> {
    let parse = Punctuated::<Dimension, Token![,]>::parse_terminated;
    let mut dimensions = parse.parse2(call.tokens.clone())?;
    let mut members = Vec::new();
    for Dimension { range, step } in &mut dimensions {
        let step = step.as_mut().map(|(_, step)| reader.expr(step));
        members.push(match (range, step) {
            (Expr::Range(ExprRange { start, limits, end, .. }), step) => {
                let low = reader.maybe(start);
                let high = reader.maybe(end);
                let inclusive = matches!(limits, RangeLimits::Closed(_));
                let step = option(step);
                quote! {
                    __cuprous::SliceDim::Range { low: #low, high: #high, inclusive: #inclusive, step: #step }
                }
            }
            (index, None) => {
                let index = reader.expr(index);
                quote!(__cuprous::SliceDim::At(&#index))
            }
            (index, Some(_)) => reader.refuse(index, "a step belongs to a range: `a..b;2`"),
        });
    }
    call.tokens = dimensions.into_token_stream();
    Ok(quote!(__cuprous::ExprKind::Slice(&[#(#members),*])))
}

/// The arguments of `matches!`.
struct Matched {
    value: Expr,
    pattern: Pat,
    guard: Option<(Token![if], Expr)>,
}

impl Parse for Matched {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let value = input.parse()?;
        input.parse::<Token![,]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let guard = match input.peek(Token![if]) {
            true => Some((input.parse()?, input.parse()?)),
            false => None,
        };
        comma(input)?;
        Ok(Matched {
            value,
            pattern,
            guard,
        })
    }
}

/// `matches!(x, p if g)` is `match x { p if g => true, _ => false }`.
fn matches(reader: &mut Reader, call: &mut Macro) -> syn::Result<TokenStream> {
    let Matched {
        mut value,
        pattern,
        mut guard,
    } = call.parse_body()?;
    let span = Stretch::of(&*call);
    let tree = reader.expr(&mut value);
    let truth = |value: bool| quote!(__cuprous::Expr { kind: __cuprous::ExprKind::Bool(#value), span: #span });
    let mark = reader.scope.open();
    let shape = reader.pattern(&pattern, super::pattern::Position::Test);
    let test = option(guard.as_mut().map(|(_, guard)| reader.expr(guard)));
    reader.scope.close(mark);
    let guard = guard.map(|(token, guard)| quote!(#token #guard));
    call.tokens = quote!(#value, #pattern #guard);
    let (yes, no) = (truth(true), truth(false));
    Ok(quote! {
        __cuprous::ExprKind::Match(&#tree, &[
            __cuprous::Arm { pattern: #shape, guard: #test, body: &#yes },
            __cuprous::Arm {
                pattern: __cuprous::Pattern { kind: __cuprous::PatternKind::Wild, span: #span },
                guard: ::core::option::Option::None,
                body: &#no,
            },
        ])
    })
}
