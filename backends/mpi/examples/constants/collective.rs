//! The collective operations, with the costs of their documentation.

use super::measure::Case;
use super::model::{Cost, levels};
use cuprous_mpi::comm::Communicator;
use cuprous_mpi::comm::collective::{all_gather_equal, all_to_all, barrier, broadcast, reduce};

/// The longer parts.
const LONG: usize = 64 << 10;

/// All that are measured.
pub fn all(comm: &dyn Communicator) -> Vec<Case> {
    let (ranks, levels) = (comm.size(), levels(comm.size()));
    let others = ranks as f64 - 1.0;
    let cost = |messages, bytes| Cost { messages, bytes };
    let mut cases = vec![Case::new("barrier".into(), cost(levels, 0.0), barrier)];
    for size in [8, LONG] {
        let mut bytes = vec![1; size];
        // The root of a broadcast waits for nobody: without the barrier it would be at the next one already.
        cases.push(Case::new(
            format!("broadcast of {size} B, barrier"),
            cost(2.0 * levels, levels * size as f64),
            move |comm| {
                broadcast(comm, 0, &mut bytes)?;
                barrier(comm)
            },
        ));
    }
    for size in [8, LONG] {
        let part = vec![1; size];
        cases.push(Case::new(
            format!("all_gather_equal of {size} B"),
            cost(levels, others * size as f64),
            move |comm| all_gather_equal(comm, &part).map(drop),
        ));
    }
    cases.push(Case::new(
        "reduce of 8 B".into(),
        cost(2.0 * levels, 16.0 * others),
        |comm| reduce(comm, &[1; 8], |left, _| left.to_vec()).map(drop),
    ));
    for size in [8, LONG] {
        let parts = vec![vec![1; size]; ranks];
        let lengths = levels * 4.0 * (others + 2.0);
        cases.push(Case::new(
            format!("all_to_all of {size} B a pair"),
            cost(levels + others, lengths + others * size as f64),
            move |comm| all_to_all(comm, &parts).map(drop),
        ));
    }
    cases
}
