use cuprous::prelude::*;

#[kernel]
fn twice<T: Real>(v: T) -> T {
    v + v
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = x.map(twice::<f64>);
    x[0]
}

fn main() {}
