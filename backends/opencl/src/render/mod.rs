//! From the IR to OpenCL C that a person can read.

pub mod array;
pub mod body;
pub mod lanes;
pub mod nest;
pub mod op;
mod own;
pub mod text;
pub mod types;
