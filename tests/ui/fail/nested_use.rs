use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    use std::cmp::max;
    let _a = max(1, 2);
    x[0]
}

fn main() {}
