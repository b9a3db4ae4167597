//! The natural logarithm.
//!
//! x = 2^k m with √½ ≤ m < √2, f = m - 1, ln x = k ln 2 + f - f²/2 + …; with s = f / (2 + f) the rest is s (f²/2 + R(s²)) as
//! in FreeBSD's msun, with coefficients of its own. k ln 2 + f is summed without error. What is no positive normal number
//! stands behind one `if`.

use crate::kernel;

/// The natural logarithm: NaN below zero, -∞ at zero.
#[kernel]
pub fn ln_f64(x: f64) -> f64 {
    let bits = x
        .to_bits()
        .wrapping_add(ONE_F64.wrapping_sub(SQRT_HALF_F64));
    let k = f64::from_bits((bits >> 52) | TWO_52_BITS) - (TWO_52 + 1023.0);
    let m = f64::from_bits((bits & 0xf_ffff_ffff_ffff).wrapping_add(SQRT_HALF_F64));
    let f = m - 1.0;
    let s = f / (m + 1.0);
    let z = s * s;
    let w = z * z;
    // (ln(1 + f) - 2 s) / s on |s| ≤ 0.1717: error 2^-59.4.
    let p0 = 0.3999999999940875_f64.mul_add(z, 0.6666666666666735);
    let p1 = 0.22222198396561135_f64.mul_add(z, 0.285714287439212);
    let p2 = 0.15313771139982602_f64.mul_add(z, 0.1818357441056404);
    let p2 = 0.1479894628320556_f64.mul_add(w, p2);
    let p = p2.mul_add(w * w, p1.mul_add(w, p0));
    let sum = LN2_HIGH_F64.mul_add(k, f);
    let rest = LN2_HIGH_F64.mul_add(k, -sum) + f;
    let half = 0.5 * f * f;
    let low = LN2_LOW_F64.mul_add(k, rest) - half;
    let y = sum + p.mul_add(z, half).mul_add(s, low);
    // Zero, subnormal, infinite, negative, NaN: the bits of all others follow each other.
    let order = x.to_bits().wrapping_add(0x7ff0_0000_0000_0000) as i64;
    if order > -0x0020_0000_0000_0001 {
        edge_f64(x)
    } else {
        y
    }
}

/// The natural logarithm: NaN below zero, -∞ at zero.
#[kernel]
pub fn ln_f32(x: f32) -> f32 {
    let bits = x
        .to_bits()
        .wrapping_add(ONE_F32.wrapping_sub(SQRT_HALF_F32));
    let k = f32::from_bits((bits >> 23) | TWO_23_BITS) - (TWO_23 + 127.0);
    let f = f32::from_bits((bits & 0x7f_ffff).wrapping_add(SQRT_HALF_F32)) - 1.0;
    let s = f * f;
    let w = s * s;
    // (ln(1 + f) - f + f²/2) / f³ on √½ ≤ 1 + f ≤ √2: error 2^-27.3 of the logarithm.
    let p0 = (-0.25000823_f32).mul_add(f, 0.3333333);
    let p1 = (-0.16623324_f32).mul_add(f, 0.20001262);
    let p2 = (-0.13159591_f32).mul_add(f, 0.14200844);
    let p3 = (-0.07645384_f32).mul_add(f, 0.12768517);
    let p = p3.mul_add(s, p2).mul_add(w, p1.mul_add(s, p0));
    let sum = LN2_HIGH_F32.mul_add(k, f);
    let rest = LN2_HIGH_F32.mul_add(k, -sum) + f;
    let q = p.mul_add(f * s, LN2_LOW_F32.mul_add(k, rest));
    let y = sum + (-0.5 * f).mul_add(f, q);
    let order = x.to_bits().wrapping_add(0x7f80_0000) as i32;
    if order > -0x0100_0001 { edge_f32(x) } else { y }
}

