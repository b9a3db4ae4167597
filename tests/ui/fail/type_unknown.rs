use cuprous::prelude::*;

#[kernel]
fn f(x: std::time::Duration) -> usize {
    x.as_secs() as usize
}

fn main() {}
