//! Arrays at places.

use crate::compiled;
use cuprous::prelude::*;
use cuprous::{Element, Error};
use ndarray::{Array4, ArrayD, Axis, IxDyn};
use std::panic::{RefUnwindSafe, UnwindSafe};

#[kernel]
fn second(x: &[(f32, [i32; 2], bool)]) -> Vec<(i32, bool)> {
    x.map(|(_, b, c)| (b[1], c))
}

#[kernel]
fn not(x: &[bool]) -> Vec<bool> {
    x.map(|v| !v)
}

#[test]
fn made_of_vectors_and_arrays() {
    let x = Array::from(vec![1i32, 2, 3]);
    assert_eq!(
        (x.len(), x.shape(), x.place(), x.is_empty()),
        (3, &[3][..], &Place::cpu(), false)
    );
    assert_eq!(x.to_vec(), [1, 2, 3]);
    assert_eq!(
        x.to_ndarray(),
        ArrayD::from_shape_vec(IxDyn(&[3]), vec![1, 2, 3]).unwrap()
    );
    let y = x.clone();
    drop(x);
    assert_eq!(y.to_vec(), [1, 2, 3]);
    let m = Array2::from_shape_fn((2, 3), |(i, j)| (i, j as f32));
    let a = Array::from_ndarray(m.clone());
    assert_eq!((a.len(), a.shape()), (6, &[2, 3][..]));
    assert_eq!(a.to_ndarray(), m.clone().into_dyn());
    assert_eq!(
        Array::from_ndarray(m.t()).to_ndarray(),
        m.t().to_owned().into_dyn()
    );
    assert_eq!(
        Array::from_ndarray(m.slice(s![..;-1, 1..])).to_ndarray(),
        m.slice(s![..;-1, 1..]).to_owned().into_dyn()
    );
    let whole = Array2::from_shape_fn((4, 5), |(i, j)| i * 5 + j);
    let tail = whole.clone().slice_move(s![2.., ..]);
    assert_eq!(
        Array::from_ndarray(tail).to_vec(),
        (10..20).collect::<Vec<_>>()
    );
    let four = Array4::from_elem((1, 2, 3, 4), 7u8);
    assert_eq!(Array::from_ndarray(four.view()).shape(), [1, 2, 3, 4]);
    assert_eq!(Array::from_ndarray(ndarray::arr0(5u64)).to_vec(), [5]);
}

#[test]
fn zeros_of_every_element() {
    assert_eq!(
        Array::<f64>::zeros(&[2, 3]).to_ndarray(),
        ArrayD::<f64>::zeros(IxDyn(&[2, 3]))
    );
    assert_eq!(Array::<bool>::zeros(&[2]).to_vec(), [false, false]);
    assert_eq!(
        Array::<(u8, [i64; 2])>::zeros(&[2]).to_vec(),
        [(0, [0, 0]); 2]
    );
    let none = Array::<f32>::zeros(&[0, 3]);
    assert_eq!(
        (none.len(), none.shape(), none.is_empty(), none.to_vec()),
        (0, &[0, 3][..], true, vec![])
    );
    assert_eq!(none.to_ndarray().shape(), [0, 3]);
    assert!(Array::<i32>::from(vec![]).to_vec().is_empty());
}

#[test]
fn tuples_arrays_and_booleans() {
    let x = vec![(1.0, [1, 2], true), (2.0, [3, 4], false)];
    let there = Array::from(x.clone());
    assert_eq!(there.to_vec(), x);
    assert_eq!(there.clone().into_ndarray().shape(), [2]);
    for place in Place::available() {
        let y = second::call(&there).on(&place).run().unwrap();
        assert_eq!(y.to_vec(), [(2, true), (4, false)], "{place}");
        assert_eq!(
            second::call(&x).on(&place).to_host().unwrap(),
            [(2, true), (4, false)],
            "{place}"
        );
        for n in [0, 1, 15, 16, 17, 100] {
            let b: Vec<bool> = (0..n).map(|i| i % 3 == 0).collect();
            let want: Vec<bool> = b.iter().map(|v| !v).collect();
            assert_eq!(
                not::call(&Array::from(b))
                    .on(&place)
                    .run()
                    .unwrap()
                    .to_vec(),
                want,
                "{place}"
            );
        }
    }
}

#[test]
fn arrays_and_calls_cross_threads() {
    fn both<T: Send + Sync>(_: &T) {}
    let x = Array::from(vec![true, false]);
    both(&x);
    both(&Place::cpu());
    both(&not::kernel());
    let call = not::call(&x);
    both(&call);
    let from_there = std::thread::scope(|s| s.spawn(|| call.to_host().unwrap()).join().unwrap());
    assert_eq!(from_there, [false, true]);
    fn error<T: std::error::Error + Send + Sync + 'static>(
        error: T,
    ) -> Box<dyn std::error::Error + Send + Sync> {
        error.into()
    }
    assert!(
        error("nowhere".parse::<Place>().unwrap_err())
            .to_string()
            .contains("nowhere")
    );
    assert!(format!("{x:?}").contains("true"));
}

#[test]
fn zeros_live_at_the_default_place() {
    Place::interp().scope(|| assert_eq!(Array::<f32>::zeros(&[1]).place(), &Place::interp()));
    Place::native().scope(|| assert_eq!(Array::from(vec![1]).place(), &Place::native()));
}

