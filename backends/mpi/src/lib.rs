//! Distributed places: a backend that contains a backend. Every rank runs the same program; arrays are cut along their first
//! dimension, on blocks of the canonical order where order matters, and each rank has a stretch of rows.
//!
//! ```
//! use cuprous_cpu as _;
//! use cuprous_mpi::{DistributedArray, World};
//! use dsl_runtime::place::Place;
//! let world = World::init()?;
//! let cluster = world.place(Place::cpu());
//! let x = world.from_fn(10, |i| i as f64)?;
//! assert_eq!(x.gather()?.map(|x| x.len()), Some(10));
//! # Ok::<(), dsl_runtime::error::Error>(())
//! ```
//!
//! * [`World`], [`DistributedArray`]: what a program uses.
//! * [`Distributed`]: the backend. `plan` finds out what a rank reads for its share of a par and writes functions for the place inside;
//!   `run` walks the function; `array` has the rows.
//! * [`comm`]: what ranks say to each other. Two implementations: threads of one process, and MPI, whose library is found at
//!   run time.
//! * [`Distribution`]: which rank has which rows; [`Window`]: rows that a rank needs, brought from whoever has them.
//! * [`mod@file`]: arrays in files, and checkpoints, read and written by all ranks together.

mod array;
pub mod comm;
pub mod file;
mod job;
mod place;
mod plan;
#[cfg(feature = "rsmpi")]
mod rsmpi;
mod run;
mod world;

pub use array::{Distribution, Room, Window};
pub use job::{Job, Policy, Turn};
pub use place::Distributed;
pub use run::ledger::{Ledger, Line};
pub use world::{DistributedArray, Restored, Saving, World};
