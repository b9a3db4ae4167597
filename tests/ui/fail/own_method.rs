use cuprous::prelude::*;

trait Odd {
    fn add(self, other: f64) -> f64;
    fn is_zero(self) -> bool;
    fn to_f64(&self) -> Option<f64>;
}

impl Odd for f64 {
    fn add(self, other: f64) -> f64 {
        self - other
    }
    fn is_zero(self) -> bool {
        self == 1.0
    }
    fn to_f64(&self) -> Option<f64> {
        None
    }
}

#[kernel]
fn operator(x: &[f64]) -> Vec<f64> {
    x.map(|v| v.add(1.0))
}

#[kernel]
fn test(x: &[f64]) -> usize {
    x.count(|v| v.is_zero())
}

#[kernel]
fn conversion(x: &[f64]) -> usize {
    x.count(|v| v.to_f64().is_some())
}

#[kernel]
fn generic<T: Real>(x: &[T], y: f64) -> bool {
    x[0].is_zero() && y.is_zero()
}

#[kernel]
fn path(x: f64) -> f64 {
    f64::add(x, 1.0)
}

macro_rules! plus {
    ($name:ident, $method:ident) => {
        #[kernel]
        fn $name(x: f64) -> f64 {
            x.$method(1.0)
        }
    };
}
plus!(made, add);

fn main() {}
