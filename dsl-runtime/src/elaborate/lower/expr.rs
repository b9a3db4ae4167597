//! Expressions: from a node of the surface tree to the value that it stands for.

use super::control::Tail;
use super::env::{FALSE, TRUE};
use super::value::{Axis, Closure, Range, Source, Value};
use super::{Code, Lower, R};
use crate::elaborate::infer::describe;
use crate::elaborate::method::assoc;
use crate::elaborate::ty::{self, GenericArg, Ty};
use crate::ir::{Atom, Const, Fault, ScalarOp, ScalarType};
use crate::syntax::{self, Constant, Expr, ExprKind, Scalar, SliceDim, Unary};
use std::rc::Rc;

/// What is done with the values of the operands.
type Compute<'a> = Box<dyn FnOnce(&mut Lower, Vec<Value>) -> R<Value> + 'a>;

impl Lower {
    /// The value of an expression.
    pub(super) fn expr(&mut self, expr: &'static Expr) -> R<Value> {
        self.expr_in(expr, Tail::No)
    }

    /// The scalar that an expression computes.
    pub(super) fn scalar(&mut self, expr: &'static Expr) -> R<Atom> {
        let ty = self.ty(expr);
        let value = self.expr(expr)?;
        self.at(expr.span);
        self.atom(&value, &ty)
    }

    /// The value of an expression, which may be what a function or a round ends with.
    pub(super) fn expr_in(&mut self, expr: &'static Expr, tail: Tail) -> R<Value> {
        let mut value = self.expr_value(expr, tail)?;
        // A view that this expression made, and nobody shares yet, remembers so.
        if let Value::Array(array) = &mut value
            && let Some(array) = Rc::get_mut(array)
            && array.made.is_none()
        {
            let source = self.frame.source;
            let span = expr.span;
            array.made = Some(crate::ir::Place { source, span });
        }
        Ok(value)
    }

    fn expr_value(&mut self, expr: &'static Expr, tail: Tail) -> R<Value> {
        use ExprKind as K;
        self.at(expr.span);
        match &expr.kind {
            K::Block(label, block) => {
                let ty = self.tail_type(expr, tail);
                match label {
                    Some(label) => self.labelled_block(label, block, &ty),
                    None => self.block(block, &ty, tail),
                }
            }
            K::If {
                cond,
                then,
                or_else,
            } => {
                let ty = self.tail_type(expr, tail);
                self.if_else(cond, then, *or_else, &ty, tail)
            }
            K::Match(value, arms) => {
                let ty = self.tail_type(expr, tail);
                self.strict(&[value], &ty, |lower, values| {
                    lower.match_arms(&values[0], arms, &ty, tail)
                })
            }
            K::Return(value) => self.return_value(*value, tail),
            K::Break(label, value) => self.break_with(*label, *value),
            K::Continue(label) => self.next_round(*label, tail),
            K::For {
                label,
                pattern,
                iter,
                body,
            } => self.for_loop(*label, pattern, iter, body),
            K::While { label, cond, body } => {
                self.while_loop(*label, Some(cond), body, &Ty::Tuple(vec![]))
            }
            K::Loop { label, body } => {
                let ty = self.ty(expr);
                self.while_loop(*label, None, body, &ty)
            }
            K::Call(callee, _, args) => self.call(expr, callee, args, tail),
            K::Assert { cond, message } => self.assert(cond, message),
            K::Panic(message) => self.panic(message),
            K::And(left, right) => {
                let left = self.scalar(left)?;
                let value = self.and_then(left, |lower| lower.scalar(right))?;
                Ok(Value::Scalar(value))
            }
            K::Or(left, right) => {
                let left = self.scalar(left)?;
                let value = self.or_else(left, |lower| lower.scalar(right))?;
                Ok(Value::Scalar(value))
            }
            K::Let(..) => Ok(Value::Scalar(self.condition(expr)?)),
            _ => self.plain(expr),
        }
    }

