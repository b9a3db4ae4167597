use cuprous::prelude::*;

#[kernel]
fn f(x: u128) -> usize {
    x as usize
}

fn main() {}
