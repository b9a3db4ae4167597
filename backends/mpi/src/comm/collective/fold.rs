//! Parts combined in the order of the ranks.
//!
//! `combine` need not be associative (a sum of floats is not), so the order is fixed: it follows from the number of ranks
//! alone, not from the lengths of the parts or from who is first. T(a, b), the value of the ranks from a to b without b, is the
//! part of a if there is one rank; else combine(T(a, m), T(m, b)), where m − a is the largest power of two less than b − a. For
//! five ranks: ((0 1) (2 3)) 4.

use super::gather::{all_gather_of, lengths};
use super::{broadcast_any, powers, receive_any, send_any};
use crate::comm::{Broken, Communicator};

/// Up to how many bytes of all parts together every rank gets all and combines for itself. That is half the messages, and more
/// bytes.
pub const GATHERED: usize = 1 << 16;

/// Gives every rank T(0, p). `combine` gets the value of lower ranks first.
///
/// Cost for small parts ([`GATHERED`]): 2⌈log₂ p⌉ messages, 8(p − 1) bytes and those of all parts. For others, up and down a
/// binomial tree: at most 2 + 3⌈log₂ p⌉ messages, of 8 bytes or of a value.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn reduce(
    comm: &dyn Communicator,
    part: &[u8],
    mut combine: impl FnMut(&[u8], &[u8]) -> Vec<u8>,
) -> Result<Vec<u8>, Broken> {
    let combine = &mut combine;
    if let Some(parts) = small(comm, part)? {
        return Ok(tree(&parts, combine));
    }
    let up = Up::sweep(comm, part, combine)?;
    broadcast_any(comm, 0, up.value)
}

/// Gives each rank r the value of the ranks before it; none to the first.
///
/// The order: with r as a sum of powers of two, from the largest, T of the first so many ranks, combined with T of the next so
/// many, and so on. For r = 7: (T(0, 4) T(4, 6)) T(6, 7).
///
/// Cost for small parts ([`GATHERED`]): 2⌈log₂ p⌉ messages, 8(p − 1) bytes and those of all parts. For others, up and down a
/// binomial tree: at most 2 + 3⌈log₂ p⌉ messages, of 8 bytes or of a value.
///
/// # Errors
/// Those of [`Communicator::exchange`].
pub fn scan(
    comm: &dyn Communicator,
    part: &[u8],
    mut combine: impl FnMut(&[u8], &[u8]) -> Vec<u8>,
) -> Result<Option<Vec<u8>>, Broken> {
    let combine = &mut combine;
    if let Some(parts) = small(comm, part)? {
        return Ok(before(&parts, comm.rank(), combine));
    }
    Up::sweep(comm, part, combine)?.back(comm, combine)
}

type Combine<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Vec<u8>;

/// All parts, if they are small.
fn small(comm: &dyn Communicator, part: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Broken> {
    let lengths = lengths(comm, part)?;
    let fits = lengths.iter().sum::<usize>() <= GATHERED;
    fits.then(|| all_gather_of(comm, part, &lengths))
        .transpose()
}

/// T of these.
fn tree(parts: &[Vec<u8>], combine: Combine<'_>) -> Vec<u8> {
    let Some(half) = powers(parts.len()).next_back() else {
        return parts[0].clone();
    };
    let left = tree(&parts[..half], combine);
    let right = tree(&parts[half..], combine);
    combine(&left, &right)
}

/// What [`scan`] gives to a rank.
fn before(parts: &[Vec<u8>], rank: usize, combine: Combine<'_>) -> Option<Vec<u8>> {
    let mut value: Option<Vec<u8>> = None;
    let mut from = 0;
    for bit in powers(parts.len()).rev().filter(|bit| rank & bit > 0) {
        let next = tree(&parts[from..from + bit], combine);
        value = Some(match value {
            Some(value) => combine(&value, &next),
            None => next,
        });
        from += bit;
    }
    value
}

/// What a rank knows when the values have gone up the tree.
struct Up {
    /// Of the ranks below this one in the tree: T(rank, rank + 2ᵏ), as far as there are so many.
    value: Vec<u8>,
    /// The values before each rank that was heard from, lowest first.
    lefts: Vec<Vec<u8>>,
}

impl Up {
    /// Combines up the tree: in round k the ranks whose lowest bit is k send to the rank that lacks it.
    fn sweep(comm: &dyn Communicator, part: &[u8], combine: Combine<'_>) -> Result<Up, Broken> {
        let (rank, size) = (comm.rank(), comm.size());
        let mut value = part.to_vec();
        let mut lefts = Vec::new();
        for bit in powers(size) {
            if rank & bit > 0 {
                send_any(comm, rank - bit, &value)?;
                break;
            }
            if rank + bit < size {
                let right = receive_any(comm, rank + bit)?;
                let whole = combine(&value, &right);
                lefts.push(std::mem::replace(&mut value, whole));
            }
        }
        Ok(Up { value, lefts })
    }

    /// Down again: who sent a value gets what is before it.
    fn back(
        self,
        comm: &dyn Communicator,
        combine: Combine<'_>,
    ) -> Result<Option<Vec<u8>>, Broken> {
        let (rank, size) = (comm.rank(), comm.size());
        let lowest = powers(size).find(|bit| rank & bit > 0);
        let before = lowest
            .map(|lowest| receive_any(comm, rank - lowest))
            .transpose()?;
        let heard = powers(size)
            .filter(|&bit| lowest.is_none_or(|lowest| bit < lowest) && rank + bit < size);
        let heard: Vec<_> = heard.zip(&self.lefts).collect();
        for (bit, left) in heard.into_iter().rev() {
            let value = match &before {
                Some(before) => combine(before, left),
                None => left.clone(),
            };
            send_any(comm, rank + bit, &value)?;
        }
        Ok(before)
    }
}
