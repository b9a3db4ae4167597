use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    static COUNT: usize = 1;
    let _a = COUNT;
    x[0]
}

fn main() {}
