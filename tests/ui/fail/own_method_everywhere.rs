use cuprous::prelude::*;

trait Odd: Sized {
    fn neg(self) -> Self {
        self
    }
    fn is_one(&self) -> bool {
        true
    }
}

impl<T> Odd for T {}

#[kernel]
fn operator(x: f64) -> f64 {
    x.neg()
}

#[kernel]
fn test(x: i32) -> bool {
    x.is_one()
}

fn main() {}
