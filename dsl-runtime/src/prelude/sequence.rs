//! What the primitives work on: the receiver of each.

use ndarray::{ArrayRef, Ix1};
use std::borrow::Cow;

/// A one-dimensional sequence whose elements the primitives take by value.
///
/// Slices are sequences, and so are `Vec`s and fixed arrays, which lend one, and 1-D ndarray arrays and views. The
/// primitives themselves are the methods of [`Elementwise`](super::Elementwise), [`Reduction`](super::Reduction),
/// [`Scan`](super::Scan), [`Selection`](super::Selection), [`Indexing`](super::Indexing),
/// [`Arrangement`](super::Arrangement) and [`Neighbourhood`](super::Neighbourhood), which every sequence has.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// let grid = array![[1, 2, 3], [4, 5, 6]];
/// assert_eq!(vec![1, 2, 3].rev(), [3, 2, 1]);
/// assert_eq!(grid.column(1).rev(), [5, 2]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sequence",
    label = "not a sequence",
    note = "use a slice, a `Vec`, a fixed array or a 1-D ndarray array or view; a range `0..n` as a sequence is `indices(n)`"
)]
pub trait Sequence {
    /// The type of an element.
    type Item: Clone;

    /// The elements in order, borrowed where they lie so in memory.
    fn elements(&self) -> Cow<'_, [Self::Item]>;
}

impl<T: Clone> Sequence for [T] {
    type Item = T;

    fn elements(&self) -> Cow<'_, [T]> {
        Cow::Borrowed(self)
    }
}

impl<T: Clone> Sequence for ArrayRef<T, Ix1> {
    type Item = T;

    fn elements(&self) -> Cow<'_, [T]> {
        match self.as_slice() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(self.iter().cloned().collect()),
        }
    }
}
