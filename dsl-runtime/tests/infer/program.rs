//! Whole programs, as they are brought along from Rust.

use crate::first::{heat, saxpy, spmv};
use dsl_runtime::kernel;
use dsl_runtime::prelude::*;

#[test]
fn the_kernels_of_the_introduction() {
    check! {
        saxpy => "-> [f32]";
        spmv => "-> [f64]";
        heat => "g: Array2<f64>; -> Array2<f64>";
    }
}

#[kernel]
fn idioms(
    x: &[f64],
    n: usize,
    u: &Array2<f32>,
    pts: &[(f32, u8)],
    w: &mut [f64],
) -> (Vec<f64>, Vec<usize>) {
    let mut out = vec![0.0; n];
    let mut hist = vec![0; 16];
    for (i, v) in x.iter().enumerate() {
        out[i] = v * 2.0;
        hist[i % 16] += 1;
    }
    let mut grid = vec![vec![0.0; n]; n];
    grid[1][2] = u[[0, 1]];
    for row in u.rows() {
        for v in row.iter() {
            grid[0][0] += v;
        }
    }
    let (best, at) = x
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.partial_cmp(b).unwrap())
        .map(|(i, v)| (*v, i))
        .unwrap_or((0.0, 0));
    let reds = pts
        .iter()
        .map(|&(v, c)| v * c as f32)
        .fold(0.0, |a, b| a + b);
    let inside = (0.0..=1.0).contains(&best) && (2..n).contains(&at);
    let head = &x[..n / 2];
    let tail = x[n / 2..]
        .iter()
        .rev()
        .map(|v| v - head[0])
        .collect::<Vec<_>>();
    let small: [f32; 3] = std::array::from_fn(|i| pts[i].0);
    let matrix = [[0.0f32; 3]; 2];
    let cell = matrix[1]
        .iter()
        .zip(&small)
        .map(|(a, b)| a * b)
        .sum::<f32>();
    let pairs = x
        .chunks(2)
        .zip(x.windows(2))
        .map(|(a, b)| a[0] + b[1])
        .count();
    let none = x.iter().find(|v| **v > 3.0).copied().unwrap_or_default();
    let least = std::cmp::min(n, 7).max(1);
    let (mut p, mut q) = (vec![1.0], x.to_vec());
    for _ in 0..3 {
        std::mem::swap(&mut p, &mut q);
    }
    let short = if n > 1 { &x[1..] } else { &[] };
    let hash = x.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, v| {
        (h ^ v.to_bits()).wrapping_mul(0x100_0000_01b3)
    });
    assert_eq!(hash, 0xcbf2_9ce4_8422_2325, "hash {hash:x}");
    let (lo, hi) = x.split_at(n / 2);
    let quarter = |v: &[f64]| v.iter().sum::<f64>() / 4.0;
    let both = quarter(lo) + quarter(&hi[1..]);
    let sum_of_rows = (0..n)
        .map(|i| (0..i).map(|j| grid[i][j]).sum::<f32>())
        .fold(0.0, f32::max);
    let wide = u8::MAX as u32 + u32::from(pts[0].1);
    let sign = if x[0] < 0.0 { -1 } else { 1 };
    let scaled = x[0] * sign as f64;
    for i in 0..w.len() {
        w[i] += scaled;
    }
    (out, hist)
}

#[kernel]
fn collatz(n: u64) -> u32 {
    if n <= 1 {
        0
    } else if n % 2 == 0 {
        1 + collatz(n / 2)
    } else {
        1 + collatz(3 * n + 1)
    }
}

#[kernel]
fn mandelbrot(w: usize, h: usize, limit: u32) -> Array2<u32> {
    tabulate2((h, w), |(i, j)| {
        let (cx, cy) = (
            j as f32 / w as f32 * 3.0 - 2.0,
            i as f32 / h as f32 * 2.0 - 1.0,
        );
        let (mut x, mut y, mut n) = (0.0, 0.0, 0);
        while x * x + y * y <= 4.0 && n < limit {
            (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
            n += 1;
        }
        n
    })
}

#[test]
fn idioms_of_rust() {
    check! {
        idioms => "out: [f64]; hist: [usize]; grid: [[f32]]; reds: f32; inside: bool; head: [f64]; tail: [f64]; \
            small: [f32; 3]; matrix: [[f32; 3]; 2]; cell: f32; pairs: usize; none: f64; least: usize; short: [f64]; hash: u64; \
            quarter: impl Fn([f64]) -> f64; both: f64; sum_of_rows: f32; wide: u32; sign: i32; scaled: f64; \
            -> ([f64], [usize])";
        collatz => "-> u32";
        mandelbrot => "-> Array2<u32>";
    }
}
