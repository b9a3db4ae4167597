//! The contract with users, clause by clause: arguments, results, arrays, places, what the macro emits, errors, edges,
//! threads, memory, devices, the tool.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]
#![deny(warnings, missing_docs, unused_qualifications)]
#![deny(unsafe_code)]

#[path = "api/absent.rs"]
mod absent;
#[path = "api/argument.rs"]
mod argument;
#[path = "api/array.rs"]
mod array;
#[path = "api/device.rs"]
mod device;
#[path = "api/edge.rs"]
mod edge;
#[path = "api/emission.rs"]
mod emission;
#[path = "api/fact.rs"]
mod fact;
#[path = "api/failure.rs"]
mod failure;
#[path = "first/kernel.rs"]
mod first;
#[path = "api/memory.rs"]
mod memory;
#[path = "api/opencl.rs"]
mod opencl;
#[path = "api/order.rs"]
mod order;
#[path = "api/place.rs"]
mod place;
#[path = "api/result.rs"]
mod result;
#[path = "api/thread.rs"]
mod thread;
#[path = "api/tool.rs"]
mod tool;

use cuprous::prelude::Place;
use std::process::{Command, Output};

/// The places whose results are bit-identical.
fn compiled() -> impl Iterator<Item = Place> {
    let devices = Place::opencl_devices();
    [Place::interp(), Place::cpu()].into_iter().chain(devices)
}

/// Set in a process that [`alone`] begins.
const ALONE: &str = "CUPROUS_TEST_ALONE";

/// Whether this process runs for [`alone`].
fn is_alone() -> bool {
    std::env::var_os(ALONE).is_some()
}

/// Runs one of these tests, by its path, once more in a process of its own; [`is_alone`] tells it so.
fn alone(test: &str, prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", test])
        .env(ALONE, "1");
    prepare(&mut command);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test\n"), "{test}: {text}");
    output
}
