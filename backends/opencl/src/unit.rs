//! The kernels of a unit: of a wide par, or of a run of statements that one work-item does. Each says what its parameters
//! are; the executor finds the values.

use crate::driver::scatter_with::Shares;
use crate::driver::{filter, reduce, scan};
use crate::flat::Flat;
use crate::prologue::prologue;
use crate::render::array::Held;
use crate::render::body::{Body, own_name};
use crate::render::types;
use crate::scalars::Tails;
use crate::sink::{Feed, Goal, Part, rounds};
use crate::style::Style;
use dsl_runtime::ir::order::{BLOCK, LANES};
use dsl_runtime::ir::{
    Combine, Expr, Func, Par, Place, ScalarType, Sink, SinkKind, Stmt, Type, Var, VarSet, walk,
};
use dsl_runtime::pass::effect;
use dsl_runtime::plan::{Region, Slot};
use std::collections::HashMap;

/// What a parameter of a kernel is.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// A scalar that the host knows.
    Scalar(Var),
    /// An array: a buffer, and the number of its first element.
    Array(Var),
    /// A scalar of the plan that the host knows.
    Slot(u32, ScalarType),
    /// The run's words: the state, then a word a scalar.
    Words,
    /// The stacks of the work-items: a buffer, and the bytes of each.
    Stack,
    /// The number of iterations.
    Extent,
    /// The iterations of a work-item.
    Tile,
    /// The number of blocks.
    Blocks,
    /// Result `k` of sink `s`, a buffer of such elements.
    Result(usize, usize, ScalarType),
    /// Value `k` of each iteration for sink `s`.
    Values(usize, usize, ScalarType),
    /// Totals of the blocks for value `k` of sink `s`.
    Totals(usize, usize, ScalarType),
    /// Counts of the blocks for sink `s`.
    Counts(usize),
    /// Marks for sink `s`.
    Marks(usize),
    /// Result `k` of a region.
    Out(usize, ScalarType),
    /// For the shares of a `scatter_with`: how many of each share a tile has, then where they go.
    Shares,
    /// The iterations in the order of their shares.
    Sorted,
    /// The number of shares, and how many destinations one has.
    Span,
    /// The number of tiles.
    Tiles,
}

/// A kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its name in the program.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Whether its work-items need a stack.
    pub stack: bool,
}

/// Which iterations of a wide par a work-item has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Neighbouring ones.
    Stretch,
    /// Whole blocks of the canonical order.
    Blocks,
    /// Neighbouring work-items have neighbouring ones: those of so many pars inside each other, counted through.
    Neighbours(usize),
    /// As many neighbouring work-items as a block has lanes have one lane each.
    Lanes,
}

/// A wide par.
#[derive(Clone, Debug)]
pub struct ParUnit {
    /// Finds the totals and counts of the blocks.
    pub first: Option<Kernel>,
    /// Makes of them what each block begins with.
    pub link: Option<Kernel>,
    /// Runs the body and feeds the sinks.
    pub main: Kernel,
    /// Joins the totals of reductions.
    pub join: Option<Kernel>,
    /// Per `scatter_with`, its kernels.
    pub combines: Vec<(usize, Shares)>,
    /// Which iterations its work-items have.
    pub layout: Layout,
    /// Whether it can fail.
    pub fails: bool,
    /// A guess at the operations of an iteration.
    pub operations: f64,
    /// The types of the values of each sink.
    pub types: Vec<Vec<Type>>,
}

/// A region.
#[derive(Clone, Debug)]
pub struct RegionUnit {
    /// The only kernel.
    pub main: Kernel,
    /// Per result, where it is left.
    pub results: Vec<Left>,
    /// Whether it can fail.
    pub fails: bool,
}

/// Where a region leaves a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// In its word.
    Word,
    /// In a buffer of its shape.
    Buffer,
    /// On the stack, from the byte on that this word tells.
    Stack(usize),
}

/// Words of the state before those of the scalars: whether something has failed, and how much stack was missing.
pub const STATE: usize = 1;

