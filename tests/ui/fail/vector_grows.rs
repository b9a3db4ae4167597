use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let mut y = vec![0.0];
    y.push(x[0]);
    x[0]
}

fn main() {}
