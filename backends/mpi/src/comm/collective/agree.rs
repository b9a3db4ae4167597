//! A check that all ranks are about to do the same.

use super::gather::{all_gather, all_gather_equal};
use crate::comm::part::number;
use crate::comm::{Broken, Communicator};
use std::hash::{DefaultHasher, Hasher};
use std::sync::OnceLock;

/// Whether [`agree`] compares: in debug builds, and where `CUPROUS_MPI_CHECK` is 1; not where it is 0. The variable has to be
/// the same for all ranks.
pub fn checks() -> bool {
    static CHECKS: OnceLock<bool> = OnceLock::new();
    *CHECKS.get_or_init(|| match std::env::var("CUPROUS_MPI_CHECK") {
        Ok(value) => value != "0",
        Err(_) => cfg!(debug_assertions),
    })
}

/// Compares what the ranks are about to do, where that is to be checked ([`checks`]). To be called before a collective call,
/// with a text that says all that has to be the same: which call, root, lengths.
///
/// Cost: ⌈log₂ p⌉ messages and 8(p − 1) bytes for the hashes. The texts go around only where these differ.
///
/// # Errors
/// [`Broken::Mismatch`] on every rank if one differs: with the first rank that is not of this one's opinion.
pub fn agree(comm: &dyn Communicator, what: &str) -> Result<(), Broken> {
    if !checks() {
        return Ok(());
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(what.as_bytes());
    let mine = hasher.finish();
    let hashes = all_gather_equal(comm, &mine.to_le_bytes())?;
    let other = hashes.chunks_exact(8).position(|hash| number(hash) != mine);
    let Some(rank) = other else { return Ok(()) };
    let mut texts = all_gather(comm, what.as_bytes())?;
    Err(Broken::Mismatch {
        here: what.to_string(),
        rank,
        there: String::from_utf8_lossy(&texts.swap_remove(rank)).into_owned(),
    })
}
