//! Blocks, conditions, `match`, and the ways to leave a construct early. A `return`, `break` or `continue` sets the flag
//! of what it leaves and ends the path; what follows a statement that may have ended the path stands under a condition.
//! Where such a statement is the last thing that would have happened anyway, it is only a value.

use super::env::{FALSE, TRUE, TargetKind};
use super::pattern::BOOL;
use super::value::Value;
use super::{Code, Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Fault};
use crate::syntax::{Arm, Block, Expr, ExprKind, Format, FormatPart, Pattern, Stmt};

/// What happens to the value of an expression: it may be that of the function, or the round of a loop may end with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    No,
    Function,
    /// The end of a round of the innermost loop.
    Round,
}

impl Lower {
    /// A block with its own scope.
    pub(super) fn block(&mut self, block: &'static Block, ty: &Ty, tail: Tail) -> R<Value> {
        let mark = self.env.slots.len();
        let value = self.sequence(block.stmts, block.value, ty, tail)?;
        self.env.slots.truncate(mark);
        Ok(value)
    }

    /// Statements, then a value of type `ty`.
    fn sequence(
        &mut self,
        stmts: &'static [Stmt],
        value: Option<&'static Expr>,
        ty: &Ty,
        tail: Tail,
    ) -> R<Value> {
        for (k, stmt) in stmts.iter().enumerate() {
            let rest = &stmts[k + 1..];
            if let Some(exit) = self.early_exit(stmt) {
                return self.exit_or(exit, rest, value, ty, tail);
            }
            if let Stmt::Let {
                pattern,
                init: Some(init),
                or_else: Some(or_else),
                ..
            } = stmt
            {
                return self.let_else(pattern, init, or_else, (rest, value), ty, tail);
            }
            if rest.is_empty()
                && value.is_none()
                && let Stmt::Expr(expr) = stmt
                && (tail == Tail::Round || *self.frame.typed.ty(expr) == Ty::Never)
            {
                return self.expr_in(expr, tail);
            }
            self.stmt(stmt)?;
            if self.env.live == FALSE {
                return Ok(Value::Undef);
            }
            if self.env.live != TRUE && !(rest.is_empty() && value.is_none()) {
                return self.guarded(ty, |lower| lower.sequence(rest, value, ty, tail));
            }
        }
        match value {
            Some(value) => self.expr_in(value, tail),
            None => Ok(Value::unit()),
        }
    }

    /// Runs what follows where the path may have ended.
    pub(super) fn guarded(
        &mut self,
        ty: &Ty,
        rest: impl FnOnce(&mut Lower) -> R<Value>,
    ) -> R<Value> {
        let live = self.env.live;
        let mark = self.env.slots.len();
        self.branch(
            live,
            ty,
            |lower| {
                lower.env.live = TRUE;
                let value = rest(lower)?;
                lower.env.slots.truncate(mark);
                Ok(value)
            },
            |lower| {
                lower.env.live = FALSE;
                Ok(Value::Undef)
            },
        )
    }

    /// `if cond { …; return v }` as a statement: its condition, its block, whether the block runs where the condition is
    /// true.
    fn early_exit(&self, stmt: &'static Stmt) -> Option<(&'static Expr, &'static Block)> {
        let Stmt::Expr(Expr {
            kind:
                ExprKind::If {
                    cond,
                    then,
                    or_else: None,
                },
            ..
        }) = stmt
        else {
            return None;
        };
        self.diverges(then).then_some((*cond, then))
    }

    fn exit_or(
        &mut self,
        (cond, then): (&'static Expr, &'static Block),
        rest: &'static [Stmt],
        value: Option<&'static Expr>,
        ty: &Ty,
        tail: Tail,
    ) -> R<Value> {
        let mark = self.env.slots.len();
        let holds = self.condition(cond)?;
        let bound = self.env.slots.len();
        let merged = self.branch(
            holds,
            ty,
            |lower| {
                // The value of the block is the function's, whatever the type of the block itself.
                let value = lower.block(then, ty, tail)?;
                lower.env.slots.truncate(mark);
                Ok(value)
            },
            |lower| {
                lower.env.slots.truncate(mark);
                debug_assert!(bound >= mark);
                let value = lower.sequence(rest, value, ty, tail)?;
                lower.env.slots.truncate(mark);
                Ok(value)
            },
        );
        self.env.slots.truncate(mark);
        merged
    }

