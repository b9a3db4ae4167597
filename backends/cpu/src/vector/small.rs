//! Sums of small integers: counts, above all. Where the values that a reduction adds are known to be so small that those of
//! a block of the canonical order fit 32 bits, the lanes of the block are of 32 bits, and only the total of the block is
//! widened. Integer sums wrap, so neither the order nor the width shows.

use super::analysis::Width;
use super::reduce::LaneMemory;
use super::{Emit, Value};
use crate::isa::{Reg, Simd};
use dsl_runtime::ir::{Atom, Combine, Expr, Func, Par, ScalarOp, ScalarType, Sink, order};
use dsl_runtime::pass::{effect, narrow};

/// The type of the lanes.
const LANE: ScalarType = ScalarType::U32;

/// What is added up instead of the sink's value, where that is a sum of small integers: its terms, of 32 bits or fewer, or
/// truths.
pub(crate) fn terms(func: &Func, par: &Par, sink: &Sink) -> Option<Vec<Atom>> {
    let value = sink.values[0];
    let ty = func.atom_type(value).elem;
    let adds = matches!(sink.combine, Some(Combine::Op(ScalarOp::Add)));
    if !adds || !matches!(ty, ScalarType::I64 | ScalarType::U64) {
        return None;
    }
    let Some(&Expr::Cast(_, small)) = made(par, value) else {
        return None;
    };
    let from = func.atom_type(small).elem;
    let fits = narrow::most(func, &par.body, value).is_some_and(|n| n <= narrow::SMALL);
    if from.is_float() || from.bytes() > LANE.bytes() || !fits {
        return None;
    }
    let mut found = vec![];
    split(func, par, small, &mut found);
    Some(found)
}

/// What the body makes a value by.
fn made(par: &Par, atom: Atom) -> Option<&Expr> {
    Some(&par.body.maker(atom.as_var()?)?.expr)
}

/// Sums of 32 bits fall into their terms, and those lose their casts: none of them can wrap, being parts of a small sum.
fn split(func: &Func, par: &Par, value: Atom, found: &mut Vec<Atom>) {
    let ty = func.atom_type(value).elem;
    match made(par, value) {
        Some(Expr::Op(ScalarOp::Add, v)) if ty == LANE => {
            split(func, par, v[0], found);
            split(func, par, v[1], found);
        }
        Some(&Expr::Cast(_, from)) if ty == LANE => {
            let known = func.atom_type(from).elem;
            let truth = known == ScalarType::Bool;
            let short = known.bytes() < LANE.bytes() && known.is_integer();
            found.push(if truth || short { from } else { value });
        }
        _ => found.push(value),
    }
}

/// The type of the lanes in which a par combines the values of a reduction.
pub(crate) fn lane_type(func: &Func, par: &Par, sink: &Sink) -> ScalarType {
    match !par.inner && terms(func, par, sink).is_some() {
        true => LANE,
        false => func.atom_type(sink.values[0]).elem,
    }
}

/// How many lanes a block has: those of the canonical order where it shows, else those that stand side by side.
pub(crate) fn lanes(func: &Func, width: Option<Width>, sink: &Sink) -> usize {
    match width {
        Some(width) if !effect::shows_order(func, sink) => width.count,
        _ => order::LANES,
    }
}

impl<I: Simd> Emit<'_, I> {
    /// The lanes of a reduction of one block, and the values that join them.
    pub(crate) fn block_lanes(
        &mut self,
        par: &Par,
        sink: &Sink,
        op: ScalarOp,
    ) -> (Vec<Atom>, LaneMemory) {
        let lanes = lanes(self.func, self.plan.width(par.index), sink);
        match terms(self.func, par, sink) {
            Some(terms) => (terms, self.lane_memory(op, LANE, lanes)),
            None => {
                let ty = self.type_of(sink.values[0]);
                (sink.values.clone(), self.lane_memory(op, ty, lanes))
            }
        }
    }

    /// A value in scalar form, of the type of the lanes that it joins.
    pub(crate) fn lane_value(&mut self, memory: &LaneMemory, value: Atom) -> Reg {
        let reg = self.scalar(value);
        match self.type_of(value) {
            ty if ty == memory.ty => reg,
            ty => self.isa.cast(ty, memory.ty, reg),
        }
    }

    /// A group of lanes of a value joins these registers.
    pub(crate) fn join_group(&mut self, memory: &LaneMemory, value: Atom, into: &mut [Reg]) {
        let ty = memory.ty;
        let (from, group) = (self.type_of(value), self.value(value));
        let (op, regs) = if from == ty {
            (memory.op, self.pack(&group, ty))
        } else if from == ScalarType::Bool {
            // A true lane is -1.
            let masks = self.mask(&group, ty.bytes());
            let views = masks.into_iter().map(|mask| self.isa.view(ty, ty, mask));
            (ScalarOp::Sub, views.collect())
        } else {
            let wide = match group {
                Value::Scalar(reg) => Value::Scalar(self.isa.cast(from, ty, reg)),
                group => self.convert_lanes(from, ty, group),
            };
            (memory.op, self.pack(&wide, ty))
        };
        for (lanes, reg) in into.iter_mut().zip::<Vec<Reg>>(regs) {
            let pair = [Value::Pack(vec![*lanes]), Value::Pack(vec![reg])];
            if let Value::Pack(joined) = self.apply_lanes(op, ty, &pair) {
                *lanes = joined[0];
            }
        }
    }
}
