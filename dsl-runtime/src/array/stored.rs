//! Arrays wherever they are: one array, and its copies in host memory and in the memory of devices.
//!
//! A copy never changes, so an array has as many as it was used at: a device asks for its own, and makes it of the host's
//! when there is none yet; the host's is fetched when somebody reads it here. Each is made once for all clones. So is what is
//! found out about the elements.

use super::{Dense, Dims, count, end};
use crate::backend::Failure;
use crate::ir::ScalarType;
use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The elements of an array wherever they are: in host memory, in the memory of devices, or in several of these. It never
/// changes; clones share all copies.
///
/// ```
/// use dsl_runtime::array::{Dense, Stored};
/// use dsl_runtime::ir::ScalarType;
/// let x = Stored::from_dense(Dense::from_bits(ScalarType::U8, vec![2, 3], 0..6).unwrap());
/// assert_eq!((x.elem(), x.shape(), x.elements()), (ScalarType::U8, &[2, 3][..], 6));
/// assert_eq!(x.dense().unwrap().view().get(&[1, 2]).bits, 5);
/// ```
#[derive(Clone, Debug)]
pub struct Stored(Arc<Copies>);

#[derive(Debug)]
struct Copies {
    elem: ScalarType,
    shape: Dims<usize>,
    host: Host,
    /// At most one of each owner.
    remote: Mutex<Vec<(u64, Arc<dyn Remote>)>>,
    /// Held while elements move, so that each copy is made once; never while a list is only read.
    moving: Mutex<()>,
    /// What all elements are below, if that has been found out.
    end: OnceLock<Option<u64>>,
    /// Whether that has been asked.
    asked: AtomicBool,
}

/// The copy in host memory.
#[derive(Debug)]
enum Host {
    /// It was there first: to put it into a `OnceLock` would take as long as an allocation, in every call.
    First(Dense),
    /// It is fetched.
    Later(OnceLock<Dense>),
}

/// Elements in the memory of a device. Whoever is the last to let it go gives that memory back. One that reads host memory where
/// it is holds that [`HostBuffer`](super::HostBuffer) for as long as the device may read it.
///
/// ```
/// use dsl_runtime::{array::{Dense, Remote, Stored, new_owner}, backend::Failure, ir::ScalarType};
/// use std::sync::Arc;
///
/// /// The memory of a device that is far away: two bytes.
/// #[derive(Debug)]
/// struct Buffer([u8; 2]);
///
/// impl Remote for Buffer {
///     fn fetch(&self) -> Result<Dense, Failure> {
///         let bits = self.0.map(u64::from);
///         Ok(Dense::from_bits(ScalarType::U8, vec![2], bits).unwrap())
///     }
/// }
///
/// let x = Stored::from_remote(ScalarType::U8, [2].as_slice(), new_owner(), Arc::new(Buffer([3, 4])));
/// let clone = x.clone();
/// assert!(x.host().is_none());
/// assert_eq!(x.dense().unwrap().view().get(&[1]).bits, 4);
/// assert!(clone.host().is_some());
/// ```
pub trait Remote: Any + Send + Sync + fmt::Debug {
    /// Brings the elements to host memory; waits until they are computed. It is called once for all clones of an array, but
    /// again after a failure, and never by two threads at once.
    ///
    /// # Errors
    /// What the device says, or [`Failure::OutOfMemory`].
    fn fetch(&self) -> Result<Dense, Failure>;
}

impl dyn Remote {
    /// As the type that it is; `None` if that is another.
    ///
    /// ```
    /// # use dsl_runtime::{array::{Dense, Remote}, backend::Failure, ir::ScalarType};
    /// # use std::sync::Arc;
    /// # #[derive(Debug)]
    /// # struct Buffer(Dense);
    /// # impl Remote for Buffer {
    /// #     fn fetch(&self) -> Result<Dense, Failure> {
    /// #         Ok(self.0.clone())
    /// #     }
    /// # }
    /// let x = Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap();
    /// let remote: Arc<dyn Remote> = Arc::new(Buffer(x));
    /// assert!(remote.downcast::<Buffer>().is_some());
    /// ```
    pub fn downcast<T: Remote>(self: Arc<Self>) -> Option<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = self;
        any.downcast().ok()
    }
}

