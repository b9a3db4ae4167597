use cuprous::prelude::*;

#[kernel]
async fn f(x: f64) -> f64 {
    x
}

fn main() {}