/// What the units of a function share.
pub struct Maker<'f> {
    /// The function.
    pub func: &'f Func,
    /// Where names live.
    pub slots: &'f HashMap<Var, Slot>,
    /// Scalars that live in words.
    pub remote: &'f dyn Fn(u32) -> bool,
    /// How work is laid out.
    pub style: Style,
    /// What the kernels that join totals do besides.
    pub tails: &'f Tails,
    /// The source so far, and per line where it comes from.
    pub source: String,
    /// Per line of the source.
    pub places: Vec<Place>,
    /// The number of words.
    pub words: usize,
    /// Whether anything can fail: kernels then look whether something has.
    tested: bool,
    /// Whether a work-item needs a stack, which it may lack.
    pub stacks: bool,
    /// How many kernels there are.
    units: usize,
}

impl<'f> Maker<'f> {
    /// For a function whose scalars have so many slots.
    pub fn new(
        func: &'f Func,
        slots: &'f HashMap<Var, Slot>,
        scalars: usize,
        remote: &'f dyn Fn(u32) -> bool,
        style: Style,
        tails: &'f Tails,
        tested: bool,
    ) -> Maker<'f> {
        Maker {
            func,
            slots,
            remote,
            style,
            tails,
            source: String::new(),
            places: vec![],
            words: STATE + scalars,
            tested,
            stacks: false,
            units: 0,
        }
    }

    /// The whole source, and per line where it comes from.
    pub fn finish(self) -> (String, Vec<Place>) {
        let mut source = prologue(self.func, &self.source);
        let mut places: Vec<Place> = source.lines().map(|_| Place::default()).collect();
        source.push_str(&self.source);
        places.extend(self.places);
        (source, places)
    }

    fn slot(&self, var: Var) -> Option<u32> {
        match self.slots.get(&var) {
            Some(&Slot::Scalar(slot)) => Some(slot),
            _ => None,
        }
    }

    fn word(&self, var: Var) -> String {
        let slot = self.slot(var).expect("a scalar of the plan");
        format!("words[{}]", STATE + slot as usize)
    }

    /// A kernel around what `fill` writes.
    pub(crate) fn kernel(
        &mut self,
        name: &str,
        mut body: Body<'f>,
        env: &VarSet,
        own: &[Param],
        fill: impl FnOnce(&mut Body<'f>),
    ) -> Kernel {
        let func = self.func;
        body.ahead = self.style == Style::Lanes;
        let (mut params, mut begin) = (vec![], vec![]);
        for &var in env {
            let ty = func.ty(var);
            let name = own_name(func, var);
            if !ty.is_scalar() {
                params.push(Param::Array(var));
                let own = types::stored(ty.elem);
                begin.push(format!(
                    "__global const {own}* const {name} = {name}_all + {name}_at;"
                ));
                body.arrays.insert(var, Held::Global(name));
            } else if self.slot(var).is_some_and(|slot| (self.remote)(slot)) {
                let value = types::from_word(ty.elem, &self.word(var));
                begin.push(format!("const {} {name} = {value};", types::name(ty.elem)));
            } else {
                params.push(Param::Scalar(var));
                if ty.elem == ScalarType::Bool {
                    begin.push(format!("const bool {name} = {name}_byte != 0;"));
                }
            }
        }
        params.extend_from_slice(own);
        fill(&mut body);
        for var in std::mem::take(&mut body.data) {
            params.push(Param::Array(var));
            let (own, name) = (types::stored(func.ty(var).elem), own_name(func, var));
            begin.push(format!(
                "__global const {own}* const {name} = {name}_all + {name}_at;"
            ));
        }
        let stack = body.stack;
        if stack {
            params.push(Param::Stack);
            begin.push("__global uchar* const stack = stacks + get_global_id(0) * room;".into());
            begin.push("ulong top = 0;".into());
        }
        self.stacks |= stack;
        let state = self.tested || stack;
        if state || begin.iter().any(|line| line.contains("words[")) || body.text.has("words[") {
            params.insert(0, Param::Words);
        }
        if state {
            // What an earlier kernel should have made may not be there.
            begin.splice(
                0..0,
                [
                    "__global volatile uint* const state = (__global volatile uint*)words;".into(),
                    "if (STOPPED) return;".into(),
                ],
            );
        }
        let list: Vec<String> = params.iter().map(|param| self.declaration(param)).collect();
        let mut text = crate::render::text::Text::default();
        text.line(format!("\n__kernel void {name}({}) {{", list.join(", ")));
        begin.iter().for_each(|line| text.line(line));
        text.include(body.text);
        text.line("}");
        let (lines, places) = text.finish();
        self.source.push_str(&lines);
        self.places.extend(places);
        Kernel {
            name: name.to_owned(),
            params,
            stack,
        }
    }

    fn declaration(&self, param: &Param) -> String {
        let func = self.func;
        match param {
            Param::Scalar(var) => {
                let (ty, name) = (func.ty(*var).elem, own_name(func, *var));
                match ty {
                    ScalarType::Bool => format!("const uchar {name}_byte"),
                    ty => format!("const {} {name}", types::name(ty)),
                }
            }
            Param::Array(var) => {
                let (own, name) = (types::stored(func.ty(*var).elem), own_name(func, *var));
                format!("__global const {own}* {name}_all, const ulong {name}_at")
            }
            Param::Slot(slot, ty) => format!("const {} a{slot}", types::stored(*ty)),
            Param::Words => "__global ulong* words".into(),
            Param::Stack => "__global uchar* stacks, const ulong room".into(),
            Param::Extent => "const ulong n".into(),
            Param::Tile => "const ulong tile".into(),
            Param::Blocks => "const ulong blocks".into(),
            Param::Result(s, k, elem) => format!("__global {}* y{s}_{k}", types::stored(*elem)),
            Param::Values(s, k, elem) => format!("__global {}* v{s}_{k}", types::stored(*elem)),
            Param::Totals(s, k, elem) => format!("__global {}* t{s}_{k}", types::stored(*elem)),
            Param::Out(k, elem) => format!("__global {}* out{k}", types::stored(*elem)),
            Param::Shares => "__global ulong* places".into(),
            Param::Sorted => "__global ulong* sorted".into(),
            Param::Span => "const ulong shares, const ulong span".into(),
            Param::Tiles => "const ulong tiles".into(),
            Param::Counts(s) => format!("__global ulong* counts{s}"),
            Param::Marks(s) => format!("__global volatile uint* marks{s}"),
        }
    }
}

