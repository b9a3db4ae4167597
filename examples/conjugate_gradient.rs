//! Conjugate gradients (Hestenes and Stiefel 1952) for the five-point Laplacian on a square, as a sparse matrix in CSR.
//!
//! Run: `cargo run --release --example conjugate_gradient [grid]`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;

/// `A x` for a matrix in CSR.
#[kernel]
fn spmv(rows: &[usize], cols: &[u32], vals: &[f64], x: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1).map(|r| {
        (rows[r]..rows[r + 1])
            .map(|k| vals[k] * x[cols[k] as usize])
            .sum()
    })
}

#[kernel]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.zip(y).map(|(x, y)| x * y).sum()
}

#[kernel]
fn axpy(a: f64, x: &[f64], y: &[f64]) -> Vec<f64> {
    x.zip(y).map(|(x, y)| a * x + y)
}

/// Solves `A x = b`: the solution and `|r| / |b|` after each step, until it falls below `tolerance`.
#[kernel]
fn solve(
    rows: &[usize],
    cols: &[u32],
    vals: &[f64],
    b: &[f64],
    tolerance: f64,
    limit: usize,
) -> (Vec<f64>, Vec<f64>, usize) {
    let mut x = fill(b.len(), 0.0);
    let mut r = b.to_vec();
    let mut p = r.clone();
    let mut rr = dot(&r, &r);
    let goal = tolerance * tolerance * rr;
    let start = rr;
    let mut history = vec![0.0; limit];
    let mut step = 0;
    while step < limit && rr > goal {
        let q = spmv(rows, cols, vals, &p);
        let alpha = rr / dot(&p, &q);
        x = axpy(alpha, &p, &x);
        r = axpy(-alpha, &q, &r);
        let next = dot(&r, &r);
        p = axpy(next / rr, &p, &r);
        rr = next;
        history[step] = (rr / start).sqrt();
        step += 1;
    }
    (x, history, step)
}

/// The matrix of -Δ on `m` x `m` inner points of the unit square, times h².
fn laplacian(m: usize) -> (Vec<usize>, Vec<u32>, Vec<f64>) {
    let (mut rows, mut cols, mut vals) = (vec![0], vec![], vec![]);
    for i in 0..m {
        for j in 0..m {
            let at = i * m + j;
            let mut entry = |near: bool, col: usize, val: f64| {
                if near {
                    cols.push(col as u32);
                    vals.push(val);
                }
            };
            entry(i > 0, at.wrapping_sub(m), -1.0);
            entry(j > 0, at.wrapping_sub(1), -1.0);
            entry(true, at, 4.0);
            entry(j + 1 < m, at + 1, -1.0);
            entry(i + 1 < m, at + m, -1.0);
            rows.push(cols.len());
        }
    }
    (rows, cols, vals)
}

fn main() -> Result<(), cuprous::Error> {
    let m: usize = std::env::args()
        .nth(1)
        .map_or(256, |m| m.parse().expect("the grid"));
    let (rows, cols, vals) = laplacian(m);
    // -Δu = 2π² sin(πx) sin(πy) has the solution u = sin(πx) sin(πy).
    let h = 1.0 / (m + 1) as f64;
    let wave = |i: usize| {
        ((i / m + 1) as f64 * h * std::f64::consts::PI).sin()
            * ((i % m + 1) as f64 * h * std::f64::consts::PI).sin()
    };
    // A pinch of roughness, so that there is something to iterate for: the smooth part alone is an eigenvector.
    let rough = |i: usize| 1e-3 * rng::uniform(7, i as u64);
    let exact: Vec<f64> = (0..m * m).map(|i| wave(i) + rough(i)).collect();
    let b = spmv(&rows, &cols, &vals, &exact);

    let begin = std::time::Instant::now();
    let (x, history, steps) = solve::call(&rows, &cols, &vals, &b, 1e-10, 5000).to_host()?;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{} unknowns, {} entries: {steps} steps in {seconds:.3} s",
        m * m,
        vals.len()
    );
    println!("{:>6}  |r| / |b|", "step");
    for step in (0..steps)
        .step_by(steps.div_ceil(16).max(1))
        .chain([steps - 1])
    {
        let bar = "#".repeat(((history[step].log10() + 11.0).max(0.0) * 5.0) as usize);
        println!("{:>6}  {:9.2e}  {bar}", step + 1, history[step]);
    }
    let worst = x
        .iter()
        .zip(&exact)
        .map(|(x, u)| (x - u).abs())
        .fold(0.0, f64::max);
    shared::check("the residual is below 1e-10", history[steps - 1] <= 1e-10);
    shared::check(
        &format!("the solution is right (worst error {worst:.1e})"),
        worst < 1e-6,
    );

    let (rows, cols, vals) = laplacian(24);
    let b = vec![1.0; 24 * 24];
    let meaning = solve::call(&rows, &cols, &vals, &b, 1e-10, 200)
        .on(&Place::interp())
        .to_host()?;
    for place in Place::available()
        .into_iter()
        .filter(|place| *place != Place::native())
    {
        let (x, history, steps) = solve::call(&rows, &cols, &vals, &b, 1e-10, 200)
            .on(&place)
            .to_host()?;
        let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let same = bits(&x) == bits(&meaning.0)
            && bits(&history) == bits(&meaning.1)
            && steps == meaning.2;
        shared::check(&format!("{place} gives the interpreter's bits"), same);
    }
    Ok(())
}
