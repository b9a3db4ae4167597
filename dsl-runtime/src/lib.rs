//! The language, the IR, the passes, arrays and calls of cuprous. Knows no device, starts no thread.
//!
//! Users depend on the facade `cuprous`, which re-exports what they need.

// Generated code names everything from `::cuprous` on: in this crate too.
extern crate self as cuprous;

pub mod array;
pub mod backend;
pub mod cache;
pub mod call;
pub mod conformance;
pub mod elaborate;
pub mod error;
pub mod explain;
pub mod ir;
pub mod math;
pub mod pass;
pub mod place;
pub mod plan;
pub mod prelude;
#[doc(hidden)]
pub mod private;
pub mod rng;
pub mod scalar;
pub mod syntax;
mod tuple;

#[doc(hidden)]
pub use private as __private;

pub use array::{Array, Element};
pub use call::{Call, Kernel};
pub use dsl_macros::kernel;
pub use error::Error;
pub use place::Place;
