use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _p = &raw const x;
    x[0]
}

fn main() {}
