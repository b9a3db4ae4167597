//! Pars that memory bounds: rows are fetched ahead, and blocks of the canonical order are walked side by side.
//!
//! A core alone does not keep memory busy with loads of 16 bytes from one place after the other. Two things help, and neither
//! changes what is combined with what:
//!
//! * Every few rounds, the runtime is asked to fetch as many bytes of each row, [`AHEAD`] bytes further on.
//! * Blocks of [`order::BLOCK`] values are independent until their totals are joined. So two of them advance together:
//!   with a single row that is a second stream of memory; with a scan, whose groups wait for the carry of the one
//!   before, a second chain of carries.
//!
//! A par is run so where each of its sinks is a reduction by a row of the table or a fused scan, or where all of them filter
//! (then rows are fetched, and no blocks go side by side); where the body reads at least one row (neighbouring iterations, neighbouring elements) and gathers nothing, and does no more than [`LIGHT`] operations
//! for a row. Rows are not fetched where all of them are likely to be in the cache: where the first sweep of a scan has just
//! brought them, or where the par is shorter than [`FAR`] bytes. What carries so much that registers run short is run so only
//! beyond [`FAR`], and only with a single row.

use super::par::{Chunk, fuses_scans};
use super::scan::is_scan;
use super::sink::State;
use super::small::{lane_type, lanes};
use super::{Emit, Lanes, Scope, Value};
use crate::abi::SlotUse;
use crate::isa::{Callee, Kind, Label, Reg, Simd};
use dsl_runtime::ir::{
    Atom, Combine, Expr, Index, Par, Place, ScalarOp, ScalarType, SinkKind, Stmt, Var, order,
};

/// The fewest bytes of the widest row that are fetched at once: more would have to wait for each other.
const STRETCH: usize = 512;
/// The fewest rounds from one fetch to the next, and so from registers to memory and back.
const ROUNDS: usize = 4;
/// How many bytes ahead they lie.
const AHEAD: usize = 1 << 10;
/// The same where the body filters: its rounds are longer, so that a machine looks ahead over fewer of them.
const FILTER_AHEAD: usize = 2 << 10;
/// Rows of fewer bytes are taken to be in the cache.
pub(super) const FAR: u64 = 1 << 23;
/// The most operations for a row. On a cache line each is four instructions; a core gets one line from memory in the time of
/// about twenty.
const LIGHT: usize = 4;
/// The most registers that hold what the blocks carry. Beyond half of them some wait on the stack from round to round, which
/// only memory is slow enough to hide.
const REGISTERS: usize = 16;

/// How a par is run whose bound is memory.
pub(crate) struct Stream<'p> {
    /// Blocks side by side.
    blocks: usize,
    /// Iterations from one fetch to the next.
    stretch: usize,
    /// How many bytes ahead.
    ahead: usize,
    /// What is fetched; empty: nothing.
    rows: Vec<(&'p Index, Place)>,
    /// The statements that the places of rows depend on.
    places: Vec<&'p Stmt>,
    /// Bytes of an element of the widest row.
    bytes: usize,
    /// Whether that pays only for rows that are not in the cache.
    far_only: bool,
}

/// An operation that the place of a row may depend on.
fn is_place(stmt: &Stmt) -> bool {
    use ScalarOp::{Add, Mul, Sub};
    matches!(
        stmt.expr,
        Expr::Op(Add | Sub | Mul, _) | Expr::Cast(..) | Expr::Bits(..)
    )
}

