//! The contract with users, clause by clause: arguments, results, arrays, places, what the macro emits, errors, edges,
//! threads, memory, the tool.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]
#![deny(warnings, missing_docs, unused_qualifications)]
#![deny(unsafe_code)]

#[path = "api/argument.rs"]
mod argument;
#[path = "api/array.rs"]
mod array;
#[path = "api/edge.rs"]
mod edge;
#[path = "api/emission.rs"]
mod emission;
#[path = "api/failure.rs"]
mod failure;
#[path = "api/memory.rs"]
mod memory;
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

/// The places whose results are bit-identical.
fn compiled() -> impl Iterator<Item = Place> {
    [Place::interp(), Place::cpu()].into_iter()
}
