//! Operators, indices, fields, casts and constant lengths.

use super::mistake::OWN;
use super::unify::{Class, Id, Node, is_integer};
use super::wait::Obligation;
use super::{Checked, Code, Infer};
use crate::syntax::{Binary, Constant, Expr, ExprKind, Scalar, Span, Type, Unary};

impl Infer {
    /// `left op right`.
    pub(super) fn binary(
        &mut self,
        op: Binary,
        left: &'static Expr,
        right: &'static Expr,
        span: Span,
    ) -> Checked<Id> {
        let left_ty = self.expr(left, None)?;
        let right_ty = self.expr(right, None)?;
        if self.types.is_unknown(left_ty) || self.types.is_unknown(right_ty) {
            self.progress()?;
        }
        if self.types.is_never(left_ty) || self.types.is_never(right_ty) {
            return Ok(self.never());
        }
        match op {
            Binary::Shl | Binary::Shr => {
                self.shift_amount(right_ty, right.span)?;
                Ok(left_ty)
            }
            Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => {
                self.join(Some(left_ty), right_ty, right.span)?;
                Ok(self.bool())
            }
            _ => {
                let result = self.types.any();
                self.require(Obligation::Operator {
                    op,
                    left: left_ty,
                    right: right_ty,
                    result,
                    span,
                })?;
                Ok(result)
            }
        }
    }

    /// The amount of a shift: any integer, whatever is shifted.
    pub(super) fn shift_amount(&mut self, amount: Id, span: Span) -> Checked<()> {
        if self.types.is_unknown(amount) {
            let integer = self.types.var(Class::Int);
            self.unify(amount, integer, span)?;
        }
        Ok(())
    }

    /// Arithmetic and bitwise operators: on scalars of one type, and element by element on ndarray's arrays.
    pub(super) fn operator(
        &mut self,
        op: Binary,
        left: Id,
        right: Id,
        result: Id,
        span: Span,
    ) -> Checked<bool> {
        let value = match (self.types.get(left), self.types.get(right)) {
            (Node::Nd(r, x), Node::Nd(s, y)) => {
                let (rank, x, y) = (*r.max(s), *x, *y);
                self.unify(y, x, span)?;
                self.add(Node::Nd(rank, x))
            }
            (Node::Nd(_, x), _) if self.types.is_scalar(right) => {
                let x = *x;
                self.unify(right, x, span)?;
                left
            }
            (_, Node::Nd(_, y)) if self.types.is_scalar(left) => {
                let y = *y;
                self.unify(left, y, span)?;
                right
            }
            (Node::Var(Class::Any), _) | (_, Node::Var(Class::Any)) => return Ok(false),
            _ if self.types.is_scalar(left) && self.types.is_scalar(right) => {
                self.unify(right, left, span)?;
                self.check_operand(op, left, span)?;
                left
            }
            _ => return Err(self.no_operator(op, left, right, span)),
        };
        self.unify(value, result, span)?;
        Ok(true)
    }

    fn check_operand(&mut self, op: Binary, ty: Id, span: Span) -> Checked<()> {
        let bitwise = matches!(op, Binary::BitAnd | Binary::BitOr | Binary::BitXor);
        let fits = match self.types.get(ty) {
            Node::Scalar(Scalar::Bool) => bitwise,
            Node::Scalar(Scalar::F32 | Scalar::F64) | Node::Var(Class::Float) => !bitwise,
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(self.no_operator(op, ty, ty, span))
        }
    }

    fn no_operator(
        &self,
        op: Binary,
        left: Id,
        right: Id,
        span: Span,
    ) -> crate::elaborate::ty::Mistake {
        let (l, r) = (self.types.spell(left), self.types.spell(right));
        self.mistake(
            Code::Operator,
            span,
            format!("`{}` is no operator of `{l}` and `{r}` in kernels", sign(op)),
            format!(
                "use it on scalars of one type or on ndarray arrays; on sequences write `x.zip(y).map(|(x, y)| …)`{OWN}"
            ),
        )
    }

