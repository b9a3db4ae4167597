use cuprous::prelude::*;

#[kernel]
fn f(x: &mut f64) {
    *x = 1.0;
}

fn main() {}
