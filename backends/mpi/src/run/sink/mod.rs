//! What becomes of the values of a par on all ranks: a file for each kind.

mod filter;
mod map;
mod scan;
mod scatter;
