//! The exponential function.
//!
//! x = k ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite's reduction with ln 2 in two parts), e^r by a minimax polynomial, and
//! 2^k by writing exponents. The sum 1 + (r + …) is rounded in such an order that only its last step counts.

use crate::kernel;

/// e^x.
#[kernel]
pub fn exp_f64(x: f64) -> f64 {
    // Beyond these bounds the result overflows or vanishes; a NaN passes both comparisons.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -750.0 { -750.0 } else { x };
    let t = x.mul_add(LOG2_E_F64, ROUND_F64);
    let k = t - ROUND_F64;
    let h = k.mul_add(-LN2_HIGH_F64, x);
    let r = k.mul_add(-LN2_LOW_F64, h);
    let rest = k.mul_add(-LN2_LOW_F64, h - r);
    let y = 1.0 + (r + tail_f64(r, rest));
    // 2^k in two factors, so that the second one rounds into the subnormal numbers: the low bits of `t` hold k + 2 * 1023.
    let bits = t.to_bits();
    let half = bits >> 1;
    y * f64::from_bits(half << 52) * f64::from_bits(bits.wrapping_sub(half) << 52)
}

/// e^x.
#[kernel]
pub fn exp_f32(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let t = x.mul_add(LOG2_E_F32, ROUND_F32);
    let k = t - ROUND_F32;
    let h = k.mul_add(-LN2_HIGH_F32, x);
    let r = k.mul_add(-LN2_LOW_F32, h);
    let rest = k.mul_add(-LN2_LOW_F32, h - r);
    let y = 1.0 + (r + tail_f32(r, rest));
    let bits = t.to_bits();
    let half = bits >> 1;
    y * f32::from_bits(half << 23) * f32::from_bits(bits.wrapping_sub(half) << 23)
}

/// e^(r + rest) - 1 - r for |r| ≤ 0.3483 and `rest` below an ulp of `r`: r²/2, whose half stays exact, and r³ times a
/// polynomial; its error is 2^-61.4.
#[kernel]
pub(super) fn tail_f64(r: f64, rest: f64) -> f64 {
    let s = r * r;
    let p0 = r.mul_add(0.041666666666666706, 0.16666666666666685);
    let p1 = r.mul_add(0.0013888888888860503, 0.008333333333316175);
    let p2 = r.mul_add(2.4801587375081582e-05, 0.00019841269898549814);
    let p3 = r.mul_add(2.755722974593516e-07, 2.755723267799148e-06);
    let p4 = r.mul_add(2.0928533963693667e-09, 2.511280164926308e-08);
    let p = s.mul_add(s.mul_add(s.mul_add(s.mul_add(p4, p3), p2), p1), p0);
    (0.5 * r).mul_add(r, (r * s).mul_add(p, rest))
}

/// e^(r + rest) - 1 - r for |r| ≤ 0.3483 and `rest` below an ulp of `r`; the polynomial's error is 2^-28.1.
#[kernel]
pub(super) fn tail_f32(r: f32, rest: f32) -> f32 {
    let p = r.mul_add(r.mul_add(0.0013943773, 0.008369093), 0.04166637);
    let p = r.mul_add(p, 0.16666518);
    (0.5 * r).mul_add(r, (r * (r * r)).mul_add(p, rest))
}

/// Added to a number below 2^51, it rounds it to an integer that stands in the low bits of the sum, raised by 2 * 1023.
const ROUND_F64: f64 = 6755399441055744.0 + 2046.0;
/// The same below 2^22, raised by 2 * 127.
const ROUND_F32: f32 = 12582912.0 + 254.0;
pub(super) const LOG2_E_F64: f64 = 1.4426950408889634;
pub(super) const LOG2_E_F32: f32 = 1.442695;
/// ln 2, rounded: k times it is never rounded inside the fused operation, and the difference is exact.
pub(super) const LN2_HIGH_F64: f64 = 0.6931471805599453;
/// What `LN2_HIGH_F64` lacks.
pub(super) const LN2_LOW_F64: f64 = 2.3190468138462996e-17;
pub(super) const LN2_HIGH_F32: f32 = 0.6931472;
pub(super) const LN2_LOW_F32: f32 = -1.9046542e-9;
