//! The hyperbolic tangent.
//!
//! tanh x = N / (N + 2) with N = e^2x - 1. Numerator and denominator are sums of two floats each, and the quotient is corrected
//! by its remainder, so that one formula holds from the smallest numbers to where the result rounds to 1.

use super::exp::{
    LN2_HIGH_F32, LN2_HIGH_F64, LN2_LOW_F32, LN2_LOW_F64, LOG2_E_F32, LOG2_E_F64, tail_f32,
    tail_f64,
};
use crate::kernel;
use crate::scalar::Real;

/// The hyperbolic tangent.
#[kernel]
pub fn tanh_f64(x: f64) -> f64 {
    let a = x.abs();
    let a = if a > 19.25 { 19.25 } else { a };
    let y = a + a;
    let t = y.mul_add(LOG2_E_F64, ROUND_F64);
    let k = t - ROUND_F64;
    let h = k.mul_add(-LN2_HIGH_F64, y);
    let r = k.mul_add(-LN2_LOW_F64, h);
    let tail = tail_f64(r, k.mul_add(-LN2_LOW_F64, h - r));
    let scale = f64::from_bits(t.to_bits() << 52);
    quotient(scale, r, tail).copysign(x)
}

/// The hyperbolic tangent.
#[kernel]
pub fn tanh_f32(x: f32) -> f32 {
    let a = x.abs();
    let a = if a > 9.25 { 9.25 } else { a };
    let y = a + a;
    let t = y.mul_add(LOG2_E_F32, ROUND_F32);
    let k = t - ROUND_F32;
    let h = k.mul_add(-LN2_HIGH_F32, y);
    let r = k.mul_add(-LN2_LOW_F32, h);
    let tail = tail_f32(r, k.mul_add(-LN2_LOW_F32, h - r));
    let scale = f32::from_bits(t.to_bits() << 23);
    quotient(scale, r, tail).copysign(x)
}

/// N / (N + 2) where N + 1 = e^2x = scale + scale r + scale tail.
#[kernel]
fn quotient<T: Real>(scale: T, r: T, tail: T) -> T {
    let one = T::one();
    // The second product is exact, and smaller than either neighbour of `scale`.
    let linear = scale * r;
    let below = scale - one;
    let above = scale + one;
    let n_linear = below + linear;
    let d_linear = above + linear;
    let n_lost = ((below - n_linear) + linear) + ((scale - below) - one);
    let d_lost = ((above - d_linear) + linear) + ((scale - above) + one);
    let n_tail = scale.mul_add(tail, n_lost);
    let d_tail = scale.mul_add(tail, d_lost);
    let n = n_linear + n_tail;
    let d = d_linear + d_tail;
    let n_rest = (n_linear - n) + n_tail;
    let d_rest = (d_linear - d) + d_tail;
    let inverse = one / d;
    let q = n * inverse;
    let remainder = (-q).mul_add(d_rest, (-q).mul_add(d, n) + n_rest);
    remainder.mul_add(inverse, q)
}

/// Added to a number below 2^51, it rounds it to an integer that stands in the low bits of the sum, raised by 1023.
const ROUND_F64: f64 = 6755399441055744.0 + 1023.0;
/// The same below 2^22, raised by 127.
const ROUND_F32: f32 = 12582912.0 + 127.0;
