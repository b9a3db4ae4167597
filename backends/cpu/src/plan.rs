//! From a scheduled function to what the executor walks: its top level as steps. Pars on threads and runs of other work
//! become units of machine code; scalar operations, views, and the loops and branches around pars stay with the executor.
//!
//! Names become slots, of scalars and of arrays. Each step says which arrays nobody needs after it, so that memory goes
//! back to the pool at once and work in place is possible: two buffers that a loop alternates between come out of this.

use dsl_runtime::backend::CompileError;
use dsl_runtime::ir::{
    Atom, Block, Const, Data, Expr, Func, Index, Level, Loop, LoopKind, Par, Place, ScalarOp,
    ScalarType, SinkKind, Stmt, Type, Var, VarSet, walk,
};
use dsl_runtime::pass::effect;
use std::collections::HashMap;

/// A function as the executor walks it.
#[derive(Debug)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The results.
    pub results: Vec<Source>,
    /// Where the arguments go.
    pub params: Vec<Param>,
    /// The number of slots for scalars.
    pub scalars: usize,
    /// The slots for arrays.
    pub arrays: Vec<ArrayInfo>,
    /// What is compiled, for the pars; in the order of their numbers.
    pub pars: Vec<Stmt>,
    /// What is compiled, for the regions; in the order of their numbers.
    pub regions: Vec<Region>,
    /// The slots of names, for environments.
    pub slots: HashMap<Var, Slot>,
    /// Per result, the number of the first step after whose beginning nothing can fail and which writes it, if the
    /// result's memory may be the caller's from the start.
    pub direct: Vec<Option<usize>>,
}

/// Where a name lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// In the scalars.
    Scalar(u32),
    /// In the arrays.
    Array(u32),
}

/// A scalar operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Its bits.
    Bits(u64),
    /// Its slot.
    Slot(u32),
}

/// An operand of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A scalar and its type.
    Scalar(Scalar, ScalarType),
    /// The slot of an array.
    Array(u32),
}

/// What is known of an array's slot.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayInfo {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths.
    pub shape: Vec<Scalar>,
    /// The name.
    pub var: Var,
    /// The parameter that it is, or that it is a view of: it has that one's layout.
    pub param: Option<usize>,
}

/// Where an argument goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its slot.
    pub slot: Slot,
    /// Slots of the sizes that its shape binds: dimension, slot.
    pub sizes: Vec<(usize, u32)>,
}

/// Statements that are compiled together.
#[derive(Debug)]
pub struct Region {
    /// The statements.
    pub stmts: Vec<Stmt>,
    /// What they define and others need.
    pub results: Vec<Var>,
    /// Arrays that nobody needs afterwards: the region may work in place.
    pub dying: VarSet,
}

/// A step.
#[derive(Debug)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Slots of arrays that nobody needs afterwards.
    pub drops: Vec<u32>,
    /// Where the user wrote it.
    pub place: Place,
}

