//! The ABI of MPI 5.0 (its chapter 20): handles are pointers, the predefined ones small numbers.

use super::abi::{Abi, Constants};
use libc::c_int;
use libloading::os::unix::Library;

/// The interface of `libmpi_abi.so`.
pub(super) struct Standard;

impl Abi for Standard {
    const NAME: &'static str = "MPI 5.0's ABI";
    const LIBRARIES: &'static [&'static str] = &["libmpi_abi.so.1"];
    type Handle = usize;
    type Status = StandardStatus;

    fn constants(_library: &Library) -> Result<Constants<usize>, libloading::Error> {
        Ok(Constants {
            world: 0x101,
            itself: 0x102,
            byte: 0x247,
            errors_return: 0x143,
            no_request: 0x180,
            serialized: 2048,
        })
    }
}

/// `MPI_Status`: source, tag, error, and five of the library's own.
#[derive(Default)]
#[repr(C)]
pub(super) struct StandardStatus([c_int; 8]);
