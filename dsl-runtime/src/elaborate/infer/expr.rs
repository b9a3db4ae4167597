//! Expressions and control flow.

use super::unify::{Class, Id, Node};
use super::wait::Obligation;
use super::{Checked, Code, Frame, Infer};
use crate::elaborate::method::assoc;
use crate::syntax::{
    Arm, Block, Constant, Expr, ExprKind, Format, FormatPart, Pattern, SliceDim, Span, Type,
};

impl Infer {
    /// Types an expression. `want` is what its place expects, if anything: closures take the types of their parameters
    /// from it.
    pub(super) fn expr(&mut self, expr: &'static Expr, want: Option<Id>) -> Checked<Id> {
        let ty = self.form(expr, want)?;
        if self.types.is_never(ty) {
            self.diverges = true;
        }
        self.exprs.push((expr, ty));
        Ok(ty)
    }

    /// Types an expression whose place expects a type.
    pub(super) fn check(&mut self, expr: &'static Expr, expected: Id) -> Checked<()> {
        let found = self.expr(expr, Some(expected))?;
        self.coerce(found, expected, expr.span)
    }

    fn check_usize(&mut self, expr: &'static Expr) -> Checked<()> {
        let usize = self.usize();
        self.check(expr, usize)
    }

    fn form(&mut self, expr: &'static Expr, want: Option<Id>) -> Checked<Id> {
        let span = expr.span;
        Ok(match &expr.kind {
            ExprKind::Int(_, Some(s)) | ExprKind::Float(_, Some(s)) => self.types.scalar(*s),
            ExprKind::Int(_, None) => self.types.var(Class::Int),
            ExprKind::Float(_, None) => self.types.var(Class::Float),
            ExprKind::Bool(_) => self.bool(),
            ExprKind::Local(name) => self.local(name, span)?,
            ExprKind::Constant(_, value) => self.constant_type(&value(), span)?,
            ExprKind::ConstParam(_) => self.usize(),
            ExprKind::AssocConst(ty, name) => self.assoc_const(ty, name, span)?,
            ExprKind::Unary(op, value) => self.unary(*op, value, want)?,
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, span)?,
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                let bool = self.bool();
                self.check(left, bool)?;
                let before = self.diverges;
                self.check(right, bool)?;
                self.diverges = before;
                bool
            }
            ExprKind::Assign(place, value) => {
                self.assign(place, value)?;
                self.types.unit()
            }
            ExprKind::AssignOp(op, place, value) => {
                self.assign_op(*op, place, value, span)?;
                self.types.unit()
            }
            ExprKind::Underscore => self.types.any(),
            ExprKind::Cast(value, ty) => self.cast(expr, value, ty)?,
            ExprKind::Index(base, index) => {
                let base = self.expr(base, None)?;
                let index = self.expr(index, None)?;
                let result = self.types.any();
                self.require(Obligation::Index {
                    base,
                    index,
                    result,
                    span,
                })?;
                result
            }
            ExprKind::Field(base, name) => {
                let base = self.expr(base, None)?;
                let base = self.known(base)?;
                let result = self.types.any();
                self.require(Obligation::Field {
                    base,
                    name,
                    result,
                    span,
                })?;
                result
            }
            ExprKind::Tuple(members) => self.tuple(members, want)?,
            ExprKind::Array(members) => {
                let element = self.elements(members, want)?;
                self.fixed(element, members.len())
            }
            ExprKind::Repeat(value, len) => {
                let element = self.expr(value, None)?;
                self.check_usize(len)?;
                let len = self.constant_length(len)?;
                self.add(Node::Array(element, len))
            }
            ExprKind::Vec(members) => {
                let element = self.elements(members, want)?;
                self.seq(element)
            }
            ExprKind::VecRepeat(value, len) => {
                let element = self.expr(value, None)?;
                self.check_usize(len)?;
                self.seq(element)
            }
            ExprKind::Range { low, high, .. } => self.range(*low, *high)?,
            ExprKind::Slice(dims) => self.slice(dims)?,
            ExprKind::Some(value) => {
                let of = want.and_then(|w| self.types.element(w));
                let of = self.expr(value, of)?;
                self.add(Node::Option(of))
            }
            ExprKind::None => {
                let of = self.types.any();
                self.add(Node::Option(of))
            }
            ExprKind::Let(pattern, value) => {
                let ty = self.expr(value, None)?;
                self.pattern(pattern, ty)?;
                self.bool()
            }
            ExprKind::If {
                cond,
                then,
                or_else,
            } => self.branch(cond, then, *or_else, want)?,
            ExprKind::Match(value, arms) => self.arms(value, arms, want)?,
            ExprKind::For {
                label,
                pattern,
                iter,
                body,
            } => self.for_loop(*label, pattern, iter, body)?,
            ExprKind::While { label, cond, body } => {
                let mark = self.scope.len();
                let before = self.diverges;
                let bool = self.bool();
                let unit = self.types.unit();
                self.enter(*label, true, unit);
                self.check(cond, bool)?;
                self.block(body, None)?;
                self.frames.pop();
                self.scope.truncate(mark);
                self.diverges = before;
                unit
            }
            ExprKind::Loop { label, body } => {
                let result = self.types.any();
                self.enter(*label, true, result);
                let before = self.diverges;
                self.block(body, None)?;
                self.leave(before, result)
            }
            ExprKind::Block(Some(label), block) => {
                let result = self.types.any();
                self.enter(Some(label), false, result);
                let before = self.diverges;
                let value = self.block(block, want)?;
                if !self.types.is_never(value) {
                    self.coerce(value, result, span)?;
                    if let Some(frame) = self.frames.last_mut() {
                        frame.left = true;
                    }
                }
                self.leave(before, result)
            }
            ExprKind::Block(None, block) => self.block(block, want)?,
            ExprKind::Break(label, value) => {
                self.break_out(*label, *value, span)?;
                self.never()
            }
            ExprKind::Continue(label) => {
                self.frame(*label, true, span)?;
                self.never()
            }
            ExprKind::Return(value) => {
                let expected = self.returns.last().copied();
                let (found, place) = match value {
                    Some(value) => (self.expr(value, expected)?, value.span),
                    None => (self.types.unit(), span),
                };
                if let Some(expected) = expected {
                    self.coerce(found, expected, place)?;
                }
                self.never()
            }
            ExprKind::Closure {
                params,
                result,
                body,
            } => self.closure(params, result, body, want, span)?,
            ExprKind::Call(callee, turbofish, args) => self.call(expr, *callee, turbofish, args)?,
            ExprKind::Method {
                receiver,
                name,
                name_span,
                turbofish,
                args,
            } => self.method(receiver, name, *name_span, turbofish, args)?,
            ExprKind::Path(callee) => self.path(expr, *callee)?,
            ExprKind::Assert { cond, message } => {
                let bool = self.bool();
                let since = self.exprs.len();
                self.check(cond, bool)?;
                let sides = self.sides(cond, since);
                let before = self.diverges;
                self.format(message, &sides)?;
                self.diverges = before;
                self.types.unit()
            }
            ExprKind::Panic(message) => {
                self.format(message, &[])?;
                self.never()
            }
        })
    }

    /// The type of a name in scope.
    pub(super) fn local(&mut self, name: &'static str, span: Span) -> Checked<Id> {
        match self.scope.iter().rev().find(|(n, _)| *n == name) {
            Some((_, ty)) => Ok(*ty),
            None => Err(self.mistake(
                Code::Refused,
                span,
                format!("`{name}` is not a variable of this kernel"),
                "pass it as an argument",
            )),
        }
    }

    fn constant_type(&mut self, value: &Constant, span: Span) -> Checked<Id> {
        Ok(match value {
            Constant::Scalar(scalar, _) => self.types.scalar(*scalar),
            Constant::Tuple(members) => {
                let mut types = vec![];
                for member in members {
                    types.push(self.constant_type(member, span)?);
                }
                self.add(Node::Tuple(types))
            }
            Constant::Array(members, element, is_slice) => {
                let element = self.written_with(element, &[], span)?;
                if *is_slice {
                    self.seq(element)
                } else {
                    self.fixed(element, members.len())
                }
            }
        })
    }

    fn assoc_const(&mut self, ty: &'static Type, name: &'static str, span: Span) -> Checked<Id> {
        let own = self.written(ty, span)?;
        if let Node::Scalar(scalar) = self.types.get(own)
            && let Some((ty, _)) = assoc::value(*scalar, name)
        {
            return Ok(self.types.scalar(ty));
        }
        let text = format!(
            "`{}` has no constant `{name}` in kernels",
            self.types.spell(own)
        );
        Err(self.mistake(
            Code::Function,
            span,
            text,
            "pass the value as an argument, or name a `const` of your own",
        ))
    }

    /// `place = value`: the place may take a tuple or an array apart.
    fn assign(&mut self, place: &'static Expr, value: &'static Expr) -> Checked<()> {
        if !is_destructuring(place) {
            let expected = self.expr(place, None)?;
            return self.check(value, expected);
        }
        let ty = self.expr(value, None)?;
        self.take_apart(place, ty)
    }

    fn take_apart(&mut self, place: &'static Expr, ty: Id) -> Checked<()> {
        let is_rest = |e: &Expr| {
            matches!(
                e.kind,
                ExprKind::Range {
                    low: None,
                    high: None,
                    ..
                }
            )
        };
        let members = match &place.kind {
            ExprKind::Tuple(members) | ExprKind::Array(members) => *members,
            _ => {
                let expected = self.expr(place, None)?;
                return self.coerce(ty, expected, place.span);
            }
        };
        self.exprs.push((place, ty));
        let known = self.known(ty)?;
        let rest = members.iter().position(is_rest);
        let types = match (self.types.get(known), &place.kind) {
            (Node::Tuple(types), ExprKind::Tuple(_)) => types.clone(),
            (Node::Array(element, len), ExprKind::Array(_)) => {
                let len = self.types.len(*len).unwrap_or(members.len());
                vec![*element; len]
            }
            (Node::Var(_), ExprKind::Tuple(_)) if rest.is_none() => {
                let types: Vec<_> = members.iter().map(|_| self.types.any()).collect();
                let tuple = self.add(Node::Tuple(types.clone()));
                self.unify(ty, tuple, place.span)?;
                types
            }
            (Node::Var(_), _) => return Err(self.unknown(ty, place.span)),
            (Node::Never, _) => {
                let never = self.never();
                vec![never; members.len()]
            }
            _ => vec![],
        };
        let (front, back) = match rest {
            Some(at) => (at, members.len() - at - 1),
            None => (members.len(), 0),
        };
        if front + back > types.len() || (rest.is_none() && front != types.len()) {
            let text = format!(
                "{} places for the members of `{}`",
                front + back,
                self.types.spell(ty)
            );
            return Err(self.mistake(
                Code::Mismatch,
                place.span,
                text,
                "assign to as many places as there are members",
            ));
        }
        for (member, ty) in members.iter().zip(&types[..front]) {
            self.take_apart(member, *ty)?;
        }
        let behind = &members[members.len() - back..];
        for (member, ty) in behind.iter().zip(&types[types.len() - back..]) {
            self.take_apart(member, *ty)?;
        }
        Ok(())
    }

    fn tuple(&mut self, members: &'static [Expr], want: Option<Id>) -> Checked<Id> {
        let wanted: Vec<Option<Id>> = match want.map(|w| self.types.get(w)) {
            Some(Node::Tuple(types)) if types.len() == members.len() => {
                types.iter().copied().map(Some).collect()
            }
            _ => vec![None; members.len()],
        };
        let mut types = vec![];
        for (member, want) in members.iter().zip(wanted) {
            types.push(self.expr(member, want)?);
        }
        Ok(self.add(Node::Tuple(types)))
    }

    /// The common type of the members of an array.
    fn elements(&mut self, members: &'static [Expr], want: Option<Id>) -> Checked<Id> {
        let want = want
            .and_then(|w| self.types.element(w))
            .filter(|w| !self.types.is_unknown(*w));
        let mut element = want;
        for member in members {
            let ty = self.expr(member, element)?;
            element = Some(self.join(element, ty, member.span)?);
        }
        Ok(match element {
            Some(element) => element,
            None => self.types.any(),
        })
    }

    fn range(&mut self, low: Option<&'static Expr>, high: Option<&'static Expr>) -> Checked<Id> {
        let mut end = None;
        for side in [low, high].into_iter().flatten() {
            let ty = self.expr(side, end)?;
            if let Some(end) = end {
                self.unify(ty, end, side.span)?;
            }
            end = Some(ty);
        }
        Ok(match end {
            Some(end) => self.add(Node::Range(end)),
            None => self.add(Node::FullRange),
        })
    }

    /// `s![…]`: a single index takes its dimension away.
    fn slice(&mut self, dims: &'static [SliceDim]) -> Checked<Id> {
        let mut rank = 0;
        for dim in dims {
            let parts = match dim {
                SliceDim::At(index) => [Some(*index), None, None],
                SliceDim::Range {
                    low, high, step, ..
                } => {
                    rank += 1;
                    [*low, *high, *step]
                }
            };
            for part in parts.into_iter().flatten() {
                let ty = self.expr(part, None)?;
                self.shift_amount(ty, part.span)?;
            }
        }
        Ok(self.add(Node::Slice(rank)))
    }

    fn branch(
        &mut self,
        cond: &'static Expr,
        then: &'static Block,
        or_else: Option<&'static Expr>,
        want: Option<Id>,
    ) -> Checked<Id> {
        let mark = self.scope.len();
        let bool = self.bool();
        self.check(cond, bool)?;
        let before = self.diverges;
        let value = self.block(then, want)?;
        let first = std::mem::replace(&mut self.diverges, before);
        self.scope.truncate(mark);
        let Some(or_else) = or_else else {
            let unit = self.types.unit();
            self.coerce(value, unit, then.span)?;
            return Ok(unit);
        };
        let other = self.expr(or_else, want)?;
        self.diverges = before || (first && self.diverges);
        self.join(Some(value), other, or_else.span)
    }

    fn arms(
        &mut self,
        value: &'static Expr,
        arms: &'static [Arm],
        want: Option<Id>,
    ) -> Checked<Id> {
        let ty = self.expr(value, None)?;
        let before = self.diverges;
        let mut all_diverge = true;
        let mut result = None;
        for arm in arms {
            let mark = self.scope.len();
            self.diverges = before;
            self.pattern(&arm.pattern, ty)?;
            if let Some(guard) = arm.guard {
                let bool = self.bool();
                self.check(guard, bool)?;
            }
            self.diverges = before;
            let body = self.expr(arm.body, want)?;
            all_diverge &= self.diverges;
            result = Some(self.join(result, body, arm.body.span)?);
            self.scope.truncate(mark);
        }
        self.diverges = before || all_diverge;
        Ok(match result {
            Some(result) => result,
            None => self.never(),
        })
    }

    fn for_loop(
        &mut self,
        label: Option<&'static str>,
        pattern: &'static Pattern,
        iter: &'static Expr,
        body: &'static Block,
    ) -> Checked<Id> {
        let over = self.expr(iter, None)?;
        let over = self.known(over)?;
        let item = self.types.any();
        self.require(Obligation::Iterate {
            ty: over,
            item,
            span: iter.span,
        })?;
        let mark = self.scope.len();
        let before = self.diverges;
        let unit = self.types.unit();
        self.enter(label, true, unit);
        self.pattern(pattern, item)?;
        self.block(body, None)?;
        self.frames.pop();
        self.scope.truncate(mark);
        self.diverges = before;
        Ok(unit)
    }

    fn enter(&mut self, label: Option<&'static str>, is_loop: bool, result: Id) {
        self.frames.push(Frame {
            label,
            is_loop,
            result,
            left: false,
        });
    }

    /// The type of a loop or labelled block: `!` if nothing ever leaves it.
    fn leave(&mut self, before: bool, result: Id) -> Id {
        let left = self.frames.pop().is_some_and(|frame| frame.left);
        self.diverges = before;
        if left { result } else { self.never() }
    }

    /// The loop or block that a `break` or `continue` means, as an index.
    fn frame(
        &mut self,
        label: Option<&'static str>,
        only_loops: bool,
        span: Span,
    ) -> Checked<usize> {
        let found = self.frames.iter().rposition(|frame| match label {
            Some(_) => frame.label == label && (frame.is_loop || !only_loops),
            None => frame.is_loop,
        });
        found.ok_or_else(|| {
            self.mistake(
                Code::Refused,
                span,
                "there is no such loop around this",
                "leave a loop that stands in the same function or closure",
            )
        })
    }

    fn break_out(
        &mut self,
        label: Option<&'static str>,
        value: Option<&'static Expr>,
        span: Span,
    ) -> Checked<()> {
        let frame = self.frame(label, false, span)?;
        let result = self.frames[frame].result;
        let (ty, place) = match value {
            Some(value) => (self.expr(value, Some(result))?, value.span),
            None => (self.types.unit(), span),
        };
        self.coerce(ty, result, place)?;
        self.frames[frame].left = true;
        Ok(())
    }

    fn closure(
        &mut self,
        params: &'static [(Pattern, Type)],
        result: &'static Type,
        body: &'static Expr,
        want: Option<Id>,
        span: Span,
    ) -> Checked<Id> {
        let wanted = match want.map(|want| self.types.get(want)) {
            Some(Node::Fn(params, result)) => Some((params.clone(), *result)),
            _ => None,
        };
        if let Some((wanted, _)) = &wanted
            && wanted.len() != params.len()
        {
            let text = format!(
                "a closure of {} parameters is called with {}",
                params.len(),
                wanted.len()
            );
            return Err(self.mistake(
                Code::Arguments,
                span,
                text,
                "take several values as one tuple: `|(x, y)| …`",
            ));
        }
        let mark = self.scope.len();
        let mut types = vec![];
        for (i, (pattern, ty)) in params.iter().enumerate() {
            let ty = self.written(ty, pattern.span)?;
            if let Some((wanted, _)) = &wanted {
                self.unify(wanted[i], ty, pattern.span)?;
            }
            types.push((pattern, ty));
        }
        for (pattern, ty) in &types {
            self.pattern(pattern, *ty)?;
        }
        let result = self.written(result, span)?;
        if let Some((_, wanted)) = wanted {
            self.unify(result, wanted, span)?;
        }
        let frames = std::mem::take(&mut self.frames);
        let before = std::mem::replace(&mut self.diverges, false);
        self.returns.push(result);
        let value = self.expr(body, Some(result))?;
        self.returns.pop();
        self.diverges = before;
        self.frames = frames;
        self.scope.truncate(mark);
        self.coerce(value, result, body.span)?;
        let types = types.into_iter().map(|(_, ty)| ty).collect();
        Ok(self.add(Node::Fn(types, result)))
    }

    /// The arguments of a message. `assert_eq!(a, b)` shows what it compares: the same expressions once more, at the same
    /// place and therefore of the same types as the `sides` of its condition.
    fn format(&mut self, message: &'static Format, sides: &[(Span, Id)]) -> Checked<()> {
        for part in message.0 {
            if let FormatPart::Arg(value, _) = part {
                let ty = self.expr(value, None)?;
                if let Some((_, side)) = sides.iter().find(|(span, _)| *span == value.span) {
                    self.unify(ty, *side, value.span)?;
                }
            }
        }
        Ok(())
    }

    /// The places and types of the sides of a comparison that has just been typed, the latest expressions being `since`.
    fn sides(&self, cond: &'static Expr, since: usize) -> Vec<(Span, Id)> {
        let ExprKind::Binary(_, left, right) = &cond.kind else {
            return vec![];
        };
        let typed = |side: &Expr| {
            self.exprs[since..]
                .iter()
                .find(|(e, _)| std::ptr::eq(*e, side))
        };
        let sides = [left, right].into_iter().filter_map(|side| typed(side));
        sides.map(|(side, ty)| (side.span, *ty)).collect()
    }
}

/// Whether the left side of an assignment takes its value apart.
fn is_destructuring(place: &Expr) -> bool {
    matches!(place.kind, ExprKind::Tuple(_) | ExprKind::Array(_))
}
