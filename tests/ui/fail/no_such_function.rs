use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = helper(x[0]);
    x[0]
}

fn main() {}
