//! Sparse matrices and conjugate gradients in our language.

use cuprous::Error;
use cuprous::prelude::*;

/// A sparse matrix in CSR at a place.
pub struct Csr<T: Element> {
    /// Where the rows begin and end.
    pub rows: Array<u32>,
    pub cols: Array<u32>,
    pub vals: Array<T>,
}

/// `A x` for a matrix in CSR.
#[kernel]
pub fn spmv_csr<T: Real>(rows: &[u32], cols: &[u32], vals: &[T], x: &[T]) -> Vec<T> {
    indices(rows.len() - 1).map(|r| {
        (rows[r] as usize..rows[r + 1] as usize)
            .map(|k| vals[k] * x[cols[k] as usize])
            .sum()
    })
}

/// `A x` for a matrix in ELL: entry `k` of row `r` is at `[k, r]`.
#[kernel]
pub fn spmv_ell<T: Real>(cols: &Array2<u32>, vals: &Array2<T>, x: &[T]) -> Vec<T> {
    let (width, n) = vals.dim();
    indices(n).map(|r| {
        (0..width)
            .map(|k| vals[[k, r]] * x[cols[[k, r]] as usize])
            .sum()
    })
}

#[kernel]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.zip(y).map(|(x, y)| x * y).sum()
}

/// The inverse of the diagonal, the first direction, and the square of the preconditioned residual's length.
#[kernel]
fn start(rows: &[u32], cols: &[u32], vals: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let inverse = indices(b.len()).map(|r| {
        (rows[r] as usize..rows[r + 1] as usize)
            .filter(|&k| cols[k] as usize == r)
            .map(|k| 1.0 / vals[k])
            .sum()
    });
    let p = b.zip(&inverse).map(|(b, d)| b * d);
    let rz = dot(b, &p);
    (inverse, p, rz)
}

/// A step: the next solution, residual and direction, and the square of the preconditioned residual's length.
#[kernel]
fn step(
    rows: &[u32],
    cols: &[u32],
    vals: &[f64],
    inverse: &[f64],
    x: &[f64],
    r: &[f64],
    p: &[f64],
    rz: f64,
) -> (Vec<f64>, Vec<f64>, Vec<f64>, f64) {
    let q = spmv_csr(rows, cols, vals, p);
    let alpha = rz / dot(p, &q);
    let x = x.zip(p).map(|(x, p)| x + alpha * p);
    let r = r.zip(&q).map(|(r, q)| r - alpha * q);
    let z = r.zip(inverse).map(|(r, d)| r * d);
    let next = dot(&r, &z);
    let beta = next / rz;
    let p = z.zip(p).map(|(z, p)| z + beta * p);
    (x, r, p, next)
}

/// Solves `A x = b` at a place, until the preconditioned residual is `tolerance` of the first one or after `limit` steps;
/// says how many there were. All arrays stay at the place: one number comes back from each step.
pub fn solve(
    place: &Place,
    a: &Csr<f64>,
    b: &Array<f64>,
    tolerance: f64,
    limit: usize,
) -> Result<(Array<f64>, usize), Error> {
    let start = start::call(&a.rows, &a.cols, &a.vals, b).on(place);
    let (inverse, mut p, mut rz) = start.run()?;
    let (mut x, mut r) = (Array::zeros(&[b.len()]), b.clone());
    let (goal, mut steps) = (tolerance * tolerance * rz, 0);
    while steps < limit && rz > goal {
        let next = step::call(&a.rows, &a.cols, &a.vals, &inverse, &x, &r, &p, rz);
        (x, r, p, rz) = next.on(place).run()?;
        steps += 1;
    }
    Ok((x, steps))
}