impl<'f> Maker<'f> {
    /// The names that a statement needs from outside, with the lengths of arrays.
    fn env(&self, mut free: VarSet) -> VarSet {
        for var in free.clone() {
            free.extend(walk::sizes(self.func.ty(var)));
        }
        free
    }

    /// What the start values and combining functions need.
    pub(crate) fn combining(&self, sinks: &[&Sink]) -> VarSet {
        let mut free = VarSet::new();
        for sink in sinks {
            free.extend(sink.outer.iter().filter_map(|atom| atom.as_var()));
            if let Some(dsl_runtime::ir::Combine::Lambda(lambda)) = &sink.combine {
                let mut inner = walk::free(&self.func.vars, &lambda.body);
                lambda.params.iter().for_each(|param| {
                    inner.remove(param);
                });
                free.extend(inner);
            }
        }
        self.env(free)
    }

    /// The kernels of a wide par.
    pub fn par(&mut self, stmt: &Stmt) -> ParUnit {
        let Expr::Par(par) = &stmt.expr else {
            unreachable!("a unit of a par")
        };
        let func = self.func;
        let unit = self.units;
        self.units += 1;
        let mut defs = stmt.defs.iter().copied();
        let feeds: Vec<Feed> = par
            .sinks
            .iter()
            .map(|sink| Feed {
                sink: sink.clone(),
                defs: defs.by_ref().take(sink.results()).collect(),
                index: par.index,
                extent: par.extent,
                inner: false,
                goal: Goal::Here,
            })
            .collect();
        let types: Vec<Vec<Type>> = feeds.iter().map(|feed| feed.types(func)).collect();
        let is = |feed: &Feed, kinds: &[SinkKind]| kinds.contains(&feed.sink.kind);
        let scans = [
            SinkKind::Scan,
            SinkKind::ExScan,
            SinkKind::RScan,
            SinkKind::RExScan,
        ];
        let two = [&scans[..], &[SinkKind::Filter]].concat();
        let flat = match self.style {
            Style::Items => Flat::of(func, par),
            Style::Lanes => None,
        };
        let each_alone = |feed: &Feed| match feed.sink.kind {
            SinkKind::Collect | SinkKind::Scatter | SinkKind::ScatterWith => true,
            SinkKind::Reduce => matches!(feed.sink.combine, Some(Combine::Op(_))),
            _ => false,
        };
        let layout = match (
            self.style,
            feeds.iter().any(|feed| is(feed, &[SinkKind::Reduce])),
        ) {
            (Style::Items, true) if feeds.iter().all(each_alone) => Layout::Lanes,
            (Style::Items, false) if feeds.iter().all(each_alone) => {
                Layout::Neighbours(flat.as_ref().map_or(1, |flat| flat.loops.len()))
            }
            (Style::Lanes, false) if feeds.iter().all(each_alone) => Layout::Stretch,
            _ => Layout::Blocks,
        };
        let wide = Wide {
            stmt,
            par,
            feeds: &feeds,
            types: &types,
            layout,
            flat,
        };

        let first: Vec<(usize, &Feed)> = feeds
            .iter()
            .enumerate()
            .filter(|(_, feed)| is(feed, &two))
            .collect();
        let goals: Vec<(usize, Goal)> = first
            .iter()
            .map(|&(s, feed)| match feed.sink.kind {
                SinkKind::Filter => (s, Goal::Counts(format!("counts{s}"))),
                _ => (s, Goal::Totals(each(&types[s], |k, _| format!("t{s}_{k}")))),
            })
            .collect();
        let first_kernel =
            (!first.is_empty()).then(|| self.pass(&format!("u{unit}_first"), &wide, goals, true));
        let link = (!first.is_empty()).then(|| {
            let sinks: Vec<&Sink> = first.iter().map(|(_, feed)| &feed.sink).collect();
            let env = self.combining(&sinks);
            let mut own = vec![Param::Blocks];
            for &(s, feed) in &first {
                match feed.sink.kind {
                    SinkKind::Filter => own.push(Param::Counts(s)),
                    _ => own.extend(each(&types[s], |k, ty| Param::Totals(s, k, ty.elem))),
                }
            }
            let words: Vec<Option<String>> = first
                .iter()
                .map(|(_, feed)| is(feed, &[SinkKind::Filter]).then(|| self.word(feed.defs[0])))
                .collect();
            let body = Body::new(func, &[], &VarSet::new());
            let name = format!("u{unit}_link");
            self.kernel(&name, body, &env, &own, |body| {
                for (&(s, feed), word) in first.iter().zip(&words) {
                    match word {
                        Some(word) => filter::linking(body, &format!("counts{s}"), word),
                        None => {
                            let totals = each(&types[s], |k, _| format!("t{s}_{k}"));
                            scan::linking(body, feed, &totals);
                        }
                    }
                }
            })
        });
        let goals = feeds
            .iter()
            .enumerate()
            .map(|(s, feed)| {
                let results = |from: usize| -> Vec<String> {
                    (from..types[s].len())
                        .map(|k| format!("y{s}_{}", k - from))
                        .collect()
                };
                let totals = || each(&types[s], |k, _| format!("t{s}_{k}"));
                let goal = match feed.sink.kind {
                    SinkKind::Collect => Goal::Arrays(results(0)),
                    SinkKind::Reduce => Goal::Totals(totals()),
                    SinkKind::Filter => Goal::Kept(results(1), format!("counts{s}")),
                    SinkKind::Scatter => {
                        let mut names = results(1);
                        names.push(format!("marks{s}"));
                        Goal::Arrays(names)
                    }
                    SinkKind::ScatterWith => {
                        Goal::Arrays(each(&types[s], |k, _| format!("v{s}_{k}")))
                    }
                    _ => Goal::Carried(results(0), totals()),
                };
                (s, goal)
            })
            .collect();
        let main = self.pass(&format!("u{unit}_main"), &wide, goals, false);
        let sums: Vec<(usize, &Feed)> = feeds
            .iter()
            .enumerate()
            .filter(|(_, feed)| is(feed, &[SinkKind::Reduce]))
            .collect();
        let join = (!sums.is_empty()).then(|| {
            let sinks: Vec<&Sink> = sums.iter().map(|(_, feed)| &feed.sink).collect();
            let env = self.combining(&sinks);
            let mut own = vec![Param::Blocks];
            for &(s, _) in &sums {
                own.extend(each(&types[s], |k, ty| Param::Totals(s, k, ty.elem)));
            }
            let tail = self.tails.get(&unit);
            own.extend(tail.iter().flat_map(|tail| tail.params.iter().cloned()));
            let words: Vec<Vec<String>> = sums
                .iter()
                .map(|(_, feed)| feed.defs.iter().map(|&def| self.word(def)).collect())
                .collect();
            let body = Body::new(func, &[], &VarSet::new());
            self.kernel(&format!("u{unit}_join"), body, &env, &own, |body| {
                for (&(s, feed), words) in sums.iter().zip(&words) {
                    let totals = each(&types[s], |k, _| format!("t{s}_{k}"));
                    body.line("{");
                    match layout {
                        Layout::Lanes => reduce::joining_lanes(body, feed, &totals, words),
                        _ => reduce::joining(body, feed, &totals, words),
                    }
                    body.line("}");
                }
                if let Some(tail) = tail {
                    body.line("if (get_global_id(0) > 0) return;");
                    tail.lines.iter().for_each(|line| body.line(line));
                }
            })
        });
        let combines = feeds
            .iter()
            .enumerate()
            .filter(|(_, feed)| is(feed, &[SinkKind::ScatterWith]))
            .map(|(s, feed)| (s, self.combine_shares(unit, s, feed, &types[s])))
            .collect();
        ParUnit {
            layout,
            first: first_kernel,
            link,
            main,
            join,
            combines,
            fails: effect::can_fail(func, stmt),
            operations: dsl_runtime::plan::operations(stmt),
            types,
        }
    }

