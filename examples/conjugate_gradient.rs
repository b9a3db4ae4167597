//! Conjugate gradients (Hestenes and Stiefel 1952) for the five-point Laplacian on a square, as a sparse matrix in CSR: step
//! by step, with all arrays at the place, so that only the residual comes back from a device.
//!
//! Run: `cargo run --release --example conjugate_gradient [grid]`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;
use cuprous_opencl::OpenCl;

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

/// A step: the next solution, residual and direction, and the square of the residual's length.
#[kernel]
fn step(
    rows: &[usize],
    cols: &[u32],
    vals: &[f64],
    x: &[f64],
    r: &[f64],
    p: &[f64],
    rr: f64,
) -> (Vec<f64>, Vec<f64>, Vec<f64>, f64) {
    let q = spmv(rows, cols, vals, p);
    let alpha = rr / dot(p, &q);
    let x = axpy(alpha, p, x);
    let r = axpy(-alpha, &q, r);
    let next = dot(&r, &r);
    let p = axpy(next / rr, p, &r);
    (x, r, p, next)
}

/// The solution of `A x = b` and `|r| / |b|` after each step, until it falls below `tolerance`.
type Solution = (Vec<f64>, Vec<f64>);

/// Solves it at a place. All arrays stay there from the first step to the last: what comes back from a step is one number.
fn solve(
    place: &Place,
    (rows, cols, vals): &Matrix,
    b: &[f64],
    tolerance: f64,
) -> Result<Solution, cuprous::Error> {
    let (rows, cols) = (Array::from(rows.clone()), Array::from(cols.clone()));
    let (vals, mut r) = (Array::from(vals.clone()), Array::from(b.to_vec()));
    let mut x = Array::zeros(&[b.len()]);
    let mut p = r.clone();
    let mut rr = dot::call(&r, &r).on(place).run()?;
    let start = rr;
    let mut history = vec![];
    while rr > tolerance * tolerance * start {
        let one = step::call(&rows, &cols, &vals, &x, &r, &p, rr).on(place);
        (x, r, p, rr) = one.run()?;
        history.push((rr / start).sqrt());
    }
    Ok((x.into_vec(), history))
}

/// The same in one call: the loop, too, runs at the place.
#[kernel]
fn solve_in_one(
    rows: &[usize],
    cols: &[u32],
    vals: &[f64],
    b: &[f64],
    tolerance: f64,
    limit: usize,
) -> (Vec<f64>, usize) {
    let mut x = fill(b.len(), 0.0);
    let mut r = b.to_vec();
    let mut p = r.clone();
    let mut rr = dot(&r, &r);
    let goal = tolerance * tolerance * rr;
    let mut steps = 0;
    while steps < limit && rr > goal {
        (x, r, p, rr) = step(rows, cols, vals, &x, &r, &p, rr);
        steps += 1;
    }
    (x, steps)
}

/// A matrix in CSR: the rows' ends, the columns, the values.
type Matrix = (Vec<usize>, Vec<u32>, Vec<f64>);

/// The matrix of -Δ on `m` x `m` inner points of the unit square, times h².
fn laplacian(m: usize) -> Matrix {
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

/// What has crossed between the host and the device of a place so far, in bytes: in, out. None elsewhere.
fn crossed(place: &Place) -> Option<(u64, u64)> {
    let name = place.to_string();
    let number = name.strip_prefix("opencl")?;
    let number = number
        .strip_prefix(':')
        .map(|n| n.parse().expect("a number"));
    let opened = OpenCl::open(number).ok()?;
    let transfers = opened.device().transfers();
    Some((transfers.bytes_in, transfers.bytes_out))
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn main() -> Result<(), cuprous::Error> {
    let m: usize = std::env::args()
        .nth(1)
        .map_or(256, |m| m.parse().expect("the grid"));
    let matrix = laplacian(m);
    // -Δu = 2π² sin(πx) sin(πy) has the solution u = sin(πx) sin(πy).
    let h = 1.0 / (m + 1) as f64;
    let wave = |i: usize| {
        ((i / m + 1) as f64 * h * std::f64::consts::PI).sin()
            * ((i % m + 1) as f64 * h * std::f64::consts::PI).sin()
    };
    // A pinch of roughness, so that there is something to iterate for: the smooth part alone is an eigenvector.
    let rough = |i: usize| 1e-3 * rng::uniform(7, i as u64);
    let exact: Vec<f64> = (0..m * m).map(|i| wave(i) + rough(i)).collect();
    let b = spmv(&matrix.0, &matrix.1, &matrix.2, &exact);
    println!("{} unknowns, {} entries", m * m, matrix.2.len());

    let (x, history) = solve(&Place::cpu(), &matrix, &b, 1e-10)?;
    let steps = history.len();
    println!("{:>6}  |r| / |b|", "step");
    let shown = (0..steps).step_by(steps.div_ceil(16).max(1));
    for step in shown.chain([steps - 1]) {
        let bar = "#".repeat(((history[step].log10() + 11.0).max(0.0) * 5.0) as usize);
        println!("{:>6}  {:9.2e}  {bar}", step + 1, history[step]);
    }
    let errors = x.iter().zip(&exact).map(|(x, u)| (x - u).abs());
    let worst = errors.fold(0.0, f64::max);
    shared::check("the residual is below 1e-10", history[steps - 1] <= 1e-10);
    shared::check(
        &format!("the solution is right (worst error {worst:.1e})"),
        worst < 1e-6,
    );

    shared::say_devices();
    let slow = [Place::interp(), Place::native()];
    for place in Place::available() {
        if slow.contains(&place) {
            continue;
        }
        solve(&place, &matrix, &b, 1e-2)?;
        let before = crossed(&place);
        let begin = std::time::Instant::now();
        let found = solve(&place, &matrix, &b, 1e-10)?;
        let seconds = begin.elapsed().as_secs_f64();
        let moved = match (before, crossed(&place)) {
            (Some(before), Some(after)) => format!(
                "{} bytes to the device, {} back: {:.0} a step",
                after.0 - before.0,
                after.1 - before.1,
                (after.1 - before.1) as f64 / steps as f64
            ),
            _ => "no device".to_string(),
        };
        println!("{place}: {steps} steps in {seconds:.3} s; {moved}");
        let same = bits(&found.0) == bits(&x) && bits(&found.1) == bits(&history);
        shared::check(&format!("{place} gives the same bits"), same);
    }

    let matrix = laplacian(24);
    let b = vec![1.0; 24 * 24];
    let (meaning, history) = solve(&Place::interp(), &matrix, &b, 1e-10)?;
    for place in Place::available() {
        let found = solve(&place, &matrix, &b, 1e-10)?;
        if place == Place::native() {
            // It sums from left to right.
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
            let near = found.0.iter().zip(&meaning).all(near);
            shared::check("the plain function comes close", near);
            continue;
        }
        let one = solve_in_one::call(&matrix.0, &matrix.1, &matrix.2, &b, 1e-10, 200);
        let (x, steps) = one.on(&place).to_host()?;
        let same = bits(&found.0) == bits(&meaning)
            && bits(&found.1) == bits(&history)
            && bits(&x) == bits(&meaning)
            && steps == history.len();
        shared::check(&format!("{place} gives the interpreter's bits"), same);
    }
    Ok(())
}