#[kernel]
fn total(u: &Array2<f32>) -> f32 {
    let mut sum = 0.0;
    for i in 0..u.dim().0 {
        for j in 0..u.dim().1 {
            sum += u[[i, j]];
        }
    }
    sum
}

/// Without an element, the other lengths may be any: where ndarray counts so far, and where it does not.
#[test]
fn no_element_and_any_length() {
    const MOST: usize = isize::MAX as usize;
    fn works<T: Element + PartialEq + std::fmt::Debug + RefUnwindSafe>() {
        for shape in [
            &[0][..],
            &[0, MOST],
            &[MOST, 0],
            &[MOST, 0, 0],
            &[0, 1 << 31, 1 << 31],
            &[1, 0, 0, 7, MOST / 7],
        ] {
            let x = Array::<T>::zeros(shape);
            assert_eq!((x.len(), x.is_empty(), x.shape()), (0, true, shape));
            assert_eq!(x.to_ndarray().shape(), shape);
            assert_eq!(x.to_vec(), []);
            assert!(format!("{x:?}").contains("shape="), "{x:?}");
            assert_eq!(Array::from_ndarray(x.into_ndarray()).shape(), shape);
        }
        for shape in [
            &[0, usize::MAX][..],
            &[usize::MAX, 0],
            &[usize::MAX, 2, 0],
            &[2, usize::MAX, 0],
            &[1 << 32, 1 << 32, 0],
        ] {
            let x = Array::<T>::zeros(shape);
            assert_eq!((x.len(), x.is_empty(), x.shape()), (0, true, shape));
            assert_eq!(x.to_vec(), []);
            assert_eq!(
                format!("{x:?}"),
                format!("Array, shape={shape:?} at {}", x.place())
            );
            let panic = std::panic::catch_unwind(|| x.to_ndarray()).unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert!(
                text.contains("ndarray") && text.contains(&format!("{shape:?}")),
                "{text}"
            );
        }
    }
    works::<f32>();
    works::<(u8, [i64; 2])>();
    works::<bool>();
    for shape in [[0, usize::MAX], [0, MOST], [0, 5], [5, 0]] {
        for place in compiled() {
            let x = Array::zeros(&shape);
            assert_eq!(
                total::call(&x).on(&place).run().unwrap(),
                0.0,
                "{shape:?} at {place}"
            );
        }
    }
    // The plain function wants an array of ndarray's.
    let native = Place::native();
    let there = Array::zeros(&[0, MOST]);
    assert_eq!(total::call(&there).on(&native).run().unwrap(), 0.0);
    let not_there = Array::zeros(&[0, usize::MAX]);
    let error = total::call(&not_there).on(&native).run().unwrap_err();
    assert_eq!(error.code(), "CU0306", "{error}");
    assert!(error.to_string().contains("ndarray"), "{error}");
}

/// As a `Vec`, what is given to a call may be caught with it when it panics.
#[test]
fn unwinding() {
    fn safe<T: UnwindSafe + RefUnwindSafe>() {}
    safe::<Array<f32>>();
    safe::<Array<(bool, [i8; 3])>>();
    safe::<Place>();
    safe::<Kernel>();
    safe::<Error>();
    safe::<Call<'static, f32>>();
    safe::<Call<'static, (Vec<f32>, Array2<u8>)>>();
    let x = Array::<f32>::zeros(&[2]);
    let caught = std::panic::catch_unwind(|| total(&ndarray::arr2(&[[x.to_vec()[2]]])));
    assert!(caught.is_err());
    let mut written = [1];
    let call = add::call(&mut written, 1);
    assert!(std::panic::catch_unwind(|| call.run().unwrap()).is_ok());
    drop(call);
    assert_eq!(written, [2]);
}

#[kernel]
fn add(x: &mut [i32], y: i32) {
    for i in 0..x.len() {
        x[i] += y;
    }
}

#[kernel]
fn cube(n: usize) -> Array3<i64> {
    tabulate3((n, 2, 3), |(i, j, k)| (i + 10 * j + 100 * k) as i64)
}

#[kernel]
fn rows_of(u: &Array3<i64>, v: &Array3<i64>) -> (Array3<i64>, Array2<i64>, i64) {
    let w = u + v;
    let (a, b, c) = w.dim();
    let mut last = 0;
    for i in 0..a {
        for j in 0..b {
            last += w[[i, j, c - 1]];
        }
    }
    (w.mapv(|x| x + 1), w.sum_axis(Axis(1)), last + w.sum())
}

#[kernel]
fn four(u: &Array4<i64>) -> (Array4<i64>, i64) {
    let (a, b, c, d) = u.dim();
    let y = Array4::from_shape_fn((a, b, c, d), |(i, j, k, l)| {
        2 * u[[i, j, k, l]] + (i + j + k + l) as i64
    });
    (y, u.sum())
}

/// Arrays of three and four dimensions are made, read and returned as those of two.
#[test]
fn three_and_four_dimensions() {
    let (x, y) = (cube::plain(4), cube::plain(4) * 7);
    let z = Array4::from_shape_fn((3, 1, 2, 5), |(i, j, k, l)| (i + 2 * j + 3 * k * l) as i64);
    for place in compiled() {
        assert_eq!(cube::call(4).on(&place).to_host().unwrap(), x, "{place}");
        let rows = rows_of::call(&x, &y).on(&place).to_host().unwrap();
        assert_eq!(rows, rows_of::plain(&x, &y), "{place}");
        let four_of = four::call(&z).on(&place).to_host().unwrap();
        assert_eq!(four_of, four::plain(&z), "{place}");
    }
}
