//! Patterns: what they bind, and the condition under which they match.

use super::env::{FALSE, TRUE};
use super::value::Value;
use super::{Code, Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Const, ScalarOp};
use crate::syntax::{ExprKind, Pattern, PatternKind, Scalar};
use std::rc::Rc;

/// The type of lengths and indices.
pub(super) const USIZE: Ty = Ty::Scalar(Scalar::Usize);
/// The type of conditions.
pub(super) const BOOL: Ty = Ty::Scalar(Scalar::Bool);

impl Lower {
    /// Binds the names of a pattern to the parts of a value that it matches.
    pub(super) fn bind_pattern(&mut self, pattern: &'static Pattern, value: &Value) -> R<()> {
        match &pattern.kind {
            PatternKind::Bind { name, inner, .. } => {
                let ty = self.frame.typed.pattern(pattern).clone();
                self.define(name, ty, value.clone());
                if let Some(inner) = inner {
                    self.bind_pattern(inner, value)?;
                }
                Ok(())
            }
            PatternKind::Tuple(patterns) | PatternKind::Array(patterns) => {
                for (pattern, value) in self.members(patterns, value)? {
                    self.bind_pattern(pattern, &value)?;
                }
                Ok(())
            }
            PatternKind::Ref(inner) => self.bind_pattern(inner, value),
            PatternKind::Some(inner) => {
                let value = match value {
                    Value::Option(_, value) => (**value).clone(),
                    _ => Value::Undef,
                };
                self.bind_pattern(inner, &value)
            }
            PatternKind::Or(patterns) => self.bind_either(patterns, value),
            PatternKind::Wild
            | PatternKind::Rest
            | PatternKind::Value(_)
            | PatternKind::Range { .. }
            | PatternKind::None => Ok(()),
        }
    }

    /// Alternatives that bind the same names: each name stands for what the first alternative that matches gives it.
    fn bind_either(&mut self, patterns: &'static [Pattern], value: &Value) -> R<()> {
        let mark = self.env.slots.len();
        let Some((first, rest)) = patterns.split_first() else {
            return Ok(());
        };
        self.bind_pattern(first, value)?;
        if self.env.slots.len() == mark {
            return Ok(());
        }
        let names: Vec<_> = self.env.slots.drain(mark..).collect();
        let ty = Ty::Tuple(names.iter().map(|slot| slot.ty.clone()).collect());
        let values = Value::Tuple(names.iter().map(|slot| slot.value.clone()).collect());
        let matches = self.test(first, value)?;
        let others = |lower: &mut Lower| {
            lower.bind_either(rest, value)?;
            let bound: Vec<_> = lower.env.slots.drain(mark..).collect();
            let find = |name| bound.iter().find(|slot| slot.name == name);
            Ok(Value::Tuple(
                names
                    .iter()
                    .map(|slot| find(slot.name).map_or(Value::Undef, |slot| slot.value.clone()))
                    .collect(),
            ))
        };
        let merged = if rest.is_empty() {
            values
        } else {
            self.branch(matches, &ty, |_| Ok(values), others)?
        };
        for (k, slot) in names.into_iter().enumerate() {
            let value = match &merged {
                Value::Tuple(members) => members[k].clone(),
                _ => Value::Undef,
            };
            self.define(slot.name, slot.ty, value);
        }
        Ok(())
    }

    /// The members of a tuple or array with the patterns that they are matched against.
    fn members(
        &mut self,
        patterns: &'static [Pattern],
        value: &Value,
    ) -> R<Vec<(&'static Pattern, Value)>> {
        let values: Rc<[Value]> = match value {
            Value::Tuple(values) | Value::Fixed(values) => values.clone(),
            Value::Undef => vec![Value::Undef; patterns.len()].into(),
            Value::Array(array) => {
                let Some(n) = array.dims[0].as_const() else {
                    return Err(self.mistake(
                        Code::Shape,
                        "a pattern needs a sequence whose length is part of its type",
                        "index the sequence instead, after a test of its length",
                    ));
                };
                let array = array.clone();
                (0..n.bits)
                    .map(|k| self.element(&array, &[Atom::size(k)]))
                    .collect::<R<_>>()?
            }
            _ => {
                return Err(self.mistake(
                    Code::Shape,
                    "this pattern does not fit the value",
                    "bind the whole value to a name and take it apart",
                ));
            }
        };
        let rest = patterns.iter().position(is_rest);
        let front = rest.unwrap_or(patterns.len());
        let skipped = match rest {
            Some(_) => (values.len() + 1).saturating_sub(patterns.len()),
            None => 0,
        };
        let mut pairs = vec![];
        for (k, pattern) in patterns.iter().enumerate() {
            if k != front {
                let at = if k < front { k } else { k + skipped - 1 };
                pairs.push((pattern, values.get(at).cloned().unwrap_or(Value::Undef)));
            }
        }
        Ok(pairs)
    }

