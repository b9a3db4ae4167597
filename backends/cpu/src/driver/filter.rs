//! filter. Each chunk is compacted to memory of the worker; in the order of the chunks each learns where its kept values
//! begin, and copies them there. A single worker has each chunk compacted right behind the last, as long as there is room
//! for all of it.
//!
//! Where the room ends, whoever has the turn makes more of it: chunks behind it wait for the turn, and those before it have
//! copied, so nobody else knows the old place.
//!
//! The word of the sink: the number kept so far.

use super::room::Room;
use super::{Chunk, Run, Stop, Trouble, Worker};
use dsl_runtime::ir::SinkKind;

/// Words of a filter.
pub(super) const WORDS: usize = 1;

impl Run<'_> {
    /// Lets compiled code write where the values stay, if all of the chunk has room there.
    ///
    /// # Safety
    /// There is one worker only; its slots were bound to staging memory.
    pub(super) unsafe fn filter_direct(&self, worker: &mut Worker, chunk: Chunk) {
        // SAFETY: the only worker; see `words`.
        let left = |number: usize, filter: usize| unsafe {
            let kept = self.words(self.sinks[number].words.clone())[0];
            (kept, self.room(filter).rows() - kept)
        };
        let mut filters = self.filters();
        worker.staged =
            filters.any(|(filter, number, _)| left(number, filter).1 < chunk.hi - chunk.lo);
        if worker.staged {
            return;
        }
        for (filter, number, first) in self.filters() {
            let (kept, left) = left(number, filter);
            // SAFETY: the only worker. The slots are `Kept`, then the values, for which the room has `left` rows.
            unsafe {
                worker.slots[first].cast::<u64>().write(left);
                let targets = &self.targets[self.sinks[number].targets.clone()];
                for (slot, target) in targets.iter().enumerate() {
                    let data = self.room(filter).data(slot);
                    worker.slots[first + 1 + slot] = data.add(kept as usize * target.bytes);
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
        worker.places.clear();
        for (filter, number, first) in self.filters() {
            let sink = &self.sinks[number];
            // SAFETY: the first slot is `Kept`; the word and the room belong to whose turn it is, and all rows before
            // `begin` have been written.
            unsafe {
                let kept = worker.slots[first].cast::<u64>().read();
                let total = &mut self.words(sink.words.clone())[0];
                let begin = *total;
                *total += kept;
                if *total > self.room(filter).rows() {
                    self.filter_grow(filter, number, begin, *total, chunk)?;
                }
                for (slot, target) in self.targets[sink.targets.clone()].iter().enumerate() {
                    let data = self.room(filter).data(slot);
                    worker.places.push(data.add(begin as usize * target.bytes));
                }
            }
        }
        if self.shared {
            self.filter_turn.pass(chunk.ticket);
        } else if !worker.staged {
            return Ok(());
        }
        let mut places = worker.places.iter();
        for (_, number, first) in self.filters() {
            let targets = &self.targets[self.sinks[number].targets.clone()];
            // SAFETY: the first slot is `Kept`; so many rows from the place on are this chunk's.
            unsafe {
                let kept = worker.slots[first].cast::<u64>().read() as usize;
                for ((slot, target), &place) in targets.iter().enumerate().zip(&mut places) {
                    let from = worker.slots[first + 1 + slot];
                    std::ptr::copy_nonoverlapping(from, place, kept * target.bytes);
                }
            }
        }
        self.filter_copied.count();
        Ok(())
    }

    /// Makes room for `need` rows, of which the first `kept` have been kept.
    ///
    /// # Safety
    /// It is the chunk's turn.
    unsafe fn filter_grow(
        &self,
        filter: usize,
        number: usize,
        kept: u64,
        need: u64,
        chunk: Chunk,
    ) -> Result<(), Stop> {
        if self.shared && !self.filter_copied.wait(chunk.ticket, &self.stop) {
            return Err(());
        }
        // SAFETY: all chunks before this one have copied, and those behind it wait for their turn.
        let grown = unsafe { self.room(filter).grow(kept, need) };
        grown.or_else(|bytes| {
            self.end(Trouble::Room {
                bytes,
                sink: number,
            })
        })
    }

    /// The room of a filter.
    ///
    /// # Safety
    /// The caller is the only worker or has the turn.
    #[allow(clippy::mut_from_ref)]
    unsafe fn room(&self, filter: usize) -> &mut Room {
        // SAFETY: each filter has a room, which lives as long as the run.
        unsafe { &mut *self.rooms.add(filter) }
    }

    /// The filters: how many stand before each, its number among the sinks, and its first slot.
    fn filters(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let kinds = self.sinks.iter().enumerate();
        kinds
            .filter(|(_, sink)| sink.kind == SinkKind::Filter)
            .enumerate()
            .map(|(filter, (number, _))| (filter, number, self.first_slot(number)))
    }
}
