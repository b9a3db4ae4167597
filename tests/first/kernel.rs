//! The kernels of the front page, for the tests of every layer: inference, the interpreter, all places, memory.

// Most tests need only some of them.
#![allow(dead_code)]

use cuprous::kernel;
use cuprous::prelude::*;

/// `a x + y`.
#[kernel]
pub fn saxpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| a * x + y)
}

/// A sparse matrix in CSR times a vector.
#[kernel]
pub fn spmv(rows: &[usize], cols: &[u32], vals: &[f64], x: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1).map(|r| {
        (rows[r]..rows[r + 1])
            .map(|k| vals[k] * x[cols[k] as usize])
            .sum()
    })
}

/// Steps of the heat equation on a grid whose edges stay.
#[kernel]
pub fn heat(u: &Array2<f64>, k: f64, steps: usize) -> Array2<f64> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..steps {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                g[[i, j]]
            } else {
                g[[i, j]]
                    + k * (g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]]
                        - 4.0 * g[[i, j]])
            }
        });
    }
    g
}
