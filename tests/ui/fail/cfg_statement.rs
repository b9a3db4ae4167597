use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    #[cfg(debug_assertions)]
    let _a = 1;
    x[0]
}

fn main() {}
