//! A name that nothing has is rustc's to report: once, and with the names that are like it.
use cuprous::prelude::*;

const LIMIT: f32 = 3.0;

#[kernel]
fn square(x: f32) -> f32 {
    x * x
}

#[kernel]
fn variable(x: f32) -> f32 {
    let z = x;
    zz + 1.0
}

#[kernel]
fn argument(values: &[f32], low: f32) -> f32 {
    values.map(|v| v.max(lo)).sum() + square(lov)
}

#[kernel]
fn function(x: f32) -> f32 {
    let y = squar(x);
    y + foo(x, 2) + squar(y)
}

#[kernel]
fn imported(x: u32) -> u32 {
    max(x, 1)
}

#[kernel]
fn value(x: &[f32]) -> Vec<f32> {
    x.map(squares)
}

#[kernel]
fn constant(x: f32) -> f32 {
    x + LIMITS
}

#[kernel]
fn kind(x: f32) -> f32 {
    let y: Float = x;
    y
}

fn main() {}
