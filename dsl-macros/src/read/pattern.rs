//! Patterns → `Pattern`; binds what they bind.

use super::{Reader, option};
use crate::name::{Case, case};
use crate::refuse::form;
use crate::scope::{Binding, text};
use crate::source::Stretch;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Pat, PatIdent, PatTupleStruct, RangeLimits};

/// Where a pattern stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// It must match (`let`, a parameter): each name is a variable, whatever its case.
    Whole,
    /// It may fail (`match`, `if let`): a name in upper case is a constant.
    Test,
}

impl Reader {
    /// A pattern, whose variables are bound in the innermost scope.
    pub(super) fn pattern(&mut self, pat: &Pat, position: Position) -> TokenStream {
        let span = Stretch::of(pat);
        let kind = match pat {
            Pat::Paren(inner) => return self.pattern(&inner.pat, position),
            Pat::Wild(_) => quote!(__cuprous::PatternKind::Wild),
            Pat::Rest(_) => quote!(__cuprous::PatternKind::Rest),
            Pat::Ident(ident) => self.name_pattern(ident, position),
            Pat::Tuple(tuple) => {
                let members = self.patterns(&tuple.elems, position);
                quote!(__cuprous::PatternKind::Tuple(&[#(#members),*]))
            }
            Pat::Slice(slice) => {
                let members = self.patterns(&slice.elems, position);
                quote!(__cuprous::PatternKind::Array(&[#(#members),*]))
            }
            Pat::Or(or) => {
                let cases = self.patterns(&or.cases, position);
                quote!(__cuprous::PatternKind::Or(&[#(#cases),*]))
            }
            Pat::Reference(reference) => {
                if let Some(token) = &reference.mutability {
                    return self.refuse(token, form::REF_MUT);
                }
                let inner = self.pattern(&reference.pat, position);
                quote!(__cuprous::PatternKind::Ref(&#inner))
            }
            Pat::Lit(literal) => self.value_pattern(Expr::Lit(literal.clone())),
            Pat::Path(path) => match path.path.segments.last() {
                Some(last) if case(&last.ident) == Case::Capital && last.ident != "None" => {
                    return self.refuse(path, form::RECORD);
                }
                _ => self.value_pattern(Expr::Path(path.clone())),
            },
            Pat::Range(range) => {
                let low = range.start.as_deref().map(|e| self.expr(&mut e.clone()));
                let high = range.end.as_deref().map(|e| self.expr(&mut e.clone()));
                let (low, high) = (option(low), option(high));
                let inclusive = matches!(range.limits, RangeLimits::Closed(_));
                quote!(__cuprous::PatternKind::Range { low: #low, high: #high, inclusive: #inclusive })
            }
            Pat::TupleStruct(of) => match self.option_pattern(of, position) {
                Some(kind) => kind,
                None => return self.refuse(&of.path, form::RECORD),
            },
            Pat::Struct(of) => return self.refuse(&of.path, form::RECORD),
            Pat::Const(block) => return self.refuse(block, form::CONST_BLOCK),
            pat => return self.refuse(pat, form::PATTERN),
        };
        quote!(__cuprous::Pattern { kind: #kind, span: #span })
    }

    fn patterns<'a>(
        &mut self,
        pats: impl IntoIterator<Item = &'a Pat>,
        position: Position,
    ) -> Vec<TokenStream> {
        pats.into_iter()
            .map(|p| self.pattern(p, position))
            .collect()
    }

    fn name_pattern(&mut self, pat: &PatIdent, position: Position) -> TokenStream {
        let bare = pat.by_ref.is_none() && pat.mutability.is_none() && pat.subpat.is_none();
        if bare && position == Position::Test {
            if pat.ident == "None" {
                return quote!(__cuprous::PatternKind::None);
            }
            match case(&pat.ident) {
                Case::Upper => {
                    let name = &pat.ident;
                    return self.value_pattern(syn::parse_quote!(#name));
                }
                Case::Capital => return self.refuse(pat, form::RECORD),
                Case::Lower => {
                    if self.scope.get(&pat.ident) == Some(&Binding::Constant) {
                        return self.refuse(pat, form::LOWER_CONSTANT);
                    }
                    self.variables.push(pat.ident.clone());
                }
            }
        }
        if let (Some(by_ref), Some(_)) = (&pat.by_ref, &pat.mutability) {
            return self.refuse(by_ref, form::REF_MUT);
        }
        let inner = pat.subpat.as_ref();
        let inner = option(inner.map(|(_, p)| self.pattern(p, position)));
        let name = self.scope.bind(&pat.ident);
        let mutable = pat.mutability.is_some();
        quote!(__cuprous::PatternKind::Bind { name: #name, mutable: #mutable, inner: #inner })
    }

    fn value_pattern(&mut self, mut value: Expr) -> TokenStream {
        let value = self.expr(&mut value);
        quote!(__cuprous::PatternKind::Value(&#value))
    }

    /// `Some(p)`.
    fn option_pattern(&mut self, of: &PatTupleStruct, position: Position) -> Option<TokenStream> {
        let last = of.path.segments.last()?;
        let some = text(&last.ident) == "Some" && of.elems.len() == 1;
        let inner = self.pattern(of.elems.first().filter(|_| some)?, position);
        Some(quote!(__cuprous::PatternKind::Some(&#inner)))
    }
}
