//! The communicator.

use super::abi::Abi;
use super::exit;
use super::flight::Flight;
use super::process::{Mpi, Process};
use crate::comm::own::{Counter, deliver};
use crate::comm::part::part;
use crate::comm::{Broken, Communicator, Receive, Send, Sent};
use libc::c_int;
use std::fmt;
use std::sync::Arc;

/// This process in a communicator of MPI, which is its own: nobody else's messages are in it.
pub(super) struct Rank<A: Abi> {
    pub mpi: &'static Mpi<A>,
    pub comm: A::Handle,
    rank: usize,
    size: usize,
    counter: Arc<Counter>,
}

impl<A: Abi> Rank<A> {
    /// Duplicates a communicator. Collective.
    ///
    /// # Safety
    /// It is one of the library.
    pub(super) unsafe fn duplicate(
        mpi: &'static Mpi<A>,
        comm: A::Handle,
        counter: Arc<Counter>,
    ) -> Result<Self, Broken> {
        let mut new = comm;
        // SAFETY: the same contract.
        unsafe {
            mpi.calls.comm_dup(comm, &mut new)?;
            Rank::own(mpi, new, counter)
        }
    }

    /// Takes a communicator. Errors in it are returned from now on (MPI 5.0, section 9.3), and not fatal.
    ///
    /// # Safety
    /// It is one of the library, and nobody else's.
    unsafe fn own(
        mpi: &'static Mpi<A>,
        comm: A::Handle,
        counter: Arc<Counter>,
    ) -> Result<Self, Broken> {
        let calls = &mpi.calls;
        // SAFETY: the same contract.
        unsafe {
            calls.comm_set_errhandler(comm, mpi.constants.errors_return)?;
            Ok(Rank {
                mpi,
                comm,
                rank: mpi.number(|rank| calls.comm_rank(comm, rank))?,
                size: mpi.number(|size| calls.comm_size(comm, size))?,
                counter,
            })
        }
    }
}

impl<A: Abi> fmt::Debug for Rank<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}, {}", self.rank, self.size, A::NAME)
    }
}

impl<A: Abi> Communicator for Rank<A> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn overlap(
        &self,
        sends: &[Send<'_>],
        receives: &mut [Receive<'_>],
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        let to = sends.iter().map(|send| send.to);
        let from = receives.iter().map(|receive| receive.from);
        if let Some(rank) = to.chain(from).find(|&rank| rank >= self.size) {
            return Err(Broken::Gone { rank });
        }
        let mut flight = Flight::new(self);
        for receive in receives.iter_mut().filter(|other| other.from != self.rank) {
            // SAFETY: lent to this function, which the flight does not leave.
            unsafe { flight.receive(receive)? };
        }
        for send in sends.iter().filter(|send| send.to != self.rank) {
            // SAFETY: as above.
            unsafe { flight.send(send)? };
            self.counter.add(send.bytes.len());
        }
        work();
        flight.land()?;
        deliver(self.rank, sends, receives)
    }

    fn split(&self, color: u64, key: u64) -> Result<Box<dyn Communicator>, Broken> {
        // MPI's colours and keys are of type int: those who are found here.
        let part = part(self, color, key, 0)?;
        let first = part.members.iter().min().copied().unwrap_or_default();
        let (color, key) = (first as c_int, part.position as c_int);
        let mut new = self.comm;
        // SAFETY: a communicator of this library; the colour is not negative. What comes out is nobody else's.
        let rank = unsafe {
            self.mpi.calls.comm_split(self.comm, color, key, &mut new)?;
            Rank::own(self.mpi, new, self.counter.clone())?
        };
        Ok(Box::new(rank))
    }

    fn abort(&self, text: &str) -> ! {
        exit::say(text);
        self.mpi.abort(1)
    }

    fn sent(&self) -> Sent {
        self.counter.sent()
    }
}

impl<A: Abi> Drop for Rank<A> {
    /// Frees the communicator, which is collective: not where a panic unwinds, as the others do not free theirs.
    fn drop(&mut self) {
        if !std::thread::panicking() && matches!(self.mpi.finalized(), Ok(false)) {
            // SAFETY: it is this one's, and not used any more. Whether it works has no consequence.
            let _ = unsafe { self.mpi.calls.comm_free(&mut self.comm) };
        }
    }
}
