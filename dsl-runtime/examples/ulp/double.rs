//! Numbers of about 106 bits: unevaluated sums of two `f64`.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `high + low`, |low| at most half an ulp of `high`.
#[derive(Clone, Copy, Debug)]
pub struct Double {
    pub high: f64,
    pub low: f64,
}

/// A double from its parts.
pub const fn double(high: f64, low: f64) -> Double {
    Double { high, low }
}

/// a + b without error, for |a| ≥ |b|.
fn quick_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    double(high, b - (high - a))
}

/// a + b without error.
pub fn sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let back = high - a;
    double(high, (a - (high - back)) + (b - back))
}

/// a b without error.
fn product(a: f64, b: f64) -> Double {
    let high = a * b;
    double(high, a.mul_add(b, -high))
}

impl From<f64> for Double {
    fn from(x: f64) -> Double {
        double(x, 0.0)
    }
}

impl Add for Double {
    type Output = Double;
    fn add(self, other: Double) -> Double {
        let s = sum(self.high, other.high);
        let t = sum(self.low, other.low);
        let s = quick_sum(s.high, s.low + t.high);
        quick_sum(s.high, s.low + t.low)
    }
}

impl Neg for Double {
    type Output = Double;
    fn neg(self) -> Double {
        double(-self.high, -self.low)
    }
}

impl Sub for Double {
    type Output = Double;
    fn sub(self, other: Double) -> Double {
        self + -other
    }
}

impl Mul for Double {
    type Output = Double;
    fn mul(self, other: Double) -> Double {
        let p = product(self.high, other.high);
        let cross = self.high * other.low + self.low * other.high;
        quick_sum(p.high, p.low + cross)
    }
}

impl Div for Double {
    type Output = Double;
    fn div(self, other: Double) -> Double {
        let first = self.high / other.high;
        let rest = self - other * first.into();
        let second = rest.high / other.high;
        let rest = rest - other * second.into();
        let third = rest.high / other.high;
        quick_sum(first, second) + third.into()
    }
}

impl Double {
    /// Times a power of two that neither overflows nor underflows.
    pub fn scaled(self, factor: f64) -> Double {
        double(self.high * factor, self.low * factor)
    }
}
