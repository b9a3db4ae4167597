//! From one closure to several threads: the pools behind the places `cpu` and `cpu:N`, and the sharing of iterations
//! between their threads.
//!
//! The calling thread always works too. Nothing that is computed may depend on who computes it: [`Shares`] and
//! [`Tickets`] only decide which thread takes which iterations.

use rayon::ThreadPool;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The threads of a place.
#[derive(Debug)]
pub struct Crew {
    /// `None`: rayon's pool of the calling thread, which is the global one unless the user is in a pool of his own.
    pool: Option<ThreadPool>,
    /// How many threads work together, the calling one included; `None`: as many as rayon's pool has.
    fixed: Option<usize>,
}

/// The most threads of a place: more than the cores of any machine that it could use.
const MOST: usize = 4096;

impl Crew {
    /// The threads of rayon's pool.
    pub fn global() -> Crew {
        Crew {
            pool: None,
            fixed: None,
        }
    }

    /// `threads` threads, the calling one included: a pool of one less, none at all for 1.
    pub fn of(threads: usize) -> Result<Crew, String> {
        let pool = match threads {
            0 => return Err("a place needs at least 1 thread, as in `cpu:1`".into()),
            1 => None,
            // The system would run out of threads, or of memory for their stacks, in the middle of starting them.
            n if n > MOST => {
                return Err(format!(
                    "{n} threads are more than the {MOST} that a place may have"
                ));
            }
            _ => Some(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads - 1)
                    .thread_name(|k| format!("cuprous-{k}"))
                    .build()
                    .map_err(|error| format!("no pool of {threads} threads: {error}"))?,
            ),
        };
        Ok(Crew {
            pool,
            fixed: Some(threads),
        })
    }

    /// How many threads work together.
    pub fn threads(&self) -> usize {
        self.fixed.unwrap_or_else(rayon::current_num_threads)
    }

    /// Runs `work(0)`, …, `work(workers - 1)`, the first on the calling thread, and returns when all have returned.
    pub fn run(&self, workers: usize, work: impl Fn(usize) + Sync) {
        if workers <= 1 {
            return work(0);
        }
        match &self.pool {
            Some(pool) => pool.in_place_scope(|scope| spread(scope, workers, &work)),
            None => rayon::in_place_scope(|scope| spread(scope, workers, &work)),
        }
    }
}

fn spread<'a>(scope: &rayon::Scope<'a>, workers: usize, work: &'a (impl Fn(usize) + Sync)) {
    (1..workers).for_each(|worker| scope.spawn(move |_| work(worker)));
    work(0)
}

/// A number of grains, divided among workers: each takes from the front of its own share, so that it walks through memory
/// in order and finds in its cache what it left there, and then from the back of others'.
#[derive(Debug)]
pub struct Shares {
    /// The first grain and the one after the last of each worker, 32 bits each.
    shares: Vec<Share>,
}

/// On a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Share(AtomicU64);

fn pack(range: Range<u32>) -> u64 {
    (range.start as u64) << 32 | range.end as u64
}

fn unpack(word: u64) -> Range<u32> {
    (word >> 32) as u32..word as u32
}

impl Shares {
    /// `grains` grains for `workers` workers.
    pub fn new(grains: u32, workers: usize) -> Shares {
        let bound = |k: usize| (grains as u64 * k as u64 / workers as u64) as u32;
        Shares {
            shares: (0..workers)
                .map(|k| Share(AtomicU64::new(pack(bound(k)..bound(k + 1)))))
                .collect(),
        }
    }

    /// The next grain for this worker; `None` when all are taken.
    pub fn take(&self, worker: usize) -> Option<u32> {
        let own = &self.shares[worker].0;
        let mut seen = own.load(Ordering::Relaxed);
        loop {
            let range = unpack(seen);
            if range.is_empty() {
                break;
            }
            match own.compare_exchange_weak(
                seen,
                pack(range.start + 1..range.end),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(range.start),
                Err(now) => seen = now,
            }
        }
        self.steal(worker)
    }

