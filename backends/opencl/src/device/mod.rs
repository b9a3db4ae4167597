//! The device layer: what the backend asks of OpenCL, and the only part that speaks to it.
//!
//! A [`Device`] has one context and one in-order queue, which all threads of the process share. Commands ([`Device::launch`],
//! [`Device::copy`], [`Device::fill`]) are enqueued and run one after the other; what reads on the host waits. So a buffer may
//! be dropped right after the command that uses it was enqueued, and its memory be used by the next command.
//!
//! On devices that work on the host's memory a buffer *is* host memory ([`Info::unified`]): it can be what the user's `Vec` was,
//! and become the user's `Vec`, without a copy.
//!
//! Memory of the host has the alignment of its scalars and no more: kernels read vectors from it by `vloadn`.
//!
//! Variables of the environment: `CUPROUS_OPENCL_LIBRARY` names the library instead of the system's; `CUPROUS_CACHE_DIR` names
//! the folder of compiled programs (empty: none are kept); `CUPROUS_DEVICE_MEMORY` limits the bytes that each device gives;
//! `CUPROUS_DEVICE_COPIES`, if set, has devices that work on the host's memory treated as if they had their own (for tests).

mod api;
mod bandwidth;
mod buffer;
mod cache;
mod discover;
mod error;
mod info;
mod kernel;
mod pool;
mod probe;
mod program;
mod queue;
mod transfers;

pub use buffer::Buffer;
pub use error::{BuildFailure, Cause, Refused, Stopped};
pub use info::{Info, Kind};
pub use kernel::{Argument, Kernel};
pub use probe::Deviation;
pub use program::Program;
pub use transfers::Transfers;

use dsl_runtime::array::HostBuffer;
use pool::Pool;
use queue::Session;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

/// A device of OpenCL. Clones are the same device; any thread may use it.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

/// What the clones of a device share.
struct Inner {
    platform: api::Platform,
    id: api::Id,
    info: Info,
    session: OnceLock<Result<Session, Stopped>>,
    pool: Pool,
    counts: transfers::Counts,
    /// What the probe found, once it ran.
    deviations: OnceLock<Vec<Deviation>>,
}

impl Inner {
    fn new(platform: api::Platform, id: api::Id, info: Info) -> Inner {
        let pool = Pool::new(&info);
        Inner {
            platform,
            id,
            info,
            session: OnceLock::new(),
            pool,
            counts: transfers::Counts::default(),
            deviations: OnceLock::new(),
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({}, {})", self.info().name, self.info().platform)
    }
}

impl PartialEq for Device {
    /// Whether they are the same device.
    fn eq(&self, other: &Device) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Device {}

impl Device {
    fn new(inner: Inner) -> Device {
        Device(Arc::new(inner))
    }

    /// All devices, GPUs first, then other accelerators, then CPUs; at least one. They are looked for once, and opened when they
    /// are first used.
    ///
    /// The error is a text for the user that says what is missing, and begins with "unsupported".
    pub fn all() -> Result<&'static [Device], String> {
        discover::all()
    }

    /// Its name and limits.
    pub fn info(&self) -> &Info {
        &self.0.info
    }

    /// Whether its arithmetic is that of Rust, to the bit: [`Device::deviations`] as an answer.
    ///
    /// The error is a text for the user that names what deviates.
    pub fn contract(&self) -> Result<(), String> {
        let deviations = self.deviations().map_err(|refused| refused.to_string())?;
        probe::sentence(self, deviations)
    }

    /// The operations that are not those of Rust; asked once, by running a program on many numbers, and kept beside the compiled
    /// programs if there are none. `probe/table.rs` has what is asked and how it is spelled.
    ///
    /// Refused where there is no memory to ask; it is asked again then.
    pub fn deviations(&self) -> Result<&[Deviation], Refused> {
        if let Some(known) = self.0.deviations.get() {
            return Ok(known);
        }
        let found = probe::deviations(self)?;
        Ok(self.0.deviations.get_or_init(|| found))
    }

    /// Compiles a program, or takes what was compiled earlier from the disk.
    ///
    /// The error has the compiler's text and the line of the source.
    pub fn build(&self, source: &str) -> Result<Program, BuildFailure> {
        program::build(self, source)
    }

    /// Uninitialised memory whose first byte has the alignment of `u64`. Does not wait: what the memory was used for may still be
    /// under way, and commands come after it. Where it is host memory, only [`Buffer::host`] tells when it may be looked at.
    ///
    /// Refused where it does not fit.
    pub fn buffer(&self, bytes: usize) -> Result<Buffer, Refused> {
        buffer::of(self, bytes, 8)
    }

