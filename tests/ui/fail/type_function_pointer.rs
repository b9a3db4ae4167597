use cuprous::prelude::*;

#[kernel]
fn f(x: fn(usize) -> usize) -> usize {
    x(1)
}

fn main() {}
