//! Messages under way.

use super::abi::Abi;
use super::exit;
use super::patience::{self, Patience};
use super::process::Process;
use super::rank::Rank;
use crate::comm::{Broken, Receive, Send};
use libc::c_int;

/// How many bytes go in one message of MPI, whose count is an `int`.
const PIECE: usize = 1 << 30;

/// Requests that are not complete. Their memory is lent to MPI: where this is dropped before [`Flight::land`], by a panic or an
/// error, the job is aborted.
pub(super) struct Flight<'a, A: Abi> {
    rank: &'a Rank<A>,
    requests: Vec<A::Handle>,
    /// From whom, into which requests, and how many bytes.
    expected: Vec<(usize, std::ops::Range<usize>, usize)>,
}

impl<'a, A: Abi> Flight<'a, A> {
    /// None yet.
    pub(super) fn new(rank: &'a Rank<A>) -> Self {
        Flight {
            rank,
            requests: Vec::new(),
            expected: Vec::new(),
        }
    }

    /// Begins to receive. At least one piece, as the sender does.
    ///
    /// # Safety
    /// The memory is lent until this lands or the process ends. The rank is one of the communicator.
    pub(super) unsafe fn receive(&mut self, receive: &mut Receive<'_>) -> Result<(), Broken> {
        let (from, comm) = (receive.from as c_int, self.rank.comm);
        let (calls, byte) = (&self.rank.mpi.calls, self.rank.mpi.constants.byte);
        let first = self.requests.len();
        let (into, length) = (receive.into.as_mut_ptr(), receive.into.len());
        for (start, count) in pieces(length) {
            // SAFETY: the piece is in the memory, which is lent.
            self.begin(|request| unsafe {
                let into = into.add(start).cast();
                calls.irecv(into, count, byte, from, 0, comm, request)
            })?;
        }
        let requests = first..self.requests.len();
        self.expected.push((receive.from, requests, length));
        Ok(())
    }

    /// Begins to send.
    ///
    /// # Safety
    /// As of [`Flight::receive`].
    pub(super) unsafe fn send(&mut self, send: &Send<'_>) -> Result<(), Broken> {
        let (to, comm) = (send.to as c_int, self.rank.comm);
        let (calls, byte) = (&self.rank.mpi.calls, self.rank.mpi.constants.byte);
        for (start, count) in pieces(send.bytes.len()) {
            // SAFETY: as above.
            self.begin(|request| unsafe {
                let from = send.bytes.as_ptr().add(start).cast();
                calls.isend(from, count, byte, to, 0, comm, request)
            })?;
        }
        Ok(())
    }

    /// Begins a request.
    fn begin(
        &mut self,
        begin: impl FnOnce(*mut A::Handle) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let mut request = self.rank.mpi.constants.no_request;
        begin(&mut request).inspect_err(|error| self.is_lost(error))?;
        self.requests.push(request);
        Ok(())
    }

    /// Says what went wrong where nobody will be told: dropping this ends the job.
    fn is_lost(&self, error: &Broken) {
        if !self.requests.is_empty() {
            exit::say(&error.to_string());
        }
    }

    /// Waits for all, even if one fails (MPI 5.0, section 3.7.3).
    ///
    /// One after the other: the progress that MPI makes is that of all. `MPI_Waitall` would leave what went wrong to a field of
    /// the statuses, and which error handler it calls to the library.
    pub(super) fn land(mut self) -> Result<(), Broken> {
        let mut result = Ok(());
        for (rank, requests, expected) in std::mem::take(&mut self.expected) {
            let counts: Result<usize, Broken> = requests.map(|at| self.wait_and_count(at)).sum();
            let arrived = counts.and_then(|found| match found == expected {
                true => Ok(()),
                false => Err(Broken::Length {
                    rank,
                    expected,
                    found,
                }),
            });
            result = result.and(arrived);
        }
        for at in 0..self.requests.len() {
            // Those that have been waited for are null, and have nothing more to say.
            result = result.and(self.wait(at).map(drop));
        }
        let null = self.rank.mpi.constants.no_request;
        self.requests.retain(|&request| request != null);
        result.inspect_err(|error| self.is_lost(error))
    }

    /// Waits for one.
    fn wait(&mut self, at: usize) -> Result<A::Status, Broken> {
        let mut status = A::Status::default();
        let request = &mut self.requests[at];
        let calls = &self.rank.mpi.calls;
        if !patience::is_needed() {
            // SAFETY: a request that is under way or null, and a status to write to.
            unsafe { calls.wait(request, &mut status)? };
            return Ok(status);
        }
        let (mut done, mut patience) = (0, Patience::default());
        loop {
            // SAFETY: as above, and a flag.
            unsafe { calls.test(request, &mut done, &mut status)? };
            if done != 0 {
                return Ok(status);
            }
            patience.wait();
        }
    }

    /// Waits for a receive: how many bytes have come.
    fn wait_and_count(&mut self, at: usize) -> Result<usize, Broken> {
        let status = self.wait(at)?;
        let mpi = self.rank.mpi;
        // SAFETY: the status is that of a receive of bytes.
        mpi.number(|count| unsafe { mpi.calls.get_count(&status, mpi.constants.byte, count) })
    }
}

impl<A: Abi> Drop for Flight<'_, A> {
    fn drop(&mut self) {
        if !self.requests.is_empty() {
            let count = self.requests.len();
            exit::say(&format!(
                "An error or a panic leaves {count} messages under way: the job is aborted."
            ));
            self.rank.mpi.abort(1);
        }
    }
}

/// Where the pieces of a message begin, and how long they are: at least one, at most [`PIECE`] bytes each.
fn pieces(length: usize) -> impl Iterator<Item = (usize, c_int)> {
    (0..length.div_ceil(PIECE).max(1)).map(move |at| {
        let start = at * PIECE;
        (start, (length - start).min(PIECE) as c_int)
    })
}

#[cfg(test)]
mod tests {
    use super::{PIECE, pieces};

    #[test]
    fn a_long_message_goes_in_pieces() {
        let all = |length| pieces(length).collect::<Vec<_>>();
        let whole = PIECE as i32;
        assert_eq!(all(0), [(0, 0)]);
        assert_eq!(all(7), [(0, 7)]);
        assert_eq!(all(PIECE), [(0, whole)]);
        let long = [(0, whole), (PIECE, whole), (2 * PIECE, 1)];
        assert_eq!(all(2 * PIECE + 1), long);
    }
}
