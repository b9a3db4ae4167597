//! filter. A single worker has each chunk compacted right behind the last, as long as there is room for all of it. Of
//! several workers each compacts its chunks to memory of its own; where a chunk belongs is known when all before it are
//! compacted (`Chain`). Until then it waits among the `Worker`'s pending ones, of which there are only a few, while the
//! worker goes on with other chunks.
//!
//! Where the room ends, no further chunk is placed until those before it have copied; then nobody knows the old place any
//! more, and the memory grows.
//!
//! The word of the sink: the number kept so far.

use super::room::Room;
use super::{Chunk, Run, Stop, Trouble, Worker};
use dsl_runtime::ir::SinkKind;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Words of a filter.
pub(super) const WORDS: usize = 1;
/// The most chunks of a worker that wait for their places.
const PENDING: usize = 16;

/// Which chunks of a run have their places.
#[derive(Default)]
pub(super) struct Chain {
    /// The first chunk without one.
    next: u64,
    /// Chunks that have copied what they kept.
    copied: u64,
    /// Of chunks behind it, how much each filter has kept.
    kept: BTreeMap<u64, Vec<u64>>,
    /// Of chunks that their workers have not looked after yet, where the values of each array belong.
    places: BTreeMap<u64, Vec<*mut u8>>,
}

// SAFETY: the places are parts of results, each known to the worker of its chunk.
unsafe impl Send for Chain {}

/// A chunk that is compacted.
pub(super) struct Pending {
    ticket: u64,
    /// Of each array, the first byte of what was kept and the number of bytes.
    values: Vec<(*const u8, usize)>,
    /// Where they stand.
    memory: Vec<u64>,
}

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
        if !self.shared && !worker.staged {
            for (_, number, first) in self.filters() {
                // SAFETY: the only worker; the first slot is `Kept`.
                unsafe {
                    let kept = worker.slots[first].cast::<u64>().read();
                    self.words(self.sinks[number].words.clone())[0] += kept;
                }
            }
            if let Ok(mut chain) = self.chain.lock() {
                chain.next += 1;
                chain.copied += 1;
            }
            return Ok(());
        }
        let mut kept = vec![];
        let mut values = vec![];
        for (_, number, first) in self.filters() {
            // SAFETY: the first slot is `Kept`.
            let count = unsafe { worker.slots[first].cast::<u64>().read() };
            kept.push(count);
            let targets = &self.targets[self.sinks[number].targets.clone()];
            for (slot, target) in targets.iter().enumerate() {
                let from = worker.slots[first + 1 + slot].cast_const();
                values.push((from, count as usize * target.bytes));
            }
        }
        worker.pending.push_back(Pending {
            ticket: chunk.ticket,
            values,
            memory: std::mem::take(&mut worker.staging),
        });
        if let Ok(mut chain) = self.chain.lock() {
            chain.kept.insert(chunk.ticket, kept);
        }
        let most = if self.shared { PENDING } else { 0 };
        self.filter_settle(worker, most)
    }

    /// Copies what has a place, until at most so many of the worker's chunks wait.
    pub(super) fn filter_settle(&self, worker: &mut Worker, most: usize) -> Result<(), Stop> {
        if worker.pending.is_empty() {
            return Ok(());
        }
        let mut tries = 0u32;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                worker.pending.clear();
                return Err(());
            }
            let mut copied = 0;
            while let Some(places) = self.place_of_first(worker, copied)? {
                copied = 1;
                let Some(chunk) = worker.pending.pop_front() else {
                    break;
                };
                for (&(from, bytes), to) in chunk.values.iter().zip(places) {
                    // SAFETY: so many bytes from the place on are this chunk's, and stand in its memory.
                    unsafe { std::ptr::copy_nonoverlapping(from, to, bytes) }
                }
                worker.spare.push(chunk.memory);
            }
            if worker.pending.len() <= most {
                return Ok(());
            }
            tries = if copied > 0 { 0 } else { tries + 1 };
            match tries {
                0..200 => std::hint::spin_loop(),
                200..2000 => std::thread::yield_now(),
                // The worker that all wait for was put to sleep by the system.
                _ => std::thread::sleep(Duration::from_micros(50)),
            }
        }
    }

    /// Where the first of the worker's chunks belongs, if that is known. `copied`: how many it has copied since it asked last.
    fn place_of_first(&self, worker: &Worker, copied: u64) -> Result<Option<Vec<*mut u8>>, Stop> {
        let Ok(mut chain) = self.chain.lock() else {
            return Err(());
        };
        chain.copied += copied;
        self.filter_place(&mut chain)?;
        Ok(match worker.pending.front() {
            Some(first) => chain.places.remove(&first.ticket),
            None => None,
        })
    }

    /// Gives chunks their places, as far as all before them have theirs.
    fn filter_place(&self, chain: &mut Chain) -> Result<(), Stop> {
        while let Some(kept) = chain.kept.get(&chain.next) {
            let mut places = vec![];
            for ((filter, number, _), &kept) in self.filters().zip(kept) {
                let sink = &self.sinks[number];
                // SAFETY: who holds the chain is the only one at the words and rooms. A room that grows is known to nobody
                // when all chunks that have places have copied; the rows before `begin` have been written then.
                unsafe {
                    let total = self.words(sink.words.clone())[0];
                    let room = self.room(filter);
                    if total + kept > room.rows() {
                        if chain.copied < chain.next {
                            return Ok(());
                        }
                        if let Err(bytes) = room.grow(total, total + kept) {
                            return self.end(Trouble::Room {
                                bytes,
                                sink: number,
                            });
                        }
                    }
                }
            }
            for ((filter, number, _), &kept) in self.filters().zip(kept) {
                let sink = &self.sinks[number];
                // SAFETY: as above; there is room for all that was kept.
                unsafe {
                    let total = &mut self.words(sink.words.clone())[0];
                    for (slot, target) in self.targets[sink.targets.clone()].iter().enumerate() {
                        let data = self.room(filter).data(slot);
                        places.push(data.add(*total as usize * target.bytes));
                    }
                    *total += kept;
                }
            }
            chain.kept.remove(&chain.next);
            chain.places.insert(chain.next, places);
            chain.next += 1;
        }
        Ok(())
    }

    /// The room of a filter.
    ///
    /// # Safety
    /// The caller is the only worker or holds the chain.
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
