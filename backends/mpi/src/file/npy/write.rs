//! The rows of each rank → a file.

use super::super::outcome::{agreed, told};
use super::super::{FileError, Kind, Problem, disk};
use super::Header;
use super::read::sizes;
use crate::Distribution;
use crate::comm::Communicator;
use crate::comm::collective::{agree, barrier};
use dsl_runtime::ir::ScalarType;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Writes an array of which every rank has the rows that the distribution gives it, in C order and the machine's byte order. The
/// file has the same bytes for every number of ranks, and is what `numpy.save` writes.
///
/// Readers see the file that was there before, or the whole new one: it is written beside it, under the name with `.part` behind
/// it, and renamed when the disk has it. After an error the path is as it was before, and the other file is gone; after a crash
/// it may be left, and the next call overwrites it. Cost in messages, to agree: at most 6⌈log₂ p⌉ of a few bytes.
///
/// ```
/// use cuprous_mpi::{Distribution, comm::alone::Alone, file::npy};
/// use dsl_runtime::ir::ScalarType;
/// let path = std::env::temp_dir().join(format!("write-{}.npy", std::process::id()));
/// let all: Vec<u8> = [1.5_f32, 2.5].iter().flat_map(|x| x.to_ne_bytes()).collect();
/// npy::write(&Alone, &path, ScalarType::F32, &[2], &Distribution::even(2, 1), &all)?;
/// assert_eq!(std::fs::read(&path).unwrap()[128..], all);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), cuprous_mpi::file::FileError>(())
/// ```
///
/// # Errors
/// [`FileError::File`]: [`Kind::Rows`] where the distribution is for other rows or ranks, [`Kind::Length`] where a rank does
/// not have the bytes of its rows, [`Kind::Shape`], [`Kind::Full`], [`Kind::Denied`] and others of the system.
pub fn write(
    comm: &dyn Communicator,
    path: impl AsRef<Path>,
    elem: ScalarType,
    shape: &[usize],
    rows: &Distribution,
    own: &[u8],
) -> Result<(), FileError> {
    agree(comm, &format!("npy::write of {elem} {shape:?} in {rows:?}"))?;
    let path = path.as_ref();
    let part = disk::part_of(path);
    let written = agreed(comm, Stretch::of(comm, path, elem, shape, rows, own))
        .and_then(|stretch| {
            let path = part.clone();
            fill(comm, &[Stretch { path, ..stretch }])
        })
        .and_then(|()| told(comm, || disk::rename(&part, path).map(|()| vec![])));
    if written.is_err() && comm.rank() == 0 {
        // It is there, or it could not be made: there is nothing to tell either way.
        let _ = fs::remove_file(&part);
    }
    if let Err(FileError::File { .. }) = written {
        // Nobody returns before it is gone.
        barrier(comm)?;
    }
    written.map(drop)
}

/// A file, and a rank's rows of it.
pub(in crate::file) struct Stretch<'a> {
    path: PathBuf,
    header: Header,
    rows: &'a Distribution,
    own: &'a [u8],
}

impl<'a> Stretch<'a> {
    /// These rows, if they are those of this rank.
    pub(in crate::file) fn of(
        comm: &dyn Communicator,
        path: &Path,
        elem: ScalarType,
        shape: &[usize],
        rows: &'a Distribution,
        own: &'a [u8],
    ) -> Result<Stretch<'a>, Problem> {
        let header = Header::new(elem, shape).map_err(|problem| problem.at(path))?;
        let row = sizes(comm, &header, rows)
            .map_err(|problem| problem.at(path))?
            .row;
        let (count, found) = (rows.range(comm.rank()).len(), own.len());
        if found != count * row {
            let found = format!("{found} bytes");
            let expected = format!("{count} rows of {row}");
            return Err(Problem::of(Kind::Length, path, found, expected));
        }
        let path = path.to_path_buf();
        Ok(Stretch {
            path,
            header,
            rows,
            own,
        })
    }

    /// The same for a file in this folder.
    pub(in crate::file) fn inside(self, folder: &Path) -> Stretch<'a> {
        let path = folder.join(&self.path);
        Stretch { path, ..self }
    }
}

/// Makes these files and fills them, and waits until the disk has them. After an error some of them may be there. Cost: at most
/// 3⌈log₂ p⌉ messages, for any number of files.
pub(in crate::file) fn fill(
    comm: &dyn Communicator,
    stretches: &[Stretch<'_>],
) -> Result<(), FileError> {
    told(comm, || {
        for Stretch { path, header, .. } in stretches {
            disk::create(path, &header.encode(), header.end())?;
        }
        Ok(vec![])
    })?;
    let put = |stretch| put(comm.rank(), stretch);
    agreed(comm, stretches.iter().try_for_each(put))
}

/// Writes the rows of a rank.
fn put(rank: usize, stretch: &Stretch<'_>) -> Result<(), Problem> {
    let Stretch {
        path,
        header,
        rows,
        own,
    } = stretch;
    if own.is_empty() {
        return Ok(());
    }
    let row = (own.len() / rows.range(rank).len()) as u64;
    let start = header.data_start + rows.range(rank).start as u64 * row;
    let write = || {
        let file = OpenOptions::new().write(true).open(path)?;
        file.write_all_at(own, start)?;
        file.sync_all()
    };
    write().map_err(|error| Problem::io(path, "write this rank's rows", &error))
}
