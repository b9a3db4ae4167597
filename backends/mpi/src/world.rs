//! The ranks of a program, as its author sees them: places, and arrays that are cut among the ranks.

mod file;

pub use file::{Restored, Saving};

use crate::Distribution;
use crate::array::cut::{Cut, Here, dense};
use crate::comm::alone::Alone;
use crate::comm::collective::{agree, all_gather, broadcast_any};
use crate::comm::{Communicator, Sent, mpi};
use crate::job::{Job, Policy};
use crate::place::Distributed;
use dsl_runtime::array::{Array, Element, Stored};
use dsl_runtime::backend::{BACKENDS, Failure, Registration};
use dsl_runtime::error::{Error, Site};
use dsl_runtime::place::Place;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// All ranks that run this program, or some of them. Every rank makes the same calls in the same order.
///
/// ```
/// use cuprous_mpi::World;
/// let world = World::init()?;
/// // Without a launcher there is one rank.
/// assert_eq!((world.rank(), world.size()), (0, 1));
/// let x = world.from_fn(5, |i| i as f64)?;
/// assert_eq!(x.to_vec(), [0.0, 1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), dsl_runtime::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct World(Arc<Ranks>);

#[derive(Debug)]
struct Ranks {
    job: Arc<Job>,
    places: Mutex<Vec<Place>>,
}

/// As the error of what was called.
pub(crate) fn error(failure: impl Into<Failure>) -> Error {
    Error::from_failure_at(failure.into(), Site::default())
}

impl World {
    /// All ranks that the launcher has started (`mpirun -n 4 program`); one without a launcher. It may be called again. MPI is found
    /// and initialised at the first call, unless the program has done that.
    ///
    /// # Errors
    /// CU0311 if there is a launcher, but no library that belongs to it, or it is another library's launcher.
    pub fn init() -> Result<World, Error> {
        static WORLD: OnceLock<Result<World, Error>> = OnceLock::new();
        let first = || Ok(World::of(mpi::init().map_err(error)?));
        WORLD.get_or_init(first).clone()
    }

    /// The ranks of any communicator: of threads, say.
    ///
    /// ```
    /// use cuprous_mpi::{World, comm::threads};
    /// let sizes = threads::run(3, |comm| World::of(comm).size());
    /// assert_eq!(sizes, [3, 3, 3]);
    /// ```
    pub fn of(comm: Box<dyn Communicator>) -> World {
        World::with_policy(comm, Policy::default())
    }

    /// The same, with another opinion of what is worth distributing.
    pub fn with_policy(comm: Box<dyn Communicator>, policy: Policy) -> World {
        World(Arc::new(Ranks {
            job: Job::new(comm, policy),
            places: Mutex::default(),
        }))
    }

    /// This rank alone.
    pub fn alone() -> World {
        World::of(Box::new(Alone))
    }

    /// The ranks of a communicator of the program's own MPI code, which stays the program's: it is duplicated. Collective among
    /// these. The handle: the pointer as a number for Open MPI and the standard ABI, the number itself for MPICH.
    ///
    /// # Errors
    /// CU0311 if no MPI library is loaded, or it is not initialised.
    ///
    /// # Safety
    /// As [`mpi::from_raw`]: the handle is that of a communicator of the library that the process has loaded, and no other thread
    /// calls MPI while this one talks.
    pub unsafe fn from_raw(handle: usize) -> Result<World, Error> {
        // SAFETY: the same contract.
        let comm = unsafe { mpi::from_raw(handle) };
        Ok(World::of(comm.map_err(error)?))
    }

    /// This rank's number, from 0.
    pub fn rank(&self) -> usize {
        self.0.job.rank()
    }

    /// How many ranks there are.
    pub fn size(&self) -> usize {
        self.0.job.size()
    }

    /// What this rank has sent so far.
    pub fn sent(&self) -> Sent {
        self.0.job.sent()
    }

    pub(crate) fn job(&self) -> &Arc<Job> {
        &self.0.job
    }

    /// Waits for all ranks.
    ///
    /// # Errors
    /// CU0311 if ranks cannot talk.
    pub fn barrier(&self) -> Result<(), Error> {
        let turn = self.0.job.turn();
        agree(turn.comm, "barrier").map_err(error)?;
        crate::comm::collective::barrier(turn.comm).map_err(error)
    }

    /// Parts the ranks by colour; in each part they are ordered by key, then by their rank here.
    ///
    /// # Errors
    /// CU0311 if ranks cannot talk.
    pub fn split(&self, color: u64, key: u64) -> Result<World, Error> {
        let turn = self.0.job.turn();
        agree(turn.comm, "split").map_err(error)?;
        let part = turn.comm.split(color, key).map_err(error)?;
        Ok(World::with_policy(part, self.0.job.policy))
    }

