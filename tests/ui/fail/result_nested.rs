use cuprous::prelude::*;

#[kernel]
fn f(x: &[f32]) -> Vec<Vec<f32>> {
    x.map(|v| vec![v, v])
}

fn main() {}
