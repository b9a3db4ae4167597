//! Checkpoints: named arrays and scalars of a running program, saved together by all ranks, from which it goes on after a crash, on
//! any number of ranks.
//!
//! ```text
//! folder/current              the number of the newest complete version
//! folder/17/contents          the names of its arrays and scalars, and the scalars' values: text
//! folder/17/height.npy        an array, in NumPy's format
//! ```
//!
//! A version is written beside the one before, and `current` is replaced, in one step, when the disk has all of it; then the one
//! before is removed. So the last complete version can be read whenever the program ends. What an interrupted call leaves is not
//! read, and goes with the next [`Checkpoint::save`]. A folder whose name is a number but which holds anything else than a version
//! does is left alone.

mod contents;
mod save;
mod version;

pub use save::Entry;

use super::npy::{self, Header};
use super::outcome::told;
use super::pack::{Pack, Unpack};
use super::{FileError, Kind, Problem, disk};
use crate::Distribution;
use crate::comm::Communicator;
use contents::Contents;
use dsl_runtime::ir::Const;
use std::path::{Path, PathBuf};
use version::Version;

/// A complete checkpoint, to read from. It lasts until the next one is saved in the same folder, which removes it.
///
/// ```
/// use cuprous_mpi::{Distribution, comm::threads};
/// use cuprous_mpi::file::{FileError, checkpoint::{Checkpoint, Entry}};
/// use dsl_runtime::ir::{Const, ScalarType};
///
/// let folder = std::env::temp_dir().join(format!("example-checkpoint-{}", std::process::id()));
/// // Saved by three ranks, …
/// threads::run(3, |comm| {
///     let rows = Distribution::even(6, 3);
///     let own: Vec<u8> = rows.range(comm.rank()).map(|row| 10 * row as u8).collect();
///     let height = Entry {
///         name: "height",
///         elem: ScalarType::U8,
///         shape: &[6],
///         rows: &rows,
///         own: &own,
///     };
///     Checkpoint::save(&*comm, &folder, &[height], &[("time", Const::f64(0.1))])
/// })
/// .into_iter()
/// .collect::<Result<(), _>>()?;
/// // … restored by two.
/// let parts = threads::run(2, |comm| {
///     let saved = Checkpoint::open(&*comm, &folder)?.expect("there is one");
///     assert_eq!(saved.scalar("time")?, Const::f64(0.1));
///     let rows = Distribution::even(saved.header("height")?.rows(), 2);
///     saved.read(&*comm, "height", &rows)
/// });
/// assert_eq!(parts, [Ok(vec![0, 10, 20]), Ok(vec![30, 40, 50])]);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), FileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The folder of the version.
    folder: PathBuf,
    number: u64,
    arrays: Vec<(String, Header)>,
    scalars: Vec<(String, Const)>,
}

impl Checkpoint {
    /// The newest complete checkpoint of a folder; none if there is none. Rank 0 reads what it holds, without the elements, and
    /// tells the others. Cost: that of [`crate::comm::collective::broadcast_any`] for some 100 bytes a name.
    ///
    /// # Errors
    /// [`FileError::File`] of rank 0: [`Kind::Damaged`], and those of [`npy::header`] for the arrays.
    pub fn open(
        comm: &dyn Communicator,
        folder: impl AsRef<Path>,
    ) -> Result<Option<Checkpoint>, FileError> {
        let folder = folder.as_ref();
        let bytes = told(comm, || {
            let mut pack = Pack::default();
            if let Some(checkpoint) = load(folder)? {
                checkpoint.pack(&mut pack);
            }
            Ok(pack.0)
        })?;
        let mut bytes = Unpack(&bytes);
        Ok((!bytes.0.is_empty()).then(|| Checkpoint::unpack(folder, &mut bytes)))
    }

    /// The number of the version: each is larger than those before it.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The names of the arrays, in the order in which they were saved.
    pub fn arrays(&self) -> impl Iterator<Item = &str> {
        self.arrays.iter().map(|(name, _)| &name[..])
    }