    /// A kernel that runs the body and feeds sinks; in the first of two passes only with what they ask for there.
    fn pass(
        &mut self,
        name: &str,
        wide: &Wide<'_>,
        goals: Vec<(usize, Goal)>,
        first: bool,
    ) -> Kernel {
        let Wide {
            stmt,
            par,
            feeds,
            types,
            layout,
            flat,
        } = wide;
        let func = self.func;
        let mut values = VarSet::new();
        for (s, goal) in &goals {
            let sink = &feeds[*s].sink;
            let count = if matches!(goal, Goal::Counts(_)) {
                1
            } else {
                sink.values.len()
            };
            values.extend(sink.values[..count].iter().filter_map(|atom| atom.as_var()));
        }
        let stmts = match first {
            true => slice(func, &par.body.stmts, &values),
            false => par.body.stmts.clone(),
        };
        // The names from outside: of the statements, the values, the combining functions.
        let mut free = values.clone();
        let mut bound = VarSet::from([par.index]);
        for stmt in &stmts {
            free.extend(walk::free_of_stmt(&func.vars, stmt));
            bound.extend(stmt.defs.iter().copied());
        }
        free.extend(par.extent.as_var());
        for (s, _) in &goals {
            let sink = &feeds[*s].sink;
            match sink.kind {
                SinkKind::Scatter | SinkKind::ScatterWith => {
                    let dests = sink.outer.iter().filter_map(|atom| atom.as_var());
                    dests.for_each(|dest| free.extend(walk::sizes(func.ty(dest))));
                }
                _ => free.extend(self.combining(&[sink])),
            }
            for &def in &feeds[*s].defs {
                let inner = func.ty(def).shape.iter().skip(1);
                free.extend(inner.filter_map(|atom| atom.as_var()));
            }
        }
        let free: VarSet = free.difference(&bound).copied().collect();
        let own_results: VarSet = stmt.defs.iter().copied().collect();
        let free = self
            .env(free)
            .difference(&bound)
            .copied()
            .collect::<VarSet>();
        let env: VarSet = free.difference(&own_results).copied().collect();

        let mut own = vec![Param::Extent];
        if matches!(layout, Layout::Stretch | Layout::Blocks) {
            own.push(Param::Tile);
        }
        for (s, goal) in &goals {
            let (s, types) = (*s, &types[*s]);
            let totals = || each(types, |k, ty| Param::Totals(s, k, ty.elem));
            let results = |from: usize| -> Vec<Param> {
                (from..types.len())
                    .map(|k| Param::Result(s, k - from, types[k].elem))
                    .collect()
            };
            match (goal, feeds[s].sink.kind) {
                (Goal::Counts(_), _) => own.push(Param::Counts(s)),
                (Goal::Totals(_), _) => own.extend(totals()),
                (Goal::Kept(..), _) => {
                    own.extend(results(1));
                    own.push(Param::Counts(s));
                }
                (Goal::Carried(..), _) => {
                    own.extend(results(0));
                    own.extend(totals());
                }
                (_, SinkKind::Scatter) => {
                    own.extend(results(1));
                    own.push(Param::Marks(s));
                }
                (_, SinkKind::ScatterWith) => {
                    own.extend(each(types, |k, ty| Param::Values(s, k, ty.elem)));
                }
                _ => own.extend(results(0)),
            }
        }
        let reversed = goals
            .iter()
            .any(|(s, _)| scan::reversed(feeds[*s].sink.kind));
        if let Some(flat) = flat {
            let needed = flat.values.iter().filter_map(|value| value.as_var());
            let body = Body::new(func, &flat.stmts, &needed.collect());
            return self.kernel(name, body, &env, &own, |body| {
                body.text.from(stmt.place);
                let into: Vec<String> = (0..goals.len()).map(|s| format!("y{s}_0")).collect();
                flat.render(body, &into);
            });
        }
        let body = Body::new(func, &stmts, &values);
        self.kernel(name, body, &env, &own, |body| {
            body.text.from(stmt.place);
            let mut parts = vec![];
            for (s, goal) in goals {
                // Of a `scatter_with`, the values are collected first.
                if feeds[s].sink.kind == SinkKind::ScatterWith {
                    let Goal::Arrays(names) = goal else {
                        unreachable!()
                    };
                    for (&value, name) in feeds[s].sink.values.iter().zip(names) {
                        let sink = Sink {
                            kind: SinkKind::Collect,
                            outer: vec![],
                            values: vec![value],
                            combine: None,
                            place: feeds[s].sink.place,
                        };
                        let feed = Feed {
                            sink,
                            goal: Goal::Arrays(vec![name]),
                            ..feeds[s].clone()
                        };
                        parts.push(Part::new(body, feed));
                    }
                    continue;
                }
                let feed = Feed {
                    goal,
                    ..feeds[s].clone()
                };
                parts.push(Part::new(body, feed));
            }
            let i = own_name(func, par.index);
            if *layout == Layout::Lanes {
                parts.iter_mut().for_each(Part::of_lane);
            }
            parts.iter_mut().for_each(|part| part.before(body));
            let counter = if reversed { "p".to_owned() } else { i.clone() };
            if reversed {
                body.position = Some("p".into());
            }
            let each = |body: &mut Body<'_>, parts: &mut [Part]| {
                if reversed {
                    body.line(format!("const ulong {i} = n - 1 - p;"));
                }
                stmts.iter().for_each(|stmt| body.stmt(stmt));
                parts.iter_mut().for_each(|part| part.element(body));
                if body.stack {
                    body.line("top = 0;");
                }
            };
            let tile = "const ulong begin = get_global_id(0) * tile;\nconst ulong end = min(begin + tile, n);";
            match layout {
                Layout::Stretch => {
                    body.line(tile);
                    let stretch = (&*counter, "begin", "end");
                    rounds(body, par, &stmts, &mut parts, stretch, each);
                }
                Layout::Blocks => {
                    body.line(tile);
                    body.line(format!(
                        "for (ulong block = begin; block < end; block += {BLOCK}) {{"
                    ));
                    body.line(format!("const ulong number = block / {BLOCK};"));
                    body.line(format!("const ulong stop = min(block + {BLOCK}, n);"));
                    parts.iter_mut().for_each(|part| part.block(body, "number"));
                    let stretch = (&*counter, "block", "stop");
                    rounds(body, par, &stmts, &mut parts, stretch, each);
                    parts
                        .iter_mut()
                        .for_each(|part| part.block_end(body, "number"));
                    body.line("}");
                }
                Layout::Neighbours(_) => {
                    body.line(format!(
                        "for (ulong {i} = get_global_id(0); {i} < n; {i} += get_global_size(0)) {{"
                    ));
                    each(body, &mut parts);
                    body.line("}");
                }
                Layout::Lanes => {
                    body.line(format!(
                        "for (ulong lane = get_global_id(0); lane < (n + {}) / {BLOCK} * {LANES}; lane += get_global_size(0)) {{",
                        BLOCK - 1
                    ));
                    body.line(format!("const ulong block = lane / {LANES} * {BLOCK};"));
                    body.line(format!("const ulong stop = min(block + {BLOCK}, n);"));
                    parts.iter_mut().for_each(|part| part.block(body, "lane"));
                    body.line(format!(
                        "for (ulong {i} = block + lane % {LANES}; {i} < stop; {i} += {LANES}) {{"
                    ));
                    each(body, &mut parts);
                    body.line("}");
                    parts
                        .iter_mut()
                        .for_each(|part| part.block_end(body, "lane"));
                    body.line("}");
                }
            }
        })
    }

    /// The kernel of a region.
    pub fn region(&mut self, region: &Region) -> RegionUnit {
        let func = self.func;
        let unit = self.units;
        self.units += 1;
        let needed: VarSet = region.results.iter().copied().collect();
        let mut free = VarSet::new();
        let mut bound = VarSet::new();
        for stmt in &region.stmts {
            free.extend(walk::free_of_stmt(&func.vars, stmt));
            bound.extend(stmt.defs.iter().copied());
        }
        let free = self.env(free);
        let env: VarSet = free.difference(&bound).copied().collect();
        let mut left = vec![];
        let mut own = vec![];
        for (k, &var) in region.results.iter().enumerate() {
            let ty = func.ty(var);
            left.push(if ty.is_scalar() {
                Left::Word
            } else if walk::sizes(ty).any(|size| bound.contains(&size)) {
                self.words += 1;
                Left::Stack(self.words - 1)
            } else {
                own.push(Param::Out(k, ty.elem));
                Left::Buffer
            });
        }
        let words: Vec<Option<String>> = region
            .results
            .iter()
            .map(|&var| self.slot(var).map(|_| self.word(var)))
            .collect();
        let body = Body::new(func, &region.stmts, &needed);
        let main = self.kernel(&format!("u{unit}_region"), body, &env, &own, |body| {
            for (k, (&var, left)) in region.results.iter().zip(&left).enumerate() {
                if *left == Left::Buffer && crate::render::array::private(func.ty(var)).is_none() {
                    body.homes.insert(var, format!("out{k}"));
                }
            }
            for stmt in &region.stmts {
                body.stmt(stmt);
            }
            for (k, (&var, left)) in region.results.iter().zip(&left).enumerate() {
                let ty = func.ty(var).clone();
                match left {
                    Left::Word => {
                        let value = types::to_word(ty.elem, &body.name(var));
                        let word = words[k].clone().expect("a scalar has a word");
                        body.line(format!("{word} = {value};"));
                    }
                    Left::Buffer => {
                        let held = body.held(var);
                        if held.base() != format!("out{k}") {
                            let count = body.stride(&ty.shape);
                            let out = Held::Global(format!("out{k}"));
                            body.move_all(&out, ty.elem, held.base(), &count);
                        }
                    }
                    Left::Stack(word) => {
                        let held = body.held(var);
                        let (at, copy) = (body.fresh("at"), body.fresh("copy"));
                        let own = types::stored(ty.elem);
                        body.stack = true;
                        body.line(format!("__global const {own}* {at} = {};", held.base()));
                        body.line(format!("if (!MINE({at}, 0)) {{"));
                        let count = body.stride(&ty.shape);
                        body.grab(ty.elem, &copy, &count);
                        body.move_all(&Held::Global(copy.clone()), ty.elem, &at, &count);
                        body.line(format!(
                            "{at} = {copy};
}}"
                        ));
                        body.line(format!(
                            "words[{word}] = (ulong)((__global const uchar*){at} - stack);"
                        ));
                    }
                }
            }
        });
        RegionUnit {
            main,
            results: left,
            fails: crate::render::body::can_fail(func, &region.stmts),
        }
    }
}

/// What the kernels of a wide par have in common.
struct Wide<'a> {
    stmt: &'a Stmt,
    par: &'a Par,
    feeds: &'a [Feed],
    types: &'a [Vec<Type>],
    layout: Layout,
    flat: Option<Flat>,
}

/// One for each type.
pub(crate) fn each<T>(types: &[Type], make: impl Fn(usize, &Type) -> T) -> Vec<T> {
    types
        .iter()
        .enumerate()
        .map(|(k, ty)| make(k, ty))
        .collect()
}

/// The statements that values are made by; and those that can fail, which what follows them relies on.
fn slice(func: &Func, stmts: &[Stmt], values: &VarSet) -> Vec<Stmt> {
    let mut needed = values.clone();
    let mut kept = vec![];
    for stmt in stmts.iter().rev() {
        if effect::can_fail(func, stmt) || stmt.defs.iter().any(|def| needed.contains(def)) {
            needed.extend(walk::free_of_stmt(&func.vars, stmt));
            kept.push(stmt.clone());
        }
    }
    kept.reverse();
    kept
}