/// A number that no other memory of a device in this process has.
///
/// ```
/// use dsl_runtime::array::new_owner;
/// assert_ne!(new_owner(), new_owner());
/// ```
pub fn new_owner() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Stored {
    /// An array in host memory.
    ///
    /// ```
    /// use dsl_runtime::{array::{Dense, Stored}, ir::ScalarType};
    /// let x = Stored::from_dense(Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap());
    /// assert!(x.host().is_some());
    /// ```
    pub fn from_dense(dense: Dense) -> Stored {
        let (elem, shape) = (dense.elem, Dims::from(&dense.shape[..]));
        Stored::of(elem, shape, Host::First(dense), vec![])
    }

    /// An array in the memory of a device, which `owner` identifies ([`new_owner`]). [`Remote`] has an example.
    pub fn from_remote(
        elem: ScalarType,
        shape: impl Into<Dims<usize>>,
        owner: u64,
        remote: Arc<dyn Remote>,
    ) -> Stored {
        let host = Host::Later(OnceLock::new());
        Stored::of(elem, shape.into(), host, vec![(owner, remote)])
    }

    fn of(
        elem: ScalarType,
        shape: Dims<usize>,
        host: Host,
        remote: Vec<(u64, Arc<dyn Remote>)>,
    ) -> Stored {
        Stored(Arc::new(Copies {
            elem,
            shape,
            host,
            remote: Mutex::new(remote),
            moving: Mutex::default(),
            end: OnceLock::new(),
            asked: AtomicBool::new(false),
        }))
    }

    /// The type of an element.
    pub fn elem(&self) -> ScalarType {
        self.0.elem
    }

    /// The lengths.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// Whether the other one is a clone of this one: the same elements, without a look at them.
    ///
    /// ```
    /// use dsl_runtime::{array::{Dense, Stored}, ir::ScalarType};
    /// let x = Stored::from(Dense::from_bits(ScalarType::U8, vec![1], [1]).unwrap());
    /// assert!(x.is(&x.clone()));
    /// ```
    pub fn is(&self, other: &Stored) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The number of elements.
    pub fn elements(&self) -> usize {
        count(&self.0.shape).expect("so many elements lie in memory")
    }

    /// The host's copy, if there is one; nothing is fetched.
    #[inline]
    pub fn host(&self) -> Option<&Dense> {
        match &self.0.host {
            Host::First(dense) => Some(dense),
            Host::Later(cell) => cell.get(),
        }
    }

    /// The least number that all elements are below, 0 of no elements; none if some element is negative, or where the type is
    /// not an integer's. It is found out when it is asked for the second time, since that takes as long as reading the array once,
    /// which does not pay for an array that is used once; none before, and while there is no copy in host memory: nothing is
    /// fetched for it, and nobody is waited for.
    ///
    /// ```
    /// use dsl_runtime::{array::{Dense, Stored}, ir::ScalarType};
    /// let x = Stored::from_dense(Dense::from_bits(ScalarType::U8, vec![3], [1, 7, 0]).unwrap());
    /// assert_eq!(x.end(), None);
    /// assert_eq!((x.end(), x.clone().end()), (Some(8), Some(8)));
    /// ```
    #[inline]
    pub fn end(&self) -> Option<u64> {
        match self.0.end.get() {
            Some(&end) => end,
            None => self.find_end(),
        }
    }

    #[cold]
    fn find_end(&self) -> Option<u64> {
        if !self.0.asked.swap(true, Ordering::Relaxed) {
            return None;
        }
        let dense = self.host()?;
        *self.0.end.get_or_init(|| end::end(dense))
    }

    /// The host's copy; it is fetched if there is none, and kept. Of several threads one fetches, and the others wait.
    ///
    /// # Errors
    /// If no device that has the elements gives them: the first one's failure. They are asked again the next time.
    #[inline]
    pub fn dense(&self) -> Result<&Dense, Failure> {
        match self.host() {
            Some(dense) => Ok(dense),
            None => self.fetch(),
        }
    }

    #[cold]
    fn fetch(&self) -> Result<&Dense, Failure> {
        let _alone = lock(&self.0.moving);
        self.fetched()
    }

    /// The host's copy, out of the hands of its only owner, with no device's copy left: they may share its memory. With
    /// other clones, a further reference to it.
    ///
    /// ```
    /// use dsl_runtime::{array::{Dense, Stored}, ir::ScalarType};
    /// use std::sync::Arc;
    /// let x = Stored::from(Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap());
    /// let clone = x.clone();
    /// assert_eq!(Arc::strong_count(&x.into_dense().unwrap().buffer), 2);
    /// assert_eq!(Arc::strong_count(&clone.into_dense().unwrap().buffer), 1);
    /// ```
    ///
    /// # Errors
    /// As [`Stored::dense`].
    pub fn into_dense(self) -> Result<Dense, Failure> {
        self.dense()?;
        match Arc::try_unwrap(self.0) {
            Ok(Copies { host, remote, .. }) => {
                drop(remote);
                Ok(match host {
                    Host::First(dense) => dense,
                    Host::Later(cell) => cell.into_inner().expect("it was fetched"),
                })
            }
            Err(shared) => Stored(shared).dense().cloned(),
        }
    }

    /// The copy of this device, if it has one; nothing moves.
    pub fn remote(&self, owner: u64) -> Option<Arc<dyn Remote>> {
        let remote = lock(&self.0.remote);
        let mut of_owner = remote.iter().filter(|(known, _)| *known == owner);
        of_owner.next().map(|(_, remote)| remote.clone())
    }

    /// The first copy on a device that is of this type, whosever it is; nothing moves.
    ///
    /// ```
    /// # use dsl_runtime::{array::{Dense, Remote, Stored, new_owner}, backend::Failure, ir::ScalarType};
    /// # use std::sync::Arc;
    /// # #[derive(Debug)]
    /// # struct Buffer(Dense);
    /// # impl Remote for Buffer {
    /// #     fn fetch(&self) -> Result<Dense, Failure> {
    /// #         Ok(self.0.clone())
    /// #     }
    /// # }
    /// let dense = Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap();
    /// let x = Stored::from(dense.clone());
    /// assert!(x.find::<Buffer>().is_none());
    /// x.keep(new_owner(), Arc::new(Buffer(dense)));
    /// assert!(x.find::<Buffer>().is_some());
    /// ```
    pub fn find<T: Remote>(&self) -> Option<Arc<T>> {
        let remote = lock(&self.0.remote);
        let mut all = remote.iter().map(|(_, remote)| remote.clone());
        all.find_map(|remote| remote.downcast())
    }

    /// The copy of this device. If it has none, `upload` makes it of the host's, which is fetched if there is none, and it is
    /// kept. Of several threads one makes it, and the others wait.
    ///
    /// ```
    /// # use dsl_runtime::{array::{Dense, Remote, Stored, new_owner}, backend::Failure, ir::ScalarType};
    /// # use std::sync::Arc;
    /// # #[derive(Debug)]
    /// # struct Buffer(Dense);
    /// # impl Remote for Buffer {
    /// #     fn fetch(&self) -> Result<Dense, Failure> {
    /// #         Ok(self.0.clone())
    /// #     }
    /// # }
    /// let x: Stored = Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap().into();
    /// let device = new_owner();
    /// let first = x.remote_or(device, |host| Ok(Arc::new(Buffer(host.clone())))).unwrap();
    /// let second = x.remote_or(device, |_| unreachable!("it is there")).unwrap();
    /// assert!(Arc::ptr_eq(&first, &second));
    /// ```
    ///
    /// # Errors
    /// As [`Stored::dense`], and those of `upload`; nothing is kept then.
    pub fn remote_or(
        &self,
        owner: u64,
        upload: impl FnOnce(&Dense) -> Result<Arc<dyn Remote>, Failure>,
    ) -> Result<Arc<dyn Remote>, Failure> {
        if let Some(remote) = self.remote(owner) {
            return Ok(remote);
        }
        let _alone = lock(&self.0.moving);
        if let Some(remote) = self.remote(owner) {
            return Ok(remote);
        }
        let remote = upload(self.fetched()?)?;
        self.keep(owner, remote.clone());
        Ok(remote)
    }

    /// Keeps a copy on this device for later calls, unless it has one. The copy must not hold this array, or neither would ever
    /// be let go.
    ///
    /// ```
    /// # use dsl_runtime::{array::{Dense, Remote, Stored, new_owner}, backend::Failure, ir::ScalarType};
    /// # use std::sync::Arc;
    /// # #[derive(Debug)]
    /// # struct Buffer(Dense);
    /// # impl Remote for Buffer {
    /// #     fn fetch(&self) -> Result<Dense, Failure> {
    /// #         Ok(self.0.clone())
    /// #     }
    /// # }
    /// let dense = Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap();
    /// let x = Stored::from(dense.clone());
    /// let device = new_owner();
    /// assert!(x.remote(device).is_none());
    /// x.keep(device, Arc::new(Buffer(dense)));
    /// assert!(x.remote(device).is_some() && x.remote(new_owner()).is_none());
    /// ```
    pub fn keep(&self, owner: u64, copy: Arc<dyn Remote>) {
        let mut remote = lock(&self.0.remote);
        if remote.iter().all(|(known, _)| *known != owner) {
            remote.push((owner, copy));
        }
    }

    /// The host's copy; the caller holds the lock of what moves.
    fn fetched(&self) -> Result<&Dense, Failure> {
        let cell = match &self.0.host {
            Host::First(dense) => return Ok(dense),
            Host::Later(cell) => cell,
        };
        if let Some(dense) = cell.get() {
            return Ok(dense);
        }
        let remote = lock(&self.0.remote).clone();
        let mut failed = None;
        for (_, remote) in &remote {
            match remote.fetch() {
                Ok(dense) if dense.elem == self.elem() && dense.shape[..] == *self.shape() => {
                    return Ok(cell.get_or_init(|| dense));
                }
                Ok(dense) => failed = failed.or(Some(self.another(&dense))),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        Err(failed.expect("an array is somewhere"))
    }

    fn another(&self, found: &Dense) -> Failure {
        Failure::Internal(format!(
            "a device gave {} of {:?} for {} of {:?}",
            found.elem,
            found.shape,
            self.elem(),
            self.shape()
        ))
    }
}

impl From<Dense> for Stored {
    fn from(dense: Dense) -> Stored {
        Stored::from_dense(dense)
    }
}

/// What a panic has left is whole: nothing is half written under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
