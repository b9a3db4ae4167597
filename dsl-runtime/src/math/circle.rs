//! What sine and cosine share: the reduction of an angle to an eighth of a turn, and the two polynomials there.
//!
//! |x| = n π/2 + r. Up to a bound, Cody and Waite's reduction with π/2 in three parts, where fused operations make the first
//! step exact; above it, Payne and Hanek's ("Radian reduction for trigonometric functions", 1983): the product of the
//! integer that the significand is with those bits of 2/π that matter.

use crate::kernel;

/// |x| → (r, what r lacks, n modulo 4 in its low bits); r is NaN for an infinite or undefined angle.
#[kernel]
pub(super) fn reduce_f64(x: f64) -> (f64, f64, u64) {
    let a = x.abs();
    let t = a.mul_add(TWO_BY_PI_F64, ROUND_F64);
    let k = t - ROUND_F64;
    let first = k.mul_add(-HALF_PI_F64[0], a);
    // The second step with its rounding error (Knuth's sum), which the third part joins.
    let p = k * HALF_PI_F64[1];
    let product_rest = k.mul_add(HALF_PI_F64[1], -p);
    let r = first - p;
    let back = r - first;
    let sum_rest = (first - (r - back)) - (p + back);
    let rest = k.mul_add(-HALF_PI_F64[2], sum_rest - product_rest);
    if a > 1e9 {
        reduce_far_f64(a)
    } else {
        (r, rest, t.to_bits())
    }
}

/// The same in `f32`.
#[kernel]
pub(super) fn reduce_f32(x: f32) -> (f32, f32, u32) {
    let a = x.abs();
    let t = a.mul_add(TWO_BY_PI_F32, ROUND_F32);
    let k = t - ROUND_F32;
    let first = k.mul_add(-HALF_PI_F32[0], a);
    let p = k * HALF_PI_F32[1];
    let product_rest = k.mul_add(HALF_PI_F32[1], -p);
    let r = first - p;
    let back = r - first;
    let sum_rest = (first - (r - back)) - (p + back);
    let rest = k.mul_add(-HALF_PI_F32[2], sum_rest - product_rest);
    if a > 1e5 {
        reduce_far_f32(a)
    } else {
        (r, rest, t.to_bits())
    }
}

/// Payne and Hanek's reduction for a > 2^29: significand times 192 bits of 2/π, modulo 4.
#[kernel]
fn reduce_far_f64(a: f64) -> (f64, f64, u64) {
    let bits = a.to_bits();
    let m = (bits & 0xf_ffff_ffff_ffff) | 0x10_0000_0000_0000;
    // a = m 2^e; the bit of 2/π with the weight 2^(1 - e) is the first one that is no multiple of 4 in the product.
    let at = (bits >> 52).wrapping_sub(1045);
    let word = at >> 5;
    let shift = at & 31;
    let w0 = window(word, shift);
    let w1 = window(word.wrapping_add(2), shift);
    let w2 = window(word.wrapping_add(4), shift);
    let low = m.wrapping_mul(w1);
    let middle = low.wrapping_add(mul_high(m, w2));
    let carry = if middle < low { 1 } else { 0 };
    let high = m
        .wrapping_mul(w0)
        .wrapping_add(mul_high(m, w1))
        .wrapping_add(carry);
    let n = high.wrapping_add(1 << 61) >> 62;
    let turn = high.wrapping_sub(n << 62) as i64;
    // The signed fraction in four exact pieces, summed from the largest on.
    let top = (turn >> 32) as f64 * 4294967296.0;
    let next = (turn & 0xffff_ffff) as f64;
    let third = (middle >> 32) as f64 * 2.3283064365386963e-10;
    let last = (middle & 0xffff_ffff) as f64 * 5.421010862427522e-20;
    let h = top + next;
    let h_rest = (top - h) + next;
    let g = h + third;
    let g_rest = (h - g) + third;
    let f = g + (h_rest + g_rest + last);
    let f_rest = (g - f) + (h_rest + g_rest + last);
    let r = f * EIGHTH_TURN[0];
    let rest = f.mul_add(EIGHTH_TURN[0], -r) + f.mul_add(EIGHTH_TURN[1], f_rest * EIGHTH_TURN[0]);
    let r = if a < f64::INFINITY { r } else { f64::NAN };
    (r, rest, n)
}

/// Payne and Hanek's reduction for a > 2^16: significand times 96 bits of 2/π, modulo 4.
#[kernel]
fn reduce_far_f32(a: f32) -> (f32, f32, u32) {
    let bits = a.to_bits() as u64;
    let m = (bits & 0x7f_ffff) | 0x80_0000;
    let at = (bits >> 23).wrapping_sub(120);
    let word = at >> 5;
    let shift = at & 31;
    let w0 = window(word, shift);
    let w1 = window(word.wrapping_add(2), shift) >> 32;
    let high = m.wrapping_mul(w0).wrapping_add(m.wrapping_mul(w1) >> 32);
    let n = high.wrapping_add(1 << 61) >> 62;
    let turn = high.wrapping_sub(n << 62) as i64;
    let exact = turn as f64 * EIGHTH_TURN[0];
    let r = exact as f32;
    let rest = (exact - r as f64) as f32;
    let r = if a < f32::INFINITY { r } else { f32::NAN };
    (r, rest, n as u32)
}

