use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let t = format!("{}", x[0]);
    let _n = t.len();
    x[0]
}

fn main() {}
