//! collect and reduce. What is collected stays where it was computed. A reduction's blocks are whole on some rank; each rank
//! reduces the largest subtrees of the canonical tree that are its own, and all join what all have got.

use crate::Distribution;
use crate::plan::derive::Param;
use crate::plan::unit::Unit;
use crate::run::held::Held;
use crate::run::share::{Begins, Made, whole};
use crate::run::walk::{Stop, Walk};
use dsl_runtime::array::{Arg, Value};
use dsl_runtime::ir::order::BLOCK;
use dsl_runtime::ir::{Combine, Const, SinkKind};
use dsl_runtime::plan::SinkStep;
use std::ops::Range;

impl Walk<'_, '_> {
    pub(crate) fn map(
        &mut self,
        unit: &Unit,
        extent: usize,
        steps: &[SinkStep],
    ) -> Result<(), Stop> {
        let cut = self.cut_of(unit, extent);
        let own = cut.range(self.rank());
        let whole = whole(&own);
        let is = |kind: SinkKind| move |&number: &usize| unit.sink(number).kind == kind;
        let all = 0..steps.len();
        let reduces: Vec<usize> = all.clone().filter(is(SinkKind::Reduce)).collect();
        let collects: Vec<usize> = all.clone().filter(is(SinkKind::Collect)).collect();
        let begins = Begins::new();
        let mut totals = vec![];
        let mut bound = |walk: &mut Self, numbers: &[usize], pieces: &[Range<u64>]| {
            let made = walk.share(unit, &cut, numbers, &begins, pieces)?;
            for (&number, made) in numbers.iter().zip(made) {
                match made {
                    Made::Array(array) => {
                        walk.arrays[steps[number].arrays[0] as usize] = Some(Held::Cut(array));
                    }
                    Made::Totals(one) => totals.push(one),
                    Made::Kept(..) | Made::Scattered(_) => unreachable!("these are on their own"),
                }
            }
            Ok::<(), Stop>(())
        };
        let pieces: Vec<Range<u64>> = nodes(&cut, self.rank())
            .iter()
            .map(|node| node.elements(extent))
            .collect();
        match (reduces.is_empty(), collects.is_empty()) {
            (true, _) => bound(self, &collects, &whole)?,
            (false, true) => bound(self, &reduces, &pieces)?,
            // In memory of a device, what is collected is one array; it is not made of pieces.
            (false, false) if self.resident() && pieces.len() > 1 => {
                bound(self, &collects, &whole)?;
                bound(self, &reduces, &pieces)?;
            }
            (false, false) => {
                let all: Vec<usize> = all.collect();
                bound(self, &all, &pieces)?;
            }
        }
        if !reduces.is_empty() {
            self.join(unit, &cut, &reduces, totals, steps)?;
        }
        Ok(())
    }

    /// Joins the totals of all ranks along the canonical tree.
    fn join(
        &mut self,
        unit: &Unit,
        cut: &Distribution,
        reduces: &[usize],
        totals: Vec<Vec<Vec<Const>>>,
        steps: &[SinkStep],
    ) -> Result<(), Stop> {
        let mut mine = vec![];
        for value in totals.iter().flatten().flatten() {
            mine.extend_from_slice(&value.bits.to_le_bytes());
        }
        let per_rank: Vec<Vec<Node>> = (0..cut.ranks()).map(|rank| nodes(cut, rank)).collect();
        let k: usize = reduces.iter().map(|&at| steps[at].scalars.len()).sum();
        let length = |rank: usize| 8 * k * per_rank[rank].len();
        let all = self.share_all("partial results of reductions", None, &mine, length)?;
        let extent = cut.rows();
        // Where the totals of this sink begin in the text of each rank.
        let mut starts = vec![0; cut.ranks()];
        for &number in reduces {
            let k = steps[number].scalars.len();
            let types: Vec<_> = unit
                .defs(number)
                .iter()
                .map(|&def| unit.func.ty(def).elem)
                .collect();
            let mut known: Vec<(Node, Vec<Const>)> = vec![];
            for (rank, nodes) in per_rank.iter().enumerate() {
                for &node in nodes {
                    let values = types.iter().map(|&ty| {
                        let bytes = all[rank][starts[rank]..][..8]
                            .try_into()
                            .expect("eight bytes");
                        starts[rank] += 8;
                        Const {
                            ty,
                            bits: u64::from_le_bytes(bytes),
                        }
                    });
                    known.push((node, values.collect()));
                }
            }
            let start = steps[number].start.iter().zip(&types);
            let start: Vec<Const> = start
                .map(|(&start, &ty)| Const {
                    ty,
                    bits: self.scalar(start),
                })
                .collect();
            let root = Node {
                level: (extent.div_ceil(BLOCK)).next_power_of_two().ilog2(),
                index: 0,
            };
            let total = self.total(unit, number, &known, root, extent)?;
            let result = self.combine(unit, number, &start, &total)?;
            debug_assert_eq!(result.len(), k);
            for (&slot, value) in steps[number].scalars.iter().zip(result) {
                self.scalars[slot as usize] = value.bits;
            }
        }
        Ok(())
    }

