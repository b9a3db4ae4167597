//! The exponential function.
//!
//! x = k ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite's reduction with ln 2 in two parts), e^r by a minimax polynomial, and
//! 2^k by writing exponents. The sum 1 + (r + …) is rounded in such an order that only its last step counts.
//!
//! Where the result is far from the ends of its type, e^r = 1 + r (1 + r (1/2 + …)) with its last steps fused is good enough,
//! and k is added to its exponent. What may overflow, vanish or become subnormal stands behind one `if`.

use crate::kernel;

/// e^x.
#[kernel]
pub fn exp_f64(x: f64) -> f64 {
    let t = LOG2_E_F64.mul_add(x, SHIFT_F64);
    let k = t - SHIFT_F64;
    let r = (-LN2_LOW_F64).mul_add(k, (-LN2_HIGH_F64).mul_add(k, x));
    // (e^r - 1 - r) / r²: error 2^-57.3 of e^r.
    let s = r * r;
    let w = s * s;
    let p0 = 0.16666666666666427_f64.mul_add(r, 0.5);
    let p1 = 0.008333333333503438_f64.mul_add(r, 0.04166666666660265);
    let p2 = 0.0001984126946053291_f64.mul_add(r, 0.001388888892738833);
    let p3 = 2.7557644051959195e-06_f64.mul_add(r, 2.4801507865213194e-05);
    let p4 = 2.4978047698297226e-08_f64.mul_add(r, 2.762553908381781e-07);
    let p = p4
        .mul_add(w, p3.mul_add(s, p2))
        .mul_add(w, p1.mul_add(s, p0));
    let y = p.mul_add(r, 1.0).mul_add(r, 1.0);
    // 2^k by adding to the exponent: the low bits of `t` hold k.
    let y = f64::from_bits(y.to_bits().wrapping_add(t.to_bits() << 52));
    if x.abs().to_bits() as i64 > BITS_OF_708 {
        edge_f64(x)
    } else {
        y
    }
}

/// e^x.
#[kernel]
pub fn exp_f32(x: f32) -> f32 {
    let t = LOG2_E_F32.mul_add(x, SHIFT_F32);
    let k = t - SHIFT_F32;
    let r = (-LN2_LOW_F32).mul_add(k, (-LN2_HIGH_F32).mul_add(k, x));
    // (e^r - 1 - r) / r²: error 2^-28.1 of e^r.
    let s = r * r;
    let p0 = 0.16666518_f32.mul_add(r, 0.5);
    let p1 = 0.008369093_f32.mul_add(r, 0.04166637);
    let p = 0.0013943773_f32.mul_add(s, p1).mul_add(s, p0);
    let y = p.mul_add(r, 1.0).mul_add(r, 1.0);
    let y = f32::from_bits(y.to_bits().wrapping_add(t.to_bits() << 23));
    if x.abs().to_bits() as i32 > BITS_OF_87 {
        edge_f32(x)
    } else {
        y
    }
}

/// e^x where the result may overflow, vanish or be subnormal, and of NaN.
#[kernel]
fn edge_f64(x: f64) -> f64 {
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

/// e^x where the result may overflow, vanish or be subnormal, and of NaN.
#[kernel]
fn edge_f32(x: f32) -> f32 {
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

/// Numbers without a sign are in the order of their bits, and NaN comes last.
const BITS_OF_708: i64 = 0x4086_2000_0000_0000;
const BITS_OF_87: i32 = 0x42ae_0000;
/// Added to a number below 2^51, it rounds it to an integer that stands in the low bits of the sum.
const SHIFT_F64: f64 = 6755399441055744.0;
/// The same below 2^22.
const SHIFT_F32: f32 = 12582912.0;
/// The same below 2^51, raised by 2 * 1023.
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