    /// A distributed place: each rank computes its share at this place. Of `Place::cpu()`, ranks of one host share the processors: a
    /// rank gets its part of them, unless the launcher has bound it to some.
    ///
    /// ```
    /// use cuprous_cpu as _;
    /// use cuprous_mpi::World;
    /// use dsl_runtime::place::Place;
    /// let world = World::init()?;
    /// assert_eq!(world.place(Place::cpu_threads(1)).to_string(), "mpi:cpu:1");
    /// # Ok::<(), dsl_runtime::error::Error>(())
    /// ```
    pub fn place(&self, inside: Place) -> Place {
        let inside = self.processors(inside);
        let name = format!("mpi:{inside}");
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.iter().find(|place| place.to_string() == name) {
            return place.clone();
        }
        let place = match inside.backend() {
            Ok(Some(backend)) => {
                Place::from_backend(Arc::new(Distributed::new(&self.0.job, backend.clone())))
            }
            Ok(None) => Place::missing(&name, "the plain function knows nothing of ranks"),
            // Using it is the same error.
            Err(_) => return inside,
        };
        places.push(place.clone());
        place
    }

    /// As many threads as this rank has processors, where ranks of its host would take them from each other.
    fn processors(&self, inside: Place) -> Place {
        let (usable, all) = mpi::processors();
        let ranks = mpi::ranks_here().unwrap_or(1);
        match inside == Place::cpu() && ranks * usable > all {
            true => Place::cpu_threads((all / ranks).max(1)),
            false => inside,
        }
    }

    /// An array of `n` elements, of which each rank makes its own.
    ///
    /// ```
    /// use cuprous_mpi::{DistributedArray, World, comm::threads};
    /// threads::run(3, |comm| {
    ///     let world = World::of(comm);
    ///     let x = world.from_fn(20_000, |i| 2 * i as u64).unwrap();
    ///     assert_eq!(x.len(), 20_000);
    ///     let own = x.distribution().unwrap().range(world.rank());
    ///     assert_eq!(x.local().unwrap().len(), own.len());
    ///     assert_eq!(x.to_vec()[7], 14);
    /// });
    /// ```
    ///
    /// # Errors
    /// CU0303 if there is no memory for it.
    pub fn from_fn<T: Element>(&self, n: usize, f: impl Fn(usize) -> T) -> Result<Array<T>, Error> {
        let rows = Distribution::blocks(n, self.size());
        self.made(&[n], rows, |row, into| into.push(f(row)))
    }

    /// An array of `h` rows of `w` elements, of which each rank makes its own rows.
    ///
    /// # Errors
    /// As [`World::from_fn`].
    pub fn from_fn2<T: Element>(
        &self,
        (h, w): (usize, usize),
        f: impl Fn((usize, usize)) -> T,
    ) -> Result<Array<T>, Error> {
        let rows = Distribution::even(h, self.size());
        self.made(&[h, w], rows, |i, into| {
            into.extend((0..w).map(|j| f((i, j))))
        })
    }

    /// An array of three dimensions, of which each rank makes its own layers.
    ///
    /// # Errors
    /// As [`World::from_fn`].
    pub fn from_fn3<T: Element>(
        &self,
        (d, h, w): (usize, usize, usize),
        f: impl Fn((usize, usize, usize)) -> T,
    ) -> Result<Array<T>, Error> {
        let rows = Distribution::even(d, self.size());
        self.made(&[d, h, w], rows, |i, into| {
            (0..h).for_each(|j| into.extend((0..w).map(|k| f((i, j, k)))));
        })
    }

    fn made<T: Element>(
        &self,
        shape: &[usize],
        rows: Distribution,
        row: impl Fn(usize, &mut Vec<T>),
    ) -> Result<Array<T>, Error> {
        let own = rows.range(self.rank());
        let width: usize = shape[1..].iter().product();
        let mut elements = vec![];
        let count = own.len().checked_mul(width);
        if count.is_none_or(|count| elements.try_reserve_exact(count).is_err()) {
            let bytes = own.len() as u128 * width as u128 * size_of::<T>() as u128;
            let place = dsl_runtime::ir::Place::default();
            return Err(error(Failure::OutOfMemory { bytes, place }));
        }
        own.for_each(|at| row(at, &mut elements));
        self.cut(shape, rows, Array::from(elements).leaves())
    }

