//! Arrays of two dimensions.

use crate::harness::doubles;
use cuprous::prelude::*;

#[kernel]
fn tabulates(h: usize, w: usize) -> (Array2<usize>, Array2<f32>, Array2<(i32, bool)>) {
    (
        tabulate2((h, w), |(i, j)| i * 100 + j),
        Array2::from_shape_fn((h, w), |(i, j)| i as f32 - j as f32 * 0.5),
        tabulate2((h, w), |(i, j)| (i as i32 - j as i32, i > j)),
    )
}

#[kernel]
fn rows_and_columns(u: &Array2<f64>, k: usize) -> (Vec<f64>, Vec<f64>, f64, f64, usize, usize) {
    (
        u.row(k).to_vec(),
        u.column(k).to_vec(),
        u.row(k).sum(),
        u.column(k).iter().fold(0.0, |a, b| a * 0.5 + b),
        u.nrows(),
        u.ncols(),
    )
}

#[kernel]
fn transposes(u: ArrayView2<f64>) -> (Array2<f64>, Array2<f64>, (usize, usize)) {
    let t = u.t();
    (t.mapv(|v| v + 1.0), t.to_owned(), t.dim())
}

#[kernel]
fn slices(u: ArrayView2<f64>) -> (Array2<f64>, Array2<f64>, Array1<f64>, f64) {
    let (h, w) = u.dim();
    let inner = u.slice(s![1..h - 1, 1..w - 1]);
    (
        inner.to_owned(),
        u.slice(s![..;2, ..;-1]).mapv(|v| v * 2.0),
        u.slice(s![1, ..]).to_owned(),
        u.slice(s![.., 0]).sum() + inner[[0, 0]],
    )
}

#[kernel]
fn axes(u: &Array2<f64>) -> (Array1<f64>, Array1<f64>, Array1<f64>, f64) {
    (
        u.sum_axis(Axis(0)),
        u.sum_axis(Axis(1)),
        u.map_axis(Axis(1), |r| r.iter().copied().fold(0.0, f64::max)),
        u.sum(),
    )
}

#[kernel]
fn dots(u: &Array2<f64>, v: &Array1<f64>) -> (Array1<f64>, f64) {
    (u.dot(v), v.dot(v))
}

#[kernel]
fn product(u: &Array2<f64>, v: &Array2<f64>) -> Array2<f64> {
    u.dot(v)
}

#[kernel]
fn product_by_hand(u: ArrayView2<f32>, v: ArrayView2<f32>) -> Array2<f32> {
    let (h, _) = u.dim();
    let (_, w) = v.dim();
    tabulate2((h, w), |(i, j)| {
        u.row(i).iter().zip(v.column(j)).map(|(a, b)| a * b).sum()
    })
}

#[kernel]
fn over_rows(u: &Array2<f64>) -> (Vec<f64>, f64) {
    let s: Vec<f64> = u.rows().into_iter().map(|r| r.sum()).collect();
    let mut total = 0.0;
    for r in u.rows() {
        total = total * 0.5 + r[0];
    }
    (s, total)
}

#[kernel]
fn assigned(u: &Array2<f64>) -> Array2<f64> {
    let mut g = u.clone();
    let (h, w) = g.dim();
    for i in 1..h {
        for j in 1..w {
            g[[i, j]] = g[[i - 1, j]].min(g[[i, j - 1]]) + u[[i, j]];
        }
    }
    g
}

#[kernel]
fn arithmetic(u: &Array2<f64>, v: &Array2<f64>) -> (Array2<f64>, Array2<f64>, Array2<f64>) {
    (u + v, u * 2.0 - v, &(u / 4.0) + &u.mapv(|x| x * x))
}

#[kernel]
fn reshaped(x: &[f64], h: usize, w: usize) -> Array2<f64> {
    let u = Array1::from(x.to_vec());
    u.into_shape_with_order((h, w)).unwrap()
}

#[kernel]
fn zeros(h: usize, w: usize) -> (Array2<f32>, Array2<i32>, Array1<f64>) {
    let mut z = Array2::<f32>::zeros((h, w));
    if h > 0 && w > 0 {
        z[[h - 1, 0]] = 3.0;
    }
    (z, Array2::from_elem((w, h), 7), Array1::zeros(h))
}

#[kernel]
fn one_dimensional(x: &Array1<f64>, y: ArrayView1<f64>) -> (Array1<f64>, f64, Vec<f64>) {
    (
        x.mapv(|v| v * 2.0),
        x.dot(&y),
        y.iter().zip(x).map(|(a, b)| a - b).collect(),
    )
}

#[kernel]
fn at(u: &Array2<f64>, i: usize, j: usize) -> f64 {
    u[[i, j]] + u[(i, j)]
}

#[kernel]
fn blur(u: ArrayView2<f32>) -> Array2<f32> {
    let (h, w) = u.dim();
    tabulate2((h, w), |(i, j)| {
        let mut s = 0.0;
        let mut n = 0;
        for y in i.saturating_sub(1)..(i + 2).min(h) {
            for x in j.saturating_sub(1)..(j + 2).min(w) {
                s += u[[y, x]];
                n += 1;
            }
        }
        s / n as f32
    })
}

