use cuprous::prelude::*;

enum Colour {
    Red,
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _p = Colour::Red;
    x[0]
}

fn main() {}
