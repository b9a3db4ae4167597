use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let mut a = 1.0;
    let b = &mut a;
    *b += x[0];
    x[0]
}

fn main() {}
