//! The traits of generic kernels: what `T: Scalar`, `T: Real` and `T: Int` can do in plain Rust.

use crate::array::Element;
use num_traits::{
    Float, FloatConst, FromPrimitive, NumAssign, NumRef, PrimInt, ToPrimitive, WrappingAdd,
    WrappingMul, WrappingSub,
};
use std::fmt::{Debug, Display};
use std::iter::{Product, Sum};

/// A number: any integer type, `f32` or `f64`. Operators, comparison, sums, `T::zero()`, `T::one()`,
/// `T::from_usize(n)` and `x.to_f64()` of `num_traits`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
///     x.zip(y).map(|(x, y)| x * y).sum()
/// }
/// assert_eq!(dot(&[1, 2], &[3, 4]), 11);
/// assert_eq!(dot(&[0.5, 2.0], &[4.0, 1.0]), 4.0);
/// ```
pub trait Scalar:
    Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + Ordered
    + NumRef
    + NumAssign
    + FromPrimitive
    + ToPrimitive
    + Sum
    + Product
    + for<'a> Sum<&'a Self>
    + for<'a> Product<&'a Self>
    + Element
{
}

/// `f32` or `f64`: the methods of `num_traits::Float` and of [`Special`], constants such as `T::PI()`, and
/// [`of`](Real::of) for literals.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// fn bell<T: Real>(x: &[T], width: T) -> Vec<T> {
///     x.map(|v| (-T::of(0.5) * (v / width).powi(2)).exp())
/// }
/// assert_eq!(bell(&[0.0f32, 2.0], 1.0), [1.0, (-2.0f32).exp()]);
/// assert_eq!(bell(&[0.0f64, 2.0], 1.0), [1.0, (-2.0f64).exp()]);
/// ```
pub trait Real: Scalar + Float + FloatConst + Special {
    /// The number nearest to `value`: `T::of(0.5)` is how a generic kernel writes `0.5`.
    fn of(value: f64) -> Self;
}

/// An integer type: the methods of `num_traits::PrimInt`, and `wrapping_add`, `wrapping_sub`, `wrapping_mul`, which take
/// their operand by reference.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// fn mix<T: Int>(x: &[T]) -> T {
///     x.reduce(T::zero(), |a, b| a.rotate_left(3) ^ b)
/// }
/// assert_eq!(mix(&[1u8, 0, 0]), 64);
/// ```
pub trait Int: Scalar + PrimInt + WrappingAdd + WrappingSub + WrappingMul {}

/// The order that `minimum`, `maximum`, `argmin` and `argmax` use.
pub trait Ordered: Copy {
    /// Whether it is a number at all: not a NaN.
    fn is_number(self) -> bool;
    /// Whether it stands before another number; -0.0 stands before 0.0.
    fn below(self, other: Self) -> bool;
}

/// Functions of mathematics that std does not have.
///
/// The plain value is that of a C library; compiled, they are the language's own, the same bits on every place.
pub trait Special: Sized {
    /// The error function, 2/√π times the integral of exp(-t²) from 0 to `self`; at most 1 ulp off.
    ///
    /// ```
    /// # #![allow(unstable_name_collisions)]
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!(0.5f64.erf(), 0.520_499_877_813_046_5);
    /// assert_eq!(f32::NEG_INFINITY.erf(), -1.0);
    /// ```
    fn erf(self) -> Self;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Scalar for $t {}
        impl Int for $t {}
        impl Ordered for $t {
            fn is_number(self) -> bool {
                true
            }
            fn below(self, other: $t) -> bool {
                self < other
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! floats {
    ($($t:ty, $erf:path;)*) => {$(
        impl Scalar for $t {}
        impl Real for $t {
            fn of(value: f64) -> $t {
                value as $t
            }
        }
        impl Ordered for $t {
            fn is_number(self) -> bool {
                !self.is_nan()
            }
            fn below(self, other: $t) -> bool {
                self.total_cmp(&other).is_lt()
            }
        }
        impl Special for $t {
            fn erf(self) -> $t {
                $erf(self)
            }
        }
    )*};
}
floats! {
    f32, libm::erff;
    f64, libm::erf;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values computed with 40 digits, rounded.
    const ERF: [(f64, f64); 9] = [
        (1e-300, 1.128_379_167_095_512_6e-300),
        (0.000_976_562_5, 0.001_101_932_430_071_814_7),
        (0.25, 0.276_326_390_168_236_96),
        (0.5, 0.520_499_877_813_046_5),
        (0.84375, 0.767_225_661_232_341_6),
        (1.0, 0.842_700_792_949_714_9),
        (2.0, 0.995_322_265_018_952_7),
        (3.5, 0.999_999_256_901_627_7),
        (6.5, 1.0),
    ];

    #[test]
    fn erf_is_within_an_ulp() {
        for (x, want) in ERF {
            for (x, want) in [(x, want), (-x, -want)] {
                let ulps = Special::erf(x).to_bits().abs_diff(want.to_bits());
                assert!(ulps <= 1, "erf({x}) is {ulps} ulp off");
                let (got, want) = (Special::erf(x as f32), want as f32);
                let ulps = got.to_bits().abs_diff(want.to_bits());
                assert!(ulps <= 1, "erf({x} as f32) is {ulps} ulp off");
            }
        }
        assert!(Special::erf(f64::NAN).is_nan());
        assert_eq!(Special::erf(-0.0f64).to_bits(), (-0.0f64).to_bits());
        assert_eq!(Special::erf(f64::INFINITY), 1.0);
        assert_eq!(Special::erf(f32::NEG_INFINITY), -1.0);
    }
}
