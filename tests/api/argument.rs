//! What may stand for a parameter.

use cuprous::prelude::*;
use std::sync::Arc;

#[kernel]
fn total(x: &[f64]) -> f64 {
    x.sum()
}

#[kernel]
fn triple<T: Scalar>(x: &[T]) -> Vec<(T, T, T)> {
    x.map(|v| (v, v, v))
}

#[kernel]
fn rows(u: &Array2<f32>) -> Vec<f32> {
    let (h, w) = u.dim();
    indices(h).map(|i| (0..w).map(|j| u[[i, j]] * (j + 1) as f32).sum())
}

#[kernel]
fn rows_of_view(u: ArrayView2<f32>) -> Vec<f32> {
    let (h, w) = u.dim();
    indices(h).map(|i| (0..w).map(|j| u[[i, j]] * (j + 1) as f32).sum())
}

#[kernel]
fn weighted(u: &Array1<f64>, v: ArrayView1<f64>) -> f64 {
    indices(u.len()).map(|i| u[i] * v[i]).sum()
}

#[kernel]
fn mixed(p: (f32, i32), q: [f64; 3], s: bool, t: &[(u8, [i16; 2])], k: u64) -> (f64, i64) {
    let a = if s { p.0 as f64 } else { -(p.0 as f64) };
    let b = t.map(|(c, d)| c as i64 + d[0] as i64 * d[1] as i64).sum();
    (a + q[0] * q[1] + q[2], b + p.1 as i64 + k as i64)
}

#[kernel]
fn halve(x: &mut [f32], by: f32) -> f32 {
    for i in 0..x.len() {
        x[i] = x[i] / by;
    }
    x.sum()
}

#[kernel]
fn swap_ends(x: &mut [i32], y: &mut [i32]) {
    let n = x.len();
    for i in 0..n {
        let a = x[i];
        x[i] = y[n - 1 - i];
        y[n - 1 - i] = a;
    }
}

#[kernel]
fn pick(x: &[f32], i: usize) -> f32 {
    x[i]
}

macro_rules! everywhere {
    ($want:expr, $f:ident($($arg:expr),*)) => {
        assert_eq!($f::plain($($arg),*), $want);
        assert_eq!($f($($arg),*), $want);
        for place in Place::available() {
            assert_eq!($f::call($($arg),*).on(&place).to_host().unwrap(), $want, "{place}");
            assert_eq!(place.scope(|| $f($($arg),*)), $want, "{place}");
        }
    };
}

#[test]
fn every_form_of_a_slice() {
    let v = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let (slice, fixed, boxed, shared) = (
        &v[..],
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        v.clone().into_boxed_slice(),
        Arc::new(v.clone()),
    );
    everywhere!(21.0, total(slice));
    everywhere!(21.0, total(&v));
    everywhere!(21.0, total(&v[..]));
    everywhere!(9.0, total(&v[1..4]));
    everywhere!(21.0, total(&fixed));
    everywhere!(21.0, total(&boxed));
    everywhere!(21.0, total(&shared[..]));
    everywhere!(3.0, total(&[1.0, 2.0]));
    everywhere!(0.0, total(&[]));
    everywhere!(0.0, total(&[][..]));
    everywhere!(0.0, total(&vec![]));
    everywhere!(0.0, total(&Vec::new()));
    everywhere!(10.0, total(&vec![1.0; 10]));
    let a = Array1::from(v.clone());
    everywhere!(21.0, total(&a));
    everywhere!(21.0, total(a.view()));
    everywhere!(21.0, total(&a.view()));
    everywhere!(9.0, total(a.slice(s![..;2])));
    everywhere!(12.0, total(a.slice(s![..;-2])));
    everywhere!(21.0, total(a.slice(s![..;-1])));
    everywhere!(5.0, total(a.slice(s![1..3])));
    let m = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as f64);
    everywhere!(22.0, total(m.row(1)));
    everywhere!(15.0, total(m.column(1)));
    everywhere!(15.0, total(&m.column(1).to_owned()));
    everywhere!(22.0, total(m.t().column(1)));
    let broadcast = ArrayView1::from(&[2.5][..]);
    everywhere!(10.0, total(broadcast.broadcast(4).unwrap()));
}

#[test]
fn the_element_type_follows_from_the_argument() {
    assert_eq!(triple(&[1u8, 2]), [(1, 1, 1), (2, 2, 2)]);
    assert_eq!(triple(&[1.5f32][..]), [(1.5, 1.5, 1.5)]);
    assert_eq!(triple(&vec![-1i64]), [(-1, -1, -1)]);
    assert_eq!(
        triple::call(Array1::from(vec![7u16]).view())
            .to_host()
            .unwrap(),
        [(7, 7, 7)]
    );
    assert!(triple::<i32>(&[]).is_empty());
    assert!(triple::call::<u64>(&[]).to_host().unwrap().is_empty());
    assert!(triple::plain::<f64>(&[][..]).is_empty());
    let there = Array::from(vec![3i8]);
    assert_eq!(triple::call(&there).to_host().unwrap(), [(3, 3, 3)]);
    let none: Vec<(i16, i16, i16)> = triple(&[]);
    assert!(none.is_empty());
}

