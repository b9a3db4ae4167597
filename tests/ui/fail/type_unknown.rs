use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let none: Option<std::time::Duration> = None;
    if none.is_none() { x[0] } else { 0.0 }
}

fn main() {}
