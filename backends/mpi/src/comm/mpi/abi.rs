//! What differs between the binary interfaces of MPI libraries. An implementation of [`Abi`] is a table of it.

use libc::c_int;
use libloading::os::unix::Library;
use std::ffi::{CStr, c_void};

/// A binary interface.
pub(super) trait Abi: 'static {
    /// Who has it.
    const NAME: &'static str;
    /// The names of libraries that have it and no other, for the dynamic linker.
    const LIBRARIES: &'static [&'static str];
    /// What communicators, requests and the like are to C.
    type Handle: Handle;
    /// `MPI_Status`. Only the library looks into it.
    type Status: Default;
    /// What is predefined.
    fn constants(library: &Library) -> Result<Constants<Self::Handle>, libloading::Error>;
}

/// A handle of MPI.
pub(super) trait Handle: Copy + PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// From a number as wide as a pointer.
    fn from_raw(raw: usize) -> Self;
}

/// A pointer, which is only passed on.
impl Handle for usize {
    fn from_raw(raw: usize) -> usize {
        raw
    }
}

impl Handle for c_int {
    fn from_raw(raw: usize) -> c_int {
        raw as c_int
    }
}

/// Predefined handles, and a number.
#[derive(Debug)]
pub(super) struct Constants<H> {
    /// `MPI_COMM_WORLD`
    pub world: H,
    /// `MPI_COMM_SELF`
    pub itself: H,
    /// `MPI_BYTE`
    pub byte: H,
    /// `MPI_ERRORS_RETURN`
    pub errors_return: H,
    /// `MPI_REQUEST_NULL`
    pub no_request: H,
    /// `MPI_THREAD_SERIALIZED`
    pub serialized: c_int,
}

/// The address of a symbol.
pub(super) fn address(library: &Library, name: &CStr) -> Result<usize, libloading::Error> {
    // SAFETY: any symbol has an address, and this is only passed on.
    let symbol = unsafe { library.get::<*const c_void>(name.to_bytes_with_nul())? };
    Ok(*symbol as usize)
}