/// What is done.
#[derive(Debug)]
pub enum Action {
    /// A scalar operation of the table.
    Op {
        /// Which.
        op: ScalarOp,
        /// Its operands.
        operands: Vec<(Scalar, ScalarType)>,
        /// Where the value goes.
        into: u32,
    },
    /// A cast.
    Cast {
        /// To this type.
        to: ScalarType,
        /// Of this.
        from: (Scalar, ScalarType),
        /// Where the value goes.
        into: u32,
    },
    /// The same bits.
    Copy {
        /// Of this.
        from: Scalar,
        /// Where they go.
        into: u32,
    },
    /// Something that must hold.
    Check(Scalar),
    /// One element of an array.
    Element {
        /// The array.
        array: u32,
        /// The indices.
        indices: Vec<Scalar>,
        /// Where the value goes.
        into: u32,
    },
    /// A sub-array, or the same elements under another shape.
    View {
        /// The array.
        array: u32,
        /// The indices.
        indices: Vec<Scalar>,
        /// Whether the result must be contiguous.
        dense: bool,
        /// Where the view goes.
        into: u32,
    },
    /// Constant elements.
    Data {
        /// They, packed.
        data: Vec<u64>,
        /// Where the array goes.
        into: u32,
    },
    /// A par on threads.
    Par {
        /// Number in [`Plan::pars`].
        unit: usize,
        /// The number of iterations.
        extent: Scalar,
        /// Its sinks.
        sinks: Vec<SinkStep>,
        /// Whether it need not be walked where its rows have no elements.
        only_collects: bool,
    },
    /// A region.
    Region {
        /// Number in [`Plan::regions`].
        unit: usize,
    },
    /// A loop around units.
    Loop {
        /// The counter and the number of rounds; `None`: as long as `cond` holds.
        counter: Option<(u32, Scalar)>,
        /// Evaluated before each round.
        cond: Option<(Vec<Step>, Scalar)>,
        /// Arrays that the first values are the last use of.
        enter: Moves,
        /// A round.
        body: Vec<Step>,
        /// From one round to the next.
        next: Moves,
        /// To the results.
        leave: Moves,
    },
    /// A branch around units.
    If {
        /// Which.
        cond: Scalar,
        /// If it holds.
        then: (Vec<Step>, Moves),
        /// If not.
        other: (Vec<Step>, Moves),
    },
}

/// Values that change their names, all at once.
#[derive(Debug, Default)]
pub struct Moves(pub Vec<Move>);

/// A value that changes its name.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// The value.
    pub from: Source,
    /// The name.
    pub into: Slot,
    /// Whether the old name is not used again.
    pub last: bool,
}

/// A sink of a par.
#[derive(Debug)]
pub struct SinkStep {
    /// Which.
    pub kind: SinkKind,
    /// The number of combined or written values.
    pub values: usize,
    /// Start values of reduces and scans.
    pub start: Vec<Scalar>,
    /// Destinations of scatters, and whether this is their last use.
    pub dest: Vec<(u32, bool)>,
    /// Slots of results that are scalars.
    pub scalars: Vec<u32>,
    /// Slots of results that are arrays.
    pub arrays: Vec<u32>,
    /// Where the user wrote it.
    pub place: Place,
}

impl Plan {
    /// The plan of a scheduled function.
    pub fn of(func: &Func) -> Result<Plan, CompileError> {
        let mut planner = Planner::new(func);
        planner.signature();
        let steps = planner.block(&func.body, &VarSet::new());
        let results = func.body.results.iter();
        planner.plan.results = results.map(|&atom| planner.source(atom)).collect();
        planner.plan.steps = steps;
        let mut plan = planner.plan;
        plan.direct = direct(&plan, func);
        Ok(plan)
    }

    /// The whole function as one region, for a run that says how it fails.
    pub fn exact(func: &Func) -> Plan {
        let mut planner = Planner::new(func);
        planner.signature();
        let needed = func.body.results.iter().filter_map(|atom| atom.as_var());
        let mut needed: VarSet = needed.collect();
        for var in needed.clone() {
            planner.need(&mut needed, var.into());
        }
        if !func.body.stmts.is_empty() {
            let action = planner.region(&func.body.stmts, &needed);
            planner.plan.regions[0].dying.clear();
            planner.plan.steps.push(Step {
                action,
                drops: vec![],
                place: Place::default(),
            });
        }
        let results = func.body.results.iter();
        planner.plan.results = results.map(|&atom| planner.source(atom)).collect();
        planner.plan.direct = vec![None; planner.plan.results.len()];
        planner.plan
    }
}

struct Planner<'f> {
    func: &'f Func,
    plan: Plan,
}

/// Who does a statement.
#[derive(PartialEq)]
enum Doer {
    /// A unit for a par.
    Threads,
    /// The executor.
    Host,
    /// A region.
    Region,
}

