//! Assignments: to variables, to parts of tuples, to elements of arrays. A value is never changed; the variable at the root
//! of the place gets a new one.

use super::env::FALSE;
use super::value::{Array, Range, Source, Value, width};
use super::{Code, Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::types::Class;
use crate::ir::{Atom, ScalarOp, Var};
use crate::syntax::{Binary, Expr, ExprKind, Unary};
use std::rc::Rc;

/// A step from a value to a part of it.
#[derive(Clone)]
enum Step {
    Field(usize),
    /// The indices of an element as the user wrote them, and their place.
    At(Vec<Atom>, &'static Expr),
    /// A sub-slice, and its place.
    Part(Range, &'static Expr),
}

impl Lower {
    /// `place = value`, taking tuples and arrays apart.
    pub(super) fn assign_to(&mut self, place: &'static Expr, value: Value) -> R<()> {
        match &place.kind {
            ExprKind::Underscore => Ok(()),
            ExprKind::Tuple(places) | ExprKind::Array(places) => {
                for (k, place) in places.iter().enumerate() {
                    let member = self.member(&value, k)?;
                    self.assign_to(place, member)?;
                }
                Ok(())
            }
            _ => {
                let (slot, steps) = self.place_of(place)?;
                self.at(place.span);
                self.store(slot, &steps, value)
            }
        }
    }

    /// `place op= value`, where the value has been computed.
    pub(super) fn assign_op(
        &mut self,
        op: Binary,
        place: &'static Expr,
        (value, value_ty): (&Value, &Ty),
        span: crate::syntax::Span,
    ) -> R<()> {
        let ty = self.ty(place);
        let (slot, steps) = self.place_of(place)?;
        self.at(place.span);
        let old = self.load(slot, &steps)?;
        self.at(span);
        let new = self.binary_typed(op, (&old, &ty), (value, value_ty))?;
        self.at(place.span);
        let steps = steps
            .into_iter()
            .map(|(step, _)| (step, false))
            .collect::<Vec<_>>();
        self.store(slot, &steps, new)
    }

    /// The element of the array at a place, at an index that lies inside.
    pub(super) fn load_element(&mut self, place: &'static Expr, at: Atom) -> R<Value> {
        let (slot, mut steps) = self.place_of(place)?;
        steps.push((Step::At(vec![at], place), false));
        self.load(slot, &steps)
    }

    /// Replaces the element of the array at a place, at an index that lies inside.
    pub(super) fn store_element(&mut self, place: &'static Expr, at: Atom, value: Value) -> R<()> {
        let (slot, mut steps) = self.place_of(place)?;
        steps.push((Step::At(vec![at], place), false));
        self.store(slot, &steps, value)
    }

    /// Replaces what stands at a place by what `f` makes of it.
    pub(super) fn replace(
        &mut self,
        place: &'static Expr,
        f: impl FnOnce(&mut Lower, &Value) -> R<Value>,
    ) -> R<Value> {
        let (slot, steps) = self.place_of(place)?;
        let old = self.load(slot, &steps)?;
        let new = f(self, &old)?;
        self.store(slot, &steps, new)?;
        Ok(old)
    }

    /// The variable at the root of a place, and the steps from it; the flag says that indices must be tested.
    fn place_of(&mut self, place: &'static Expr) -> R<(usize, Vec<(Step, bool)>)> {
        self.at(place.span);
        match &place.kind {
            ExprKind::Local(name) => match self.find(name) {
                Some(slot) => Ok((slot, vec![])),
                None => Err(self.not_a_place()),
            },
            ExprKind::Unary(Unary::Deref | Unary::RefMut | Unary::Ref, inner) => {
                self.place_of(inner)
            }
            ExprKind::Field(base, name) => {
                let (slot, mut steps) = self.place_of(base)?;
                let Ok(k) = name.parse() else {
                    return Err(self.not_a_place());
                };
                steps.push((Step::Field(k), true));
                Ok((slot, steps))
            }
            ExprKind::Index(base, index) => {
                let (slot, mut steps) = self.place_of(base)?;
                let ty = self.ty(index);
                let value = self.expr(index)?;
                let indices = match (&value, &ty) {
                    (Value::Range(range), Ty::Range(_)) => {
                        steps.push((Step::Part(*range, place), true));
                        return Ok((slot, steps));
                    }
                    (_, Ty::FullRange) => return Ok((slot, steps)),
                    (Value::Scalar(atom), _) => vec![*atom],
                    (Value::Tuple(_), Ty::Tuple(types)) => {
                        let types = types.clone();
                        self.flatten_each(&value, &types)?
                    }
                    (Value::Fixed(members), Ty::Array(inner, _)) => members
                        .iter()
                        .map(|member| self.atom(member, inner))
                        .collect::<R<_>>()?,
                    _ => {
                        self.at(index.span);
                        return Err(self.mistake(
                            Code::Place,
                            "only single elements can be assigned to",
                            "write a loop over the indices, or make a new array with `map`",
                        ));
                    }
                };
                steps.push((Step::At(indices, place), true));
                Ok((slot, steps))
            }
            _ => Err(self.not_a_place()),
        }
    }

    fn flatten_each(&mut self, value: &Value, types: &[Ty]) -> R<Vec<Atom>> {
        self.flatten(value, &Ty::Tuple(types.to_vec()))
    }

    fn not_a_place(&self) -> Box<crate::elaborate::ty::Mistake> {
        self.mistake(
            Code::Place,
            "this is no variable and no part of one, so nothing can be assigned to it",
            "assign to a local variable, to an element of a local array, or to a `&mut` parameter",
        )
    }

    fn load(&mut self, slot: usize, steps: &[(Step, bool)]) -> R<Value> {
        let mut value = self.env.slots[slot].value.clone();
        let mut ty = self.env.slots[slot].ty.clone();
        for (step, checked) in steps {
            match step {
                Step::Field(k) => {
                    value = self.member(&value, *k)?;
                    ty = member_type(&ty, *k);
                }
                Step::At(indices, expr) => {
                    self.at(expr.span);
                    value = self.element_at(&value, &ty, indices, *checked)?;
                    ty = element_type(&ty);
                }
                Step::Part(range, expr) => {
                    self.at(expr.span);
                    let array = self.array(&value, &ty)?;
                    value = self.sub_slice(&array, range)?;
                    ty = Ty::Seq(Box::new(array.elem.clone()));
                }
            }
        }
        Ok(value)
    }

    fn store(&mut self, slot: usize, steps: &[(Step, bool)], new: Value) -> R<()> {
        if slot < self.env.floor {
            return self.assign(slot, new);
        }
        let (old, ty) = {
            let slot = &self.env.slots[slot];
            (slot.value.clone(), slot.ty.clone())
        };
        let value = self.with(&old, &ty, steps, new)?;
        self.assign(slot, value)
    }

    /// The value with the part at the end of the steps replaced.
    fn with(&mut self, old: &Value, ty: &Ty, steps: &[(Step, bool)], new: Value) -> R<Value> {
        let Some(((step, checked), rest)) = steps.split_first() else {
            return Ok(new);
        };
        match step {
            Step::Field(k) => {
                let part = self.member(old, *k)?;
                let part = self.with(&part, &member_type(ty, *k), rest, new)?;
                match old {
                    Value::Tuple(members) => {
                        let mut members = members.to_vec();
                        members[*k] = part;
                        Ok(Value::tuple(members))
                    }
                    _ => Err(self.not_a_place()),
                }
            }
            Step::Part(range, expr) => {
                self.at(expr.span);
                let array = self.array(old, ty)?;
                let part = self.sub_slice(&array, range)?;
                let seq = Ty::Seq(Box::new(array.elem.clone()));
                let part = self.with(&part, &seq, rest, new)?;
                let part = self.array(&part, &seq)?;
                let low = range.low.unwrap_or(Atom::size(0));
                let low = self.cast(crate::ir::ScalarType::U64, low);
                let elem = array.elem.clone();
                Ok(Value::view(array.dims.clone(), elem, move |lower, at| {
                    // Before the part the difference wraps to a large number.
                    let from = lower.op(ScalarOp::Sub, &[at[0], low]);
                    let inside = lower.op(ScalarOp::Lt, &[from, part.dims[0]]);
                    lower.branch(
                        inside,
                        &array.elem,
                        |lower| lower.element(&part, &[from]),
                        |lower| lower.element(&array, at),
                    )
                }))
            }
            Step::At(indices, expr) => {
                if let (Value::Fixed(members), [Atom::Const(k)], Ty::Array(inner, _)) =
                    (old, &indices[..], ty)
                    && (k.bits as usize) < members.len()
                {
                    let mut members = members.to_vec();
                    let at = k.bits as usize;
                    members[at] = self.with(&members[at].clone(), inner, rest, new)?;
                    return Ok(Value::Fixed(members.into()));
                }
                self.at(expr.span);
                let array = self.array(old, ty)?;
                let mut vars = self.materialize(&array)?;
                let mut at = vec![];
                let mut test = *checked && rest.is_empty() && self.unsigned(indices);
                self.indices_inside(indices, &array.dims, *checked && !test, &mut at)?;
                let elem = array.elem.clone();
                self.update_leaves(&mut vars, &elem, &mut at, rest, &new, &mut test)?;
                Ok(Value::stored(array.dims.clone(), elem, vars))
            }
        }
    }

    /// A sequence with the element at an index that lies inside replaced.
    pub(super) fn with_element(&mut self, old: &Value, ty: &Ty, at: Atom, new: Value) -> R<Value> {
        let array = self.array(old, ty)?;
        let mut vars = self.materialize(&array)?;
        let elem = array.elem.clone();
        self.update_leaves(&mut vars, &elem, &mut vec![at], &[], &new, &mut false)?;
        Ok(Value::stored(array.dims.clone(), elem, vars))
    }

    /// Tests indices against the lengths, in order, and makes them `u64`.
    pub(super) fn indices_inside(
        &mut self,
        indices: &[Atom],
        dims: &[Atom],
        checked: bool,
        at: &mut Vec<Atom>,
    ) -> R<()> {
        for (&index, &len) in indices.iter().zip(dims) {
            let index = if checked {
                self.checked_index(index, len)
            } else {
                self.cast(crate::ir::ScalarType::U64, index)
            };
            at.push(index);
        }
        Ok(())
    }

    /// Whether these indices are of unsigned types, so that the access itself can test them.
    pub(super) fn unsigned(&self, indices: &[Atom]) -> bool {
        let class = |&index| self.elem(index).class();
        indices
            .iter()
            .map(class)
            .all(|class| class == Class::Unsigned)
    }

    /// Replaces in each array that is a leaf of an element of type `ty`, at these indices, what the steps lead to; the
    /// first access tests the indices if `test` is set.
    fn update_leaves(
        &mut self,
        vars: &mut [Var],
        ty: &Ty,
        at: &mut Vec<Atom>,
        steps: &[(Step, bool)],
        new: &Value,
        test: &mut bool,
    ) -> R<()> {
        let Some(((step, checked), rest)) = steps.split_first() else {
            let leaves = self.flatten(new, ty)?;
            for (var, leaf) in vars.iter_mut().zip(leaves) {
                let rank = self.func.ty(*var).rank();
                let shape = self.func.ty(*var).shape[at.len()..rank].to_vec();
                let new_shape = self.func.atom_type(leaf).shape;
                for (&m, &n) in shape.iter().zip(&new_shape) {
                    self.same_length(m, n);
                }
                *var = self.update(*var, at.clone(), leaf, std::mem::take(test));
            }
            return Ok(());
        };
        match (step, ty) {
            (Step::Field(k), Ty::Tuple(types)) => {
                let from: usize = types[..*k].iter().map(width).sum();
                let to = from + width(&types[*k]);
                self.update_leaves(&mut vars[from..to], &types[*k], at, rest, new, test)
            }
            (Step::At(indices, expr), Ty::Array(inner, _) | Ty::Seq(inner) | Ty::Nd(_, inner)) => {
                self.at(expr.span);
                let dims = self.func.ty(vars[0]).shape[at.len()..].to_vec();
                let depth = at.len();
                self.indices_inside(indices, &dims, *checked, at)?;
                self.update_leaves(vars, inner, at, rest, new, test)?;
                at.truncate(depth);
                Ok(())
            }
            _ => Err(self.not_a_place()),
        }
    }

    /// Member `k` of a tuple or fixed array.
    pub(super) fn member(&mut self, value: &Value, k: usize) -> R<Value> {
        match value {
            Value::Tuple(members) | Value::Fixed(members) => {
                Ok(members.get(k).cloned().unwrap_or(Value::Undef))
            }
            Value::Array(array) => {
                let array: Rc<Array> = array.clone();
                self.element(&array, &[Atom::size(k as u64)])
            }
            Value::Undef => Ok(Value::Undef),
            _ => Err(self.not_a_place()),
        }
    }

    /// Tests that an index of any integer type lies below the length, and makes it `u64`. What is reported is the value
    /// that the user wrote.
    pub(super) fn checked_index(&mut self, index: Atom, len: Atom) -> Atom {
        let ty = self.elem(index);
        let signed = ty.class() == Class::Signed;
        let wide = self.cast(crate::ir::ScalarType::U64, index);
        let mut inside = self.op(ScalarOp::Lt, &[wide, len]);
        if signed {
            // A negative index becomes a large one; only a length above i64::MAX could admit it.
            let zero = crate::ir::Const { ty, bits: 0 };
            let natural = self.op(ScalarOp::Ge, &[index, zero.into()]);
            inside = self.and(natural, inside);
        }
        if inside == FALSE || inside.as_var().is_some() {
            self.check(crate::ir::Fault::IndexOutOfBounds, inside, vec![index, len]);
        }
        wide
    }

    /// Whether an array is stored as a whole.
    pub(super) fn is_stored(array: &Array) -> bool {
        matches!(array.source, Source::Stored(..))
    }
}

fn member_type(ty: &Ty, k: usize) -> Ty {
    match ty {
        Ty::Tuple(types) => types.get(k).cloned().unwrap_or(Ty::Never),
        other => element_type(other),
    }
}

/// The type of an element.
pub(super) fn element_type(ty: &Ty) -> Ty {
    match ty {
        Ty::Array(inner, _) | Ty::Seq(inner) | Ty::Nd(_, inner) | Ty::Iter(inner) => {
            (**inner).clone()
        }
        Ty::Option(inner) => (**inner).clone(),
        Ty::Range(scalar) => Ty::Scalar(*scalar),
        _ => Ty::Never,
    }
}