    /// In tail position the type is that of the function's result: the expression itself may never end.
    fn tail_type(&self, expr: &'static Expr, tail: Tail) -> Ty {
        if tail == Tail::Function {
            let target = self
                .targets
                .iter()
                .rfind(|target| target.kind == super::env::TargetKind::Function)
                .expect("a function is running");
            return self.env.slots[target.value].ty.clone();
        }
        self.ty(expr)
    }

    /// Runs the operands from left to right, then `compute`; what follows an operand that may have ended the path stands
    /// under a condition.
    pub(super) fn strict<'a>(
        &mut self,
        operands: &[&'static Expr],
        ty: &Ty,
        compute: impl FnOnce(&mut Lower, Vec<Value>) -> R<Value> + 'a,
    ) -> R<Value> {
        let place = self.place;
        self.strict_from(operands, vec![], ty, place, Box::new(compute))
    }

    fn strict_from(
        &mut self,
        operands: &[&'static Expr],
        mut values: Vec<Value>,
        ty: &Ty,
        place: crate::ir::Place,
        compute: Compute<'_>,
    ) -> R<Value> {
        for (k, operand) in operands.iter().enumerate() {
            values.push(self.expr(operand)?);
            if self.env.live == FALSE {
                return Ok(Value::Undef);
            }
            if self.env.live != TRUE {
                let rest = &operands[k + 1..];
                return self.guarded(ty, |lower| {
                    lower.strict_from(rest, values, ty, place, compute)
                });
            }
        }
        self.place = place;
        compute(self, values)
    }

    /// The expressions that neither bind names nor change the flow of control themselves.
    fn plain(&mut self, expr: &'static Expr) -> R<Value> {
        use ExprKind as K;
        let ty = self.ty(expr);
        match &expr.kind {
            K::Int(value, _) => Ok(Value::Scalar(self.integer(*value, &ty))),
            K::Float(digits, _) => Ok(Value::Scalar(float(digits, &ty))),
            K::Bool(value) => Ok(Value::Scalar(Const::bool(*value).into())),
            K::Local(name) => match self.find(name) {
                Some(slot) => Ok(self.env.slots[slot].value.clone()),
                None => Err(self.mistake(
                    Code::Missing,
                    &format!("`{name}` has no value here"),
                    "define it before it is used",
                )),
            },
            K::Constant(_, read) => Ok(self.constant(&read(), &ty)),
            K::ConstParam(k) => match self.frame.typed.generics.get(*k) {
                Some(GenericArg::Const(n)) => Ok(Value::Scalar(Atom::size(*n as u64))),
                _ => Ok(Value::Undef),
            },
            K::AssocConst(of, name) => self.assoc_const(of, name),
            K::Unary(op, operand) => self.strict(&[operand], &ty, |lower, values| match op {
                Unary::Ref | Unary::RefMut | Unary::Deref => Ok(values[0].clone()),
                Unary::Neg => lower.unary(ScalarOp::Neg, &values[0], &ty),
                Unary::Not => lower.unary(ScalarOp::Not, &values[0], &ty),
            }),
            K::Binary(op, left, right) => self.binary(*op, left, right, &ty),
            K::Assign(place, value) => self.strict(&[value], &ty, |lower, values| {
                lower.assign_to(place, values[0].clone())?;
                Ok(Value::unit())
            }),
            K::AssignOp(op, place, value) => self.compound(*op, place, value, expr),
            K::Underscore => Ok(Value::Undef),
            K::Cast(value, _) => {
                let from = self.ty(value);
                self.strict(&[value], &ty, |lower, values| {
                    let atom = lower.atom(&values[0], &from)?;
                    let Ty::Scalar(to) = ty else {
                        return Ok(values[0].clone());
                    };
                    Ok(Value::Scalar(lower.cast(ty::scalar(to), atom)))
                })
            }
            K::Index(base, index) => {
                let (base_ty, index_ty) = (self.ty(base), self.ty(index));
                self.strict(&[base, index], &ty, |lower, values| {
                    lower.subscript(&values[0], &base_ty, &values[1], &index_ty)
                })
            }
            K::Field(base, name) => self.strict(&[base], &ty, |lower, values| {
                if let (Value::Range(range), "start" | "end") = (&values[0], *name) {
                    let end = if *name == "start" {
                        range.low
                    } else {
                        range.high
                    };
                    return Ok(end.map_or(Value::Undef, Value::Scalar));
                }
                let Ok(k) = name.parse() else {
                    return Err(lower.mistake(
                        Code::Missing,
                        "structs are not among the types of kernels",
                        "use a tuple",
                    ));
                };
                lower.member(&values[0], k)
            }),
            K::Tuple(members) => {
                self.strict(&refs(members), &ty, |_, values| Ok(Value::tuple(values)))
            }
            K::Array(members) | K::Vec(members) => {
                let fixed = matches!(expr.kind, K::Array(_));
                self.strict(&refs(members), &ty, |lower, values| {
                    if fixed {
                        return Ok(Value::Fixed(values.into()));
                    }
                    lower.listed(values, &ty)
                })
            }
            K::Repeat(value, _) => {
                let n = match ty {
                    Ty::Array(_, n) => n,
                    _ => 0,
                };
                self.strict(&[value], &ty, |lower, values| {
                    lower.fixed_fill(values[0].clone(), n, &ty)
                })
            }
            K::VecRepeat(value, n) => self.strict(&[value, n], &ty, |lower, values| {
                let n = lower.atom(&values[1], &Ty::Scalar(Scalar::Usize))?;
                lower.fill(vec![n], &values[0], &ty)
            }),
            K::Range {
                low,
                high,
                inclusive,
            } => {
                let ends: Vec<&'static Expr> = low.iter().chain(high.iter()).copied().collect();
                let scalar = match ty {
                    Ty::Range(scalar) => Ty::Scalar(scalar),
                    _ => Ty::Scalar(Scalar::Usize),
                };
                self.strict(&ends, &ty, |lower, values| {
                    let mut values = values.iter();
                    let mut end = |end: &Option<_>| -> R<Option<Atom>> {
                        match end {
                            Some(_) => {
                                let value = values.next().expect("an end");
                                Ok(Some(lower.atom(value, &scalar)?))
                            }
                            None => Ok(None),
                        }
                    };
                    let (low, high) = (end(low)?, end(high)?);
                    Ok(Value::Range(Range {
                        low,
                        high,
                        inclusive: *inclusive,
                    }))
                })
            }
            K::Slice(dims) => {
                let dims = dims.iter().map(|dim| self.axis(dim)).collect::<R<_>>()?;
                Ok(Value::Slice(dims))
            }
            K::Some(value) => self.strict(&[value], &ty, |_, values| {
                Ok(Value::some(values[0].clone()))
            }),
            K::None => Ok(Value::none()),
            K::Closure { params, body, .. } => Ok(Value::Closure(Rc::new(Closure::Expr {
                params,
                body,
                ty,
                env: self.env.clone(),
                frame: self.frame.clone(),
            }))),
            K::Path(callee) => Ok(Value::Closure(Rc::new(Closure::Path {
                expr,
                ty,
                callee: *callee,
                frame: self.frame.clone(),
            }))),
            K::Method {
                receiver,
                name,
                name_span,
                args,
                ..
            } => self.method(expr, receiver, name, *name_span, args),
            _ => Err(self.mistake(
                Code::Missing,
                "this expression cannot stand here",
                "bind its parts to names first",
            )),
        }
    }

    fn axis(&mut self, dim: &'static SliceDim) -> R<Axis> {
        let mut wide = |end: &Option<&'static Expr>| -> R<Option<Atom>> {
            match end {
                Some(end) => {
                    let atom = self.scalar(end)?;
                    Ok(Some(self.cast(ScalarType::I64, atom)))
                }
                None => Ok(None),
            }
        };
        Ok(match dim {
            SliceDim::At(at) => Axis::At(wide(&Some(at))?.expect("an index")),
            SliceDim::Range {
                low,
                high,
                inclusive,
                step,
            } => Axis::Range {
                low: wide(low)?,
                high: wide(high)?,
                inclusive: *inclusive,
                step: wide(step)?,
            },
        })
    }

