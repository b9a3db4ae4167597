use cuprous::prelude::*;

#[kernel]
fn f<T>(x: &[T]) -> usize {
    x.len()
}

fn main() {}
