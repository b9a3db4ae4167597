//! Ranks that are processes of an MPI job. The library is found when the program runs: nothing is linked, no header is read.
//!
//! Linux with glibc. Which library: the launcher says in the environment that it started the program (`launcher`), and each
//! launcher has libraries that know it, by names that fix their binary interface (a file each: `open_mpi`, `mpich`,
//! `standard`). No launcher: one rank, and nothing is loaded.
//!
//! # How a job ends
//!
//! A rank that ends with status 0 calls `MPI_Finalize`, in a handler that glibc calls at exit, if [`init`] has initialised MPI;
//! a program that did so itself finalises itself. A rank that ends with another status ends the whole job, with `MPI_Abort` and
//! that status: others may be waiting for it. So does a panic that reaches the end of `main` (its status is 101; its message
//! has been printed by then), an `Err` that `main` returns, and [`std::process::exit`].
//!
//! There is no panic hook. A hook cannot know whether somebody catches the panic, as this language does with its own, and a
//! thread that ends with one may be waited for. One panic cannot be caught: where it unwinds through messages under way
//! ([`Communicator::overlap`]), the memory that they are received into is about to go, and the job is aborted at once.
//!
//! What kills a process (a signal, [`std::process::abort`]) is noticed by the launcher, which ends the others.

mod abi;
mod calls;
mod exit;
mod find;
mod flight;
mod launcher;
mod mpich;
mod open_mpi;
mod patience;
mod process;
mod rank;
mod standard;

use super::alone::Alone;
use super::{Broken, Communicator};
pub(crate) use patience::{processors, ranks_here};
use process::Process;
use std::sync::OnceLock;

/// All ranks of the job that this program was started in; a single one if there is no launcher. Collective. A later call gives
/// another communicator with the same ranks.
///
/// MPI is initialised if it is not (MPI 5.0, section 11.4), with `MPI_THREAD_SERIALIZED`: one thread at a time, whichever,
/// which is seen to here. A library that grants less is used all the same; let one thread do it then.
///
/// # Errors
/// [`Broken::Unavailable`] where there is a launcher but no library that belongs to it, or one that sees fewer ranks than the
/// launcher has started (it is another one's, and every process would be alone); or where MPI has been finalised.
/// [`Broken::Call`] of what is called.
pub fn init() -> Result<Box<dyn Communicator>, Broken> {
    static STARTED: OnceLock<Result<Option<&'static dyn Process>, Broken>> = OnceLock::new();
    match STARTED.get_or_init(find::start).clone()? {
        Some(process) => process.world(),
        None => Ok(Box::new(Alone)),
    }
}

/// The ranks of a communicator of the program's own, which it keeps: it is duplicated. Collective among them. The library is
/// the one that the process has loaded.
///
/// The handle: the pointer as a number for Open MPI and the standard ABI, the number itself for MPICH.
///
/// # Errors
/// [`Broken::Unavailable`] where no MPI library is loaded, or MPI is not initialised or has been finalised; [`Broken::Call`] of
/// what is called.
///
/// # Safety
/// The handle is that of a communicator (not an intercommunicator), made by the library that the process has loaded. No thread
/// calls MPI by other ways while another uses the communicators of this crate.
pub unsafe fn from_raw(handle: usize) -> Result<Box<dyn Communicator>, Broken> {
    let process = find::in_use()?;
    // SAFETY: the same contract.
    unsafe { process.adopt(handle) }
}
