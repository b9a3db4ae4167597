//! The CPU backend.
pub mod abi;
pub mod crew;
pub mod driver;
pub mod rate;
pub mod unit;
