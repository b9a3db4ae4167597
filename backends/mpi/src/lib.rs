//! Distributed places: a backend that contains a backend. Every rank runs the same program; arrays are cut along their first
//! dimension, on blocks of the canonical order where order matters, and each rank has a stretch of rows.
//!
//! * [`comm`]: what ranks say to each other. Two implementations: threads of one process, and MPI, whose library is found at
//!   run time.
//! * [`Distribution`]: which rank has which rows; [`Window`]: rows that a rank needs, brought from whoever has them.
//! * [`mod@file`]: arrays in files, and checkpoints, read and written by all ranks together.

pub mod comm;
mod cut;
mod derive;
mod distribution;
pub mod file;
mod held;
mod job;
mod ledger;
mod place;
mod program;
mod reach;
mod rows;
#[cfg(feature = "rsmpi")]
mod rsmpi;
mod separate;
mod share;
mod sight;
mod sink;
mod unit;
mod uses;
mod walk;
mod window;
mod world;

pub use distribution::Distribution;
pub use job::{Job, Policy};
pub use place::Distributed;
pub use window::Window;
pub use world::{DistributedArray, Restored, Saving, World};
