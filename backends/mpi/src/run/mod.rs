//! Running a function on all ranks: from arguments to results, one step after the other.

pub mod held;
pub mod ledger;
pub mod program;
pub mod share;
mod sink;
pub mod walk;
