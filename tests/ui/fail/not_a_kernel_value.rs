use cuprous::prelude::*;

fn helper(v: f64) -> f64 {
    v + 1.0
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = x.map(helper);
    x[0]
}

fn main() {}
