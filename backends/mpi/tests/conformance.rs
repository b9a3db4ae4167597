//! The conformance suite on ranks that are threads: all say the same, and what the interpreter says.
//!
//! `CUPROUS_CONFORMANCE_PART=sink` runs that folder of the suite only.

use cuprous_cpu::Cpu;
use cuprous_interp::Interp;
use cuprous_mpi::comm::threads;
use cuprous_mpi::{Distributed, Job, Policy};
use dsl_runtime::backend::Backend;
use dsl_runtime::conformance::{self, Limit};
use std::path::Path;
use std::sync::Arc;

/// What is small is shared too, evenly, so that there is something to say in short runs.
const EAGER: Policy = Policy {
    small: 0,
    blocks: false,
};

fn conforms(ranks: usize, policy: Policy, inner: impl Fn() -> Arc<dyn Backend> + Sync) {
    let part = std::env::var("CUPROUS_CONFORMANCE_PART").unwrap_or_default();
    let dir = Path::new(conformance::DIR).join(part);
    let reports = threads::run(ranks, |comm| {
        let place = Distributed::new(&Job::new(comm, policy), inner());
        conformance::run_limited(&place, &dir, Limit::default())
    });
    for (rank, report) in reports.iter().enumerate() {
        assert!(!report.outcomes.is_empty(), "there is no suite at {dir:?}");
        assert!(
            report.failed().next().is_none(),
            "rank {rank} of {ranks}: {report}"
        );
    }
    println!("{ranks} ranks: {}", reports[0]);
}

fn interp() -> Arc<dyn Backend> {
    Arc::new(Interp)
}

fn cpu() -> Arc<dyn Backend> {
    Arc::new(Cpu::with_threads(1).expect("one thread"))
}

#[test]
fn one_rank() {
    conforms(1, Policy::default(), interp);
}

#[test]
fn two_ranks() {
    conforms(2, Policy::default(), interp);
}

#[test]
fn two_eager_ranks() {
    conforms(2, EAGER, interp);
}

#[test]
fn three_eager_ranks() {
    conforms(3, EAGER, interp);
}

#[test]
fn four_ranks_of_processors() {
    conforms(4, EAGER, cpu);
}

#[test]
fn seven_eager_ranks() {
    conforms(7, EAGER, interp);
}

#[test]
fn three_ranks_of_processors() {
    conforms(3, Policy::default(), cpu);
}

#[test]
fn two_eager_ranks_of_processors() {
    conforms(2, EAGER, cpu);
}
