use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let first = || Some(x.first()? + 1.0);
    first().unwrap()
}

fn main() {}
