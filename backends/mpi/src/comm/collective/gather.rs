//! From all to one, and from all to all the same.

use super::{powers, receive_any, send_any};
use crate::comm::part::number;
use crate::comm::{Broken, Communicator, Receive, Send};

/// Gives `root` the part of every rank, in their order; the parts may differ in length. Others get nothing.
///
/// By a binomial tree: a rank passes on what it has from those below it. Cost: two messages sent, ⌈log₂ p⌉ times two received
/// by the root; a part makes up to ⌈log₂ p⌉ hops, with 8 bytes for its length.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn gather(
    comm: &dyn Communicator,
    root: usize,
    part: &[u8],
) -> Result<Option<Vec<Vec<u8>>>, Broken> {
    let size = comm.size();
    let me = (comm.rank() + size - root) % size;
    let other = |number: usize| (number + root) % size;
    let mut parts = (part.len() as u64).to_le_bytes().to_vec();
    parts.extend_from_slice(part);
    for bit in powers(size) {
        if me & bit > 0 {
            send_any(comm, other(me - bit), &parts)?;
            return Ok(None);
        }
        if me + bit < size {
            parts.extend(receive_any(comm, other(me + bit))?);
        }
    }
    let mut rest = &parts[..];
    let mut parts: Vec<Vec<u8>> = (0..size)
        .map(|_| {
            let (length, tail) = rest.split_at(8);
            let (part, tail) = tail.split_at(number(length) as usize);
            rest = tail;
            part.to_vec()
        })
        .collect();
    // They begin with the root's.
    parts.rotate_right(root);
    Ok(Some(parts))
}

/// Gives every rank the part of every rank, in their order; the parts may differ in length. Cost: 2⌈log₂ p⌉ messages;
/// 8(p − 1) bytes for the lengths and all parts but, of the last round's, those that the receiver has.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn all_gather(comm: &dyn Communicator, part: &[u8]) -> Result<Vec<Vec<u8>>, Broken> {
    let lengths = lengths(comm, part)?;
    all_gather_of(comm, part, &lengths)
}

/// Gives every rank the parts of all, one after the other; all parts are as long as this rank's. Cost: ⌈log₂ p⌉ messages,
/// n(p − 1) bytes.
///
/// # Errors
/// [`Broken::Length`] where another rank's part is longer or shorter; otherwise those of [`Communicator::exchange`].
pub fn all_gather_equal(comm: &dyn Communicator, part: &[u8]) -> Result<Vec<u8>, Broken> {
    let lengths = vec![part.len(); comm.size()];
    let (mut bytes, _) = from_here(comm, part, &lengths)?;
    bytes.rotate_right(comm.rank() * part.len());
    Ok(bytes)
}

/// How long the parts of the ranks are. Cost: ⌈log₂ p⌉ messages, 8(p − 1) bytes.
pub(super) fn lengths(comm: &dyn Communicator, part: &[u8]) -> Result<Vec<usize>, Broken> {
    let all = all_gather_equal(comm, &(part.len() as u64).to_le_bytes())?;
    Ok(all.chunks_exact(8).map(|n| number(n) as usize).collect())
}

/// [`all_gather`] of parts whose lengths all know. Cost: ⌈log₂ p⌉ messages; all parts but, of the last round's, those that the
/// receiver has.
///
/// # Errors
/// [`Broken::Length`] where another rank's part is longer or shorter; otherwise those of [`Communicator::exchange`].
///
/// # Panics
/// If this rank's part is longer or shorter.
pub fn all_gather_of(
    comm: &dyn Communicator,
    part: &[u8],
    lengths: &[usize],
) -> Result<Vec<Vec<u8>>, Broken> {
    assert_eq!(part.len(), lengths[comm.rank()], "this rank's part");
    let (bytes, starts) = from_here(comm, part, lengths)?;
    let mut parts: Vec<Vec<u8>> = starts
        .windows(2)
        .map(|ends| bytes[ends[0]..ends[1]].to_vec())
        .collect();
    parts.rotate_right(comm.rank());
    Ok(parts)
}

/// The parts of this rank, of those after it, and of those before it; and where each begins, and the last one ends.
///
/// Bruck's algorithm: in round k a rank has the parts of 2ᵏ ranks, its own and those after it, and gets as many more from the
/// rank 2ᵏ after. Nothing arrives twice, so that there is no better way for large parts.
fn from_here(
    comm: &dyn Communicator,
    part: &[u8],
    lengths: &[usize],
) -> Result<(Vec<u8>, Vec<usize>), Broken> {
    let (rank, size) = (comm.rank(), comm.size());
    let other = |number: usize| (rank + number) % size;
    // Where in the bytes the part of the rank so many after this one begins.
    let mut starts = vec![0];
    for at in 0..size {
        starts.push(starts[at] + lengths[other(at)]);
    }
    let mut bytes = vec![0; starts[size]];
    bytes[..part.len()].copy_from_slice(part);
    for have in powers(size) {
        let more = have.min(size - have);
        let (here, there) = bytes.split_at_mut(starts[have]);
        let send = Send {
            to: (rank + size - have) % size,
            bytes: &here[..starts[more]],
        };
        let receive = Receive {
            from: other(have),
            into: &mut there[..starts[have + more] - starts[have]],
        };
        comm.exchange(&[send], &mut [receive])?;
    }
    Ok((bytes, starts))
}
