//! Versions of a checkpoint: numbered folders, and the file that names the newest complete one.

use super::super::{Kind, Problem, disk};
use super::contents;
use std::fs;
use std::path::{Path, PathBuf};

/// A version, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) number: u64,
}

/// What NFS calls a file that was removed while some rank had it open. It goes by itself.
const NETWORK: &str = ".nfs";

/// The file that names the newest complete version.
pub(super) fn current_file(folder: &Path) -> PathBuf {
    folder.join("current")
}

/// The number that a name is, written as we do.
fn parse(name: &str) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}

impl Version {
    /// The folder of the version in that of the checkpoint.
    pub(super) fn folder(self, folder: &Path) -> PathBuf {
        folder.join(self.number.to_string())
    }

    /// The newest complete version, if there is one.
    pub(super) fn current(folder: &Path) -> Result<Option<Version>, Problem> {
        let path = current_file(folder);
        let bytes = match disk::prefix(&path, 64) {
            Err(problem) if problem.kind == Kind::Missing => return Ok(None),
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let number = text.strip_suffix('\n').and_then(parse);
        let number = number.ok_or_else(|| {
            let expected = "the number of a version in a line";
            Problem::of(Kind::Damaged, &path, format_args!("{text:?}"), expected)
        })?;
        Ok(Some(Version { number }))
    }

    /// Makes this the newest complete version, once the disk has all of it.
    pub(super) fn make_current(self, folder: &Path) -> Result<(), Problem> {
        let path = current_file(folder);
        let part = disk::part_of(&path);
        let text = format!("{}\n", self.number);
        disk::create(&part, text.as_bytes(), text.len() as u64)?;
        disk::rename(&part, &path)
    }

    /// All that the folder has, complete or not, and the first number above those of all of its folders.
    pub(super) fn all(folder: &Path) -> Result<(Vec<Version>, Version), Problem> {
        let failed = |error| Problem::io(folder, "list it", &error);
        let mut numbers = vec![];
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            numbers.extend(name.to_str().and_then(parse));
        }
        let next = numbers.iter().max().map_or(Some(1), |n| n.checked_add(1));
        let number = next.ok_or_else(|| {
            let found = format!("a folder {}", u64::MAX);
            Problem::of(Kind::Damaged, folder, found, "a smaller number")
        })?;
        let versions = numbers.into_iter().map(|number| Version { number });
        let ours = versions.filter(|version| version.is_ours(folder));
        Ok((ours.collect(), Version { number }))
    }

    /// Whether it holds what versions do, and nothing else: someone's results of the year 2024 are none.
    fn is_ours(self, folder: &Path) -> bool {
        let own = self.folder(folder);
        let Ok(entries) = fs::read_dir(own) else {
            return false;
        };
        let (mut empty, mut listed) = (true, false);
        for entry in entries {
            let Ok(entry) = entry else { return false };
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(NETWORK) {
                continue;
            }
            let file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let list = name == contents::NAME;
            if !file || !(list || name.to_string_lossy().ends_with(".npy")) {
                return false;
            }
            (empty, listed) = (false, listed || list);
        }
        // The list is written first.
        empty || listed
    }

    /// Removes it, as far as that can be done: what stays is tried again by the next call.
    pub(super) fn remove(self, folder: &Path) {
        if self.is_ours(folder) {
            let own = self.folder(folder);
            // The list goes last, so that what stays is still known as ours.
            for entry in fs::read_dir(&own).into_iter().flatten().flatten() {
                if entry.file_name() != contents::NAME {
                    let _ = fs::remove_file(entry.path());
                }
            }
            let _ = fs::remove_file(own.join(contents::NAME));
            let _ = fs::remove_dir(own);
        }
    }
}
