//! How a primitive fails in plain Rust: a panic at the user's line with the text of the table of faults.

use crate::ir::Fault;
use std::fmt::Display;

/// Panics with the fault's text, its operands put in.
#[cold]
#[track_caller]
pub(crate) fn fail(fault: Fault, operands: &[&dyn Display]) -> ! {
    let mut text = fault.text().to_string();
    for from in 0..operands.len() {
        let rest: Vec<String> = operands[from..].iter().map(|one| one.to_string()).collect();
        text = text.replace(&format!("{{{from}..}}"), &rest.join(", "));
    }
    for (i, operand) in operands.iter().enumerate() {
        text = text.replace(&format!("{{{i}}}"), &operand.to_string());
    }
    panic!("{text}")
}

/// Fails unless two sequences used together are equally long.
#[track_caller]
pub(super) fn same_length(left: usize, right: usize) {
    if left != right {
        fail(Fault::LengthMismatch, &[&left, &right]);
    }
}

/// Fails on a step, window or chunk of length 0.
#[track_caller]
pub(super) fn nonzero_step(k: usize) {
    if k == 0 {
        fail(Fault::ZeroStep, &[]);
    }
}

/// An empty vector with room for `n` elements; fails where memory has none.
#[track_caller]
pub(super) fn room<T>(n: usize) -> Vec<T> {
    let mut out = Vec::new();
    if out.try_reserve_exact(n).is_err() {
        fail(Fault::SizeOverflow, &[&n]);
    }
    out
}

/// The `n` items of an iterator.
#[track_caller]
pub(super) fn collect<T>(n: usize, items: impl Iterator<Item = T>) -> Vec<T> {
    let mut out = room(n);
    out.extend(items);
    out
}
