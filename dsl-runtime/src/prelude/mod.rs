//! What `use cuprous::prelude::*;` brings into scope: the primitives as plain generic Rust, which is their meaning, the
//! traits of generic kernels, `rng`, and ndarray's own words.
//!
//! The methods are traits for `[T]` (so for slices, `Vec`s and fixed arrays) and for 1-D ndarray arrays and views. No
//! iterator is a [`Sequence`], and a method of the receiver's own type goes before one of a trait, so `x.iter().map(f)`,
//! `(a..b).sum()`, `[a, b].map(f)` and ndarray's `sum`, `product`, `map`, `partition` stay what they are.

mod arrangement;
mod create;
mod elementwise;
mod fail;
mod indexing;
mod neighbourhood;
mod operand;
mod reduction;
mod scan;
mod selection;
mod sequence;
#[cfg(test)]
mod tests;

pub use arrangement::Arrangement;
pub use create::{fill, indices, tabulate, tabulate2, tabulate3};
pub use elementwise::{Elementwise, Unzip};
pub use indexing::Indexing;
pub use neighbourhood::Neighbourhood;
pub use operand::{AsIndex, IntoSequence};
pub use reduction::Reduction;
pub use scan::Scan;
pub use selection::Selection;
pub use sequence::Sequence;

pub use crate::rng;
pub use crate::scalar::{Int, Real, Scalar, Special};
pub use ndarray::{
    Array1, Array2, Array3, Array4, ArrayD, ArrayView1, ArrayView2, ArrayView3, ArrayView4,
    ArrayViewD, ArrayViewMut1, ArrayViewMut2, ArrayViewMut3, ArrayViewMut4, Axis, array, s,
};
