//! Method calls: by the type of the receiver, to the file that knows it. Methods that change a local array are assignments.

use super::value::Value;
use super::{Code, Lower, R};
use crate::elaborate::method::{self, Method};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Fault};
use crate::syntax::{Expr, Span};

impl Lower {
    /// A method call as written.
    pub(super) fn method(
        &mut self,
        expr: &'static Expr,
        receiver: &'static Expr,
        name: &'static str,
        name_span: Span,
        args: &'static [Expr],
    ) -> R<Value> {
        let receiver_ty = self.ty(receiver);
        let result = self.ty(expr);
        let types: Vec<Ty> = args.iter().map(|arg| self.ty(arg)).collect();
        let Some(method) = method::find(&receiver_ty, name) else {
            self.at(name_span);
            return Err(self.mistake(
                Code::Missing,
                &format!("`{name}` is no method that kernels have"),
                "use a primitive, or a function that is marked `#[kernel]`",
            ));
        };
        if changes(method) {
            return self.change(method, receiver, args, &types);
        }
        let mut operands = vec![receiver];
        operands.extend(args.iter());
        self.strict(&operands, &result, |lower, values| {
            lower.at(name_span);
            lower.method_values(
                method,
                (&values[0], &receiver_ty),
                &values[1..],
                &types,
                &result,
            )
        })
    }

    /// A method on values.
    pub(super) fn method_values(
        &mut self,
        method: Method,
        (receiver, ty): (&Value, &Ty),
        args: &[Value],
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        use Method as M;
        if let (M::Eq | M::Ne | M::Lt | M::Le | M::Gt | M::Ge, [other]) = (method, args) {
            let op = match method {
                M::Eq => crate::syntax::Binary::Eq,
                M::Ne => crate::syntax::Binary::Ne,
                M::Lt => crate::syntax::Binary::Lt,
                M::Le => crate::syntax::Binary::Le,
                M::Gt => crate::syntax::Binary::Gt,
                _ => crate::syntax::Binary::Ge,
            };
            return self.binary_typed(op, (receiver, ty), (other, ty));
        }
        match (method, args) {
            (M::Same, _) => return Ok(receiver.clone()),
            (M::Cmp | M::TotalCmp, [other]) => {
                return Ok(Value::Scalar(self.compare(receiver, other, ty)?));
            }
            (M::PartialCmp, [other]) => return self.partial_compare(receiver, other, ty),
            _ => {}
        }
        match ty {
            Ty::Scalar(scalar) => {
                self.scalar_method(method, (receiver, *scalar), args, types, result)
            }
            Ty::Ordering => self.ordering_method(method, receiver, args),
            Ty::Option(inner) => self.option_method(method, (receiver, inner), args, result),
            Ty::Array(..) | Ty::Seq(_) => {
                self.sequence_method(method, (receiver, ty), args, types, result)
            }
            Ty::Nd(..) => self.nd_method(method, (receiver, ty), args, types, result),
            Ty::Range(_) => self.range_method(method, (receiver, ty), args, types, result),
            Ty::Iter(_) => {
                let iter = self.iterate(receiver, ty)?;
                self.iterator_method(method, &iter, args, types, result)
            }
            _ => Err(self.missing("this method cannot be used on a value of this type")),
        }
    }

    fn range_method(
        &mut self,
        method: Method,
        (receiver, ty): (&Value, &Ty),
        args: &[Value],
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        match (method, receiver) {
            (Method::Contains, Value::Range(range)) => {
                let item = super::place::element_type(ty);
                let at = self.atom(&args[0], &item)?;
                let mut inside = super::env::TRUE;
                if let Some(low) = range.low {
                    inside = self.op(crate::ir::ScalarOp::Ge, &[at, low]);
                }
                if let Some(high) = range.high {
                    let op = if range.inclusive {
                        crate::ir::ScalarOp::Le
                    } else {
                        crate::ir::ScalarOp::Lt
                    };
                    let below = self.op(op, &[at, high]);
                    inside = self.and(inside, below);
                }
                Ok(Value::Scalar(inside))
            }
            (Method::Len | Method::IsEmpty, _) => {
                self.sequence_method(method, (receiver, ty), args, types, result)
            }
            _ => {
                let iter = self.iterate(receiver, ty)?;
                self.iterator_method(method, &iter, args, types, result)
            }
        }
    }

    /// A method that changes the local array that it is called on.
    fn change(
        &mut self,
        method: Method,
        receiver: &'static Expr,
        args: &'static [Expr],
        types: &[Ty],
    ) -> R<Value> {
        use Method as M;
        let ty = self.ty(receiver);
        let unit = Ty::Tuple(vec![]);
        let operands: Vec<&'static Expr> = args.iter().collect();
        let place = self.place;
        self.strict(&operands, &unit, |lower, values| {
            lower.replace(receiver, |lower, old| {
                lower.place = place;
                let array = lower.array(old, &ty)?;
                match method {
                    M::SwapElements => {
                        let mut at = vec![];
                        for (value, ty) in values.iter().zip(types) {
                            let index = lower.atom(value, ty)?;
                            at.push(lower.checked_index(index, array.dims[0]));
                        }
                        let (x, y) = (
                            lower.element(&array, &[at[0]])?,
                            lower.element(&array, &[at[1]])?,
                        );
                        let once = lower.with_element(old, &ty, at[0], y)?;
                        lower.with_element(&once, &ty, at[1], x)
                    }
                    M::FillWith => lower.fill(array.dims.clone(), &values[0], &ty),
                    M::ReverseInPlace => Ok(lower.reversed(&array)),
                    _ => {
                        let other = lower.array(&values[0], &types[0])?;
                        let fault = match ty {
                            Ty::Nd(..) => Fault::ShapeMismatch,
                            _ => Fault::LengthMismatch,
                        };
                        let mut dims: Vec<Atom> = vec![];
                        for (&m, &n) in array.dims.iter().zip(&other.dims) {
                            dims.push(lower.same(fault.clone(), m, n));
                        }
                        let other = other.clone();
                        Ok(Value::view(dims, array.elem.clone(), move |lower, at| {
                            lower.element(&other, at)
                        }))
                    }
                }
            })?;
            Ok(Value::unit())
        })
    }
}

/// Whether a method is an assignment to its receiver.
fn changes(method: Method) -> bool {
    matches!(
        method,
        Method::SwapElements
            | Method::FillWith
            | Method::CopyFrom
            | Method::ReverseInPlace
            | Method::Assign
    )
}
