use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    let mut y = x.to_vec();
    for v in y.iter_mut() {
        *v += 1.0;
    }
    x[0]
}

fn main() {}
