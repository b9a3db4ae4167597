//! From the surface tree to the IR: [`infer`] gives every expression its type, [`lower`] turns the typed tree into
//! statements, inlining the kernels that it calls.

mod code;
pub mod infer;
pub mod lower;
pub mod method;
pub mod ty;
