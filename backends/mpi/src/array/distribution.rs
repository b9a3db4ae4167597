//! Which rank has which rows of an array.

use dsl_runtime::ir::order::BLOCK;
use std::ops::Range;
use std::sync::Arc;

/// How the rows of an array (its elements, where it has one dimension) are cut among ranks: each has one stretch of them, and a
/// lower rank has lower rows.
///
/// ```
/// use cuprous_mpi::Distribution;
/// let rows = Distribution::even(10, 4);
/// assert_eq!((0..4).map(|rank| rows.range(rank)).collect::<Vec<_>>(), [0..2, 2..5, 5..7, 7..10]);
/// assert_eq!(rows.owner(5), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Where each rank's rows begin, and where the last one's end.
    bounds: Arc<[usize]>,
}

/// How many pieces a rank gets at least, where there are so many blocks: ranks differ by one piece.
const GRAINS: usize = 128;

impl Distribution {
    /// Boundaries on the blocks of the canonical order: what is combined in a block is combined by one rank.
    ///
    /// ```
    /// use cuprous_mpi::Distribution;
    /// assert_eq!(Distribution::blocks(10_000, 2).range(1), 4096..10_000);
    /// assert_eq!(Distribution::blocks(100, 2).range(0), 0..0);
    /// ```
    pub fn blocks(rows: usize, ranks: usize) -> Distribution {
        // Many blocks stay together by powers of two: then few subtrees of the canonical tree are cut.
        let mut grain = BLOCK;
        while rows / grain / 2 >= GRAINS * ranks {
            grain *= 2;
        }
        Distribution::grains(rows, ranks, grain)
    }

    /// The same, with blocks that are counted from the right: where a scan comes from there.
    ///
    /// ```
    /// use cuprous_mpi::Distribution;
    /// assert_eq!(Distribution::blocks_from_the_right(10_000, 2).range(1), 5904..10_000);
    /// ```
    pub fn blocks_from_the_right(rows: usize, ranks: usize) -> Distribution {
        let left = Distribution::blocks(rows, ranks);
        Distribution::of_parts((0..ranks).rev().map(|rank| left.range(rank).len()))
    }

    /// As many rows for each rank as for the others, or one more.
    pub fn even(rows: usize, ranks: usize) -> Distribution {
        Distribution::grains(rows, ranks, 1)
    }

    fn grains(rows: usize, ranks: usize, grain: usize) -> Distribution {
        let grains = rows.div_ceil(grain) as u128;
        let bound = |rank: usize| {
            let first = (rank as u128 * grains / ranks as u128) as usize;
            first.saturating_mul(grain).min(rows)
        };
        Distribution {
            bounds: (0..=ranks).map(bound).collect(),
        }
    }

    /// Of the numbers of rows that the ranks have, in their order.
    ///
    /// ```
    /// use cuprous_mpi::Distribution;
    /// assert_eq!(Distribution::of_parts([3, 0, 2]).range(2), 3..5);
    /// ```
    pub fn of_parts(rows: impl IntoIterator<Item = usize>) -> Distribution {
        let mut bounds = vec![0];
        let mut end = 0;
        for rows in rows {
            end += rows;
            bounds.push(end);
        }
        Distribution {
            bounds: bounds.into(),
        }
    }

    /// The number of ranks.
    pub fn ranks(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The number of rows of all ranks.
    pub fn rows(&self) -> usize {
        self.bounds[self.ranks()]
    }

    /// The rows of a rank.
    ///
    /// # Panics
    /// If there is no such rank.
    pub fn range(&self, rank: usize) -> Range<usize> {
        self.bounds[rank]..self.bounds[rank + 1]
    }

    /// Who has a row.
    ///
    /// # Panics
    /// If nobody has.
    pub fn owner(&self, row: usize) -> usize {
        assert!(row < self.rows(), "row {row} of {}", self.rows());
        // The last one that begins there: those before it that begin there have no rows.
        self.bounds.partition_point(|&bound| bound <= row) - 1
    }

    /// The ranks that have some of these rows, and which.
    ///
    /// ```
    /// use cuprous_mpi::Distribution;
    /// let parts: Vec<_> = Distribution::of_parts([3, 0, 2]).parts(2..9).collect();
    /// assert_eq!(parts, [(0, 2..3), (2, 3..5)]);
    /// ```
    pub fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        let end = rows.end.min(self.rows());
        let first = match rows.start < end {
            true => self.owner(rows.start),
            false => self.ranks(),
        };
        (first..self.ranks())
            .map(move |rank| {
                let own = self.range(rank);
                (rank, own.start.max(rows.start)..own.end.min(end))
            })
            .take_while(move |(_, part)| part.start < end)
            .filter(|(_, part)| !part.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_one_owner() {
        for rows in [0, 1, 5, 4095, 4096, 4097, 50_000] {
            for ranks in 1..=7 {
                for one in [
                    Distribution::blocks(rows, ranks),
                    Distribution::even(rows, ranks),
                ] {
                    assert_eq!((one.rows(), one.ranks()), (rows, ranks));
                    let mut next = 0;
                    for rank in 0..ranks {
                        let own = one.range(rank);
                        assert_eq!(own.start, next);
                        next = own.end;
                        own.step_by(97)
                            .for_each(|row| assert_eq!(one.owner(row), rank));
                    }
                    assert_eq!(next, rows);
                }
            }
        }
    }

    #[test]
    fn boundaries_of_blocks() {
        for rank in 0..3 {
            let own = Distribution::blocks(50_000, 3).range(rank);
            assert!(own.start.is_multiple_of(BLOCK));
            assert!(own.end.is_multiple_of(BLOCK) || own.end == 50_000);
        }
    }

    #[test]
    fn parts_cover_what_is_asked() {
        let one = Distribution::of_parts([0, 4, 0, 0, 3, 0]);
        for start in 0..9 {
            for end in 0..9 {
                let parts: Vec<_> = one.parts(start..end).collect();
                let rows: Vec<usize> = parts.iter().flat_map(|(_, part)| part.clone()).collect();
                let want: Vec<usize> = (start..end.min(7)).collect();
                assert_eq!(rows, want);
                let owned = parts.iter().all(|(rank, part)| {
                    let own = one.range(*rank);
                    own.start <= part.start && part.end <= own.end
                });
                assert!(owned);
            }
        }
    }
}
