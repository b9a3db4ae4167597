//! What the sinks of a par have in common: what each is fed with, and where what it makes goes.

use crate::driver::{
    collect::Collect, filter::Filter, reduce::Reduce, scan::Scan, scatter::Scatter,
};
use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::lanes::{Lanes, fits};
use dsl_runtime::ir::{Atom, Func, Level, Par, Sink, SinkKind, Stmt, Type, Var};
use dsl_runtime::plan::is_wide;

/// Where the results of a sink go.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// They get their names: the par stands in a body.
    Here,
    /// Totals of blocks go to these arrays; another kernel joins them.
    Totals(Vec<String>),
    /// Elements go to these arrays.
    Arrays(Vec<String>),
    /// Nowhere: only the number of kept iterations of each block goes to this array.
    Counts(String),
    /// Kept elements go to the arrays, those of a block from the place on that the last array tells.
    Kept(Vec<String>, String),
    /// Elements go to the arrays; the last ones tell what each block begins with.
    Carried(Vec<String>, Vec<String>),
}

/// A sink and what it is fed with.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The sink.
    pub sink: Sink,
    /// The names of its results.
    pub defs: Vec<Var>,
    /// The par's index.
    pub index: Var,
    /// The par's extent.
    pub extent: Atom,
    /// Whether the par is an inner one for the canonical order.
    pub inner: bool,
    /// Where the results go.
    pub goal: Goal,
}

impl Feed {
    /// The types of the values (of a filter or scatter: the first is the predicate or index).
    pub fn types(&self, func: &Func) -> Vec<Type> {
        self.sink
            .values
            .iter()
            .map(|&value| func.atom_type(value))
            .collect()
    }
}

/// What a sink adds to the loop over the iterations.
pub enum Part {
    /// `collect`.
    Collect(Collect),
    /// `reduce`.
    Reduce(Reduce),
    /// The four scans.
    Scan(Scan),
    /// `filter`.
    Filter(Filter),
    /// `scatter` and `scatter_with`.
    Scatter(Scatter),
}

macro_rules! each {
    ($self:ident, $part:ident => $call:expr) => {
        match $self {
            Part::Collect($part) => $call,
            Part::Reduce($part) => $call,
            Part::Scan($part) => $call,
            Part::Filter($part) => $call,
            Part::Scatter($part) => $call,
        }
    };
}

impl Part {
    /// For a sink.
    pub fn new(body: &mut Body<'_>, feed: Feed) -> Part {
        match feed.sink.kind {
            SinkKind::Collect => Part::Collect(Collect::new(feed)),
            SinkKind::Reduce => Part::Reduce(Reduce::new(body, feed)),
            SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan => {
                Part::Scan(Scan::new(body, feed))
            }
            SinkKind::Filter => Part::Filter(Filter::new(body, feed)),
            SinkKind::Scatter | SinkKind::ScatterWith => Part::Scatter(Scatter::new(body, feed)),
        }
    }

    /// Whether it goes block by block.
    pub fn blocks(&self) -> bool {
        each!(self, part => part.blocks())
    }

    /// Each work-item has one lane of the blocks that it looks at.
    pub fn of_lane(&mut self) {
        if let Part::Reduce(part) = self {
            part.of_lane();
        }
    }

    /// Before the first iteration.
    pub fn before(&mut self, body: &mut Body<'_>) {
        each!(self, part => part.before(body))
    }

    /// A block begins.
    pub fn block(&mut self, body: &mut Body<'_>, number: &str) {
        match self {
            Part::Reduce(part) => part.block(body),
            Part::Scan(part) => part.block(body, number),
            Part::Filter(part) => part.block(body, number),
            Part::Collect(_) | Part::Scatter(_) => {}
        }
    }

    /// The values of an iteration are there.
    pub fn element(&mut self, body: &mut Body<'_>) {
        each!(self, part => part.element(body))
    }

