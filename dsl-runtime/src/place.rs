//! Places: where kernels run, by name. A backend that is linked into the program is a place; `native` is the function as
//! rustc compiled it.

use crate::backend::{BACKENDS, Backend, Registration};
use crate::error::Error;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

// A panic inside a backend leaves nothing that another call sees: what is shared is whole whenever its lock is free.
impl UnwindSafe for Place {}
impl RefUnwindSafe for Place {}

/// Where a kernel runs.
///
/// Its `Display` is the spelling of the environment variable `CUPROUS_PLACE`. Two places are equal if they have the same
/// spelling.
///
/// ```
/// use dsl_runtime::Place;
/// assert_eq!(Place::native().to_string(), "native");
/// assert_eq!("native".parse::<Place>().unwrap(), Place::native());
/// assert_eq!(Place::cpu_threads(4).to_string(), "cpu:4");
/// ```
#[derive(Clone)]
pub struct Place(Arc<Inner>);

struct Inner {
    name: String,
    /// No other place of this process has it: what the cache knows the place by.
    serial: u64,
    kind: Kind,
}

enum Kind {
    /// The plain function.
    Native,
    /// What a backend compiles.
    Backend(Arc<dyn Backend>),
    /// A place that this program cannot have; using it is this error.
    Missing(Error),
}

