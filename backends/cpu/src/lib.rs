//! The CPU backend.
pub mod abi;
pub mod crew;
