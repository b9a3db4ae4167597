//! Combining values in the canonical order (`dsl_runtime::ir::order`).

use super::{Emit, Value};
use crate::isa::{Kind, Reg, Simd};
use dsl_runtime::ir::{Combine, Const, Func, Par, ScalarOp, ScalarType, Sink, VarSet, order};
use dsl_runtime::pass::effect;

/// Interleaved lanes in memory, from one stretch of lane-wise code to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneMemory {
    pub op: ScalarOp,
    pub ty: ScalarType,
    pub address: Reg,
    pub lanes: usize,
}

/// The totals of blocks on their way up the binary tree: one place for each level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree {
    address: Reg,
}

/// Whether a par inside a vectorised one is a left fold in every lane.
pub(super) fn folds(func: &Func, par: &Par) -> bool {
    par.sinks.iter().all(|sink| match &sink.combine {
        Some(Combine::Op(_)) => {
            let extent = par.extent.as_const();
            let short = extent.is_some_and(|n| n.bits <= order::SHORT as u64);
            par.inner && short || !effect::shows_order(func, sink)
        }
        Some(Combine::Lambda(_)) => par.inner,
        None => false,
    })
}

impl<I: Simd> Emit<'_, I> {
    /// `left op right` of a sink's combining function, on scalars.
    pub(crate) fn combine(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        left: &[Reg],
        right: &[Reg],
    ) -> Vec<Reg> {
        let left: Vec<Value> = left.iter().map(|&r| Value::Scalar(r)).collect();
        let right: Vec<Value> = right.iter().map(|&r| Value::Scalar(r)).collect();
        let values = self.combine_values(sink, types, &left, &right);
        let regs = values.into_iter().map(|v| match v {
            Value::Scalar(reg) => reg,
            other => unreachable!("combining scalars gives scalars: {other:?}"),
        });
        regs.collect()
    }

    /// `left op right`, also lane by lane.
    pub(crate) fn combine_values(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        left: &[Value],
        right: &[Value],
    ) -> Vec<Value> {
        match sink.combine.as_ref().expect("the sink combines") {
            Combine::Op(op) => {
                vec![self.apply(*op, types[0], &[left[0].clone(), right[0].clone()])]
            }
            Combine::Lambda(lambda) => {
                for (&param, value) in lambda.params.iter().zip(left.iter().chain(right)) {
                    self.define(param, value.clone());
                }
                self.block(&lambda.body, VarSet::new())
            }
        }
    }

    /// Whether the sink's bits depend on the canonical order.
    pub(crate) fn is_ordered(&self, sink: &Sink) -> bool {
        effect::shows_order(self.func, sink)
    }

    /// Memory for interleaved lanes.
    pub(crate) fn lane_memory(&mut self, op: ScalarOp, ty: ScalarType, lanes: usize) -> LaneMemory {
        LaneMemory {
            op,
            ty,
            address: self.isa.slot(lanes * ty.bytes()),
            lanes,
        }
    }

    /// Every lane neutral.
    pub(crate) fn reset_lanes(&mut self, memory: &LaneMemory) {
        let neutral = memory
            .op
            .identity(memory.ty)
            .expect("rows that reduce have an identity");
        let neutral = self.isa.constant(neutral);
        if memory.ty == ScalarType::Bool {
            for lane in 0..memory.lanes {
                self.isa
                    .store(memory.ty, neutral, memory.address, lane as i32);
            }
            return;
        }
        let splat = self.isa.splat(memory.ty, neutral);
        let (width, total) = (self.isa.bytes(), memory.lanes * memory.ty.bytes());
        for at in (0..total).step_by(width) {
            self.isa.vstore(
                memory.ty,
                (total - at).min(width),
                splat,
                memory.address,
                at as i32,
            );
        }
    }

    /// The registers that hold the lanes.
    pub(crate) fn lane_kinds(&self, memory: &LaneMemory) -> Vec<Kind> {
        let registers = (memory.lanes * memory.ty.bytes()).div_ceil(self.isa.bytes());
        vec![Kind::Vector(memory.ty); registers]
    }

    pub(crate) fn load_lanes(&mut self, memory: &LaneMemory) -> Vec<Reg> {
        let (width, total) = (self.isa.bytes(), memory.lanes * memory.ty.bytes());
        let offsets = (0..total).step_by(width);
        let regs = offsets.map(|at| {
            self.isa.vload(
                memory.ty,
                (total - at).min(width),
                memory.address,
                at as i32,
            )
        });
        regs.collect()
    }

    pub(crate) fn store_lanes(&mut self, memory: &LaneMemory, regs: &[Reg]) {
        let (width, total) = (self.isa.bytes(), memory.lanes * memory.ty.bytes());
        for (at, &reg) in (0..total).step_by(width).zip(regs) {
            self.isa.vstore(
                memory.ty,
                (total - at).min(width),
                reg,
                memory.address,
                at as i32,
            );
        }
    }

    /// Value `k` of the block joins its lane.
    pub(crate) fn join_lane(&mut self, memory: &LaneMemory, k: Reg, value: Reg) {
        let mask = self.word(memory.lanes as u64 - 1);
        let lane = self.word_op(ScalarOp::And, k, mask);
        let address = self.address(memory.address, lane, memory.ty.bytes() as u64);
        let old = self.isa.load(memory.ty, address, 0);
        let new = self.isa.op(memory.op, memory.ty, &[old, value]);
        self.isa.store(memory.ty, new, address, 0);
    }

    /// The lanes joined by halves.
    pub(crate) fn join_lanes(&mut self, memory: &LaneMemory) -> Reg {
        let size = memory.ty.bytes() as i32;
        let mut lanes: Vec<Reg> = (0..memory.lanes as i32)
            .map(|lane| self.isa.load(memory.ty, memory.address, lane * size))
            .collect();
        while lanes.len() > 1 {
            let half = lanes.len() / 2;
            lanes = (0..half)
                .map(|l| {
                    self.isa
                        .op(memory.op, memory.ty, &[lanes[l], lanes[l + half]])
                })
                .collect();
        }
        lanes[0]
    }

    /// Room for the totals of any number of blocks.
    pub(crate) fn tree(&mut self, values: usize) -> Tree {
        Tree {
            address: self.isa.slot(64 * 8 * values),
        }
    }

    /// Block `number` has this total.
    pub(crate) fn tree_push(
        &mut self,
        tree: Tree,
        sink: &Sink,
        types: &[ScalarType],
        number: Reg,
        total: Vec<Reg>,
    ) {
        let word = Kind::Scalar(ScalarType::U64);
        let stride = 8 * types.len() as u64;
        let mut kinds = vec![word, word];
        kinds.extend(types.iter().map(|&ty| Kind::Scalar(ty)));
        let (head, join, done) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let mut args = vec![number, tree.address];
        args.extend(total);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let one = self.word(1);
        let odd = self.word_op(ScalarOp::And, params[0], one);
        let odd = self.isa.cast(ScalarType::U64, ScalarType::Bool, odd);
        self.isa.branch(odd, (join, &[]), (done, &[]));
        self.isa.enter(join);
        let left = self.load_words(types, params[1]);
        let total = self.combine(sink, types, &left, &params[2..]);
        let mut args = vec![
            self.word_op(ScalarOp::Shr, params[0], one),
            self.add(params[1], stride),
        ];
        args.extend(total);
        self.isa.jump(head, &args);
        self.isa.enter(done);
        self.store_words(types, &params[2..], params[1]);
    }

    /// The total of `blocks` blocks (at least one): what is left at the levels, the later part on the right.
    pub(crate) fn tree_total(
        &mut self,
        tree: Tree,
        sink: &Sink,
        types: &[ScalarType],
        blocks: Reg,
    ) -> Vec<Reg> {
        let word = Kind::Scalar(ScalarType::U64);
        let stride = 8 * types.len() as u64;
        let scalars: Vec<Kind> = types.iter().map(|&ty| Kind::Scalar(ty)).collect();
        let mut kinds = vec![word, word];
        kinds.extend(scalars.iter().copied());
        // The lowest level in use begins.
        let low = self
            .isa
            .op(ScalarOp::TrailingZeros, ScalarType::U64, &[blocks]);
        let low = self.isa.cast(ScalarType::U32, ScalarType::U64, low);
        let rest = self.word_op(ScalarOp::Shr, blocks, low);
        let one = self.word(1);
        let rest = self.word_op(ScalarOp::Shr, rest, one);
        let at = self.address(tree.address, low, stride);
        let first = self.load_words(types, at);
        let next = self.add(at, stride);
        let (head, more, join, skip, done) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
            self.isa.label(&scalars),
            self.isa.label(&[]),
        );
        let mut args = vec![rest, next];
        args.extend(first);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let zero = self.word(0);
        let some = self.word_op(ScalarOp::Ne, params[0], zero);
        self.isa.branch(some, (more, &[]), (done, &[]));
        self.isa.enter(more);
        let odd = self.word_op(ScalarOp::And, params[0], one);
        let odd = self.isa.cast(ScalarType::U64, ScalarType::Bool, odd);
        self.isa.branch(odd, (join, &[]), (skip, &params[2..]));
        self.isa.enter(join);
        let left = self.load_words(types, params[1]);
        let joined = self.combine(sink, types, &left, &params[2..]);
        self.isa.jump(skip, &joined);
        self.isa.enter(skip);
        let mut args = vec![
            self.word_op(ScalarOp::Shr, params[0], one),
            self.add(params[1], stride),
        ];
        args.extend(self.isa.params(skip));
        self.isa.jump(head, &args);
        self.isa.enter(done);
        params[2..].to_vec()
    }

    /// Scalars from words.
    pub(crate) fn load_words(&mut self, types: &[ScalarType], address: Reg) -> Vec<Reg> {
        let loads = types
            .iter()
            .enumerate()
            .map(|(k, &ty)| self.isa.load(ty, address, 8 * k as i32));
        loads.collect()
    }

    /// Scalars as words, zero-extended.
    pub(crate) fn store_words(&mut self, types: &[ScalarType], values: &[Reg], address: Reg) {
        for (k, (&ty, &value)) in types.iter().zip(values).enumerate() {
            let word = self.to_word(ty, value);
            self.isa.store(ScalarType::U64, word, address, 8 * k as i32);
        }
    }

    /// Zeros of these types: what a joint carries where nothing is known yet.
    pub(crate) fn zeros(&mut self, types: &[ScalarType]) -> Vec<Reg> {
        types
            .iter()
            .map(|&ty| self.isa.constant(Const { ty, bits: 0 }))
            .collect()
    }
}
