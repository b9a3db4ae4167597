//! What the sinks of a par have in common: what each is fed with, and where what it makes goes.

use crate::driver::{collect::Collect, filter::Filter, reduce::Reduce, scan::Scan, scatter::Scatter};
use crate::render::array::Held;
use crate::render::body::Body;
use dsl_runtime::ir::{Atom, Func, Sink, SinkKind, Type, Var};

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
