//! scatter: compiled code stages indices and values of a chunk; here each index is tested, claimed (a second claim is a
//! failure) and written.
//!
//! The words of the sink: one bit for each place of the destination.

use super::{Chunk, Run, Stop, Target, Worker};
use crate::abi;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words of a destination of `len` places.
pub(super) fn words(len: u64) -> usize {
    len.div_ceil(64) as usize
}

impl Run<'_> {
    /// Writes what a chunk has staged.
    ///
    /// # Safety
    /// The worker's slots are those with which the chunk was run.
    pub(super) unsafe fn scatter_collect(
        &self,
        worker: &mut Worker,
        number: usize,
        chunk: Chunk,
    ) -> Result<(), Stop> {
        let sink = &self.sinks[number];
        let first = self.first_slot(number);
        let count = (chunk.hi - chunk.lo) as usize;
        // SAFETY: the first slot is `Index`, for as many iterations.
        let indices =
            unsafe { std::slice::from_raw_parts(worker.slots[first].cast::<u64>(), count) };
        if self.shared {
            for &index in indices {
                // SAFETY: tested before the word is reached; other workers access it atomically too.
                let fresh = index < sink.len
                    && unsafe {
                        let word = self.words.add(sink.words.start + (index / 64) as usize);
                        let claimed = AtomicU64::from_ptr(word)
                            .fetch_or(1 << (index % 64), Ordering::Relaxed);
                        claimed >> (index % 64) & 1 == 0
                    };
                if !fresh {
                    return self.fail(abi::FAULT, &worker.fault);
                }
            }
        } else {
            // SAFETY: the only worker.
            let claims = unsafe { self.words(sink.words.clone()) };
            for &index in indices {
                let bit = 1 << (index % 64);
                match claims.get_mut((index / 64) as usize) {
                    Some(word) if index < sink.len && *word & bit == 0 => *word |= bit,
                    _ => return self.fail(abi::FAULT, &worker.fault),
                }
            }
        }
        for (slot, target) in self.targets[sink.targets.clone()].iter().enumerate() {
            // SAFETY: the indices are inside and nobody else's; the values were staged behind each other.
            unsafe { write(indices, worker.slots[first + 1 + slot], target) }
        }
        Ok(())
    }
}

/// `target[indices[j]] = values[j]`.
unsafe fn write(indices: &[u64], values: *const u8, target: &Target) {
    macro_rules! scalars {
        ($word:ty) => {
            for (j, &index) in indices.iter().enumerate() {
                // SAFETY: the caller vouches for the indices and for `bytes` bytes a value, aligned.
                unsafe {
                    let value = values.cast::<$word>().add(j).read_unaligned();
                    target
                        .data
                        .cast::<$word>()
                        .add(index as usize)
                        .write_unaligned(value)
                }
            }
        };
    }
    match target.bytes {
        1 => scalars!(u8),
        2 => scalars!(u16),
        4 => scalars!(u32),
        8 => scalars!(u64),
        bytes => {
            for (j, &index) in indices.iter().enumerate() {
                // SAFETY: as above.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        values.add(j * bytes),
                        target.data.add(index as usize * bytes),
                        bytes,
                    )
                }
            }
        }
    }
}
