use cuprous::prelude::*;

#[kernel]
fn f(x: cuprous::Complex<f64>) -> f64 {
    x.re
}

fn main() {}
