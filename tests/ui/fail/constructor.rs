use cuprous::prelude::*;

struct Metres(f64);

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _p = Metres(1.0);
    x[0]
}

fn main() {}
