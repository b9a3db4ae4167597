//! scan, exscan, rscan, rexscan: compiled code leaves the total of each block; here the totals become carries, in the order of the blocks; then
//! compiled code writes the results. In one sweep where it can: while a chunk is in the cache, its totals, its turn in
//! the chain of carries, its results.
//!
//! The words of the sink: `k` for `e`, which become the carry of the next chunk; `k` to work with; `k` for each block.

use super::{Chunk, Run, Sink, Stop, Worker, is_scan};
use crate::abi::{self, CombineFn, Frame};
use crate::memory::Live;
use dsl_runtime::ir::order::BLOCK;

/// Words beside those of `e`.
pub(super) fn words(values: usize, blocks: usize) -> usize {
    values.saturating_mul(blocks + 1)
}

/// Where the words of the blocks begin.
pub(super) fn first_block(sink: &Sink) -> usize {
    sink.words.start + 2 * sink.values
}

impl Run<'_> {
    /// Totals of the chunk's blocks, then their carries.
    ///
    /// # Safety
    /// As that of [`super::run`].
    pub(super) unsafe fn scan_totals(&self, worker: &mut Worker, chunk: Chunk) -> Result<(), Stop> {
        let Some(scan) = &self.job.unit.scan else {
            return Ok(());
        };
        // SAFETY: as this function's. The words of the blocks are the chunk's, those of the carry belong to whose
        // turn it is.
        unsafe {
            self.call(scan.totals, self.slots, &mut worker.fault, chunk)?;
            if !self.scan_turn.wait(chunk.ticket, &self.stop) {
                return Err(());
            }
            for (number, sink) in self.sinks.iter().enumerate() {
                if !is_scan(sink.kind) {
                    continue;
                }
                let k = sink.values;
                let first = first_block(sink);
                let start = first + chunk.lo as usize / BLOCK * k;
                let end = first + (chunk.hi as usize).div_ceil(BLOCK) * k;
                let carry = self.words(sink.words.start..first);
                let blocks = self.words(start..end);
                let live = Live::default();
                let frame = self.frame(self.slots, &mut worker.fault, &live);
                let status = chain(&frame, self.combine(number), k, carry, blocks);
                if status != abi::OK {
                    return self.fail(status, &worker.fault);
                }
            }
        }
        self.scan_turn.pass(chunk.ticket);
        Ok(())
    }

    /// Scans the chunk's results in place, where `main` has left the values in them.
    ///
    /// # Safety
    /// As that of [`super::run`].
    pub(super) unsafe fn scan_finish(&self, worker: &mut Worker, chunk: Chunk) -> Result<(), Stop> {
        match self.job.unit.scan.and_then(|scan| scan.finish) {
            // SAFETY: as this function's.
            Some(finish) => unsafe { self.call(finish, self.slots, &mut worker.fault, chunk) },
            None => Ok(()),
        }
    }
}

/// Replaces each block's total `T[b]` by `C[b]`, and the carry by `C[b + 1] = C[b] op T[b]`.
unsafe fn chain(
    frame: &Frame,
    combine: CombineFn,
    k: usize,
    carry: &mut [u64],
    blocks: &mut [u64],
) -> u64 {
    let (carry, next) = carry.split_at_mut(k);
    for block in blocks.chunks_exact_mut(k) {
        // SAFETY: `k` words each; the caller vouches for the function.
        let status = unsafe { combine(frame, next.as_mut_ptr(), carry.as_ptr(), block.as_ptr()) };
        if status != abi::OK {
            return status;
        }
        block.copy_from_slice(carry);
        carry.copy_from_slice(next);
    }
    abi::OK
}