    /// An integer literal in the type that inference found for it.
    fn integer(&self, value: u128, ty: &Ty) -> Atom {
        let elem = match ty {
            Ty::Scalar(scalar) => ty::scalar(*scalar),
            _ => ScalarType::I32,
        };
        let bits = match elem {
            ScalarType::F32 => (value as f32).to_bits() as u64,
            ScalarType::F64 => (value as f64).to_bits(),
            _ => value as u64 & (u64::MAX >> (64 - elem.bits())),
        };
        Const { ty: elem, bits }.into()
    }

    fn assoc_const(&mut self, of: &syntax::Type, name: &'static str) -> R<Value> {
        if let Some(sign) = super::pattern::ordering(name)
            && !matches!(of, syntax::Type::Scalar(_))
        {
            return Ok(Value::Scalar(Const::i8(sign).into()));
        }
        let ty = describe(of, &self.frame.typed.generics);
        if let Some(Ty::Scalar(scalar)) = ty
            && let Some((scalar, bits)) = assoc::value(scalar, name)
        {
            let ty = ty::scalar(scalar);
            return Ok(Value::Scalar(Const { ty, bits }.into()));
        }
        Err(self.mistake(
            Code::Missing,
            &format!("`{name}` is no constant that kernels know"),
            "define a `const` with its value and use that",
        ))
    }

