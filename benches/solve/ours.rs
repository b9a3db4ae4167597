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

/// The inverse of the diagonal.
#[kernel]
fn inverse(rows: &[u32], cols: &[u32], vals: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1).map(|r| {
        (rows[r] as usize..rows[r + 1] as usize)
            .filter(|&k| cols[k] as usize == r)
            .map(|k| 1.0 / vals[k])
            .sum()
    })
}

/// Solves `A x = b` by preconditioned conjugate gradients, until the preconditioned residual is `tolerance` of the first one or
/// after `limit` steps; says how many there were.
#[kernel]
pub fn gradients(
    rows: &[u32],
    cols: &[u32],
    vals: &[f64],
    b: &[f64],
    tolerance: f64,
    limit: usize,
) -> (Vec<f64>, usize) {
    let inverse = inverse(rows, cols, vals);
    let mut x = fill(b.len(), 0.0);
    let mut r = b.to_vec();
    let mut p = r.zip(&inverse).map(|(r, d)| r * d);
    let mut rz = dot(&r, &p);
    let goal = tolerance * tolerance * rz;
    let mut steps = 0;
    while steps < limit && rz > goal {
        let q = spmv_csr(rows, cols, vals, &p);
        let alpha = rz / dot(&p, &q);
        x = x.zip(&p).map(|(x, p)| x + alpha * p);
        r = r.zip(&q).map(|(r, q)| r - alpha * q);
        let z = r.zip(&inverse).map(|(r, d)| r * d);
        let next = dot(&r, &z);
        p = z.zip(&p).map(|(z, p)| z + next / rz * p);
        rz = next;
        steps += 1;
    }
    (x, steps)
}

/// Solves `A x = b` at a place. All arrays stay there: a length and a condition come back from each step.
pub fn solve(
    place: &Place,
    a: &Csr<f64>,
    b: &Array<f64>,
    tolerance: f64,
    limit: usize,
) -> Result<(Array<f64>, usize), Error> {
    let call = gradients::call(&a.rows, &a.cols, &a.vals, b, tolerance, limit);
    call.on(place).run()
}
