//! Generic parameters and their bounds → `Generic`s, and what a name of one means at its uses.

use super::Reader;
use crate::scope::text;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{GenericParam, ParenthesizedGenericArguments, Path, PathArguments, Token, Type};
use syn::{TypeParamBound, WherePredicate};

/// What one generic parameter is.
enum Kind {
    Const,
    Type {
        bounds: Vec<String>,
        /// The signature, if it is a function.
        function: Option<ParenthesizedGenericArguments>,
    },
}

struct Generic {
    name: Ident,
    kind: Kind,
}

/// The generic parameters of a kernel, lifetimes left out.
#[derive(Default)]
pub struct Generics(Vec<Generic>);

/// Bounds that say what a type parameter is.
const TELLING: &[&str] = &[
    "Scalar", "Real", "Int", "Float", "PrimInt", "Copy", "Fn", "FnMut", "FnOnce", "Num", "Element",
];

impl Generics {
    /// The index of a const parameter.
    pub fn constant(&self, name: &Ident) -> Option<usize> {
        let found = |g: &Generic| g.name == *name && matches!(g.kind, Kind::Const);
        self.0.iter().position(found)
    }

    /// The index of a type parameter, and its signature if it is a function.
    pub fn ty(&self, name: &Ident) -> Option<(usize, Option<ParenthesizedGenericArguments>)> {
        self.0
            .iter()
            .enumerate()
            .find_map(|(index, g)| match &g.kind {
                Kind::Type { function, .. } if g.name == *name => Some((index, function.clone())),
                _ => None,
            })
    }

    /// The name of the first parameter that a type or path speaks of.
    pub fn mentioned(&self, ty: &Type) -> Option<String> {
        struct Find<'a>(&'a Generics, Option<String>);
        impl<'ast> Visit<'ast> for Find<'_> {
            fn visit_path(&mut self, path: &'ast Path) {
                let first = path.segments.first();
                if let Some(name) = first.map(|s| &s.ident)
                    && path.leading_colon.is_none()
                    && self.0.0.iter().any(|g| g.name == *name)
                {
                    self.1.get_or_insert(name.to_string());
                }
                syn::visit::visit_path(self, path);
            }
        }
        let mut find = Find(self, None);
        find.visit_type(ty);
        find.1
    }
}

impl Reader {
    /// Reads the parameters of `<…>` with their `where` clauses, and returns the list of `Generic`s.
    pub(super) fn generic(&mut self, generics: &syn::Generics) -> TokenStream {
        for param in &generics.params {
            match param {
                GenericParam::Lifetime(_) => {}
                GenericParam::Const(param) => {
                    let usize = matches!(&param.ty, Type::Path(ty) if ty.path.is_ident("usize"));
                    if !usize {
                        self.refuse(&param.ty, "a const parameter of a kernel is a `usize`");
                    }
                    let name = param.ident.clone();
                    self.generics.0.push(Generic {
                        name,
                        kind: Kind::Const,
                    });
                }
                GenericParam::Type(param) => {
                    let (bounds, function) = bounds(&param.bounds);
                    let name = param.ident.clone();
                    self.generics.0.push(Generic {
                        name,
                        kind: Kind::Type { bounds, function },
                    });
                }
            }
        }
        let clauses = generics.where_clause.iter().flat_map(|w| &w.predicates);
        for clause in clauses {
            if let WherePredicate::Type(clause) = clause
                && let Type::Path(ty) = &clause.bounded_ty
                && let Some(name) = ty.path.get_ident()
                && let Some(generic) = self.generics.0.iter_mut().find(|g| g.name == *name)
                && let Kind::Type {
                    bounds: known,
                    function,
                } = &mut generic.kind
            {
                let (more, signature) = bounds(&clause.bounds);
                known.extend(more);
                if signature.is_some() {
                    *function = signature;
                }
            }
        }
        self.unbounded();
        let rows = self.generics.0.iter().map(|generic| {
            let name = text(&generic.name);
            match &generic.kind {
                Kind::Const => quote!(__cuprous::Generic::Const { name: #name }),
                Kind::Type { bounds, .. } => quote! {
                    __cuprous::Generic::Type { name: #name, bounds: &[#(#bounds),*] }
                },
            }
        });
        quote!(&[#(#rows),*])
    }

    /// Refuses type parameters that could be anything.
    fn unbounded(&mut self) {
        let mut unbounded = Vec::new();
        for generic in &self.generics.0 {
            if let Kind::Type { bounds, .. } = &generic.kind
                && !bounds.iter().any(|b| TELLING.contains(&b.as_str()))
            {
                unbounded.push(generic.name.clone());
            }
        }
        for name in unbounded {
            let message = format!(
                "the type parameter `{name}` needs a bound that says what it is: `{name}: Scalar`, `{name}: Real` or `{name}: Int`"
            );
            self.refuse(name, message);
        }
    }
}

/// The names of bounds, and the signature among them.
fn bounds(
    bounds: &Punctuated<TypeParamBound, Token![+]>,
) -> (Vec<String>, Option<ParenthesizedGenericArguments>) {
    let mut names = Vec::new();
    let mut function = None;
    for bound in bounds {
        if let TypeParamBound::Trait(bound) = bound
            && let Some(last) = bound.path.segments.last()
        {
            names.push(text(&last.ident));
            if let PathArguments::Parenthesized(signature) = &last.arguments {
                function = Some(signature.clone());
            }
        }
    }
    (names, function)
}

/// The signature among the bounds of an `impl Fn(…)`.
pub fn function(
    of: &Punctuated<TypeParamBound, Token![+]>,
) -> Option<ParenthesizedGenericArguments> {
    bounds(of).1
}
