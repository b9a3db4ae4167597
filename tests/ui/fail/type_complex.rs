use cuprous::prelude::*;

#[kernel]
fn f(x: num_complex::Complex<f64>) -> f64 {
    x.re
}

fn main() {}
