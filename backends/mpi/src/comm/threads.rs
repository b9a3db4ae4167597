//! Ranks that are threads of one process. Messages are copied into the mailbox of the receiver.
//!
//! Nobody waits for a rank that has ended, by a panic or by a return: who expects a message of it gets [`Broken::Gone`].

use super::own::{Counter, deliver, fill};
use super::part::part;
use super::{Broken, Communicator, Receive, Send, Sent};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Builder};

/// Runs `body` on as many threads, each of which is a rank, and returns what each returns.
///
/// # Panics
/// With the panic of the rank that panicked first, when all have ended.
pub fn run<T: std::marker::Send>(
    ranks: usize,
    body: impl Fn(Box<dyn Communicator>) -> T + Sync,
) -> Vec<T> {
    let house = Arc::new(House {
        doors: (0..ranks).map(|_| Door::default()).collect(),
        contexts: AtomicU64::new(1),
        first: OnceLock::new(),
    });
    let mut ends: Vec<thread::Result<T>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..ranks)
            .map(|rank| {
                let (house, body) = (&house, &body);
                Builder::new()
                    .name(format!("rank {rank}"))
                    .spawn_scoped(scope, move || {
                        let _leave = Leave { house, rank };
                        body(Box::new(Rank::of_all(house.clone(), rank)))
                    })
                    .expect("a thread for every rank")
            })
            .collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    if let Some(&rank) = house.first.get() {
        // The others that panicked did so because this one was gone.
        ends.swap(0, rank);
    }
    ends.into_iter()
        .map(|end| end.unwrap_or_else(|panic| resume_unwind(panic)))
        .collect()
}

/// Where the ranks live.
struct House {
    doors: Vec<Door>,
    /// The next context: messages of different communicators are told apart by it.
    contexts: AtomicU64,
    /// The rank that panicked first.
    first: OnceLock<usize>,
}

/// What belongs to a rank.
#[derive(Default)]
struct Door {
    letters: Mutex<Letters>,
    arrived: Condvar,
    gone: AtomicBool,
}

/// The messages for a rank, by context and sender.
type Letters = HashMap<(u64, usize), VecDeque<Vec<u8>>>;

impl Door {
    fn open(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl House {
    fn put(&self, to: usize, context: u64, from: usize, bytes: Vec<u8>) {
        let door = &self.doors[to];
        let mut letters = door.open();
        letters.entry((context, from)).or_default().push_back(bytes);
        door.arrived.notify_all();
    }

    /// Waits for a message; none if its sender has ended.
    fn take(&self, to: usize, context: u64, from: usize) -> Option<Vec<u8>> {
        let door = &self.doors[to];
        let mut letters = door.open();
        loop {
            let queue = letters.get_mut(&(context, from));
            if let Some(bytes) = queue.and_then(VecDeque::pop_front) {
                return Some(bytes);
            }
            if self.doors[from].gone.load(Ordering::Acquire) {
                return None;
            }
            letters = door
                .arrived
                .wait(letters)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that a rank has ended, however it does.
struct Leave<'a> {
    house: &'a House,
    rank: usize,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.house.first.get_or_init(|| self.rank);
        }
        self.house.doors[self.rank]
            .gone
            .store(true, Ordering::Release);
        for door in &self.house.doors {
            // Who waits has looked before this lock is had, or looks after.
            drop(door.open());
            door.arrived.notify_all();
        }
    }
}

/// A rank of a communicator.
struct Rank {
    house: Arc<House>,
    context: u64,
    /// The threads that are in this communicator, in the order of their ranks in it.
    members: Vec<usize>,
    rank: usize,
    counter: Arc<Counter>,
}

impl Rank {
    fn of_all(house: Arc<House>, rank: usize) -> Rank {
        Rank {
            members: (0..house.doors.len()).collect(),
            house,
            context: 0,
            rank,
            counter: Arc::default(),
        }
    }

    /// The thread that is this rank.
    fn thread(&self, rank: usize) -> Result<usize, Broken> {
        self.members.get(rank).copied().ok_or(Broken::Gone { rank })
    }
}

impl fmt::Debug for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} of {}", self.rank, self.members.len())
    }
}

impl Communicator for Rank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.members.len()
    }

    fn overlap(
        &self,
        sends: &[Send<'_>],
        receives: &mut [Receive<'_>],
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        let me = self.members[self.rank];
        for send in sends.iter().filter(|send| send.to != self.rank) {
            self.counter.add(send.bytes.len());
            let to = self.thread(send.to)?;
            self.house.put(to, self.context, me, send.bytes.to_vec());
        }
        work();
        deliver(self.rank, sends, receives)?;
        for receive in receives.iter_mut().filter(|other| other.from != self.rank) {
            let rank = receive.from;
            let bytes = self.house.take(me, self.context, self.thread(rank)?);
            let bytes = bytes.ok_or(Broken::Gone { rank })?;
            fill(rank, &bytes, receive.into)?;
        }
        Ok(())
    }

    fn split(&self, color: u64, key: u64) -> Result<Box<dyn Communicator>, Broken> {
        let context = self.house.contexts.fetch_add(1, Ordering::Relaxed);
        let part = part(self, color, key, context)?;
        Ok(Box::new(Rank {
            house: self.house.clone(),
            context: part.word,
            members: part
                .members
                .iter()
                .map(|&rank| self.members[rank])
                .collect(),
            rank: part.position,
            counter: self.counter.clone(),
        }))
    }

    /// Panics: the others find that this rank is gone.
    fn abort(&self, text: &str) -> ! {
        panic!("{text}");
    }

    fn sent(&self) -> Sent {
        self.counter.sent()
    }
}
