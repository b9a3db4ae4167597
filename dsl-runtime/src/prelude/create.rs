//! Primitives that make a sequence or an array from a size.

use super::fail::{collect, fail, room};
use crate::ir::Fault;
use ndarray::{Array2, Array3};

/// `[0, 1, …, n - 1]`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// assert_eq!(indices(4), [0, 1, 2, 3]);
/// assert_eq!(indices(4).map(|i| i * i), [0, 1, 4, 9]);
/// ```
#[track_caller]
pub fn indices(n: usize) -> Vec<usize> {
    collect(n, 0..n)
}

/// `n` times `v`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// assert_eq!(fill(3, 1.5), [1.5, 1.5, 1.5]);
/// ```
#[track_caller]
pub fn fill<T: Clone>(n: usize, v: T) -> Vec<T> {
    let mut out = room(n);
    out.resize(n, v);
    out
}

/// `[f(0), f(1), …, f(n - 1)]`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// assert_eq!(tabulate(3, |i| 10 * i), [0, 10, 20]);
/// ```
#[track_caller]
pub fn tabulate<T>(n: usize, f: impl Fn(usize) -> T) -> Vec<T> {
    collect(n, (0..n).map(f))
}

/// The array of shape `(h, w)` whose element `[[i, j]]` is `f((i, j))`; as `Array2::from_shape_fn`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// assert_eq!(tabulate2((2, 3), |(i, j)| 10 * i + j), array![[0, 1, 2], [10, 11, 12]]);
/// ```
#[track_caller]
pub fn tabulate2<T>((h, w): (usize, usize), f: impl Fn((usize, usize)) -> T) -> Array2<T> {
    let mut out = room(volume(&[h, w]));
    for i in 0..h {
        for j in 0..w {
            out.push(f((i, j)));
        }
    }
    match Array2::from_shape_vec((h, w), out) {
        Ok(array) => array,
        Err(_) => fail(Fault::ShapeOverflow, &[&h, &w]),
    }
}

/// The array of shape `(d, h, w)` whose element `[[i, j, k]]` is `f((i, j, k))`; as `Array3::from_shape_fn`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// assert_eq!(tabulate3((1, 2, 2), |(i, j, k)| i + 2 * j + k), array![[[0, 1], [2, 3]]]);
/// ```
#[track_caller]
pub fn tabulate3<T>(
    (d, h, w): (usize, usize, usize),
    f: impl Fn((usize, usize, usize)) -> T,
) -> Array3<T> {
    let mut out = room(volume(&[d, h, w]));
    for i in 0..d {
        for j in 0..h {
            for k in 0..w {
                out.push(f((i, j, k)));
            }
        }
    }
    match Array3::from_shape_vec((d, h, w), out) {
        Ok(array) => array,
        Err(_) => fail(Fault::ShapeOverflow, &[&d, &h, &w]),
    }
}

/// The number of elements of an array of this shape. As in ndarray, even the lengths beside a zero must have a product
/// that fits.
#[track_caller]
fn volume(shape: &[usize]) -> usize {
    let nonzero = shape.iter().filter(|&&n| n != 0);
    let Some(product) = nonzero
        .copied()
        .try_fold(1usize, |product, n| product.checked_mul(n))
        .filter(|&product| product <= isize::MAX as usize)
    else {
        fail(
            Fault::ShapeOverflow,
            &shape
                .iter()
                .map(|n| n as &dyn std::fmt::Display)
                .collect::<Vec<_>>(),
        );
    };
    if shape.contains(&0) { 0 } else { product }
}