    /// The array of which this rank has these rows, in any shape of as many elements.
    fn cut<T: Element>(
        &self,
        shape: &[usize],
        rows: Distribution,
        leaves: &[Stored],
    ) -> Result<Array<T>, Error> {
        let own = rows.range(self.rank()).len();
        let parts = leaves.iter().zip(T::leaves()).map(|(leaf, layout)| {
            let mut dense = leaf.dense().map_err(error)?.clone();
            let mut local = shape.to_vec();
            local[0] = own;
            local.extend(&layout.shape);
            dense.shape = local;
            let whole = [shape, &layout.shape].concat();
            let here = Here::Stored(dense.into());
            let cut = Cut::new(
                &self.0.job,
                layout.elem,
                whole,
                rows.clone(),
                here,
                Arc::default(),
            );
            Ok(Arc::new(cut).stored())
        });
        let parts = parts.collect::<Result<Vec<Stored>, Error>>()?;
        Ok(Array::from_parts(shape.len(), parts, self.home()))
    }

    /// Where distributed arrays live before they are used.
    fn home(&self) -> Place {
        self.place(Place::cpu())
    }

    /// Cuts what rank 0 has among all ranks; what the others pass is ignored (`vec![]` will do).
    ///
    /// ```
    /// use cuprous_mpi::{World, comm::threads};
    /// threads::run(2, |comm| {
    ///     let world = World::of(comm);
    ///     let data = if world.rank() == 0 { vec![1, 2, 3] } else { vec![] };
    ///     assert_eq!(world.scatter(data).unwrap().to_vec(), [1, 2, 3]);
    /// });
    /// ```
    ///
    /// # Errors
    /// CU0311 if ranks cannot talk, CU0303 if there is no memory.
    pub fn scatter<T: Element>(&self, data: impl Into<Array<T>>) -> Result<Array<T>, Error> {
        let data: Array<T> = data.into();
        let turn = self.0.job.turn();
        agree(turn.comm, "scatter").map_err(error)?;
        let mut text = vec![];
        if self.rank() == 0 {
            text.extend(
                data.shape()
                    .iter()
                    .flat_map(|&len| (len as u64).to_le_bytes()),
            );
        }
        let text = broadcast_any(turn.comm, 0, text).map_err(error)?;
        let shape = numbers(&text);
        let rows = self.rows_of(&shape);
        let own = rows.range(self.rank());
        let mut leaves = vec![];
        for (leaf, layout) in data.leaves().iter().zip(T::leaves()) {
            let inner = layout.shape.iter().chain(&shape[1..]).product::<usize>();
            let row = inner * layout.elem.bytes();
            let mut local = shape.clone();
            local[0] = own.len();
            local.extend(&layout.shape);
            // Each rank's part goes to it at once.
            let whole = match self.rank() {
                0 => crate::array::rows::bytes(leaf.dense().map_err(error)?),
                _ => &[],
            };
            let part = |rank: usize| {
                let rows = rows.range(rank);
                &whole[rows.start * row..rows.end * row]
            };
            let here = match self.rank() {
                0 => {
                    let sends: Vec<crate::comm::Send<'_>> = (1..self.size())
                        .filter(|&rank| !rows.range(rank).is_empty() && row > 0)
                        .map(|to| crate::comm::Send {
                            to,
                            bytes: part(to),
                        })
                        .collect();
                    turn.comm.exchange(&sends, &mut []).map_err(error)?;
                    dense(layout.elem, &local, part(0)).map_err(error)?
                }
                _ => {
                    let fetched = crate::array::rows::written(layout.elem, &local, |into| {
                        if into.is_empty() {
                            return Ok(());
                        }
                        let from = crate::comm::Receive { from: 0, into };
                        turn.comm.exchange(&[], &mut [from])
                    });
                    let no_memory = || error(crate::array::cut::no_memory(layout.elem, &local));
                    fetched.ok_or_else(no_memory)?.map_err(error)?
                }
            };
            leaves.push(here.into());
        }
        drop(turn);
        self.cut(&shape, rows, &leaves)
    }

    fn rows_of(&self, shape: &[usize]) -> Distribution {
        match shape.len() {
            1 => Distribution::blocks(shape[0], self.size()),
            _ => Distribution::even(shape[0], self.size()),
        }
    }

    /// The array that the ranks' parts make, one after the other along the first dimension, each of any length. A reduction or a scan
    /// of it moves rows between ranks, if the parts do not end on blocks ([`Distribution::blocks`]).
    ///
    /// ```
    /// use cuprous_mpi::{World, comm::threads};
    /// threads::run(3, |comm| {
    ///     let world = World::of(comm);
    ///     let x = world.from_local(vec![world.rank() as i32; world.rank()]).unwrap();
    ///     assert_eq!(x.to_vec(), [1, 2, 2]);
    /// });
    /// ```
    ///
    /// # Errors
    /// CU0311 if the parts differ in more than the first length.
    pub fn from_local<T: Element>(&self, part: impl Into<Array<T>>) -> Result<Array<T>, Error> {
        let part: Array<T> = part.into();
        let text: Vec<u8> = part
            .shape()
            .iter()
            .flat_map(|&len| (len as u64).to_le_bytes())
            .collect();
        let turn = self.0.job.turn();
        agree(turn.comm, "from_local").map_err(error)?;
        let shapes = all_gather(turn.comm, &text).map_err(error)?;
        drop(turn);
        let shapes: Vec<Vec<usize>> = shapes.iter().map(|text| numbers(text)).collect();
        if let Some(rank) = shapes.iter().position(|shape| shape[1..] != shapes[0][1..]) {
            let text = format!(
                "the part of rank {rank} has shape {:?}, that of rank 0 {:?}: only the first length may differ",
                shapes[rank], shapes[0]
            );
            return Err(error(Failure::Ranks(text)));
        }
        let rows = Distribution::of_parts(shapes.iter().map(|shape| shape[0]));
        let mut shape = shapes[0].clone();
        shape[0] = rows.rows();
        self.cut(&shape, rows, part.leaves())
    }
}

