//! What the sinks of a par have in common: what each is fed with, and where what it makes goes.

use crate::driver::{
    collect::Collect, filter::Filter, reduce::Reduce, scan::Scan, scatter::Scatter,
};
use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::lanes::{Lanes, agreements, fits, sides};
use dsl_runtime::ir::{
    Atom, Expr, Func, Level, Par, ScalarOp, Sink, SinkKind, Stmt, Type, Var, VarSet,
};
use dsl_runtime::pass::effect;
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

    /// Whether few iterations come together in another way than many.
    pub fn splits(&self) -> bool {
        matches!(self, Part::Reduce(part) if part.splits())
    }

    /// Before the first of many iterations.
    pub fn many(&mut self, body: &mut Body<'_>) {
        if let Part::Reduce(part) = self {
            part.many(body);
        }
    }

    /// After the last of many iterations.
    pub fn many_end(&mut self, body: &mut Body<'_>) {
        if let Part::Reduce(part) = self {
            part.many_end(body);
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

/// The number of lanes: what the order of a reduction asks for, or what suits a scan.
fn width(body: &Body<'_>, parts: &[Part]) -> usize {
    let asked = parts.iter().find_map(|part| match part {
        Part::Reduce(part) => part.width(),
        _ => None,
    });
    let suits = || {
        parts.iter().find_map(|part| match part {
            Part::Scan(part) => Some(part.suits(body)),
            _ => None,
        })
    };
    asked.or_else(suits).unwrap_or(WIDTH)
}

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
    if let [Part::Filter(filter)] = parts
        && lanes
        && filter.light(stmts)
    {
        let (step, room) = (WIDTH, filter.room(WIDTH));
        body.line(format!("while ({name} + {step} <= {end} && {room}) {{"));
        stmts
            .iter()
            .for_each(|stmt| fetch(body, stmt, par.index, (AHEAD / 2, step)));
        filter.fetch(body);
        body.line("#pragma unroll");
        body.line(format!("for (uint u = 0; u < {step}; u++, {name}++) {{"));
        stmts.iter().for_each(|stmt| body.stmt(stmt));
        filter.element_within(body);
        body.line("}\n}");
        body.line(format!("for (; {name} < {end}; {name}++) {{"));
        each(body, parts);
        return body.line("}");
    }
    if !lanes {
        body.line(format!("for (; {name} < {end}; {name}++) {{"));
        each(body, parts);
        return body.line("}");
    }
    let count = width(body, parts);
    let vectors = |body: &mut Body<'_>, parts: &mut [Part], sides: usize, agreed: VarSet| {
        let asks = body.ahead && !wide && gathers(stmts);
        let mut lanes = Lanes::new(body, (count, sides), par.index, agreed);
        lanes.asks = asks;
        lanes.stmts(stmts);
        lanes.each(|lanes| parts.iter_mut().for_each(|part| part.lanes(lanes)));
    };
    if let Some((agreed, agree)) = agreements(body, par, count) {
        body.line(format!("while ({name} < {end}) {{"));
        body.line(format!("if ({name} + {count} <= {end} && {agree}) {{"));
        vectors(body, parts, 1, agreed);
        body.line(format!("{name} += {count};\n}} else {{"));
        each(body, parts);
        return body.line(format!("{name}++;\n}}\n}}"));
    }
    let cost: u32 = stmts.iter().map(effect::cost).fold(0, u32::saturating_add);
    // Of several streams the hardware keeps track better by itself.
    let reads = stmts
        .iter()
        .filter(|stmt| matches!(stmt.expr, Expr::Index(_)));
    let light = wide && cost <= LIGHT && reads.count() == 1 && parts.iter().any(Part::blocks);
    let mut all = vec![sides(body.func, par), 1];
    all.dedup();
    for sides in all {
        let step = count * sides;
        let condition = format!("{name} + {step} <= {end}");
        body.line(format!("if ({condition}) {{"));
        parts
            .iter_mut()
            .for_each(|part| part.lanes_before(body, count));
        body.line(format!("for (; {condition}; {name} += {step}) {{"));
        if light {
            stmts
                .iter()
                .for_each(|stmt| fetch(body, stmt, par.index, (AHEAD, step)));
        }
        vectors(body, parts, sides, VarSet::new());
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

/// Asks for the memory that lies ahead of elements that the index leads to, a line at a time. It also keeps compilers from
/// making vectors of a loop that is quicker without.
fn fetch(body: &mut Body<'_>, stmt: &Stmt, index: Var, (ahead, count): (usize, usize)) {
    if let Expr::Index(read) = &stmt.expr
        && read.indices[..] == [index.into()]
    {
        let bytes = body.func.ty(read.array).elem.bytes() * count;
        for at in (0..bytes).step_by(LINE) {
            fetch_one(body, read.array, index, ahead + at);
        }
    }
}

/// Asks for the memory so many bytes ahead of an element.
fn fetch_one(body: &mut Body<'_>, array: Var, at: Var, ahead: usize) {
    let (base, at) = (body.held(array).base().to_owned(), body.name(at));
    body.line(format!(
        "FETCH((__global const char*)({base} + {at}) + {ahead});"
    ));
}

/// Before an inner par that reads elements side by side from a place on: asks for what will follow them. The next iteration of
/// the par around it goes on there as a rule (rows of a sparse matrix), but the hardware's guess ends with each page.
pub fn fetch_stretches(body: &mut Body<'_>, par: &Par) {
    let stmts = &par.body.stmts;
    let index = Atom::Var(par.index);
    let own: VarSet = stmts.iter().flat_map(|stmt| stmt.defs.clone()).collect();
    let from = |at: &Atom| {
        let made = stmts
            .iter()
            .find(|stmt| stmt.defs.first() == at.as_var().as_ref())?;
        let Expr::Op(ScalarOp::Add, operands) = &made.expr else {
            return None;
        };
        match operands[..] {
            [Atom::Var(from), i] | [i, Atom::Var(from)] if i == index => Some(from),
            _ => None,
        }
    };
    for stmt in stmts {
        if let Expr::Index(read) = &stmt.expr
            && let [at] = &read.indices[..]
            && let Some(from) = from(at)
            && !own.contains(&from)
            && matches!(body.held(read.array), Held::Global(_))
        {
            fetch_one(body, read.array, from, AHEAD);
        }
    }
}

/// Whether an iteration reads where something tells that it has read itself: it waits for memory, and there is room between
/// for asking ahead.
pub fn gathers(stmts: &[Stmt]) -> bool {
    let mut read = VarSet::new();
    for stmt in stmts {
        match &stmt.expr {
            Expr::Index(index) => {
                let told = |at: &Atom| at.as_var().is_some_and(|var| read.contains(&var));
                if index.indices.iter().any(told) {
                    return true;
                }
                read.extend(stmt.defs.iter().copied());
            }
            Expr::Cast(_, Atom::Var(from)) if read.contains(from) => {
                read.extend(stmt.defs.iter().copied());
            }
            _ => {}
        }
    }
    false
}

/// A line of a cache, in bytes.
pub const LINE: usize = 64;
/// How far ahead of the loads, in bytes.
pub const AHEAD: usize = 8192;
/// What an iteration costs at most that waits for memory more than for anything else.
const LIGHT: u32 = 16;
