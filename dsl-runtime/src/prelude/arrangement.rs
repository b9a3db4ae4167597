//! Primitives that take elements elsewhere without looking at them.

use super::fail::{collect, fail, nonzero_step, room, same_length};
use super::operand::length;
use super::{IntoSequence, Sequence};
use crate::ir::Fault;

/// `rev`, `take`, `shift`, `chain` and their kin: which element stands where depends on positions only.
pub trait Arrangement: Sequence {
    /// `y[i] = x[i + k]`, `v` where that is outside; any `k`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].shift(1, 0), [2, 3, 0]);
    /// assert_eq!([1, 2, 3].shift(-2, 0), [0, 0, 1]);
    /// ```
    #[track_caller]
    fn shift(&self, k: isize, v: Self::Item) -> Vec<Self::Item> {
        let x = self.elements();
        let source = |i: usize| i.checked_add_signed(k).and_then(|i| x.get(i));
        collect(
            x.len(),
            (0..x.len()).map(|i| source(i).unwrap_or(&v).clone()),
        )
    }

    /// `y[i] = x[(i + k) mod n]`; any `k`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].rotate(1), [2, 3, 1]);
    /// assert_eq!([1, 2, 3].rotate(-4), [3, 1, 2]);
    /// ```
    #[track_caller]
    fn rotate(&self, k: isize) -> Vec<Self::Item> {
        let x = self.elements();
        if x.is_empty() {
            return vec![];
        }
        let start = (k as i128).rem_euclid(x.len() as i128) as usize;
        let (left, right) = x.split_at(start);
        collect(x.len(), right.iter().chain(left).cloned())
    }

    /// The elements from the last to the first.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].rev(), [3, 2, 1]);
    /// ```
    #[track_caller]
    fn rev(&self) -> Vec<Self::Item> {
        let x = self.elements();
        collect(x.len(), x.iter().rev().cloned())
    }

    /// The first `k` elements, or all if there are fewer.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].take(2), [1, 2]);
    /// assert_eq!([1, 2, 3].take(9), [1, 2, 3]);
    /// ```
    #[track_caller]
    fn take(&self, k: usize) -> Vec<Self::Item> {
        let x = self.elements();
        let n = k.min(x.len());
        collect(n, x[..n].iter().cloned())
    }

    /// The elements but the first `k`; none if there are fewer.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].skip(2), [3]);
    /// assert_eq!([1, 2, 3].skip(9), []);
    /// ```
    #[track_caller]
    fn skip(&self, k: usize) -> Vec<Self::Item> {
        let x = self.elements();
        let start = k.min(x.len());
        collect(x.len() - start, x[start..].iter().cloned())
    }

    /// The elements, then those of `y`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2].chain([3]), [1, 2, 3]);
    /// ```
    #[track_caller]
    fn chain<Y: IntoSequence<Item = Self::Item>>(&self, y: Y) -> Vec<Self::Item> {
        let (x, y) = (self.elements(), y.into_sequence());
        let n = x.len().saturating_add(length(&y));
        collect(n, x.iter().cloned().chain(y))
    }

    /// `y[i] = x[i * k]`: each `k`-th element, beginning with the first. Panics for `k = 0`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3, 4, 5].step_by(2), [1, 3, 5]);
    /// ```
    /// ```should_panic
    /// # use dsl_runtime::prelude::*;
    /// [1, 2].step_by(0); // a step, window or chunk of length 0
    /// ```
    #[track_caller]
    fn step_by(&self, k: usize) -> Vec<Self::Item> {
        nonzero_step(k);
        let x = self.elements();
        collect(x.len().div_ceil(k), x.iter().step_by(k).cloned())
    }

    /// The whole sequence `k` times.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2].replicate(3), [1, 2, 1, 2, 1, 2]);
    /// ```
    #[track_caller]
    fn replicate(&self, k: usize) -> Vec<Self::Item> {
        let x = self.elements();
        let Some(n) = x.len().checked_mul(k) else {
            fail(Fault::SizeOverflow, &[&(x.len() as u128 * k as u128)]);
        };
        let mut y = room(n);
        if n > 0 {
            for _ in 0..k {
                y.extend_from_slice(&x);
            }
        }
        y
    }

    /// `[x[0], y[0], x[1], y[1], …]`. Panics on unequal lengths.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2].interleave([7, 8]), [1, 7, 2, 8]);
    /// ```
    #[track_caller]
    fn interleave<Y: IntoSequence<Item = Self::Item>>(&self, y: Y) -> Vec<Self::Item> {
        let (x, y) = (self.elements(), y.into_sequence());
        same_length(x.len(), length(&y));
        let pairs = x.iter().cloned().zip(y);
        collect(x.len().saturating_mul(2), pairs.flat_map(|(x, y)| [x, y]))
    }
}

impl<S: Sequence + ?Sized> Arrangement for S {}
