//! The integer power, by repeated squaring.

use crate::kernel;

/// x^n: the product of the squarings of x that the bits of |n| choose, from the lowest on; its reciprocal for a negative n.
#[kernel]
pub fn powi_f64(x: f64, n: i32) -> f64 {
    let mut base = x;
    let mut left = n.unsigned_abs();
    let mut power = if left & 1 == 1 { x } else { 1.0 };
    while left > 1 {
        left >>= 1;
        base *= base;
        if left & 1 == 1 {
            power *= base;
        }
    }
    if n < 0 { 1.0 / power } else { power }
}

/// x^n: the product of the squarings of x that the bits of |n| choose, from the lowest on; its reciprocal for a negative n.
#[kernel]
pub fn powi_f32(x: f32, n: i32) -> f32 {
    let mut base = x;
    let mut left = n.unsigned_abs();
    let mut power = if left & 1 == 1 { x } else { 1.0 };
    while left > 1 {
        left >>= 1;
        base *= base;
        if left & 1 == 1 {
            power *= base;
        }
    }
    if n < 0 { 1.0 / power } else { power }
}
