use cuprous::prelude::*;

#[kernel]
fn f(x: &[f32]) -> Option<f32> {
    Some(x[0])
}

#[kernel]
fn g(x: &[f32]) -> (f32, Option<f32>) {
    (x[0], None)
}

fn main() {}
