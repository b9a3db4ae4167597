//! What names stand for: the variables in scope with their values, the constructs that can be left early, and which
//! variables a stretch of source assigns to.

use super::{Code, Lower, R, value::Value};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Const};
use crate::syntax::{Block, Expr, ExprKind, Pattern, PatternKind, SliceDim, Stmt, Unary};
use std::collections::BTreeSet;

/// A variable.
#[derive(Clone)]
pub(super) struct Slot {
    /// Its name; empty for what the lowering keeps for itself.
    pub name: &'static str,
    pub ty: Ty,
    pub value: Value,
    /// Changes with every assignment, so that branches can be compared.
    pub version: u64,
}

/// The variables in scope, innermost last.
#[derive(Clone)]
pub(super) struct Env {
    pub slots: Vec<Slot>,
    /// Slots below were captured by a closure: they can be read only.
    pub floor: usize,
    /// Whether the path that is being lowered is still running: false behind a `break`, `continue`, `return`.
    pub live: Atom,
}

impl Default for Env {
    fn default() -> Env {
        Env {
            slots: vec![],
            floor: 0,
            live: TRUE,
        }
    }
}

/// The constant `true`.
pub(super) const TRUE: Atom = Atom::Const(Const::bool(true));
/// The constant `false`.
pub(super) const FALSE: Atom = Atom::Const(Const::bool(false));

/// A construct that can be left early.
pub(super) struct Target {
    pub kind: TargetKind,
    pub label: Option<&'static str>,
    /// The slot of the flag that says that it is being left (of a loop: by `break`).
    pub leave: usize,
    /// Of a loop: the slot of the flag that says that its round is being left by an inner loop's `continue`.
    pub next: usize,
    /// The slot of the value that it is left with.
    pub value: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetKind {
    Function,
    Loop,
    Block,
}

impl Lower {
    /// Binds a name, innermost.
    pub(super) fn define(&mut self, name: &'static str, ty: Ty, value: Value) -> usize {
        let version = self.tick();
        self.env.slots.push(Slot {
            name,
            ty,
            value,
            version,
        });
        self.env.slots.len() - 1
    }

    fn tick(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// The slot of a name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.env.slots.iter().rposition(|slot| slot.name == name)
    }

    /// Gives a variable another value.
    pub(super) fn assign(&mut self, slot: usize, value: Value) -> R<()> {
        if slot < self.env.floor {
            return Err(self.mistake(
                Code::Capture,
                &format!(
                    "a closure cannot change `{}`, which stands outside it",
                    self.env.slots[slot].name
                ),
                "let the closure return the new value, or use `reduce` or `scan`",
            ));
        }
        let version = self.tick();
        let slot = &mut self.env.slots[slot];
        slot.value = value;
        slot.version = version;
        Ok(())
    }

    /// Sets one of the lowering's own flags.
    pub(super) fn set(&mut self, slot: usize, value: Value) {
        let version = self.tick();
        let slot = &mut self.env.slots[slot];
        slot.value = value;
        slot.version = version;
    }

    /// The value of one of the lowering's own flags.
    pub(super) fn flag(&self, slot: usize) -> Atom {
        match self.env.slots[slot].value {
            Value::Scalar(atom) => atom,
            _ => FALSE,
        }
    }

    /// Opens a construct that can be left early with a value of type `ty`.
    pub(super) fn enter(&mut self, kind: TargetKind, label: Option<&'static str>, ty: Ty) {
        let truth = Ty::Scalar(crate::syntax::Scalar::Bool);
        let leave = self.define("", truth.clone(), Value::Scalar(FALSE));
        let next = self.define("", truth, Value::Scalar(FALSE));
        let value = self.define("", ty, Value::Undef);
        self.targets.push(Target {
            kind,
            label,
            leave,
            next,
            value,
        });
    }
}

/// What a stretch of source does to what stands outside it.
#[derive(Default)]
pub(super) struct Effects {
    /// Names that are assigned to.
    pub assigned: BTreeSet<&'static str>,
    /// Names that are indexed by something else than a literal.
    pub indexed: BTreeSet<&'static str>,
    /// Whether it returns from the function.
    pub returns: bool,
    /// Labels that it breaks from (`None`: the innermost loop).
    pub breaks: BTreeSet<Option<&'static str>>,
    /// Labels that it continues (`None`: the innermost loop).
    pub continues: BTreeSet<Option<&'static str>>,
    /// Whether there is a closure in it.
    pub closures: bool,
    /// How many expressions it has.
    pub size: usize,
    hidden: Vec<&'static str>,
    loops: usize,
    labels: Vec<&'static str>,
}

impl Effects {
    pub fn of_block(block: &'static Block) -> Effects {
        let mut effects = Effects::default();
        effects.block(block);
        effects
    }

