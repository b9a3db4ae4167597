use cuprous::prelude::*;

#[kernel]
fn f(x: char) -> usize {
    x as usize
}

fn main() {}
