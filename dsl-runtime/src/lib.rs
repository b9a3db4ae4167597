//! The language, the IR, the passes, arrays and calls of cuprous. Knows no device, starts no thread.
//!
//! Users depend on the facade `cuprous`, which re-exports what they need.

#[allow(unused_extern_crates)]
extern crate self as cuprous;

pub mod array;
pub mod backend;
pub mod cache;
pub mod call;
pub mod elaborate;
pub mod error;
pub mod ir;
pub mod place;
#[doc(hidden)]
pub mod private;
pub mod syntax;

#[doc(hidden)]
pub use private as __private;

pub use array::{Array, Element};
pub use call::{Call, Kernel};
pub use dsl_macros::kernel;
pub use error::Error;
pub use place::Place;
