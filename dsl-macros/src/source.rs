//! Spans of tokens → `Span` and `Source` of the surface tree.
//!
//! The lines of the whole function are embedded, so that a message can show the line that failed on a machine that has
//! no source. They are read from the file while the macro runs.

use crate::scope;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Ident, ItemFn};

/// A stretch of source: lines and columns count from 1, the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Stretch {
    /// From the first token of a node to its last.
    pub fn of(node: &impl ToTokens) -> Stretch {
        let mut spans = Vec::new();
        flatten(node.to_token_stream(), &mut spans);
        let first = spans.first().map_or_else(Span::call_site, |ends| ends.0);
        // In `v * t + $e` of a macro, what the caller wrote for `$e` stands somewhere else.
        let context = scope::context(first);
        let mut from_end = spans.iter().rev().map(|ends| ends.1);
        let last = from_end.find(|span| scope::context(*span) == context);
        Stretch::between(first, last.unwrap_or(first))
    }

    /// From the beginning of one span to the end of another.
    ///
    /// Tokens of a macro and of its caller may stand in different files, or in the other order; then it is the first
    /// span alone.
    pub fn between(first: Span, last: Span) -> Stretch {
        let (from, to) = (first.start(), last.end());
        let ordered = (to.line, to.column) >= (from.line, from.column);
        let to = if ordered && first.file() == last.file() {
            to
        } else {
            first.end()
        };
        Stretch {
            line: from.line,
            column: from.column + 1,
            end_line: to.line,
            end_column: to.column + 1,
        }
    }
}

impl From<Span> for Stretch {
    fn from(span: Span) -> Stretch {
        Stretch::between(span, span)
    }
}

impl ToTokens for Stretch {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let number = |n: usize| proc_macro2::Literal::u32_unsuffixed(n as u32);
        let (line, column) = (number(self.line), number(self.column));
        let (end_line, end_column) = (number(self.end_line), number(self.end_column));
        tokens.extend(quote! {
            __cuprous::Span { line: #line, column: #column, end_line: #end_line, end_column: #end_column }
        });
    }
}

/// Where each token begins and ends, looking through invisible groups; a group in brackets counts as one.
fn flatten(tokens: TokenStream, spans: &mut Vec<(Span, Span)>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flatten(group.stream(), spans);
            }
            TokenTree::Group(group) => spans.push((group.span_open(), group.span_close())),
            tree => spans.push((tree.span(), tree.span())),
        }
    }
}

/// The lines that a function covers.
pub struct Lines {
    file: String,
    first_line: usize,
    text: String,
    /// Whether `text` is what stands in the file.
    read: bool,
}

impl Lines {
    /// From the attribute (`outer`) or the function's first token to its closing brace.
    pub fn of(func: &ItemFn, outer: Span) -> Lines {
        let name = &func.sig.ident;
        let end = func.block.brace_token.span.close().end().line;
        let inner = Stretch::of(func).line;
        let file = name.span().file();
        // The attribute of a kernel made by a macro may stand in another file than the function.
        let first_line = if outer.file() == file && outer.start().line <= inner {
            outer.start().line.max(1)
        } else {
            inner
        };
        if let Some(text) = read(name) {
            let text: Vec<&str> = text
                .lines()
                .skip(first_line - 1)
                .take((end + 1).saturating_sub(first_line))
                .collect();
            if !text.is_empty() {
                let text = text.join("\n");
                return Lines {
                    file,
                    first_line,
                    text,
                    read: true,
                };
            }
        }
        let text = func.to_token_stream().to_string();
        Lines {
            file,
            first_line,
            text,
            read: false,
        }
    }

    /// What the user wrote between two tokens, with all white space made single; none if the file could not be read.
    pub fn between(&self, at: Stretch) -> Option<String> {
        let from = at.line.checked_sub(self.first_line).filter(|_| self.read)?;
        let to = at.end_line.checked_sub(self.first_line)?;
        let mut text = String::new();
        for (number, line) in self.text.lines().enumerate().take(to + 1).skip(from) {
            let start = if number == from { at.column - 1 } else { 0 };
            let stop = if number == to {
                at.end_column - 1
            } else {
                usize::MAX
            };
            text.extend(line.chars().take(stop).skip(start));
            text.push(' ');
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

impl ToTokens for Lines {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Lines { file, text, .. } = self;
        let first_line = proc_macro2::Literal::u32_unsuffixed(self.first_line as u32);
        tokens.extend(quote! {
            __cuprous::Source { file: #file, first_line: #first_line, text: #text }
        });
    }
}

/// The file in which a name stands. None unless the name is found at its place: the lines of a documentation test, for
/// instance, are not those of the file that it names.
fn read(name: &Ident) -> Option<String> {
    let text = std::fs::read_to_string(name.span().local_file()?).ok()?;
    let at = name.span().start();
    let line = text.lines().nth(at.line.checked_sub(1)?)?;
    let rest: String = line.chars().skip(at.column).collect();
    rest.starts_with(&name.to_string()).then_some(text)
}