    fn let_else(
        &mut self,
        pattern: &'static Pattern,
        init: &'static Expr,
        or_else: &'static Block,
        (rest, value): (&'static [Stmt], Option<&'static Expr>),
        ty: &Ty,
        tail: Tail,
    ) -> R<Value> {
        let mark = self.env.slots.len();
        let matched = self.expr(init)?;
        let holds = self.test(pattern, &matched)?;
        self.branch(
            holds,
            ty,
            |lower| {
                lower.bind_pattern(pattern, &matched)?;
                let value = lower.sequence(rest, value, ty, tail)?;
                lower.env.slots.truncate(mark);
                Ok(value)
            },
            |lower| lower.block(or_else, ty, tail),
        )
    }

    /// Whether a block never reaches its end.
    fn diverges(&self, block: &'static Block) -> bool {
        let never = |expr: &'static Expr| *self.frame.typed.ty(expr) == Ty::Never;
        block.value.is_some_and(never)
            || block
                .stmts
                .iter()
                .any(|stmt| matches!(stmt, Stmt::Expr(expr) if never(expr)))
    }

    fn stmt(&mut self, stmt: &'static Stmt) -> R<()> {
        match stmt {
            Stmt::Let { pattern, init, .. } => {
                let value = match init {
                    Some(init) => self.expr(init)?,
                    None => Value::Undef,
                };
                self.bind_pattern(pattern, &value)
            }
            Stmt::Expr(expr) => self.expr(expr).map(|_| ()),
        }
    }

    /// A condition; the names that its `let`s bind stay in scope.
    pub(super) fn condition(&mut self, cond: &'static Expr) -> R<Atom> {
        self.at(cond.span);
        match &cond.kind {
            ExprKind::Let(pattern, value) => {
                let value = self.expr(value)?;
                let holds = self.test(pattern, &value)?;
                self.bind_pattern(pattern, &value)?;
                Ok(holds)
            }
            ExprKind::And(left, right) if has_let(cond) => {
                let left = self.condition(left)?;
                // The names that the right side binds are yielded with its truth.
                let mark = self.env.slots.len();
                let (slots, _) = self.rehearse(|lower| {
                    lower.condition(right)?;
                    Ok(lower.env.slots.split_off(mark))
                })?;
                let mut types = vec![BOOL];
                types.extend(slots.iter().map(|slot| slot.ty.clone()));
                let count = types.len();
                let value = self.branch(
                    left,
                    &Ty::Tuple(types),
                    |lower| {
                        let mut all = vec![Value::Scalar(lower.condition(right)?)];
                        let bound = lower.env.slots.split_off(mark);
                        all.extend(bound.into_iter().map(|slot| slot.value));
                        Ok(Value::tuple(all))
                    },
                    |_| {
                        let mut all = vec![Value::Undef; count];
                        all[0] = Value::Scalar(FALSE);
                        Ok(Value::tuple(all))
                    },
                )?;
                for (k, slot) in slots.into_iter().enumerate() {
                    let part = self.member(&value, k + 1)?;
                    self.define(slot.name, slot.ty, part);
                }
                let holds = self.member(&value, 0)?;
                self.atom(&holds, &BOOL)
            }
            _ => self.scalar(cond),
        }
    }

    /// `if cond { then } else { other }`.
    pub(super) fn if_else(
        &mut self,
        cond: &'static Expr,
        then: &'static Block,
        other: Option<&'static Expr>,
        ty: &Ty,
        tail: Tail,
    ) -> R<Value> {
        let mark = self.env.slots.len();
        let holds = self.condition(cond)?;
        let value = self.branch(
            holds,
            ty,
            |lower| {
                let value = lower.block(then, ty, tail)?;
                lower.env.slots.truncate(mark);
                Ok(value)
            },
            |lower| {
                lower.env.slots.truncate(mark);
                match other {
                    Some(other) => lower.expr_in(other, tail),
                    None => Ok(Value::unit()),
                }
            },
        );
        self.env.slots.truncate(mark);
        value
    }

