//! From a scheduled function to what a backend's executor walks: its top level as steps. Wide pars and runs of other work
//! become units of compiled code; scalar operations, views, and the loops and branches around pars stay with the executor.
//!
//! Names become slots, of scalars and of arrays. Each step says which arrays nobody needs after it, so that memory goes
//! back to the pool at once and work in place is possible: two buffers that a loop alternates between come out of this.

mod planner;

use crate::backend::CompileError;
use crate::ir::{
    Atom, Block, Expr, Func, Level, LoopKind, Par, Place, ScalarOp, ScalarType, SinkKind, Stmt,
    Var, VarSet, walk,
};
use crate::pass::effect;
use planner::Planner;
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
    /// Of a collect: arrays that nobody needs afterwards and of which an iteration reads nothing but its own element, which
    /// has the size of the result's. Where nobody else looks at one, and it is as long, the result may take its memory.
    pub over: Vec<u32>,
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

/// Whether a par is driven by the executor: its iterations go to ranks, to the threads of a processor or to the groups of a
/// device.
pub fn is_wide(par: &Par) -> bool {
    let wide = |level: &Level| matches!(level, Level::Ranks | Level::Threads | Level::Grid);
    par.levels.is_empty() || par.levels.iter().any(wide)
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

fn has_wide(expr: &Expr) -> bool {
    let mut found = false;
    if let Expr::Par(par) = expr {
        return is_wide(par);
    }
    walk::blocks(expr, &mut |block| {
        found |= block.stmts.iter().any(|stmt| has_wide(&stmt.expr));
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
        // A par asks for memory even where it makes no array: its reductions have a total for each block.
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
            // A filter may ask for more memory in the middle of the run.
            let grows = sinks.iter().any(|sink| sink.kind == SinkKind::Filter);
            let safe = writes && !again && !grows && !effect::can_fail(func, &plan.pars[*unit]);
            safe.then_some(step)
        })
        .collect()
}
