use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let mut y = x.to_vec();
    let (low, _) = y.split_at_mut(1);
    low[0]
}

fn main() {}