impl<I: Simd> Emit<'_, I> {
    /// Whether and how a par is run in streams.
    pub(crate) fn stream<'p>(&mut self, par: &'p Par, which: Chunk) -> Option<Stream<'p>> {
        let width = self.plan.width(par.index)?;
        if !matches!(which, Chunk::Main | Chunk::Totals) || par.inner {
            return None;
        }
        let fused = fuses_scans(self.plan, par);
        let filters = which == Chunk::Main
            && !par.sinks.is_empty()
            && par.sinks.iter().all(|s| s.kind == SinkKind::Filter);
        let mut carried = 0;
        let mut scans = false;
        for sink in &par.sinks {
            let scan = is_scan(sink.kind);
            if filters || which == Chunk::Totals && !scan {
                continue;
            }
            let known = scan && fused || sink.kind == SinkKind::Reduce;
            if !known || !matches!(sink.combine, Some(Combine::Op(_))) {
                return None;
            }
            scans |= scan;
            carried += match scan {
                true => 1,
                false => (lanes(self.func, Some(width), sink)
                    * lane_type(self.func, par, sink).bytes())
                .div_ceil(self.isa.bytes()),
            };
        }
        let mut places: Vec<&Stmt> = vec![];
        let mut rows: Vec<(&Index, Place)> = vec![];
        let mut widest = 0;
        let mut work = 0;
        for stmt in &par.body.stmts {
            match &stmt.expr {
                Expr::Index(index) if self.plan.is_varying(stmt.defs[0]) => {
                    let last = *index.indices.last()?;
                    let outer = index.indices[..index.indices.len() - 1].iter();
                    let apart = outer.copied().chain([index.array.into()]);
                    if !self.is_unit(par, last) || self.any_varies(apart) {
                        return None;
                    }
                    let ty = self.func.ty(stmt.defs[0]);
                    if !ty.is_scalar() {
                        return None;
                    }
                    widest = widest.max(ty.elem.bytes());
                    if rows.iter().all(|(row, _)| row.array != index.array) {
                        rows.push((index, stmt.place));
                    }
                }
                Expr::Index(_) => {}
                Expr::Op(..) | Expr::Cast(..) | Expr::Bits(..) => {
                    work += 1;
                    if is_place(stmt) {
                        places.push(stmt);
                    }
                }
                _ => return None,
            }
        }
        // Of the statements, those that rows depend on: they are not counted as work.
        let mut needed: Vec<Var> = rows
            .iter()
            .flat_map(|(row, _)| row.indices.iter().filter_map(|a| a.as_var()))
            .collect();
        let mut used = vec![];
        for stmt in places.into_iter().rev() {
            if needed.contains(&stmt.defs[0]) {
                used.push(stmt);
                match &stmt.expr {
                    Expr::Op(_, atoms) => needed.extend(atoms.iter().filter_map(|a| a.as_var())),
                    Expr::Cast(_, atom) | Expr::Bits(_, atom) => needed.extend(atom.as_var()),
                    _ => {}
                }
            }
        }
        used.reverse();
        // What else the body makes of them is not there yet when a row is fetched.
        needed.extend(rows.iter().map(|(row, _)| row.array));
        let made = |&var: &Var| {
            par.body.maker(var).is_some() && !used.iter().any(|stmt| stmt.defs.contains(&var))
        };
        if needed.iter().any(made) {
            return None;
        }
        if rows.is_empty() || work - used.len() > LIGHT * rows.len() {
            return None;
        }
        let pays = (scans || rows.len() == 1) && 2 * carried <= REGISTERS;
        let blocks = if pays && !filters { 2 } else { 1 };
        let far_only = 4 * carried > REGISTERS;
        let near = scans && which == Chunk::Main;
        if (near && far_only) || (blocks == 1 && (near || far_only)) {
            return None;
        }
        let round = width.count * width.unroll;
        let stretch = (STRETCH / widest).max(ROUNDS * round);
        Some(Stream {
            blocks,
            stretch: if near { order::BLOCK } else { stretch },
            ahead: if filters { FILTER_AHEAD } else { AHEAD },
            rows: if near { vec![] } else { rows },
            places: if near { vec![] } else { used },
            bytes: widest,
            far_only,
        })
    }

    fn any_varies(&self, mut atoms: impl Iterator<Item = Atom>) -> bool {
        atoms.any(|a| a.as_var().is_some_and(|v| self.plan.is_varying(v)))
    }

    /// Whether an index grows by one from iteration to iteration.
    fn is_unit(&self, par: &Par, atom: Atom) -> bool {
        let Some(var) = atom.as_var() else {
            return false;
        };
        if var == par.index {
            return true;
        }
        let made = par.body.maker(var);
        let same = |a: Atom| !self.any_varies([a].into_iter());
        match made.map(|stmt| &stmt.expr) {
            Some(Expr::Op(ScalarOp::Add, v)) => {
                self.is_unit(par, v[0]) && same(v[1]) || same(v[0]) && self.is_unit(par, v[1])
            }
            Some(Expr::Op(ScalarOp::Sub, v)) => self.is_unit(par, v[0]) && same(v[1]),
            Some(Expr::Bits(_, v)) => self.is_unit(par, *v),
            Some(Expr::Cast(to, v)) => to.bytes() == 8 && to.is_integer() && self.is_unit(par, *v),
            _ => false,
        }
    }

    /// Runs the blocks from `at` on, as many as go side by side, and jumps to `again` with the first iteration after
    /// them. Where fewer remain, or a group of lanes needs its scalar form, jumps to `single` with the iterations that are
    /// to be run there instead.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn stream_blocks(
        &mut self,
        par: &Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        stream: &Stream<'_>,
        (at, hi): (Reg, Reg),
        again: Label,
        single: Label,
    ) {
        let word = Kind::Scalar(ScalarType::U64);
        let width = self.plan.width(par.index).expect("streams have lanes");
        let round = (width.count * width.unroll) as u64;
        let (begin, bail) = (self.isa.label(&[]), self.isa.label(&[]));
        let left = self.word_op(ScalarOp::Sub, hi, at);
        let all = self.word((stream.blocks * order::BLOCK) as u64);
        let mut whole = self.word_op(ScalarOp::Ge, left, all);
        let far = self.is_far(par, stream);
        if let (true, Some(far)) = (stream.far_only, far) {
            let both = [whole, far];
            whole = self.isa.op(ScalarOp::And, ScalarType::Bool, &both);
        }
        self.isa.branch(whole, (begin, &[]), (single, &[at, hi]));
        self.isa.cold(bail);
        self.isa.enter(bail);
        let end = self.word_op(ScalarOp::Add, at, all);
        self.isa.jump(single, &[at, end]);

        self.isa.enter(begin);
        self.note_par(
            par,
            &format!(
                "{} lanes, {} at a time, blocks side by side: {}, rows fetched ahead: {}",
                width.count,
                width.unroll,
                stream.blocks,
                stream.rows.len()
            ),
        );
        let starts: Vec<Reg> = (0..stream.blocks)
            .map(|b| self.add(at, (b * order::BLOCK) as u64))
            .collect();
        let mut blocks = vec![];
        // What stays in registers from stretch to stretch: the carries of scans. Lanes wait in memory.
        let mut carries = vec![];
        for &start in &starts {
            let (states, carried) = self.chunk_states(par, which, slots, start, start, None);
            let mut from = 0;
            for state in &states {
                if let State::Groups(groups) = state {
                    carries.push(self.isa.splat(groups.ty, carried[from]));
                }
                from += state.carried().len();
            }
            blocks.push(states);
        }
        let states: Vec<&State<'_>> = blocks.iter().flatten().collect();
        let mut outer = vec![word];
        let mut inner = vec![word];
        for state in &states {
            let kinds = self.lane_carried(state);
            if matches!(state, State::Groups(_)) {
                outer.extend(&kinds);
            }
            inner.extend(kinds);
        }
        let middle = self.add(at, order::BLOCK as u64);
        let stretch = self.stretch_of(stream, far);

        // stretches(i, carries) -> rounds(i, lanes and carries)
        let (stretches, rounds) = (self.isa.label(&outer), self.isa.label(&inner));
        let labels = [(); 4].map(|()| self.isa.label(&[]));
        let [some, inside, rest, done] = labels;
        let mut args = vec![at];
        args.extend(carries);
        self.isa.jump(stretches, &args);
        self.isa.enter(stretches);
        let params = self.isa.params(stretches);
        let more = self.word_op(ScalarOp::Lt, params[0], middle);
        self.isa.repeat(more, (some, &[]), (done, &[]));
        let last = params[1..].to_vec();

        self.isa.enter(some);
        let stop = self.word_op(ScalarOp::Add, params[0], stretch);
        if let Some(far) = far {
            self.fetch(par, stream, params[0], far);
        }
        let mut args = vec![params[0]];
        let mut kept = last.iter();
        for state in &states {
            match state {
                State::Groups(_) => args.extend(kept.next()),
                State::Lanes { memory, .. } => args.extend(self.load_lanes(memory)),
                _ => {}
            }
        }
        self.isa.jump(rounds, &args);

        self.isa.enter(rounds);
        let params = self.isa.params(rounds);
        let more = self.word_op(ScalarOp::Lt, params[0], stop);
        self.isa.repeat(more, (inside, &[]), (rest, &[]));
        self.isa.enter(inside);
        let mut args = vec![self.add(params[0], round)];
        args.extend(self.stream_round(par, &blocks, params[0], &params[1..], bail));
        self.isa.jump(rounds, &args);

        self.isa.enter(rest);
        let mut args = vec![stop];
        let mut from = 1;
        for state in &states {
            let count = self.lane_carried(state).len();
            let own = &params[from..from + count];
            from += count;
            match state {
                State::Groups(_) => args.extend(own),
                State::Lanes { memory, .. } => self.store_lanes(memory, own),
                _ => {}
            }
        }
        self.isa.jump(stretches, &args);

        self.isa.enter(done);
        let mut kept = last.iter();
        for (states, &start) in blocks.iter().zip(&starts) {
            for (k, state) in states.iter().enumerate() {
                let total = match state {
                    State::Lanes { .. } => self.reduce_total(state, &[]),
                    State::Groups(groups) => {
                        let carry = *kept.next().expect("a scan has a carry");
                        if groups.data.is_some() {
                            continue;
                        }
                        vec![self.isa.extract(groups.ty, carry, 0)]
                    }
                    _ => continue,
                };
                self.keep_total(par, slots, k, start, &total);
            }
        }
        let next = self.word_op(ScalarOp::Add, at, all);
        self.isa.jump(again, &[next]);
    }

    /// Runs `[lo, hi)` of a par of filters, fetching ahead stretch by stretch.
    pub(crate) fn stream_filters(
        &mut self,
        par: &Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        stream: &Stream<'_>,
        range: (Reg, Reg),
    ) {
        let far = self.is_far(par, stream);
        let stretch = self.stretch_of(stream, far);
        self.stretches(par, which, slots, range, stretch, &[], |this, begin, _| {
            if let Some(far) = far {
                this.fetch(par, stream, begin, far);
            }
            vec![]
        });
    }

    /// Runs `[lo, hi)`, `stretch` iterations at a time; before each stretch, `fetch` is given its begin and the words that are carried
    /// from one to the next, and gives their new values.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn stretches(
        &mut self,
        par: &Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        (lo, hi): (Reg, Reg),
        stretch: Reg,
        carried: &[Reg],
        fetch: impl FnOnce(&mut Self, Reg, &[Reg]) -> Vec<Reg>,
    ) {
        let kept = self.begin_kept(par, which);
        let head = self
            .isa
            .label(&vec![Kind::Scalar(ScalarType::U64); 1 + carried.len()]);
        let (inside, exit) = (self.isa.label(&[]), self.isa.label(&[]));
        self.isa.jump(head, &[&[lo], carried].concat());
        self.isa.enter(head);
        let params = self.isa.params(head);
        let begin = params[0];
        let more = self.word_op(ScalarOp::Lt, begin, hi);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let carried = fetch(self, begin, &params[1..]);
        // What is left, not the end of a stretch, is compared: the end may be beyond all numbers.
        let left = self.word_op(ScalarOp::Sub, hi, begin);
        let length = self.word_op(ScalarOp::Min, left, stretch);
        let end = self.word_op(ScalarOp::Add, begin, length);
        self.chunk_stretch(par, which, slots, begin, end, lo, kept);
        self.isa.jump(head, &[&[end], &carried[..]].concat());
        self.isa.enter(exit);
        self.end_kept(par, slots, kept);
    }

    /// Whether rows are fetched; `None`: never.
    fn is_far(&mut self, par: &Par, stream: &Stream<'_>) -> Option<Reg> {
        if stream.rows.is_empty() {
            return None;
        }
        let n = self.scalar(par.extent);
        let far = self.word(FAR / stream.bytes as u64);
        Some(self.word_op(ScalarOp::Ge, n, far))
    }

    /// Iterations from one fetch to the next: a whole block where there is none.
    fn stretch_of(&mut self, stream: &Stream<'_>, far: Option<Reg>) -> Reg {
        let block = self.word(order::BLOCK as u64);
        let Some(far) = far else { return block };
        let short = self.word(stream.stretch as u64);
        self.isa
            .op(ScalarOp::Select, ScalarType::U64, &[far, short, block])
    }

    /// Fetches, in a par that is `far`, what will be read some bytes after iteration `i` of each block.
    fn fetch(&mut self, par: &Par, stream: &Stream<'_>, i: Reg, far: Reg) {
        let (some, next) = (self.isa.label(&[]), self.isa.label(&[]));
        self.isa.branch(far, (some, &[]), (next, &[]));
        self.isa.enter(some);
        for b in 0..stream.blocks {
            let ahead = b * order::BLOCK + stream.ahead / stream.bytes;
            let ahead = self.add(i, ahead as u64);
            self.define(par.index, Value::Scalar(ahead));
            for stmt in &stream.places {
                self.statement(stmt);
            }
            for &(row, place) in &stream.rows {
                let unchecked = Index {
                    checked: false,
                    ..row.clone()
                };
                let array = self.array(row.array);
                let super::memory::Access::Same(address) = self.access(&array, &unchecked, place)
                else {
                    unreachable!("one iteration, one place")
                };
                let bytes = self.word((stream.stretch * array.elem.bytes()) as u64);
                self.isa
                    .call(Callee::Fetch, self.runtime, &[address, bytes]);
            }
        }
        self.isa.jump(next, &[]);
        self.isa.enter(next);
    }

    /// One round of all blocks; yields what they carry.
    fn stream_round(
        &mut self,
        par: &Par,
        blocks: &[Vec<State<'_>>],
        i: Reg,
        carried: &[Reg],
        bail: Label,
    ) -> Vec<Reg> {
        let width = self.plan.width(par.index).expect("streams have lanes");
        let mut carried = carried.to_vec();
        for part in 0..width.unroll {
            let mut from = 0;
            for (b, states) in blocks.iter().enumerate() {
                let i = self.add(i, (b * order::BLOCK + part * width.count) as u64);
                self.lanes = Some(Lanes {
                    count: width.count,
                    size: width.size,
                    mask: None,
                    bail: (bail, vec![]),
                    settled: vec![],
                });
                self.define(par.index, Value::Affine { base: i, step: 1 });
                self.scopes.push(Scope::default());
                self.statements(&par.body.stmts, &[]);
                for state in states {
                    let count = self.lane_carried(state).len();
                    let next = self.step_lanes(state, i, part, &carried[from..from + count]);
                    carried[from..from + count].copy_from_slice(&next);
                    from += count;
                }
                self.close_scope();
                self.lanes = None;
            }
        }
        carried
    }
}
