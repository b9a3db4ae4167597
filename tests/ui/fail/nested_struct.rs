use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    struct Point;
    x[0]
}

fn main() {}
