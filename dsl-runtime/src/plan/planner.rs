//! Statements to steps: who does each, and what nobody needs after it.

use super::{
    Action, ArrayInfo, Move, Moves, Param, Plan, Region, Scalar, SinkStep, Slot, Source, Step,
    has_wide, is_wide,
};
use crate::ir::{
    Atom, Block, Const, Data, Expr, Func, Index, Loop, LoopKind, Par, ScalarType, Sink, SinkKind,
    Stmt, Type, Var, VarSet, walk,
};
use crate::pass::effect;
use std::collections::HashMap;

/// A plan in the making.
pub(super) struct Planner<'f> {
    func: &'f Func,
    pub(super) plan: Plan,
}

/// Who does a statement.
#[derive(PartialEq)]
enum Doer {
    /// A unit for a wide par.
    Wide,
    /// The executor.
    Host,
    /// A region.
    Region,
}

/// Inside branches without pars, more statements than this are compiled.
const FEW: usize = 16;

impl<'f> Planner<'f> {
    pub(super) fn new(func: &'f Func) -> Planner<'f> {
        let plan = Plan {
            steps: vec![],
            results: vec![],
            params: vec![],
            scalars: 0,
            arrays: vec![],
            pars: vec![],
            regions: vec![],
            slots: HashMap::new(),
            direct: vec![],
        };
        Planner { func, plan }
    }

    /// Slots of the parameters and of the sizes that they bind.
    pub(super) fn signature(&mut self) {
        let func = self.func;
        for &size in &func.sizes {
            self.slot(size);
        }
        for (number, &param) in func.params.iter().enumerate() {
            let slot = self.slot(param);
            if let Slot::Array(array) = slot {
                self.plan.arrays[array as usize].param = Some(number);
            }
            let shape = &func.ty(param).shape;
            let sizes = shape.iter().enumerate().filter_map(|(dim, size)| {
                let var = size.as_var().filter(|var| func.sizes.contains(var))?;
                match self.slot(var) {
                    Slot::Scalar(slot) => Some((dim, slot)),
                    Slot::Array(_) => None,
                }
            });
            let sizes = sizes.collect();
            self.plan.params.push(Param { slot, sizes });
        }
    }

    fn doer(&self, stmt: &Stmt) -> Doer {
        let func = self.func;
        match &stmt.expr {
            Expr::Par(par) if is_wide(par) => Doer::Wide,
            Expr::Op(op, operands) => {
                let consts: Vec<Const> = operands
                    .iter()
                    .map(|&atom| Const {
                        ty: func.atom_type(atom).elem,
                        bits: 1,
                    })
                    .collect();
                match op.eval(&consts) {
                    Some(_) => Doer::Host,
                    None => Doer::Region,
                }
            }
            Expr::Cast(..)
            | Expr::Bits(..)
            | Expr::Check(_)
            | Expr::Index(_)
            | Expr::Reshape(..)
            | Expr::Data(_) => Doer::Host,
            expr @ (Expr::If(..) | Expr::Loop(_)) if has_wide(expr) => Doer::Host,
            Expr::If(_, then, other) => {
                let few = then.stmts.len() + other.stmts.len() <= FEW;
                let plain = |block: &Block| {
                    let host = |stmt: &Stmt| {
                        self.doer(stmt) == Doer::Host && !matches!(stmt.expr, Expr::If(..))
                    };
                    block.stmts.iter().all(host)
                };
                if few && plain(then) && plain(other) {
                    Doer::Host
                } else {
                    Doer::Region
                }
            }
            Expr::Update(..) | Expr::Array(_) | Expr::Loop(_) | Expr::Par(_) => Doer::Region,
        }
    }

    /// The steps of a block, after which the names in `after` are still needed, besides its results.
    pub(super) fn block(&mut self, block: &Block, after: &VarSet) -> Vec<Step> {
        let vars = &self.func.vars;
        let mut live = after.clone();
        block
            .results
            .iter()
            .for_each(|&atom| self.need(&mut live, atom));
        // From the end: what is needed after each statement.
        let mut needed = vec![VarSet::new(); block.stmts.len()];
        for (stmt, needed) in block.stmts.iter().zip(&mut needed).rev() {
            *needed = live.clone();
            for var in walk::free_of_stmt(vars, stmt) {
                self.need(&mut live, var.into());
            }
            stmt.defs.iter().for_each(|var| {
                live.remove(var);
            });
        }
        let mut steps = vec![];
        let mut at = 0;
        while at < block.stmts.len() {
            if self.doer(&block.stmts[at]) != Doer::Region {
                let stmt = &block.stmts[at];
                let action = self.action(stmt, &needed[at]);
                self.step(&mut steps, action, std::slice::from_ref(stmt), &needed[at]);
                at += 1;
                continue;
            }
            // As far as the last of the region's own statements before one that cannot be compiled in.
            let rest = &block.stmts[at..];
            let run = rest.iter().take_while(|stmt| self.joins(stmt)).count();
            let own = |stmt: &Stmt| self.doer(stmt) == Doer::Region;
            let end = at + rest[..run].iter().rposition(own).map_or(1, |last| last + 1);
            let stmts = &block.stmts[at..end];
            let needed = &needed[end - 1];
            let action = self.region(stmts, needed);
            self.step(&mut steps, action, stmts, needed);
            at = end;
        }
        steps
    }

    /// Whether a statement may be compiled into a region.
    fn joins(&self, stmt: &Stmt) -> bool {
        match self.doer(stmt) {
            Doer::Region => true,
            Doer::Wide => false,
            Doer::Host => !has_wide(&stmt.expr),
        }
    }

    pub(super) fn need(&self, live: &mut VarSet, atom: Atom) {
        if let Some(var) = atom.as_var() {
            live.insert(var);
            live.extend(walk::sizes(self.func.ty(var)));
        }
    }

    /// Adds a step and what it makes superfluous.
    fn step(&mut self, steps: &mut Vec<Step>, action: Action, stmts: &[Stmt], needed: &VarSet) {
        let mut touched = VarSet::new();
        for stmt in stmts {
            touched.extend(walk::free_of_stmt(&self.func.vars, stmt));
            touched.extend(stmt.defs.iter().copied());
        }
        let drops = touched
            .difference(needed)
            .filter_map(|var| match self.plan.slots.get(var) {
                Some(&Slot::Array(slot)) => Some(slot),
                _ => None,
            });
        steps.push(Step {
            action,
            drops: drops.collect(),
            place: stmts[0].place,
        });
    }

    pub(super) fn region(&mut self, stmts: &[Stmt], needed: &VarSet) -> Action {
        let defs = stmts.iter().flat_map(|stmt| &stmt.defs);
        let results: Vec<Var> = defs.copied().filter(|var| needed.contains(var)).collect();
        let mut free = VarSet::new();
        for stmt in stmts {
            free.extend(walk::free_of_stmt(&self.func.vars, stmt));
        }
        let own: VarSet = stmts
            .iter()
            .flat_map(|stmt| stmt.defs.iter().copied())
            .collect();
        let dying = free
            .iter()
            .copied()
            .filter(|var| !needed.contains(var) && !own.contains(var))
            .filter(|&var| !self.func.ty(var).is_scalar())
            .collect();
        results.iter().for_each(|&var| {
            self.slot(var);
        });
        self.plan.regions.push(Region {
            stmts: stmts.to_vec(),
            results,
            dying,
        });
        Action::Region {
            unit: self.plan.regions.len() - 1,
        }
    }

    fn action(&mut self, stmt: &Stmt, needed: &VarSet) -> Action {
        match &stmt.expr {
            Expr::Op(op, operands) => Action::Op {
                op: *op,
                operands: operands.iter().map(|&atom| self.typed(atom)).collect(),
                into: self.scalar_slot(stmt.defs[0]),
            },
            Expr::Cast(to, from) => Action::Cast {
                to: *to,
                from: self.typed(*from),
                into: self.scalar_slot(stmt.defs[0]),
            },
            Expr::Bits(_, from) => Action::Copy {
                from: self.scalar(*from),
                into: self.scalar_slot(stmt.defs[0]),
            },
            Expr::Check(check) => Action::Check(self.scalar(check.cond)),
            Expr::Index(Index { array, indices, .. }) => {
                let indices = indices.iter().map(|&atom| self.scalar(atom)).collect();
                let from = self.array_slot(*array);
                if self.func.ty(stmt.defs[0]).is_scalar() {
                    return Action::Element {
                        array: from,
                        indices,
                        into: self.scalar_slot(stmt.defs[0]),
                    };
                }
                let into = self.array_slot(stmt.defs[0]);
                self.plan.arrays[into as usize].param = self.plan.arrays[from as usize].param;
                Action::View {
                    array: from,
                    indices,
                    dense: false,
                    into,
                }
            }
            Expr::Reshape(array, _) => Action::View {
                array: self.array_slot(*array),
                indices: vec![],
                dense: true,
                into: self.array_slot(stmt.defs[0]),
            },
            Expr::Data(data) => Action::Data {
                data: pack(data),
                into: self.array_slot(stmt.defs[0]),
            },
            Expr::If(cond, then, other) => {
                let mut branch = |block: &Block| {
                    let steps = self.block(block, needed);
                    let moves = self.moves(&block.results, &stmt.defs, needed);
                    (steps, moves)
                };
                let (then, other) = (branch(then), branch(other));
                Action::If {
                    cond: self.scalar(*cond),
                    then,
                    other,
                }
            }
            Expr::Loop(Loop {
                kind,
                carried,
                body,
            }) => {
                let names: Vec<Var> = carried.iter().map(|&(var, _)| var).collect();
                let inits: Vec<Atom> = carried.iter().map(|&(_, init)| init).collect();
                // What a round needs from outside, the next one needs too.
                let mut inside = walk::free(&self.func.vars, body);
                if let LoopKind::While(cond) = kind {
                    inside.extend(walk::free(&self.func.vars, cond));
                }
                names.iter().for_each(|var| {
                    inside.remove(var);
                });
                let mut kept = needed.clone();
                for var in inside {
                    self.need(&mut kept, var.into());
                }
                let enter = self.moves(&inits, &names, &kept);
                let (counter, cond) = match kind {
                    LoopKind::For { index, extent } => {
                        kept.remove(index);
                        let extent = self.scalar(*extent);
                        (Some((self.scalar_slot(*index), extent)), None)
                    }
                    LoopKind::While(cond) => {
                        let mut kept = kept.clone();
                        kept.extend(names.iter().copied());
                        let steps = self.block(cond, &kept);
                        (None, Some((steps, self.scalar(cond.results[0]))))
                    }
                };
                let steps = self.block(body, &kept);
                let next = self.moves(&body.results, &names, &kept);
                let carried: Vec<Atom> = names.iter().map(|&var| var.into()).collect();
                let leave = self.moves(&carried, &stmt.defs, &VarSet::new());
                Action::Loop {
                    counter,
                    cond,
                    enter,
                    body: steps,
                    next,
                    leave,
                }
            }
            Expr::Par(par) => self.par(stmt, par, needed),
            Expr::Update(..) | Expr::Array(_) => unreachable!("statements of a region"),
        }
    }

    fn par(&mut self, stmt: &Stmt, par: &Par, needed: &VarSet) -> Action {
        let extent = self.scalar(par.extent);
        let mut defs = stmt.defs.iter().copied();
        let mut sinks = vec![];
        for sink in &par.sinks {
            let mut step = SinkStep {
                kind: sink.kind,
                values: 0,
                start: vec![],
                dest: vec![],
                over: self.over(stmt, par, sink, needed),
                scalars: vec![],
                arrays: vec![],
                place: sink.place,
            };
            let (scalars, arrays) = match sink.kind {
                SinkKind::Collect => (0, 1),
                SinkKind::Reduce => (sink.values.len(), 0),
                SinkKind::Filter => (1, sink.values.len() - 1),
                SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan => {
                    (0, sink.values.len())
                }
                SinkKind::Scatter | SinkKind::ScatterWith => (0, sink.values.len() - 1),
            };
            step.values = match sink.kind {
                SinkKind::Reduce => scalars,
                _ => arrays,
            };
            if matches!(sink.kind, SinkKind::Scatter | SinkKind::ScatterWith) {
                for (number, atom) in sink.outer.iter().enumerate() {
                    let Some(var) = atom.as_var() else { continue };
                    let again = sink.outer[number + 1..].contains(atom)
                        || par
                            .sinks
                            .iter()
                            .filter(|other| other.outer.contains(atom))
                            .count()
                            > 1
                        || walk::free(&self.func.vars, &par.body).contains(&var);
                    let last = !again && !needed.contains(&var);
                    step.dest.push((self.array_slot(var), last));
                }
            } else {
                step.start = sink.outer.iter().map(|&atom| self.scalar(atom)).collect();
            }
            step.scalars = defs
                .by_ref()
                .take(scalars)
                .map(|var| self.scalar_slot(var))
                .collect();
            step.arrays = defs
                .by_ref()
                .take(arrays)
                .map(|var| self.array_slot(var))
                .collect();
            sinks.push(step);
        }
        self.plan.pars.push(stmt.clone());
        Action::Par {
            unit: self.plan.pars.len() - 1,
            extent,
            sinks,
            only_collects: effect::only_collects(self.func, par),
        }
    }

    /// [`SinkStep::over`].
    fn over(&mut self, stmt: &Stmt, par: &Par, sink: &Sink, needed: &VarSet) -> Vec<u32> {
        // Other sinks may have the body run more than once.
        let calm = |sink: &Sink| matches!(sink.kind, SinkKind::Collect | SinkKind::Reduce);
        if sink.kind != SinkKind::Collect || !par.sinks.iter().all(calm) {
            return vec![];
        }
        let made = self.func.atom_type(sink.values[0]);
        let own = Atom::Var(par.index);
        let mut found = vec![];
        for var in walk::free_of_stmt(&self.func.vars, stmt) {
            let ty = self.func.ty(var);
            let alike = made.is_scalar() && ty.shape.len() == 1 && ty.elem == made.elem;
            if !alike || needed.contains(&var) {
                continue;
            }
            let (mut uses, mut reads) = (0, 0);
            let mut look = |atom: Atom| uses += usize::from(atom == var.into());
            walk::uses(&self.func.vars, &par.body, &mut look);
            walk::operands(&stmt.expr, &mut look);
            walk::values(&stmt.expr, &mut look);
            for inner in &par.body.stmts {
                if let Expr::Index(read) = &inner.expr {
                    reads += usize::from(read.array == var && read.indices == [own]);
                }
            }
            if uses == reads {
                found.push(self.array_slot(var));
            }
        }
        found
    }

    /// `into[k] = from[k]` at once; arrays that are not in `needed` afterwards are moved by their last mention.
    fn moves(&mut self, from: &[Atom], into: &[Var], needed: &VarSet) -> Moves {
        let mut moves = vec![];
        for (number, (&atom, &var)) in from.iter().zip(into).enumerate() {
            let again = from[number + 1..].contains(&atom);
            let kept = atom.as_var().is_some_and(|var| needed.contains(&var));
            moves.push(Move {
                from: self.source(atom),
                into: self.slot(var),
                last: !again && !kept,
            });
        }
        Moves(moves)
    }

    fn slot(&mut self, var: Var) -> Slot {
        if let Some(&slot) = self.plan.slots.get(&var) {
            return slot;
        }
        let Type { elem, shape } = self.func.ty(var).clone();
        let slot = if shape.is_empty() {
            self.plan.scalars += 1;
            Slot::Scalar(self.plan.scalars as u32 - 1)
        } else {
            let shape = shape.iter().map(|&size| self.scalar(size)).collect();
            self.plan.arrays.push(ArrayInfo {
                elem,
                shape,
                var,
                param: None,
            });
            Slot::Array(self.plan.arrays.len() as u32 - 1)
        };
        self.plan.slots.insert(var, slot);
        slot
    }

    fn scalar_slot(&mut self, var: Var) -> u32 {
        match self.slot(var) {
            Slot::Scalar(slot) => slot,
            Slot::Array(_) => unreachable!("the verifier admits only scalars here"),
        }
    }

    fn array_slot(&mut self, var: Var) -> u32 {
        match self.slot(var) {
            Slot::Array(slot) => slot,
            Slot::Scalar(_) => unreachable!("the verifier admits only arrays here"),
        }
    }

    fn scalar(&mut self, atom: Atom) -> Scalar {
        match atom {
            Atom::Const(value) => Scalar::Bits(value.bits),
            Atom::Var(var) => Scalar::Slot(self.scalar_slot(var)),
        }
    }

    fn typed(&mut self, atom: Atom) -> (Scalar, ScalarType) {
        (self.scalar(atom), self.func.atom_type(atom).elem)
    }

    pub(super) fn source(&mut self, atom: Atom) -> Source {
        match atom.as_var().map(|var| self.slot(var)) {
            Some(Slot::Array(slot)) => Source::Array(slot),
            _ => {
                let (scalar, ty) = self.typed(atom);
                Source::Scalar(scalar, ty)
            }
        }
    }
}

/// The elements of a constant array, as they stand in memory.
fn pack(data: &Data) -> Vec<u64> {
    let bytes = data.elem.bytes();
    let each = 8 / bytes;
    let word = |part: &[u64]| {
        let shifted = part.iter().enumerate();
        shifted.fold(0, |word, (at, bits)| match cfg!(target_endian = "big") {
            true => word | bits << (8 * bytes * (each - 1 - at)),
            false => word | bits << (8 * bytes * at),
        })
    };
    data.bits.chunks(each).map(word).collect()
}
