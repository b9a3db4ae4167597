//! The power.
//!
//! |x|^y = e^(y ln |x|). In f64 the logarithm is a sum of two floats, right to about 2^-65 of itself: s = f / (2 + f), its
//! square and the first coefficient of the series are carried with their errors. In f32 all of it is done in f64.

use super::exp::{LN2_HIGH_F64, LN2_LOW_F64, LOG2_E_F64, tail_f64};
use super::ln::{self, ONE_F64, SQRT_HALF_F64, TWO_52, TWO_52_BITS, parts_f64};
use crate::kernel;

/// x^y, with the special cases of IEEE 754 (`pow`).
#[kernel]
pub fn powf_f64(x: f64, y: f64) -> f64 {
    let a = x.abs();
    let (k, m) = parts_f64(a);
    // s = (m - 1) / (m + 1).
    let f = m - 1.0;
    let d = m + 1.0;
    let d_rest = m - (d - 1.0);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let s_rest = (-s).mul_add(d_rest, (-s).mul_add(d, f)) * inverse;
    let z = s * s;
    let z_rest = s.mul_add(s, -z) + 2.0 * s * s_rest;
    // (ln m - 2 s) / s³ = 2/3 + z P(z) on |s| ≤ 0.1717: error 2^-73.2.
    let w = z * z;
    let even = w.mul_add(
        w.mul_add(
            w.mul_add(0.11671857890370013, 0.15384553023766714),
            0.22222222217070087,
        ),
        0.39999999999999974,
    );
    let odd = w.mul_add(
        w.mul_add(
            w.mul_add(0.1201348632660947, 0.13336464349677224),
            0.1818181892712115,
        ),
        0.28571428571447044,
    );
    let p = z * z.mul_add(odd, even);
    let c = TWO_THIRDS[0] + p;
    let c_rest = ((TWO_THIRDS[0] - c) + p) + TWO_THIRDS[1];
    let v = z * c;
    let v_rest = z.mul_add(c, -v) + z.mul_add(c_rest, z_rest * c);
    let u = s * v;
    let u_rest = s.mul_add(v, -u) + s.mul_add(v_rest, s_rest * v);
    let double = s + s;
    let g = double + u;
    let g_rest = ((double - g) + u) + (2.0 * s_rest + u_rest);
    // ln |x|, and y times it.
    let high = k * ln::LN2_HIGH_F64;
    let l = high + g;
    let l_rest = ((high - l) + g) + k.mul_add(ln::LN2_LOW_F64, g_rest);
    let y_bound = if y > HUGE { HUGE } else { y };
    let y_bound = if y_bound < -HUGE { -HUGE } else { y_bound };
    let e = y_bound * l;
    let e_rest = y_bound.mul_add(l, -e) + y_bound * l_rest;
    let e_rest = if e.abs() < 1000.0 { e_rest } else { 0.0 };
    let e = if e > 720.0 { 720.0 } else { e };
    let e = if e < -760.0 { -760.0 } else { e };
    let t = e.mul_add(LOG2_E_F64, ROUND_F64);
    let k = t - ROUND_F64;
    let h = k.mul_add(-LN2_HIGH_F64, e);
    let low = k.mul_add(-LN2_LOW_F64, e_rest);
    let r = h + low;
    let q = 1.0 + (r + tail_f64(r, (h - r) + low));
    let bits = t.to_bits();
    let half = bits >> 1;
    let q = q * f64::from_bits(half << 52) * f64::from_bits(bits.wrapping_sub(half) << 52);
    special(x, y, q)
}

/// x^y, with the special cases of IEEE 754 (`pow`).
#[kernel]
pub fn powf_f32(x: f32, y: f32) -> f32 {
    let x = x as f64;
    let y = y as f64;
    let bits = x
        .abs()
        .to_bits()
        .wrapping_add(ONE_F64.wrapping_sub(SQRT_HALF_F64));
    let k = f64::from_bits((bits >> 52) | TWO_52_BITS) - (TWO_52 + 1023.0);
    let f = f64::from_bits((bits & 0xf_ffff_ffff_ffff).wrapping_add(SQRT_HALF_F64)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    // (ln m - 2 s) / s³ on |s| ≤ 0.1717: error 2^-44.9.
    let p = z.mul_add(0.19587002448488064, 0.22176003690040347);
    let p = z.mul_add(
        z.mul_add(z.mul_add(p, 0.2857211325105524), 0.39999995586644316),
        0.6666666667589337,
    );
    let l = k.mul_add(LN2_HIGH_F64, s.mul_add(z * p, s + s));
    let y_bound = if y > HUGE { HUGE } else { y };
    let y_bound = if y_bound < -HUGE { -HUGE } else { y_bound };
    let e = y_bound * l;
    let e = if e > 200.0 { 200.0 } else { e };
    let e = if e < -200.0 { -200.0 } else { e };
    let t = e.mul_add(LOG2_E_F64, ROUND_ONCE);
    let r = (t - ROUND_ONCE).mul_add(-LN2_HIGH_F64, e);
    // (e^r - 1 - r) / r² on |r| ≤ 0.3483: error 2^-34.2.
    let p = r.mul_add(0.0001992136077895209, 0.0013946663618131176);
    let p = r.mul_add(r.mul_add(p, 0.008333259413997787), 0.04166626177265625);
    let p = r.mul_add(r.mul_add(p, 0.16666666879805386), 0.5000000080289505);
    let q = (r * r).mul_add(p, r) + 1.0;
    special(x, y, q * f64::from_bits(t.to_bits() << 52)) as f32
}

/// x^y of |x|^y: signs, and the cases in which x or y is zero, infinite or undefined.
#[kernel]
fn special(x: f64, y: f64, power: f64) -> f64 {
    let a = x.abs();
    let edge = if (y < 0.0) == (a == 0.0) {
        f64::INFINITY
    } else {
        0.0
    };
    let power = if (a == 0.0) | (a == f64::INFINITY) {
        edge
    } else {
        power
    };
    let half = 0.5 * y;
    let whole = y.trunc() == y;
    let odd = whole & (half.trunc() != half);
    let sign = if odd {
        x.to_bits() & 0x8000_0000_0000_0000
    } else {
        0
    };
    let power = f64::from_bits(power.to_bits() ^ sign);
    let undefined = (x < 0.0) & (a < f64::INFINITY) & !whole;
    let power = if undefined | x.is_nan() | y.is_nan() {
        f64::NAN
    } else {
        power
    };
    if (y == 0.0) | (x == 1.0) { 1.0 } else { power }
}

/// An exponent of this size makes of every number but 1 a zero or an infinity.
const HUGE: f64 = 36893488147419103232.0;
/// 2/3 in parts.
const TWO_THIRDS: [f64; 2] = [0.6666666666666666, 3.700743415417188e-17];
/// Added to a number below 2^51, it rounds it to an integer that stands in the low bits of the sum, raised by 2 * 1023.
const ROUND_F64: f64 = 6755399441055744.0 + 2046.0;
/// The same, raised by 1023.
const ROUND_ONCE: f64 = 6755399441055744.0 + 1023.0;
