use cuprous::prelude::*;

#[kernel]
fn f(x: String) -> usize {
    x.len()
}

fn main() {}
