//! filter: compiled code compacts each chunk into memory of the worker; in the order of the chunks each learns where its
//! kept values begin, and copies them there. A single worker has each chunk compacted right behind the last.
//!
//! The word of the sink: the number kept so far.

use super::{Chunk, Run, Stop, Worker};
use dsl_runtime::ir::SinkKind;

/// Words of a filter.
pub(super) const WORDS: usize = 1;

impl Run<'_> {
    /// Lets compiled code write where the values stay.
    ///
    /// # Safety
    /// There is one worker only; its slots were bound to staging memory.
    pub(super) unsafe fn filter_direct(&self, worker: &mut Worker) {
        for (number, first) in self.filters() {
            let sink = &self.sinks[number];
            // SAFETY: the only worker. The slots are `Kept`, then the values; no more than `extent` are ever kept.
            unsafe {
                let kept = self.words(sink.words.clone())[0];
                worker.slots[first]
                    .cast::<u64>()
                    .write(self.job.extent - kept);
                for (slot, target) in self.targets[sink.targets.clone()].iter().enumerate() {
                    worker.slots[first + 1 + slot] = target.data.add(kept as usize * target.bytes);
                }
            }
        }
    }

    /// Appends what a chunk has kept.
    ///
    /// # Safety
    /// The worker's slots are those with which the chunk was run.
    pub(super) unsafe fn filter_collect(
        &self,
        worker: &mut Worker,
        chunk: Chunk,
    ) -> Result<(), Stop> {
        if self.filters().next().is_none() {
            return Ok(());
        }
        if self.shared && !self.filter_turn.wait(chunk.ticket, &self.stop) {
            return Err(());
        }
        worker.offsets.clear();
        for (number, first) in self.filters() {
            // SAFETY: the first slot is `Kept`; the word belongs to whose turn it is.
            unsafe {
                let kept = worker.slots[first].cast::<u64>().read();
                let total = &mut self.words(self.sinks[number].words.clone())[0];
                worker.offsets.push(*total);
                *total += kept;
            }
        }
        if !self.shared {
            return Ok(());
        }
        self.filter_turn.pass(chunk.ticket);
        for ((number, first), &offset) in self.filters().zip(&worker.offsets) {
            let targets = &self.targets[self.sinks[number].targets.clone()];
            // SAFETY: the places from `offset` on are this chunk's, and no more than `extent` are ever kept.
            unsafe {
                let kept = worker.slots[first].cast::<u64>().read() as usize;
                for (slot, target) in targets.iter().enumerate() {
                    std::ptr::copy_nonoverlapping(
                        worker.slots[first + 1 + slot],
                        target.data.add(offset as usize * target.bytes),
                        kept * target.bytes,
                    );
                }
            }
        }
        Ok(())
    }

    /// The filters, and the first slot of each.
    fn filters(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let kinds = self.sinks.iter().enumerate();
        kinds
            .filter(|(_, sink)| sink.kind == SinkKind::Filter)
            .map(|(number, _)| (number, self.first_slot(number)))
    }
}
