//! Counters: what a device has done.

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a device has done since the start of the process; the difference of two is what it has done between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Bytes copied from the host.
    pub bytes_in: u64,
    /// Bytes copied to the host.
    pub bytes_out: u64,
    /// Kernels launched.
    pub launches: u64,
    /// Programs compiled from source.
    pub builds: u64,
    /// Programs that came from the disk.
    pub cache_hits: u64,
}

impl Sub for Transfers {
    type Output = Transfers;

    fn sub(self, earlier: Transfers) -> Transfers {
        Transfers {
            bytes_in: self.bytes_in - earlier.bytes_in,
            bytes_out: self.bytes_out - earlier.bytes_out,
            launches: self.launches - earlier.launches,
            builds: self.builds - earlier.builds,
            cache_hits: self.cache_hits - earlier.cache_hits,
        }
    }
}

/// A counter.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of [`Transfers`].
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub bytes_in: Count,
    pub bytes_out: Count,
    pub launches: Count,
    pub builds: Count,
    pub cache_hits: Count,
}

impl Counts {
    pub fn read(&self) -> Transfers {
        Transfers {
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            launches: self.launches.get(),
            builds: self.builds.get(),
            cache_hits: self.cache_hits.get(),
        }
    }
}
