//! The arrays and scalars of all ranks → a new version, in place of the one before.

use super::super::npy::{Stretch, fill};
use super::super::outcome::{agreed, told};
use super::super::{FileError, Problem, disk};
use super::Checkpoint;
use super::contents::{self, Array, Contents};
use super::version::Version;
use crate::Distribution;
use crate::comm::Communicator;
use crate::comm::collective::{agree, barrier};
use dsl_runtime::ir::{Const, ScalarType};
use std::fs;
use std::path::Path;

/// An array to save, and this rank's rows of it. All but the bytes has to be the same on all ranks.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its name: letters, digits and `- _ + . [ ]`, at most 200 bytes.
    pub name: &'a str,
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths, outermost first; none for one element.
    pub shape: &'a [usize],
    /// Which rank has which rows.
    pub rows: &'a Distribution,
    /// The bytes of this rank's rows, in C order and the machine's byte order.
    pub own: &'a [u8],
}

impl Checkpoint {
    /// Saves arrays and scalars together, in place of what the folder has; the folder is made if it is missing. Whenever the
    /// program ends, the checkpoint before or this one can be read. On disk there is room for both, until the end.
    ///
    /// Names are unique among arrays and scalars together. Cost in messages, to agree: at most 8⌈log₂ p⌉ of a few bytes, for any
    /// number of arrays.
    ///
    /// # Errors
    /// [`FileError::File`]: [`Kind::Name`], [`Kind::Value`], [`Kind::Rows`], [`Kind::Length`], [`Kind::Shape`] of what is to be saved;
    /// [`Kind::Full`], [`Kind::Denied`] and others of the system. The checkpoint before is as it was then, unless only its
    /// replacement could not be confirmed by the disk.
    ///
    /// [`Kind::Name`]: crate::file::Kind::Name
    /// [`Kind::Value`]: crate::file::Kind::Value
    /// [`Kind::Rows`]: crate::file::Kind::Rows
    /// [`Kind::Length`]: crate::file::Kind::Length
    /// [`Kind::Shape`]: crate::file::Kind::Shape
    /// [`Kind::Full`]: crate::file::Kind::Full
    /// [`Kind::Denied`]: crate::file::Kind::Denied
    pub fn save(
        comm: &dyn Communicator,
        folder: impl AsRef<Path>,
        arrays: &[Entry<'_>],
        scalars: &[(&str, Const)],
    ) -> Result<(), FileError> {
        let folder = folder.as_ref();
        let contents = Contents {
            arrays: arrays.iter().map(Entry::listed).collect(),
            scalars: scalars
                .iter()
                .map(|(name, value)| (name.to_string(), *value))
                .collect(),
        };
        let cuts: Vec<_> = arrays.iter().map(|array| array.rows).collect();
        agree(
            comm,
            &format!("Checkpoint::save of {contents:?} in {cuts:?}"),
        )?;
        let stretches = contents.check(folder).and_then(|()| {
            let stretches = arrays.iter().map(|array| array.stretch(comm));
            stretches.collect::<Result<Vec<_>, _>>()
        });
        let stretches = agreed(comm, stretches)?;
        let number = told(comm, || prepare(folder, &contents))?;
        let number = u64::from_le_bytes(number.try_into().expect("the number of a version"));
        let version = Version { number };
        let own = version.folder(folder);
        let stretches: Vec<_> = stretches.into_iter().map(|it| it.inside(&own)).collect();
        let saved = fill(comm, &stretches)
            .and_then(|()| told(comm, || complete(folder, version).map(|()| vec![])));
        if saved.is_err() && comm.rank() == 0 {
            abandon(folder, version);
        }
        if let Err(FileError::File { .. }) = saved {
            // Nobody returns before it is gone.
            barrier(comm)?;
        }
        saved.map(drop)
    }
}

impl<'a> Entry<'a> {
    fn listed(&self) -> Array {
        Array {
            name: self.name.to_string(),
            elem: self.elem,
            shape: self.shape.to_vec(),
        }
    }

    fn stretch(&self, comm: &dyn Communicator) -> Result<Stretch<'a>, Problem> {
        let path = contents::file(Path::new(""), self.name);
        Stretch::of(comm, &path, self.elem, self.shape, self.rows, self.own)
    }
}

/// Removes what interrupted calls left, and begins the next version with the list of what it holds. Returns its number.
fn prepare(folder: &Path, contents: &Contents) -> Result<Vec<u8>, Problem> {
    fs::create_dir_all(folder).map_err(|error| Problem::io(folder, "create it", &error))?;
    disk::sync_folder(&disk::folder_of(folder))?;
    let current = Version::current(folder)?;
    let (versions, next) = Version::all(folder)?;
    let left = versions.into_iter().filter(|&other| Some(other) != current);
    left.for_each(|version| version.remove(folder));
    // Above that one too, should its folder be gone.
    let number = current.map_or(0, |it| it.number).saturating_add(1);
    let version = next.max(Version { number });
    let own = version.folder(folder);
    fs::create_dir(&own).map_err(|error| Problem::io(&own, "create it", &error))?;
    let text = contents.text();
    let list = own.join(contents::NAME);
    let written = disk::create(&list, text.as_bytes(), text.len() as u64);
    if written.is_err() {
        version.remove(folder);
    }
    written.map(|()| version.number.to_le_bytes().to_vec())
}

/// Makes a version the current one, and removes the one that was.
fn complete(folder: &Path, version: Version) -> Result<(), Problem> {
    disk::sync_folder(&version.folder(folder))?;
    disk::sync_folder(folder)?;
    let before = Version::current(folder)?;
    version.make_current(folder)?;
    if let Some(before) = before {
        before.remove(folder);
    }
    Ok(())
}

/// Removes a version that did not become the current one.
fn abandon(folder: &Path, version: Version) {
    // It may be, where the disk did not confirm it: who reads has to find it then.
    if Version::current(folder).is_ok_and(|current| current != Some(version)) {
        version.remove(folder);
    }
    let _ = fs::remove_file(disk::part_of(&super::version::current_file(folder)));
}
