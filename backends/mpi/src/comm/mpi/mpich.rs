//! MPICH since 3.1 and those that keep to its ABI initiative, Intel MPI among them: handles are numbers.

use super::abi::{Abi, Constants};
use libc::c_int;
use libloading::os::unix::Library;

/// The interface of `libmpi.so.12`, or `libmpich.so.12` as Debian calls it.
pub(super) struct Mpich;

impl Abi for Mpich {
    const NAME: &'static str = "MPICH";
    const LIBRARIES: &'static [&'static str] = &["libmpi.so.12", "libmpich.so.12"];
    type Handle = c_int;
    type Status = MpichStatus;

    fn constants(_library: &Library) -> Result<Constants<c_int>, libloading::Error> {
        Ok(Constants {
            world: 0x4400_0000,
            itself: 0x4400_0001,
            byte: 0x4c00_010d,
            errors_return: 0x5400_0001,
            no_request: 0x2c00_0000,
            serialized: 2,
        })
    }
}

/// `MPI_Status`: two halves of a count; source, tag, error.
#[derive(Default)]
#[repr(C)]
pub(super) struct MpichStatus([c_int; 5]);
