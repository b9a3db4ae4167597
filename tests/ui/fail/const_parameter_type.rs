use cuprous::prelude::*;

#[kernel]
fn f<const UP: bool>(x: f64) -> f64 {
    if UP { x + 1.0 } else { x }
}

fn main() {}
