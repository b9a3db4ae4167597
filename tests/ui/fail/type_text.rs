use cuprous::prelude::*;

#[kernel]
fn f(x: &str) -> usize {
    x.len()
}

fn main() {}