    pub fn of(expr: &'static Expr) -> Effects {
        let mut effects = Effects::default();
        effects.expr(expr);
        effects
    }

    /// Adds what an expression does.
    pub fn add(&mut self, expr: &'static Expr) {
        self.expr(expr);
    }

    fn block(&mut self, block: &'static Block) {
        let depth = self.hidden.len();
        for stmt in block.stmts {
            match stmt {
                Stmt::Let {
                    pattern,
                    init,
                    or_else,
                    ..
                } => {
                    init.iter().for_each(|init| self.expr(init));
                    or_else.iter().for_each(|block| self.block(block));
                    self.pattern(pattern);
                }
                Stmt::Expr(expr) => self.expr(expr),
            }
        }
        block.value.iter().for_each(|value| self.expr(value));
        self.hidden.truncate(depth);
    }

    fn pattern(&mut self, pattern: &'static Pattern) {
        match pattern.kind {
            PatternKind::Bind { name, inner, .. } => {
                self.hidden.push(name);
                inner.iter().for_each(|inner| self.pattern(inner));
            }
            PatternKind::Tuple(all) | PatternKind::Array(all) | PatternKind::Or(all) => {
                all.iter().for_each(|pattern| self.pattern(pattern));
            }
            PatternKind::Ref(inner) | PatternKind::Some(inner) => self.pattern(inner),
            _ => {}
        }
    }

    fn place(&mut self, place: &'static Expr) {
        match &place.kind {
            ExprKind::Local(name) => {
                if !self.hidden.contains(name) {
                    self.assigned.insert(name);
                }
            }
            ExprKind::Index(base, index) => {
                self.place(base);
                self.expr(place);
                self.expr(index);
            }
            ExprKind::Field(base, _) | ExprKind::Unary(_, base) => self.place(base),
            ExprKind::Tuple(members) | ExprKind::Array(members) => {
                members.iter().for_each(|member| self.place(member));
            }
            ExprKind::Underscore => {}
            _ => self.expr(place),
        }
    }

    fn inside(&mut self, label: Option<&'static str>, f: impl FnOnce(&mut Effects)) {
        let (depth, labels) = (self.hidden.len(), self.labels.len());
        self.labels.extend(label);
        self.loops += 1;
        f(self);
        self.loops -= 1;
        self.labels.truncate(labels);
        self.hidden.truncate(depth);
    }

    fn outside(&self, label: Option<&'static str>) -> bool {
        match label {
            Some(label) => !self.labels.contains(&label),
            None => self.loops == 0,
        }
    }

