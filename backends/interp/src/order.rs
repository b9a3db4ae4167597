//! The canonical order of reductions and scans, as `dsl_runtime::ir::order` states it: from values and an operation to
//! their combination. This is the specification that every backend is compared with.

use dsl_runtime::ir::order::{BLOCK, GROUP, INNER_LANES, LANES, SHORT};

/// How values combine.
pub struct Combiner<'a, T, E> {
    /// `left op right`.
    pub op: &'a mut dyn FnMut(&T, &T) -> Result<T, E>,
    /// The operation's identity, if it is a row of the table: then lanes are used.
    pub identity: Option<T>,
}

/// Whether result `i` of a scan contains value `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// It does.
    Inclusive,
    /// It does not.
    Exclusive,
}

impl<T: Clone, E> Combiner<'_, T, E> {
    /// `reduce` of a par.
    pub fn reduce(&mut self, start: &T, values: &[T]) -> Result<T, E> {
        let blocks = values.chunks(BLOCK).map(|block| match self.identity {
            Some(_) => self.lanes(block, LANES),
            None => self.fold(block),
        });
        let mut totals = blocks.collect::<Result<Vec<T>, E>>()?;
        while totals.len() > 1 {
            let pairs = totals.chunks(2).map(|pair| match pair {
                [left, right] => (self.op)(left, right),
                rest => Ok(rest[0].clone()),
            });
            totals = pairs.collect::<Result<_, E>>()?;
        }
        match totals.first() {
            Some(total) => (self.op)(start, total),
            None => Ok(start.clone()),
        }
    }

    /// `reduce` of a `par.inner`.
    pub fn reduce_inner(&mut self, start: &T, values: &[T]) -> Result<T, E> {
        if self.identity.is_some() && values.len() > SHORT {
            let total = self.lanes(values, INNER_LANES)?;
            return (self.op)(start, &total);
        }
        values
            .iter()
            .try_fold(start.clone(), |acc, value| (self.op)(&acc, value))
    }

    /// Interleaved lanes, joined by halves.
    fn lanes(&mut self, values: &[T], lanes: usize) -> Result<T, E> {
        let identity = self
            .identity
            .clone()
            .expect("lanes are for operations that have one");
        let mut acc = vec![identity; lanes];
        for (k, value) in values.iter().enumerate() {
            acc[k % lanes] = (self.op)(&acc[k % lanes], value)?;
        }
        let mut half = lanes / 2;
        while half > 0 {
            for lane in 0..half {
                acc[lane] = (self.op)(&acc[lane], &acc[lane + half])?;
            }
            half /= 2;
        }
        Ok(acc.swap_remove(0))
    }

    /// The left fold of at least one value.
    fn fold(&mut self, values: &[T]) -> Result<T, E> {
        let first = values[0].clone();
        values[1..]
            .iter()
            .try_fold(first, |acc, value| (self.op)(&acc, value))
    }

    /// `scan` and `exscan` of a par: the values become the results.
    pub fn scan(&mut self, kind: Scan, start: &T, values: &mut [T]) -> Result<(), E> {
        let mut carry = start.clone();
        let blocks = values.len().div_ceil(BLOCK);
        for (number, block) in values.chunks_mut(BLOCK).enumerate() {
            let last = number + 1 == blocks;
            let total = match self.identity {
                Some(_) => Some(self.scan_groups(kind, &carry, block)?),
                None => {
                    let total = if last { None } else { Some(self.fold(block)?) };
                    self.scan_inner(kind, &carry, block)?;
                    total
                }
            };
            if let (Some(total), false) = (total, last) {
                carry = (self.op)(&carry, &total)?;
            }
        }
        Ok(())
    }

    /// `scan` and `exscan` of a `par.inner`, and of a block with a lambda: from the left.
    pub fn scan_inner(&mut self, kind: Scan, start: &T, values: &mut [T]) -> Result<(), E> {
        let mut acc = start.clone();
        for value in values {
            let next = (self.op)(&acc, value)?;
            *value = match kind {
                Scan::Inclusive => next.clone(),
                Scan::Exclusive => acc,
            };
            acc = next;
        }
        Ok(())
    }

    /// A block in groups; gives `T`, the fold of the groups' totals.
    fn scan_groups(&mut self, kind: Scan, start: &T, block: &mut [T]) -> Result<T, E> {
        let mut carry = start.clone();
        let mut totals = vec![];
        for group in block.chunks_mut(GROUP) {
            let mut sums = group.to_vec();
            for distance in [1, 2, 4] {
                let before = sums.clone();
                for i in distance..sums.len() {
                    sums[i] = (self.op)(&before[i - distance], &before[i])?;
                }
            }
            for (i, result) in group.iter_mut().enumerate() {
                *result = match (kind, i) {
                    (Scan::Inclusive, _) => (self.op)(&carry, &sums[i])?,
                    (Scan::Exclusive, 0) => carry.clone(),
                    (Scan::Exclusive, _) => (self.op)(&carry, &sums[i - 1])?,
                };
            }
            let total = sums[sums.len() - 1].clone();
            carry = (self.op)(&carry, &total)?;
            totals.push(total);
        }
        self.fold(&totals)
    }
}
