//! Primitives that read or write where an index says.

use super::fail::{fail, room, same_length};
use super::operand::length;
use super::{AsIndex, IntoSequence, Sequence};
use crate::ir::Fault;

/// `gather`, `scatter` and their kin. Indices are of any integer type; a negative one is out of bounds.
pub trait Indexing: Sequence {
    /// `y[k] = x[idx[k]]`. Panics on the first index out of bounds.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([10, 20, 30].gather([2, 0, 0, 1]), [30, 10, 10, 20]);
    /// ```
    /// ```should_panic
    /// # use dsl_runtime::prelude::*;
    /// [10, 20].gather([0, 2]); // index 2 is out of bounds for length 2
    /// ```
    #[track_caller]
    fn gather<I: IntoSequence<Item: AsIndex>>(&self, idx: I) -> Vec<Self::Item> {
        let (x, idx) = (self.elements(), idx.into_sequence());
        let mut y = room(length(&idx));
        for i in idx {
            y.push(x[inside(i, x.len())].clone());
        }
        y
    }

    /// `y[k] = x[idx[k]]`, `default` where the index is out of bounds.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([10, 20].gather_or([1, 7, -1], 0), [20, 0, 0]);
    /// ```
    #[track_caller]
    fn gather_or<I: IntoSequence<Item: AsIndex>>(
        &self,
        idx: I,
        default: Self::Item,
    ) -> Vec<Self::Item> {
        let (x, idx) = (self.elements(), idx.into_sequence());
        let mut y = room(length(&idx));
        for i in idx {
            y.push(
                i.as_index()
                    .and_then(|i| x.get(i))
                    .unwrap_or(&default)
                    .clone(),
            );
        }
        y
    }

    /// The receiver with `y[idx[k]] = v[k]`. Panics on unequal lengths of `idx` and `v`, and on the first index that is
    /// out of bounds or occurs a second time.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([0, 0, 0, 0].scatter([3, 1], [7, 8]), [0, 8, 0, 7]);
    /// ```
    /// ```should_panic
    /// # use dsl_runtime::prelude::*;
    /// [0, 0].scatter([1, 1], [7, 8]); // index 1 occurs more than once
    /// ```
    #[track_caller]
    fn scatter<I, V>(&self, idx: I, v: V) -> Vec<Self::Item>
    where
        I: IntoSequence<Item: AsIndex>,
        V: IntoSequence<Item = Self::Item>,
    {
        let (idx, v) = (idx.into_sequence(), v.into_sequence());
        same_length(length(&idx), length(&v));
        let mut y = self.elements().into_owned();
        let mut taken = vec![false; y.len()];
        for (i, v) in idx.zip(v) {
            let at = inside(i, y.len());
            if std::mem::replace(&mut taken[at], true) {
                fail(Fault::DuplicateIndex, &[&i]);
            }
            y[at] = v;
        }
        y
    }

    /// `y[idx[k]] = x[k]`: element `k` moves to `idx[k]`. Panics on unequal lengths, and on the first index that is out
    /// of bounds or occurs a second time.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!(['a', 'b', 'c'].permute([1, 2, 0]), ['c', 'a', 'b']);
    /// ```
    #[track_caller]
    fn permute<I: IntoSequence<Item: AsIndex>>(&self, idx: I) -> Vec<Self::Item> {
        let (x, idx) = (self.elements(), idx.into_sequence());
        same_length(x.len(), length(&idx));
        let mut source = vec![None; x.len()];
        for (k, i) in idx.enumerate() {
            if source[inside(i, x.len())].replace(k).is_some() {
                fail(Fault::DuplicateIndex, &[&i]);
            }
        }
        source
            .iter()
            .flatten()
            .map(|&k: &usize| x[k].clone())
            .collect()
    }

    /// The receiver with `y[idx[k]] = y[idx[k]] op v[k]`, for k = 0, 1, … in turn: the old value is the left operand,
    /// and the values of one index are combined in their order. Panics on unequal lengths of `idx` and `v`, and on the
    /// first index out of bounds.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([100, 200].scatter_with(|a, b| a + b, [1, 0, 1], [1, 2, 3]), [102, 204]);
    /// ```
    #[track_caller]
    fn scatter_with<I, V>(
        &self,
        op: impl Fn(Self::Item, Self::Item) -> Self::Item,
        idx: I,
        v: V,
    ) -> Vec<Self::Item>
    where
        I: IntoSequence<Item: AsIndex>,
        V: IntoSequence<Item = Self::Item>,
    {
        let (idx, v) = (idx.into_sequence(), v.into_sequence());
        same_length(length(&idx), length(&v));
        let mut y = self.elements().into_owned();
        for (i, v) in idx.zip(v) {
            let at = inside(i, y.len());
            y[at] = op(y[at].clone(), v);
        }
        y
    }
}

impl<S: Sequence + ?Sized> Indexing for S {}

/// The index, below the length; else a failure.
#[track_caller]
fn inside<I: AsIndex>(i: I, n: usize) -> usize {
    match i.as_index() {
        Some(at) if at < n => at,
        _ => fail(Fault::IndexOutOfBounds, &[&i, &n]),
    }
}
