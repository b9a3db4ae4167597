//! Reductions. A combining function is run once on names; if it turns out to be an operation of the table on each pair of
//! its parameters, it is that operation, else a lambda.

use crate::elaborate::lower::env::{FALSE, TRUE};
use crate::elaborate::lower::merge::{spread, spread_ty, unspread};
use crate::elaborate::lower::value::{Array, Item, Iter, Value, width};
use crate::elaborate::lower::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{
    Atom, Combine, Const, Expr, Fault, Lambda, ScalarOp, ScalarType, SinkKind, Type, Var,
};
use std::rc::Rc;

/// A test of an element.
type Test<'a> = &'a dyn Fn(&mut Lower, &Value) -> R<Atom>;

impl Lower {
    /// The combining function that `f` is on values of type `ty`: one operation for each leaf, or one lambda for all.
    pub(in crate::elaborate::lower) fn combine(
        &mut self,
        ty: &Ty,
        f: &dyn Fn(&mut Lower, Value, Value) -> R<Value>,
    ) -> R<Vec<Combine>> {
        let atoms = self.nothing_of(ty)?;
        if atoms
            .iter()
            .any(|&atom| !self.func.atom_type(atom).is_scalar())
        {
            return Err(self.missing("arrays cannot be combined in a reduction or scan"));
        }
        let types: Vec<ScalarType> = atoms.iter().map(|&atom| self.elem(atom)).collect();
        self.open();
        let mut side = |name: &str| -> Vec<Var> {
            types
                .iter()
                .map(|&ty| self.var(name, Type::scalar(ty)))
                .collect()
        };
        let (left, right) = (side("a"), side("b"));
        let value = |lower: &mut Lower, vars: &[Var]| {
            lower.rebuild(ty, &mut vars.iter().map(|&var| var.into()))
        };
        let (a, b) = (value(self, &left), value(self, &right));
        self.depth += 1;
        let result = f(self, a, b);
        self.depth -= 1;
        let results = result.and_then(|value| self.flatten(&value, ty))?;
        let body = self.close(results);
        let ops: Option<Vec<ScalarOp>> = (0..types.len())
            .map(|k| {
                let stmt = body.stmts.iter().find(|stmt| {
                    Some(stmt.defs[..].as_ref())
                        == body.results[k].as_var().as_ref().map(std::slice::from_ref)
                })?;
                let Expr::Op(op, operands) = &stmt.expr else {
                    return None;
                };
                let (a, b) = (Atom::Var(left[k]), Atom::Var(right[k]));
                let own =
                    operands[..] == [a, b] || operands[..] == [b, a] && op.row().laws.commutative;
                (own && op.row().laws.reduces).then_some(*op)
            })
            .collect();
        Ok(match ops {
            Some(ops) if body.stmts.len() == types.len() => {
                ops.into_iter().map(Combine::Op).collect()
            }
            _ => vec![Combine::Lambda(Lambda {
                params: left.into_iter().chain(right).collect(),
                body,
            })],
        })
    }

    /// Atoms of the leaves of a type, for their types.
    fn nothing_of(&mut self, ty: &Ty) -> R<Vec<Atom>> {
        Ok(self
            .rehearse(|lower| {
                let atoms = lower.flatten(&Value::Undef, ty)?;
                let scalar = |lower: &Lower, &atom: &Atom| lower.func.atom_type(atom).is_scalar();
                if !atoms.iter().all(|atom| scalar(lower, atom)) {
                    return Err(lower.missing("arrays cannot be combined in a reduction or scan"));
                }
                Ok(atoms)
            })?
            .0)
    }

    /// Sinks of one kind for these combining functions: one each for operations, one for a lambda.
    pub(in crate::elaborate::lower) fn combining(
        &self,
        kind: SinkKind,
        combines: &[Combine],
        outer: &[Atom],
        index: Option<Atom>,
        values: &[Atom],
    ) -> Vec<crate::ir::Sink> {
        let with_index = |values: &[Atom]| index.iter().chain(values).copied().collect();
        match combines {
            [lambda @ Combine::Lambda(_)] => vec![self.sink(
                kind,
                Some(lambda.clone()),
                outer.to_vec(),
                with_index(values),
            )],
            ops => ops
                .iter()
                .zip(outer)
                .zip(values)
                .map(|((op, &outer), value)| {
                    self.sink(
                        kind,
                        Some(op.clone()),
                        vec![outer],
                        with_index(std::slice::from_ref(value)),
                    )
                })
                .collect(),
        }
    }

