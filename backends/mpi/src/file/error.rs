//! What can be wrong with a file, as a table, and the error that says so.

use super::pack::{Pack, Unpack};
use crate::comm::Broken;
use dsl_runtime::error::{Error, Site};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be read or written: the same on all ranks, unless they cannot talk any more.
///
/// ```
/// use cuprous_mpi::{comm::threads, file::{FileError, Kind, npy}};
/// let results = threads::run(2, |comm| npy::header(&*comm, "no/such.npy"));
/// assert_eq!(results[0], results[1]);
/// let error = results[0].as_ref().unwrap_err();
/// assert_eq!(error.kind(), Some(Kind::Missing));
/// assert!(error.to_string().starts_with("rank 0: no/such.npy: there is no such file or folder: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// A file, or what was asked of it, is wrong.
    File {
        /// The lowest rank that found something wrong.
        rank: usize,
        /// What it found.
        problem: Problem,
    },
    /// The ranks cannot talk any more, or did not call the same.
    Broken(Broken),
}

/// Something wrong with a file, or with what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: Kind,
    /// Which file; empty where there is none yet ([`super::npy::Header::parse`]).
    pub path: PathBuf,
    /// What was found.
    pub found: String,
    /// What was expected; empty where the kind says it.
    pub expected: String,
}

macro_rules! kinds {
    ($($name:ident $what:literal, $remedy:literal;)*) => {
        /// The kinds of [`Problem`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = concat!($what, ": ", $remedy, ".")] $name),* }

        impl Kind {
            /// All of them, in the order of the table.
            pub const ALL: &[Kind] = &[$(Kind::$name),*];
            /// What is wrong.
            pub fn what(self) -> &'static str {
                match self { $(Kind::$name => $what),* }
            }
            /// What to do about it.
            pub fn remedy(self) -> &'static str {
                match self { $(Kind::$name => $remedy),* }
            }
        }
    };
}
kinds! {
    Missing "there is no such file or folder", "check the path, and that every rank sees the same file system";
    Denied "access is refused", "give the user who runs the job access to it";
    Full "no room is left", "make room, or write elsewhere";
    Io "the system reports an error", "check the path and the file system, then try again";
    Memory "there is no memory for this rank's rows", "use more ranks, or machines with more memory";
    Magic "this is no .npy file", "save the array with numpy.save";
    Version "the version of the .npy format is unknown", "save the array with numpy.save, in version 1.0, 2.0 or 3.0";
    Header "the header is malformed", "save the array again with numpy.save";
    Dtype "elements of this type cannot be read", "convert the array before it is saved, as with array.astype('<f8')";
    Shape "there is no array of this shape", "save the array again, with lengths whose product can be addressed";
    Truncated "the file ends too early", "copy or save it again";
    Rows "the distribution is not one of this array", "distribute the array's rows (one for an array without dimensions) among the communicator's ranks";
    Length "the rank's rows have another number of bytes", "pass the bytes of the rank's own rows, one row after the other";
    Name "the name cannot be used", "give every array and scalar a name of its own, of letters, digits and - _ + . [ ]";
    Value "the scalar is no value of its type", "make it with the constructor of its type";
    Type "it has another type", "ask for the type that it has, and convert it in a kernel";
    Parts "the elements have several parts", "read and write each part as an array of its own, or save a checkpoint";
    Device "the device that has the array does not give it", "use another place; if it goes on, look at the device and its driver";
    Unknown "the checkpoint has nothing of this name", "ask for what was saved";
    Damaged "the checkpoint is damaged", "restore the folder from a copy, or delete it to start anew";
}

impl FileError {
    /// What is wrong; none where the ranks cannot talk any more.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            FileError::File { problem, .. } => Some(problem.kind),
            FileError::Broken(_) => None,
        }
    }
}

impl Problem {
    pub(crate) fn of(
        kind: Kind,
        path: &Path,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Problem {
        Problem {
            kind,
            path: path.to_path_buf(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// Of an error of the system while it did this.
    pub(super) fn io(path: &Path, doing: &str, error: &io::Error) -> Problem {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => Kind::Missing,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Denied,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
            io::ErrorKind::OutOfMemory => Kind::Memory,
            io::ErrorKind::UnexpectedEof => Kind::Truncated,
            _ => Kind::Io,
        };
        Problem::of(kind, path, format_args!("cannot {doing}: {error}"), "")
    }

    /// Which file, what was found there and what was expected.
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.path.as_os_str().is_empty() {
            text += &format!("{}: ", self.path.display());
        }
        text += &format!("{}: {}", self.kind.what(), self.found);
        if !self.expected.is_empty() {
            text += &format!(", expected {}", self.expected);
        }
        text
    }

    /// The same of this file.
    pub(super) fn at(self, path: &Path) -> Problem {
        let path = path.to_path_buf();
        Problem { path, ..self }
    }

    pub(super) fn pack(&self, into: &mut Pack) {
        into.number(self.kind as u64);
        into.path(&self.path);
        into.text(&self.found);
        into.text(&self.expected);
    }

    pub(super) fn unpack(from: &mut Unpack<'_>) -> Problem {
        Problem {
            kind: Kind::ALL[from.number() as usize],
            path: from.path(),
            found: from.text(),
            expected: from.text(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.text(), self.kind.remedy())
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::File { rank, problem } => write!(f, "rank {rank}: {problem}"),
            FileError::Broken(broken) => broken.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FileError::File { problem, .. } => Some(problem),
            FileError::Broken(broken) => Some(broken),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Error {
        match error {
            FileError::File { rank, problem } => Error::File {
                text: format!("rank {rank}: {}", problem.text()),
                remedy: problem.kind.remedy().to_string(),
            },
            FileError::Broken(broken) => Error::from_failure_at(broken.into(), Site::default()),
        }
    }
}

impl From<Broken> for FileError {
    fn from(broken: Broken) -> FileError {
        FileError::Broken(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_travels() {
        for &kind in Kind::ALL {
            let problem = Problem::of(kind, Path::new("a/ü.npy"), 7, "an 8");
            let mut pack = Pack::default();
            problem.pack(&mut pack);
            assert_eq!(Problem::unpack(&mut Unpack(&pack.0)), problem);
        }
    }

    #[test]
    fn texts_say_what_was_found_what_was_expected_and_what_to_do() {
        let problem = Problem::of(Kind::Truncated, Path::new("a.npy"), "7 bytes", "8 bytes");
        let error = FileError::File { rank: 3, problem };
        assert_eq!(
            error.to_string(),
            "rank 3: a.npy: the file ends too early: 7 bytes, expected 8 bytes; copy or save it again"
        );
    }
}
