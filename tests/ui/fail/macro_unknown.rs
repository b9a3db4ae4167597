use cuprous::prelude::*;

macro_rules! array_of {
    ($($x:expr),*) => { [$($x),*] };
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = array_of!(1, 2);
    x[0]
}

fn main() {}