    /// Takes half of what the richest other worker has left, and of it the first grain.
    fn steal(&self, worker: usize) -> Option<u32> {
        loop {
            let (victim, seen) = self
                .shares
                .iter()
                .map(|share| (share, share.0.load(Ordering::Relaxed)))
                .max_by_key(|(_, word)| unpack(*word).len())?;
            let range = unpack(seen);
            if range.is_empty() {
                return None;
            }
            let middle = range.end - (range.len() as u32).div_ceil(2);
            let exchange = victim.0.compare_exchange(
                seen,
                pack(range.start..middle),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if exchange.is_ok() {
                // Nobody else writes to an empty share.
                self.shares[worker]
                    .0
                    .store(pack(middle + 1..range.end), Ordering::Relaxed);
                return Some(middle);
            }
        }
    }
}

/// Grains that are handed out in ascending order, for work whose results are chained from one to the next: whoever holds a
/// ticket knows that all lower ones are held by running workers or done.
#[derive(Debug, Default)]
pub struct Tickets {
    next: AtomicU64,
}

impl Tickets {
    /// The next ticket.
    pub fn take(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// Whose turn it is: work that happens in the order of tickets.
#[derive(Debug, Default)]
pub struct Turn {
    done: AtomicU64,
}

impl Turn {
    /// Waits until all lower tickets have passed; false if `stop` was set meanwhile. Afterwards, everything that they wrote is
    /// visible.
    pub fn wait(&self, ticket: u64, stop: &AtomicBool) -> bool {
        let mut tries = 0u32;
        while self.done.load(Ordering::Acquire) != ticket {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            tries += 1;
            match tries {
                0..200 => std::hint::spin_loop(),
                200..2000 => std::thread::yield_now(),
                // The holder was put to sleep by the system.
                _ => std::thread::sleep(Duration::from_micros(50)),
            }
        }
        true
    }

    /// Lets the next ticket pass.
    pub fn pass(&self, ticket: u64) {
        self.done.store(ticket + 1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn each_grain_is_taken_once() {
        for workers in 1..=8 {
            for grains in [0u32, 1, 2, 7, 8, 100, 1001] {
                let crew = Crew::of(workers).unwrap();
                let shares = Shares::new(grains, workers);
                let taken: Vec<AtomicUsize> = (0..grains).map(|_| AtomicUsize::new(0)).collect();
                crew.run(workers, |worker| {
                    while let Some(grain) = shares.take(worker) {
                        taken[grain as usize].fetch_add(1, Ordering::Relaxed);
                    }
                });
                assert!(taken.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn turns_come_in_order() {
        let crew = Crew::of(4).unwrap();
        let (tickets, turn, stop) = (Tickets::default(), Turn::default(), AtomicBool::new(false));
        let log = std::sync::Mutex::new(vec![]);
        crew.run(4, |_| {
            loop {
                let ticket = tickets.take();
                if ticket >= 500 {
                    break;
                }
                assert!(turn.wait(ticket, &stop));
                log.lock().unwrap().push(ticket);
                turn.pass(ticket);
            }
        });
        assert_eq!(log.into_inner().unwrap(), (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn a_stop_ends_the_waiting() {
        assert!(!Turn::default().wait(1, &AtomicBool::new(true)));
    }

    #[test]
    fn works_from_inside_a_pool_of_the_users() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        for crew in [Crew::global(), Crew::of(2).unwrap()] {
            let count = AtomicUsize::new(0);
            pool.install(|| {
                crew.run(3, |_| {
                    count.fetch_add(1, Ordering::Relaxed);
                })
            });
            assert_eq!(count.into_inner(), 3);
        }
    }

    #[test]
    fn zero_threads_are_refused() {
        assert!(Crew::of(0).is_err());
    }
}
