use cuprous::prelude::*;

#[kernel]
fn f(x: &dyn Fn(usize) -> usize) -> usize {
    x(1)
}

fn main() {}
