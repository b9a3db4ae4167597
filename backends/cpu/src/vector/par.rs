//! The loop over the iterations of a par: vector rounds, scalar rounds for what is left over and for groups that do not
//! fit, and the functions that drivers call for a stretch of iterations.

use super::analysis::{Plan, Width};
use super::origin::origin;
use super::scan::{Groups, from_right, is_scan};
use super::sink::{Column, State};
use super::{Array, Emit, Lanes, Value};
use crate::abi::SlotUse;
use crate::isa::{Kind, Reg, Simd};
use dsl_runtime::ir::{Atom, Combine, Par, ScalarOp, ScalarType, Sink, SinkKind, Stmt, Var, order};

/// Which function of a par is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// The body and the sinks.
    Main,
    /// Only how many elements filters keep.
    Count,
    /// Only the totals of the blocks of scans.
    Totals,
    /// The totals of scans whose values stand in the results.
    PlaceTotals,
    /// Scans those in place.
    PlaceFinish,
}

/// Whether the scans of a par are fused with its body.
pub fn fuses_scans(plan: &Plan, par: &Par) -> bool {
    plan.width(par.index)
        .is_some_and(|w| w.count == order::GROUP)
        && par
            .sinks
            .iter()
            .filter(|s| is_scan(s.kind))
            .all(|s| !from_right(s.kind))
}

/// The sinks of a par that filter.
fn filters(par: &Par) -> impl Iterator<Item = usize> + '_ {
    (0..par.sinks.len()).filter(|&k| par.sinks[k].kind == SinkKind::Filter)
}

