//! Files that all ranks read and write together, each its own rows.
//!
//! * [`npy`]: arrays in NumPy's format, one a file.
//! * [`checkpoint`]: named arrays and scalars of a running program, from which it goes on after a crash, on any number of ranks.
//!
//! All functions are collective: every rank calls them, in the same order. Every rank opens the file for itself and touches its
//! own stretch of it, so that the ranks have to see the same file system. What a file holds does not depend on the number of
//! ranks. A failure of any rank is the failure of all: each gets the same [`FileError`], that of the lowest rank that failed.
//!
//! ```
//! use cuprous_mpi::{Distribution, comm::threads, file::npy};
//! use dsl_runtime::ir::ScalarType;
//!
//! let path = std::env::temp_dir().join(format!("squares-{}.npy", std::process::id()));
//! // Written by three ranks, …
//! threads::run(3, |comm| {
//!     let rows = Distribution::even(10, 3);
//!     let own: Vec<u8> = rows.range(comm.rank()).map(|row| (row * row) as u8).collect();
//!     npy::write(&*comm, &path, ScalarType::U8, &[10], &rows, &own)
//! })
//! .into_iter()
//! .collect::<Result<(), _>>()?;
//! // … read by two.
//! let parts = threads::run(2, |comm| {
//!     let header = npy::header(&*comm, &path)?;
//!     npy::read(&*comm, &path, &header, &Distribution::even(header.rows(), 2))
//! });
//! assert_eq!(parts, [Ok(vec![0, 1, 4, 9, 16]), Ok(vec![25, 36, 49, 64, 81])]);
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), cuprous_mpi::file::FileError>(())
//! ```

pub mod checkpoint;
mod disk;
mod error;
pub mod npy;
pub(crate) mod outcome;
mod pack;

pub use error::{FileError, Kind, Problem};
