use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let mut y = vec![3, 1];
    y.sort();
    x[0]
}

fn main() {}
