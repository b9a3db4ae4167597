//! The sinks, one file each: what a sink adds to the code of a body, and how a wide par's kernels share its work.

pub mod collect;
pub mod filter;
pub mod reduce;
pub mod scan;
pub mod scatter;
pub mod scatter_with;
