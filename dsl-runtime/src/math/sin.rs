//! The sine.

use super::circle::{reduce_f32, reduce_f64, turn_f32, turn_f64};
use crate::kernel;

/// The sine of an angle in radians; NaN at ±∞.
#[kernel]
pub fn sin_f64(x: f64) -> f64 {
    let (r, rest, n) = reduce_f64(x);
    let y = turn_f64(r, rest, n);
    f64::from_bits(y.to_bits() ^ (x.to_bits() & 0x8000_0000_0000_0000))
}

/// The sine of an angle in radians; NaN at ±∞.
#[kernel]
pub fn sin_f32(x: f32) -> f32 {
    let (r, rest, n) = reduce_f32(x);
    let y = turn_f32(r, rest, n);
    f32::from_bits(y.to_bits() ^ (x.to_bits() & 0x8000_0000))
}
