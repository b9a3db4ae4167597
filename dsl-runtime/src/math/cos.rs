//! The cosine.

use super::circle::{reduce_f32, reduce_f64, turn_f32, turn_f64};
use crate::kernel;

/// The cosine of an angle in radians; NaN at ±∞.
#[kernel]
pub fn cos_f64(x: f64) -> f64 {
    let (r, rest, n) = reduce_f64(x);
    turn_f64(r, rest, n.wrapping_add(1))
}

/// The cosine of an angle in radians; NaN at ±∞.
#[kernel]
pub fn cos_f32(x: f32) -> f32 {
    let (r, rest, n) = reduce_f32(x);
    turn_f32(r, rest, n.wrapping_add(1))
}