/// The logarithm of zero, of what is subnormal, infinite or below zero, and of NaN.
#[kernel]
fn edge_f64(x: f64) -> f64 {
    let (k, m) = parts_f64(x);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    // (ln(1 + f) - 2 s) / s on |s| ≤ 0.1717: error 2^-59.4.
    let even = w.mul_add(
        w.mul_add(
            w.mul_add(0.1479894628320556, 0.1818357441056404),
            0.285714287439212,
        ),
        0.6666666666666735,
    );
    let odd = w.mul_add(
        w.mul_add(0.15313771139982602, 0.22222198396561135),
        0.3999999999940875,
    );
    let r = z * z.mul_add(odd, even);
    let high = k * LN2_HIGH_F64;
    let sum = high + f;
    let rest = (high - sum) + f;
    let half = 0.5 * f;
    let q = s.mul_add(half.mul_add(f, r), k.mul_add(LN2_LOW_F64, rest));
    let y = sum + (-half).mul_add(f, q);
    let y = if x < f64::INFINITY { y } else { x };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x < 0.0 { f64::NAN } else { y }
}

/// k and m with a = m 2^k and √½ ≤ m < √2, for a positive a, also a subnormal one.
#[kernel]
pub(super) fn parts_f64(a: f64) -> (f64, f64) {
    let tiny = a < f64::MIN_POSITIVE;
    let scaled = if tiny { a * 18014398509481984.0 } else { a };
    let bias = if tiny {
        TWO_52 + 1023.0 + 54.0
    } else {
        TWO_52 + 1023.0
    };
    let bits = scaled
        .to_bits()
        .wrapping_add(ONE_F64.wrapping_sub(SQRT_HALF_F64));
    let k = f64::from_bits((bits >> 52) | TWO_52_BITS) - bias;
    (
        k,
        f64::from_bits((bits & 0xf_ffff_ffff_ffff).wrapping_add(SQRT_HALF_F64)),
    )
}

/// The logarithm of zero, of what is subnormal, infinite or below zero, and of NaN.
#[kernel]
fn edge_f32(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 33554432.0 } else { x };
    let bias = if tiny {
        TWO_23 + 127.0 + 25.0
    } else {
        TWO_23 + 127.0
    };
    let bits = scaled
        .to_bits()
        .wrapping_add(ONE_F32.wrapping_sub(SQRT_HALF_F32));
    let k = f32::from_bits((bits >> 23) | TWO_23_BITS) - bias;
    let f = f32::from_bits((bits & 0x7f_ffff).wrapping_add(SQRT_HALF_F32)) - 1.0;
    let s = f * f;
    // (ln(1 + f) - f + f²/2) / f³ on √½ ≤ 1 + f ≤ √2: error 2^-27.3 of the logarithm.
    let p = f.mul_add(-0.07645384, 0.12768517);
    let p = f.mul_add(f.mul_add(p, -0.13159591), 0.14200844);
    let p = f.mul_add(f.mul_add(p, -0.16623324), 0.20001262);
    let p = f.mul_add(f.mul_add(p, -0.25000823), 0.3333333);
    let high = k * LN2_HIGH_F32;
    let sum = high + f;
    let rest = (high - sum) + f;
    let q = (f * s).mul_add(p, k.mul_add(LN2_LOW_F32, rest));
    let y = sum + (-0.5 * f).mul_add(f, q);
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// The bits of 1.
pub(super) const ONE_F64: u64 = 0x3ff0_0000_0000_0000;
/// The bits of √½.
pub(super) const SQRT_HALF_F64: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE_F32: u32 = 0x3f80_0000;
const SQRT_HALF_F32: u32 = 0x3f35_04f3;
/// 2^52: an integer below it becomes a float when it is written into its low bits.
pub(super) const TWO_52: f64 = 4503599627370496.0;
pub(super) const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
const TWO_23: f32 = 8388608.0;
const TWO_23_BITS: u32 = 0x4b00_0000;
/// The first 42 bits of ln 2: an exponent times it is exact.
pub(super) const LN2_HIGH_F64: f64 = 0.6931471805598903;
pub(super) const LN2_LOW_F64: f64 = 5.497923018708371e-14;
/// The first 15 bits of ln 2.
const LN2_HIGH_F32: f32 = 0.693145751953125;
const LN2_LOW_F32: f32 = 1.4286068e-06;