    /// `op value`.
    pub(super) fn unary(
        &mut self,
        op: Unary,
        value: &'static Expr,
        want: Option<Id>,
    ) -> Checked<Id> {
        let ty = self.expr(value, want)?;
        let fits = match (op, self.types.get(ty)) {
            (Unary::Ref | Unary::RefMut | Unary::Deref, _)
            | (_, Node::Var(Class::Any) | Node::Never) => true,
            (Unary::Neg, Node::Scalar(s)) => *s != Scalar::Bool,
            (Unary::Not, Node::Scalar(s)) => is_integer(*s) || *s == Scalar::Bool,
            (Unary::Not, Node::Var(Class::Float)) => false,
            (_, Node::Var(_) | Node::Nd(..)) => true,
            _ => false,
        };
        if fits {
            return Ok(ty);
        }
        let text = format!("this operator is none of `{}`", self.types.spell(ty));
        Err(self.mistake(
            Code::Operator,
            value.span,
            text,
            format!("use it on scalars or ndarray arrays{OWN}"),
        ))
    }

    /// `place op= value`.
    pub(super) fn assign_op(
        &mut self,
        op: Binary,
        place: &'static Expr,
        value: &'static Expr,
        span: Span,
    ) -> Checked<()> {
        let value_ty = self.expr(value, None)?;
        let place_ty = self.expr(place, None)?;
        if self.types.is_never(value_ty) {
            return Ok(());
        }
        if matches!(op, Binary::Shl | Binary::Shr) {
            return self.shift_amount(value_ty, value.span);
        }
        let result = place_ty;
        self.require(Obligation::Operator {
            op,
            left: place_ty,
            right: value_ty,
            result,
            span,
        })
    }

    /// `base.name`: a member of a tuple, or an end of a range.
    pub(super) fn field(
        &mut self,
        base: Id,
        name: &'static str,
        result: Id,
        span: Span,
    ) -> Checked<bool> {
        let member = match self.types.get(base) {
            Node::Var(Class::Any) => return Ok(false),
            Node::Never => return Ok(true),
            Node::Tuple(members) => name
                .parse()
                .ok()
                .and_then(|i: usize| members.get(i))
                .copied(),
            Node::Range(end) if matches!(name, "start" | "end") => Some(*end),
            _ => None,
        };
        let Some(member) = member else {
            let text = format!("`{}` has no field `{name}`", self.types.spell(base));
            let remedy = format!("tuples have `.0`, `.1`, …{OWN}");
            return Err(self.mistake(Code::Field, span, text, remedy));
        };
        self.unify(member, result, span)?;
        Ok(true)
    }

    /// `base[index]`.
    pub(super) fn index(&mut self, base: Id, index: Id, result: Id, span: Span) -> Checked<bool> {
        let index = self.types.find(index);
        let usize = self.usize();
        let value = match (self.types.get(base), self.types.get(index)) {
            (Node::Never, _) | (_, Node::Never) => return Ok(true),
            (Node::Var(_), _) | (_, Node::Var(Class::Any)) => return Ok(false),
            (Node::Seq(x) | Node::Array(x, _) | Node::Nd(1, x), Node::Scalar(_) | Node::Var(_)) => {
                let x = *x;
                self.index_type(index, usize, span)?;
                x
            }
            (Node::Seq(x) | Node::Array(x, _), Node::Range(end)) => {
                let (x, end) = (*x, *end);
                self.index_type(end, usize, span)?;
                self.seq(x)
            }
            (Node::Seq(x) | Node::Array(x, _), Node::FullRange) => {
                let x = *x;
                self.seq(x)
            }
            (Node::Nd(rank, x), Node::Array(i, len)) => {
                let (rank, x, i, len) = (*rank, *x, *i, *len);
                let rank = self.add(Node::Len(rank));
                self.types
                    .unify(len, rank)
                    .map_err(|_| self.no_index(base, index, span))?;
                self.index_type(i, usize, span)?;
                x
            }
            (Node::Nd(rank, x), Node::Tuple(members)) if *rank == members.len() => {
                let (x, members) = (*x, members.clone());
                for member in members {
                    self.index_type(member, usize, span)?;
                }
                x
            }
            _ => return Err(self.no_index(base, index, span)),
        };
        self.unify(value, result, span)?;
        Ok(true)
    }

    fn index_type(&mut self, index: Id, usize: Id, span: Span) -> Checked<()> {
        self.types.unify(index, usize).map_err(|_| {
            let text = format!("an index of type `{}`", self.types.spell(index));
            self.mistake(Code::Index, span, text, "convert it with `as usize`")
        })
    }

    fn no_index(&self, base: Id, index: Id, span: Span) -> crate::elaborate::ty::Mistake {
        let text = format!(
            "`{}` cannot be indexed by `{}`",
            self.types.spell(base),
            self.types.spell(index)
        );
        self.mistake(
            Code::Index,
            span,
            text,
            format!(
                "write `x[i]` or `&x[a..b]` on sequences, `u[[i, j]]` or `u.slice(s![…])` on ndarray arrays{OWN}"
            ),
        )
    }

