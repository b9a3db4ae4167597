use cuprous::prelude::*;

#[kernel]
fn f(x: &std::cell::Cell<usize>) -> usize {
    x.get()
}

fn main() {}
