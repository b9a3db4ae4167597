//! The CPU backend: from scheduled functions to machine code on every core.

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