    /// `x.reduce(e, op)`.
    pub(in crate::elaborate::lower) fn reduce(
        &mut self,
        array: &Rc<Array>,
        start: &Value,
        f: &Value,
    ) -> R<Value> {
        let f = f.clone();
        self.reduce_with(array, start, &|lower, a, b| lower.apply(&f, vec![a, b]))
    }

    fn reduce_with(
        &mut self,
        array: &Rc<Array>,
        start: &Value,
        f: &dyn Fn(&mut Lower, Value, Value) -> R<Value>,
    ) -> R<Value> {
        let ty = array.elem.clone();
        self.reduce_values(array.dims[0], start, &ty, f, &|lower, at| {
            lower.element(array, &[at])
        })
    }

    /// The reduction of the values of `element`, in the canonical order.
    pub(in crate::elaborate::lower) fn reduce_values(
        &mut self,
        len: Atom,
        start: &Value,
        ty: &Ty,
        f: &dyn Fn(&mut Lower, Value, Value) -> R<Value>,
        element: &dyn Fn(&mut Lower, Atom) -> R<Value>,
    ) -> R<Value> {
        if width(ty) == 0 {
            return Err(self.missing("values of this type cannot be reduced"));
        }
        let loose = spread_ty(ty);
        let combines = self.combine_loose(ty, f)?;
        let start = self.loosen(start, ty)?;
        let outer = self.flatten(&start, &loose)?;
        let defs = self.par(len, |lower, at| {
            let value = element(lower, at)?;
            let value = lower.loosen(&value, ty)?;
            let values = lower.flatten(&value, &loose)?;
            Ok(lower.combining(SinkKind::Reduce, &combines, &outer, None, &values))
        })?;
        let result = self.rebuild(&loose, &mut defs.into_iter().map(Atom::Var));
        Ok(unspread(result, ty))
    }

    /// [`Lower::combine`] for values of type `ty` whose fixed arrays are taken apart: sinks combine scalars.
    pub(in crate::elaborate::lower) fn combine_loose(
        &mut self,
        ty: &Ty,
        f: &dyn Fn(&mut Lower, Value, Value) -> R<Value>,
    ) -> R<Vec<Combine>> {
        self.combine(&spread_ty(ty), &|lower, a, b| {
            let value = f(lower, unspread(a, ty), unspread(b, ty))?;
            lower.loosen(&value, ty)
        })
    }

    /// A value with a tuple for each of its short fixed arrays, of type [`spread_ty`].
    pub(in crate::elaborate::lower) fn loosen(&mut self, value: &Value, ty: &Ty) -> R<Value> {
        let value = self.apart(value, ty)?;
        Ok(spread(&value, ty))
    }

    /// A value whose fixed arrays are known member by member.
    fn apart(&mut self, value: &Value, ty: &Ty) -> R<Value> {
        let mut each = |members: &[Value], types: &mut dyn Iterator<Item = &Ty>| -> R<Vec<Value>> {
            members
                .iter()
                .zip(types)
                .map(|(value, ty)| self.apart(value, ty))
                .collect()
        };
        Ok(match (value, ty) {
            (Value::Tuple(members), Ty::Tuple(types)) => {
                Value::tuple(each(members, &mut types.iter())?)
            }
            (Value::Fixed(members), Ty::Array(inner, _)) => {
                Value::Fixed(each(members, &mut std::iter::repeat(&**inner))?.into())
            }
            (Value::Array(array), Ty::Array(inner, n)) => {
                let members = (0..*n as u64).map(|k| {
                    let value = self.element(array, &[Atom::size(k)])?;
                    self.apart(&value, inner)
                });
                Value::Fixed(members.collect::<R<Vec<_>>>()?.into())
            }
            _ => value.clone(),
        })
    }

    /// The reduction of scalars with an operation of the table.
    pub(in crate::elaborate::lower) fn reduce_op(
        &mut self,
        op: ScalarOp,
        len: Atom,
        start: Atom,
        element: &dyn Fn(&mut Lower, Atom) -> R<Atom>,
    ) -> R<Atom> {
        let defs = self.par(len, |lower, at| {
            let value = element(lower, at)?;
            let combine = Some(Combine::Op(op));
            Ok(vec![lower.sink(
                SinkKind::Reduce,
                combine,
                vec![start],
                vec![value],
            )])
        })?;
        Ok(defs[0].into())
    }

