//! Primitives that work element by element.

use super::fail::{collect, room, same_length};
use super::operand::length;
use super::{IntoSequence, Sequence};

/// `map`, `zip`, `zip3`, `unzip`, `enumerate`: result `i` comes from element `i`.
pub trait Elementwise: Sequence {
    /// `y[i] = f(x[i])`. On a fixed array `map` is the array's own, on an ndarray array ndarray's.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// let x = vec![1.0, 4.0, 9.0];
    /// assert_eq!(x.map(|v| v + 0.5), [1.5, 4.5, 9.5]);
    /// assert_eq!(x.map(f64::sqrt), [1.0, 2.0, 3.0]);
    /// ```
    #[track_caller]
    fn map<U>(&self, f: impl Fn(Self::Item) -> U) -> Vec<U> {
        let x = self.elements();
        collect(x.len(), x.iter().cloned().map(f))
    }

    /// `z[i] = (x[i], y[i])`. Panics on unequal lengths.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// let (x, y) = (vec![1, 2], [0.5, 1.5]);
    /// assert_eq!(x.zip(&y), [(1, 0.5), (2, 1.5)]);
    /// assert_eq!(y.zip(y).map(|(a, b)| a * b), [0.25, 2.25]);
    /// ```
    /// ```should_panic
    /// # use dsl_runtime::prelude::*;
    /// [1, 2].zip([1]); // sequences of lengths 2 and 1 are used together
    /// ```
    #[track_caller]
    fn zip<Y: IntoSequence>(&self, y: Y) -> Vec<(Self::Item, Y::Item)> {
        let (x, y) = (self.elements(), y.into_sequence());
        same_length(x.len(), length(&y));
        collect(x.len(), x.iter().cloned().zip(y))
    }

    /// `w[i] = (x[i], y[i], z[i])`. Panics on unequal lengths.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2].zip3([3, 4], ['a', 'b']), [(1, 3, 'a'), (2, 4, 'b')]);
    /// ```
    #[track_caller]
    fn zip3<Y: IntoSequence, Z: IntoSequence>(
        &self,
        y: Y,
        z: Z,
    ) -> Vec<(Self::Item, Y::Item, Z::Item)> {
        let (x, y, z) = (self.elements(), y.into_sequence(), z.into_sequence());
        same_length(x.len(), length(&y));
        same_length(x.len(), length(&z));
        let triples = x.iter().cloned().zip(y).zip(z);
        collect(x.len(), triples.map(|((x, y), z)| (x, y, z)))
    }

    /// The members of a sequence of tuples, each as a sequence: the inverse of `zip` and `zip3`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// let (roots, squares) = [1, 2, 3].map(|i| (i, i * i)).unzip();
    /// assert_eq!((roots, squares), (vec![1, 2, 3], vec![1, 4, 9]));
    /// ```
    #[track_caller]
    fn unzip(&self) -> <Self::Item as Unzip>::Sequences
    where
        Self::Item: Unzip,
    {
        Unzip::unzip(&self.elements())
    }

    /// `y[i] = (i, x[i])`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([7, 8].enumerate(), [(0, 7), (1, 8)]);
    /// ```
    #[track_caller]
    fn enumerate(&self) -> Vec<(usize, Self::Item)> {
        let x = self.elements();
        collect(x.len(), x.iter().cloned().enumerate())
    }
}

impl<S: Sequence + ?Sized> Elementwise for S {}

/// A tuple whose sequences [`Elementwise::unzip`] takes apart.
#[diagnostic::on_unimplemented(
    message = "a sequence of `{Self}` cannot be unzipped",
    label = "not a sequence of tuples",
    note = "`unzip` takes a sequence of tuples of two to four members"
)]
pub trait Unzip: Sized {
    /// The tuple of a `Vec` for each member.
    type Sequences;

    /// Takes the tuples apart.
    fn unzip(tuples: &[Self]) -> Self::Sequences;
}

macro_rules! tuples {
    ($($($t:ident $i:tt),*;)*) => {$(
        impl<$($t: Clone),*> Unzip for ($($t,)*) {
            type Sequences = ($(Vec<$t>,)*);

            #[track_caller]
            fn unzip(tuples: &[Self]) -> Self::Sequences {
                let mut out: Self::Sequences = ($(room::<$t>(tuples.len()),)*);
                for tuple in tuples {
                    $(out.$i.push(tuple.$i.clone());)*
                }
                out
            }
        }
    )*};
}
tuples! {
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
}
