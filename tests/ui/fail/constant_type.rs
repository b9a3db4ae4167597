use cuprous::prelude::*;

const NAME: &str = "x";

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = NAME.len();
    x[0]
}

fn main() {}
