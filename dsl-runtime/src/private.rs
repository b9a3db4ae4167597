//! What generated code names. No part of the public interface: it changes without notice.

pub mod known;

pub use crate::array::Element;
pub use crate::call::{
    Args, Call, Entry, Kernel, NdArg, Output, Param, SliceArg, pass_array_mut, pass_slice_mut,
};
pub use crate::elaborate::ty::GenericArg;
pub use crate::syntax;
pub use ndarray;
pub use std::any::TypeId;

use crate::elaborate::ty::Ty;
use crate::syntax::{Describe, Len, Type};

/// A type that stands for a type parameter of a kernel.
pub fn type_arg<T: Describe>() -> GenericArg {
    GenericArg::Type(ty(&T::TYPE))
}

/// A number that stands for a const parameter of a kernel.
pub fn const_arg(value: usize) -> GenericArg {
    GenericArg::Const(value)
}

/// The type that [`Describe`] tells; what can stand for a type parameter consists of scalars, tuples and fixed arrays.
fn ty(described: &Type) -> Ty {
    match described {
        Type::Scalar(scalar) => Ty::Scalar(*scalar),
        Type::Known(known) => ty(known),
        Type::Tuple(members) => Ty::Tuple(members.iter().map(ty).collect()),
        Type::Array {
            element,
            len: Len::Known(len),
        } => Ty::Array(Box::new(ty(element)), *len),
        Type::Ref { to, .. } => ty(to),
        Type::Slice(element) | Type::Vec(element) => Ty::Seq(Box::new(ty(element))),
        Type::Nd { rank, element } => Ty::Nd(*rank, Box::new(ty(element))),
        Type::Option(inner) => Ty::Option(Box::new(ty(inner))),
        Type::Infer | Type::Param(_) | Type::Array { .. } | Type::Fn { .. } | Type::Never => {
            Ty::Never
        }
    }
}
