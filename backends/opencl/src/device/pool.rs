//! Which memory a device has given, and what of it is kept for later.
//!
//! Sizes are rounded up to classes, eight between a power of two and the next, and a buffer that is dropped is kept for the next
//! of its class, up to a limit. It is handed out again at once, though commands may still use it: they come first in the queue.
//! Above the limit those go that have waited longest, and where memory is lacking all go.
//!
//! On a device that checks accesses each buffer is new and has its own size, or it would not see what is wrong.

use super::buffer::Store;
use super::info::Info;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The smallest buffer, in bytes.
const SMALLEST: usize = 256;
/// Classes between a power of two and the next.
const STEPS: usize = 8;
/// The part of the memory that is kept at most.
const PART: usize = 4;
/// The most that is kept of the host's memory, in bytes: the host has a pool of its own.
const UNIFIED: usize = 512 << 20;

/// The memory of a device.
pub(super) struct Pool {
    /// What may be given in all, in bytes.
    pub limit: usize,
    /// What may be given in one piece.
    pub largest: usize,
    keep: usize,
    /// Whether nothing is kept nor rounded up.
    exact: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    in_use: usize,
    kept: usize,
    /// By size and alignment.
    bins: HashMap<(usize, usize), Vec<(u64, Store)>>,
    /// The number of buffers that were ever kept: the time by which they age.
    clock: u64,
}

/// The class that holds this many bytes.
fn class(bytes: usize) -> Option<usize> {
    let bytes = bytes.max(SMALLEST);
    let step = (1usize << bytes.ilog2()) / STEPS;
    bytes.checked_next_multiple_of(step)
}

impl Pool {
    pub fn new(info: &Info) -> Pool {
        let wanted = std::env::var("CUPROUS_DEVICE_MEMORY").ok();
        let wanted = wanted.and_then(|bytes| bytes.trim().parse().ok());
        let limit = info.memory.min(wanted.unwrap_or(usize::MAX));
        let keep = match info.unified {
            _ if info.checker => 0,
            true => (limit / PART).min(UNIFIED),
            false => limit / PART,
        };
        Pool {
            limit,
            largest: info.largest.min(limit),
            keep,
            exact: info.checker,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size of the memory for this many bytes: its class, where that is not too large.
    pub fn size(&self, bytes: usize) -> Option<usize> {
        if self.exact {
            return (bytes <= self.largest).then_some(bytes.max(1));
        }
        let exact = bytes.max(SMALLEST).checked_next_multiple_of(8)?;
        match class(bytes) {
            Some(size) if size <= self.largest => Some(size),
            _ if bytes <= self.largest => Some(exact),
            _ => None,
        }
    }

    /// The bytes in use.
    pub fn in_use(&self) -> usize {
        self.state().in_use
    }

    /// Memory of this size that was kept.
    pub fn take(&self, size: usize, align: usize) -> Option<Store> {
        let mut state = self.state();
        let (_, store) = state.bins.get_mut(&(size, align))?.pop()?;
        state.kept -= size;
        state.in_use += size;
        Some(store)
    }

    /// Notes that this many bytes are about to be used, and returns what has to go for it; or the bytes that are free, if those are
    /// fewer.
    pub fn claim(&self, bytes: usize) -> Result<Vec<Store>, usize> {
        let mut state = self.state();
        let free = self.limit.saturating_sub(state.in_use);
        if bytes > free {
            return Err(free);
        }
        state.in_use += bytes;
        let room = self.limit - state.in_use;
        Ok(state.shrink(room))
    }

    /// The bytes that are free but for what is kept.
    pub fn free(&self) -> usize {
        self.limit.saturating_sub(self.in_use())
    }

    /// Notes that this many bytes are no longer used.
    pub fn unclaim(&self, bytes: usize) {
        self.state().in_use -= bytes;
    }

    /// Keeps memory that is no longer used; returns what has to go for it.
    pub fn put(&self, store: Store) -> Vec<Store> {
        let mut state = self.state();
        let size = store.size;
        state.in_use -= size;
        if size > self.keep {
            return vec![store];
        }
        state.clock += 1;
        state.kept += size;
        let now = state.clock;
        let bin = state.bins.entry((size, store.align)).or_default();
        bin.push((now, store));
        match state.kept > self.keep {
            // A good part at once, so that not every buffer has to look through the whole pool.
            true => state.shrink(self.keep - self.keep / 4),
            false => vec![],
        }
    }

    /// Takes out all that is kept.
    pub fn drain(&self) -> Vec<Store> {
        self.state().shrink(0)
    }
}

impl State {
    /// Takes out those that have waited longest, until no more than `room` bytes are kept.
    fn shrink(&mut self, room: usize) -> Vec<Store> {
        if self.kept <= room {
            return vec![];
        }
        let all = self.bins.iter();
        let all = all.flat_map(|(&(size, _), bin)| bin.iter().map(move |&(age, _)| (age, size)));
        let mut ages: Vec<(u64, usize)> = all.collect();
        ages.sort_unstable();
        let mut last = 0;
        for (age, size) in ages {
            if self.kept <= room {
                break;
            }
            self.kept -= size;
            last = age;
        }
        let bins = self.bins.values_mut();
        let gone = bins.flat_map(|bin| bin.extract_if(.., |&mut (age, _)| age <= last));
        let gone = gone.map(|(_, store)| store).collect();
        self.bins.retain(|_, bin| !bin.is_empty());
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::{SMALLEST, class};

    #[test]
    fn classes_are_close_above() {
        for bytes in (0..100_000).chain([usize::MAX / 2]) {
            let size = class(bytes).unwrap();
            assert!(size >= bytes && size.is_multiple_of(32));
            assert!(size <= bytes.max(SMALLEST) + bytes / 8, "{bytes} in {size}");
            assert_eq!(class(size), Some(size));
        }
        assert_eq!(class(usize::MAX), None);
    }
}
