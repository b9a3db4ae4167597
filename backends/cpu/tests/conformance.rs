//! The conformance suite at every number of threads.

use cuprous_cpu::{Cpu, profile};
use dsl_runtime::backend::Backend;
use dsl_runtime::conformance;

fn conforms(place: impl Backend) {
    conformance::check(&place);
}

#[test]
fn on_rayons_pool() {
    conforms(Cpu::new());
}

/// One thread does all the work of its runs, so its counters say whether any run, failing ones among them, has kept an
/// array.
#[test]
fn on_one_thread() {
    let before = profile::read();
    conforms(Cpu::with_threads(1).unwrap());
    let after = profile::read();
    let taken = after.allocations - before.allocations;
    assert!(taken > 1000, "the suite makes {taken} arrays");
    assert_eq!(after.ends - before.ends, taken);
}

#[test]
fn on_three_threads() {
    conforms(Cpu::with_threads(3).unwrap());
}
