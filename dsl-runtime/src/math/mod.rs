//! The mathematical functions: kernels of the language itself, one source for every backend and every vector width.
//! `legalize` inlines them wherever an operation's meaning is [`Meaning::Math`](crate::ir::op::Meaning).

mod circle;
pub mod cos;
pub mod erf;
pub mod exp;
pub mod ln;
pub mod powf;
pub mod powi;
pub mod sin;
pub mod tanh;

use crate::ir::{Func, ScalarOp, ScalarType};

/// The function that an operation means on operands of a type; none for operations that backends compute.
pub fn function(_op: ScalarOp, _ty: ScalarType) -> Option<&'static Func> {
    None
}
