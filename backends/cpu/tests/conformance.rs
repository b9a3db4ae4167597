//! The conformance suite at every number of threads.

use cuprous_cpu::Cpu;
use dsl_runtime::backend::Backend;
use dsl_runtime::conformance;

fn conforms(place: impl Backend) {
    conformance::check(&place);
}

#[test]
fn on_rayons_pool() {
    conforms(Cpu::new());
}

#[test]
fn on_one_thread() {
    conforms(Cpu::with_threads(1).unwrap());
}

#[test]
fn on_three_threads() {
    conforms(Cpu::with_threads(3).unwrap());
}
