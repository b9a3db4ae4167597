#![allow(non_upper_case_globals)]

use cuprous::prelude::*;

const limit: u32 = 3;

#[kernel]
fn outside(x: u32) -> u32 {
    match x {
        limit => 1,
        _ => 2,
    }
}

#[kernel]
fn inside(x: u32) -> u32 {
    const bound: u32 = 3;
    match x {
        bound => 1,
        _ => 2,
    }
}

fn main() {}
