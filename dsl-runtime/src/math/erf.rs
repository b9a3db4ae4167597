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

/// On [0, 1): error 2^-55.8.
#[kernel]
fn near_f64(a: f64) -> f64 {
    let s = a * a;
    let w = s * s;
    let v = w * w;
    let lead = s.mul_add(-0.37612638903183343, 0.12837916709551256);
    let p0 = s.mul_add(-0.026866170641958686, 0.11283791670936949);
    let p1 = s.mul_add(-0.0008548325484582179, 0.00522397759672977);
    let p2 = s.mul_add(-1.492446524830281e-05, 0.00012055280480221225);
    let p3 = s.mul_add(-1.6183939236525587e-07, 1.644414476831107e-06);
    let p4 = s.mul_add(-7.607273405399262e-10, 1.3616442336388547e-08);
    let p = v.mul_add(v.mul_add(p4, w.mul_add(p3, p2)), w.mul_add(p1, p0));
    w.mul_add(p, lead).mul_add(a, a)
}

/// On [0, 1): error 2^-29.2.
#[kernel]
fn near_f32(a: f32) -> f32 {
    let s = a * a;
    let w = s * s;
    let lead = s.mul_add(-0.37612626, 0.12837917);
    let p = s.mul_add(s.mul_add(7.806922e-05, -0.00079978566), 0.005187162);
    let p = s.mul_add(s.mul_add(p, -0.026853347), 0.11283579);
    w.mul_add(p, lead).mul_add(a, a)
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
