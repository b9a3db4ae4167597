//! A file → the rows of each rank.

use super::super::outcome::{agreed, told};
use super::super::pack::{Pack, Unpack};
use super::super::{FileError, Kind, Problem, disk};
use super::header::{Sizes, load, truncated};
use super::{Header, fortran};
use crate::Distribution;
use crate::comm::Communicator;
use crate::comm::collective::agree;
use dsl_runtime::ir::ScalarType;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the header of a file says. Rank 0 reads it, and checks that the file is as long as it says; the others are told. Cost:
/// that of [`crate::comm::collective::broadcast_any`] for some 70 bytes.
///
/// ```
/// use cuprous_mpi::{comm::alone::Alone, file::npy::{self, Header}};
/// use dsl_runtime::ir::ScalarType;
/// let path = std::env::temp_dir().join(format!("header-{}.npy", std::process::id()));
/// let header = Header::new(ScalarType::U8, &[2, 3])?;
/// std::fs::write(&path, [&header.encode()[..], &[0, 1, 2, 3, 4, 5]].concat()).unwrap();
/// assert_eq!(npy::header(&Alone, &path), Ok(header));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), cuprous_mpi::file::Problem>(())
/// ```
///
/// # Errors
/// [`FileError::File`] of rank 0: [`Kind::Missing`] and others of the system; [`Kind::Magic`], [`Kind::Version`],
/// [`Kind::Header`], [`Kind::Dtype`], [`Kind::Shape`] and [`Kind::Truncated`] of the contents.
pub fn header(comm: &dyn Communicator, path: impl AsRef<Path>) -> Result<Header, FileError> {
    let bytes = told(comm, || {
        let mut pack = Pack::default();
        load(path.as_ref())?.pack(&mut pack);
        Ok(pack.0)
    })?;
    Ok(Header::unpack(&mut Unpack(&bytes)))
}

/// The rows that this rank has in the distribution: in C order and the machine's byte order, whatever those of the file are.
/// Bytes of `bool` are 0 or 1; any but 0 is true, as it is to NumPy.
///
/// A rank reads no more than its own rows, one stretch of the file. Of a file in Fortran order it reads a stretch of every
/// column, and what lies between where that is less than 16 KiB. Cost in messages: ⌈log₂ p⌉ of p bytes together, to agree.
///
/// ```
/// use cuprous_mpi::{Distribution, comm::alone::Alone, file::npy::{self, Header}};
/// use dsl_runtime::ir::ScalarType;
/// let path = std::env::temp_dir().join(format!("read-{}.npy", std::process::id()));
/// // Two rows of three, a column after the other.
/// let header = Header { fortran: true, ..Header::new(ScalarType::U8, &[2, 3]).unwrap() };
/// std::fs::write(&path, [&header.encode()[..], &[1, 4, 2, 5, 3, 6]].concat()).unwrap();
/// let rows = npy::read(&Alone, &path, &header, &Distribution::even(2, 1))?;
/// assert_eq!(rows, [1, 2, 3, 4, 5, 6]);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), cuprous_mpi::file::FileError>(())
/// ```
///
/// # Errors
/// [`FileError::File`]: [`Kind::Rows`] where the distribution is for other rows or ranks, [`Kind::Memory`], [`Kind::Truncated`] where the
/// file became shorter, [`Kind::Shape`] for a header that [`header()`] would refuse, and those of the system.
pub fn read(
    comm: &dyn Communicator,
    path: impl AsRef<Path>,
    header: &Header,
    rows: &Distribution,
) -> Result<Vec<u8>, FileError> {
    agree(comm, &format!("npy::read of {header:?} in {rows:?}"))?;
    let own = own_rows(comm, path.as_ref(), header, rows);
    agreed(comm, own)
}

/// The sizes of rows, if the distribution fits to them and to the ranks.
pub(super) fn sizes(
    comm: &dyn Communicator,
    header: &Header,
    rows: &Distribution,
) -> Result<Sizes, Problem> {
    let sizes = header.sizes()?;
    let found = (rows.rows(), rows.ranks());
    let expected = (header.rows(), comm.size());
    if found != expected {
        let of = |(rows, ranks)| format!("{rows} rows for {ranks} ranks");
        let (found, expected) = (of(found), of(expected));
        return Err(Problem::of(Kind::Rows, Path::new(""), found, expected));
    }
    Ok(sizes)
}

fn own_rows(
    comm: &dyn Communicator,
    path: &Path,
    header: &Header,
    rows: &Distribution,
) -> Result<Vec<u8>, Problem> {
    let sizes = sizes(comm, header, rows).map_err(|problem| problem.at(path))?;
    let own = rows.range(comm.rank());
    let length = own.len() * sizes.row;
    if length == 0 {
        return Ok(vec![]);
    }
    let file = disk::open(path)?;
    let available = file.metadata().map_or(0, |metadata| metadata.len());
    if available < header.end() {
        // Before there is memory for what the file does not have.
        return Err(truncated(available, header.end()).at(path));
    }
    let mut bytes = zeroed(length).map_err(|problem| problem.at(path))?;
    let result = match header.fortran && header.shape.len() > 1 {
        true => fortran::read(&file, header, own, &mut bytes),
        false => {
            let start = header.data_start + (own.start * sizes.row) as u64;
            file.read_exact_at(&mut bytes, start)
        }
    };
    result.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => truncated(available, header.end()).at(path),
        _ => Problem::io(path, "read it", &error),
    })?;
    if header.big_endian != cfg!(target_endian = "big") {
        swap(header.elem, &mut bytes);
    }
    if header.elem == ScalarType::Bool {
        bytes.iter_mut().for_each(|byte| *byte = (*byte).min(1));
    }
    Ok(bytes)
}

/// So much memory, if there is.
fn zeroed(length: usize) -> Result<Vec<u8>, Problem> {
    // Asked for first in a way that can fail; then in the one that touches no page of it.
    let room = Vec::<u8>::new().try_reserve_exact(length);
    room.map_err(|_| {
        let found = format!("{length} bytes");
        Problem::of(Kind::Memory, Path::new(""), found, "")
    })?;
    Ok(vec![0; length])
}

/// Turns the bytes of every element around.
fn swap(elem: ScalarType, bytes: &mut [u8]) {
    fn of<const N: usize>(bytes: &mut [u8]) {
        bytes
            .as_chunks_mut::<N>()
            .0
            .iter_mut()
            .for_each(|one| one.reverse());
    }
    match elem.bytes() {
        1 => {}
        2 => of::<2>(bytes),
        4 => of::<4>(bytes),
        _ => of::<8>(bytes),
    }
}
