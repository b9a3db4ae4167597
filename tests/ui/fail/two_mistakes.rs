use cuprous::prelude::*;

#[kernel]
fn f(x: &[f64]) -> f64 {
    println!("{}", x[0]);
    let _b = Box::new(x[0]);
    x[0]
}

fn main() {}
