//! scan, exscan, rscan, rexscan: the totals of the blocks go around once; with those before its own a rank knows what its first
//! block begins with, and scans its rows as the place inside does.

use crate::Distribution;
use crate::plan::derive::Param;
use crate::plan::unit::Unit;
use crate::run::held::Held;
use crate::run::share::{Begin, Begins, Made, whole};
use crate::run::walk::{Stop, Walk};
use dsl_runtime::array::{Arg, Dense, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::order::BLOCK;
use dsl_runtime::ir::{Const, ScalarType, SinkKind, Var};
use dsl_runtime::plan::SinkStep;

impl Walk<'_, '_> {
    pub(crate) fn scan(
        &mut self,
        unit: &Unit,
        totals: &Unit,
        blocks: Var,
        extent: usize,
        steps: &[SinkStep],
    ) -> Result<(), Stop> {
        let cut = self.cut_of(unit, extent);
        let reversed = matches!(unit.sink(0).kind, SinkKind::RScan | SinkKind::RExScan);
        // Whole blocks are counted from where the scan begins; the last one's total is nobody's carry.
        let count = extent / BLOCK;
        let blocks_of = |rank: usize| {
            let own = cut.range(rank);
            match reversed {
                false => own.start.div_ceil(BLOCK).min(count)..own.end / BLOCK,
                true => {
                    let from = |end: usize| count - ((extent - end) / BLOCK).min(count);
                    from(own.start)..from(own.end)
                }
            }
        };
        let parts = (0..cut.ranks()).map(|rank| blocks_of(rank).len());
        let block_cut = Distribution::of_parts(parts);
        let own = block_cut.range(self.rank());
        let values = &unit.sink(0).values;
        let types: Vec<ScalarType> = values
            .iter()
            .map(|&value| unit.func.atom_type(value).elem)
            .collect();
        let mut all: Vec<Vec<u64>> = vec![vec![]; types.len()];
        if count > 0 {
            self.extra.push((blocks, count as u64));
            let sinks: Vec<usize> = (0..types.len()).collect();
            let made = self.share(totals, &block_cut, &sinks, &Begins::new(), &whole(&own));
            self.extra.pop();
            let mut mine = vec![];
            for made in made? {
                if let Made::Array(array) = made {
                    let dense = array.here();
                    let view = dense.view()?;
                    mine.extend(view.iter().flat_map(|value| value.bits.to_le_bytes()));
                }
            }
            let length = |rank: usize| 8 * types.len() * block_cut.range(rank).len();
            for (rank, text) in self
                .share_all("totals of a scan's blocks", None, &mine, length)?
                .into_iter()
                .enumerate()
            {
                let own = block_cut.range(rank).len();
                for (at, bytes) in text.chunks_exact(8).enumerate() {
                    let bits = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
                    all[at / own].push(bits);
                }
            }
        }
        // What comes before the own blocks, in the order of the scan.
        for column in &mut all {
            match reversed {
                false => column.truncate(own.start),
                true => {
                    *column = column.split_off(own.end);
                    column.reverse();
                }
            }
        }
        let starts = steps[0].start.iter().zip(&types);
        let mut carry: Vec<Const> = starts
            .map(|(&start, &ty)| Const {
                ty,
                bits: self.scalar(start),
            })
            .collect();
        let mine = cut.range(self.rank());
        let later = self.failed.is_none()
            && !mine.is_empty()
            && all.first().is_some_and(|column| !column.is_empty());
        // Who has no part of it may still have to gather arrays that the function reads: so all do it.
        let columns: Vec<Dense> = all
            .iter()
            .zip(&types)
            .map(|(column, &ty)| {
                let dense = Dense::from_bits(ty, vec![column.len()], column.iter().copied());
                dense.ok_or_else(|| crate::array::cut::no_memory(ty, &[column.len()]))
            })
            .collect::<Result<_, Failure>>()?;
        let program = self.program;
        let chain = unit.chain(&*program.inner)?;
        for param in &chain.params {
            if let Param::Whole(var) = param {
                self.gather(*var)?;
            }
        }
        if later {
            let values = self.call(
                &unit.func,
                chain,
                &|param| match *param {
                    Param::Begin(0, at) => Some(Ok(Arg::Scalar(carry[at]))),
                    Param::Begin(_, at) => Some(Ok(Arg::Array(columns[at].view()))),
                    _ => None,
                },
                &mut [],
            );
            match values {
                Ok(values) => {
                    let scalar = |value| match value {
                        Value::Scalar(value) => value,
                        other => unreachable!("{other:?} for a scalar"),
                    };
                    carry = values.into_iter().map(scalar).collect();
                }
                Err(failure) => self.failed = Some(failure),
            }
        }
        let begins: Begins = carry
            .into_iter()
            .enumerate()
            .map(|(at, value)| ((0, at), Begin::Scalar(value)))
            .collect();
        let made = self.share(unit, &cut, &[0], &begins, &whole(&mine))?;
        for (&slot, made) in steps[0].arrays.iter().zip(made) {
            if let Made::Array(array) = made {
                self.arrays[slot as usize] = Some(Held::Cut(array));
            }
        }
        Ok(())
    }
}