    /// The names of the scalars, in the order in which they were saved.
    pub fn scalars(&self) -> impl Iterator<Item = &str> {
        self.scalars.iter().map(|(name, _)| &name[..])
    }

    /// A scalar, with the bits that it was saved with. It is known already: nothing is said.
    ///
    /// # Errors
    /// [`Kind::Unknown`].
    pub fn scalar(&self, name: &str) -> Result<Const, FileError> {
        self.find(&self.scalars, "scalar", name).copied()
    }

    /// Element type and shape of an array. They are known already: nothing is said.
    ///
    /// # Errors
    /// [`Kind::Unknown`].
    pub fn header(&self, name: &str) -> Result<&Header, FileError> {
        self.find(&self.arrays, "array", name)
    }

    /// The rows of an array that this rank has in the distribution, as by [`npy::read`], which says what it costs.
    ///
    /// # Errors
    /// [`Kind::Unknown`], and those of [`npy::read`].
    pub fn read(
        &self,
        comm: &dyn Communicator,
        name: &str,
        rows: &Distribution,
    ) -> Result<Vec<u8>, FileError> {
        let header = self.header(name)?;
        npy::read(comm, contents::file(&self.folder, name), header, rows)
    }

    fn find<'a, T>(
        &'a self,
        all: &'a [(String, T)],
        what: &str,
        name: &str,
    ) -> Result<&'a T, FileError> {
        let found = all.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|(name, _)| &name[..]).collect();
            let found = format!("no {what} {name:?}");
            let expected = match names.is_empty() {
                true => format!("nothing: there is no {what}"),
                false => format!("one of {}", names.join(" ")),
            };
            // What there is is the same on all ranks, and so is this.
            FileError::File {
                rank: 0,
                problem: Problem::of(Kind::Unknown, &self.folder, found, expected),
            }
        })
    }

    fn pack(&self, into: &mut Pack) {
        into.number(self.number);
        into.number(self.arrays.len() as u64);
        for (name, header) in &self.arrays {
            into.text(name);
            header.pack(into);
        }
        into.number(self.scalars.len() as u64);
        for (name, value) in &self.scalars {
            into.text(name);
            into.constant(*value);
        }
    }

    fn unpack(folder: &Path, from: &mut Unpack<'_>) -> Checkpoint {
        let number = from.number();
        Checkpoint {
            folder: Version { number }.folder(folder),
            number,
            arrays: (0..from.number())
                .map(|_| (from.text(), Header::unpack(from)))
                .collect(),
            scalars: (0..from.number())
                .map(|_| (from.text(), from.constant()))
                .collect(),
        }
    }
}

/// What the newest complete version holds.
fn load(folder: &Path) -> Result<Option<Checkpoint>, Problem> {
    let Some(version) = Version::current(folder)? else {
        return Ok(None);
    };
    let own = version.folder(folder);
    let path = own.join(contents::NAME);
    let text = disk::prefix(&path, contents::LONGEST).map_err(|problem| match problem.kind {
        Kind::Missing => {
            let expected = format!("it, as {} says", version::current_file(folder).display());
            Problem::of(Kind::Damaged, &path, "it is missing", expected)
        }
        _ => problem,
    })?;
    let Contents { arrays, scalars } = Contents::parse(&text, &path)?;
    let arrays: Result<Vec<_>, _> = arrays
        .into_iter()
        .map(|array| {
            let path = contents::file(&own, &array.name);
            let header = npy::load(&path)?;
            match (header.elem, &header.shape) == (array.elem, &array.shape) {
                true => Ok((array.name, header)),
                false => {
                    let found = format!("{} {:?}", header.elem, header.shape);
                    let expected = format!("{} {:?}", array.elem, array.shape);
                    Err(Problem::of(Kind::Damaged, &path, found, expected))
                }
            }
        })
        .collect();
    Ok(Some(Checkpoint {
        folder: own,
        number: version.number,
        arrays: arrays?,
        scalars,
    }))
}
