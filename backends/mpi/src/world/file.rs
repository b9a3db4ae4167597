//! Arrays of ranks ⇄ files: `.npy` and checkpoints.

use super::World;
use crate::Distribution;
use crate::array::cut::{Cut, dense};
use crate::file::checkpoint::{Checkpoint, Entry};
use crate::file::npy::{self, Header};
use crate::file::outcome::agreed;
use crate::file::{FileError, Kind, Problem};
use dsl_runtime::array::{Array, Element, Stored};
use dsl_runtime::backend::Failure;
use dsl_runtime::error::Error;
use dsl_runtime::ir::{Const, FromConst, ScalarType};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl World {
    /// The array in a `.npy` file, of which each rank reads its own rows: cut as by [`World::from_fn`] where it has one dimension,
    /// and evenly where it has more. An array without dimensions has one element here. Elements have the type that the file
    /// has: others are converted in a kernel. For a `[T; N]` the file has a last dimension of `N`.
    ///
    /// Cost in messages: a broadcast of some 70 bytes for what the header says, and ⌈log₂ p⌉ of p bytes together, to agree. While
    /// it reads, a rank has room for its rows twice.
    ///
    /// ```
    /// use cuprous_mpi::{World, comm::threads};
    /// let path = std::env::temp_dir().join(format!("world-{}.npy", std::process::id()));
    /// // Written by three ranks, …
    /// threads::run(3, |comm| {
    ///     let world = World::of(comm);
    ///     let u = world.from_fn2((4, 2), |(i, j)| (10 * i + j) as i16).unwrap();
    ///     world.write_npy(&path, &u).unwrap();
    /// });
    /// // … read by two.
    /// threads::run(2, |comm| {
    ///     let world = World::of(comm);
    ///     let u = world.read_npy::<i16>(&path).unwrap();
    ///     assert_eq!(u.shape(), [4, 2]);
    ///     assert_eq!(u.to_vec(), [0, 1, 10, 11, 20, 21, 30, 31]);
    ///     let error = world.read_npy::<f64>(&path).unwrap_err();
    ///     assert!(error.message().ends_with("it has another type: i16 [4, 2], expected f64"), "{error}");
    /// });
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    ///
    /// # Errors
    /// CU0312, the same on all ranks, if a rank cannot read the file, or it is no array of this type; CU0311 if ranks cannot talk,
    /// CU0303 if there is no memory.
    pub fn read_npy<T: Element>(&self, path: impl AsRef<Path>) -> Result<Array<T>, Error> {
        let path = path.as_ref();
        let turn = self.job().turn();
        let [layout] = &T::leaves()[..] else {
            return Err(several_parts::<T>(path));
        };
        let header = npy::header(turn.comm, path)?;
        let shape = lengths(path, &header, layout.elem, &layout.shape)?;
        let rows = self.rows_of(&shape);
        let own = npy::read(turn.comm, path, &header, &rows)?;
        drop(turn);
        let leaf = self.leaf(layout.elem, &header.shape, &rows, &own)?;
        self.cut(&shape, rows, &[leaf])
    }

    /// Writes an array as a `.npy` file, each rank its own rows; of an array that every rank has, each an even share. The file is
    /// what `numpy.save` writes, for any number of ranks. Who reads the path sees what was there before or the whole new file.
    ///
    /// Cost in messages, to agree: at most 7⌈log₂ p⌉ of a few bytes. No elements are sent.
    ///
    /// ```
    /// use cuprous_mpi::World;
    /// use dsl_runtime::array::Array;
    /// let world = World::alone();
    /// let path = std::env::temp_dir().join(format!("every-{}.npy", std::process::id()));
    /// world.write_npy(&path, &Array::from(vec![1.5f32, 2.5]))?;
    /// assert_eq!(world.read_npy::<f32>(&path)?.to_vec(), [1.5, 2.5]);
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), dsl_runtime::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// CU0312, the same on all ranks, if a rank cannot write its rows, or elements are structs or tuples of several scalars; CU0311
    /// if ranks cannot talk, or the array is cut among others.
    pub fn write_npy<T: Element>(
        &self,
        path: impl AsRef<Path>,
        array: &Array<T>,
    ) -> Result<(), Error> {
        let path = path.as_ref();
        let parts = self.parts(array)?;
        let [part] = &parts[..] else {
            return Err(several_parts::<T>(path));
        };
        let own = part.own(self.rank(), path);
        let turn = self.job().turn();
        let own = agreed(turn.comm, own)?;
        npy::write(turn.comm, path, part.elem, &part.shape, &part.rows, own)?;
        Ok(())
    }

    /// A checkpoint to be saved in this folder: named arrays and scalars, from which a program goes on after a crash, on any number of
    /// ranks ([`World::restore`]).
    ///
    /// ```
    /// use cuprous_mpi::{World, comm::threads};
    /// let folder = std::env::temp_dir().join(format!("world-checkpoint-{}", std::process::id()));
    /// // Saved by three ranks, …
    /// threads::run(3, |comm| {
    ///     let world = World::of(comm);
    ///     let u = world.from_fn(6, |i| i as f64 / 4.0).unwrap();
    ///     world.checkpoint(&folder).array("u", &u).scalar("step", 17u64).save().unwrap();
    /// });
    /// // … restored by two.
    /// threads::run(2, |comm| {
    ///     let world = World::of(comm);
    ///     let saved = world.restore(&folder).unwrap().expect("there is one");
    ///     assert_eq!(saved.scalar::<u64>("step").unwrap(), 17);
    ///     assert_eq!(saved.array::<f64>("u").unwrap().to_vec(), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
    /// });
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// ```
    pub fn checkpoint(&self, folder: impl AsRef<Path>) -> Saving<'_> {
        Saving {
            world: self,
            folder: folder.as_ref().to_path_buf(),
            arrays: vec![],
            scalars: vec![],
        }
    }

    /// The last checkpoint that was saved in a folder; none if there is none. It lasts until the next one is saved there: what is
    /// wanted of it is read before.
    ///
    /// Cost in messages: a broadcast of some 100 bytes a name.
    ///
    /// ```
    /// use cuprous_mpi::World;
    /// assert!(World::alone().restore("no/such/folder")?.is_none());
    /// # Ok::<(), dsl_runtime::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// CU0312, the same on all ranks, if it is damaged or cannot be read; CU0311 if ranks cannot talk.
    pub fn restore(&self, folder: impl AsRef<Path>) -> Result<Option<Restored>, Error> {
        let folder = folder.as_ref();
        let turn = self.job().turn();
        let found = Checkpoint::open(turn.comm, folder)?;
        Ok(found.map(|checkpoint| Restored {
            world: self.clone(),
            folder: folder.to_path_buf(),
            checkpoint,
        }))
    }

    /// The leaves of an array, each with the rows that this rank writes.
    fn parts<T: Element>(&self, array: &Array<T>) -> Result<Vec<Part>, Error> {
        let part = |leaf: &Stored| {
            let (rows, held) = match leaf.find::<Cut>() {
                Some(cut) if cut.is_of(self.job()) => (cut.rows().clone(), Held::Cut(cut)),
                Some(cut) if cut.rows().ranks() > 1 => {
                    let text = "the array is cut among other ranks than those that write it";
                    return Err(super::error(Failure::Ranks(text.into())));
                }
                _ => (self.rows_of(leaf.shape()), Held::Every(leaf.clone())),
            };
            let (elem, shape) = (leaf.elem(), leaf.shape().to_vec());
            Ok(Part {
                elem,
                shape,
                rows,
                held,
            })
        };
        array.leaves().iter().map(part).collect()
    }

    /// This rank's rows of the array of this shape.
    fn leaf(
        &self,
        elem: ScalarType,
        shape: &[usize],
        rows: &Distribution,
        own: &[u8],
    ) -> Result<Stored, Error> {
        let mut local = shape.to_vec();
        if let Some(first) = local.first_mut() {
            *first = rows.range(self.rank()).len();
        } else {
            local.push(rows.range(self.rank()).len());
        }
        let dense = dense(elem, &local, own).map_err(super::error)?;
        Ok(dense.into())
    }
}