    fn expr(&mut self, expr: &'static Expr) {
        use ExprKind as K;
        self.size += 1;
        match &expr.kind {
            K::Assign(place, value) | K::AssignOp(_, place, value) => {
                self.expr(value);
                self.place(place);
            }
            K::Unary(Unary::RefMut, place) => self.place(place),
            K::Break(label, value) => {
                value.iter().for_each(|value| self.expr(value));
                if self.outside(*label) {
                    self.breaks.insert(*label);
                }
            }
            K::Continue(label) => {
                if self.outside(*label) {
                    self.continues.insert(*label);
                }
            }
            K::Return(value) => {
                value.iter().for_each(|value| self.expr(value));
                self.returns = true;
            }
            K::Index(base, index) => {
                if let Some(name) = root(base)
                    && !matches!(index.kind, K::Int(..))
                {
                    self.indexed.insert(name);
                }
                self.expr(base);
                self.expr(index);
            }
            K::Closure { params, body, .. } => {
                // What a closure does to control flow is its own affair; what it assigns to is looked at by whoever calls.
                let depth = self.hidden.len();
                params.iter().for_each(|(pattern, _)| self.pattern(pattern));
                let inner = Effects::of(body);
                self.closures = true;
                self.indexed.extend(inner.indexed);
                self.hidden.truncate(depth);
            }
            K::If {
                cond,
                then,
                or_else,
            } => {
                let depth = self.hidden.len();
                self.expr(cond);
                self.block(then);
                self.hidden.truncate(depth);
                or_else.iter().for_each(|other| self.expr(other));
            }
            K::Let(pattern, value) => {
                self.expr(value);
                self.pattern(pattern);
            }
            K::Match(value, arms) => {
                self.expr(value);
                for arm in *arms {
                    let depth = self.hidden.len();
                    self.pattern(&arm.pattern);
                    arm.guard.iter().for_each(|guard| self.expr(guard));
                    self.expr(arm.body);
                    self.hidden.truncate(depth);
                }
            }
            K::For {
                label,
                pattern,
                iter,
                body,
            } => {
                self.expr(iter);
                self.inside(*label, |effects| {
                    effects.pattern(pattern);
                    effects.block(body);
                });
            }
            K::While { label, cond, body } => self.inside(*label, |effects| {
                effects.expr(cond);
                effects.block(body);
            }),
            K::Loop { label, body } => self.inside(*label, |effects| effects.block(body)),
            K::Block(label, block) => {
                let labels = self.labels.len();
                self.labels.extend(label);
                self.block(block);
                self.labels.truncate(labels);
            }
            K::Method {
                receiver,
                name,
                args,
                ..
            } => {
                if matches!(
                    *name,
                    "swap"
                        | "fill"
                        | "reverse"
                        | "iter_mut"
                        | "assign"
                        | "copy_from_slice"
                        | "clone_from_slice"
                ) {
                    self.place(receiver);
                } else {
                    self.expr(receiver);
                }
                args.iter().for_each(|arg| self.expr(arg));
            }
            _ => children(expr, &mut |child| self.expr(child)),
        }
    }
}

/// The variable at the root of a place.
pub(super) fn root(place: &'static Expr) -> Option<&'static str> {
    match &place.kind {
        ExprKind::Local(name) => Some(name),
        ExprKind::Index(base, _) | ExprKind::Field(base, _) | ExprKind::Unary(_, base) => {
            root(base)
        }
        _ => None,
    }
}

/// The expressions that stand directly in an expression, in blocks and closures too.
pub(super) fn children(expr: &'static Expr, f: &mut dyn FnMut(&'static Expr)) {
    use ExprKind as K;
    fn block(body: &'static Block, f: &mut dyn FnMut(&'static Expr)) {
        for stmt in body.stmts {
            match stmt {
                Stmt::Let { init, or_else, .. } => {
                    init.iter().for_each(|init| f(init));
                    or_else.iter().for_each(|other| block(other, f));
                }
                Stmt::Expr(expr) => f(expr),
            }
        }
        body.value.iter().for_each(|value| f(value));
    }
    match &expr.kind {
        K::Unary(_, a) | K::Cast(a, _) | K::Field(a, _) | K::Some(a) | K::Let(_, a) => f(a),
        K::Closure { body, .. } => f(body),
        K::Binary(_, a, b)
        | K::And(a, b)
        | K::Or(a, b)
        | K::Repeat(a, b)
        | K::VecRepeat(a, b)
        | K::Assign(a, b)
        | K::AssignOp(_, a, b)
        | K::Index(a, b) => {
            f(a);
            f(b);
        }
        K::Tuple(all) | K::Array(all) | K::Vec(all) => all.iter().for_each(f),
        K::Call(_, _, args) => args.iter().for_each(f),
        K::Method { receiver, args, .. } => {
            f(receiver);
            args.iter().for_each(f);
        }
        K::Range { low, high, .. } => low.iter().chain(high.iter()).for_each(|end| f(end)),
        K::Slice(dims) => {
            for dim in *dims {
                match dim {
                    SliceDim::At(at) => f(at),
                    SliceDim::Range {
                        low, high, step, ..
                    } => [low, high, step].into_iter().flatten().for_each(|e| f(e)),
                }
            }
        }
        K::Assert { cond, .. } => f(cond),
        K::Break(_, value) | K::Return(value) => value.iter().for_each(|value| f(value)),
        K::If {
            cond,
            then,
            or_else,
        } => {
            f(cond);
            block(then, f);
            or_else.iter().for_each(|other| f(other));
        }
        K::Match(value, arms) => {
            f(value);
            for arm in *arms {
                arm.guard.iter().for_each(|guard| f(guard));
                f(arm.body);
            }
        }
        K::For { iter, body, .. } => {
            f(iter);
            block(body, f);
        }
        K::While { cond, body, .. } => {
            f(cond);
            block(body, f);
        }
        K::Loop { body, .. } | K::Block(_, body) => block(body, f),
        _ => {}
    }
}
