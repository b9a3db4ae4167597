//! Options: a truth and a value that counts only where it holds. Orderings: -1, 0 and 1.

use super::env::{FALSE, TRUE};
use super::place::element_type;
use super::value::Value;
use super::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Const, Fault, ScalarOp, ScalarType};
use std::rc::Rc;

impl Lower {
    /// A method of an option.
    pub(super) fn option_method(
        &mut self,
        method: Method,
        (receiver, inner): (&Value, &Ty),
        args: &[Value],
        result: &Ty,
    ) -> R<Value> {
        use Method as M;
        let (some, value) = match receiver {
            Value::Option(some, value) => (*some, value.clone()),
            _ => (FALSE, Rc::new(Value::Undef)),
        };
        let value = (*value).clone();
        match method {
            M::Unwrap => {
                let shape = self.fits.iter().find(|(fits, _)| some == (*fits).into());
                let (fault, operands) = match shape {
                    Some((_, lengths)) => (Fault::Reshape, lengths.clone()),
                    None => (Fault::Nothing, vec![]),
                };
                self.check(fault, some, operands);
                Ok(value)
            }
            M::UnwrapOr => {
                let other = args[0].clone();
                self.branch(some, result, |_| Ok(value), |_| Ok(other))
            }
            M::UnwrapOrElse => self.branch(
                some,
                result,
                |_| Ok(value),
                |lower| lower.apply(&args[0], vec![]),
            ),
            M::UnwrapOrDefault => {
                self.branch(some, result, |_| Ok(value), |lower| lower.default_of(inner))
            }
            M::IsSome => Ok(Value::Scalar(some)),
            M::IsNone => Ok(Value::Scalar(self.not(some))),
            M::IsSomeAnd => self.branch(
                some,
                result,
                |lower| lower.apply(&args[0], vec![value]),
                |_| Ok(Value::Scalar(FALSE)),
            ),
            M::IsNoneOr => self.branch(
                some,
                result,
                |lower| lower.apply(&args[0], vec![value]),
                |_| Ok(Value::Scalar(TRUE)),
            ),
            M::Map => {
                let ty = element_type(result);
                self.optional(some, &ty, |lower| lower.apply(&args[0], vec![value]))
            }
            M::MapOr => {
                let other = args[0].clone();
                self.branch(
                    some,
                    result,
                    |lower| lower.apply(&args[1], vec![value]),
                    |_| Ok(other),
                )
            }
            M::MapOrElse => self.branch(
                some,
                result,
                |lower| lower.apply(&args[1], vec![value]),
                |lower| lower.apply(&args[0], vec![]),
            ),
            M::AndThen => self.branch(
                some,
                result,
                |lower| lower.apply(&args[0], vec![value]),
                |_| Ok(Value::none()),
            ),
            M::Filter => {
                let test = self.predicate(&args[0]);
                let kept = self.and_then(some, |lower| test(lower, &value))?;
                Ok(Value::Option(kept, Rc::new(value)))
            }
            M::Or => {
                let other = args[0].clone();
                self.branch(some, result, |_| Ok(receiver.clone()), |_| Ok(other))
            }
            M::OrElse => self.branch(
                some,
                result,
                |_| Ok(receiver.clone()),
                |lower| lower.apply(&args[0], vec![]),
            ),
            _ => Err(self.missing("this method cannot be used on an `Option` here")),
        }
    }

    /// A method of an ordering.
    pub(super) fn ordering_method(
        &mut self,
        method: Method,
        receiver: &Value,
        args: &[Value],
    ) -> R<Value> {
        use Method as M;
        let sign = self.atom(receiver, &Ty::Ordering)?;
        let zero: Atom = Const::i8(0).into();
        let op = match method {
            M::IsLt => ScalarOp::Lt,
            M::IsLe => ScalarOp::Le,
            M::IsGt => ScalarOp::Gt,
            M::IsGe => ScalarOp::Ge,
            M::IsEq => ScalarOp::Eq,
            M::IsNe => ScalarOp::Ne,
            M::Reverse => return Ok(Value::Scalar(self.op(ScalarOp::Neg, &[sign]))),
            M::ThenOrdering | M::ThenWith => {
                let equal = self.op(ScalarOp::Eq, &[sign, zero]);
                let other = args[0].clone();
                return self.branch(
                    equal,
                    &Ty::Ordering,
                    |lower| match method {
                        M::ThenWith => lower.apply(&other, vec![]),
                        _ => Ok(other),
                    },
                    |_| Ok(Value::Scalar(sign)),
                );
            }
            _ => return Err(self.missing("this method cannot be used on an `Ordering` here")),
        };
        Ok(Value::Scalar(self.op(op, &[sign, zero])))
    }

