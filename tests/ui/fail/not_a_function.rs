use cuprous::prelude::*;

#[kernel]
const LIMIT: f64 = 1.0;

fn main() {}
