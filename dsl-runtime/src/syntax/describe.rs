//! What rustc knows and a macro cannot: the meaning of a type's path, and the value of a constant's path.

use super::{Len, Scalar, Type};
use crate::tuple::for_each_tuple;
use ndarray::{Array, ArrayRef, Dimension, OwnedRepr, ViewRepr};

/// A type that a kernel can name: its structure as a constant. Resolves aliases.
///
/// ```
/// use dsl_runtime::syntax::{Describe, Scalar, Type};
/// type Metres = f64;
/// assert_eq!(<Metres as Describe>::TYPE, Type::Scalar(Scalar::F64));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type of the kernel language",
    label = "not a kernel type",
    note = "use a scalar, a tuple, `[T; N]`, `&[T]`, `Vec<T>` or an ndarray array of them"
)]
pub trait Describe {
    /// The structure.
    const TYPE: Type;
}

/// A constant of the user's crate, as a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A scalar: its type and its bits, zero-extended (`bool` is 0 or 1).
    Scalar(Scalar, u64),
    /// A tuple.
    Tuple(Vec<Constant>),
    /// A fixed array, or a slice (`true`): its members, and the type of an element.
    Array(Vec<Constant>, Type, bool),
}

/// A value that can stand as a constant in a kernel.
#[diagnostic::on_unimplemented(
    message = "a constant of type `{Self}` cannot be used in a kernel",
    label = "not a kernel constant",
    note = "scalars, tuples, fixed arrays and slices of them can; pass anything else as an argument"
)]
pub trait IntoConstant {
    /// Reads it.
    fn constant(&self) -> Constant;
}

macro_rules! scalars {
    ($($t:ty, $s:ident, $v:ident => $bits:expr;)*) => {$(
        impl Describe for $t {
            const TYPE: Type = Type::Scalar(Scalar::$s);
        }
        impl IntoConstant for $t {
            fn constant(&self) -> Constant {
                let $v = *self;
                Constant::Scalar(Scalar::$s, $bits)
            }
        }
    )*};
}
scalars! {
    bool, Bool, v => v as u64;
    i8, I8, v => v as u8 as u64;
    i16, I16, v => v as u16 as u64;
    i32, I32, v => v as u32 as u64;
    i64, I64, v => v as u64;
    isize, Isize, v => v as u64;
    u8, U8, v => v as u64;
    u16, U16, v => v as u64;
    u32, U32, v => v as u64;
    u64, U64, v => v;
    usize, Usize, v => v as u64;
    f32, F32, v => v.to_bits() as u64;
    f64, F64, v => v.to_bits();
}

macro_rules! tuples {
    ($($($t:ident $o:ident $i:tt),*;)*) => {$(
        impl<$($t: Describe),*> Describe for ($($t,)*) {
            const TYPE: Type = Type::Tuple(&[$($t::TYPE),*]);
        }
        impl<$($t: IntoConstant),*> IntoConstant for ($($t,)*) {
            fn constant(&self) -> Constant {
                Constant::Tuple(vec![$(self.$i.constant()),*])
            }
        }
    )*};
}
tuples! { ; }
for_each_tuple!(tuples);

impl<T: Describe, const N: usize> Describe for [T; N] {
    const TYPE: Type = Type::Array {
        element: &T::TYPE,
        len: Len::Known(N),
    };
}
impl<T: IntoConstant + Describe, const N: usize> IntoConstant for [T; N] {
    fn constant(&self) -> Constant {
        Constant::Array(self.iter().map(T::constant).collect(), T::TYPE, false)
    }
}
impl<T: IntoConstant + Describe> IntoConstant for [T] {
    fn constant(&self) -> Constant {
        Constant::Array(self.iter().map(T::constant).collect(), T::TYPE, true)
    }
}
impl<T: IntoConstant + ?Sized> IntoConstant for &T {
    fn constant(&self) -> Constant {
        (**self).constant()
    }
}
impl<T: Describe> Describe for [T] {
    const TYPE: Type = Type::Slice(&T::TYPE);
}
impl<T: Describe> Describe for Vec<T> {
    const TYPE: Type = Type::Vec(&T::TYPE);
}
impl<T: Describe> Describe for Option<T> {
    const TYPE: Type = Type::Option(&T::TYPE);
}
impl<T: Describe + ?Sized> Describe for &T {
    const TYPE: Type = Type::Ref {
        to: &T::TYPE,
        mutable: false,
    };
}
impl<T: Describe + ?Sized> Describe for &mut T {
    const TYPE: Type = Type::Ref {
        to: &T::TYPE,
        mutable: true,
    };
}
const fn rank<D: Dimension>() -> usize {
    match D::NDIM {
        Some(rank) => rank,
        None => 0,
    }
}
impl<T: Describe, D: Dimension> Describe for ndarray::ArrayBase<OwnedRepr<T>, D> {
    const TYPE: Type = Type::Nd {
        rank: rank::<D>(),
        element: &T::TYPE,
    };
}
impl<T: Describe, D: Dimension> Describe for ndarray::ArrayBase<ViewRepr<&T>, D> {
    const TYPE: Type = Type::Nd {
        rank: rank::<D>(),
        element: &T::TYPE,
    };
}
impl<T: Describe, D: Dimension> Describe for ArrayRef<T, D> {
    const TYPE: Type = Type::Nd {
        rank: rank::<D>(),
        element: &T::TYPE,
    };
}
#[allow(dead_code)]
fn array_is_covered<T: Describe, D: Dimension>() -> Type {
    <Array<T, D> as Describe>::TYPE
}
