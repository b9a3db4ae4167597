//! What the runs of a thread have done, for tests and for people who look for a cost.

use std::cell::Cell;

thread_local! {
    static LAUNCHED: Cell<u64> = const { Cell::new(0) };
}

/// Counters of the calling thread, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Pars and regions that were run.
    pub launches: u64,
    /// Buffers that were taken for arrays.
    pub allocations: u64,
    /// Arrays whose buffers went to the pool or to a result. Of runs on one thread as many as `allocations`, but for the
    /// results that are still held.
    pub ends: u64,
}

/// Reads the counters.
pub fn read() -> Profile {
    Profile {
        launches: LAUNCHED.get(),
        allocations: crate::memory::allocated(),
        ends: crate::memory::ended(),
    }
}

pub(crate) fn launch() {
    LAUNCHED.set(LAUNCHED.get() + 1);
}
