//! A data-parallel language embedded in Rust: one source, every core, the same bits everywhere.
//!
//! Put `#[kernel]` on a function over slices and ndarray arrays. It stays that function, and gets a second form that is
//! compiled where it is called: vectorised, fused, on every core.
//!
//! ```
//! use cuprous::prelude::*;
//!
//! #[kernel]
//! fn saxpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
//!     x.zip(y).map(|(x, y)| a * x + y)
//! }
//!
//! fn main() -> Result<(), cuprous::Error> {
//!     let (x, y) = (vec![1.0; 1000], vec![0.5; 1000]);
//!     let z = saxpy(2.0, &x, &y); // at the default place: compiled, every core
//!     assert_eq!(z[0], 2.5);
//!
//!     let call = saxpy::call(2.0, &x, &y).on(&Place::interp());
//!     let on_device: Array<f32> = call.run()?; // stays where it was computed
//!     assert_eq!(on_device.to_vec(), z);
//!
//!     let mut out = vec![0.0; 1000];
//!     call.run_into(&mut out)?; // into memory of the caller's
//!     assert_eq!(out, saxpy::plain(2.0, &x, &y)); // the function as written
//!     Ok(())
//! }
//! ```
//!
//! # What a kernel may be
//!
//! Scalars, tuples, fixed arrays, slices, vectors and ndarray arrays; `let`, `if`, `match`, loops, closures, calls of other
//! kernels; Rust's operators and the methods of its scalar types; std's iterators; and the primitives of the [`prelude`], each of
//! which is plain Rust with an example. Everything else is refused with a message at its own place that says what to write
//! instead.
//!
//! # Where it runs
//!
//! A [`Place`] is the compiler for this machine's cores (`cpu`, the default), the reference interpreter (`interp`), or
//! the function as rustc compiled it (`native`). `place.scope(|| …)` and the environment variable `CUPROUS_PLACE` choose the
//! default one. Results are the same to the bit on every place but `native`, whatever the number of threads.
//!
//! # What can go wrong
//!
//! [`Error`] says what happened, where in your source, and what to do. Calls of the function itself panic with that text, as
//! indexing a slice does; the methods of [`Call`] return it.
//!
//! # Looking inside
//!
//! `f::kernel()` is a [`Kernel`]: [`Kernel::explain`] shows the plan (what was fused, where it runs, bytes and operations),
//! [`Kernel::ir`] the program, [`Kernel::code`] the generated code.

pub use dsl_macros::kernel;
pub use dsl_runtime::{Array, Call, Element, Error, Kernel, Place};
pub use dsl_runtime::{
    array, backend, cache, call, conformance, elaborate, error, explain, ir, math, pass, rng,
    scalar, syntax,
};

/// Distributed places: [`World`](mpi::World), its arrays and their files; see the crate's own text.
pub use cuprous_mpi as mpi;

#[doc(hidden)]
pub use dsl_runtime::__private;

/// What `use cuprous::prelude::*;` brings into scope: the primitives, the traits of generic kernels, `#[kernel]`, places and
/// arrays, and ndarray's own words.
pub mod prelude {
    pub use cuprous_mpi::DistributedArray;
    pub use dsl_runtime::prelude::*;
    pub use dsl_runtime::{Array, Call, Element, Kernel, Place, kernel};
}

// The backends put themselves on the table when they are linked, which they are only if something names them.
use cuprous_cpu as _;
use cuprous_interp as _;
use cuprous_opencl as _;

// The documents of this repository are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/errors.md")]
mod errors {}
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
#[cfg(doctest)]
#[doc = include_str!("../docs/reference.md")]
mod reference {}