/// 64 bits of 2/π from bit `shift` (below 32) of a word on.
#[kernel]
fn window(word: u64, shift: u64) -> u64 {
    let i = word as usize;
    let first = TWO_BY_PI[i & 63] << 32 | TWO_BY_PI[(i + 1) & 63];
    first << shift | TWO_BY_PI[(i + 2) & 63] >> (32 - shift)
}

/// The upper half of the product, by halves.
#[kernel]
fn mul_high(a: u64, b: u64) -> u64 {
    let (a1, a0) = (a >> 32, a & 0xffff_ffff);
    let (b1, b0) = (b >> 32, b & 0xffff_ffff);
    let low = a0.wrapping_mul(b0) >> 32;
    let cross = a1.wrapping_mul(b0).wrapping_add(low);
    let other = a0.wrapping_mul(b1).wrapping_add(cross & 0xffff_ffff);
    a1.wrapping_mul(b1)
        .wrapping_add(cross >> 32)
        .wrapping_add(other >> 32)
}

/// sin(n π/2 + r + rest) for |r| ≤ 1.004 π/4.
#[kernel]
pub(super) fn turn_f64(r: f64, rest: f64, n: u64) -> f64 {
    let s = r * r;
    let w = s * s;
    // sin: error 2^-57.9 relative to r.
    let even = w.mul_add(
        w.mul_add(-2.5050728210058655e-08, -0.0001984126982929257),
        -0.1666666666666663,
    );
    let odd = w.mul_add(
        w.mul_add(1.5895013190936171e-10, 2.755731350677259e-06),
        0.008333333333321796,
    );
    let slope = s.mul_add(-0.5, 1.0);
    let sine = r + (r * s).mul_add(s.mul_add(odd, even), rest * slope);
    // cos: error 2^-64.
    let even = w.mul_add(
        w.mul_add(2.0875700701395724e-09, 2.4801587288946944e-05),
        0.041666666666666595,
    );
    let odd = w.mul_add(
        w.mul_add(-1.135844336952247e-11, -2.7557314191757807e-07),
        -0.0013888888888873303,
    );
    let slope_rest = s.mul_add(-0.5, 1.0 - slope);
    let cosine = slope + w.mul_add(s.mul_add(odd, even), (-r).mul_add(rest, slope_rest));
    let y = if n & 1 == 0 { sine } else { cosine };
    f64::from_bits(y.to_bits() ^ ((n & 2) << 62))
}

/// The same in `f32`.
#[kernel]
pub(super) fn turn_f32(r: f32, rest: f32, n: u32) -> f32 {
    let s = r * r;
    // sin: error 2^-27.9 relative to r.
    let p = s.mul_add(s.mul_add(-0.00019517586, 0.008332186), -0.16666655);
    let slope = s.mul_add(-0.5, 1.0);
    let sine = r + (r * s).mul_add(p, rest * slope);
    // cos: error 2^-33.
    let p = s.mul_add(s.mul_add(2.4430676e-05, -0.0013887301), 0.041666646);
    let slope_rest = s.mul_add(-0.5, 1.0 - slope);
    let cosine = slope + (s * s).mul_add(p, (-r).mul_add(rest, slope_rest));
    let y = if n & 1 == 0 { sine } else { cosine };
    f32::from_bits(y.to_bits() ^ ((n & 2) << 30))
}

/// Added to a number below 2^51, it rounds it to an integer that stands in the low bits of the sum.
const ROUND_F64: f64 = 6755399441055744.0;
const ROUND_F32: f32 = 12582912.0;
const TWO_BY_PI_F64: f64 = 0.6366197723675814;
const TWO_BY_PI_F32: f32 = 0.63661975;
/// π/2 in parts, each the rounding of what the ones before it lack.
const HALF_PI_F64: [f64; 3] = [
    1.5707963267948966,
    6.123233995736766e-17,
    -1.4973849048591698e-33,
];
const HALF_PI_F32: [f32; 3] = [1.5707964, -4.371139e-08, -1.7151245e-15];
/// π/2 times 2^-62, in parts.
const EIGHTH_TURN: [f64; 2] = [3.4061215800865545e-19, 1.3277647201629795e-35];
/// 2/π: a word of zeros, then the first 1344 bits of its fraction, in words of 32 bits; filled up to 64 words, so that a masked index
/// is always inside.
const TWO_BY_PI: [u64; 64] = [
    0,
    0xa2f9_836e,
    0x4e44_1529,
    0xfc27_57d1,
    0xf534_ddc0,
    0xdb62_9599,
    0x3c43_9041,
    0xfe51_63ab,
    0xdebb_c561,
    0xb724_6e3a,
    0x424d_d2e0,
    0x0649_2eea,
    0x09d1_921c,
    0xfe1d_eb1c,
    0xb129_a73e,
    0xe882_35f5,
    0x2ebb_4484,
    0xe99c_7026,
    0xb45f_7e41,
    0x3991_d639,
    0x8353_39f4,
    0x9c84_5f8b,
    0xbdf9_283b,
    0x1ff8_97ff,
    0xde05_980f,
    0xef2f_118b,
    0x5a0a_6d1f,
    0x6d36_7ecf,
    0x27cb_09b7,
    0x4f46_3f66,
    0x9e5f_ea2d,
    0x7527_bac7,
    0xebe5_f17b,
    0x3d07_39f7,
    0x8a52_92ea,
    0x6bfb_5fb1,
    0x1f8d_5d08,
    0x5603_3046,
    0xfc7b_6bab,
    0xf0cf_bc20,
    0x9af4_361d,
    0xa9e3_9161,
    0x5ee6_1b08,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
];
