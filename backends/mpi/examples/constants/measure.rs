//! Times of calls that all ranks make together.

use super::model::Cost;
use cuprous_mpi::comm::collective::{all_gather_equal, barrier, broadcast};
use cuprous_mpi::comm::{Broken, Communicator};
use std::time::{Duration, Instant};

/// How often each case is measured.
const ROUNDS: usize = 31;

/// How long one measurement is to take at least: many calls, where one is short.
const SAMPLE: f64 = 2e-3;

/// A call.
pub struct Case {
    /// What it is.
    pub name: String,
    /// What the documentation says that a rank sends, at most.
    pub cost: Cost,
    call: Call,
}

/// Does it, and says how long it took to make ready for it, which does not count.
type Call = Box<dyn FnMut(&dyn Communicator) -> Result<Duration, Broken>>;

impl Case {
    /// A call of a cost.
    pub fn new(
        name: String,
        cost: Cost,
        mut call: impl FnMut(&dyn Communicator) -> Result<(), Broken> + 'static,
    ) -> Case {
        let call = move |comm: &dyn Communicator| call(comm).map(|()| Duration::ZERO);
        Case {
            name,
            cost,
            call: Box::new(call),
        }
    }

    /// A call of bytes that have just been written: they are in the cache of who sends them, and in no other.
    pub fn of_written(
        name: String,
        cost: Cost,
        mut bytes: Vec<u8>,
        mut call: impl FnMut(&dyn Communicator, &[u8]) -> Result<(), Broken> + 'static,
    ) -> Case {
        let call = move |comm: &dyn Communicator| {
            let start = Instant::now();
            for line in bytes.chunks_mut(64) {
                line[0] = line[0].wrapping_add(1);
            }
            let ready = start.elapsed();
            call(comm, &bytes).map(|()| ready)
        };
        Case {
            name,
            cost,
            call: Box::new(call),
        }
    }

    /// Seconds of a call, by this rank's clock, of so many.
    fn seconds(&mut self, comm: &dyn Communicator, calls: usize) -> Result<f64, Broken> {
        barrier(comm)?;
        let (start, mut ready) = (Instant::now(), Duration::ZERO);
        for _ in 0..calls {
            ready += (self.call)(comm)?;
        }
        Ok((start.elapsed() - ready).as_secs_f64() / calls as f64)
    }

    /// How many calls make a sample: the first rank says so. What is sent is counted meanwhile.
    fn calls(&mut self, comm: &dyn Communicator) -> Result<usize, Broken> {
        let before = comm.sent();
        (self.call)(comm)?;
        let sent = comm.sent() - before;
        let (messages, bytes) = (sent.messages as f64, sent.bytes as f64);
        assert!(
            messages <= self.cost.messages && bytes <= self.cost.bytes,
            "{}: {sent:?} is more than {:?}",
            self.name,
            self.cost
        );
        let once = self.seconds(comm, 3)?;
        let mut calls = ((SAMPLE / once).ceil().clamp(1.0, 5000.0) as u64).to_le_bytes();
        broadcast(comm, 0, &mut calls)?;
        Ok(u64::from_le_bytes(calls) as usize)
    }
}

/// Seconds of a call of each case: the median over rounds of the time of the slowest rank. Each round has all cases.
pub fn medians(comm: &dyn Communicator, mut cases: Vec<Case>) -> Result<Vec<f64>, Broken> {
    let mut calls = vec![];
    for case in &mut cases {
        calls.push(case.calls(comm)?);
    }
    let mut mine: Vec<u8> = vec![];
    for _ in 0..ROUNDS {
        for (case, &calls) in cases.iter_mut().zip(&calls) {
            mine.extend(case.seconds(comm, calls)?.to_le_bytes());
        }
    }
    let all = all_gather_equal(comm, &mine)?;
    let second = |rank: usize, round: usize, case: usize| {
        let at = rank * mine.len() + 8 * (round * cases.len() + case);
        f64::from_le_bytes(std::array::from_fn(|byte| all[at + byte]))
    };
    let median = |case: usize| {
        let mut rounds: Vec<f64> = (0..ROUNDS)
            .map(|round| {
                let ranks = (0..comm.size()).map(|rank| second(rank, round, case));
                ranks.fold(0.0, f64::max)
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        rounds[ROUNDS / 2]
    };
    Ok((0..cases.len()).map(median).collect())
}