#[kernel]
fn life(u: &Array2<u8>, n: usize) -> Array2<u8> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..n {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            let mut k = 0;
            for di in [h - 1, 0, 1] {
                for dj in [w - 1, 0, 1] {
                    if di != 0 || dj != 0 {
                        k += g[[(i + di) % h, (j + dj) % w]];
                    }
                }
            }
            (k == 3 || k == 2 && g[[i, j]] == 1) as u8
        });
    }
    g
}

/// An array of fewer dimensions meets every row.
#[kernel]
fn broadcast(
    a: &Array2<f64>,
    m: &Array1<f64>,
) -> (
    Array2<f64>,
    Array2<f64>,
    Array2<f64>,
    Array2<f64>,
    Array2<f64>,
) {
    let mut b = a.clone();
    b += &a.row(0);
    b -= m;
    (
        a - m,
        a - &a.mean_axis(Axis(0)).unwrap(),
        a / &a.sum_axis(Axis(0)),
        &a.row(0) * a,
        b,
    )
}

/// Elements side by side with what is walked in another way.
#[kernel]
fn side_by_side(
    a: ArrayView2<f64>,
    b: ArrayView2<f64>,
    x: &[f64],
) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<(usize, f64)>, Vec<f64>) {
    let mut sums = vec![0.0; x.len()];
    let mut k = 0;
    for (p, q) in a.iter().zip(a.iter().skip(1)) {
        if k < x.len() {
            sums[k] = p - q;
        }
        k += 1;
    }
    (
        a.iter().zip(x.iter()).map(|(p, q)| p * q).collect(),
        x.iter().zip(a.iter()).map(|(p, q)| p - q).collect(),
        a.iter().zip(b.iter()).map(|(p, q)| p + 2.0 * q).collect(),
        a.iter().copied().enumerate().collect(),
        sums,
    )
}

fn field(h: usize, w: usize) -> Array2<f64> {
    Array2::from_shape_vec((h, w), doubles(h * w)).unwrap()
}

tests! {
    making {
        for (h, w) in [(0, 0), (0, 3), (3, 0), (1, 1), (2, 5), (40, 33)] {
            agree!(tabulates(h, w));
            agree!(zeros(h, w));
        }
    }
    parts {
        for (h, w) in [(3, 3), (4, 7), (33, 20)] {
            let u = field(h, w);
            agree!(1e-9, rows_and_columns(&u, 2));
            agree!(transposes(u.view()));
            agree!(transposes(u.t()));
            agree!(transposes(u.slice(s![..;-1, ..;2])));
            agree!(1e-9, slices(u.view()));
            agree!(1e-9, slices(u.t()));
            agree!(1e-9, slices(u.slice(s![..;-1, ..])));
            agree!(1e-9, axes(&u));
            agree!(1e-9, over_rows(&u));
            agree!(1e-9, dots(&u, &Array1::from(doubles(w))));
            agree!(1e-9, product(&u, &field(w, 5)));
            agree!(assigned(&u));
            agree!(arithmetic(&u, &field(h, w).mapv(|v| v - 0.5)));
            agree!(at(&u, 2, 1));
            agree!(1e-9, broadcast(&u, &Array1::from(doubles(w))));
            let v = field(w, h);
            agree!(side_by_side(u.view(), v.t(), &doubles(h * w)));
            agree!(side_by_side(v.t(), u.view(), &doubles(5)));
            agree!(side_by_side(u.slice(s![1.., ..;2]), u.view(), &doubles(w)));
        }
        agree!(1e-9, axes(&field(0, 3)));
        agree!(1e-9, axes(&field(3, 0)));
        agree!(1e-9, over_rows(&field(0, 3)));
        fails!(at(&field(3, 4), 3, 1), "CU0201", "index 3 is out of bounds for length 3");
        fails!(at(&field(3, 4), 1, 4), "CU0201", "index 4 is out of bounds for length 4");
        fails!(rows_and_columns(&field(3, 3), 3), "CU0201", "index 3 is out of bounds for length 3");
        fails!(dots(&field(3, 4), &Array1::from(doubles(3))), "CU0205", "4");
        fails!(arithmetic(&field(3, 4), &field(3, 5)), "CU0205", "4");
        fails!(broadcast(&field(3, 4), &Array1::from(doubles(3))), "CU0205", "4");
    }
    shapes {
        agree!(reshaped(&doubles(12), 3, 4));
        agree!(reshaped(&doubles(12), 12, 1));
        agree!(reshaped(&doubles(0), 0, 4));
        fails!(reshaped(&doubles(12), 3, 5), "CU0205", "an array of 12 elements cannot have the shape (3, 5)");
        let x = Array1::from(doubles(50));
        agree!(1e-9, one_dimensional(&x, x.view()));
        agree!(1e-9, one_dimensional(&x, x.slice(s![..;-1])));
    }
    pictures {
        let u = field(20, 31).mapv(|v| v as f32);
        agree!(1e-6, blur(u.view()));
        agree!(1e-6, blur(u.t()));
        agree!(1e-6, blur(u.slice(s![..;3, 4..;-2])));
        agree!(1e-5, product_by_hand(u.view(), u.t()));
        agree!(1e-5, product_by_hand(u.t(), u.view()));
        let g = Array2::from_shape_fn((16, 12), |(i, j)| ((i * 7 + j * 3) % 5 == 0) as u8);
        for n in [0, 1, 6] {
            agree!(life(&g, n));
        }
    }
}
