//! The end of the process.

use super::process::Process;
use crate::comm::Broken;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is to hear of the end, and of which process: a child that is forked has no part in the job.
static PROCESS: OnceLock<(u32, &'static dyn Process)> = OnceLock::new();

/// Whether it has been heard of: an abort may call the handlers of the exit.
static DONE: AtomicBool = AtomicBool::new(false);

/// Nothing is to be done at the end any more.
pub(super) fn done() {
    DONE.store(true, Ordering::Release);
}

/// Writes a line to the standard error, which may be closed.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Has [`Process::end`] called when this process exits, however often this is called. After MPI was initialised: handlers are
/// called last come first served, and those of MPI are to come later.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn register(process: &'static dyn Process) -> Result<(), Broken> {
    use libc::c_int;
    use std::ffi::c_void;
    use std::ptr::null_mut;

    unsafe extern "C" {
        /// glibc's: as `atexit`, and the handler learns the status.
        fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }

    extern "C" fn handler(status: c_int, _argument: *mut c_void) {
        if let Some((id, process)) = PROCESS.get()
            && *id == std::process::id()
            && !DONE.swap(true, Ordering::AcqRel)
        {
            process.end(status);
        }
    }

    let mut failed = false;
    PROCESS.get_or_init(|| {
        // SAFETY: the handler is a function, and does not look at its argument.
        failed = unsafe { on_exit(handler, null_mut()) } != 0;
        (std::process::id(), process)
    });
    match failed {
        true => Err(Broken::Unavailable("no room for a handler at exit".into())),
        false => Ok(()),
    }
}

/// Elsewhere a handler does not learn the status, and could not tell a panic from an end.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn register(_process: &'static dyn Process) -> Result<(), Broken> {
    Err(Broken::Unavailable(
        "MPI is used on Linux with glibc only".into(),
    ))
}
