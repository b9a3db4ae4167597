//! Operations that all ranks of a communicator take part in, made of messages.
//!
//! Every rank calls the same one, with the same root. Costs are given for one of p ranks: how many messages it sends, and how
//! many bytes. A message is a call of [`Communicator::exchange`], and these follow each other: ⌈log₂ p⌉ messages are so
//! many times the latency.

mod agree;
mod all_to_all;
mod fold;
mod gather;
mod spread;

pub use agree::{agree, checks};
pub use all_to_all::all_to_all;
pub use fold::{GATHERED, reduce, scan};
pub use gather::{all_gather, all_gather_equal, all_gather_of, gather};
pub use spread::{barrier, broadcast, broadcast_any};

use super::part::number;
use super::{Broken, Communicator, Receive, Send};

/// The powers of two below the number of ranks, ascending.
fn powers(ranks: usize) -> impl DoubleEndedIterator<Item = usize> {
    let count = ranks.next_power_of_two().trailing_zeros();
    (0..count).map(|at| 1 << at)
}

/// Sends bytes to one who does not know how many: the length goes before. Cost: two messages, one if there is nothing to send.
fn send_any(comm: &dyn Communicator, to: usize, bytes: &[u8]) -> Result<(), Broken> {
    let length = (bytes.len() as u64).to_le_bytes();
    let header = Send { to, bytes: &length };
    comm.exchange(&[header], &mut [])?;
    if !bytes.is_empty() {
        comm.exchange(&[Send { to, bytes }], &mut [])?;
    }
    Ok(())
}

/// Receives what [`send_any`] sends.
fn receive_any(comm: &dyn Communicator, from: usize) -> Result<Vec<u8>, Broken> {
    let mut length = [0; 8];
    let into = &mut length;
    comm.exchange(&[], &mut [Receive { from, into }])?;
    let mut bytes = vec![0; number(&length) as usize];
    if !bytes.is_empty() {
        let into = &mut bytes;
        comm.exchange(&[], &mut [Receive { from, into }])?;
    }
    Ok(bytes)
}
