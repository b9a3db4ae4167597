#![deny(warnings)]

use cuprous::kernel;

trait Odd {
    fn erf(self) -> Self;
}

impl Odd for f32 {
    fn erf(self) -> f32 {
        1.0 - self
    }
}

#[kernel]
fn f(x: &[f32]) -> f32 {
    x[0].erf()
}

fn main() {}
