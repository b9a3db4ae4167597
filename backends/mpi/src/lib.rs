//! Distributed places: a backend that contains a backend. Every rank runs the same program; arrays are cut into blocks of the
//! canonical order along their first dimension, and each rank has a stretch of them.
//!
//! * [`comm`]: what ranks say to each other. Two implementations: threads of one process, and MPI, whose library is found at
//!   run time.

pub mod comm;
