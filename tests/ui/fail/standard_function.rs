use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _t = std::thread::available_parallelism();
    x[0]
}

fn main() {}
