//! Operators: arithmetic, comparison, contraction.

use super::value::{Array, Value};
use super::{Code, Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Fault, ScalarOp};
use crate::syntax::{Binary, Expr, ExprKind, Unary};

impl Lower {
    /// `op value`.
    pub(super) fn unary(&mut self, op: ScalarOp, value: &Value, ty: &Ty) -> R<Value> {
        if let (Value::Array(array), Ty::Nd(_, inner)) = (value, ty) {
            let (array, inner) = (array.clone(), (**inner).clone());
            let elem = array.elem.clone();
            return self.eager(array.dims.clone(), inner, &move |lower, at| {
                let value = lower.element(&array, at)?;
                lower.unary(op, &value, &elem)
            });
        }
        let atom = self.atom(value, ty)?;
        Ok(Value::Scalar(self.op(op, &[atom])))
    }

    /// `left op right`; in a kernel that contracts, a product under a sum is part of one operation.
    pub(super) fn binary(
        &mut self,
        op: Binary,
        left: &'static Expr,
        right: &'static Expr,
        ty: &Ty,
    ) -> R<Value> {
        if let Some((factors, other, product_first)) = self.contraction(op, left, right) {
            let operands = if product_first {
                [factors[0], factors[1], other]
            } else {
                [other, factors[0], factors[1]]
            };
            return self.strict(&operands, ty, |lower, values| {
                let mut atoms = vec![];
                for value in &values {
                    atoms.push(lower.atom(value, ty)?);
                }
                if !product_first {
                    atoms.rotate_left(1);
                }
                Ok(Value::Scalar(lower.fused(
                    op,
                    [atoms[0], atoms[1]],
                    atoms[2],
                    product_first,
                )))
            });
        }
        let left_ty = self.ty(left);
        let right_ty = self.ty(right);
        self.strict(&[left, right], ty, |lower, values| {
            lower.binary_typed(op, (&values[0], &left_ty), (&values[1], &right_ty))
        })
    }

    /// `place op= value`.
    pub(super) fn compound(
        &mut self,
        op: Binary,
        place: &'static Expr,
        value: &'static Expr,
        expr: &'static Expr,
    ) -> R<Value> {
        let unit = Ty::Tuple(vec![]);
        let ty = self.ty(place);
        if let Some(factors) = self.factors(value)
            && matches!(op, Binary::Add | Binary::Sub)
            && self.contracts(&ty)
        {
            return self.strict(&factors, &unit, |lower, values| {
                let a = lower.atom(&values[0], &ty)?;
                let b = lower.atom(&values[1], &ty)?;
                lower.replace(place, |lower, old| {
                    let old = lower.atom(old, &ty)?;
                    Ok(Value::Scalar(lower.fused(op, [a, b], old, false)))
                })?;
                Ok(Value::unit())
            });
        }
        let value_ty = self.ty(value);
        self.strict(&[value], &unit, |lower, values| {
            lower.assign_op(op, place, (&values[0], &value_ty), expr.span)?;
            Ok(Value::unit())
        })
    }

    fn contracts(&self, ty: &Ty) -> bool {
        self.frame.typed.kernel.contract
            && matches!(
                ty,
                Ty::Scalar(crate::syntax::Scalar::F32 | crate::syntax::Scalar::F64)
            )
    }

    /// The factors of a product.
    fn factors(&self, expr: &'static Expr) -> Option<[&'static Expr; 2]> {
        match &expr.kind {
            ExprKind::Binary(Binary::Mul, a, b) => Some([a, b]),
            ExprKind::Unary(Unary::Ref | Unary::Deref, inner) => self.factors(inner),
            _ => None,
        }
    }