    /// `sum`, `product`, `minimum`, `maximum`.
    pub(in crate::elaborate::lower) fn named(
        &mut self,
        method: Method,
        array: &Rc<Array>,
    ) -> R<Value> {
        let ty = array.elem.clone();
        let len = array.dims[0];
        let atom_at = |lower: &mut Lower, at: Atom| -> R<Atom> {
            let value = lower.element(array, &[at])?;
            lower.atom(&value, &ty)
        };
        let (op, start) = match method {
            Method::Sum => (ScalarOp::Add, self.number(0, &ty)),
            Method::Product => (ScalarOp::Mul, self.number(1, &ty)),
            _ => {
                let op = if method == Method::Minimum {
                    ScalarOp::Min
                } else {
                    ScalarOp::Max
                };
                self.nonempty(len);
                let zero = self.number(0, &ty);
                let identity = op.identity(self.elem(zero)).expect("it reduces");
                (op, identity.into())
            }
        };
        let result = self.reduce_op(op, len, start, &atom_at)?;
        Ok(Value::Scalar(result))
    }

    /// Fails where there is nothing.
    pub(in crate::elaborate::lower) fn nonempty(&mut self, len: Atom) {
        let some = self.op(ScalarOp::Ne, &[len, Atom::size(0)]);
        self.check(Fault::Empty, some, vec![]);
    }

    /// `argmin`, `argmax`: the first index of the extreme value; NaN is ignored, and 0 is the result if there is nothing
    /// else.
    pub(in crate::elaborate::lower) fn arg(
        &mut self,
        method: Method,
        array: &Rc<Array>,
    ) -> R<Value> {
        let ty = array.elem.clone();
        let index_ty = Ty::Scalar(crate::syntax::Scalar::Usize);
        let len = array.dims[0];
        self.nonempty(len);
        let pair = Ty::Tuple(vec![ty.clone(), index_ty.clone()]);
        let zero = self.number(0, &ty);
        let elem = self.elem(zero);
        let op = if method == Method::Argmin {
            ScalarOp::Min
        } else {
            ScalarOp::Max
        };
        // The start is worse than any value: its index is beyond all.
        let start = Value::tuple(vec![
            Value::Scalar(op.identity(elem).expect("it reduces").into()),
            Value::Scalar(Atom::size(u64::MAX)),
        ]);
        let combine = |lower: &mut Lower, a: Value, b: Value| -> R<Value> {
            let parts = |lower: &mut Lower, value: &Value| -> R<(Atom, Atom)> {
                let (x, i) = (lower.member(value, 0)?, lower.member(value, 1)?);
                Ok((lower.atom(&x, &ty)?, lower.atom(&i, &index_ty)?))
            };
            let ((x, i), (y, j)) = (parts(lower, &a)?, parts(lower, &b)?);
            let better = lower.beats(op, (y, j), (x, i));
            let value = lower.op(ScalarOp::Select, &[better, y, x]);
            let index = lower.op(ScalarOp::Select, &[better, j, i]);
            Ok(Value::tuple(vec![
                Value::Scalar(value),
                Value::Scalar(index),
            ]))
        };
        let result = self.reduce_values(len, &start, &pair, &combine, &|lower, at| {
            let value = lower.element(array, &[at])?;
            Ok(Value::tuple(vec![value, Value::Scalar(at)]))
        })?;
        let index = self.member(&result, 1)?;
        let index = self.atom(&index, &index_ty)?;
        let none = self.op(ScalarOp::Eq, &[index, Atom::size(u64::MAX)]);
        Ok(Value::Scalar(
            self.op(ScalarOp::Select, &[none, Atom::size(0), index]),
        ))
    }