    /// The condition under which a pattern matches a value.
    pub(super) fn test(&mut self, pattern: &'static Pattern, value: &Value) -> R<Atom> {
        match &pattern.kind {
            PatternKind::Wild | PatternKind::Rest => Ok(TRUE),
            PatternKind::Bind { inner, .. } => match inner {
                Some(inner) => self.test(inner, value),
                None => Ok(TRUE),
            },
            PatternKind::Ref(inner) => self.test(inner, value),
            PatternKind::Tuple(patterns) | PatternKind::Array(patterns) => {
                let mut all = TRUE;
                for (pattern, value) in self.members(patterns, value)? {
                    let one = self.test(pattern, &value)?;
                    all = self.and(all, one);
                }
                Ok(all)
            }
            PatternKind::Or(patterns) => {
                let mut any = FALSE;
                for pattern in *patterns {
                    let one = self.test(pattern, value)?;
                    any = self.or(any, one);
                }
                Ok(any)
            }
            PatternKind::Some(inner) => {
                let (some, value) = match value {
                    Value::Option(some, value) => (*some, value.clone()),
                    _ => (FALSE, Rc::new(Value::Undef)),
                };
                let inside = self.test(inner, &value)?;
                Ok(self.and(some, inside))
            }
            PatternKind::None => match value {
                Value::Option(some, _) => Ok(self.not(*some)),
                _ => Ok(TRUE),
            },
            PatternKind::Value(expr) => {
                // An `Ordering` is matched by the name of its variant.
                if let ExprKind::Constant(name, _) | ExprKind::AssocConst(_, name) = &expr.kind
                    && let Some(sign) = ordering(name)
                {
                    let atom = self.atom(value, &Ty::Ordering)?;
                    return Ok(self.op(ScalarOp::Eq, &[atom, Const::i8(sign).into()]));
                }
                let ty = self.ty(expr);
                let expected = self.expr(expr)?;
                self.equal(value, &expected, &ty)
            }
            PatternKind::Range {
                low,
                high,
                inclusive,
            } => {
                let mut inside = TRUE;
                let ends = [
                    (low, ScalarOp::Ge),
                    (
                        high,
                        if *inclusive {
                            ScalarOp::Le
                        } else {
                            ScalarOp::Lt
                        },
                    ),
                ];
                for (end, op) in ends {
                    if let Some(end) = end {
                        let ty = self.ty(end);
                        let atom = self.atom(value, &ty)?;
                        let end = self.scalar(end)?;
                        let one = self.op(op, &[atom, end]);
                        inside = self.and(inside, one);
                    }
                }
                Ok(inside)
            }
        }
    }

    /// `a == b` for values of any type that has it.
    pub(super) fn equal(&mut self, a: &Value, b: &Value, ty: &Ty) -> R<Atom> {
        match (a, b, ty) {
            (Value::Tuple(left), Value::Tuple(right), Ty::Tuple(types)) => {
                let mut all = TRUE;
                for ((a, b), ty) in left.iter().zip(right.iter()).zip(types) {
                    let one = self.equal(a, b, ty)?;
                    all = self.and(all, one);
                }
                Ok(all)
            }
            (Value::Fixed(left), Value::Fixed(right), Ty::Array(inner, _)) => {
                let mut all = TRUE;
                for (a, b) in left.iter().zip(right.iter()) {
                    let one = self.equal(a, b, inner)?;
                    all = self.and(all, one);
                }
                Ok(all)
            }
            (Value::Option(some, left), Value::Option(other, right), Ty::Option(inner)) => {
                let alike = self.op(ScalarOp::Eq, &[*some, *other]);
                let none = self.not(*some);
                let inside = match (&**left, &**right) {
                    (Value::Undef, _) | (_, Value::Undef) => TRUE,
                    (left, right) => self.equal(left, right, inner)?,
                };
                let inside = self.or(none, inside);
                Ok(self.and(alike, inside))
            }
            (Value::Range(_), ..) => Err(self.mistake(
                Code::Missing,
                "ranges cannot be compared in kernels",
                "compare their ends",
            )),
            (_, _, Ty::Array(..) | Ty::Seq(_) | Ty::Nd(..)) => self.equal_arrays(a, b, ty),
            _ => {
                let a = self.atom(a, ty)?;
                let b = self.atom(b, ty)?;
                Ok(self.op(ScalarOp::Eq, &[a, b]))
            }
        }
    }

    fn equal_arrays(&mut self, a: &Value, b: &Value, ty: &Ty) -> R<Atom> {
        let a = self.array(a, ty)?;
        let b = self.array(b, ty)?;
        let mut same = TRUE;
        for (&m, &n) in a.dims.iter().zip(&b.dims) {
            let one = self.op(ScalarOp::Eq, &[m, n]);
            same = self.and(same, one);
        }
        let value = self.branch(
            same,
            &BOOL,
            |lower| {
                let all = lower.all_indices(&a.dims.clone(), &|lower, at| {
                    let (x, y) = (lower.element(&a, at)?, lower.element(&b, at)?);
                    lower.equal(&x, &y, &a.elem)
                })?;
                Ok(Value::Scalar(all))
            },
            |_| Ok(Value::Scalar(FALSE)),
        )?;
        self.atom(&value, &BOOL)
    }
}

fn is_rest(pattern: &Pattern) -> bool {
    match pattern.kind {
        PatternKind::Rest => true,
        PatternKind::Bind {
            inner: Some(inner), ..
        } => is_rest(inner),
        _ => false,
    }
}

/// The sign that stands for a variant of `Ordering`, by the end of its path.
pub(super) fn ordering(name: &str) -> Option<i8> {
    match name.rsplit("::").next().unwrap_or(name).trim() {
        "Less" => Some(-1),
        "Equal" => Some(0),
        "Greater" => Some(1),
        _ => None,
    }
}
