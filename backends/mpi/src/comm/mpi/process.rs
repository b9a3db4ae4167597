//! MPI in this process: a library with its table, and its state as a whole.

use super::abi::{Abi, Constants, Handle};
use super::calls::{Calls, gate_for_now};
use super::exit;
use super::rank::Rank;
use crate::comm::own::Counter;
use crate::comm::{Broken, Communicator};
use libc::c_int;
use libloading::os::unix::Library;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long launchers are given to read what a rank has written last.
const READ: Duration = Duration::from_millis(100);

/// MPI, whatever its interface.
pub(super) trait Process: Send + Sync {
    /// Whose it is.
    fn name(&self) -> &'static str;

    /// Initialises MPI, unless the program has done so.
    fn start(&self) -> Result<(), Broken>;

    /// Whether MPI is initialised and not finalised.
    fn runs(&self) -> Result<bool, Broken>;

    /// How many ranks there are.
    fn size(&self) -> Result<usize, Broken>;

    /// All ranks. Collective.
    fn world(&'static self) -> Result<Box<dyn Communicator>, Broken>;

    /// The ranks of a communicator. Collective.
    ///
    /// # Safety
    /// The handle is that of a communicator of this library.
    unsafe fn adopt(&'static self, handle: usize) -> Result<Box<dyn Communicator>, Broken>;

    /// Ends the job.
    fn abort(&self, code: c_int) -> !;

    /// What the end of this process is to MPI.
    fn end(&self, status: c_int);
}

/// A library.
pub(super) struct Mpi<A: Abi> {
    pub calls: Calls<A>,
    pub constants: Constants<A::Handle>,
    /// Whether it was initialised here.
    ours: AtomicBool,
    /// Its functions are to stay.
    _library: Library,
}

/// Makes a library usable, which stays.
pub(super) fn bind<A: Abi>(library: Library) -> Result<&'static dyn Process, libloading::Error> {
    let mpi = Mpi::<A> {
        // SAFETY: it was opened by a name that fixes the interface.
        calls: unsafe { Calls::load(&library)? },
        constants: A::constants(&library)?,
        ours: AtomicBool::new(false),
        _library: library,
    };
    Ok(Box::leak(Box::new(mpi)))
}

impl<A: Abi> Mpi<A> {
    /// `MPI_Finalized`. May be called at any time, as `MPI_Initialized` (MPI 5.0, section 11.4.1).
    pub(super) fn finalized(&self) -> Result<bool, Broken> {
        let mut flag = 0;
        // SAFETY: a flag to write to.
        unsafe { self.calls.finalized(&mut flag)? };
        Ok(flag != 0)
    }

    fn initialized(&self) -> Result<bool, Broken> {
        let mut flag = 0;
        // SAFETY: a flag to write to.
        unsafe { self.calls.initialized(&mut flag)? };
        Ok(flag != 0)
    }

    /// A number that MPI tells of a communicator.
    pub(super) fn number(
        &self,
        tell: impl FnOnce(*mut c_int) -> Result<(), Broken>,
    ) -> Result<usize, Broken> {
        let mut number = 0;
        tell(&mut number)?;
        Ok(number as usize)
    }
}

impl<A: Abi> Process for Mpi<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn start(&self) -> Result<(), Broken> {
        if self.finalized()? {
            return Err(Broken::Unavailable("MPI has been finalised".into()));
        }
        if self.initialized()? {
            return Ok(());
        }
        let (required, mut provided) = (self.constants.serialized, 0);
        let (argc, argv) = (null_mut(), null_mut());
        // SAFETY: not initialised yet; the arguments may be null (MPI 5.0, section 11.2.1).
        unsafe {
            self.calls
                .init_thread(argc, argv, required, &mut provided)?
        };
        self.ours.store(true, Ordering::Release);
        // Errors of requests belong to one of these (MPI 5.0, section 9.3), and would be fatal. A program that has initialised
        // MPI itself has handlers of its own.
        for comm in [self.constants.world, self.constants.itself] {
            // SAFETY: they are there now.
            unsafe {
                self.calls
                    .comm_set_errhandler(comm, self.constants.errors_return)?
            };
        }
        Ok(())
    }

    fn runs(&self) -> Result<bool, Broken> {
        Ok(self.initialized()? && !self.finalized()?)
    }

    fn size(&self) -> Result<usize, Broken> {
        let world = self.constants.world;
        // SAFETY: the communicator is there since MPI was initialised.
        self.number(|size| unsafe { self.calls.comm_size(world, size) })
    }

    fn world(&'static self) -> Result<Box<dyn Communicator>, Broken> {
        let world = self.constants.world;
        // SAFETY: as above.
        let rank = unsafe { Rank::duplicate(self, world, Arc::new(Counter::default()))? };
        Ok(Box::new(rank))
    }

    unsafe fn adopt(&'static self, handle: usize) -> Result<Box<dyn Communicator>, Broken> {
        let handle = A::Handle::from_raw(handle);
        // SAFETY: the same contract.
        let rank = unsafe { Rank::duplicate(self, handle, Arc::new(Counter::default()))? };
        Ok(Box::new(rank))
    }

    fn abort(&self, code: c_int) -> ! {
        exit::done();
        // A launcher that hears of the abort reads no more of what ranks have written.
        std::thread::sleep(READ);
        if let Some(_gate) = gate_for_now() {
            // SAFETY: MPI is initialised where there is somebody to abort, and the gate is held.
            unsafe { self.calls.abort(self.constants.world, code) };
        }
        // Another thread waits in MPI. A launcher ends a job one of whose ranks ends like this.
        // SAFETY: the process ends.
        unsafe { libc::_exit(code) }
    }

    fn end(&self, status: c_int) {
        if gate_for_now().is_none() {
            // A thread is in a call, which perhaps is what exits.
            // SAFETY: the process ends.
            unsafe { libc::_exit(status.max(1)) }
        }
        if !self.runs().unwrap_or(false) {
            return;
        }
        let ranks = self.size().unwrap_or(1);
        if status != 0 && ranks > 1 {
            exit::say(&format!(
                "A rank of {ranks} ends with status {status}, and the job with it."
            ));
            self.abort(status);
        }
        if self.ours.load(Ordering::Acquire) {
            // SAFETY: MPI runs, and was initialised here. What it says has nobody to hear it.
            let _ = unsafe { self.calls.finalize() };
        }
    }
}
