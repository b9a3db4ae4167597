use cuprous::prelude::*;

#[kernel]
fn f(x: &'static [f32]) -> f32 {
    x[0]
}

fn main() {}
