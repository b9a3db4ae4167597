//! The matrices of the comparison.

use super::input::{hash, laplacian, uniform};
use super::real::Real;

/// A sparse matrix in CSR.
pub struct Csr<T> {
    /// Where the rows begin and end.
    pub rows: Vec<u32>,
    pub cols: Vec<u32>,
    pub vals: Vec<T>,
}

/// A sparse matrix in ELL: entry `k` of row `r` is at `k * n + r`.
pub struct Ell<T> {
    /// Entries of each row.
    pub width: usize,
    pub cols: Vec<u32>,
    pub vals: Vec<T>,
}

impl<T: Real> Csr<T> {
    /// The five-point Laplacian on an `m` by `m` grid.
    pub fn laplacian(m: usize) -> Csr<T> {
        let matrix = laplacian(m);
        let unsigned = |values: Vec<i32>| values.into_iter().map(|v| v as u32).collect();
        Csr {
            rows: unsigned(matrix.rows),
            cols: unsigned(matrix.cols),
            vals: matrix.values,
        }
    }

    /// `n` rows, a power of two, of very different lengths: most have a few entries, some many thousands.
    pub fn skewed(n: usize) -> Csr<T> {
        let length = |i: usize| 1 + 65536 / ((hash(10, i as u32) & 0xFFFF) as usize + 1);
        let mut rows = vec![0];
        let mut count = 0;
        for i in 0..n {
            count += length(i).min(n / 4);
            rows.push(count as u32);
        }
        let column = |q| hash(11, q) & (n as u32 - 1);
        Csr {
            rows,
            cols: (0..count as u32).map(column).collect(),
            vals: uniform(12, count, -1.0, 1.0),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len() - 1
    }

    /// The entries of a row: columns and values.
    fn row(&self, r: usize) -> impl Iterator<Item = (usize, T)> {
        let range = self.rows[r] as usize..self.rows[r + 1] as usize;
        let cols = self.cols[range.clone()].iter().map(|&col| col as usize);
        cols.zip(self.vals[range].iter().copied())
    }

    /// The same matrix in ELL. Short rows are filled up with zeros on the diagonal.
    pub fn ell(&self) -> Ell<T> {
        let n = self.len();
        let lengths = self.rows.windows(2).map(|ends| ends[1] - ends[0]);
        let width = lengths.max().unwrap_or(0) as usize;
        let (mut cols, mut vals) = (vec![0; width * n], vec![T::of(0.0); width * n]);
        for r in 0..n {
            (0..width).for_each(|k| cols[k * n + r] = r as u32);
            for (k, (col, val)) in self.row(r).enumerate() {
                cols[k * n + r] = col as u32;
                vals[k * n + r] = val;
            }
        }
        Ell { width, cols, vals }
    }
}

impl Csr<f64> {
    /// Diffusion through a material whose conductivity differs from point to point by a factor of up to a thousand, as five-point
    /// differences on an `m` by `m` grid with zeros around: symmetric, positive definite, with a diagonal that varies.
    pub fn diffusion(m: usize) -> Csr<f64> {
        let powers = uniform::<f64>(20, m * m, -1.5, 1.5);
        let conductivity: Vec<f64> = powers.iter().map(|&power| 10f64.powf(power)).collect();
        // Between two points the harmonic mean: the flow passes through both.
        let between = |a: usize, b: usize| 2.0 / (1.0 / conductivity[a] + 1.0 / conductivity[b]);
        let mut matrix = Csr::laplacian(m);
        for (r, own) in conductivity.iter().enumerate() {
            let range = matrix.rows[r] as usize..matrix.rows[r + 1] as usize;
            // Towards each side without a neighbour is the boundary.
            let mut diagonal = (5 - range.len()) as f64 * own;
            let mut center = range.start;
            for k in range {
                let col = matrix.cols[k] as usize;
                if col == r {
                    center = k;
                } else {
                    matrix.vals[k] = -between(r, col);
                    diagonal += between(r, col);
                }
            }
            matrix.vals[center] = diagonal;
        }
        matrix
    }

    /// `|b - A x| / |b|`.
    pub fn residual(&self, x: &[f64], b: &[f64]) -> f64 {
        let rest = (0..self.len()).map(|r| {
            let product: f64 = self.row(r).map(|(col, val)| val * x[col]).sum();
            (b[r] - product).powi(2)
        });
        (rest.sum::<f64>() / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
    }
}
