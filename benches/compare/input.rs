//! The inputs of the comparison: one integer hash makes the same bits in every language.

use super::real::Real;
use rayon::prelude::*;

/// A hash of 32 bits.
pub fn hash(seed: u32, i: u32) -> u32 {
    let mut x = i
        .wrapping_mul(0x9E37_79B9)
        .wrapping_add(seed.wrapping_mul(0x85EB_CA6B));
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// `n` values from `[low, high)`.
pub fn uniform<T: Real>(seed: u32, n: usize, low: f64, high: f64) -> Vec<T> {
    let value = |i: usize| {
        let unit = (hash(seed, i as u32) >> 8) as f64 / 16_777_216.0;
        T::of(low + (high - low) * unit)
    };
    let mut values = room(n);
    values
        .par_iter_mut()
        .enumerate()
        .for_each(|(i, slot)| *slot = value(i));
    values
}

/// Memory in huge pages where the system has them, written once.
pub fn room<T: Copy + Default + Send>(n: usize) -> Vec<T> {
    let mut values = capacity(n);
    values.resize(n, T::default());
    values
}

/// The same, with nothing in it yet.
fn capacity<T>(n: usize) -> Vec<T> {
    let values: Vec<T> = Vec::with_capacity(n);
    let bytes = n * size_of::<T>();
    #[cfg(target_os = "linux")]
    if bytes >= 4 << 20 {
        let start = values.as_ptr().addr().next_multiple_of(4096);
        // SAFETY: pages inside the vector's memory; the advice changes no contents.
        unsafe {
            libc::madvise(
                std::ptr::with_exposed_provenance_mut(start),
                bytes - 4096,
                libc::MADV_HUGEPAGE,
            )
        };
    }
    values
}

/// A sparse matrix.
pub struct Csr<T> {
    /// Where each row begins.
    pub rows: Vec<i32>,
    /// Columns.
    pub cols: Vec<i32>,
    /// Values.
    pub values: Vec<T>,
}

/// The five-point Laplacian on an `m` by `m` grid.
pub fn laplacian<T: Real>(m: usize) -> Csr<T> {
    let n = m * m;
    let mut matrix = Csr {
        rows: capacity(n + 1),
        cols: capacity(5 * n),
        values: capacity(5 * n),
    };
    matrix.rows.push(0);
    for i in 0..n {
        let (row, column) = (i / m, i % m);
        let mut entry = |there: bool, at: usize, value: f64| {
            if there {
                matrix.cols.push(at as i32);
                matrix.values.push(T::of(value));
            }
        };
        entry(row > 0, i.wrapping_sub(m), -1.0);
        entry(column > 0, i.wrapping_sub(1), -1.0);
        entry(true, i, 4.0);
        entry(column + 1 < m, i + 1, -1.0);
        entry(row + 1 < m, i + m, -1.0);
        matrix.rows.push(matrix.cols.len() as i32);
    }
    matrix
}