    /// `match value { arms }`: rustc has shown that one arm matches, so the last one needs no test.
    pub(super) fn match_arms(
        &mut self,
        value: &Value,
        arms: &'static [Arm],
        ty: &Ty,
        tail: Tail,
    ) -> R<Value> {
        let Some((arm, rest)) = arms.split_first() else {
            return Ok(Value::Undef);
        };
        let mark = self.env.slots.len();
        let matches = if rest.is_empty() {
            TRUE
        } else {
            self.test(&arm.pattern, value)?
        };
        let holds = match arm.guard {
            None => matches,
            Some(guard) => {
                let holds = self.branch(
                    matches,
                    &BOOL,
                    |lower| {
                        lower.bind_pattern(&arm.pattern, value)?;
                        let holds = lower.condition(guard)?;
                        lower.env.slots.truncate(mark);
                        Ok(Value::Scalar(holds))
                    },
                    |_| Ok(Value::Scalar(FALSE)),
                )?;
                self.atom(&holds, &BOOL)?
            }
        };
        self.branch(
            holds,
            ty,
            |lower| {
                lower.bind_pattern(&arm.pattern, value)?;
                let value = lower.expr_in(arm.body, tail)?;
                lower.env.slots.truncate(mark);
                Ok(value)
            },
            |lower| lower.match_arms(value, rest, ty, tail),
        )
    }

    /// `return value`.
    pub(super) fn return_value(&mut self, value: Option<&'static Expr>, tail: Tail) -> R<Value> {
        let value = match value {
            Some(value) => {
                let tail = if tail == Tail::Function {
                    tail
                } else {
                    Tail::No
                };
                self.expr_in(value, tail)?
            }
            None => Value::unit(),
        };
        if tail == Tail::Function || self.env.live == FALSE {
            return Ok(value);
        }
        let target = self
            .targets
            .iter()
            .rposition(|target| target.kind == TargetKind::Function)
            .expect("a function is running");
        self.leave(target, Some(value));
        Ok(Value::Undef)
    }

    /// `break 'label value`.
    pub(super) fn break_with(
        &mut self,
        label: Option<&'static str>,
        value: Option<&'static Expr>,
    ) -> R<Value> {
        let value = match value {
            Some(value) => Some(self.expr(value)?),
            None => None,
        };
        let target = self.target(label)?;
        self.leave(target, value);
        Ok(Value::Undef)
    }

    /// `continue 'label`.
    pub(super) fn next_round(&mut self, label: Option<&'static str>, tail: Tail) -> R<Value> {
        let target = self.target(label)?;
        let innermost = self
            .targets
            .iter()
            .rposition(|target| target.kind == TargetKind::Loop);
        if innermost == Some(target) {
            if tail != Tail::Round {
                self.env.live = FALSE;
            }
            return Ok(Value::Undef);
        }
        let flag = self.targets[target].next;
        self.set(flag, Value::Scalar(TRUE));
        self.env.live = FALSE;
        Ok(Value::Undef)
    }

    fn leave(&mut self, target: usize, value: Option<Value>) {
        let (leave, slot) = (self.targets[target].leave, self.targets[target].value);
        self.set(leave, Value::Scalar(TRUE));
        if let Some(value) = value {
            self.set(slot, value);
        }
        self.env.live = FALSE;
    }

    fn target(&self, label: Option<&'static str>) -> R<usize> {
        let found = self.targets.iter().rposition(|target| match label {
            Some(_) => target.label == label,
            None => target.kind == TargetKind::Loop,
        });
        found.ok_or_else(|| {
            self.mistake(
                Code::Missing,
                "nothing to leave here",
                "use `break` and `continue` inside a loop",
            )
        })
    }

    /// `'label: { … }`.
    pub(super) fn labelled_block(
        &mut self,
        label: &'static str,
        block: &'static Block,
        ty: &Ty,
    ) -> R<Value> {
        let mark = self.env.slots.len();
        self.enter(TargetKind::Block, Some(label), ty.clone());
        let flags = self.outer_flags();
        let value = self.block(block, ty, Tail::No)?;
        let value = self.left(value, ty)?;
        self.rejoin(&flags);
        self.env.slots.truncate(mark);
        Ok(value)
    }

    /// The value of a construct whose body has been run: that of its end, or that which it was left with. Closes it.
    pub(super) fn left(&mut self, value: Value, ty: &Ty) -> R<Value> {
        let target = self.targets.pop().expect("an open construct");
        let flag = self.flag(target.leave);
        if flag == FALSE {
            return Ok(value);
        }
        let other = self.env.slots[target.value].value.clone();
        if *ty == Ty::Never || super::value::width(ty) == 0 {
            return Ok(Value::unit());
        }
        let live = std::mem::replace(&mut self.env.live, TRUE);
        let merged = self.branch(flag, ty, |_| Ok(other), |_| Ok(value));
        self.env.live = live;
        merged
    }

