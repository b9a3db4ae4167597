use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> &[f64] {
    x
}

fn main() {}
