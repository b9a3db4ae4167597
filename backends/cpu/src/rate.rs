//! How long an iteration of a par takes, learnt from the runs: from it follow whether a run is worth several threads, and how
//! long its chunks are. It never changes a result.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Nanoseconds for an iteration.
#[derive(Debug)]
pub struct Rate(AtomicU32);

/// What a second thread must save before it is woken, in nanoseconds.
const WAKE: f64 = 16_000.0;
/// The shortest chunk worth handing out, in nanoseconds.
const CHUNK: f64 = 8_000.0;
/// The longest chunk: shares stay even.
const LONGEST: f64 = 400_000.0;
/// Shorter runs are not measured: the clock would cost a part of them.
const MEASURED: f64 = 2_000.0;

impl Rate {
    /// A first guess, from the number of operations of an iteration.
    pub fn guess(operations: f64) -> Rate {
        Rate(AtomicU32::new(((operations * 0.3) as f32).to_bits()))
    }

    fn nanoseconds(&self, iterations: u64) -> f64 {
        f32::from_bits(self.0.load(Ordering::Relaxed)) as f64 * iterations as f64
    }

    /// How many threads so many iterations are worth.
    pub fn worth(&self, iterations: u64) -> usize {
        (self.nanoseconds(iterations) / WAKE).clamp(1.0, 1e6) as usize
    }

    /// Iterations of a chunk, for several workers.
    pub fn grain(&self, iterations: u64, workers: usize) -> u64 {
        let each = self.nanoseconds(1).max(1e-3);
        let even = iterations as f64 / (workers as f64 * 8.0);
        even.clamp(CHUNK / each, LONGEST / each) as u64
    }

    /// Whether a run of so many iterations is worth measuring.
    pub fn measures(&self, iterations: u64) -> bool {
        self.nanoseconds(iterations) > MEASURED
    }

    /// Corrects the rate by what was measured.
    pub fn note(&self, time: Duration, iterations: u64) {
        if iterations > 0 {
            let seen = time.as_nanos() as f64 / iterations as f64;
            let known = self.nanoseconds(1);
            self.0
                .store((((known + seen) / 2.0) as f32).to_bits(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_what_is_worth_several_threads() {
        let rate = Rate::guess(1.0);
        assert_eq!(rate.worth(1000), 1);
        assert!(rate.worth(10_000_000) > 8);
        for _ in 0..20 {
            rate.note(Duration::from_micros(1000), 1000);
        }
        assert!(rate.worth(1000) > 8);
        assert!(rate.grain(1000, 4) <= 1000 / 4);
    }
}
