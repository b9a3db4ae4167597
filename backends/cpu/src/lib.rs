//! The CPU backend.
pub mod abi;
pub mod crew;
pub mod driver;
pub mod executor;
pub mod memory;
pub mod plan;
pub mod profile;
pub mod rate;
pub mod transfer;
pub mod unit;
