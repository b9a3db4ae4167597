//! std's iterators.

use dsl_runtime::kernel;
use dsl_runtime::prelude::*;

#[kernel]
fn iterators(x: &[f64], y: &Vec<f32>, a: f64) -> Vec<f64> {
    let axpy: Vec<f64> = x
        .iter()
        .zip(y)
        .map(|(x, y)| a * x + f64::from(*y))
        .collect();
    let dot = x
        .iter()
        .zip(y.iter())
        .map(|(&x, &y)| x * y as f64)
        .sum::<f64>();
    let total: f64 = x.iter().sum();
    let squares = (0..x.len())
        .map(|i| i * i)
        .filter(|i| i % 2 == 0)
        .collect::<Vec<_>>();
    let firsts = x
        .iter()
        .enumerate()
        .filter_map(|(i, v)| if *v > 0.0 { Some(i) } else { None })
        .collect::<Vec<usize>>();
    let least = x.iter().copied().min_by(|a, b| a.total_cmp(b)).unwrap();
    let most = x.iter().cloned().fold(f64::NEG_INFINITY, f64::max);
    let longest = y.iter().map(|v| *v as i32).max().unwrap_or(0);
    let at = x.iter().position(|&v| v == 0.0).unwrap_or(x.len());
    let pairs: f64 = x.windows(2).map(|w| w[1] - w[0]).sum();
    let chunks = x.chunks_exact(4).map(|c| c.iter().sum::<f64>()).count();
    let all =
        x.iter().all(|v| v.is_finite()) && x.iter().rev().skip(1).step_by(2).any(|v| *v < 0.0);
    let flat: Vec<usize> = (0..3).flat_map(|i| (0..i).map(move |j| i + j)).collect();
    let acc = x.iter().fold((0.0, 0), |(s, n), v| (s + v, n + 1));
    let (even, odd): (Vec<f64>, Vec<f64>) = x.iter().partition(|v| **v > 1.0);
    let chained = x.iter().chain(&[1.0, 2.0]).take(3).last();
    let inferred = x.iter().map(|v| v * 2.0).collect();
    consume(inferred)
}

#[kernel]
fn consume(x: Vec<f64>) -> Vec<f64> {
    x
}

#[test]
fn iterators_are_std_s() {
    check! {
        iterators => "axpy: [f64]; dot: f64; total: f64; squares: [usize]; firsts: [usize]; least: f64; most: f64; \
            longest: i32; at: usize; pairs: f64; chunks: usize; all: bool; flat: [usize]; acc: (f64, i32); \
            chained: Option<f64>; inferred: [f64]; -> [f64]";
    }
}
