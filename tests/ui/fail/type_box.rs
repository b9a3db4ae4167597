use cuprous::prelude::*;

#[kernel]
fn f(x: Box<[f64]>) -> usize {
    x.len()
}

fn main() {}
