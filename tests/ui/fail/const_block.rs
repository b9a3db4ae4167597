use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = const { 1 + 1 };
    x[0]
}

fn main() {}
