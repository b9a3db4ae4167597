use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let first = |_wait: std::time::Duration| x[0];
    first(std::time::Duration::ZERO)
}

fn main() {}