/// A leaf of an array, and who writes what of it.
#[derive(Clone, Debug)]
struct Part {
    elem: ScalarType,
    shape: Vec<usize>,
    rows: Distribution,
    held: Held,
}

#[derive(Clone, Debug)]
enum Held {
    Cut(Arc<Cut>),
    Every(Stored),
}

impl Part {
    /// The bytes of the rows that this rank writes.
    fn own(&self, rank: usize, path: &Path) -> Result<&[u8], Problem> {
        let bytes = match &self.held {
            Held::Cut(cut) => cut.bytes(),
            Held::Every(stored) => stored.dense().map(|dense| {
                let row = self.shape[1..].iter().product::<usize>() * self.elem.bytes();
                let rows = self.rows.range(rank);
                &crate::array::rows::bytes(dense)[rows.start * row..rows.end * row]
            }),
        };
        bytes.map_err(|failure| {
            let found = super::error(failure).message();
            Problem::of(Kind::Device, path, found, "")
        })
    }
}

/// A checkpoint that is put together ([`World::checkpoint`]), and [saved](Saving::save). Every rank names the same, in the same
/// order.
#[derive(Debug)]
#[must_use = "nothing is saved before `save`"]
pub struct Saving<'a> {
    world: &'a World,
    folder: PathBuf,
    arrays: Vec<(String, Result<Vec<Part>, Error>)>,
    scalars: Vec<(String, Const)>,
}

