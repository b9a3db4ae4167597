//! Primitives that see several neighbouring elements at once.

use super::Sequence;
use super::fail::{collect, nonzero_step};

/// `windows_map` and `chunks_map`: a function of a sub-slice.
pub trait Neighbourhood: Sequence {
    /// `y[i] = f(&x[i..i + k])`: one value for each window that fits, so none if `k > n`. Panics for `k = 0`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 4, 9, 16].windows_map(2, |w| w[1] - w[0]), [3, 5, 7]);
    /// assert_eq!([1, 4].windows_map(3, |w| w.sum()), []);
    /// ```
    #[track_caller]
    fn windows_map<U>(&self, k: usize, f: impl Fn(&[Self::Item]) -> U) -> Vec<U> {
        nonzero_step(k);
        let x = self.elements();
        collect(x.len().saturating_sub(k - 1), x.windows(k).map(f))
    }

    /// `y[i] = f(&x[i * k..(i + 1) * k])`, the last chunk being shorter where `k` does not divide `n`. Panics for
    /// `k = 0`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3, 4, 5].chunks_map(2, |c| c.sum()), [3, 7, 5]);
    /// ```
    #[track_caller]
    fn chunks_map<U>(&self, k: usize, f: impl Fn(&[Self::Item]) -> U) -> Vec<U> {
        nonzero_step(k);
        let x = self.elements();
        collect(x.len().div_ceil(k), x.chunks(k).map(f))
    }
}

impl<S: Sequence + ?Sized> Neighbourhood for S {}
