//! From each to each something else.

use super::powers;
use crate::comm::part::number;
use crate::comm::{Broken, Communicator, Receive, Send};

/// Sends `parts[r]` to each rank r, and returns what each rank sent to this one, in their order.
///
/// The lengths go first, so that nobody waits for nothing. Cost: ⌈log₂ p⌉ messages of at most 4(p + 1) bytes, then one message
/// to each rank that there is something for, all at once.
///
/// # Errors
/// Those of [`Communicator::exchange`].
///
/// # Panics
/// If there are not as many parts as ranks.
pub fn all_to_all(comm: &dyn Communicator, parts: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Broken> {
    assert_eq!(parts.len(), comm.size(), "a part for every rank");
    let lengths: Vec<u64> = parts.iter().map(|part| part.len() as u64).collect();
    let mut received: Vec<Vec<u8>> = transpose(comm, &lengths)?
        .into_iter()
        .map(|length| vec![0; length as usize])
        .collect();
    let sends: Vec<Send<'_>> = parts
        .iter()
        .enumerate()
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(to, bytes)| Send { to, bytes })
        .collect();
    let mut receives: Vec<Receive<'_>> = received
        .iter_mut()
        .enumerate()
        .filter(|(_, into)| !into.is_empty())
        .map(|(from, into)| Receive { from, into })
        .collect();
    comm.exchange(&sends, &mut receives)?;
    Ok(received)
}

/// [`all_to_all`] of a number for each rank, in ⌈log₂ p⌉ messages.
///
/// Bruck's algorithm: a number that has to go d ranks far goes 2ᵏ ranks far in each round whose bit is in d.
fn transpose(comm: &dyn Communicator, numbers: &[u64]) -> Result<Vec<u64>, Broken> {
    let (rank, size) = (comm.rank(), comm.size());
    let mut far: Vec<u64> = (0..size).map(|d| numbers[(rank + d) % size]).collect();
    for bit in powers(size) {
        let moved: Vec<usize> = (0..size).filter(|d| d & bit > 0).collect();
        let bytes: Vec<u8> = moved.iter().flat_map(|&d| far[d].to_le_bytes()).collect();
        let mut into = vec![0; bytes.len()];
        let send = Send {
            to: (rank + bit) % size,
            bytes: &bytes,
        };
        let receive = Receive {
            from: (rank + size - bit) % size,
            into: &mut into,
        };
        comm.exchange(&[send], &mut [receive])?;
        for (&d, bytes) in moved.iter().zip(into.chunks_exact(8)) {
            far[d] = number(bytes);
        }
    }
    Ok((0..size)
        .map(|from| far[(rank + size - from) % size])
        .collect())
}
