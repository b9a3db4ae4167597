//! The CPU backend of cuprous: a scheduled function becomes machine code ([`unit`]), which drivers run on every core.
//!
//! `vector` turns statements into instructions of an abstract machine with registers of some width (`isa`), iterations
//! side by side where that pays; `isa::cranelift` is that machine. `abi` is the contract with the drivers.

pub mod abi;
pub mod compile;
pub mod crew;
pub mod driver;
pub mod executor;
pub mod isa;
mod jit;
pub mod memory;
pub mod plan;
pub mod profile;
pub mod program;
pub mod rate;
pub mod transfer;
pub mod unit;
pub mod vector;