    /// As [`Device::buffer`], for `len` scalars of `scalar` bytes (1, 2, 4 or 8): where it is host memory, it can become a `Vec` of
    /// such scalars.
    pub fn array(&self, len: usize, scalar: usize) -> Result<Buffer, Refused> {
        // What overflows is more than any device has.
        buffer::of(self, len.saturating_mul(scalar), scalar)
    }

    /// The first `bytes` bytes of host memory as a buffer: that memory itself where the device works on it, else a copy (counted).
    /// Nobody may write to the host memory while the buffer lives, and no kernel may write to the buffer while others read the
    /// host memory.
    pub fn adopt(&self, host: Arc<HostBuffer>, bytes: usize) -> Result<Buffer, Refused> {
        buffer::adopt(self, host, bytes)
    }

    /// Memory of the caller's as a buffer to be read: that memory itself where the device works on it, else a copy (counted).
    ///
    /// # Safety
    /// `data` is valid for reads of `bytes` bytes, and nobody writes there, until the buffer and its clones are dropped and
    /// [`Device::wait`] has returned after that. No kernel writes to the buffer.
    pub unsafe fn lend(&self, data: *const u8, bytes: usize) -> Result<Buffer, Refused> {
        // SAFETY: as the caller vouches.
        unsafe { buffer::lend(self, data, bytes) }
    }

    /// Copies bytes into a buffer, from byte `at`, and waits for it (counted).
    pub fn write(&self, to: &Buffer, at: usize, bytes: &[u8]) -> Result<(), Stopped> {
        queue::write(self, to, at, bytes)
    }

    /// Copies bytes out of a buffer, from byte `at`, and waits for it (counted). On success all of `into` is initialised.
    pub fn read(
        &self,
        from: &Buffer,
        at: usize,
        into: &mut [MaybeUninit<u8>],
    ) -> Result<(), Stopped> {
        queue::read(self, from, at, into)
    }

    /// Enqueues copying `bytes` bytes between buffers of the device, or within one where the stretches do not overlap.
    pub fn copy(
        &self,
        from: &Buffer,
        at: usize,
        to: &Buffer,
        to_at: usize,
        bytes: usize,
    ) -> Result<(), Stopped> {
        queue::copy(self, from, at, to, to_at, bytes)
    }

    /// Enqueues filling `bytes` bytes with a pattern of 1, 2, 4, … 128 bytes, of which `at` and `bytes` are multiples.
    pub fn fill(
        &self,
        to: &Buffer,
        at: usize,
        bytes: usize,
        pattern: &[u8],
    ) -> Result<(), Stopped> {
        queue::fill(self, to, at, bytes, pattern)
    }

    /// Enqueues `groups` groups of `group_size` work-items each of a kernel, and has the device start.
    ///
    /// Arguments that do not fit the kernel's parameters are an internal error; nothing is enqueued then. What the kernel does
    /// inside its buffers is up to whoever wrote its source: it must stay inside them.
    pub fn launch(
        &self,
        kernel: &mut Kernel,
        args: &[Argument<'_>],
        groups: usize,
        group_size: usize,
    ) -> Result<(), Stopped> {
        kernel::launch(self, kernel, args, groups, group_size)
    }

    /// Waits until everything is done that this thread, or another before now, has enqueued.
    pub fn wait(&self) -> Result<(), Stopped> {
        self.session()?.wait(self)
    }

    /// The bytes per second that a kernel reads and writes when it copies a large array: the median of several runs.
    pub fn bandwidth(&self) -> Result<f64, Stopped> {
        bandwidth::measure(self)
    }

    /// What has crossed between host and device, and what was launched and built, since the start of the process.
    pub fn transfers(&self) -> Transfers {
        self.0.counts.read()
    }

    /// The bytes that buffers of the device may occupy in all.
    pub fn limit(&self) -> usize {
        self.0.pool.limit
    }

    /// The bytes that buffers of the device occupy at the moment, without those that the pool keeps.
    pub fn in_use(&self) -> usize {
        self.0.pool.in_use()
    }

    /// Gives back what the pool keeps.
    pub fn trim(&self) -> Result<(), Stopped> {
        self.session()?.relieve(self)
    }

    /// The opened device.
    fn session(&self) -> Result<&Session, Stopped> {
        let session = self.0.session.get_or_init(|| Session::open(self));
        session.as_ref().map_err(Stopped::clone)
    }

    fn stopped(&self, failed: api::Failed) -> Stopped {
        Stopped::new(&self.info().name, failed)
    }

    fn internal(&self, text: impl Into<String>) -> Stopped {
        Stopped::internal(&self.info().name, text)
    }
}
