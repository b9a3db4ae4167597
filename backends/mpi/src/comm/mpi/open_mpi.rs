//! Open MPI, versions 4 and 5: handles are pointers to objects of the library, which it exports.

use super::abi::{Abi, Constants, address};
use libc::c_int;
use libloading::os::unix::Library;

/// The interface of `libmpi.so.40`.
pub(super) struct OpenMpi;

impl Abi for OpenMpi {
    const NAME: &'static str = "Open MPI";
    const LIBRARIES: &'static [&'static str] = &["libmpi.so.40"];
    type Handle = usize;
    type Status = OpenMpiStatus;

    fn constants(library: &Library) -> Result<Constants<usize>, libloading::Error> {
        Ok(Constants {
            world: address(library, c"ompi_mpi_comm_world")?,
            itself: address(library, c"ompi_mpi_comm_self")?,
            byte: address(library, c"ompi_mpi_byte")?,
            errors_return: address(library, c"ompi_mpi_errors_return")?,
            no_request: address(library, c"ompi_request_null")?,
            serialized: 2,
        })
    }
}

/// `MPI_Status`: source, tag, error, whether cancelled; a count.
#[derive(Default)]
#[repr(C)]
pub(super) struct OpenMpiStatus([c_int; 4], usize);
