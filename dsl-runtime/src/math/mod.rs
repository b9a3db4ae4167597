//! The mathematical functions: kernels of the language itself, one source for every backend and every vector width.
//! `legalize` inlines them wherever an operation's meaning is [`Meaning::Math`](crate::ir::op::Meaning).

use crate::ir::{Func, ScalarOp, ScalarType};

/// The function that an operation means on operands of a type; none for operations that backends compute.
pub fn function(_op: ScalarOp, _ty: ScalarType) -> Option<&'static Func> {
    None
}