    /// The flags of what stands around, with their present values.
    pub(super) fn outer_flags(&self) -> Vec<(usize, u64)> {
        let own = self.targets.len().saturating_sub(1);
        self.flags_of(own)
    }

    fn flags_of(&self, count: usize) -> Vec<(usize, u64)> {
        let first = self.targets[..count]
            .iter()
            .rposition(|target| target.kind == TargetKind::Function)
            .unwrap_or(0);
        self.targets[first..count]
            .iter()
            .flat_map(|target| [target.leave, target.next])
            .map(|slot| (slot, self.env.slots[slot].version))
            .collect()
    }

    /// Behind a construct that may have been left: the path goes on unless something further out is being left.
    pub(super) fn rejoin(&mut self, flags: &[(usize, u64)]) {
        let mut leaving = FALSE;
        for &(slot, version) in flags {
            if self.env.slots[slot].version != version {
                let flag = self.flag(slot);
                leaving = self.or(leaving, flag);
            }
        }
        self.env.live = self.not(leaving);
    }

    /// `assert!(cond, …)`.
    pub(super) fn assert(&mut self, cond: &'static Expr, message: &Format) -> R<Value> {
        let place = self.place;
        let holds = self.scalar(cond)?;
        if holds == TRUE {
            return Ok(Value::unit());
        }
        self.place = place;
        self.fail_unless(holds, message)?;
        Ok(Value::unit())
    }

    /// `panic!(…)`.
    pub(super) fn panic(&mut self, message: &Format) -> R<Value> {
        self.fail_unless(FALSE, message)?;
        self.env.live = FALSE;
        Ok(Value::Undef)
    }

    /// The arguments of the message are computed only where it is needed, unless that costs nothing.
    fn fail_unless(&mut self, holds: Atom, message: &Format) -> R<()> {
        let place = self.place;
        self.open();
        let described = self.describe(message);
        let block = self.suspend();
        let (text, operands) = described?;
        self.place = place;
        if holds == FALSE || self.is_cheap(&block, usize::MAX) {
            self.splice(block);
            self.check(Fault::Assert(text), holds, operands);
            return Ok(());
        }
        let failed = self.not(holds);
        self.branch(
            failed,
            &Ty::Tuple(vec![]),
            |lower| {
                lower.splice(block);
                lower.check(Fault::Assert(text), FALSE, operands);
                Ok(Value::unit())
            },
            |_| Ok(Value::unit()),
        )?;
        Ok(())
    }

    /// A format as a template, and its operands.
    fn describe(&mut self, message: &Format) -> R<(String, Vec<Atom>)> {
        let (mut text, mut operands) = (String::new(), vec![]);
        for part in message.0 {
            match part {
                FormatPart::Text(piece) => {
                    text.push_str(&piece.replace('{', "{{").replace('}', "}}"));
                }
                FormatPart::Arg(expr, spec) => {
                    let ty = self.ty(expr);
                    let value = self.expr(expr)?;
                    self.describe_value(&value, &ty, spec, &mut text, &mut operands)?;
                }
            }
        }
        Ok((text, operands))
    }

    fn describe_value(
        &mut self,
        value: &Value,
        ty: &Ty,
        spec: &str,
        text: &mut String,
        operands: &mut Vec<Atom>,
    ) -> R<()> {
        let (open, close, types, members) = match (value, ty) {
            (Value::Tuple(members), Ty::Tuple(types)) => ("(", ")", types.clone(), members.clone()),
            (Value::Fixed(members), Ty::Array(inner, n)) => {
                ("[", "]", vec![(**inner).clone(); *n], members.clone())
            }
            (Value::Scalar(atom), _) => {
                text.push_str(&match spec {
                    "" => "{}".to_string(),
                    spec => format!("{{:{spec}}}"),
                });
                operands.push(*atom);
                return Ok(());
            }
            _ => {
                text.push_str("[..]");
                return Ok(());
            }
        };
        text.push_str(open);
        for (k, (member, ty)) in members.iter().zip(&types).enumerate() {
            if k > 0 {
                text.push_str(", ");
            }
            self.describe_value(member, ty, spec, text, operands)?;
        }
        text.push_str(close);
        Ok(())
    }
}

fn has_let(cond: &Expr) -> bool {
    match &cond.kind {
        ExprKind::Let(..) => true,
        ExprKind::And(left, right) => has_let(left) || has_let(right),
        _ => false,
    }
}