    /// The ordering of two values: of floats the total one, of tuples and fixed arrays the lexicographic one.
    pub(super) fn compare(&mut self, a: &Value, b: &Value, ty: &Ty) -> R<Atom> {
        let types: Vec<Ty> = match ty {
            Ty::Tuple(types) => types.clone(),
            Ty::Array(inner, n) => vec![(**inner).clone(); *n],
            Ty::Scalar(_) | Ty::Ordering => {
                let (mut x, mut y) = (self.atom(a, ty)?, self.atom(b, ty)?);
                if self.elem(x).is_float() {
                    (x, y) = (self.order_key(x), self.order_key(y));
                }
                return Ok(self.sign(x, y));
            }
            _ => return Err(self.missing("values of this type cannot be ordered in kernels")),
        };
        let mut result: Atom = Const::i8(0).into();
        for (k, ty) in types.iter().enumerate().rev() {
            let (x, y) = (self.member(a, k)?, self.member(b, k)?);
            let one = self.compare(&x, &y, ty)?;
            let equal = self.op(ScalarOp::Eq, &[one, Const::i8(0).into()]);
            result = self.op(ScalarOp::Select, &[equal, result, one]);
        }
        Ok(result)
    }

    /// -1, 0 or 1 as `x` is below, equal to or above `y`.
    fn sign(&mut self, x: Atom, y: Atom) -> Atom {
        let above = self.op(ScalarOp::Gt, &[x, y]);
        let below = self.op(ScalarOp::Lt, &[x, y]);
        let (above, below) = (
            self.cast(ScalarType::I8, above),
            self.cast(ScalarType::I8, below),
        );
        self.op(ScalarOp::Sub, &[above, below])
    }

    /// `a.partial_cmp(b)`: nothing if a NaN takes part before the values differ.
    pub(super) fn partial_compare(&mut self, a: &Value, b: &Value, ty: &Ty) -> R<Value> {
        let types: Vec<Ty> = match ty {
            Ty::Tuple(types) => types.clone(),
            Ty::Array(inner, n) => vec![(**inner).clone(); *n],
            _ => {
                let (x, y) = (self.atom(a, ty)?, self.atom(b, ty)?);
                let mut some = TRUE;
                if self.elem(x).is_float() {
                    let (p, q) = (
                        self.op(ScalarOp::Eq, &[x, x]),
                        self.op(ScalarOp::Eq, &[y, y]),
                    );
                    some = self.and(p, q);
                }
                let sign = self.sign(x, y);
                return Ok(Value::Option(some, Rc::new(Value::Scalar(sign))));
            }
        };
        let (mut some, mut sign): (Atom, Atom) = (TRUE, Const::i8(0).into());
        for (k, ty) in types.iter().enumerate().rev() {
            let (x, y) = (self.member(a, k)?, self.member(b, k)?);
            let Value::Option(one_some, one) = self.partial_compare(&x, &y, ty)? else {
                continue;
            };
            let one = self.atom(&one, &Ty::Ordering)?;
            let equal = self.op(ScalarOp::Eq, &[one, Const::i8(0).into()]);
            let goes_on = self.and(one_some, equal);
            some = self.op(ScalarOp::Select, &[goes_on, some, one_some]);
            sign = self.op(ScalarOp::Select, &[goes_on, sign, one]);
        }
        Ok(Value::Option(some, Rc::new(Value::Scalar(sign))))
    }
}
