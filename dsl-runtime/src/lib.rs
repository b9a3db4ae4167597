//! The language, the IR, the passes, arrays and calls of cuprous. Knows no device, starts no thread.
pub mod array;
pub mod backend;
pub mod elaborate;
pub mod ir;
pub mod math;
pub mod pass;
pub mod syntax;
