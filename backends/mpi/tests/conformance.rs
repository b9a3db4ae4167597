//! The conformance suite on ranks that are threads: all say the same, and what the interpreter says.

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
        assert!(!report.outcomes.is_empty());
        assert!(report.failed().next().is_none(), "rank {rank} of {ranks}: {report}");
    }
    println!("{ranks} ranks: {}", reports[0]);
}

#[test]
fn two_eager_ranks() {
    conforms(2, EAGER, || Arc::new(Interp));
}

#[test]
fn three_ranks() {
    conforms(3, Policy::default(), || Arc::new(Interp));
}
