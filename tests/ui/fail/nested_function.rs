use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    fn inner(v: f64) -> f64 {
        v
    }
    let _a = inner(1.0);
    x[0]
}

fn main() {}
