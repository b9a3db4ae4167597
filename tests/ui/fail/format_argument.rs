use cuprous::prelude::*;

#[kernel]
fn f(x: f32) -> f32 {
    assert!(x > 0.0, "{} {}", x);
    x
}

fn main() {}
