//! The operands of a primitive beside its receiver: further sequences, and indices.

use ndarray::{ArrayBase, ArrayRef, Data, Ix1};
use std::iter::Cloned;
use std::ops::{Range, RangeInclusive};
use std::slice::Iter;

/// A sequence as an operand: `y` in `x.zip(y)`, `idx` in `x.gather(idx)`.
///
/// Slices, `Vec`s, fixed arrays and 1-D ndarray arrays, each by value or by reference, and ranges of integers.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// let x = [1.0, 2.0, 3.0];
/// assert_eq!(x.zip(vec![4, 5, 6]), [(1.0, 4), (2.0, 5), (3.0, 6)]);
/// assert_eq!(x.zip(array![4, 5, 6].view()), x.zip(4..7));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sequence",
    label = "not a sequence",
    note = "use a slice, a `Vec`, a fixed array, a 1-D ndarray array or view, or a range; collect an iterator first"
)]
pub trait IntoSequence {
    /// The type of an element.
    type Item;
    /// The elements; the lower bound of its `size_hint` is exact.
    type Elements: Iterator<Item = Self::Item>;

    /// The elements in order, by value.
    fn into_sequence(self) -> Self::Elements;
}

/// The length of an operand.
pub(super) fn length(elements: &impl Iterator) -> usize {
    elements.size_hint().0
}

macro_rules! borrowed {
    ($([$($generic:tt)*] $operand:ty;)*) => {$(
        impl<'a, T: Clone, $($generic)*> IntoSequence for $operand {
            type Item = T;
            type Elements = Cloned<Iter<'a, T>>;

            fn into_sequence(self) -> Self::Elements {
                self.iter().cloned()
            }
        }
    )*};
}
borrowed! {
    [] &'a [T];
    [] &'a &[T];
    [] &'a mut [T];
    [] &'a &mut [T];
    [] &'a Vec<T>;
    [] &'a &Vec<T>;
    [const N: usize] &'a [T; N];
    [const N: usize] &'a &[T; N];
}

macro_rules! owned {
    ($([$($generic:tt)*] $operand:ty;)*) => {$(
        impl<T, $($generic)*> IntoSequence for $operand {
            type Item = T;
            type Elements = <$operand as IntoIterator>::IntoIter;

            fn into_sequence(self) -> Self::Elements {
                self.into_iter()
            }
        }
    )*};
}
owned! {
    [] Vec<T>;
    [const N: usize] [T; N];
}

macro_rules! ranges {
    ($($range:ident),*) => {$(
        impl<T> IntoSequence for $range<T>
        where
            $range<T>: Iterator<Item = T>,
        {
            type Item = T;
            type Elements = $range<T>;

            fn into_sequence(self) -> Self::Elements {
                self
            }
        }
    )*};
}
ranges!(Range, RangeInclusive);

macro_rules! arrays {
    ($($reference:ty),*) => {$(
        impl<'a, T: Clone, S: Data<Elem = T>> IntoSequence for $reference {
            type Item = T;
            type Elements = Cloned<ndarray::iter::Iter<'a, T, Ix1>>;

            fn into_sequence(self) -> Self::Elements {
                self.iter().cloned()
            }
        }
    )*};
}
arrays!(&'a ArrayBase<S, Ix1>, &'a &ArrayBase<S, Ix1>);

impl<'a, T: Clone> IntoSequence for &'a ArrayRef<T, Ix1> {
    type Item = T;
    type Elements = Cloned<ndarray::iter::Iter<'a, T, Ix1>>;

    fn into_sequence(self) -> Self::Elements {
        self.iter().cloned()
    }
}

impl<T: Clone, S: Data<Elem = T>> IntoSequence for ArrayBase<S, Ix1> {
    type Item = T;
    type Elements = std::vec::IntoIter<T>;

    fn into_sequence(self) -> Self::Elements {
        self.to_vec().into_iter()
    }
}

/// An integer as an index. A negative one is out of bounds of everything.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an index",
    label = "not an integer",
    note = "an index is of an integer type"
)]
pub trait AsIndex: Copy + std::fmt::Display {
    /// The index, unless it is negative or beyond every length.
    fn as_index(self) -> Option<usize>;
}

macro_rules! indices {
    ($($t:ty),*) => {$(
        impl AsIndex for $t {
            fn as_index(self) -> Option<usize> {
                usize::try_from(self).ok()
            }
        }
    )*};
}
indices!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);
