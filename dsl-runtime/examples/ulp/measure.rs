//! Results and references → errors in ulps of the true result.

use super::reference::{Value, two_to};

/// How far a result is off, in ulps of the true one (of the smallest normal binade below it); infinite where the kind of
/// result (NaN, sign, overflow) is wrong.
pub fn error_f64(got: f64, want: Value) -> f64 {
    let Value { number, scale } = want;
    if number.high.is_nan() || got.is_nan() {
        return mismatch(number.high.is_nan() == got.is_nan());
    }
    if number.high == 0.0 || number.high.is_infinite() {
        return mismatch(got.to_bits() == number.high.to_bits());
    }
    if got.is_sign_negative() != number.high.is_sign_negative() {
        return f64::INFINITY;
    }
    let exponent = exponent(number.high) + scale;
    if exponent >= 1024 {
        return mismatch(got.is_infinite());
    }
    let ulp = (exponent - 52).max(-1074);
    // Everything times 2^-scale; an infinity stands for 2^1024.
    let got = if got.is_infinite() {
        times(two_to(1023).copysign(got), 1 - scale)
    } else {
        times(got, -scale)
    };
    let off = ((got - number.high) - number.low).abs();
    times(off, scale - ulp)
}

/// The same for `f32`, from a reference of 53 bits.
pub fn error_f32(got: f32, want: f64) -> f64 {
    if want.is_nan() || got.is_nan() {
        return mismatch(want.is_nan() == got.is_nan());
    }
    if got.is_sign_negative() != want.is_sign_negative() {
        return f64::INFINITY;
    }
    if want == 0.0 || want.is_infinite() || want.abs() >= two_to(128) {
        return mismatch(got as f64 == want || (want.abs() >= two_to(128) && got.is_infinite()));
    }
    let ulp = (exponent(want) - 23).max(-149);
    let got = if got.is_infinite() {
        two_to(128).copysign(want)
    } else {
        got as f64
    };
    (got - want).abs() * two_to(-ulp)
}

fn mismatch(right: bool) -> f64 {
    if right { 0.0 } else { f64::INFINITY }
}

fn exponent(x: f64) -> i32 {
    let bits = (x.to_bits() >> 52 & 0x7ff) as i32;
    if bits == 0 {
        exponent(x * two_to(64)) - 64
    } else {
        bits - 1023
    }
}

fn times(mut x: f64, mut power: i32) -> f64 {
    while power != 0 && x != 0.0 && x.is_finite() {
        let step = power.clamp(-1000, 1000);
        x *= two_to(step);
        power -= step;
    }
    x
}
