//! The library of this process: one that is loaded already, or the launcher's.

use super::exit;
use super::launcher::{KINDS, Kind, Launcher, launcher};
use super::process::Process;
use crate::comm::Broken;
use libc::{RTLD_GLOBAL, RTLD_NOLOAD, RTLD_NOW, c_int};
use libloading::os::unix::Library;
use std::sync::{Mutex, PoisonError};

/// The one that has been found. A process has one MPI.
static FOUND: Mutex<Option<&'static dyn Process>> = Mutex::new(None);

/// Finds the library and initialises MPI; none if the program runs by itself.
pub(super) fn start() -> Result<Option<&'static dyn Process>, Broken> {
    let Some(launcher) = launcher() else {
        // Whoever has initialised MPI knows why.
        return Ok(in_use().ok());
    };
    let process = found(|| of(launcher))?;
    process.start()?;
    exit::register(process)?;
    let (here, there) = (process.size()?, launcher.size().unwrap_or(1));
    if here < there {
        return Err(Broken::Unavailable(format!(
            "{} says that it started {there} ranks, but {} sees {here}: it is not the library of this launcher",
            launcher.name,
            process.name(),
        )));
    }
    Ok(Some(process))
}

/// The library that the program has initialised.
pub(super) fn in_use() -> Result<&'static dyn Process, Broken> {
    let process = found(|| {
        let (process, _) = first(KINDS, RTLD_NOLOAD);
        process.ok_or_else(|| Broken::Unavailable("no MPI library is loaded".into()))
    })?;
    if !process.runs()? {
        return Err(Broken::Unavailable(
            "MPI is not initialised, or has been finalised".into(),
        ));
    }
    exit::register(process)?;
    Ok(process)
}

/// The one that has been found, or what this finds.
fn found(
    find: impl FnOnce() -> Result<&'static dyn Process, Broken>,
) -> Result<&'static dyn Process, Broken> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(process) = *found {
        return Ok(process);
    }
    let process = find()?;
    *found = Some(process);
    Ok(process)
}

/// A library of a launcher; one that is loaded already goes first.
fn of(launcher: &Launcher) -> Result<&'static dyn Process, Broken> {
    if let (Some(process), _) = first(launcher.kinds, RTLD_NOLOAD) {
        return Ok(process);
    }
    // Open MPI's plugins look for its symbols among the global ones.
    let (process, why) = first(launcher.kinds, RTLD_GLOBAL);
    process.ok_or_else(|| {
        Broken::Unavailable(format!(
            "{} started this program, but none of its libraries can be loaded: {}",
            launcher.name,
            why.join("; "),
        ))
    })
}

/// The first library that can be opened, or why none can.
fn first(kinds: &[Kind], flags: c_int) -> (Option<&'static dyn Process>, Vec<String>) {
    let mut why = Vec::new();
    for kind in kinds {
        for name in kind.libraries {
            // SAFETY: these names are those of MPI libraries, which may be loaded at any time.
            let library = unsafe { Library::open(Some(*name), RTLD_NOW | flags) };
            match library.and_then(kind.bind) {
                Ok(process) => return (Some(process), why),
                Err(error) => why.push(format!("{name} ({}): {error}", kind.name)),
            }
        }
    }
    (None, why)
}
