use cuprous::prelude::*;

struct Point {
    x: f64,
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _p = Point { x: 1.0 };
    x[0]
}

fn main() {}
