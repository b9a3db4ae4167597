//! Who is in which part when ranks are split.

use super::collective::all_gather_equal;
use super::{Broken, Communicator};

/// The part that a rank is in.
pub(super) struct Part {
    /// Its ranks, as they are numbered before, in the order that they have then.
    pub(super) members: Vec<usize>,
    /// Where this rank is among them.
    pub(super) position: usize,
    /// What the first of them passed as `word`.
    pub(super) word: u64,
}

/// Finds the part of this rank. Cost: ⌈log₂ p⌉ messages, 24(p − 1) bytes.
pub(super) fn part(
    comm: &dyn Communicator,
    color: u64,
    key: u64,
    word: u64,
) -> Result<Part, Broken> {
    let bytes: Vec<u8> = [color, key, word]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    let all = all_gather_equal(comm, &bytes)?;
    let words: Vec<[u64; 3]> = all
        .chunks_exact(24)
        .map(|row| std::array::from_fn(|at| number(&row[8 * at..])))
        .collect();
    let mut members: Vec<usize> = (0..words.len())
        .filter(|&rank| words[rank][0] == color)
        .collect();
    members.sort_by_key(|&rank| words[rank][1]);
    let position = members
        .iter()
        .position(|&rank| rank == comm.rank())
        .expect("a rank is in its own part");
    Ok(Part {
        position,
        word: words[members[0]][2],
        members,
    })
}

/// The number that the bytes begin with.
pub(super) fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|at| bytes[at]))
}
