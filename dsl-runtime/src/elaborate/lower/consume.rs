//! What consumes an iterator: searches, which stop where looking further could fail; folds, one item after the other;
//! sums and extremes, which are reductions in the canonical order.

use super::env::{FALSE, TRUE};
use super::iterator::always;
use super::pattern::USIZE;
use super::place::element_type;
use super::value::{Closure, Iter, Value};
use super::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, ScalarOp, ScalarType};
use crate::syntax::{Callee, Expr, ExprKind as K, PatternKind as P};
use std::collections::BTreeSet;
use std::rc::Rc;

impl Lower {
    pub(super) fn sum_items(&mut self, method: Method, iter: &Rc<Iter>) -> R<Value> {
        let (op, start) = match method {
            Method::Sum => (ScalarOp::Add, 0),
            _ => (ScalarOp::Mul, 1),
        };
        let start = self.number(start, &iter.elem);
        // Where items are left out, the order of a float sum is that of the items that remain.
        let iter = if self.elem(start).is_float() {
            self.exact(iter)?
        } else {
            iter.clone()
        };
        self.reduce_items(op, &iter, start).map(Value::Scalar)
    }

    /// The first round whose item has a property; `u64::MAX` if none has. It looks no further than it must where looking
    /// could fail.
    pub(super) fn first_round(
        &mut self,
        iter: &Rc<Iter>,
        test: &dyn Fn(&mut Lower, &Value) -> R<Atom>,
    ) -> R<Atom> {
        let holds = |lower: &mut Lower, at: Atom| -> R<Atom> {
            let item = iter.round(lower, at)?;
            let value = item.value;
            lower.and_then(item.keep.unwrap_or(TRUE), |lower| test(lower, &value))
        };
        let fails = self.round_fails(&holds)?;
        let none = Atom::size(u64::MAX);
        if !fails && iter.len != Iter::ENDLESS {
            return self.reduce_op(ScalarOp::Min, iter.len, none, &|lower, at| {
                let holds = holds(lower, at)?;
                Ok(lower.op(ScalarOp::Select, &[holds, at, none]))
            });
        }
        let mark = self.env.slots.len();
        let found = self.define("", USIZE, Value::Scalar(none));
        let stop = self.define("", super::pattern::BOOL, Value::Scalar(FALSE));
        let every = Iter {
            len: iter.len,
            elem: USIZE,
            filtered: false,
            item: Rc::new(|_, at| always(Value::Scalar(at))),
        };
        self.each_item(
            &every,
            &BTreeSet::from([found]),
            Some(stop),
            &|lower, _, at| {
                let holds = holds(lower, at)?;
                let next = lower.op(ScalarOp::Select, &[holds, at, none]);
                lower.set(found, Value::Scalar(next));
                lower.set(stop, Value::Scalar(holds));
                Ok(())
            },
        )?;
        let found = self.flag(found);
        self.env.slots.truncate(mark);
        Ok(found)
    }

    pub(super) fn search(
        &mut self,
        method: Method,
        iter: &Rc<Iter>,
        f: &Value,
        result: &Ty,
    ) -> R<Value> {
        let none = Atom::size(u64::MAX);
        // Positions count the items, not the rounds.
        let iter = match method {
            Method::Position => self.exact(iter)?,
            _ => iter.clone(),
        };
        if method == Method::FindMap {
            let elem = element_type(result);
            let option = Ty::Option(Box::new(elem.clone()));
            let (g, ty) = (f.clone(), option.clone());
            let mapped = Self::adapt(&iter, option.clone(), false, move |lower, item| {
                lower.made(item, &ty, |lower, value| lower.apply(&g, vec![value]))
            });
            let mapped = self.iterate(&mapped, &Ty::Iter(Box::new(option.clone())))?;
            let at = self.first_round(&mapped, &|lower, value| match value {
                Value::Option(some, _) => Ok(*some),
                _ => Ok(lower.not(TRUE)),
            })?;
            let some = self.op(ScalarOp::Ne, &[at, none]);
            return self.optional(some, &elem, |lower| {
                Ok(match mapped.round(lower, at)?.value {
                    Value::Option(_, value) => (*value).clone(),
                    _ => Value::Undef,
                })
            });
        }
        let test = self.predicate(f);
        let inverted = method == Method::All;
        if matches!(method, Method::Any | Method::All) {
            let (op, neutral) = if inverted {
                (ScalarOp::And, TRUE)
            } else {
                (ScalarOp::Or, FALSE)
            };
            let holds = |lower: &mut Lower, at: Atom| -> R<Atom> {
                let item = iter.round(lower, at)?;
                let Some(keep) = item.keep else {
                    return test(lower, &item.value);
                };
                let value = lower.branch(
                    keep,
                    &super::pattern::BOOL,
                    |lower| Ok(Value::Scalar(test(lower, &item.value)?)),
                    |_| Ok(Value::Scalar(neutral)),
                )?;
                lower.atom(&value, &super::pattern::BOOL)
            };
            if iter.len != Iter::ENDLESS && !self.round_fails(&holds)? {
                return self
                    .reduce_op(op, iter.len, neutral, &holds)
                    .map(Value::Scalar);
            }
        }
        let at = self.first_round(&iter, &|lower, value| {
            let holds = test(lower, value)?;
            Ok(if inverted { lower.not(holds) } else { holds })
        })?;
        let some = self.op(ScalarOp::Ne, &[at, none]);
        match method {
            Method::Any => Ok(Value::Scalar(some)),
            Method::All => Ok(Value::Scalar(self.not(some))),
            Method::Position => Ok(Value::Option(some, Rc::new(Value::Scalar(at)))),
            _ => {
                let elem = iter.elem.clone();
                self.optional(some, &elem, |lower| Ok(iter.round(lower, at)?.value))
            }
        }
    }

