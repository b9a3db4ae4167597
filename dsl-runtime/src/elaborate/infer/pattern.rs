//! Patterns: what they match gets a type, and the names that they bind come into scope.

use super::unify::{Id, Node};
use super::{Checked, Code, Infer};
use crate::syntax::{Pattern, PatternKind};

impl Infer {
    /// Matches a pattern against a value of this type.
    pub(super) fn pattern(&mut self, pattern: &'static Pattern, ty: Id) -> Checked<()> {
        self.patterns.push((pattern, ty));
        match &pattern.kind {
            PatternKind::Wild | PatternKind::Rest => {}
            PatternKind::Bind { name, inner, .. } => {
                self.scope.push((name, ty));
                if let Some(inner) = inner {
                    self.pattern(inner, ty)?;
                }
            }
            PatternKind::Ref(inner) => self.pattern(inner, ty)?,
            PatternKind::Tuple(members) => self.tuple_pattern(pattern, members, ty)?,
            PatternKind::Array(members) => self.array_pattern(pattern, members, ty)?,
            PatternKind::Value(value) => {
                let value_ty = self.expr(value, Some(ty))?;
                self.coerce(value_ty, ty, value.span)?;
            }
            PatternKind::Range { low, high, .. } => {
                for end in [low, high].into_iter().flatten() {
                    let end_ty = self.expr(end, Some(ty))?;
                    self.unify(end_ty, ty, end.span)?;
                }
            }
            PatternKind::Or(alternatives) => self.alternatives(alternatives, ty)?,
            PatternKind::Some(inner) => {
                let of = self.types.any();
                let option = self.add(Node::Option(of));
                self.unify(ty, option, pattern.span)?;
                self.pattern(inner, of)?;
            }
            PatternKind::None => {
                let of = self.types.any();
                let option = self.add(Node::Option(of));
                self.unify(ty, option, pattern.span)?;
            }
        }
        Ok(())
    }

    fn tuple_pattern(
        &mut self,
        pattern: &'static Pattern,
        members: &'static [Pattern],
        ty: Id,
    ) -> Checked<()> {
        let rest = members.iter().position(is_rest);
        let types = match rest {
            None => {
                let types: Vec<_> = members.iter().map(|_| self.types.any()).collect();
                let tuple = self.add(Node::Tuple(types.clone()));
                self.unify(ty, tuple, pattern.span)?;
                types
            }
            Some(_) => {
                let known = self.known(ty)?;
                match self.types.get(known) {
                    Node::Tuple(types) if types.len() + 1 >= members.len() => types.clone(),
                    Node::Var(_) => return Err(self.unknown(ty, pattern.span)),
                    _ => {
                        let found = self.types.spell(ty);
                        return Err(self.mistake(
                            Code::Mismatch,
                            pattern.span,
                            format!(
                                "a tuple pattern of at least {} members on `{found}`",
                                members.len() - 1
                            ),
                            "match as many members as the value has",
                        ));
                    }
                }
            }
        };
        let front = rest.unwrap_or(members.len());
        for (member, ty) in members.iter().zip(types.iter().take(front)) {
            self.pattern(member, *ty)?;
        }
        if let Some(rest) = rest {
            let behind = &members[rest + 1..];
            let skip = types.len() - behind.len();
            for (member, ty) in behind.iter().zip(&types[skip..]) {
                self.pattern(member, *ty)?;
            }
        }
        Ok(())
    }

    fn array_pattern(
        &mut self,
        pattern: &'static Pattern,
        members: &'static [Pattern],
        ty: Id,
    ) -> Checked<()> {
        let rest = members.iter().any(is_rest);
        let known = self.known(ty)?;
        let (element, len) = match self.types.get(known) {
            Node::Seq(element) | Node::Nd(1, element) => (*element, None),
            Node::Array(element, len) => (*element, Some(*len)),
            _ => {
                let element = self.types.any();
                let len = self.types.any();
                let array = self.add(Node::Array(element, len));
                self.unify(ty, array, pattern.span)?;
                (element, Some(len))
            }
        };
        if let (Some(len), false) = (len, rest) {
            let written = self.add(Node::Len(members.len()));
            self.unify(written, len, pattern.span)?;
        }
        for member in members {
            let is_rest = is_rest(member);
            let ty = match (is_rest, len) {
                (false, _) => element,
                (true, None) => self.seq(element),
                (true, Some(len)) => {
                    let left = self.types.len(len).unwrap_or(0) + 1;
                    self.fixed(element, left.saturating_sub(members.len()))
                }
            };
            self.pattern(member, ty)?;
        }
        Ok(())
    }

    /// `a | b`: each alternative binds the same names to the same types.
    fn alternatives(&mut self, alternatives: &'static [Pattern], ty: Id) -> Checked<()> {
        let mark = self.scope.len();
        let mut first: Option<usize> = None;
        for alternative in alternatives {
            let begin = self.scope.len();
            self.pattern(alternative, ty)?;
            match first {
                None => first = Some(self.scope.len()),
                Some(end) => {
                    for i in begin..self.scope.len() {
                        let (name, found) = self.scope[i];
                        let same = self.scope[mark..end].iter().find(|(n, _)| *n == name);
                        if let Some(&(_, expected)) = same {
                            self.unify(found, expected, alternative.span)?;
                        }
                    }
                    self.scope.truncate(end);
                }
            }
        }
        Ok(())
    }
}

/// `..` or `name @ ..`.
fn is_rest(pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Rest => true,
        PatternKind::Bind {
            inner: Some(inner), ..
        } => is_rest(inner),
        PatternKind::Ref(inner) => is_rest(inner),
        _ => false,
    }
}