fn numbers(text: &[u8]) -> Vec<usize> {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes")) as usize;
    text.chunks_exact(8).map(number).collect()
}

/// What arrays that are cut among ranks can do besides. All methods are collective.
pub trait DistributedArray<T> {
    /// The whole array on rank 0; none on the others. Of an array that every rank has, that array on all.
    ///
    /// ```
    /// use cuprous_mpi::{DistributedArray, World, comm::threads};
    /// threads::run(2, |comm| {
    ///     let world = World::of(comm);
    ///     let x = world.from_fn(3, |i| i as u8).unwrap();
    ///     let all = x.gather().unwrap().map(|x| x.to_vec());
    ///     assert_eq!(all, (world.rank() == 0).then(|| vec![0, 1, 2]));
    /// });
    /// ```
    ///
    /// # Errors
    /// CU0311 if ranks cannot talk, CU0303 if there is no memory.
    fn gather(&self) -> Result<Option<Array<T>>, Error>;

    /// The rows of this rank; the whole of an array that every rank has. Nothing is sent.
    ///
    /// # Errors
    /// If a device that has them does not give them.
    fn local(&self) -> Result<Array<T>, Error>;

    /// Which rank has which rows; none if every rank has all. Nothing is sent.
    fn distribution(&self) -> Option<Distribution>;

    /// The same array, cut in other places.
    ///
    /// # Errors
    /// CU0311 if ranks cannot talk, or the distribution has other rows or ranks.
    fn redistribute(&self, rows: &Distribution) -> Result<Array<T>, Error>;
}

impl<T: Element> DistributedArray<T> for Array<T> {
    fn gather(&self) -> Result<Option<Array<T>>, Error> {
        let rank = self.shape().len();
        let mut leaves = vec![];
        for leaf in self.leaves() {
            let Some(cut) = leaf.find::<Cut>() else {
                return Ok(Some(self.clone()));
            };
            match cut.gathered().map_err(error)? {
                Some(dense) => leaves.push(dense.into()),
                None => continue,
            }
        }
        let whole = leaves.len() == self.leaves().len();
        Ok(whole.then(|| Array::from_parts(rank, leaves, Place::current())))
    }

    fn local(&self) -> Result<Array<T>, Error> {
        let mut leaves = vec![];
        for leaf in self.leaves() {
            leaves.push(match leaf.find::<Cut>() {
                Some(cut) => cut.local().map_err(error)?,
                None => leaf.clone(),
            });
        }
        Ok(Array::from_parts(
            self.shape().len(),
            leaves,
            Place::current(),
        ))
    }

    fn distribution(&self) -> Option<Distribution> {
        let cut = self.leaves()[0].find::<Cut>()?;
        Some(cut.rows().clone())
    }

    fn redistribute(&self, rows: &Distribution) -> Result<Array<T>, Error> {
        let mut leaves = vec![];
        for leaf in self.leaves() {
            leaves.push(match leaf.find::<Cut>() {
                Some(cut) => Arc::new(cut.recut(rows).map_err(error)?).stored(),
                None => return Ok(self.clone()),
            });
        }
        Ok(Array::from_parts(
            self.shape().len(),
            leaves,
            self.place().clone(),
        ))
    }
}

/// `CUPROUS_PLACE=mpi:cpu`: all ranks, each with that place.
#[linkme::distributed_slice(BACKENDS)]
static MPI: Registration = Registration {
    name: "mpi",
    open: |inside| {
        let inside = inside.ok_or("say what each rank computes on: `mpi:cpu`")?;
        let inside: Place = inside.parse().map_err(|error: Error| error.message())?;
        let world = World::init().map_err(|error| error.message())?;
        let inside = world.processors(inside);
        match inside.backend() {
            Ok(Some(backend)) => Ok(Arc::new(Distributed::new(world.job(), backend.clone()))),
            Ok(None) => Err("the plain function knows nothing of ranks".into()),
            Err(error) => Err(error.message()),
        }
    },
    devices: || 0,
    rank: 9,
};
