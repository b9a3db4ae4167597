//! Names → what they are bound to, lexically.
//!
//! Two names that read the same are different variables if one of them was written by a `macro_rules!` and the other by
//! its caller. The surface tree knows names by their text alone, so the later of such a pair gets a name of its own.

use proc_macro2::{Ident, Span, TokenStream};

/// What a single name is bound to inside a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A variable: its name in the tree.
    Local(String),
    /// A `const` item inside the function.
    Constant,
}

struct Entry {
    text: String,
    context: Option<u32>,
    binding: Binding,
}

/// The scopes that are open.
#[derive(Default)]
pub struct Scope {
    entries: Vec<Entry>,
    /// The `const` items of each open block that has any.
    constants: Vec<TokenStream>,
}

/// Where to return to when a scope closes.
#[derive(Clone, Copy)]
pub struct Mark(usize, usize);

impl Scope {
    /// Opens a scope.
    pub fn open(&self) -> Mark {
        Mark(self.entries.len(), self.constants.len())
    }

    /// Closes it.
    pub fn close(&mut self, mark: Mark) {
        self.entries.truncate(mark.0);
        self.constants.truncate(mark.1);
    }

    /// Binds a variable and returns its name in the tree.
    pub fn bind(&mut self, name: &Ident) -> String {
        let text = text(name);
        let context = context(name.span());
        let twin = self
            .entries
            .iter()
            .any(|e| e.text == text && e.context != context);
        let own = match context {
            Some(context) if twin => format!("{text}#{context}"),
            _ => text.clone(),
        };
        self.entries.push(Entry {
            text,
            context,
            binding: Binding::Local(own.clone()),
        });
        own
    }

    /// Adds the `const` items of a block: their names, and the items themselves.
    pub fn constants<'a>(&mut self, names: impl Iterator<Item = &'a Ident>, items: TokenStream) {
        for name in names {
            self.entries.push(Entry {
                text: text(name),
                context: None,
                binding: Binding::Constant,
            });
        }
        self.constants.push(items);
    }

    /// What a name is bound to.
    pub fn get(&self, name: &Ident) -> Option<&Binding> {
        self.lookup(&text(name), context(name.span()))
    }

    /// What a name inside a string literal is bound to.
    pub fn captured(&self, name: &str, literal: Span) -> Option<&Binding> {
        self.lookup(name, context(literal))
    }

    /// Whether a variable reads like this, of whatever hygiene.
    pub fn reads_like(&self, name: &Ident) -> bool {
        let text = text(name);
        self.entries.iter().any(|e| e.text == text)
    }

    fn lookup(&self, text: &str, context: Option<u32>) -> Option<&Binding> {
        let found = self.entries.iter().rev().find(|e| {
            let item = e.binding == Binding::Constant;
            e.text == text && (item || e.context == context)
        });
        found.map(|e| &e.binding)
    }

    /// An expression with all `const` items around it in scope.
    pub fn enclose(&self, expr: TokenStream) -> TokenStream {
        self.constants
            .iter()
            .rev()
            .fold(expr, |inner, items| quote::quote!({ #items #inner }))
    }
}

/// A name without the `r#` of a raw one.
pub fn text(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// The hygiene of a span: which expansion wrote it. The compiler tells it in a span's `Debug` form alone, as
/// `#3 bytes(…)`; where it does not, all names are of one context.
pub fn context(span: Span) -> Option<u32> {
    let text = format!("{span:?}");
    let digits = text.strip_prefix('#')?;
    digits.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn ident(name: &str) -> Ident {
        Ident::new(name, Span::call_site())
    }

    #[test]
    fn an_inner_binding_ends_with_its_scope() {
        let mut scope = Scope::default();
        assert_eq!(scope.bind(&ident("x")), "x");
        let mark = scope.open();
        scope.constants(
            [ident("K")].iter(),
            quote!(
                const K: u32 = 1;
            ),
        );
        scope.bind(&ident("y"));
        assert_eq!(scope.get(&ident("K")), Some(&Binding::Constant));
        assert_eq!(
            scope.enclose(quote!(K)).to_string(),
            quote!({
                const K: u32 = 1;
                K
            })
            .to_string()
        );
        scope.close(mark);
        assert_eq!(scope.get(&ident("y")), None);
        assert_eq!(scope.get(&ident("K")), None);
        assert_eq!(scope.get(&ident("x")), Some(&Binding::Local("x".into())));
        assert_eq!(scope.enclose(quote!(K)).to_string(), "K");
    }

    #[test]
    fn a_raw_name_is_its_text() {
        let mut scope = Scope::default();
        assert_eq!(
            scope.bind(&Ident::new_raw("type", Span::call_site())),
            "type"
        );
    }
}
