use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> impl Iterator<Item = f64> {
    x.iter().map(|v| v * 2.0)
}

fn main() {}
