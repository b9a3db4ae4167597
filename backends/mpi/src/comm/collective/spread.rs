//! From one to all: barrier and broadcast.

use super::powers;
use crate::comm::part::number;
use crate::comm::{Broken, Communicator, Receive, Send};

/// Returns when every rank has called it. Cost: ⌈log₂ p⌉ messages without bytes.
///
/// By dissemination: in round k everyone hears from the rank 2ᵏ before, and with it of all that this one has heard of.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn barrier(comm: &dyn Communicator) -> Result<(), Broken> {
    let (rank, size) = (comm.rank(), comm.size());
    for distance in powers(size) {
        let send = Send {
            to: (rank + distance) % size,
            bytes: &[],
        };
        let receive = Receive {
            from: (rank + size - distance) % size,
            into: &mut [],
        };
        comm.exchange(&[send], &mut [receive])?;
    }
    Ok(())
}

/// Gives every rank the bytes of `root`; all know how many. Cost: up to ⌈log₂ p⌉ messages of n bytes, p − 1 for all together.
///
/// By a binomial tree.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn broadcast(comm: &dyn Communicator, root: usize, bytes: &mut [u8]) -> Result<(), Broken> {
    let size = comm.size();
    // Numbered from the root; a rank hears from the one that lacks its lowest bit.
    let me = (comm.rank() + size - root) % size;
    let other = |number: usize| (number + root) % size;
    let lowest = if me == 0 {
        size
    } else {
        me & me.wrapping_neg()
    };
    if me > 0 {
        let from = other(me - lowest);
        let into = &mut *bytes;
        comm.exchange(&[], &mut [Receive { from, into }])?;
    }
    let below = powers(size).filter(|&bit| bit < lowest && me + bit < size);
    for bit in below.rev() {
        let to = other(me + bit);
        comm.exchange(&[Send { to, bytes }], &mut [])?;
    }
    Ok(())
}

/// Gives every rank the bytes of `root`, which others do not know the number of: theirs are dropped. Cost: twice that of
/// [`broadcast`]; 8 bytes and n bytes.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn broadcast_any(
    comm: &dyn Communicator,
    root: usize,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, Broken> {
    let mut length = (bytes.len() as u64).to_le_bytes();
    broadcast(comm, root, &mut length)?;
    bytes.resize(number(&length) as usize, 0);
    if !bytes.is_empty() {
        broadcast(comm, root, &mut bytes)?;
    }
    Ok(bytes)
}