    /// A constant of the user's crate.
    fn constant(&mut self, constant: &Constant, ty: &Ty) -> Value {
        match (constant, ty) {
            (Constant::Scalar(scalar, bits), _) => {
                let ty = ty::scalar(*scalar);
                Value::Scalar(Const { ty, bits: *bits }.into())
            }
            (Constant::Tuple(members), Ty::Tuple(types)) => Value::Tuple(
                members
                    .iter()
                    .zip(types)
                    .map(|(member, ty)| self.constant(member, ty))
                    .collect(),
            ),
            (Constant::Array(members, ..), Ty::Array(inner, _)) if members.len() <= 4 => {
                Value::Fixed(
                    members
                        .iter()
                        .map(|member| self.constant(member, inner))
                        .collect(),
                )
            }
            (Constant::Array(members, ..), Ty::Array(inner, _) | Ty::Seq(inner)) => {
                let mut columns = vec![];
                let mut shape = vec![members.len()];
                columns_of(members, inner, &mut shape, &mut columns);
                let dims = vec![Atom::size(members.len() as u64)];
                let arrays = columns
                    .into_iter()
                    .map(|(elem, shape, bits)| {
                        let array = self.data(elem, &shape, bits);
                        array.as_var().expect("an array")
                    })
                    .collect();
                Value::stored(dims, (**inner).clone(), arrays)
            }
            _ => Value::Undef,
        }
    }

    /// `base[index]`.
    fn subscript(&mut self, base: &Value, base_ty: &Ty, index: &Value, index_ty: &Ty) -> R<Value> {
        match (index, index_ty) {
            (Value::Scalar(atom), _) => self.element_at(base, base_ty, &[*atom], true),
            (Value::Range(range), Ty::Range(_)) => {
                let array = self.array(base, base_ty)?;
                self.sub_slice(&array, range)
            }
            (_, Ty::FullRange) => Ok(base.clone()),
            (Value::Range(_), _) => Ok(base.clone()),
            (Value::Tuple(_) | Value::Fixed(_) | Value::Array(_), _) => {
                let indices = self.index_list(index, index_ty)?;
                self.element_at(base, base_ty, &indices, true)
            }
            _ => Err(self.mistake(
                Code::Missing,
                "this is no index",
                "index with an integer, with a range, or with `[i, j]`",
            )),
        }
    }

