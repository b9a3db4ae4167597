//! scatter_with: compiled code stages indices and values of a chunk; here they are combined into the destinations in the
//! order of the iterations. Several workers do so at once: the destination is cut into stretches, and through each
//! stretch the chunks pass in order.
//!
//! The words of the sink: `2k` to work with, for a run with one worker.

use super::{Chunk, Run, Stop, Target, Worker};
use crate::abi::{self, CombineFn, Frame};
use crate::memory::Live;
use crate::transfer::load;

/// Words of a sink of `k` values.
pub(super) fn words(values: usize) -> usize {
    2 * values
}

impl Run<'_> {
    /// Combines what a chunk has staged.
    ///
    /// # Safety
    /// The worker's slots are those with which the chunk was run.
    pub(super) unsafe fn scatter_with_collect(
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
        if indices.iter().any(|&index| index >= sink.len) {
            return self.fail(abi::FAULT, &worker.fault);
        }
        let targets = &self.targets[sink.targets.clone()];
        let mut order = std::mem::take(&mut worker.order);
        let stretches = self.scatter_turns.len().max(1) as u64;
        // Several such sinks share the turns: each has its stretches pass after those of the sink before.
        let sinks = self
            .sinks
            .iter()
            .enumerate()
            .filter(|(_, sink)| sink.kind == dsl_runtime::ir::SinkKind::ScatterWith);
        let (rank, many) = (
            sinks.clone().filter(|&(other, _)| other < number).count() as u64,
            sinks.count() as u64,
        );
        let ticket = chunk.ticket * many + rank;
        let mut status = abi::OK;
        let bounds = sort(indices, stretches, sink.len, &mut order);
        let mut pair = vec![0; if self.shared { 2 * sink.values } else { 0 }];
        for (stretch, range) in bounds.windows(2).enumerate() {
            if self.shared && !self.scatter_turns[stretch].wait(ticket, &self.stop) {
                worker.order = order;
                return Err(());
            }
            let pair = match self.shared {
                true => &mut pair[..],
                // SAFETY: the only worker.
                false => unsafe { self.words(sink.words.clone()) },
            };
            let live = Live::default();
            let frame = self.frame(self.slots, &mut worker.fault, &live);
            let values = &worker.slots[first + 1..];
            // SAFETY: the indices were tested; the places of this stretch belong to whose turn it is.
            status = unsafe {
                match stretches {
                    1 => each(
                        &frame,
                        self.combine(number),
                        0..count,
                        indices,
                        values,
                        targets,
                        pair,
                    ),
                    _ => {
                        let some = &order[range[0] as usize..range[1] as usize];
                        let some = some.iter().map(|&j| j as usize);
                        each(
                            &frame,
                            self.combine(number),
                            some,
                            indices,
                            values,
                            targets,
                            pair,
                        )
                    }
                }
            };
            if status != abi::OK {
                break;
            }
            if self.shared {
                self.scatter_turns[stretch].pass(ticket);
            }
        }
        worker.order = order;
        match status {
            abi::OK => Ok(()),
            status => self.fail(status, &worker.fault),
        }
    }
}

/// The iterations of a chunk by the stretch that they go to, in order within each; where each stretch begins.
fn sort(indices: &[u64], stretches: u64, len: u64, order: &mut Vec<u32>) -> Vec<u32> {
    if stretches == 1 {
        return vec![0, indices.len() as u32];
    }
    let length = len.div_ceil(stretches).max(1);
    let mut bounds = vec![0u32; stretches as usize + 1];
    for &index in indices {
        bounds[(index / length) as usize + 1] += 1;
    }
    for stretch in 1..bounds.len() {
        bounds[stretch] += bounds[stretch - 1];
    }
    let mut next = bounds.clone();
    order.clear();
    order.resize(indices.len(), 0);
    for (j, &index) in indices.iter().enumerate() {
        let at = &mut next[(index / length) as usize];
        order[*at as usize] = j as u32;
        *at += 1;
    }
    bounds
}

/// `target[indices[j]] = target[indices[j]] op values[j]` for the iterations `j` in order.
unsafe fn each(
    frame: &Frame,
    combine: CombineFn,
    iterations: impl Iterator<Item = usize>,
    indices: &[u64],
    values: &[*mut u8],
    targets: &[Target],
    pair: &mut [u64],
) -> u64 {
    let (left, right) = pair.split_at_mut(targets.len());
    for j in iterations {
        let index = indices[j] as usize;
        for (k, target) in targets.iter().enumerate() {
            // SAFETY: the caller vouches for the index and the staged values.
            unsafe {
                left[k] = load(target.data.add(index * target.bytes), target.bytes);
                right[k] = load(values[k].add(j * target.bytes), target.bytes);
            }
        }
        // SAFETY: `k` words each; the result may be the left operand.
        let status = unsafe { combine(frame, left.as_mut_ptr(), left.as_ptr(), right.as_ptr()) };
        if status != abi::OK {
            return status;
        }
        for (k, target) in targets.iter().enumerate() {
            // SAFETY: as above.
            unsafe { store(target.data.add(index * target.bytes), target.bytes, left[k]) }
        }
    }
    abi::OK
}

unsafe fn store(at: *mut u8, bytes: usize, word: u64) {
    // SAFETY: the caller vouches for room for a scalar of that many bytes.
    unsafe {
        match bytes {
            1 => at.write(word as u8),
            2 => at.cast::<u16>().write_unaligned(word as u16),
            4 => at.cast::<u32>().write_unaligned(word as u32),
            _ => at.cast::<u64>().write_unaligned(word),
        }
    }
}
