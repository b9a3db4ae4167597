//! The iterator spelling.

use crate::harness::{doubles, ints};
use cuprous::prelude::*;

#[kernel]
fn basics(x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<(usize, f64)>) {
    (
        x.iter().zip(y).map(|(x, y)| 2.0 * x + y).collect(),
        x.iter()
            .zip(y.iter())
            .map(|(&x, &y)| x - y)
            .collect::<Vec<f64>>(),
        x.iter().copied().map(|v| v * v).collect::<Vec<_>>(),
        x.iter().cloned().enumerate().collect(),
    )
}

#[kernel]
fn filters(x: &[i32]) -> (Vec<i32>, Vec<i32>, usize, i32, Vec<usize>) {
    (
        x.iter().filter(|v| **v > 0).copied().collect(),
        x.iter()
            .filter_map(|&v| (v % 3 == 0).then_some(v / 3))
            .collect(),
        x.iter().filter(|&&v| v < 0).count(),
        x.iter().filter(|&v| v % 2 == 0).sum(),
        x.iter()
            .enumerate()
            .filter(|(_, v)| **v > 50)
            .map(|(i, _)| i)
            .collect(),
    )
}

#[kernel]
fn ends(x: &[i32], k: usize) -> (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>) {
    (
        x.iter().take(k).copied().collect(),
        x.iter().skip(k).copied().collect(),
        x.iter().rev().copied().collect(),
        x.iter().step_by(k + 1).copied().collect(),
        x.iter().chain(x.iter().rev()).copied().collect(),
    )
}

#[kernel]
fn unequal(x: &[i32], y: &[i32]) -> Vec<i32> {
    x.iter().zip(y.iter()).map(|(a, b)| a * b).collect()
}

#[kernel]
fn totals(x: &[f64], n: &[i64]) -> (f64, f64, i64, i64, f64) {
    let s: f64 = x.iter().sum();
    let p = n.iter().map(|v| v % 5 + 7).product::<i64>();
    (
        s,
        x.iter().map(|v| v * v).sum::<f64>().sqrt(),
        p,
        n.iter().copied().sum::<i64>(),
        x.iter().map(|v| 1.0 + v / 1000.0).product(),
    )
}

#[kernel]
fn extremes(x: &[f64], n: &[i32]) -> (f64, f64, i32, i32, i32, bool) {
    (
        x.iter()
            .copied()
            .min_by(|a, b| a.total_cmp(b))
            .unwrap_or(0.0),
        x.iter()
            .max_by(|a, b| a.total_cmp(b))
            .copied()
            .unwrap_or(0.0),
        n.iter().copied().min().unwrap_or(-1),
        *n.iter().max().unwrap_or(&-2),
        n.iter().map(|v| v * v).max().unwrap_or(0),
        n.iter().min().is_none(),
    )
}

#[kernel]
fn unwraps(n: &[i32]) -> i32 {
    *n.iter().max().unwrap()
}

#[kernel]
fn searches(x: &[i32], k: i32) -> (bool, bool, usize, bool, i32) {
    (
        x.iter().any(|&v| v == k),
        x.iter().all(|v| *v != k),
        x.iter().position(|&v| v == k).unwrap_or(x.len()),
        x.contains(&k),
        match x.iter().position(|v| *v > k) {
            Some(i) => x[i],
            None => -1,
        },
    )
}

#[kernel]
fn folds(x: &[i32]) -> (i32, f64, (i32, usize), i64) {
    (
        x.iter().fold(0, |a, b| (a * 3 + b) % 1007),
        x.iter().fold(1.0, |a, &b| a * 0.5 + b as f64),
        x.iter().enumerate().fold(
            (i32::MIN, 0),
            |best, (i, &v)| if v > best.0 { (v, i) } else { best },
        ),
        (0..x.len()).fold(0i64, |a, i| a * 2 % 10007 + x[i] as i64 * i as i64),
    )
}

#[kernel]
fn ranges(n: usize) -> (Vec<usize>, usize, Vec<i32>, f64, Vec<usize>, bool) {
    (
        (0..n).collect(),
        (1..=n).sum(),
        (-3..n as i32).rev().map(|v| v * v).collect(),
        (0..n).map(|i| 1.0 / (i + 1) as f64).sum(),
        (0..n).step_by(3).filter(|i| i % 2 == 0).collect(),
        (0..n).any(|i| i * i == 49),
    )
}

#[kernel]
fn flattening(n: usize) -> (Vec<(usize, usize)>, usize, Vec<usize>) {
    (
        (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).collect(),
        (0..n)
            .flat_map(|i| (i..n).filter(move |j| (i + j) % 3 == 0))
            .count(),
        (0..n).flat_map(|i| vec![i; i % 3]).collect(),
    )
}

