//! Primitives whose result is as long as the data say.

use super::{IntoSequence, Sequence};

/// `filter`, `partition`, `flat_map`: stable, the order of the elements stays.
pub trait Selection: Sequence {
    /// The elements for which `p` holds.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([0.1, 0.6, 0.3, 0.9].filter(|v| v > 0.25), [0.6, 0.3, 0.9]);
    /// ```
    fn filter(&self, p: impl Fn(Self::Item) -> bool) -> Vec<Self::Item> {
        let x = self.elements();
        x.iter().filter(|v| p((*v).clone())).cloned().collect()
    }

    /// The elements for which `p` holds, and the others. On an ndarray array `partition` is ndarray's.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3, 4].partition(|v| v % 2 == 0), (vec![2, 4], vec![1, 3]));
    /// ```
    fn partition(&self, p: impl Fn(Self::Item) -> bool) -> (Vec<Self::Item>, Vec<Self::Item>) {
        let x = self.elements();
        x.iter().cloned().partition(|v| p(v.clone()))
    }

    /// The sequences `f(x[0])`, `f(x[1])`, … one behind the other.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([2, 0, 3].flat_map(|n| fill(n, n)), [2, 2, 3, 3, 3]);
    /// ```
    fn flat_map<Y: IntoSequence>(&self, f: impl Fn(Self::Item) -> Y) -> Vec<Y::Item> {
        let x = self.elements();
        let rows = x.iter().cloned().map(|v| f(v).into_sequence());
        rows.flatten().collect()
    }
}

impl<S: Sequence + ?Sized> Selection for S {}
