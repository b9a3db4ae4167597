use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let y = x.to_vec();
    drop(y);
    x[0]
}

fn main() {}
