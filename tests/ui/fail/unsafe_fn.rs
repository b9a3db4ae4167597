use cuprous::prelude::*;

#[kernel]
unsafe fn f(x: f64) -> f64 {
    x
}

fn main() {}