impl<I: Simd> Emit<'_, I> {
    /// The types of a sink's combined values.
    pub(crate) fn value_types(&self, sink: &Sink) -> Vec<ScalarType> {
        let skip = match sink.kind {
            SinkKind::Filter | SinkKind::Scatter | SinkKind::ScatterWith => 1,
            _ => 0,
        };
        sink.values[skip..]
            .iter()
            .map(|&v| self.type_of(v))
            .collect()
    }

    /// The loop over `[lo, hi)`. Carried registers of all sinks stand one after the other.
    pub(crate) fn range(
        &mut self,
        par: &Par,
        lo: Reg,
        hi: Reg,
        states: &[State<'_>],
        carried: Vec<Reg>,
    ) -> Vec<Reg> {
        match self.plan.width(par.index) {
            Some(width) => {
                self.note_par(
                    par,
                    &format!("{} lanes, {} at a time", width.count, width.unroll),
                );
                self.vector_range(par, width, lo, hi, states, carried)
            }
            None => {
                self.note_par(par, "scalar");
                self.scalar_range(par, lo, hi, states, carried)
            }
        }
    }

    /// Says in the listing which par the code that follows belongs to, and how it runs.
    pub(crate) fn note_par(&mut self, par: &Par, how: &str) {
        let name = &self.func.vars[par.index.0 as usize].name;
        let sinks: Vec<&str> = par.sinks.iter().map(|s| s.kind.name()).collect();
        self.isa
            .note(&format!("par (%{name}) {{ {} }}: {how}", sinks.join(", ")));
    }

    pub(crate) fn scalar_range(
        &mut self,
        par: &Par,
        lo: Reg,
        hi: Reg,
        states: &[State<'_>],
        carried: Vec<Reg>,
    ) -> Vec<Reg> {
        // The test stands behind the round: one jump less in each.
        let carries: Vec<Kind> = states.iter().flat_map(State::carried).collect();
        let mut kinds = vec![Kind::Scalar(ScalarType::U64)];
        kinds.extend(&carries);
        let (inside, exit) = (self.isa.label(&kinds), self.isa.label(&carries));
        let origin = origin(par).map(|var| self.scalar(Atom::Var(var)));
        let (first, last) = match origin {
            Some(origin) => (
                self.word_op(ScalarOp::Add, origin, lo),
                self.word_op(ScalarOp::Add, origin, hi),
            ),
            None => (lo, hi),
        };
        let mut args = vec![first];
        args.extend(&carried);
        let some = self.word_op(ScalarOp::Lt, lo, hi);
        self.isa.branch(some, (inside, &args), (exit, &carried));
        self.isa.enter(inside);
        let params = self.isa.params(inside);
        let i = match origin {
            Some(origin) => self.word_op(ScalarOp::Sub, params[0], origin),
            None => params[0],
        };
        let next = self.iteration(par, i, states, &params[1..]);
        let mut args = vec![self.add(params[0], 1)];
        args.extend(&next);
        // Sums wrap: the last round is that before the end, not below it.
        let more = self.word_op(ScalarOp::Ne, args[0], last);
        self.isa.repeat(more, (inside, &args), (exit, &next));
        self.isa.enter(exit);
        self.isa.params(exit)
    }

    /// One iteration in scalar form.
    fn iteration(&mut self, par: &Par, i: Reg, states: &[State<'_>], carried: &[Reg]) -> Vec<Reg> {
        self.define(par.index, Value::Scalar(i));
        for column in self.replay.get(&par.index).cloned().unwrap_or_default() {
            self.recall(&column, i);
        }
        for state in states {
            if let State::Columns {
                columns,
                origin: None,
            } = state
            {
                for column in columns {
                    if let Some(var) = column.direct {
                        let address = self.place_of(column, i);
                        self.destinations.insert(var, address);
                    }
                }
            }
        }
        let after: Vec<Atom> = par
            .sinks
            .iter()
            .flat_map(|s| s.values.iter().copied())
            .collect();
        self.scopes.push(super::Scope::default());
        self.statements(&par.body.stmts, &after);
        let mut next = vec![];
        let mut at = 0;
        for state in states {
            let count = state.carried().len();
            next.extend(self.step(state, i, &carried[at..at + count]));
            at += count;
        }
        self.close_scope();
        next
    }

    /// Defines a value of an iteration that was kept.
    fn recall(&mut self, column: &Column, i: Reg) {
        let address = self.place_of(column, i);
        let var = column.value.as_var().expect("kept values have names");
        let ty = self.func.ty(var);
        let value = if ty.is_scalar() {
            Value::Scalar(self.isa.load(column.elem, address, 0))
        } else {
            Value::Array(Array {
                elem: ty.elem,
                shape: ty.shape.clone(),
                data: address,
                block: None,
                strides: None,
                offset: None,
            })
        };
        self.define(var, value);
    }

    /// Vector rounds as long as a whole round fits; then (or for a group that does not fit) scalar rounds.
    fn vector_range(
        &mut self,
        par: &Par,
        width: Width,
        lo: Reg,
        hi: Reg,
        states: &[State<'_>],
        carried: Vec<Reg>,
    ) -> Vec<Reg> {
        let word = Kind::Scalar(ScalarType::U64);
        let round = (width.count * width.unroll) as u64;
        let lanes = Lanes {
            count: width.count,
            size: width.size,
            mask: None,
            bail: (crate::isa::Label(0), vec![]),
            settled: vec![],
        };
        let scalar: Vec<Kind> = states.iter().flat_map(State::carried).collect();
        let vector: Vec<Kind> = states.iter().flat_map(|s| self.lane_carried(s)).collect();
        let with = |extra: &[Kind], kinds: &[Kind]| -> Vec<Kind> {
            extra.iter().chain(kinds).copied().collect()
        };
        // outer(i, scalar) -> head(i, vector) -> scalar rounds(i, stop, scalar) -> outer | exit
        let outer = self.isa.label(&with(&[word], &scalar));
        let head = self.isa.label(&with(&[word], &vector));
        let inside = self.isa.label(&[]);
        let leave = self.isa.label(&with(&[word, word], &vector));
        let rounds = self.isa.label(&with(&[word, word], &scalar));
        let (single, stopped, exit) = (
            self.isa.label(&[]),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );

        let mut args = vec![lo];
        args.extend(carried);
        self.isa.jump(outer, &args);

        self.isa.enter(outer);
        let params = self.isa.params(outer);
        let turns = self.turns(par);
        let (answers, end) = self.until_turn(&turns, params[0], hi);
        let settled = turns.iter().zip(answers);
        let settled: Vec<_> = settled
            .map(|(turn, answer)| (turn.op, turn.atoms, answer))
            .collect();
        let mut args = vec![params[0]];
        let mut at = 1;
        for state in states {
            let count = state.carried().len();
            args.extend(self.enter_lanes(state, params[0], &params[at..at + count]));
            at += count;
        }
        self.isa.jump(head, &args);

        self.isa.enter(head);
        let params = self.isa.params(head);
        let left = self.word_op(ScalarOp::Sub, end, params[0]);
        let whole = self.word(round);
        let fits = self.word_op(ScalarOp::Ge, left, whole);
        let mut args = vec![params[0], end];
        args.extend(&params[1..]);
        self.isa.repeat(fits, (inside, &[]), (leave, &args));

        self.isa.enter(inside);
        let next = self.add(params[0], round);
        let mut bail_args = vec![params[0], next];
        bail_args.extend(&params[1..]);
        let mut state_regs = params[1..].to_vec();
        for part in 0..width.unroll {
            let i = self.add(params[0], (part * width.count) as u64);
            self.lanes = Some(Lanes {
                bail: (leave, bail_args.clone()),
                settled: settled.clone(),
                ..lanes.clone()
            });
            self.define(par.index, Value::Affine { base: i, step: 1 });
            self.scopes.push(super::Scope::default());
            self.statements(&par.body.stmts, &[]);
            let mut at = 0;
            let mut stepped = vec![];
            for state in states {
                let count = self.lane_carried(state).len();
                stepped.extend(self.step_lanes(state, i, part, &state_regs[at..at + count]));
                at += count;
            }
            state_regs = stepped;
            self.close_scope();
            self.lanes = None;
        }
        let mut args = vec![next];
        args.extend(state_regs);
        self.isa.jump(head, &args);

        self.isa.enter(leave);
        let params = self.isa.params(leave);
        let mut args = params[..2].to_vec();
        let mut at = 2;
        for state in states {
            let count = self.lane_carried(state).len();
            args.extend(self.leave_lanes(state, params[0], &params[at..at + count]));
            at += count;
        }
        self.isa.jump(rounds, &args);

        self.isa.enter(rounds);
        let params = self.isa.params(rounds);
        let more = self.word_op(ScalarOp::Lt, params[0], params[1]);
        self.isa.repeat(more, (single, &[]), (stopped, &[]));
        self.isa.enter(single);
        let mut args = self.iteration(par, params[0], states, &params[2..]);
        args.insert(0, params[1]);
        let next = self.add(params[0], 1);
        args.insert(0, next);
        self.isa.jump(rounds, &args);

        self.isa.enter(stopped);
        let more = self.word_op(ScalarOp::Lt, params[0], hi);
        let mut args = vec![params[0]];
        args.extend(&params[2..]);
        self.isa.branch(more, (outer, &args), (exit, &[]));
        self.isa.enter(exit);
        params[2..].to_vec()
    }

    /// The columns of values that go to memory.
    pub(crate) fn columns(&mut self, values: &[Atom], data: &[Reg]) -> Vec<Column> {
        let columns = values.iter().zip(data).map(|(&value, &data)| {
            let ty = self.func.atom_type(value);
            let row = (!ty.is_scalar()).then(|| {
                let elements = self.elements(&ty.shape);
                self.scale(elements, ty.elem.bytes() as u64)
            });
            Column {
                value,
                elem: ty.elem,
                data,
                row,
                direct: None,
            }
        });
        columns.collect()
    }

    /// The function that drivers call: `[lo, hi)` of the par.
    pub fn chunk(&mut self, par: &Par, which: Chunk, slots: &[(usize, SlotUse)], lo: Reg, hi: Reg) {
        if matches!(which, Chunk::PlaceTotals | Chunk::PlaceFinish) {
            return self.place_scans(par, which, slots, lo, hi);
        }
        let blocks = par
            .sinks
            .iter()
            .any(|s| s.kind == SinkKind::Reduce || is_scan(s.kind));
        let stream = self.stream(par, which);
        if !blocks || which == Chunk::Count {
            if let Some(stream) = stream {
                return self.stream_filters(par, which, slots, &stream, (lo, hi));
            }
            if let Some(ragged) = self.ragged(par, which) {
                return self.ragged_rows(par, which, slots, &ragged, (lo, hi));
            }
            return self.chunk_stretch(par, which, slots, lo, hi, lo, None);
        }
        // Block by block; where memory bounds the par, in streams as long as whole blocks remain.
        let word = Kind::Scalar(ScalarType::U64);
        let (head, inside, exit) = (
            self.isa.label(&[word, word]),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let kept = self.begin_kept(par, which);
        let streams = stream.map(|stream| {
            let again = self.isa.label(&[word]);
            self.isa.jump(again, &[lo]);
            self.isa.enter(again);
            let at = self.isa.params(again)[0];
            self.stream_blocks(par, which, slots, &stream, (at, hi), again, head);
            again
        });
        if streams.is_none() {
            self.isa.jump(head, &[lo, hi]);
        }
        self.isa.enter(head);
        let (begin, stop) = (self.isa.params(head)[0], self.isa.params(head)[1]);
        let more = self.word_op(ScalarOp::Lt, begin, stop);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let end = self.add(begin, order::BLOCK as u64);
        let end = self.word_op(ScalarOp::Min, end, stop);
        self.chunk_stretch(par, which, slots, begin, end, lo, kept);
        self.isa.jump(head, &[end, stop]);
        self.isa.enter(exit);
        if let Some(again) = streams {
            let rest = self.word_op(ScalarOp::Lt, stop, hi);
            let done = self.isa.label(&[]);
            self.isa.branch(rest, (again, &[stop]), (done, &[]));
            self.isa.enter(done);
        }
        self.end_kept(par, slots, kept);
    }

    /// Memory for what filters have kept so far, from one stretch to the next: their slots still tell the room. `None`
    /// where nothing is filtered.
    pub(super) fn begin_kept(&mut self, par: &Par, which: Chunk) -> Option<Reg> {
        let mut filters = filters(par).peekable();
        if which != Chunk::Main || filters.peek().is_none() {
            return None;
        }
        let kept = self.isa.slot(8 * par.sinks.len());
        let zero = self.word(0);
        for k in filters {
            self.isa.store(ScalarType::U64, zero, kept, 8 * k as i32);
        }
        Some(kept)
    }

    /// Tells the driver what filters have kept.
    pub(super) fn end_kept(&mut self, par: &Par, slots: &[(usize, SlotUse)], kept: Option<Reg>) {
        let Some(kept) = kept else { return };
        for k in filters(par) {
            let count = self.isa.load(ScalarType::U64, kept, 8 * k as i32);
            let slot = self.slot_of(slots, k, SlotUse::Kept, 0);
            self.isa.store(ScalarType::U64, count, slot, 0);
        }
    }

    /// The address in the `nth` slot of a sink with this use.
    fn slot_of(
        &mut self,
        slots: &[(usize, SlotUse)],
        sink: usize,
        usage: SlotUse,
        nth: usize,
    ) -> Reg {
        let mut matching = (0..slots.len()).filter(|&k| slots[k] == (sink, usage));
        let slot = matching.nth(nth).expect("the unit lists its slots");
        self.frame_slot(slot)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn chunk_stretch(
        &mut self,
        par: &Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        lo: Reg,
        hi: Reg,
        origin: Reg,
        kept: Option<Reg>,
    ) {
        let (states, carried) = self.chunk_states(par, which, slots, lo, origin, kept);
        let last = self.range(par, lo, hi, &states, carried);
        let mut at = 0;
        for (k, state) in states.iter().enumerate() {
            let count = state.carried().len();
            let own = &last[at..at + count];
            at += count;
            match state {
                State::Lanes { .. } | State::Fold { .. } => {
                    let total = self.reduce_total(state, own);
                    self.keep_total(par, slots, k, lo, &total);
                }
                State::Groups(groups) => {
                    let carry = self.flush_groups(groups, hi, own);
                    if groups.data.is_none() {
                        self.keep_total(par, slots, k, lo, &[carry]);
                    }
                }
                State::Filter { .. } => match kept {
                    Some(kept) => self.isa.store(ScalarType::U64, own[0], kept, 8 * k as i32),
                    None => {
                        let slot = self.slot_of(slots, k, SlotUse::Kept, 0);
                        self.isa.store(ScalarType::U64, own[0], slot, 0);
                    }
                },
                _ => {}
            }
        }
    }

    /// The number of the block that begins at iteration `lo`.
    fn block_number(&mut self, lo: Reg) -> Reg {
        let shift = self.word(order::BLOCK.trailing_zeros().into());
        self.word_op(ScalarOp::Shr, lo, shift)
    }

    /// Hands the total of the block that begins at iteration `lo` to the driver.
    pub(crate) fn keep_total(
        &mut self,
        par: &Par,
        slots: &[(usize, SlotUse)],
        sink: usize,
        lo: Reg,
        total: &[Reg],
    ) {
        let types = self.value_types(&par.sinks[sink]);
        let usage = match par.sinks[sink].kind {
            SinkKind::Reduce => SlotUse::Partial,
            _ => SlotUse::Carry,
        };
        let block = self.block_number(lo);
        let totals = self.slot_of(slots, sink, usage, 0);
        let to = self.address(totals, block, 8 * types.len() as u64);
        self.store_words(&types, total, to);
    }

    /// The sinks where a stretch from `lo` begins, and what scalar rounds carry at first.
    pub(crate) fn chunk_states<'s>(
        &mut self,
        par: &'s Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        lo: Reg,
        origin: Reg,
        kept: Option<Reg>,
    ) -> (Vec<State<'s>>, Vec<Reg>) {
        let fused = fuses_scans(self.plan, par);
        let mut states = vec![];
        let mut carried = vec![];
        for (k, sink) in par.sinks.iter().enumerate() {
            let scan = is_scan(sink.kind);
            let wanted = match which {
                Chunk::Count => sink.kind == SinkKind::Filter,
                Chunk::Totals => scan,
                _ => true,
            };
            let types = self.value_types(sink);
            let state = match sink.kind {
                _ if !wanted => State::Idle,
                SinkKind::Reduce => {
                    let state = self.reduce_state(par, sink, lo, true);
                    carried.extend(self.reduce_start(&state));
                    state
                }
                _ if scan && fused => {
                    let Some(Combine::Op(op)) = sink.combine else {
                        unreachable!("fused scans are rows of the table")
                    };
                    let ty = types[0];
                    let data =
                        (which == Chunk::Main).then(|| self.slot_of(slots, k, SlotUse::Result, 0));
                    let carry = if which == Chunk::Main {
                        let carries = self.slot_of(slots, k, SlotUse::Carry, 0);
                        let block = self.block_number(lo);
                        let at = self.address(carries, block, 8);
                        self.load_words(&types, at)[0]
                    } else {
                        let neutral = op.identity(ty).expect("rows that reduce have an identity");
                        self.isa.constant(neutral)
                    };
                    carried.extend([carry, lo]);
                    let width = self
                        .plan
                        .width(par.index)
                        .expect("fused scans are vectorised");
                    State::Groups(Groups {
                        value: sink.values[0],
                        op,
                        ty,
                        exclusive: sink.kind == SinkKind::ExScan,
                        data,
                        buffer: self
                            .isa
                            .slot((width.count * width.unroll + order::GROUP) * ty.bytes()),
                    })
                }
                SinkKind::Collect
                | SinkKind::Scan
                | SinkKind::ExScan
                | SinkKind::RScan
                | SinkKind::RExScan => {
                    let data: Vec<Reg> = (0..sink.values.len())
                        .map(|v| self.slot_of(slots, k, SlotUse::Result, v))
                        .collect();
                    let mut columns = self.columns(&sink.values, &data);
                    self.direct(par, &mut columns);
                    State::Columns {
                        columns,
                        origin: None,
                    }
                }
                SinkKind::Filter => {
                    let slot = self.slot_of(slots, k, SlotUse::Kept, 0);
                    let room =
                        (which == Chunk::Main).then(|| self.isa.load(ScalarType::U64, slot, 0));
                    let columns = if which == Chunk::Main {
                        let data: Vec<Reg> = (0..sink.values.len() - 1)
                            .map(|v| self.slot_of(slots, k, SlotUse::Values, v))
                            .collect();
                        self.columns(&sink.values[1..], &data)
                    } else {
                        vec![]
                    };
                    carried.push(match kept {
                        Some(kept) => self.isa.load(ScalarType::U64, kept, 8 * k as i32),
                        None => self.word(0),
                    });
                    State::Filter {
                        predicate: sink.values[0],
                        columns,
                        room,
                    }
                }
                SinkKind::Scatter | SinkKind::ScatterWith => {
                    let mut data = vec![self.slot_of(slots, k, SlotUse::Index, 0)];
                    for v in 0..sink.values.len() - 1 {
                        data.push(self.slot_of(slots, k, SlotUse::Values, v));
                    }
                    let columns = self.columns(&sink.values, &data);
                    State::Columns {
                        columns,
                        origin: Some(origin),
                    }
                }
            };
            states.push(state);
        }
        (states, carried)
    }

    /// Scans results in place: the blocks of the positions `[lo, hi)`.
    fn place_scans(
        &mut self,
        par: &Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        lo: Reg,
        hi: Reg,
    ) {
        let n = self.scalar(par.extent);
        let (head, inside, exit) = (
            self.isa.label(&[Kind::Scalar(ScalarType::U64)]),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        self.isa.jump(head, &[lo]);
        self.isa.enter(head);
        let begin = self.isa.params(head)[0];
        let more = self.word_op(ScalarOp::Lt, begin, hi);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let end = self.add(begin, order::BLOCK as u64);
        let end = self.word_op(ScalarOp::Min, end, hi);
        let shift = self.word(order::BLOCK.trailing_zeros().into());
        let block = self.word_op(ScalarOp::Shr, begin, shift);
        for (k, sink) in par
            .sinks
            .iter()
            .enumerate()
            .filter(|(_, s)| is_scan(s.kind))
        {
            let types = self.value_types(sink);
            let data: Vec<Reg> = (0..types.len())
                .map(|v| self.slot_of(slots, k, SlotUse::Result, v))
                .collect();
            let carries = self.slot_of(slots, k, SlotUse::Carry, 0);
            let at = self.address(carries, block, 8 * types.len() as u64);
            if which == Chunk::PlaceTotals {
                let total = self.scan_block(sink, &types, &data, n, begin, end, None, true);
                self.store_words(&types, &total, at);
            } else {
                let carry = self.load_words(&types, at);
                self.scan_block(sink, &types, &data, n, begin, end, Some(carry), true);
            }
        }
        self.isa.jump(head, &[end]);
        self.isa.enter(exit);
    }

    /// `into = left op right` on words.
    pub fn combiner(&mut self, sink: &Sink, into: Reg, left: Reg, right: Reg) {
        let types = self.value_types(sink);
        let (left, right) = (
            self.load_words(&types, left),
            self.load_words(&types, right),
        );
        let joined = if from_right(sink.kind) {
            self.combine(sink, &types, &right, &left)
        } else {
            self.combine(sink, &types, &left, &right)
        };
        self.store_words(&types, &joined, into);
    }

    /// Statements in sequence; slot `k` receives what `live_out[k]` names.
    pub fn region(&mut self, stmts: &[Stmt], live_out: &[Var]) {
        let after: Vec<Atom> = live_out.iter().map(|&v| Atom::Var(v)).collect();
        self.statements(stmts, &after);
        for (k, &atom) in after.iter().enumerate() {
            let value = self.take(atom, after[k + 1..].contains(&atom));
            let slot = self.frame_slot(k);
            match value {
                Value::Array(array) => {
                    let block = array.block.expect("arrays of a region have blocks");
                    self.isa.store(ScalarType::U64, array.data, slot, 0);
                    self.isa.store(ScalarType::U64, block, slot, 8);
                }
                Value::Scalar(value) => {
                    let ty = self.type_of(atom);
                    self.store_words(&[ty], &[value], slot);
                }
                other => unreachable!("a region yields scalars and arrays: {other:?}"),
            }
        }
        self.let_go(|_| true);
    }
}