    /// The number of lanes that it asks for.
    pub fn width(&self) -> Option<usize> {
        match self {
            Part::Reduce(part) => part.width(),
            _ => None,
        }
    }

    /// When whole vectors are to be left out.
    pub fn only_if(&self) -> Option<String> {
        match self {
            Part::Reduce(part) => part.only_if(),
            _ => None,
        }
    }

    /// Before the first vector.
    pub fn lanes_before(&mut self, body: &mut Body<'_>, count: usize) {
        match self {
            Part::Reduce(part) => part.lanes_before(body, count),
            Part::Filter(part) => part.lanes_before(body, count),
            _ => {}
        }
    }

    /// The values of several iterations are there.
    pub fn lanes(&mut self, lanes: &mut Lanes<'_, '_>) {
        match self {
            Part::Collect(part) => part.lanes(lanes),
            Part::Reduce(part) => part.lanes(lanes),
            Part::Scan(part) => part.lanes(lanes),
            Part::Filter(part) => part.lanes(lanes),
            Part::Scatter(_) => unreachable!("scatters do not go in lanes"),
        }
    }

    /// After the last vector.
    pub fn lanes_after(&mut self, body: &mut Body<'_>, count: usize) {
        match self {
            Part::Reduce(part) => part.lanes_after(body, count),
            Part::Filter(part) => part.lanes_after(body, count),
            _ => {}
        }
    }

    /// A block ends.
    pub fn block_end(&mut self, body: &mut Body<'_>, number: &str) {
        match self {
            Part::Reduce(part) => part.block_end(body, number),
            Part::Scan(part) => part.block_end(body, number),
            Part::Filter(part) => part.block_end(body, number),
            Part::Collect(_) | Part::Scatter(_) => {}
        }
    }

    /// After the last iteration.
    pub fn after(&mut self, body: &mut Body<'_>) {
        each!(self, part => part.after(body))
    }
}

/// The memory of a result: that of a goal, or made here.
pub fn memory(body: &mut Body<'_>, goal: &Goal, k: usize, def: Option<Var>) -> Held {
    match goal {
        Goal::Arrays(names) | Goal::Kept(names, _) | Goal::Carried(names, _) => {
            Held::Global(names[k].clone())
        }
        _ => body.make(def.expect("a result has a name")),
    }
}

/// Lanes of vectors where the order of a sink does not ask for another number: those of the canonical order.
const WIDTH: usize = dsl_runtime::ir::order::LANES;

/// The loop over the iterations from `first` up to `end`: whole vectors first, where the par is to go in lanes and can, then
/// one by one. `name` is the variable that counts.
pub fn rounds(
    body: &mut Body<'_>,
    par: &Par,
    stmts: &[Stmt],
    parts: &mut [Part],
    (name, first, end): (&str, &str, &str),
    mut each: impl FnMut(&mut Body<'_>, &mut [Part]),
) {
    let wide = is_wide(par);
    let lanes = par.levels.contains(&Level::Simd)
        && body.position.is_none()
        && fits(body.func, par, stmts, wide);
    body.line(format!("ulong {name} = {first};"));
    if lanes {
        let count = parts.iter().find_map(Part::width).unwrap_or(WIDTH);
        let mut conditions: Vec<String> = parts.iter().filter_map(Part::only_if).collect();
        conditions.push(format!("{name} + {count} <= {end}"));
        let condition = conditions.join(" && ");
        body.line(format!("if ({condition}) {{"));
        parts
            .iter_mut()
            .for_each(|part| part.lanes_before(body, count));
        body.line(format!("for (; {condition}; {name} += {count}) {{"));
        let mut lanes = Lanes::new(body, count, par.index);
        lanes.stmts(stmts);
        parts.iter_mut().for_each(|part| part.lanes(&mut lanes));
        body.line("}");
        parts
            .iter_mut()
            .for_each(|part| part.lanes_after(body, count));
        body.line("}");
    }
    body.line(format!("for (; {name} < {end}; {name}++) {{"));
    each(body, parts);
    body.line("}");
}