    /// Whether a round of this could fail.
    pub(super) fn round_fails<T>(&mut self, round: &dyn Fn(&mut Lower, Atom) -> R<T>) -> R<bool> {
        let (_, fails) = self.rehearse(|lower| {
            let at = lower.var("i", crate::ir::Type::index());
            round(lower, at.into())
        })?;
        Ok(fails)
    }

    /// `fold`: by definition one item after the other.
    pub(super) fn fold(&mut self, iter: &Rc<Iter>, start: &Value, ty: &Ty, f: &Value) -> R<Value> {
        let mark = self.env.slots.len();
        let slot = self.define("", ty.clone(), start.clone());
        self.each_item(iter, &BTreeSet::from([slot]), None, &|lower, value, _| {
            let old = lower.env.slots[slot].value.clone();
            let next = lower.apply(f, vec![old, value])?;
            lower.set(slot, next);
            Ok(())
        })?;
        let value = self.env.slots[slot].value.clone();
        self.env.slots.truncate(mark);
        Ok(value)
    }

    /// The combination of all items, if there is one: a reduction over pairs of "is there one" and the item.
    pub(super) fn reduce_option(
        &mut self,
        iter: &Rc<Iter>,
        f: &dyn Fn(&mut Lower, Value, Value) -> R<Value>,
    ) -> R<Value> {
        let elem = iter.elem.clone();
        let option = Ty::Option(Box::new(elem.clone()));
        let combine = |lower: &mut Lower, a: Value, b: Value| -> R<Value> {
            let (Value::Option(has_a, x), Value::Option(has_b, y)) = (a, b) else {
                return Ok(Value::none());
            };
            let both = lower.and(has_a, has_b);
            let (left, right) = ((*x).clone(), (*y).clone());
            let value = lower.branch(
                both,
                &elem,
                |lower| f(lower, left.clone(), right.clone()),
                |lower| lower.branch(has_a, &elem, |_| Ok((*x).clone()), |_| Ok((*y).clone())),
            )?;
            Ok(Value::Option(lower.or(has_a, has_b), Rc::new(value)))
        };
        self.reduce_values(iter.len, &Value::none(), &option, &combine, &|lower, at| {
            let item = iter.round(lower, at)?;
            Ok(Value::Option(
                item.keep.unwrap_or(TRUE),
                Rc::new(item.value),
            ))
        })
    }