    fn contraction(
        &self,
        op: Binary,
        left: &'static Expr,
        right: &'static Expr,
    ) -> Option<([&'static Expr; 2], &'static Expr, bool)> {
        if !matches!(op, Binary::Add | Binary::Sub)
            || !self.contracts(self.frame.typed.ty(left))
            || !self.contracts(self.frame.typed.ty(right))
        {
            return None;
        }
        match (self.factors(left), self.factors(right)) {
            (Some(factors), _) => Some((factors, right, true)),
            (None, Some(factors)) => Some((factors, left, false)),
            (None, None) => None,
        }
    }

    /// `a * b + c`, `a * b - c`, or, where the product is not the first operand, `c - a * b`, with one rounding.
    fn fused(&mut self, op: Binary, [a, b]: [Atom; 2], c: Atom, product_first: bool) -> Atom {
        let (a, c) = match (op, product_first) {
            (Binary::Sub, true) => (a, self.op(ScalarOp::Neg, &[c])),
            (Binary::Sub, false) => (self.op(ScalarOp::Neg, &[a]), c),
            _ => (a, c),
        };
        self.op(ScalarOp::Fma, &[a, b, c])
    }

    /// An operator on values that exist already, both of type `ty`, or a shift.
    pub(super) fn binary_typed(
        &mut self,
        op: Binary,
        (left, left_ty): (&Value, &Ty),
        (right, right_ty): (&Value, &Ty),
    ) -> R<Value> {
        match op {
            Binary::Eq => return Ok(Value::Scalar(self.equal(left, right, left_ty)?)),
            Binary::Ne => {
                if matches!(left_ty, Ty::Scalar(_)) {
                    let (a, b) = (self.atom(left, left_ty)?, self.atom(right, right_ty)?);
                    return Ok(Value::Scalar(self.op(ScalarOp::Ne, &[a, b])));
                }
                let equal = self.equal(left, right, left_ty)?;
                return Ok(Value::Scalar(self.not(equal)));
            }
            Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => {
                return Ok(Value::Scalar(self.ordered(
                    row(op),
                    left,
                    right,
                    left_ty,
                )?));
            }
            _ => {}
        }
        if matches!(left_ty, Ty::Nd(..)) || matches!(right_ty, Ty::Nd(..)) {
            return self.elementwise(op, (left, left_ty), (right, right_ty));
        }
        let a = self.atom(left, left_ty)?;
        let mut b = self.atom(right, right_ty)?;
        if matches!(op, Binary::Shl | Binary::Shr) {
            b = self.cast(self.elem(a), b);
        }
        Ok(Value::Scalar(self.op(row(op), &[a, b])))
    }

    /// An operator of ndarray: on two arrays of one shape, on an array and one of fewer dimensions, which every sub-array of
    /// that shape meets (ndarray's broadcasting), or on an array and a scalar.
    fn elementwise(
        &mut self,
        op: Binary,
        (left, left_ty): (&Value, &Ty),
        (right, right_ty): (&Value, &Ty),
    ) -> R<Value> {
        let side = |lower: &mut Lower, value: &Value, ty: &Ty| match ty {
            Ty::Nd(..) => lower.array(value, ty).map(Some),
            _ => Ok(None),
        };
        let (a, b) = (side(self, left, left_ty)?, side(self, right, right_ty)?);
        let mut dims = vec![];
        match (&a, &b) {
            (Some(a), Some(b)) => {
                let rank = a.dims.len().max(b.dims.len());
                let (more_a, more_b) = (rank - a.dims.len(), rank - b.dims.len());
                dims.extend(a.dims[..more_b].iter().chain(&b.dims[..more_a]));
                for (&m, &n) in a.dims[more_b..].iter().zip(&b.dims[more_a..]) {
                    dims.push(self.same(Fault::ShapeMismatch, m, n));
                }
            }
            (Some(a), None) => dims.clone_from(&a.dims),
            (None, Some(b)) => dims.clone_from(&b.dims),
            (None, None) => {}
        }
        let elem = |array: &Option<std::rc::Rc<super::value::Array>>, ty: &Ty| match array {
            Some(array) => array.elem.clone(),
            None => ty.clone(),
        };
        let (left_elem, right_elem) = (elem(&a, left_ty), elem(&b, right_ty));
        let result = if a.is_some() {
            left_elem.clone()
        } else {
            right_elem.clone()
        };
        let (left, right) = (left.clone(), right.clone());
        self.eager(dims, result, &move |lower, at| {
            // An array of fewer dimensions has the last ones.
            let own = |array: &Array| at[at.len() - array.dims.len()..].to_vec();
            let x = match &a {
                Some(array) => lower.element(array, &own(array))?,
                None => left.clone(),
            };
            let y = match &b {
                Some(array) => lower.element(array, &own(array))?,
                None => right.clone(),
            };
            lower.binary_typed(op, (&x, &left_elem), (&y, &right_elem))
        })
    }

    /// `<`, `<=`, `>`, `>=`: of tuples and fixed arrays in lexicographic order.
    pub(super) fn ordered(
        &mut self,
        op: ScalarOp,
        left: &Value,
        right: &Value,
        ty: &Ty,
    ) -> R<Atom> {
        let types: Vec<Ty> = match ty {
            Ty::Tuple(types) => types.clone(),
            Ty::Array(inner, n) => vec![(**inner).clone(); *n],
            Ty::Scalar(_) | Ty::Ordering => {
                let (a, b) = (self.atom(left, ty)?, self.atom(right, ty)?);
                return Ok(self.op(op, &[a, b]));
            }
            _ => {
                return Err(self.mistake(
                    Code::Missing,
                    "values of this type cannot be ordered in kernels",
                    "compare the numbers that they consist of",
                ));
            }
        };
        let (strict, reflexive) = match op {
            ScalarOp::Le => (ScalarOp::Lt, true),
            ScalarOp::Ge => (ScalarOp::Gt, true),
            op => (op, false),
        };
        let mut result = crate::ir::Const::bool(reflexive).into();
        for (k, ty) in types.iter().enumerate().rev() {
            let (a, b) = (self.member(left, k)?, self.member(right, k)?);
            let equal = self.equal(&a, &b, ty)?;
            let one = self.ordered(strict, &a, &b, ty)?;
            result = self.op(ScalarOp::Select, &[equal, result, one]);
        }
        Ok(result)
    }
}

/// The operation that an operator means on scalars.
fn row(op: Binary) -> ScalarOp {
    match op {
        Binary::Add => ScalarOp::Add,
        Binary::Sub => ScalarOp::Sub,
        Binary::Mul => ScalarOp::Mul,
        Binary::Div => ScalarOp::Div,
        Binary::Rem => ScalarOp::Rem,
        Binary::BitAnd => ScalarOp::And,
        Binary::BitOr => ScalarOp::Or,
        Binary::BitXor => ScalarOp::Xor,
        Binary::Shl => ScalarOp::Shl,
        Binary::Shr => ScalarOp::Shr,
        Binary::Eq => ScalarOp::Eq,
        Binary::Ne => ScalarOp::Ne,
        Binary::Lt => ScalarOp::Lt,
        Binary::Le => ScalarOp::Le,
        Binary::Gt => ScalarOp::Gt,
        Binary::Ge => ScalarOp::Ge,
    }
}
