//! The integer power, by repeated squaring.

use crate::ir::build::Builder;
use crate::ir::{Atom, Const, ScalarOp, ScalarType};
use crate::kernel;
use crate::scalar::Real;

/// x^n: the product of the squarings of x that the bits of |n| choose, from the lowest on; its reciprocal for a negative n.
#[kernel]
pub fn powi_f64(x: f64, n: i32) -> f64 {
    power(x, n)
}

/// The same in `f32`.
#[kernel]
pub fn powi_f32(x: f32, n: i32) -> f32 {
    power(x, n)
}

#[kernel]
fn power<T: Real>(x: T, n: i32) -> T {
    let mut base = x;
    let mut left = n.unsigned_abs();
    let mut power = if left & 1 == 1 { x } else { T::one() };
    while left > 1 {
        left >>= 1;
        base *= base;
        if left & 1 == 1 {
            power *= base;
        }
    }
    if n < 0 { T::one() / power } else { power }
}

/// x^n for an exponent that is known: the same products, without a loop.
pub(super) fn chain(b: &mut Builder, x: Atom, n: i32) -> Atom {
    let one: Atom = match b.ty(x).elem {
        ScalarType::F32 => Const::f32(1.0).into(),
        _ => Const::f64(1.0).into(),
    };
    let mut left = n.unsigned_abs();
    let mut base = x;
    let mut power = (left & 1 == 1).then_some(x);
    while left > 1 {
        left >>= 1;
        base = b.op(ScalarOp::Mul, [base, base]);
        if left & 1 == 1 {
            power = Some(match power {
                Some(power) => b.op(ScalarOp::Mul, [power, base]),
                None => base,
            });
        }
    }
    let power = power.unwrap_or(one);
    if n < 0 {
        b.op(ScalarOp::Div, [one, power])
    } else {
        power
    }
}
