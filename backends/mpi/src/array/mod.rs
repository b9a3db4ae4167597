//! Arrays that are cut among ranks: who has which rows, memory for them, and how rows come from others.

pub mod cut;
mod distribution;
pub mod rows;
mod window;

pub use distribution::Distribution;
pub use window::{Room, Window};