    /// Whether the value `y` at `j` stands before the value `x` at `i`: it is more extreme, or as extreme and earlier.
    fn beats(&mut self, op: ScalarOp, (y, j): (Atom, Atom), (x, i): (Atom, Atom)) -> Atom {
        let strict = if op == ScalarOp::Min {
            ScalarOp::Lt
        } else {
            ScalarOp::Gt
        };
        let earlier = self.op(ScalarOp::Lt, &[j, i]);
        if !self.elem(x).is_float() {
            let more = self.op(strict, &[y, x]);
            let same = self.op(ScalarOp::Eq, &[y, x]);
            let tie = self.and(same, earlier);
            return self.or(more, tie);
        }
        // The order of floats in which -0.0 is below 0.0; a NaN loses against every number.
        let (key_y, key_x) = (self.order_key(y), self.order_key(x));
        let more = self.op(strict, &[key_y, key_x]);
        let same = self.op(ScalarOp::Eq, &[key_y, key_x]);
        let tie = self.and(same, earlier);
        let wins = self.or(more, tie);
        let number = self.op(ScalarOp::Eq, &[y, y]);
        let nothing = self.op(ScalarOp::Ne, &[x, x]);
        let wins = self.or(wins, nothing);
        self.and(number, wins)
    }

    /// A signed integer in the order of `total_cmp`.
    pub(in crate::elaborate::lower) fn order_key(&mut self, x: Atom) -> Atom {
        let (signed, shift) = match self.elem(x) {
            ScalarType::F32 => (ScalarType::I32, 31),
            _ => (ScalarType::I64, 63),
        };
        let bits = self.bits(signed, x);
        let shift = Const {
            ty: signed,
            bits: shift,
        };
        let sign = self.op(ScalarOp::Shr, &[bits, shift.into()]);
        let low = Const {
            ty: signed,
            bits: u64::MAX >> (65 - signed.bits()),
        };
        let flip = self.op(ScalarOp::And, &[sign, low.into()]);
        self.op(ScalarOp::Xor, &[bits, flip])
    }

    /// The float whose [`Lower::order_key`] this is.
    pub(in crate::elaborate::lower) fn order_value(&mut self, key: Atom, ty: ScalarType) -> Atom {
        let signed = self.elem(key);
        let shift = Const {
            ty: signed,
            bits: signed.bits() as u64 - 1,
        };
        let sign = self.op(ScalarOp::Shr, &[key, shift.into()]);
        let low = Const {
            ty: signed,
            bits: u64::MAX >> (65 - signed.bits()),
        };
        let flip = self.op(ScalarOp::And, &[sign, low.into()]);
        let bits = self.op(ScalarOp::Xor, &[key, flip]);
        self.bits(ty, bits)
    }

    /// Whether any element has a property; each is tested.
    pub(in crate::elaborate::lower) fn test_any(
        &mut self,
        array: &Rc<Array>,
        test: Test<'_>,
    ) -> R<Value> {
        let any = self.reduce_op(ScalarOp::Or, array.dims[0], FALSE, &|lower, at| {
            let element = lower.element(array, &[at])?;
            test(lower, &element)
        })?;
        Ok(Value::Scalar(any))
    }

    /// Whether all elements have a property; each is tested.
    pub(in crate::elaborate::lower) fn test_all(
        &mut self,
        array: &Rc<Array>,
        test: Test<'_>,
    ) -> R<Value> {
        let all = self.reduce_op(ScalarOp::And, array.dims[0], TRUE, &|lower, at| {
            let element = lower.element(array, &[at])?;
            test(lower, &element)
        })?;
        Ok(Value::Scalar(all))
    }

    /// The number of elements with a property.
    pub(in crate::elaborate::lower) fn count(
        &mut self,
        array: &Rc<Array>,
        test: Test<'_>,
    ) -> R<Value> {
        let count = self.reduce_op(ScalarOp::Add, array.dims[0], Atom::size(0), &|lower, at| {
            let element = lower.element(array, &[at])?;
            let holds = test(lower, &element)?;
            Ok(lower.cast(ScalarType::U64, holds))
        })?;
        Ok(Value::Scalar(count))
    }

    /// A reduction of the items of an iterator with an operation: items that are left out do not count. That needs an
    /// operation whose result does not depend on where its operands stand.
    pub(in crate::elaborate::lower) fn reduce_items(
        &mut self,
        op: ScalarOp,
        iter: &Iter,
        start: Atom,
    ) -> R<Atom> {
        let identity: Atom = op.identity(self.elem(start)).expect("it reduces").into();
        self.reduce_op(op, iter.len, start, &|lower, at| {
            let Item { keep, value } = iter.round(lower, at)?;
            let value = lower.atom(&value, &iter.elem)?;
            Ok(match keep {
                None => value,
                Some(keep) => lower.op(ScalarOp::Select, &[keep, value, identity]),
            })
        })
    }
}
