use cuprous::prelude::*;

#[kernel]
fn f(x: &std::collections::HashMap<u32, u32>) -> usize {
    x.len()
}

fn main() {}
