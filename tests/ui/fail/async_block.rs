use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = async { 1 };
    x[0]
}

fn main() {}