impl Saving<'_> {
    /// With an array, which may be cut among the ranks or be one that every rank has. One whose elements have several scalars is
    /// saved as several, `name.0`, `name.1` and so on.
    pub fn array<T: Element>(mut self, name: &str, array: &Array<T>) -> Self {
        let parts = self.world.parts(array);
        self.arrays.push((name.to_string(), parts));
        self
    }

    /// With a number: the same on all ranks.
    pub fn scalar(mut self, name: &str, value: impl FromConst) -> Self {
        self.scalars.push((name.to_string(), value.into()));
        self
    }

    /// Saves all of it together, in place of what the folder has; the folder is made if it is missing. Whenever the program ends,
    /// the checkpoint before or this one can be restored.
    ///
    /// Cost in messages, to agree: at most 9⌈log₂ p⌉ of a few bytes, for any number of arrays. No elements are sent.
    ///
    /// # Errors
    /// CU0312, the same on all ranks, if a rank cannot write its rows or a name cannot be used: the checkpoint before is still
    /// there. CU0311 if ranks cannot talk, or an array is cut among others.
    pub fn save(self) -> Result<(), Error> {
        let mut parts = vec![];
        for (name, found) in self.arrays {
            let found = found?;
            parts.extend(names(&name, found.len()).into_iter().zip(found));
        }
        let rank = self.world.rank();
        let entries = parts.iter().map(|(name, part)| {
            let own = part.own(rank, &self.folder.join(name))?;
            Ok(Entry {
                name,
                elem: part.elem,
                shape: &part.shape,
                rows: &part.rows,
                own,
            })
        });
        let entries = entries.collect::<Result<Vec<_>, Problem>>();
        let turn = self.world.job().turn();
        let entries = agreed(turn.comm, entries)?;
        let scalars: Vec<_> = self
            .scalars
            .iter()
            .map(|(name, value)| (&name[..], *value))
            .collect();
        Checkpoint::save(turn.comm, &self.folder, &entries, &scalars)?;
        Ok(())
    }
}

