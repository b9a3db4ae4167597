//! Scans: by groups of lanes where they are fused with the body, and in place over results that stand in memory.

use super::{Emit, Value};
use crate::isa::{Kind, Reg, Simd};
use dsl_runtime::ir::{Atom, Combine, ScalarOp, ScalarType, Sink, SinkKind, order};

/// A scan from the left by a row of the table, fused with the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    pub value: Atom,
    pub op: ScalarOp,
    pub ty: ScalarType,
    /// Result `i` excludes value `i`.
    pub exclusive: bool,
    /// Where results go; `None` where only the block's total is wanted.
    pub data: Option<Reg>,
    /// Values of scalar rounds that wait to be scanned: room for two groups.
    pub buffer: Reg,
}

impl Groups {
    /// The carry, and the iteration up to which all is done.
    pub(crate) fn carried(&self) -> Vec<Kind> {
        vec![Kind::Scalar(self.ty), Kind::Scalar(ScalarType::U64)]
    }
}

/// Whether a scan takes its elements from the right.
pub(crate) fn from_right(kind: SinkKind) -> bool {
    matches!(kind, SinkKind::RScan | SinkKind::RExScan)
}

/// Whether a sink is a scan.
pub(crate) fn is_scan(kind: SinkKind) -> bool {
    matches!(kind, SinkKind::Scan | SinkKind::ExScan) || from_right(kind)
}

