//! Control flow: branches and loops where all lanes agree, masks where they do not.

use super::{Array, Emit, Value};
use crate::isa::{Kind, Label, Reg, Simd};
use dsl_runtime::ir::{
    Atom, Block, Const, Expr, Loop, LoopKind, ScalarOp, ScalarType, Stmt, Var, VarSet,
};

impl<I: Simd> Emit<'_, I> {
    /// The registers that carry a name over a joint.
    pub(crate) fn kinds(&self, var: Var) -> Vec<Kind> {
        let ty = self.func.ty(var);
        if !ty.is_scalar() {
            return vec![Kind::Scalar(ScalarType::U64); 2];
        }
        match &self.lanes {
            Some(lanes) if self.plan.is_varying(var) => {
                if ty.elem == ScalarType::Bool {
                    vec![Kind::Mask(lanes.size); self.registers(lanes.size)]
                } else {
                    vec![Kind::Vector(ty.elem); self.registers(ty.elem.bytes())]
                }
            }
            _ => vec![Kind::Scalar(ty.elem)],
        }
    }

    /// A value as the registers of [`Self::kinds`].
    pub(crate) fn flatten(&mut self, var: Var, value: &Value) -> Vec<Reg> {
        let ty = self.func.ty(var).elem;
        match value {
            Value::Array(array) => {
                let block = array.block.unwrap_or_else(|| self.word(0));
                vec![array.data, block]
            }
            value if self.lanes.is_some() && self.plan.is_varying(var) => match ty {
                ScalarType::Bool => {
                    let size = self.lanes.as_ref().expect("lanes").size;
                    self.mask(value, size)
                }
                ty => self.pack(value, ty),
            },
            Value::Scalar(reg) => vec![*reg],
            other => unreachable!("%{} does not vary but is {other:?}", var.0),
        }
    }

    /// The value from the registers of [`Self::kinds`].
    pub(crate) fn restore(&self, var: Var, regs: &[Reg]) -> Value {
        let ty = self.func.ty(var);
        if !ty.is_scalar() {
            return Value::Array(Array {
                elem: ty.elem,
                shape: ty.shape.clone(),
                data: regs[0],
                block: Some(regs[1]),
                strides: None,
                offset: None,
            });
        }
        match &self.lanes {
            Some(lanes) if self.plan.is_varying(var) => match ty.elem {
                ScalarType::Bool => Value::Mask {
                    size: lanes.size,
                    regs: regs.to_vec(),
                },
                _ => Value::Pack(regs.to_vec()),
            },
            _ => Value::Scalar(regs[0]),
        }
    }

    /// Defines names from the parameters of a joint; arrays among them belong to the current block.
    fn define_joint(&mut self, vars: &[Var], regs: &[Reg], own: bool) {
        let mut at = 0;
        for &var in vars {
            let count = self.kinds(var).len();
            let value = self.restore(var, &regs[at..at + count]);
            at += count;
            self.define(var, value);
            if own && !self.func.ty(var).is_scalar() {
                self.own(var);
            }
        }
    }

    fn joint_kinds(&self, vars: &[Var]) -> Vec<Kind> {
        vars.iter().flat_map(|&v| self.kinds(v)).collect()
    }

    fn flatten_all(&mut self, vars: &[Var], values: &[Value]) -> Vec<Reg> {
        vars.iter()
            .zip(values)
            .flat_map(|(&var, value)| self.flatten(var, value))
            .collect()
    }

    /// Arrays whose last use is this statement: they go to the blocks inside.
    fn moving(&mut self) -> VarSet {
        let scope = self.scopes.last_mut().expect("a scope is open");
        let moving: VarSet = scope.dying.intersection(&scope.owned).copied().collect();
        scope.owned.retain(|v| !moving.contains(v));
        moving
    }

    pub(super) fn conditional(&mut self, stmt: &Stmt, cond: Atom, then: &Block, other: &Block) {
        let cond = match self.value(cond) {
            Value::Scalar(cond) => cond,
            cond => return self.masked_conditional(stmt, cond, then, other),
        };
        let moving = self.moving();
        let join = {
            let kinds = self.joint_kinds(&stmt.defs);
            self.isa.label(&kinds)
        };
        let labels = [self.isa.label(&[]), self.isa.label(&[])];
        self.isa.branch(cond, (labels[0], &[]), (labels[1], &[]));
        for (label, block) in labels.into_iter().zip([then, other]) {
            self.isa.enter(label);
            let values = self.block(block, moving.clone());
            let regs = self.flatten_all(&stmt.defs, &values);
            self.isa.jump(join, &regs);
        }
        self.isa.enter(join);
        let params = self.isa.params(join);
        self.define_joint(&stmt.defs, &params, true);
    }

    fn masked_conditional(&mut self, stmt: &Stmt, cond: Value, then: &Block, other: &Block) {
        if cheap(then) != cheap(other) {
            return self.aside(stmt, cond, then, other);
        }
        let saved = self.lanes.as_ref().expect("lanes").mask.clone();
        let not = self.apply(ScalarOp::Not, ScalarType::Bool, std::slice::from_ref(&cond));
        let mut sides = vec![];
        for (cond, block) in [(&cond, then), (&not, other)] {
            self.activate(&saved, cond);
            sides.push(if cheap(block) {
                let values = self.block(block, VarSet::new());
                self.flatten_all(&stmt.defs, &values)
            } else {
                self.where_any(&stmt.defs, block)
            });
            self.lanes.as_mut().expect("lanes").mask = saved.clone();
        }
        let mut at = 0;
        for (k, &def) in stmt.defs.iter().enumerate() {
            let count = self.kinds(def).len();
            let a = self.restore(def, &sides[0][at..at + count]);
            let b = self.restore(def, &sides[1][at..at + count]);
            at += count;
            let value = self.either(def, &cond, (then.results[k], a), (other.results[k], b));
            self.define(def, value);
        }
    }

    /// A branch with one side that is simply run for all lanes: its results stand, and only where a lane takes the other side
    /// is that one run, and are the results mixed. So what few values need (special cases) costs the others one test.
    fn aside(&mut self, stmt: &Stmt, cond: Value, then: &Block, other: &Block) {
        let saved = self.lanes.as_ref().expect("lanes").mask.clone();
        let not = self.apply(ScalarOp::Not, ScalarType::Bool, std::slice::from_ref(&cond));
        let (common, rare) = if cheap(then) {
            ((&cond, then), (&not, other))
        } else {
            ((&not, other), (&cond, then))
        };
        self.activate(&saved, common.0);
        let all = self.block(common.1, VarSet::new());
        let straight = self.flatten_all(&stmt.defs, &all);
        self.activate(&saved, rare.0);
        let kinds = self.joint_kinds(&stmt.defs);
        let (inside, join) = (self.isa.label(&[]), self.isa.label(&kinds));
        let any = self.any();
        self.isa.branch(any, (inside, &[]), (join, &straight));
        self.isa.enter(inside);
        let some = self.block(rare.1, VarSet::new());
        self.lanes.as_mut().expect("lanes").mask = saved;
        let mut mixed = vec![];
        for (k, &def) in stmt.defs.iter().enumerate() {
            let (a, b) = if cheap(then) {
                (all[k].clone(), some[k].clone())
            } else {
                (some[k].clone(), all[k].clone())
            };
            let value = self.either(def, &cond, (then.results[k], a), (other.results[k], b));
            mixed.extend(self.flatten(def, &value));
        }
        self.isa.jump(join, &mixed);
        self.isa.enter(join);
        let params = self.isa.params(join);
        self.define_joint(&stmt.defs, &params, false);
    }

    /// The result of a branch: by lane, that of `then` where the condition is true.
    fn either(
        &mut self,
        def: Var,
        cond: &Value,
        then: (Atom, Value),
        other: (Atom, Value),
    ) -> Value {
        let ty = self.func.ty(def).elem;
        let is = |atom: Atom, truth: bool| atom.as_const() == Some(Const::bool(truth));
        // `&&` and `||`.
        let (op, values) = if is(other.0, false) {
            (ScalarOp::And, vec![cond.clone(), then.1])
        } else if is(then.0, true) {
            (ScalarOp::Or, vec![cond.clone(), other.1])
        } else {
            (ScalarOp::Select, vec![cond.clone(), then.1, other.1])
        };
        self.apply(op, ty, &values)
    }

    /// Restricts the active lanes.
    fn activate(&mut self, outer: &Option<(usize, Vec<Reg>)>, cond: &Value) {
        let size = match cond {
            Value::Mask { size, .. } => *size,
            _ => self.lanes.as_ref().expect("lanes").size,
        };
        let mut regs = self.mask(cond, size);
        if let Some((outer_size, outer)) = outer {
            let outer = Value::Mask {
                size: *outer_size,
                regs: outer.clone(),
            };
            let outer = self.mask(&outer, size);
            for (reg, outer) in regs.iter_mut().zip(outer) {
                *reg = self.isa.mask_op(ScalarOp::And, *reg, outer);
            }
        }
        self.lanes.as_mut().expect("lanes").mask = Some((size, regs));
    }

    /// A block that is run only if a lane is active; else zeros.
    fn where_any(&mut self, defs: &[Var], block: &Block) -> Vec<Reg> {
        let kinds = self.joint_kinds(defs);
        let zeros: Vec<Reg> = kinds.iter().map(|&kind| self.zero(kind)).collect();
        let (inside, join) = (self.isa.label(&[]), self.isa.label(&kinds));
        let any = self.any();
        self.isa.branch(any, (inside, &[]), (join, &zeros));
        self.isa.enter(inside);
        let values = self.block(block, VarSet::new());
        let regs = self.flatten_all(defs, &values);
        self.isa.jump(join, &regs);
        self.isa.enter(join);
        self.isa.params(join)
    }

    fn zero(&mut self, kind: Kind) -> Reg {
        match kind {
            Kind::Scalar(ty) => self.isa.constant(Const { ty, bits: 0 }),
            Kind::Vector(ty) => self.isa.lanes(ty, &vec![0; self.isa.bytes() / ty.bytes()]),
            Kind::Mask(size) => {
                let zero = self.isa.lanes(ScalarType::U8, &vec![0; self.isa.bytes()]);
                self.isa.mask_view(size, zero)
            }
        }
    }

    pub(super) fn rounds(&mut self, stmt: &Stmt, rounds: &Loop) {
        let vars: Vec<Var> = rounds.carried.iter().map(|(var, _)| *var).collect();
        let inits: Vec<Value> = rounds
            .carried
            .iter()
            .enumerate()
            .map(|(k, &(_, init))| {
                let again = rounds.carried[k + 1..]
                    .iter()
                    .any(|&(_, other)| other == init);
                let moves = init.as_var().is_some_and(|var| {
                    let scope = self.scopes.last().expect("a scope is open");
                    scope.dying.contains(&var) && !self.plan.used_in_loop(rounds, var)
                });
                self.take(init, again || !moves)
            })
            .collect();
        let first = self.flatten_all(&vars, &inits);
        let varying = self.lanes.is_some() && self.plan.is_varying_loop(stmt);
        let results = if varying {
            self.masked_rounds(stmt, rounds, &vars, first)
        } else {
            self.plain_rounds(rounds, &vars, first)
        };
        let values: Vec<Value> = {
            let mut at = 0;
            vars.iter()
                .map(|&var| {
                    let count = self.kinds(var).len();
                    at += count;
                    self.restore(var, &results[at - count..at])
                })
                .collect()
        };
        for (&var, value) in vars.iter().zip(&values) {
            self.define(var, value.clone());
        }
        for (&def, value) in stmt.defs.iter().zip(values) {
            let value = match value {
                Value::Array(array) => Value::Array(Array {
                    shape: self.func.ty(def).shape.clone(),
                    ..array
                }),
                value => value,
            };
            self.define(def, value);
            if !self.func.ty(def).is_scalar() {
                self.own(def);
            }
        }
    }

    fn plain_rounds(&mut self, rounds: &Loop, vars: &[Var], first: Vec<Reg>) -> Vec<Reg> {
        let word = Kind::Scalar(ScalarType::U64);
        let mut kinds = vec![word];
        kinds.extend(self.joint_kinds(vars));
        let (head, inside, exit) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let zero = self.word(0);
        let mut args = vec![zero];
        args.extend(first);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        self.define_joint(vars, &params[1..], false);
        let more = match &rounds.kind {
            LoopKind::For { index, extent } => {
                self.define(*index, Value::Scalar(params[0]));
                let extent = self.scalar(*extent);
                self.word_op(ScalarOp::Lt, params[0], extent)
            }
            LoopKind::While(cond) => match &self.block(cond, VarSet::new())[0] {
                Value::Scalar(more) => *more,
                other => unreachable!("a loop that varies runs under masks: {other:?}"),
            },
        };
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let moved = vars
            .iter()
            .copied()
            .filter(|&v| !self.func.ty(v).is_scalar())
            .collect();
        let next = self.block(&rounds.body, moved);
        let mut args = vec![self.add(params[0], 1)];
        args.extend(self.flatten_all(vars, &next));
        self.isa.jump(head, &args);
        self.isa.enter(exit);
        params[1..].to_vec()
    }

    fn masked_rounds(
        &mut self,
        stmt: &Stmt,
        rounds: &Loop,
        vars: &[Var],
        first: Vec<Reg>,
    ) -> Vec<Reg> {
        let saved = self.lanes.as_ref().expect("lanes").mask.clone();
        let size = self.lanes.as_ref().expect("lanes").size;
        let masks = self.registers(size);
        let mut kinds = vec![Kind::Scalar(ScalarType::U64)];
        kinds.extend(vec![Kind::Mask(size); masks]);
        kinds.extend(self.joint_kinds(vars));
        let (head, inside, exit): (Label, Label, Label) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let mut args = vec![self.word(0)];
        let all = Value::Scalar(self.isa.constant(Const::bool(true)));
        let active = match &saved {
            Some((outer, regs)) => self.mask(
                &Value::Mask {
                    size: *outer,
                    regs: regs.clone(),
                },
                size,
            ),
            None => self.mask(&all, size),
        };
        args.extend(active);
        args.extend(first);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let active = Some((size, params[1..=masks].to_vec()));
        self.define_joint(vars, &params[1 + masks..], false);
        self.lanes.as_mut().expect("lanes").mask = active.clone();
        let more = match &rounds.kind {
            LoopKind::For { index, extent } => {
                self.define(*index, Value::Scalar(params[0]));
                let extent = self.value(*extent);
                self.apply(
                    ScalarOp::Lt,
                    ScalarType::U64,
                    &[Value::Scalar(params[0]), extent],
                )
            }
            LoopKind::While(cond) => self.block(cond, VarSet::new())[0].clone(),
        };
        let more = Value::Mask {
            size,
            regs: self.mask(&more, size),
        };
        self.activate(&active, &more);
        let any = self.any();
        self.isa.repeat(any, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let (_, still) = self
            .lanes
            .as_ref()
            .expect("lanes")
            .mask
            .clone()
            .expect("a mask");
        let next = self.block(&rounds.body, VarSet::new());
        let next = self.flatten_all(vars, &next);
        let mut args = vec![self.add(params[0], 1)];
        args.extend(still.iter().copied());
        let cond = Value::Mask { size, regs: still };
        let mut at = 0;
        for (&var, &def) in vars.iter().zip(&stmt.defs) {
            let count = self.kinds(var).len();
            // What nobody reads after the loop may go on with anything on the lanes that have left.
            if !self.plan.is_used(def) {
                args.extend(&next[at..at + count]);
                at += count;
                continue;
            }
            let new = self.restore(var, &next[at..at + count]);
            let old = self.restore(var, &params[1 + masks + at..1 + masks + at + count]);
            at += count;
            let ty = self.func.ty(var).elem;
            let value = self.apply(ScalarOp::Select, ty, &[cond.clone(), new, old]);
            args.extend(self.flatten(var, &value));
        }
        self.isa.jump(head, &args);
        self.isa.enter(exit);
        self.lanes.as_mut().expect("lanes").mask = saved;
        params[1 + masks..].to_vec()
    }
}

/// Whether a block may simply be run for all lanes, whatever the mask: short, and nothing in it can fail or touch memory.
fn cheap(block: &Block) -> bool {
    fn cost(block: &Block) -> Option<usize> {
        let mut sum = 0;
        for stmt in &block.stmts {
            sum += match &stmt.expr {
                Expr::Op(ScalarOp::Div | ScalarOp::Rem, _) => return None,
                Expr::Op(..) | Expr::Cast(..) | Expr::Bits(..) => 1,
                Expr::If(_, then, other) => cost(then)? + cost(other)? + 1,
                _ => return None,
            };
        }
        Some(sum)
    }
    cost(block).is_some_and(|cost| cost <= 24)
}
