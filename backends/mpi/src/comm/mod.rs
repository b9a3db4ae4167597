//! What ranks say to each other: messages of bytes, and collective operations made of them.
//!
//! [`Communicator`] is all that the rest of this crate knows of other ranks. [`threads`] has ranks that are threads of one
//! process, for tests; [`mpi`] those of an MPI job; [`alone`] is one rank. Collective operations ([`collective`]) are written
//! once, on messages, so that all have the same ones, and so that their cost in messages is known: a tree of ⌈log₂ p⌉ levels
//! for those that every rank takes part in, one message a pair for [`Communicator::exchange`].

pub mod alone;
pub mod collective;
pub mod mpi;
mod own;
mod part;
pub mod threads;

use std::fmt;

/// Bytes to another rank.
#[derive(Clone, Copy, Debug)]
pub struct Send<'a> {
    /// To whom.
    pub to: usize,
    /// What. Any length: what MPI cannot count in one message goes in several.
    pub bytes: &'a [u8],
}

/// Bytes from another rank.
#[derive(Debug)]
pub struct Receive<'a> {
    /// From whom.
    pub from: usize,
    /// Where they go: exactly as many as are sent.
    pub into: &'a mut [u8],
}

/// Some ranks that talk to each other, as one of them sees it.
///
/// All methods are collective: every rank calls the same ones in the same order, from one thread at a time.
pub trait Communicator: std::marker::Send + Sync + fmt::Debug {
    /// This rank's number, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are, at least one.
    fn size(&self) -> usize;

    /// Sends and receives these, and does `work` meanwhile. Returns when all is received and all that was sent may be
    /// overwritten. How far long messages get during the work is up to the implementation: many an MPI moves them in its calls
    /// only.
    ///
    /// At most one message from a rank to another; a rank may send to itself. Ranks without business need not call at all
    /// where nobody names them. The messages from a rank to another arrive in the order of the calls.
    ///
    /// The memory is lent for as long as this call takes. That is why it does the work itself: a value that stood for messages
    /// under way could be forgotten, and the memory with it.
    ///
    /// # Errors
    /// [`Broken::Length`] where a message is not as long as its receiver expects, [`Broken::Gone`] and [`Broken::Call`].
    fn overlap(
        &self,
        sends: &[Send<'_>],
        receives: &mut [Receive<'_>],
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken>;

    /// [`Communicator::overlap`] without work.
    fn exchange(&self, sends: &[Send<'_>], receives: &mut [Receive<'_>]) -> Result<(), Broken> {
        self.overlap(sends, receives, &mut || ())
    }

    /// Parts the ranks by colour; in each part they are ordered by key, then by their rank here.
    fn split(&self, color: u64, key: u64) -> Result<Box<dyn Communicator>, Broken>;

    /// Ends the whole job at once, with this text on the standard error: other ranks may be waiting for what will never come.
    fn abort(&self, text: &str) -> !;

    /// What has been sent so far through this communicator and what it was split into.
    fn sent(&self) -> Sent;
}

/// A count of messages.
///
/// Counted is what the code asks for: MPI cuts messages of more than a gibibyte, and adds its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many, without those to oneself.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl std::ops::Sub for Sent {
    type Output = Sent;
    /// What was sent since.
    fn sub(self, before: Sent) -> Sent {
        Sent {
            messages: self.messages - before.messages,
            bytes: self.bytes - before.bytes,
        }
    }
}

/// Why ranks cannot go on talking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A call of MPI failed: which, and what MPI says.
    Call {
        /// The name of the function.
        call: &'static str,
        /// Its text for the error.
        text: String,
    },
    /// Another rank is gone (a thread that panicked).
    Gone {
        /// Which.
        rank: usize,
    },
    /// A message is not as long as expected.
    Length {
        /// Who sent it.
        rank: usize,
        /// How many bytes there is room for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The ranks did not call the same: what this one and another were about to do.
    Mismatch {
        /// What this rank does.
        here: String,
        /// The other rank.
        rank: usize,
        /// What that one does.
        there: String,
    },
    /// There is no MPI where the environment says that there is: which, and what is wrong.
    Unavailable(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Call { call, text } => write!(f, "{call}: {text}"),
            Broken::Gone { rank } => write!(f, "rank {rank} is gone"),
            Broken::Length {
                rank,
                expected,
                found,
            } => write!(
                f,
                "rank {rank} sent {found} bytes where {expected} were expected"
            ),
            Broken::Mismatch { here, rank, there } => write!(
                f,
                "ranks disagree on what comes next: this one is at {here}, rank {rank} at {there}"
            ),
            Broken::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Broken {}
