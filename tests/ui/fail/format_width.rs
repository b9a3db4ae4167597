use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let w = 8;
    assert!(x[0] > 0.0, "{:w$}", x[1]);
    x[0]
}

fn main() {}