    /// `value as ty`. A literal takes the type that it is cast to where it can have it.
    pub(super) fn cast(
        &mut self,
        expr: &'static Expr,
        value: &'static Expr,
        ty: &'static Type,
    ) -> Checked<Id> {
        let from = self.expr(value, None)?;
        let to = self.written(ty, expr.span)?;
        if is_literal(value) {
            let fits = match (self.types.get(from), self.types.get(to)) {
                (Node::Var(Class::Int), Node::Scalar(s)) => is_integer(*s),
                (Node::Var(Class::Float), Node::Scalar(s)) => {
                    matches!(s, Scalar::F32 | Scalar::F64)
                }
                _ => false,
            };
            if fits {
                self.unify(from, to, expr.span)?;
            }
        }
        self.casts.push((expr, from, to));
        Ok(to)
    }

    /// Whether a cast, now that its types are known, is one of Rust's.
    pub(super) fn check_cast(&self, span: Span, from: Id, to: Id) -> Checked<()> {
        let scalar = |id: Id| match self.types.get(id) {
            Node::Scalar(s) => Some(*s),
            Node::Var(Class::Int) => Some(Scalar::I32),
            Node::Var(Class::Float) => Some(Scalar::F64),
            _ => None,
        };
        let casts = match (scalar(from), scalar(to)) {
            (Some(Scalar::Bool), Some(to)) => to == Scalar::Bool || is_integer(to),
            (Some(_), Some(to)) => to != Scalar::Bool,
            _ => self.types.is_never(from),
        };
        if casts {
            return Ok(());
        }
        let (f, t) = (self.types.spell(from), self.types.spell(to));
        let text = format!("`{f}` does not cast to `{t}`");
        Err(self.mistake(
            Code::Cast,
            span,
            text,
            "cast between numbers; compare for a `bool`",
        ))
    }

    /// The value of an expression that has to be a constant: the length of a fixed array.
    pub(super) fn constant_length(&mut self, expr: &'static Expr) -> Checked<Id> {
        if let ExprKind::ConstParam(i) = &expr.kind {
            let generics = self.generics.clone();
            return Ok(self.generic(*i, &generics));
        }
        match self.constant(expr) {
            Some(n) => Ok(self.add(Node::Len(n))),
            None => Err(self.mistake(
                Code::Length,
                expr.span,
                "the length of a fixed array is not a constant here",
                "write a literal, a constant or a const parameter, or `vec![v; n]` for a length that is computed",
            )),
        }
    }

    fn constant(&self, expr: &Expr) -> Option<usize> {
        match &expr.kind {
            ExprKind::Int(n, _) => usize::try_from(*n).ok(),
            ExprKind::ConstParam(i) => self.types.len(*self.generics.get(*i)?),
            ExprKind::Constant(_, value) => match value() {
                Constant::Scalar(ty, bits) if is_integer(ty) => usize::try_from(bits).ok(),
                _ => None,
            },
            ExprKind::Cast(value, _) => self.constant(value),
            ExprKind::Block(None, block) if block.stmts.is_empty() => self.constant(block.value?),
            ExprKind::Binary(op, left, right) => {
                let (l, r) = (self.constant(left)?, self.constant(right)?);
                match op {
                    Binary::Add => l.checked_add(r),
                    Binary::Sub => l.checked_sub(r),
                    Binary::Mul => l.checked_mul(r),
                    Binary::Div => l.checked_div(r),
                    Binary::Rem => l.checked_rem(r),
                    Binary::Shl => l.checked_shl(u32::try_from(r).ok()?),
                    Binary::Shr => l.checked_shr(u32::try_from(r).ok()?),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// A number literal, possibly negative.
fn is_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Int(_, None) | ExprKind::Float(_, None) => true,
        ExprKind::Unary(Unary::Neg, value) => is_literal(value),
        _ => false,
    }
}

/// The operator as written.
fn sign(op: Binary) -> &'static str {
    match op {
        Binary::Add => "+",
        Binary::Sub => "-",
        Binary::Mul => "*",
        Binary::Div => "/",
        Binary::Rem => "%",
        Binary::BitAnd => "&",
        Binary::BitOr => "|",
        Binary::BitXor => "^",
        Binary::Shl => "<<",
        Binary::Shr => ">>",
        Binary::Eq => "==",
        Binary::Ne => "!=",
        Binary::Lt => "<",
        Binary::Le => "<=",
        Binary::Gt => ">",
        Binary::Ge => ">=",
    }
}
