//! What is asked of the file system, with errors that say which file.

use super::{Kind, Problem};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Opens a file to read from it. Others than regular ones are refused: a pipe would wait for ever.
pub(super) fn open(path: &Path) -> Result<File, Problem> {
    let failed = |error| Problem::io(path, "open it", &error);
    if !fs::metadata(path).map_err(failed)?.is_file() {
        let found = "it is a folder, a device or a pipe";
        return Err(Problem::of(Kind::Io, path, found, "a regular file"));
    }
    File::open(path).map_err(failed)
}

/// The first bytes of a file, at most so many.
pub(super) fn prefix(path: &Path, most: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = vec![];
    let read = open(path)?.take(most).read_to_end(&mut bytes);
    read.map_err(|error| Problem::io(path, "read it", &error))?;
    Ok(bytes)
}

/// Makes a file that begins with these bytes and is so long, or empties one, and waits until the disk has it.
pub(super) fn create(path: &Path, begin: &[u8], length: u64) -> Result<(), Problem> {
    let create = || {
        let mut file = File::create(path)?;
        file.write_all(begin)?;
        file.set_len(length)?;
        file.sync_all()
    };
    create().map_err(|error| Problem::io(path, "create it", &error))
}

/// Gives a file another name, in place of the file that has it, and waits until the disk has it.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Problem> {
    fs::rename(from, to).map_err(|error| {
        let doing = format!("rename {} to it", from.display());
        Problem::io(to, &doing, &error)
    })?;
    sync_folder(&folder_of(to))
}

/// Waits until the disk has the names in a folder.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Problem> {
    let done = File::open(folder).and_then(|file| file.sync_all());
    match done {
        // Some network file systems have nothing to wait for, and say so in this way.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        done => done.map_err(|error| Problem::io(folder, "write the folder to the disk", &error)),
    }
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The name of a file while it is being written.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
