use cuprous::prelude::*;

fn helper<T>(v: T) -> T {
    v
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a: f64 = helper(x[0]);
    x[0]
}

fn main() {}