impl<I: Simd> Emit<'_, I> {
    /// `s[i] = v[0] op … op v[i]` in a group.
    fn group_prefix(&mut self, groups: &Groups, mut lanes: Vec<Reg>) -> Vec<Reg> {
        let mut distance = 1;
        while distance < order::GROUP {
            let shifted = self.shifted(groups, &lanes, distance);
            let value = self.apply_lanes(
                groups.op,
                groups.ty,
                &[Value::Pack(shifted), Value::Pack(lanes)],
            );
            lanes = self.pack(&value, groups.ty);
            distance *= 2;
        }
        lanes
    }

    /// Lanes moved up by `distance`, neutral values below.
    fn shifted(&mut self, groups: &Groups, lanes: &[Reg], distance: usize) -> Vec<Reg> {
        let ty = groups.ty;
        let neutral = groups
            .op
            .identity(ty)
            .expect("rows that reduce have an identity");
        let neutral = self.isa.constant(neutral);
        let neutral = self.isa.splat(ty, neutral);
        let width = self.isa.bytes();
        let bytes = distance * ty.bytes();
        let (whole, part) = (bytes / width, bytes % width);
        let at = |k: isize| if k < 0 { neutral } else { lanes[k as usize] };
        (0..lanes.len() as isize)
            .map(|r| {
                let low = at(r - whole as isize);
                if part == 0 {
                    return low;
                }
                let below = at(r - whole as isize - 1);
                let order: Vec<u8> = (0..width).map(|b| (width - part + b) as u8).collect();
                self.isa.shuffle(ty, below, low, &order)
            })
            .collect()
    }

    /// The total of a group: neighbours, then pairs, then fours.
    fn group_total(&mut self, groups: &Groups, lanes: Vec<Reg>) -> Reg {
        let ty = groups.ty;
        let (width, size) = (self.isa.bytes(), ty.bytes());
        let mut lanes = lanes;
        let mut left = order::GROUP;
        while left > 1 {
            let next = lanes.chunks(2).map(|pair| {
                let (a, b) = (pair[0], *pair.last().expect("a chunk is not empty"));
                let pick = |odd: usize| -> Vec<u8> {
                    (0..width)
                        .map(|i| (i / size * 2 * size + odd * size + i % size) as u8)
                        .collect()
                };
                let even = self.isa.shuffle(ty, a, b, &pick(0));
                let odd = self.isa.shuffle(ty, a, b, &pick(1));
                self.apply_lanes(
                    groups.op,
                    ty,
                    &[Value::Pack(vec![even]), Value::Pack(vec![odd])],
                )
            });
            let next: Vec<Value> = next.collect();
            lanes = next.iter().map(|v| self.one(v)).collect();
            left /= 2;
        }
        lanes[0]
    }

    fn one(&mut self, value: &Value) -> Reg {
        match value {
            Value::Pack(regs) => regs[0],
            other => unreachable!("one register: {other:?}"),
        }
    }

    /// A lane in all lanes.
    fn broadcast(&mut self, ty: ScalarType, value: Reg, lane: usize) -> Reg {
        let (width, size) = (self.isa.bytes(), ty.bytes());
        let order: Vec<u8> = (0..width).map(|b| (lane * size + b % size) as u8).collect();
        self.isa.shuffle(ty, value, value, &order)
    }

    /// A group of lanes; `carry` is in all lanes of its register.
    pub(crate) fn step_groups(&mut self, groups: &Groups, i: Reg, carry: Reg) -> Vec<Reg> {
        let value = self.value(groups.value);
        let lanes = self.pack(&value, groups.ty);
        let ty = groups.ty;
        let per = self.isa.bytes() / ty.bytes();
        let Some(data) = groups.data else {
            let total = self.group_total(groups, lanes);
            let total = self.broadcast(ty, total, 0);
            let joined = self.apply_lanes(
                groups.op,
                ty,
                &[Value::Pack(vec![carry]), Value::Pack(vec![total])],
            );
            return vec![self.one(&joined)];
        };
        let prefix = self.group_prefix(groups, lanes);
        let shown = if groups.exclusive {
            self.shifted(groups, &prefix, 1)
        } else {
            prefix.clone()
        };
        let carries = vec![carry; shown.len()];
        let results = self.apply_lanes(groups.op, ty, &[Value::Pack(carries), Value::Pack(shown)]);
        let address = self.address(data, i, ty.bytes() as u64);
        self.store_row(ty, &results, address);
        let last = prefix[(order::GROUP - 1) / per];
        let last = self.broadcast(ty, last, (order::GROUP - 1) % per);
        let next = self.apply_lanes(
            groups.op,
            ty,
            &[Value::Pack(vec![carry]), Value::Pack(vec![last])],
        );
        vec![self.one(&next)]
    }

    /// Scans the values of scalar rounds that wait in the buffer: those from `carried[1]` to `end`. Yields the carry.
    pub(crate) fn flush_groups(&mut self, groups: &Groups, end: Reg, carried: &[Reg]) -> Reg {
        let ty = groups.ty;
        let size = ty.bytes() as u64;
        let (begin, word) = (carried[1], Kind::Scalar(ScalarType::U64));
        let count = self.word_op(ScalarOp::Sub, end, begin);
        let saved = self.lanes.take();
        let dead = self.isa.label(&[]);
        self.lanes = Some(super::Lanes {
            count: order::GROUP,
            size: ty.bytes(),
            mask: None,
            bail: (dead, vec![]),
            settled: vec![],
        });
        let (head, inside, exit) = (
            self.isa.label(&[word, Kind::Scalar(ty)]),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let zero = self.word(0);
        self.isa.jump(head, &[zero, carried[0]]);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let more = self.word_op(ScalarOp::Lt, params[0], count);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let group = self.address(groups.buffer, params[0], size);
        let lanes = self.load_row(ty, group);
        let lanes = self.pack(&lanes, ty);
        let prefix = self.group_prefix(groups, lanes);
        self.store_row(ty, &Value::Pack(prefix), group);
        let left = self.word_op(ScalarOp::Sub, count, params[0]);
        let most = self.word(order::GROUP as u64);
        let filled = self.word_op(ScalarOp::Min, left, most);
        if let Some(data) = groups.data {
            let first = self.word_op(ScalarOp::Add, begin, params[0]);
            let to = self.address(data, first, size);
            self.counted(filled, |this, j| {
                let from = this.address(group, j, size);
                let shown = if groups.exclusive {
                    let neutral = groups
                        .op
                        .identity(ty)
                        .expect("rows that reduce have an identity");
                    let neutral = this.isa.constant(neutral);
                    let zero = this.word(0);
                    let first = this.word_op(ScalarOp::Eq, j, zero);
                    // At the first place the byte before the group would be read: it reads itself, and that is dropped.
                    let back = this.add(from, size.wrapping_neg());
                    let from = this
                        .isa
                        .op(ScalarOp::Select, ScalarType::U64, &[first, from, back]);
                    let before = this.isa.load(ty, from, 0);
                    this.isa.op(ScalarOp::Select, ty, &[first, neutral, before])
                } else {
                    this.isa.load(ty, from, 0)
                };
                let result = this.isa.op(groups.op, ty, &[params[1], shown]);
                let at = this.address(to, j, size);
                this.isa.store(ty, result, at, 0);
            });
        }
        let last = self.add(filled, u64::MAX);
        let last = self.address(group, last, size);
        let last = self.isa.load(ty, last, 0);
        let carry = self.isa.op(groups.op, ty, &[params[1], last]);
        let next = self.add(params[0], order::GROUP as u64);
        self.isa.jump(head, &[next, carry]);
        self.isa.enter(dead);
        let status = self.word(crate::abi::FAULT);
        self.isa.ret(status);
        self.isa.enter(exit);
        self.lanes = saved;
        params[1]
    }

    /// The function of a scan with the operands in the order in which positions go.
    fn scan_op(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        so_far: &[Reg],
        next: &[Reg],
    ) -> Vec<Reg> {
        if from_right(sink.kind) {
            self.combine(sink, types, next, so_far)
        } else {
            self.combine(sink, types, so_far, next)
        }
    }

    /// The address of a position's element: from the right, position 0 is the last one.
    fn scan_place(&mut self, sink: &Sink, data: Reg, n: Reg, position: Reg, size: u64) -> Reg {
        if from_right(sink.kind) {
            let last = self.add(n, u64::MAX);
            let at = self.word_op(ScalarOp::Sub, last, position);
            self.address(data, at, size)
        } else {
            self.address(data, position, size)
        }
    }

    fn scan_load(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        data: &[Reg],
        n: Reg,
        position: Reg,
    ) -> Vec<Reg> {
        let loads = types.iter().zip(data).map(|(&ty, &data)| {
            let address = self.scan_place(sink, data, n, position, ty.bytes() as u64);
            self.isa.load(ty, address, 0)
        });
        loads.collect()
    }

    fn scan_store(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        data: &[Reg],
        n: Reg,
        position: Reg,
        values: &[Reg],
    ) {
        for ((&ty, &data), &value) in types.iter().zip(data).zip(values) {
            let address = self.scan_place(sink, data, n, position, ty.bytes() as u64);
            self.isa.store(ty, value, address, 0);
        }
    }

    /// Scans the positions `[lo, hi)` (a block or a part of one from its beginning) of results in place, from a carry;
    /// yields the last carry. With `write` false only the total is wanted: nothing is written, and the carry does not
    /// take part: the result is then that of the values alone.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn scan_block(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        data: &[Reg],
        n: Reg,
        lo: Reg,
        hi: Reg,
        carry: Option<Vec<Reg>>,
        by_group: bool,
    ) -> Vec<Reg> {
        let word = Kind::Scalar(ScalarType::U64);
        let exclusive = matches!(sink.kind, SinkKind::ExScan | SinkKind::RExScan);
        let scalars: Vec<Kind> = types.iter().map(|&ty| Kind::Scalar(ty)).collect();
        let mut kinds = vec![word];
        kinds.extend(&scalars);
        let (head, inside, exit) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let write = carry.is_some();
        let grouped = by_group && matches!(sink.combine, Some(Combine::Op(_)));
        let (start, first) = match carry {
            Some(carry) => (lo, carry),
            // Without a start value the first group (or value) is the total so far.
            None if grouped => {
                let Some(Combine::Op(op)) = sink.combine else {
                    unreachable!("grouped")
                };
                let neutral = op
                    .identity(types[0])
                    .expect("rows that reduce have an identity");
                (lo, vec![self.isa.constant(neutral)])
            }
            None => {
                let values = self.scan_load(sink, types, data, n, lo);
                (self.add(lo, 1), values)
            }
        };
        let mut args = vec![start];
        args.extend(first);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let more = self.word_op(ScalarOp::Lt, params[0], hi);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let mut args;
        if grouped {
            args = vec![self.add(params[0], order::GROUP as u64)];
            let left = self.word_op(ScalarOp::Sub, hi, params[0]);
            args.extend(self.scan_group(
                sink, types[0], data[0], n, params[0], left, params[1], write,
            ));
        } else {
            let values = self.scan_load(sink, types, data, n, params[0]);
            let next = self.scan_op(sink, types, &params[1..], &values);
            if write {
                let shown = if exclusive { &params[1..] } else { &next[..] };
                self.scan_store(sink, types, data, n, params[0], shown);
            }
            args = vec![self.add(params[0], 1)];
            args.extend(next);
        }
        self.isa.jump(head, &args);
        self.isa.enter(exit);
        params[1..].to_vec()
    }

    /// One group in place, in scalars, by way of memory on the stack.
    #[allow(clippy::too_many_arguments)]
    fn scan_group(
        &mut self,
        sink: &Sink,
        ty: ScalarType,
        data: Reg,
        n: Reg,
        at: Reg,
        left: Reg,
        carry: Reg,
        write: bool,
    ) -> Vec<Reg> {
        let size = ty.bytes() as u64;
        let most = self.word(order::GROUP as u64);
        let filled = self.word_op(ScalarOp::Min, left, most);
        let buffer = self.isa.slot(order::GROUP * ty.bytes());
        let types = [ty];
        self.counted(filled, |this, j| {
            let position = this.word_op(ScalarOp::Add, at, j);
            let value = this.scan_load(sink, &types, &[data], n, position)[0];
            let to = this.address(buffer, j, size);
            this.isa.store(ty, value, to, 0);
        });
        let mut distance = 1;
        while distance < order::GROUP as u64 {
            // From the highest place down, so that each reads what stood there before this step.
            let by = self.word(distance);
            let some = self.word_op(ScalarOp::Max, filled, by);
            let steps = self.word_op(ScalarOp::Sub, some, by);
            self.counted(steps, |this, j| {
                let last = this.add(filled, u64::MAX);
                let i = this.word_op(ScalarOp::Sub, last, j);
                let to = this.address(buffer, i, size);
                let from = this.add(to, (distance * size).wrapping_neg());
                let (a, b) = (this.isa.load(ty, from, 0), this.isa.load(ty, to, 0));
                let joined = this.scan_op(sink, &types, &[a], &[b])[0];
                this.isa.store(ty, joined, to, 0);
            });
            distance *= 2;
        }
        let exclusive = matches!(sink.kind, SinkKind::ExScan | SinkKind::RExScan);
        if write {
            self.counted(filled, |this, j| {
                let shown = if exclusive {
                    let zero = this.word(0);
                    let first = this.word_op(ScalarOp::Eq, j, zero);
                    let one = this.word(1);
                    let back = this.word_op(ScalarOp::Max, j, one);
                    let back = this.add(back, u64::MAX);
                    let from = this.address(buffer, back, size);
                    let before = this.isa.load(ty, from, 0);
                    let joined = this.scan_op(sink, &types, &[carry], &[before])[0];
                    this.isa.op(ScalarOp::Select, ty, &[first, carry, joined])
                } else {
                    let from = this.address(buffer, j, size);
                    let value = this.isa.load(ty, from, 0);
                    this.scan_op(sink, &types, &[carry], &[value])[0]
                };
                let position = this.word_op(ScalarOp::Add, at, j);
                this.scan_store(sink, &types, &[data], n, position, &[shown]);
            });
        }
        let last = self.add(filled, u64::MAX);
        let last = self.address(buffer, last, size);
        let last = self.isa.load(ty, last, 0);
        self.scan_op(sink, &types, &[carry], &[last])
    }

    /// All positions of results in place, in the canonical order, from `start`.
    pub(crate) fn scan_all(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        data: &[Reg],
        n: Reg,
        start: Vec<Reg>,
        inner: bool,
    ) {
        let zero = self.word(0);
        if inner {
            self.scan_block(sink, types, data, n, zero, n, Some(start), false);
            return;
        }
        let word = Kind::Scalar(ScalarType::U64);
        let mut kinds = vec![word];
        kinds.extend(types.iter().map(|&ty| Kind::Scalar(ty)));
        let (head, inside, exit) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let mut args = vec![zero];
        args.extend(start);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let more = self.word_op(ScalarOp::Lt, params[0], n);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let hi = self.add(params[0], order::BLOCK as u64);
        let hi = self.word_op(ScalarOp::Min, hi, n);
        // The carry of the next block is C[b] op T[b], not the last carry inside this one.
        let total = self.scan_block(sink, types, data, n, params[0], hi, None, true);
        let next = self.scan_op(sink, types, &params[1..], &total);
        self.scan_block(
            sink,
            types,
            data,
            n,
            params[0],
            hi,
            Some(params[1..].to_vec()),
            true,
        );
        let mut args = vec![hi];
        args.extend(next);
        self.isa.jump(head, &args);
        self.isa.enter(exit);
    }
}
