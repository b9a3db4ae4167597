use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = (|v: f64| v + 1.0)(x[0]);
    x[0]
}

fn main() {}
