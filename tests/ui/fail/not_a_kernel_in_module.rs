use cuprous::prelude::*;

mod tool {
    pub fn helper(v: f64) -> f64 {
        v + 1.0
    }
}

#[kernel]
fn f(x: &[f64]) -> f64 {
    let _a = tool::helper(x[0]);
    x[0]
}

fn main() {}
