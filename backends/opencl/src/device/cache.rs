//! Compiled programs on the disk, so that a program is compiled once for a device and driver, not once for a process.
//!
//! One file an entry, in the folder `CUPROUS_CACHE_DIR`, else `$XDG_CACHE_HOME/cuprous`, else `~/.cache/cuprous`; an empty
//! `CUPROUS_CACHE_DIR` means none. A file holds its whole key, the source included, and a checksum: a damaged or foreign one is
//! not used, and replaced. Files are written beside and renamed, so that several processes can share the folder. Above
//! [`LIMIT`] bytes those go that were not used for longest. Nothing here is an error: without the disk programs are compiled.

use super::Device;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The most that the folder holds, in bytes.
const LIMIT: u64 = 256 << 20;
/// The first bytes of an entry; they change with its layout.
const MAGIC: &[u8; 8] = b"cuprous1";
/// The ending of an entry's name.
const ENDING: &str = "clbin";
/// Magic, three lengths, checksum.
const HEAD: usize = 8 * 5;

/// What an entry is for.
pub(super) struct Key {
    text: String,
    folder: Option<PathBuf>,
}

/// What an entry holds.
pub(super) struct Entry {
    pub text: String,
    pub binary: Vec<u8>,
}

fn folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(named) = std::env::var_os("CUPROUS_CACHE_DIR") {
        return (!named.is_empty()).then(|| named.into());
    }
    let user = set("XDG_CACHE_HOME").map(PathBuf::from);
    let user = user.filter(|path| path.is_absolute());
    let user = user.or_else(|| Some(Path::new(&set("HOME")?).join(".cache")))?;
    Some(user.join("cuprous"))
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    hasher.finish()
}

impl Key {
    /// The key of a source that is compiled with these options.
    pub fn new(device: &Device, options: &str, source: &str) -> Key {
        let info = device.info();
        let ours = env!("CARGO_PKG_VERSION");
        let parts = [
            ours,
            &info.platform,
            &info.vendor,
            &info.name,
            &info.driver,
            &info.version,
            options,
        ];
        Key {
            text: format!("{}\n\n{source}", parts.join("\n")),
            folder: folder(),
        }
    }

    fn path(&self) -> Option<PathBuf> {
        let text = self.text.as_bytes();
        let name = format!("{:016x}{:016x}", hash(&[text]), hash(&[MAGIC, text]));
        Some(self.folder.as_ref()?.join(name).with_extension(ENDING))
    }

    /// The entry, if there is a sound one.
    pub fn load(&self) -> Option<Entry> {
        let path = self.path()?;
        let entry = self.read(&fs::read(&path).ok()?)?;
        // It was used now: others go first. A wish.
        let _ = File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        Some(entry)
    }

    fn read(&self, bytes: &[u8]) -> Option<Entry> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (magic, words) = head.split_at(MAGIC.len());
        let mut words = words
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
        let mut word = || words.next().expect("four words");
        let (key, text, binary, sum) = (word(), word(), word(), word());
        let (key, rest) = rest.split_at_checked(usize::try_from(key).ok()?)?;
        let (text, rest) = rest.split_at_checked(usize::try_from(text).ok()?)?;
        let sound = magic == MAGIC
            && rest.len() as u64 == binary
            && key == self.text.as_bytes()
            && sum == hash(&[key, text, rest]);
        sound.then_some(())?;
        Some(Entry {
            text: String::from_utf8(text.into()).ok()?,
            binary: rest.into(),
        })
    }

    /// Keeps an entry, if it can be written.
    pub fn save(&self, text: &str, binary: &[u8]) {
        let Some(path) = self.path() else { return };
        // Whatever fails, the entry is not kept.
        let _ = self.write(&path, text.as_bytes(), binary);
    }

    fn write(&self, path: &Path, text: &[u8], binary: &[u8]) -> std::io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = self.text.as_bytes();
        let sum = hash(&[key, text, binary]);
        let mut bytes = MAGIC.to_vec();
        for word in [
            key.len() as u64,
            text.len() as u64,
            binary.len() as u64,
            sum,
        ] {
            bytes.extend(word.to_le_bytes());
        }
        for part in [key, text, binary] {
            bytes.extend(part);
        }
        let folder = path.parent().expect("a file in a folder");
        make_folder(folder)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
        let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written?;
        tidy(folder, LIMIT)
    }
}

/// The folder, for the user alone: what is in it is run.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Removes what was not used for longest, and a good part at once, if there is more than the limit. Files of others stay.
fn tidy(folder: &Path, limit: u64) -> std::io::Result<()> {
    let entries = fs::read_dir(folder)?.flatten();
    let entries = entries.filter_map(|entry| {
        let path = entry.path();
        let ours = path
            .extension()
            .is_some_and(|of| of == ENDING || of == "tmp");
        let about = entry
            .metadata()
            .ok()
            .filter(|about| about.is_file() && ours)?;
        Some((about.modified().ok()?, about.len(), path))
    });
    let mut entries: Vec<_> = entries.collect();
    let mut sum: u64 = entries.iter().map(|(_, size, _)| size).sum();
    if sum <= limit {
        return Ok(());
    }
    entries.sort();
    for (_, size, path) in entries {
        if sum <= limit / 4 * 3 {
            break;
        }
        // Another process may have been faster.
        let _ = fs::remove_file(path);
        sum -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cuprous-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn key(folder: &Path, text: &str) -> Key {
        Key {
            text: text.into(),
            folder: Some(folder.into()),
        }
    }

    #[test]
    fn only_what_was_written_is_read() {
        let folder = scratch("entry");
        let one = key(&folder, "one");
        assert!(one.load().is_none());
        one.save("text", &[1, 2, 3]);
        let entry = one.load().unwrap();
        assert_eq!(
            (entry.text.as_str(), &entry.binary[..]),
            ("text", &[1, 2, 3][..])
        );
        let path = one.path().unwrap();
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 4;
            assert!(one.read(&damaged).is_none(), "byte {at}");
            assert!(one.read(&sound[..at]).is_none(), "{at} bytes");
        }
        assert!(
            key(&folder, "two").read(&sound).is_none(),
            "a foreign entry"
        );
        fs::write(&path, b"rubbish").unwrap();
        assert!(one.load().is_none());
        one.save("text", &[1, 2, 3]);
        assert!(one.load().is_some());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_oldest_go() {
        let folder = scratch("limit");
        let names = ["a", "b", "c", "d"];
        for (age, name) in names.iter().enumerate() {
            let key = key(&folder, name);
            key.save("", &[0; 1000]);
            let file = File::options()
                .append(true)
                .open(key.path().unwrap())
                .unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64);
            file.set_modified(time).unwrap();
        }
        fs::write(folder.join("another.txt"), [0; 5000]).unwrap();
        // Looking at the oldest makes it the newest.
        assert!(key(&folder, "a").load().is_some());
        tidy(&folder, 3000).unwrap();
        let left: Vec<&str> = names
            .into_iter()
            .filter(|name| key(&folder, name).load().is_some())
            .collect();
        assert_eq!(left, ["a", "d"]);
        assert!(folder.join("another.txt").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_error() {
        let file = scratch("file");
        fs::write(&file, b"").unwrap();
        let key = key(&file.join("below"), "key");
        key.save("", &[1]);
        assert!(key.load().is_none());
        fs::remove_file(file).unwrap();
    }
}
