use cuprous::prelude::*;

#[kernel]
struct Point {
    x: f64,
}

fn main() {}
