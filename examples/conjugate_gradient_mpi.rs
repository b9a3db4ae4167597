//! Conjugate gradients (Hestenes and Stiefel 1952) for the five-point Laplacian on a square, on many ranks: each has some rows of the
//! sparse matrix (CSR), and of the direction `p` it is sent what its columns name.
//!
//! Run: `cargo run --release --example conjugate_gradient_mpi [grid] [--opencl]`, or as many ranks:
//! `mpirun -n 4 target/release/examples/conjugate_gradient_mpi 1024`

#[path = "shared/ranks.rs"]
mod ranks;
#[path = "shared/mod.rs"]
mod shared;

use cuprous::mpi::{Distribution, World};
use cuprous::prelude::*;
use ranks::{Arguments, check, say};

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

/// The largest difference.
#[kernel]
fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.zip(y).map(|(x, y)| (x - y).abs()).maximum()
}

/// A wave with a pinch of roughness, so that there is something to iterate for: the smooth part alone is an eigenvector.
#[kernel]
fn rough_wave(m: usize) -> Vec<f64> {
    let angle = std::f64::consts::PI / (m + 1) as f64;
    indices(m * m).map(|at| {
        let (i, j) = ((at / m + 1) as f64, (at % m + 1) as f64);
        (i * angle).sin() * (j * angle).sin() + 1e-3 * rng::uniform(7, at as u64)
    })
}

/// A matrix in CSR, cut among the ranks: the rows' ends, the columns, the values.
struct Matrix {
    rows: Array<usize>,
    cols: Array<u32>,
    vals: Array<f64>,
}

/// The matrix of -Δ on `m` x `m` inner points of the unit square, times h². Every rank makes the entries of its own rows.
fn laplacian(world: &World, m: usize) -> Result<Matrix, cuprous::Error> {
    let n = m * m;
    // Five entries a row, but for the neighbours that rows at the four edges do not have.
    let start = |at: usize| {
        let (upper, lower) = (at.min(m), at.saturating_sub(n - m));
        5 * at - upper - lower - at.div_ceil(m) - at / m
    };
    let (mut cols, mut vals) = (vec![], vec![]);
    // Rows lie where the elements of vectors do.
    for at in Distribution::blocks(n, world.size()).range(world.rank()) {
        let (i, j) = (at / m, at % m);
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
    }
    Ok(Matrix {
        rows: world.from_fn(n + 1, start)?,
        cols: world.from_local(cols)?,
        vals: world.from_local(vals)?,
    })
}

fn main() -> Result<(), cuprous::Error> {
    let world = World::init()?;
    let mut arguments = Arguments::read();
    let cluster = ranks::cluster(&world, &mut arguments)?;
    let m = arguments.number("grid", 256).max(2);
    arguments.end();

    let Matrix { rows, cols, vals } = laplacian(&world, m)?;
    let unknowns = m * m;
    say(
        &world,
        format!("{unknowns} unknowns, {} entries", vals.len()),
    );
    let exact = rough_wave::call(m).on(&cluster).run()?;
    let b = spmv::call(&rows, &cols, &vals, &exact).on(&cluster).run()?;

    // The arrays stay on their ranks from the first step to the last: what comes back from a step is one number.
    let begin = std::time::Instant::now();
    let mut x = world.from_fn(unknowns, |_| 0.0)?;
    let (mut r, mut p) = (b.clone(), b.clone());
    let mut rr = dot::call(&r, &r).on(&cluster).run()?;
    let first = rr;
    let tolerance = 1e-10;
    let mut history = vec![];
    while rr > tolerance * tolerance * first && history.len() < 20 * m {
        let one = step::call(&rows, &cols, &vals, &x, &r, &p, rr).on(&cluster);
        (x, r, p, rr) = one.run()?;
        history.push((rr / first).sqrt());
    }
    let steps = history.len();
    if world.rank() == 0 {
        eprintln!("{steps} steps in {:.3} s", begin.elapsed().as_secs_f64());
    }
    say(&world, format!("{:>6}  |r| / |b|", "step"));
    let shown = (0..steps).step_by(steps.div_ceil(16).max(1));
    for step in shown.chain([steps - 1]) {
        let bar = "#".repeat(((history[step].log10() + 11.0).max(0.0) * 5.0) as usize);
        say(
            &world,
            format!("{:>6}  {:9.2e}  {bar}", step + 1, history[step]),
        );
    }

    // What the steps carried along is the residual: b - A x.
    let product = spmv::call(&rows, &cols, &vals, &x).on(&cluster).run()?;
    let residual = axpy::call(-1.0, &product, &b).on(&cluster).run()?;
    let left = dot::call(&residual, &residual).on(&cluster).run()?;
    check(
        &world,
        "|b - A x| is below 1e-9 |b|",
        (left / first).sqrt() < 1e-9,
    );
    let worst = distance::call(&x, &exact).on(&cluster).run()?;
    check(
        &world,
        &format!("the solution is right (worst error {worst:.1e})"),
        worst < 1e-6,
    );

    // All the rest is rank 0's.
    let Some(x) = x.gather()? else { return Ok(()) };
    let x = x.to_ndarray();
    println!(
        "hash: {:016x}",
        ranks::hash(x.as_slice().expect("in order"))
    );
    let picture = x.into_shape_with_order((m, m)).expect("a square");
    shared::grey(
        &shared::picture("conjugate_gradient_mpi.png"),
        &picture,
        0.0,
        1.0,
    );
    Ok(())
}
