use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = unsafe { *x.get_unchecked(0) };
    x[0]
}

fn main() {}
