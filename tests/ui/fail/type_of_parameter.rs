use cuprous::prelude::*;

struct Pair<T>(T, T);

#[kernel]
fn f<T: Real>(x: Pair<T>) -> T {
    x.0
}

fn main() {}
