//! The error function.
//!
//! Below 1, x + x Q(x²). Above, 1 - e^(-x²) G(x), where G(x) = e^(x²) erfc(x) is a polynomial (in f64: of (x - 1) / (x + 3)),
//! the best one for the error of the product; what x² loses in rounding enters the reduction of the exponential.

use super::exp::{
    LN2_HIGH_F32, LN2_HIGH_F64, LN2_LOW_F32, LN2_LOW_F64, LOG2_E_F32, LOG2_E_F64, tail_f32,
    tail_f64,
};
use crate::kernel;

/// The error function.
#[kernel]
pub fn erf_f64(x: f64) -> f64 {
    let a = x.abs();
    let y = if a < 1.0 { near_f64(a) } else { far_f64(a) };
    y.copysign(x)
}

/// The error function.
#[kernel]
pub fn erf_f32(x: f32) -> f32 {
    let a = x.abs();
    let y = if a < 1.0 { near_f32(a) } else { far_f32(a) };
    y.copysign(x)
}

/// On [0, 1): error 2^-57.5. The polynomial stands about x² = 3/4, where its rounding errors would count most.
#[kernel]
fn near_f64(a: f64) -> f64 {
    let d = a.mul_add(a, -0.75);
    let w = d * d;
    let v = w * w;
    let p0 = d.mul_add(-0.24458841374655804, -0.10010880203447822);
    let p1 = d.mul_add(-0.015131144700109046, 0.06691888796466157);
    let p2 = d.mul_add(-0.0004554912386196772, 0.0028472083350583356);
    let p3 = d.mul_add(-7.725341898746627e-06, 6.318505220082027e-05);
    let p4 = d.mul_add(-8.315804676043946e-08, 8.436942403871291e-07);
    let p5 = d.mul_add(-4.97064429528946e-10, 7.604818071202825e-09);
    let p5 = w.mul_add(9.442084785189025e-11, p5);
    let p = v.mul_add(w.mul_add(p5, p4), w.mul_add(p3, p2));
    let q = w.mul_add(w.mul_add(p, p1), p0);
    q.mul_add(a, a)
}

/// On [0, 1): error 2^-28.9.
#[kernel]
fn near_f32(a: f32) -> f32 {
    let d = a.mul_add(a, -0.75);
    let p = d.mul_add(d.mul_add(7.671266e-05, -0.00045059554), 0.002845774);
    let p = d.mul_add(d.mul_add(p, -0.015131917), 0.066918924);
    let q = d.mul_add(d.mul_add(p, -0.24458839), -0.1001088);
    q.mul_add(a, a)
}

/// From 1 on: error 2^-58.8.
#[kernel]
fn far_f64(a: f64) -> f64 {
    let a = if a > 6.0 { 6.0 } else { a };
    let u = (a - 1.0) / (a + 3.0);
    let w = u * u;
    let even = w.mul_add(-0.0008536613759286255, -8.713642811915861e-05);
    let even = w.mul_add(
        w.mul_add(even, -0.0022020076596812213),
        -0.022371934631897485,
    );
    let even = w.mul_add(w.mul_add(even, 0.7239166800929486), 1.3770969228146643);
    let even = w.mul_add(even, 0.427583576155807);
    let odd = w.mul_add(0.002857501884510438, -0.008285735426091912);
    let odd = w.mul_add(w.mul_add(odd, 0.04264492822215591), -0.22394680375009446);
    let odd = w.mul_add(w.mul_add(odd, -1.2234841074561074), -1.092848059135593);
    let g = u.mul_add(odd, even);
    let s = a * a;
    let s_rest = a.mul_add(a, -s);
    let t = s.mul_add(-LOG2_E_F64, ROUND_F64);
    let k = t - ROUND_F64;
    let h = k.mul_add(-LN2_HIGH_F64, -s);
    let low = k.mul_add(-LN2_LOW_F64, -s_rest);
    let r = h + low;
    let e = r + tail_f64(r, (h - r) + low);
    let scale = f64::from_bits(t.to_bits() << 52);
    (-scale).mul_add(g.mul_add(e, g), 1.0)
}

/// From 1 on: error 2^-28.5.
#[kernel]
fn far_f32(a: f32) -> f32 {
    let a = if a > 4.0 { 4.0 } else { a };
    let u = a - 1.0;
    let g = u.mul_add(0.00010864593, -0.0010695065);
    let g = u.mul_add(u.mul_add(g, 0.0049453247), -0.015157484);
    let g = u.mul_add(u.mul_add(g, 0.03691077), -0.07906793);
    let g = u.mul_add(u.mul_add(g, 0.15435353), -0.27321133);
    let g = u.mul_add(g, 0.42758358);
    let s = a * a;
    let s_rest = a.mul_add(a, -s);
    let t = s.mul_add(-LOG2_E_F32, ROUND_F32);
    let k = t - ROUND_F32;
    let h = k.mul_add(-LN2_HIGH_F32, -s);
    let low = k.mul_add(-LN2_LOW_F32, -s_rest);
    let r = h + low;
    let e = r + tail_f32(r, (h - r) + low);
    let scale = f32::from_bits(t.to_bits() << 23);
    (-scale).mul_add(g.mul_add(e, g), 1.0)
}

/// Added to a number below 2^51, it rounds it to an integer that stands in the low bits of the sum, raised by 1023.
const ROUND_F64: f64 = 6755399441055744.0 + 1023.0;
/// The same below 2^22, raised by 127.
const ROUND_F32: f32 = 12582912.0 + 127.0;
