//! Which part of its iterations a filter keeps, learnt from the runs: from it follows for how many rows memory is asked
//! before a run. It never changes a result: where more is kept, the memory grows.

use std::sync::atomic::{AtomicU64, Ordering};

/// A part of the whole, from 0 to 1; negative where no run is known.
#[derive(Debug)]
pub struct Share(AtomicU64);

/// What is asked for beyond the part that is known, as a part of it.
const MARGIN: f64 = 1.0 / 16.0;

impl Default for Share {
    fn default() -> Share {
        Share(AtomicU64::new((-1.0f64).to_bits()))
    }
}

impl Share {
    /// Rows to ask for, of `extent` that may be kept: all of them where no run is known, for memory that nobody touches
    /// costs nothing and is given back. `spare`: rows that are asked for in any case.
    pub fn rows(&self, extent: u64, spare: u64) -> u64 {
        let share = f64::from_bits(self.0.load(Ordering::Relaxed));
        if share < 0.0 {
            return extent;
        }
        // Beyond 2^53 rows the product is rounded, by less than the margin.
        let rows = extent as f64 * share * (1.0 + MARGIN);
        extent.min((rows as u64).saturating_add(spare))
    }

    /// Learns from a run: at once where it kept more than was known, by and by where it kept less.
    pub fn note(&self, kept: u64, extent: u64) {
        if extent == 0 {
            return;
        }
        let seen = kept as f64 / extent as f64;
        let known = f64::from_bits(self.0.load(Ordering::Relaxed));
        let next = if known < 0.0 {
            seen
        } else {
            seen.max((known + seen) / 2.0)
        };
        self.0.store(next.to_bits(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_what_was_kept() {
        let share = Share::default();
        assert_eq!(share.rows(1000, 10), 1000);
        share.note(250, 1000);
        assert_eq!(share.rows(1 << 20, 100), (1 << 18) + (1 << 14) + 100);
        assert_eq!(share.rows(50, 100), 50);
        share.note(0, 0);
        share.note(1000, 1000);
        assert_eq!(share.rows(1000, 0), 1000);
        share.note(0, 1000);
        assert_eq!(share.rows(1600, 0), 850);
    }
}