    /// The members of a tuple or fixed array of integers.
    pub(super) fn index_list(&mut self, value: &Value, ty: &Ty) -> R<Vec<Atom>> {
        let count = match ty {
            Ty::Tuple(types) => types.len(),
            Ty::Array(_, n) => *n,
            _ => 1,
        };
        if let Value::Scalar(atom) = value {
            return Ok(vec![*atom]);
        }
        (0..count)
            .map(|k| {
                let member = self.member(value, k)?;
                self.atom(&member, &Ty::Scalar(Scalar::Usize))
            })
            .collect()
    }

    /// The element at indices as the user wrote them; tested if `checked`.
    pub(super) fn element_at(
        &mut self,
        base: &Value,
        ty: &Ty,
        indices: &[Atom],
        checked: bool,
    ) -> R<Value> {
        match (base, indices) {
            (Value::Fixed(members), [Atom::Const(k)]) if (k.bits as usize) < members.len() => {
                return Ok(members[k.bits as usize].clone());
            }
            (Value::Undef, _) => return Ok(Value::Undef),
            _ => {}
        }
        let array = self.array(base, ty)?;
        if indices.len() != array.dims.len() {
            return Err(self.mistake(
                Code::Missing,
                "an element has one index for each dimension",
                "use `row` or `slice` for a part of an array",
            ));
        }
        if let (Source::Stored(vars, prefix), true) = (&array.source, checked)
            && prefix.is_empty()
            && self.unsigned(indices)
            && matches!(array.elem, Ty::Scalar(_))
        {
            let at = indices
                .iter()
                .map(|&index| self.cast(ScalarType::U64, index))
                .collect();
            return Ok(Value::Scalar(self.index(vars[0], at, true)));
        }
        let mut at = vec![];
        self.indices_inside(indices, &array.dims.clone(), checked, &mut at)?;
        self.element(&array, &at)
    }

    /// Two lengths that must be equal become one.
    pub(super) fn same_length(&mut self, a: Atom, b: Atom) -> Atom {
        self.same(Fault::LengthMismatch, a, b)
    }

    /// Two sizes that must be equal become one.
    pub(super) fn same(&mut self, fault: Fault, a: Atom, b: Atom) -> Atom {
        let equal = self.op(ScalarOp::Eq, &[a, b]);
        self.check(fault, equal, vec![a, b]);
        if b.as_const().is_some() { b } else { a }
    }
}

fn refs(exprs: &'static [Expr]) -> Vec<&'static Expr> {
    exprs.iter().collect()
}

fn float(digits: &str, ty: &Ty) -> Atom {
    match ty {
        Ty::Scalar(Scalar::F32) => Const::f32(digits.parse().unwrap_or(f32::NAN)).into(),
        _ => Const::f64(digits.parse().unwrap_or(f64::NAN)).into(),
    }
}

/// The leaves of constant elements: type, shape and bits of each.
type Column = (ScalarType, Vec<usize>, Vec<u64>);

fn columns_of(members: &[Constant], ty: &Ty, shape: &mut Vec<usize>, columns: &mut Vec<Column>) {
    match ty {
        Ty::Tuple(types) => {
            for (k, ty) in types.iter().enumerate() {
                let parts: Vec<Constant> = members
                    .iter()
                    .filter_map(|member| match member {
                        Constant::Tuple(parts) => parts.get(k).cloned(),
                        _ => None,
                    })
                    .collect();
                columns_of(&parts, ty, shape, columns);
            }
        }
        Ty::Array(inner, n) => {
            let parts: Vec<Constant> = members
                .iter()
                .flat_map(|member| match member {
                    Constant::Array(parts, ..) => parts.clone(),
                    _ => vec![],
                })
                .collect();
            shape.push(*n);
            columns_of(&parts, inner, shape, columns);
            shape.pop();
        }
        Ty::Scalar(scalar) => {
            let bits = members
                .iter()
                .map(|member| match member {
                    Constant::Scalar(_, bits) => *bits,
                    _ => 0,
                })
                .collect();
            columns.push((ty::scalar(*scalar), shape.clone(), bits));
        }
        _ => {}
    }
}
