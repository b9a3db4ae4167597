use cuprous::prelude::*;
use num_traits::Zero;

trait Odd {
    fn is_zero(self) -> bool;
    fn lt(self, other: u8) -> bool;
    fn erf(&self) -> f64;
}

impl Odd for u8 {
    fn is_zero(self) -> bool {
        self == 1
    }
    fn lt(self, other: u8) -> bool {
        self > other
    }
    fn erf(&self) -> f64 {
        1.0
    }
}

impl Odd for f64 {
    fn is_zero(self) -> bool {
        Zero::is_zero(&self)
    }
    fn lt(self, _: u8) -> bool {
        false
    }
    fn erf(&self) -> f64 {
        1.0
    }
}

#[kernel]
fn zero(x: u8) -> bool {
    x.is_zero()
}

#[kernel]
fn less(x: u8) -> bool {
    x.lt(7)
}

#[kernel]
fn error(x: &[f64]) -> Vec<f64> {
    x.iter().map(|v| v.erf()).collect()
}

fn main() {}
