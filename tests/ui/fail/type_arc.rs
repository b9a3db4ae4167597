use cuprous::prelude::*;

#[kernel]
fn f(x: std::sync::Arc<[f64]>) -> usize {
    x.len()
}

fn main() {}