#[test]
fn every_form_of_an_array() {
    let u = Array2::from_shape_fn((3, 2), |(i, j)| (i * 2 + j) as f32);
    let want = vec![2.0, 8.0, 14.0];
    everywhere!(want, rows(&u));
    everywhere!(want, rows(u.view()));
    everywhere!(want, rows(&u.view()));
    everywhere!(want, rows_of_view(u.view()));
    everywhere!(want, rows_of_view(&u));
    everywhere!(vec![0.0 + 4.0 + 12.0, 1.0 + 6.0 + 15.0], rows(u.t()));
    everywhere!(vec![14.0, 8.0, 2.0], rows_of_view(u.slice(s![..;-1, ..])));
    everywhere!(vec![1.0, 7.0, 13.0], rows_of_view(u.slice(s![.., ..;-1])));
    let f = u.t().as_standard_layout().reversed_axes().to_owned();
    everywhere!(want, rows(&f));
    let big = Array2::from_shape_fn((6, 7), |(i, j)| (i * 7 + j) as f32);
    let part = big.slice(s![1..;2, 2..;3]);
    let own = part.to_owned();
    everywhere!(rows::plain(&own), rows(part));
    let there = Array::from_ndarray(u.clone());
    for place in Place::available() {
        assert_eq!(
            rows::call(&there).on(&place).to_host().unwrap(),
            want,
            "{place}"
        );
        assert_eq!(
            rows_of_view::call(&there).on(&place).to_host().unwrap(),
            want,
            "{place}"
        );
    }
    let (a, b) = (
        Array1::from(vec![1.0, 2.0, 3.0]),
        Array1::from(vec![1.0, 10.0, 100.0]),
    );
    everywhere!(321.0, weighted(&a, b.view()));
    everywhere!(123.0, weighted(a.slice(s![..;-1]), &b));
}

#[test]
fn values_of_every_shape() {
    let t = [(1u8, [2i16, 3]), (4, [5, -6])];
    everywhere!(
        (3.5, 1 + 6 + 4 - 30 - 7 + 9),
        mixed((1.5, -7), [1.0, 1.5, 0.5], true, &t, 9)
    );
    everywhere!((0.5, 2), mixed((1.5, 1), [1.0, 1.5, 0.5], false, &[], 1));
}

#[test]
fn mutable_slices_are_written_when_all_has_succeeded() {
    for place in Place::available() {
        let mut x = vec![2.0, 4.0, 6.0];
        assert_eq!(
            halve::call(&mut x, 2.0).on(&place).to_host().unwrap(),
            6.0,
            "{place}"
        );
        assert_eq!(x, [1.0, 2.0, 3.0], "{place}");
        let mut x = [2.0f32, 4.0];
        assert_eq!(halve::call(&mut x, 2.0).on(&place).run().unwrap(), 3.0);
        assert_eq!(x, [1.0, 2.0]);
        {
            let call = halve::call(&mut x[..1], 2.0).on(&place);
            assert_eq!(
                (call.run().unwrap(), call.run().unwrap()),
                (0.5, 0.25),
                "{place}: a call runs again"
            );
        }
        assert_eq!(x, [0.25, 2.0]);
        assert_eq!(place.scope(|| halve(&mut x, 2.0)), 1.125);
        let (mut a, mut b) = ([1, 2, 3], [4, 5, 6]);
        swap_ends::call(&mut a, &mut b).on(&place).run().unwrap();
        assert_eq!((a, b), ([6, 5, 4], [3, 2, 1]), "{place}");
    }
}

#[test]
fn arrays_of_another_rank_are_refused() {
    let flat = Array::from(vec![1.0f32; 4]);
    let square = Array::<f64>::zeros(&[2, 2]);
    for place in Place::available() {
        let error = rows::call(&flat).on(&place).run().unwrap_err();
        assert_eq!(error.code(), "CU0301", "{error}");
        let error = total::call(&square).on(&place).run().unwrap_err();
        assert_eq!(error.code(), "CU0301", "{error}");
        assert!(error.to_string().contains("`x`"), "{error}");
    }
}

#[test]
fn chains_stay_where_they_are() {
    for place in Place::available() {
        let x = Array::from(vec![1.0, 2.0, 3.0]);
        let y = triple::call(&x).on(&place).run().unwrap();
        assert_eq!((y.place(), y.shape()), (&place, &[3][..]));
        assert_eq!(pick::call(&[7.0, 8.0], 1).on(&place).run().unwrap(), 8.0);
        let other = triple::call(&x).on(&Place::interp()).run().unwrap();
        assert_eq!(other.to_vec(), y.to_vec());
    }
}