    /// The total of a subtree of which parts are known.
    fn total(
        &mut self,
        unit: &Unit,
        sink: usize,
        known: &[(Node, Vec<Const>)],
        node: Node,
        extent: usize,
    ) -> Result<Vec<Const>, Stop> {
        // They ascend: those of a subtree are together.
        let blocks = node.elements(extent);
        let first = known.partition_point(|(known, _)| known.elements(extent).start < blocks.start);
        if known[first].0 == node || known[first].0.elements(extent) == blocks {
            return Ok(known[first].1.clone());
        }
        let [left, right] = node.children();
        let left = self.total(unit, sink, known, left, extent)?;
        match right.elements(extent).is_empty() {
            true => Ok(left),
            false => {
                let right = self.total(unit, sink, known, right, extent)?;
                self.combine(unit, sink, &left, &right)
            }
        }
    }

    /// `left op right`.
    pub(crate) fn combine(
        &mut self,
        unit: &Unit,
        sink: usize,
        left: &[Const],
        right: &[Const],
    ) -> Result<Vec<Const>, Stop> {
        if let Some(Combine::Op(op)) = unit.sink(sink).combine
            && let Some(value) = op.eval(&[left[0], right[0]])
        {
            return Ok(vec![value.map_err(|_| Stop::Known)?]);
        }
        let program = self.program;
        let join = unit.join(&*program.inner, sink)?;
        let side = |number: usize| if number == 0 { left } else { right };
        let values = self.together(&unit.func, join, &|param| match *param {
            Param::Begin(number, at) => Some(Ok(Arg::Scalar(side(number)[at]))),
            _ => None,
        })?;
        let scalar = |value| match value {
            Value::Scalar(value) => value,
            other => unreachable!("{other:?} for a scalar"),
        };
        Ok(values.into_iter().map(scalar).collect())
    }
}

/// A subtree of the canonical tree: the blocks from `index << level` on, 2 to the power of `level` of them or as many as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    level: u32,
    index: usize,
}

impl Node {
    /// The elements of its blocks.
    fn elements(self, extent: usize) -> Range<u64> {
        let bound = |index: usize| {
            let blocks = (index as u128) << self.level;
            (blocks * BLOCK as u128).min(extent as u128) as u64
        };
        bound(self.index)..bound(self.index + 1)
    }

    fn children(self) -> [Node; 2] {
        let level = self.level - 1;
        [0, 1].map(|side| Node {
            level,
            index: self.index * 2 + side,
        })
    }
}

/// The largest subtrees that are a rank's own, ascending: at most two of each level.
fn nodes(cut: &Distribution, rank: usize) -> Vec<Node> {
    let own = cut.range(rank);
    if own.is_empty() {
        return vec![];
    }
    let (mut first, last) = (own.start / BLOCK, own.end.div_ceil(BLOCK));
    let all = cut.rows().div_ceil(BLOCK);
    let mut nodes = vec![];
    while first < last {
        // Beyond the last block of all there is nothing: a subtree may reach there.
        let fits = |level: u32| {
            let end = first + (1 << level);
            first.is_multiple_of(1 << level)
                && (end <= last || last == all && first + (1 << (level - 1)) < all)
        };
        let mut level = 0;
        while level < all.next_power_of_two().ilog2() && fits(level + 1) {
            level += 1;
        }
        nodes.push(Node {
            level,
            index: first >> level,
        });
        first += 1 << level;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_cover_the_own_blocks_and_are_few() {
        for blocks in [1, 2, 3, 5, 8, 13, 64, 100] {
            for ranks in 1..8 {
                for ragged in [0, 1, BLOCK - 1] {
                    let extent = blocks * BLOCK - ragged;
                    let cut = Distribution::blocks(extent, ranks);
                    let mut next = 0;
                    for rank in 0..ranks {
                        let nodes = nodes(&cut, rank);
                        assert!(
                            nodes.len() <= 2 * (blocks.ilog2() as usize + 1),
                            "{nodes:?}"
                        );
                        for node in nodes {
                            let elements = node.elements(extent);
                            assert_eq!(elements.start, next);
                            assert!(!elements.is_empty());
                            next = elements.end;
                        }
                        assert_eq!(next, cut.range(rank).end as u64);
                    }
                    assert_eq!(next, extent as u64);
                }
            }
        }
    }
}
