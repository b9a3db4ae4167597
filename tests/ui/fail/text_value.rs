use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _t = "one";
    x[0]
}

fn main() {}
