use cuprous::prelude::*;

#[kernel]
fn f(x: *const f64) -> usize {
    x as usize
}

fn main() {}