#[kernel]
fn windows(x: &[f64]) -> (Vec<f64>, Vec<f64>, bool, f64) {
    (
        x.windows(3).map(|w| (w[0] + w[1] + w[2]) / 3.0).collect(),
        x.chunks_exact(4).map(|c| c.iter().sum::<f64>()).collect(),
        x.windows(2).all(|w| w[0] <= w[1]),
        x.windows(2).map(|w| (w[1] - w[0]).abs()).sum(),
    )
}

#[kernel]
fn into_iters(x: Vec<i32>) -> (Vec<i32>, i32) {
    let y: Vec<i32> = x.into_iter().map(|v| v + 1).collect();
    (y.clone(), y.iter().sum::<i32>() + y.len() as i32)
}

#[kernel]
fn matrix_vector(a: &[f64], x: &[f64], n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| {
            a[i * n..(i + 1) * n]
                .iter()
                .zip(x)
                .map(|(a, x)| a * x)
                .sum()
        })
        .collect()
}

#[kernel]
fn matrix_matrix(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    (0..n * n)
        .map(|k| {
            let (i, j) = (k / n, k % n);
            (0..n).map(|l| a[i * n + l] * b[l * n + j]).sum()
        })
        .collect()
}

#[kernel]
fn moving(x: &[f64], k: usize) -> Vec<f64> {
    (0..x.len())
        .map(|i| {
            let lo = i.saturating_sub(k);
            let hi = (i + k + 1).min(x.len());
            x[lo..hi].iter().sum::<f64>() / (hi - lo) as f64
        })
        .collect()
}

#[kernel]
fn horner(c: &[f64], x: &[f64]) -> Vec<f64> {
    x.iter()
        .map(|&v| c.iter().rev().fold(0.0, |s, &c| s * v + c))
        .collect()
}

#[kernel]
fn primes(n: u64) -> Vec<u64> {
    (2..n)
        .filter(|&k| (2..k).take_while(|d| d * d <= k).all(|d| k % d != 0))
        .collect()
}

#[kernel]
fn bodies(p: &[(f64, f64)], m: &[f64]) -> Vec<(f64, f64)> {
    p.iter()
        .map(|&(x, y)| {
            let mut f = (0.0, 0.0);
            for (j, &(u, v)) in p.iter().enumerate() {
                let (dx, dy) = (u - x, v - y);
                let d = (dx * dx + dy * dy + 0.01).sqrt();
                let w = m[j] / (d * d * d);
                f.0 += w * dx;
                f.1 += w * dy;
            }
            f
        })
        .collect()
}

#[kernel]
fn last_words(x: &[i32]) -> (i32, i32, i32, i32) {
    (
        x.iter().copied().last().unwrap_or(0),
        x.iter().nth(2).copied().unwrap_or(-1),
        x.first().copied().unwrap_or(-2),
        x.iter()
            .copied()
            .min_by_key(|v| (v - 7).abs())
            .unwrap_or(-3),
    )
}

#[kernel]
fn loops_over_iterators(x: &[i32]) -> (i32, i32) {
    let mut a = 0;
    for (i, w) in x.windows(2).enumerate() {
        a += (w[1] - w[0]) * i as i32;
    }
    let mut b = 0;
    for v in x.iter().filter(|v| **v > 0).map(|v| v * 2).rev() {
        b = (b * 3 + v) % 10007;
    }
    (a, b)
}

tests! {
    spelling {
        for n in [0, 1, 5, 1000] {
            let (x, y) = (ints(n), doubles(n));
            let wide: Vec<i64> = x.iter().map(|v| *v as i64).collect();
            agree!(basics(&y, &y));
            agree!(filters(&x));
            for k in [0, 1, 4, 2000] {
                agree!(ends(&x, k));
            }
            agree!(unequal(&x, &ints(3)));
            agree!(unequal(&ints(3), &x));
            agree!(1e-9, totals(&y, &wide[..n.min(20)]));
            agree!(extremes(&y, &x));
            agree!(folds(&x));
            agree!(1e-9, ranges(n));
            agree!(1e-9, windows(&y));
            agree!(into_iters(x.clone()));
            agree!(1e-9, moving(&y, 3));
            agree!(horner(&[1.0, 0.5, 0.25], &y));
            agree!(last_words(&x));
            agree!(loops_over_iterators(&x));
            for k in [0, 37, 500] {
                agree!(searches(&x, k));
            }
        }
        fails!(unwraps(&[][..]), "CU0206", "the `Option` is `None`");
    }
    nesting {
        for n in [0, 1, 5, 40] {
            agree!(flattening(n));
            agree!(1e-9, matrix_vector(&doubles(n * n), &doubles(n), n));
            agree!(1e-9, matrix_matrix(&doubles(n * n), &doubles(n * n), n));
            agree!(primes(n as u64));
            let p: Vec<(f64, f64)> = doubles(n).iter().zip(doubles(n + 3).iter().skip(3)).map(|(a, b)| (*a, *b)).collect();
            agree!(1e-9, bodies(&p, &doubles(n)));
        }
    }
}
