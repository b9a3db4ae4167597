//! What the implementations share: the message to oneself, and the count of the others.

use super::{Broken, Receive, Send, Sent};
use std::sync::atomic::{AtomicU64, Ordering};

/// Copies the message to oneself, where there is one.
pub(super) fn deliver(
    rank: usize,
    sends: &[Send<'_>],
    receives: &mut [Receive<'_>],
) -> Result<(), Broken> {
    let bytes = sends.iter().find(|send| send.to == rank);
    let into = receives.iter_mut().find(|receive| receive.from == rank);
    let bytes = bytes.map_or(&[][..], |send| send.bytes);
    let into = into.map_or(&mut [][..], |receive| receive.into);
    fill(rank, bytes, into)
}

/// Copies what came from a rank to where it is expected.
pub(super) fn fill(rank: usize, bytes: &[u8], into: &mut [u8]) -> Result<(), Broken> {
    if bytes.len() != into.len() {
        return Err(Broken::Length {
            rank,
            expected: into.len(),
            found: bytes.len(),
        });
    }
    into.copy_from_slice(bytes);
    Ok(())
}

/// What a rank has sent, through a communicator and all that it was split into.
#[derive(Debug, Default)]
pub(super) struct Counter {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    /// Another message.
    pub(super) fn add(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// All so far.
    pub(super) fn sent(&self) -> Sent {
        Sent {
            messages: self.messages.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