    /// `min`, `max_by`, `min_by_key`, …: of equal items, the first for a minimum and the last for a maximum.
    pub(super) fn extreme_item(
        &mut self,
        method: Method,
        iter: &Rc<Iter>,
        f: Option<&Value>,
        f_ty: Option<&Ty>,
    ) -> R<Value> {
        use Method as M;
        let minimum = matches!(method, M::MinItem | M::MinBy | M::MinByKey);
        let total = f.is_some_and(|f| self.is_total_cmp(f));
        if let Ty::Scalar(_) = iter.elem
            && (matches!(method, M::MinItem | M::MaxItem) || total)
        {
            return self.extreme_scalar(minimum, iter);
        }
        let elem = iter.elem.clone();
        if matches!(method, M::MinByKey | M::MaxByKey) {
            let key = match f_ty {
                Some(Ty::Fn(_, result)) => (**result).clone(),
                _ => Ty::Never,
            };
            let f = f.cloned().unwrap_or(Value::Undef);
            let pair = Ty::Tuple(vec![key.clone(), elem.clone()]);
            let ty = pair.clone();
            let keyed = Self::adapt(iter, pair.clone(), false, move |lower, item| {
                lower.made(item, &ty, |lower, value| {
                    let key = lower.apply(&f, vec![value.clone()])?;
                    Ok(Value::tuple(vec![key, value]))
                })
            });
            let keyed = self.iterate(&keyed, &Ty::Iter(Box::new(pair.clone())))?;
            let best = self.reduce_option(&keyed, &|lower, a, b| {
                let (x, y) = (lower.member(&a, 0)?, lower.member(&b, 0)?);
                let first = if minimum {
                    lower.ordered(ScalarOp::Le, &x, &y, &key)?
                } else {
                    lower.ordered(ScalarOp::Gt, &x, &y, &key)?
                };
                lower.branch(first, &pair, |_| Ok(a), |_| Ok(b))
            })?;
            return Ok(match best {
                Value::Option(some, pair) => {
                    let value = self.member(&pair, 1)?;
                    Value::Option(some, Rc::new(value))
                }
                other => other,
            });
        }
        let f = f.cloned();
        self.reduce_option(iter, &|lower, a, b| {
            let order = match &f {
                Some(f) => {
                    let order = lower.apply(f, vec![a.clone(), b.clone()])?;
                    lower.atom(&order, &Ty::Ordering)?
                }
                None => lower.compare(&a, &b, &elem)?,
            };
            let zero = lower.zero(&Ty::Ordering);
            let op = if minimum { ScalarOp::Le } else { ScalarOp::Gt };
            let first = lower.op(op, &[order, zero]);
            lower.branch(first, &elem, |_| Ok(a), |_| Ok(b))
        })
    }

    /// The extreme scalar: equal ones are the same bits, so the operation of the table serves, floats by their order.
    fn extreme_scalar(&mut self, minimum: bool, iter: &Rc<Iter>) -> R<Value> {
        let op = if minimum {
            ScalarOp::Min
        } else {
            ScalarOp::Max
        };
        let zero = self.number(0, &iter.elem);
        let ty = self.elem(zero);
        let key_ty = match ty {
            ScalarType::F32 => ScalarType::I32,
            ScalarType::F64 => ScalarType::I64,
            ScalarType::Bool => ScalarType::U8,
            other => other,
        };
        let start: Atom = op.identity(key_ty).expect("it reduces").into();
        let combine = |op| Some(crate::ir::Combine::Op(op));
        let defs = self.par(iter.len, |lower, at| {
            let item = iter.round(lower, at)?;
            let value = lower.atom(&item.value, &iter.elem)?;
            let key = match ty {
                ScalarType::F32 | ScalarType::F64 => lower.order_key(value),
                ScalarType::Bool => lower.cast(key_ty, value),
                _ => value,
            };
            let key = match item.keep {
                None => key,
                Some(keep) => lower.op(ScalarOp::Select, &[keep, key, start]),
            };
            let kind = crate::ir::SinkKind::Reduce;
            let mut sinks = vec![lower.sink(kind, combine(op), vec![start], vec![key])];
            if let Some(keep) = item.keep {
                sinks.push(lower.sink(kind, combine(ScalarOp::Or), vec![FALSE], vec![keep]));
            }
            Ok(sinks)
        })?;
        let key: Atom = defs[0].into();
        let value = match ty {
            ScalarType::F32 | ScalarType::F64 => self.order_value(key, ty),
            ScalarType::Bool => self.op(ScalarOp::Ne, &[key, crate::ir::Const::u8(0).into()]),
            _ => key,
        };
        let some = match defs.get(1) {
            Some(&some) => some.into(),
            None => self.op(ScalarOp::Ne, &[iter.len, Atom::size(0)]),
        };
        Ok(Value::Option(some, Rc::new(Value::Scalar(value))))
    }

    /// Whether a closure is `|a, b| a.total_cmp(b)` or the path to it.
    fn is_total_cmp(&self, f: &Value) -> bool {
        fn local(expr: &Expr) -> Option<&'static str> {
            match &expr.kind {
                K::Local(name) => Some(name),
                K::Unary(_, inner) => local(inner),
                _ => None,
            }
        }
        fn name(pattern: &crate::syntax::Pattern) -> Option<&'static str> {
            match &pattern.kind {
                P::Bind { name, .. } => Some(name),
                P::Ref(inner) => name(inner),
                _ => None,
            }
        }
        let Value::Closure(closure) = f else {
            return false;
        };
        match &**closure {
            Closure::Path { callee, .. } => {
                matches!(callee, Callee::Assoc(_, "total_cmp" | "cmp"))
            }
            Closure::Expr { params, body, .. } => {
                let K::Method {
                    receiver,
                    name: "total_cmp" | "cmp",
                    args: [arg],
                    ..
                } = &body.kind
                else {
                    return false;
                };
                let [(a, _), (b, _)] = params else {
                    return false;
                };
                local(receiver).is_some()
                    && local(receiver) == name(a)
                    && local(arg).is_some()
                    && local(arg) == name(b)
            }
        }
    }
}