thread_local! {
    static SCOPE: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// Places that were opened, by name: each is opened once.
static OPEN: OnceLock<Mutex<HashMap<String, Place>>> = OnceLock::new();

impl Place {
    /// Compiled code on every core: the default.
    pub fn cpu() -> Place {
        static CPU: OnceLock<Place> = OnceLock::new();
        CPU.get_or_init(|| Place::named("cpu")).clone()
    }

    /// Compiled code on `n` threads; using it with `n = 0` is an error.
    pub fn cpu_threads(n: usize) -> Place {
        Place::named(&format!("cpu:{n}"))
    }

    /// The reference interpreter, which defines what a kernel means.
    pub fn interp() -> Place {
        static INTERP: OnceLock<Place> = OnceLock::new();
        INTERP.get_or_init(|| Place::named("interp")).clone()
    }

    /// The function as written, compiled by rustc.
    pub fn native() -> Place {
        static NATIVE: OnceLock<Place> = OnceLock::new();
        NATIVE.get_or_init(|| Place::named("native")).clone()
    }

    /// The first OpenCL device that computes as the language asks, a GPU if there is one.
    ///
    /// # Errors
    /// If no OpenCL backend is linked, or it finds no device: the text contains "unsupported".
    pub fn opencl() -> Result<Place, Error> {
        Place::named("opencl").usable()
    }

    /// All OpenCL devices that compute as the language asks; none without an OpenCL backend.
    pub fn opencl_devices() -> Vec<Place> {
        let row = BACKENDS.iter().find(|row| row.name == "opencl");
        let devices = 0..row.map_or(0, |row| (row.devices)());
        devices
            .filter_map(|i| Place::opencl_device(i).ok())
            .collect()
    }

    /// The OpenCL device with this number.
    ///
    /// # Errors
    /// If no OpenCL backend is linked, or there is no such device: the text contains "unsupported".
    pub fn opencl_device(i: usize) -> Result<Place, Error> {
        Place::named(&format!("opencl:{i}")).usable()
    }

    /// What this program can use on this machine: `native`, every linked backend that can be opened, and after `opencl`, which
    /// is the first usable device, the others by their numbers.
    pub fn available() -> Vec<Place> {
        let mut rows: Vec<&Registration> = BACKENDS.iter().collect();
        rows.sort_by_key(|row| (row.rank, row.name));
        let mut places = vec![Place::native()];
        for row in rows {
            places.extend(Place::named(row.name).usable());
            let numbers = 0..(row.devices)();
            let devices =
                numbers.filter_map(|i| Place::named(&format!("{}:{i}", row.name)).usable().ok());
            places.extend(devices.skip(1));
        }
        places
    }

    /// A place for a backend that is made by a program rather than by name; it is used as any other.
    pub fn from_backend(backend: Arc<dyn Backend>) -> Place {
        Place::make(backend.name(), Kind::Backend(backend))
    }

    /// A place that a program asks for and cannot have; using it is an error that says why.
    ///
    /// ```
    /// use dsl_runtime::Place;
    /// let moon = Place::missing("moon", "nobody is there");
    /// assert!(moon.backend().unwrap_err().message().contains("unsupported"));
    /// ```
    pub fn missing(name: &str, why: &str) -> Place {
        let error = Error::place_unavailable(name, why);
        Place::make(name.to_string(), Kind::Missing(error))
    }

    /// The default place of this thread: that of the innermost [`Place::scope`], else what `CUPROUS_PLACE` says, else
    /// `cpu`. A spelling that names no place is an error when the place is used.
    pub fn current() -> Place {
        static DEFAULT: OnceLock<Place> = OnceLock::new();
        if let Some(place) = SCOPE.with_borrow(|scope| scope.last().cloned()) {
            return place;
        }
        DEFAULT
            .get_or_init(|| match std::env::var_os("CUPROUS_PLACE") {
                None => Place::cpu(),
                Some(name) => match name.to_str() {
                    Some(name) => Place::named(name.trim()),
                    // Readable or not, it is what the user wants, and no place has such a name.
                    None => {
                        let name = name.to_string_lossy().into_owned();
                        let error = Error::unknown_place(&name);
                        Place::make(name, Kind::Missing(error))
                    }
                },
            })
            .clone()
    }

    /// Makes this the default place while `body` runs, on this thread.
    ///
    /// ```
    /// use dsl_runtime::Place;
    /// let inside = Place::native().scope(Place::current);
    /// assert_eq!(inside, Place::native());
    /// ```
    pub fn scope<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                SCOPE.with_borrow_mut(Vec::pop);
            }
        }
        SCOPE.with_borrow_mut(|scope| scope.push(self.clone()));
        let _leave = Leave;
        body()
    }

    /// The backend; none at `native`.
    ///
    /// # Errors
    /// If the program or the machine has no such place.
    pub fn backend(&self) -> Result<Option<&Arc<dyn Backend>>, Error> {
        match &self.0.kind {
            Kind::Native => Ok(None),
            Kind::Backend(backend) => Ok(Some(backend)),
            Kind::Missing(error) => Err(error.clone()),
        }
    }

    pub(crate) fn serial(&self) -> u64 {
        self.0.serial
    }

    fn make(name: String, kind: Kind) -> Place {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        Place(Arc::new(Inner { name, serial, kind }))
    }

    fn usable(self) -> Result<Place, Error> {
        self.backend()?;
        Ok(self)
    }

    fn named(name: &str) -> Place {
        let open = || {
            let open = OPEN.get_or_init(Mutex::default);
            open.lock().unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(place) = open().get(name) {
            return place.clone();
        }
        // Not under the lock: a backend may open other places, those that it is made of.
        let place = Place::make(name.to_string(), open_kind(name));
        // What is missing may be there another time (a device that is plugged in), and its name may be any text.
        if let Kind::Missing(_) = place.0.kind {
            return place;
        }
        // Of threads that have opened it at once, the first one's is kept.
        open().entry(name.to_string()).or_insert(place).clone()
    }
}

/// Backends of this library, any of which a program may be built without.
const OURS: &[&str] = &["cpu", "interp", "mpi", "opencl"];

fn open_kind(name: &str) -> Kind {
    let (word, parameter) = match name.split_once(':') {
        Some((word, parameter)) => (word, Some(parameter)),
        None => (name, None),
    };
    if name == "native" {
        return Kind::Native;
    }
    let Some(row) = BACKENDS.iter().find(|row| row.name == word) else {
        return Kind::Missing(match OURS.contains(&word) {
            true => Error::place_unavailable(name, "its backend is not linked into this program"),
            false => Error::unknown_place(name),
        });
    };
    match (row.open)(parameter) {
        Ok(backend) => Kind::Backend(backend),
        Err(why) => Kind::Missing(Error::place_unavailable(name, &why)),
    }
}

impl FromStr for Place {
    type Err = Error;
    fn from_str(name: &str) -> Result<Place, Error> {
        Place::named(name).usable()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.name)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.0.name)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Place) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.name == other.0.name
    }
}

impl Eq for Place {}
