//! Files that all ranks read and write together. The ranks are threads.

mod checkpoint;
mod crash;
mod folder;
mod foreign;
mod refused;
mod round;
mod world;

use cuprous_mpi::Distribution;
use cuprous_mpi::comm::Communicator;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::file::{FileError, npy};
use dsl_runtime::ir::ScalarType;
use std::path::Path;

/// Numbers of ranks.
const RANKS: [usize; 4] = [1, 2, 3, 7];

/// Bytes of so many elements of a type: every value occurs of the small ones, and NaNs and infinities of floats.
fn elements(elem: ScalarType, count: usize) -> Vec<u8> {
    let random = |at: usize| {
        let bits = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (bits ^ (bits >> 29)).to_le_bytes()
    };
    let bytes = (0..count).flat_map(|at| random(at)[8 - elem.bytes()..].to_vec());
    match elem {
        ScalarType::Bool => bytes.map(|byte| byte & 1).collect(),
        _ => bytes.collect(),
    }
}

/// Distributions of as many rows among ranks: of every shape, ranks without rows included.
fn distributions(rows: usize, ranks: usize) -> [Distribution; 4] {
    let first = (0..ranks).map(|rank| if rank == ranks / 2 { rows } else { 0 });
    let mut left = rows;
    let odd = (0..ranks).map(|rank| {
        let part = if rank + 1 == ranks {
            left
        } else {
            left * (rank % 3) / 3
        };
        left -= part;
        part
    });
    [
        Distribution::even(rows, ranks),
        Distribution::blocks(rows, ranks),
        Distribution::of_parts(first),
        Distribution::of_parts(odd),
    ]
}

/// The bytes of a rank's rows.
fn own<'a>(rows: &Distribution, rank: usize, all: &'a [u8]) -> &'a [u8] {
    let row = all.len().checked_div(rows.rows()).unwrap_or(0);
    let range = rows.range(rank);
    &all[range.start * row..range.end * row]
}

/// Writes an array on so many ranks.
fn write(path: &Path, elem: ScalarType, shape: &[usize], all: &[u8], rows: &Distribution) {
    for result in run(rows.ranks(), |comm| {
        let own = own(rows, comm.rank(), all);
        npy::write(&*comm, path, elem, shape, rows, own)
    }) {
        assert_eq!(result, Ok(()));
    }
}

/// Reads the array, and returns the rows of all ranks one after the other.
fn read(path: &Path, rows: impl Fn(usize) -> Distribution + Sync, ranks: usize) -> Vec<u8> {
    let parts = run(ranks, |comm| {
        let header = npy::header(&*comm, path)?;
        npy::read(&*comm, path, &header, &rows(header.rows()))
    });
    let parts: Result<Vec<_>, FileError> = parts.into_iter().collect();
    parts.unwrap().concat()
}

/// The one error that all ranks get of this.
fn error<T: Send + std::fmt::Debug>(
    ranks: usize,
    body: impl Fn(&dyn Communicator) -> Result<T, FileError> + Sync,
) -> FileError {
    let errors = run(ranks, |comm| body(&*comm).unwrap_err());
    assert!(
        errors.iter().all(|error| *error == errors[0]),
        "{errors:#?}"
    );
    errors.into_iter().next().unwrap()
}
