//! The kernels of a wide par, and how its iterations go to work-items.

use super::{Kernel, Maker, Param, each};
use crate::driver::scatter_with::Shares;
use crate::driver::{filter, reduce, scan};
use crate::flat::Flat;
use crate::render::body::{Body, own_name};
use crate::sink::{Feed, Goal, Part, rounds};
use crate::style::Style;
use dsl_runtime::ir::order::{BLOCK, LANES};
use dsl_runtime::ir::{Combine, Expr, Func, Par, Sink, SinkKind, Stmt, Type, VarSet, walk};
use dsl_runtime::pass::effect;

/// The bytes of a line of the cache. A stretch of a multiple of as many elements begins as the array does.
pub const ALIGNED: usize = 64;

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

impl Maker<'_> {
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
        // Stretches begin where the first result's lines of the cache begin: its vectors are not to lie in two each.
        let lines = goals.first().and_then(|(s, goal)| match goal {
            Goal::Arrays(names)
                if self.style == Style::Lanes
                    && feeds[*s].sink.kind == SinkKind::Collect
                    && types[*s][0].is_scalar() =>
            {
                Some(format!(
                    "const ulong shift = tile % {ALIGNED} == 0 ? ((ulong){} % {ALIGNED}) / {} : 0, item = get_global_id(0);\n\
                     const ulong begin = item == 0 ? 0 : item * tile - shift;\n\
                     const ulong end = item + 1 == get_global_size(0) ? n : (item + 1) * tile - shift;",
                    names[0],
                    types[*s][0].elem.bytes()
                ))
            }
            _ => None,
        });
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
                    body.line(lines.as_deref().unwrap_or(tile));
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
