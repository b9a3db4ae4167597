//! ndarray's words, and assignment to parts of an array.

use dsl_runtime::kernel;
use dsl_runtime::prelude::*;

#[kernel]
fn matrices(u: &Array2<f64>, m: ArrayView2<f64>, v: &Array1<f64>) -> Array1<f64> {
    let (h, w) = u.dim();
    let n = v.len() + u.nrows() * u.ncols() + v.dim();
    let s = u.shape()[0];
    let row = u.row(0);
    let product = u.dot(v);
    let square = u.dot(&m.t());
    let inner = v.dot(v);
    let part = u.slice(s![1..-1, ..;2]);
    let line = u.slice(s![h - 1, 1..]).to_vec();
    let scaled = u * 2.0 + &part - 1.0;
    let mapped = u.mapv(|x| x.sqrt());
    let floats = u.mapv(|x| x as f32);
    let flat = u.clone().into_shape_with_order(h * w).unwrap();
    let cube = v.clone().into_shape_with_order((2, 2, 3)).unwrap();
    let zeros = Array2::<f32>::zeros((h, w));
    let made = Array1::from_shape_fn(h, |i| u[[i, 0]] + v[i]);
    let given = Array2::from_shape_vec((h, w), vec![0u8; h * w]).unwrap();
    let mean = u.mean().unwrap();
    let rows: Vec<f64> = u.rows().into_iter().map(|r| r.sum()).collect();
    let total: f64 = u.iter().map(|x| x.abs()).sum();
    let high = v.iter().copied().fold(0.0, f64::max);
    let running = v.scan(0.0, |a, b| a + b);
    let minus = -u;
    for r in u.outer_iter() {
        let sum: f64 = r.sum();
    }
    product
}

#[test]
fn ndarray_has_its_own_words() {
    check! {
        matrices => "n: usize; s: usize; row: Array1<f64>; product: Array1<f64>; \
            square: Array2<f64>; inner: f64; part: Array2<f64>; line: [f64]; scaled: Array2<f64>; mapped: Array2<f64>; \
            floats: Array2<f32>; flat: Array1<f64>; cube: Array3<f64>; zeros: Array2<f32>; made: Array1<f64>; \
            given: Array2<u8>; mean: f64; rows: [f64]; total: f64; high: f64; running: [f64]; minus: Array2<f64>; \
            -> Array1<f64>";
    }
}

#[kernel]
fn axes(u: &Array2<f64>, c: &Array3<f32>) -> Array1<f64> {
    let sums = u.sum_axis(Axis(0));
    let norms = u.map_axis(Axis(1), |r| r.dot(&r).sqrt());
    let means = u.mean_axis(Axis(0)).unwrap();
    let planes = c.sum_axis(Axis(2));
    let layer = c.index_axis(Axis(0), 1).to_owned();
    let (d, h, w) = c.dim();
    let shift = Array3::from_shape_fn((d, h, w), |(i, j, k)| c[[i, j, k]] - c[(i, 0, k)]);
    let diagonal = u.diag().sum();
    let count = u.len_of(Axis(1));
    let copy = Array2::from_elem(u.raw_dim(), 1i8);
    let steps = Array1::linspace(0.0, 1.0, 11);
    let total: f64 = u.axis_iter(Axis(0)).map(|r| r.sum()).sum();
    sums + norms
}

#[kernel]
fn in_place(x: &mut [f64], by: f64) {
    for i in 0..x.len() {
        x[i] = x[i] * by + i as f64;
    }
    x.swap(0, 1);
    x[2..].fill(0.0);
}

#[test]
fn arrays_of_more_dimensions() {
    check! {
        axes => "sums: Array1<f64>; norms: Array1<f64>; means: Array1<f64>; planes: Array2<f32>; layer: Array2<f32>; \
            shift: Array3<f32>; diagonal: f64; count: usize; copy: Array2<i8>; steps: Array1<f64>; total: f64; \
            -> Array1<f64>";
        in_place => "-> ()";
    }
}