/// Inside branches without pars, more statements than this are compiled.
const FEW: usize = 16;

impl<'f> Planner<'f> {
    fn new(func: &'f Func) -> Planner<'f> {
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
    fn signature(&mut self) {
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
            Expr::Par(par) if on_threads(par) => Doer::Threads,
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
            expr @ (Expr::If(..) | Expr::Loop(_)) if has_threads(expr) => Doer::Host,
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
    fn block(&mut self, block: &Block, after: &VarSet) -> Vec<Step> {
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
            Doer::Threads => false,
            Doer::Host => !has_threads(&stmt.expr),
        }
    }

    fn need(&self, live: &mut VarSet, atom: Atom) {
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

    fn region(&mut self, stmts: &[Stmt], needed: &VarSet) -> Action {
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

    fn source(&mut self, atom: Atom) -> Source {
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

/// Whether a par is driven by the executor.
pub fn on_threads(par: &Par) -> bool {
    par.levels.is_empty() || par.levels.contains(&Level::Threads)
}

/// A guess at the operations of an iteration; where an inner extent is not known, of a few rounds.
pub fn operations(stmt: &Stmt) -> f64 {
    const ROUNDS: f64 = 16.0;
    fn rounds(extent: Atom) -> f64 {
        extent.as_const().map_or(ROUNDS, |n| n.bits as f64)
    }
    fn block(block: &Block) -> f64 {
        block.stmts.iter().map(each).sum()
    }
    fn each(stmt: &Stmt) -> f64 {
        match &stmt.expr {
            Expr::Par(par) => rounds(par.extent) * operations(stmt),
            Expr::Loop(inner) => {
                let rounds = match inner.kind {
                    LoopKind::For { extent, .. } => rounds(extent),
                    LoopKind::While(_) => ROUNDS,
                };
                rounds * block(&inner.body)
            }
            Expr::If(_, then, other) => 1.0 + block(then) + block(other),
            _ => effect::cost(stmt).min(64) as f64,
        }
    }
    match &stmt.expr {
        Expr::Par(par) => 1.0 + block(&par.body),
        _ => each(stmt),
    }
}

fn has_threads(expr: &Expr) -> bool {
    let mut found = false;
    if let Expr::Par(par) = expr {
        return on_threads(par);
    }
    walk::blocks(expr, &mut |block| {
        found |= block.stmts.iter().any(|stmt| has_threads(&stmt.expr));
    });
    found
}

/// Per result, the step that may write it to the caller's memory: nothing can fail once it has begun.
fn direct(plan: &Plan, func: &Func) -> Vec<Option<usize>> {
    // From the end: steps that neither fail nor ask for memory.
    let calm = |step: &Step| match &step.action {
        Action::Op { op, operands, .. } => !op.can_fail(operands[0].1),
        Action::Cast { .. } | Action::Copy { .. } | Action::Data { .. } => true,
        Action::View { dense, .. } => !dense,
        Action::Par { unit, sinks, .. } => {
            sinks.iter().all(|sink| sink.arrays.is_empty())
                && !effect::can_fail(func, &plan.pars[*unit])
        }
        _ => false,
    };
    let first = plan.steps.iter().rposition(|step| !calm(step));
    plan.results
        .iter()
        .enumerate()
        .map(|(number, &result)| {
            let Source::Array(slot) = result else {
                return None;
            };
            let step = first?;
            let Action::Par { unit, sinks, .. } = &plan.steps[step].action else {
                return None;
            };
            let writes = sinks
                .iter()
                .filter(|sink| !matches!(sink.kind, SinkKind::Filter))
                .any(|sink| sink.dest.is_empty() && sink.arrays.contains(&slot));
            let again = plan.results[..number].contains(&result);
            let safe = writes && !again && !effect::can_fail(func, &plan.pars[*unit]);
            safe.then_some(step)
        })
        .collect()
}