/// A checkpoint that was saved, to read from ([`World::restore`]).
#[derive(Clone, Debug)]
pub struct Restored {
    world: World,
    folder: PathBuf,
    checkpoint: Checkpoint,
}

impl Restored {
    /// A number that was saved, with the same bits. Nothing is sent.
    ///
    /// # Errors
    /// CU0312 if there is none of this name, or it has another type.
    pub fn scalar<T: FromConst>(&self, name: &str) -> Result<T, Error> {
        let value = self.checkpoint.scalar(name)?;
        match value.ty == T::TYPE {
            true => Ok(T::from_const(value)),
            false => {
                let path = self.folder.join(name);
                let problem = Problem::of(Kind::Type, &path, value.ty, T::TYPE);
                Err(FileError::File { rank: 0, problem }.into())
            }
        }
    }

    /// An array that was saved, cut as by [`World::read_npy`] among the ranks that there are now. Cost: ⌈log₂ p⌉ messages of p
    /// bytes together, to agree, for each scalar of an element.
    ///
    /// # Errors
    /// CU0312 if there is none of this name, it has another type, or a rank cannot read its rows; CU0311 if ranks cannot talk,
    /// CU0303 if there is no memory.
    pub fn array<T: Element>(&self, name: &str) -> Result<Array<T>, Error> {
        let turn = self.world.job().turn();
        let layouts = T::leaves();
        let (mut leaves, mut shape) = (vec![], None);
        for (name, layout) in names(name, layouts.len()).iter().zip(&layouts) {
            let path = self.folder.join(name);
            let header = self.checkpoint.header(name)?;
            let found = lengths(&path, header, layout.elem, &layout.shape)?;
            let first = shape.get_or_insert_with(|| found.clone());
            if *first != found {
                let expected = format!("{first:?}, as the part before");
                let problem = Problem::of(Kind::Damaged, &path, format!("{found:?}"), expected);
                return Err(FileError::File { rank: 0, problem }.into());
            }
            let rows = self.world.rows_of(&found);
            let own = self.checkpoint.read(turn.comm, name, &rows)?;
            leaves.push(self.world.leaf(layout.elem, &header.shape, &rows, &own)?);
        }
        drop(turn);
        let shape = shape.expect("an element has a scalar");
        let rows = self.world.rows_of(&shape);
        self.world.cut(&shape, rows, &leaves)
    }

    /// How many checkpoints the folder has seen, this one included.
    pub fn number(&self) -> u64 {
        self.checkpoint.number()
    }
}

/// The names of the parts of an array.
fn names(name: &str, parts: usize) -> Vec<String> {
    match parts {
        1 => vec![name.to_string()],
        _ => (0..parts).map(|part| format!("{name}.{part}")).collect(),
    }
}

/// The lengths of the array whose elements have this type and shape.
fn lengths(
    path: &Path,
    header: &Header,
    elem: ScalarType,
    inner: &[usize],
) -> Result<Vec<usize>, FileError> {
    let outer = header.shape.len().checked_sub(inner.len());
    let outer = outer.filter(|&outer| header.elem == elem && header.shape[outer..] == *inner);
    match outer {
        Some(0) if inner.is_empty() => Ok(vec![1]),
        Some(outer) if outer > 0 => Ok(header.shape[..outer].to_vec()),
        _ => {
            let found = format!("{} {:?}", header.elem, header.shape);
            let expected = match inner {
                [] => elem.to_string(),
                _ => format!("{elem} with {inner:?} as the last lengths"),
            };
            // All ranks have the same header.
            let problem = Problem::of(Kind::Type, path, found, expected);
            Err(FileError::File { rank: 0, problem })
        }
    }
}

fn several_parts<T: Element>(path: &Path) -> Error {
    let found = format!("{} in an element", T::leaves().len());
    let problem = Problem::of(Kind::Parts, path, found, "one");
    FileError::File { rank: 0, problem }.into()
}
