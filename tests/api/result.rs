//! `run`, `to_host`, `run_into`.

use cuprous::prelude::*;

#[kernel]
fn double(x: &[f32]) -> Vec<f32> {
    x.map(|v| v + v)
}

#[kernel]
fn parts(x: &[i32]) -> (Vec<i32>, i32, Vec<(i32, bool)>) {
    (x.filter(|v| v % 2 == 0), x.sum(), x.map(|v| (v, v > 1)))
}

#[kernel]
fn square(h: usize, w: usize) -> Array2<u16> {
    Array2::from_shape_fn((h, w), |(i, j)| (i * 10 + j) as u16)
}

#[kernel]
fn line(n: usize) -> Array1<f64> {
    Array1::from_shape_fn(n, |i| i as f64 * 0.5)
}

#[kernel]
fn ends(x: &[f32]) -> [f32; 2] {
    [x[0], x[x.len() - 1]]
}

#[kernel]
fn divide(x: &[i32], y: &[i32]) -> Vec<i32> {
    x.zip(y).map(|(x, y)| x / y)
}

#[kernel]
fn two(x: &[i32], y: &[i32], i: usize) -> (Vec<i32>, i32) {
    (x.zip(y).map(|(x, y)| x + y), x[i])
}

#[kernel]
fn nothing(x: &[i32]) {
    assert!(x.len() > 1, "{} elements", x.len());
}

#[kernel]
fn add_to(x: &mut [i32], y: &[i32], k: usize) -> Vec<i32> {
    for i in 0..x.len() {
        x[i] += y[i];
    }
    let z = x.map(|v| v * 2);
    assert!(z[k] > 0, "no");
    z
}

#[kernel]
fn updated(x: &mut [f64], idx: &[usize]) {
    for k in 0..idx.len() {
        x[idx[k]] = -1.0;
    }
}

#[test]
fn exactly_the_results_length() {
    for place in Place::available() {
        let call = double::call(&[1.0, 2.0, 3.0]).on(&place);
        let mut vec = vec![9.0; 3];
        call.run_into(&mut vec).unwrap();
        assert_eq!(vec, [2.0, 4.0, 6.0]);
        let mut fixed = [9.0; 3];
        call.run_into(&mut fixed).unwrap();
        assert_eq!(fixed, [2.0, 4.0, 6.0]);
        let mut long = vec![9.0; 5];
        call.run_into(&mut long[1..4]).unwrap();
        assert_eq!(long, [9.0, 2.0, 4.0, 6.0, 9.0]);
        let mut array = Array1::zeros(3);
        call.run_into(&mut array).unwrap();
        assert_eq!(array.to_vec(), [2.0, 4.0, 6.0]);
        for n in [0, 2, 4] {
            let mut wrong = vec![9.0; n];
            let error = call.run_into(&mut wrong).unwrap_err();
            assert_eq!(
                (error.code(), wrong),
                ("CU0302", vec![9.0; n]),
                "{place}: {error}"
            );
        }
        let mut none: Vec<f32> = vec![];
        double::call(&[]).on(&place).run_into(&mut none).unwrap();
    }
}

#[test]
fn tuples_of_memory() {
    for place in Place::available() {
        let call = parts::call(&[1, 2, 3, 4]).on(&place);
        let (even, sum, pairs) = call.run().unwrap();
        assert_eq!(
            (even.to_vec(), sum, pairs.to_vec()),
            call.to_host().unwrap()
        );
        let (mut a, mut s, mut b) = ([0; 2], 0, vec![(0, false); 4]);
        call.run_into((&mut a, &mut s, &mut b)).unwrap();
        assert_eq!(
            (a, s, &b[..]),
            (
                [2, 4],
                10,
                &[(1, false), (2, true), (3, true), (4, true)][..]
            ),
            "{place}"
        );
        // One part that does not fit: no part is written.
        let (mut a, mut s, mut b) = ([7; 2], 7, vec![(7, false); 3]);
        let error = call.run_into((&mut a, &mut s, &mut b)).unwrap_err();
        assert_eq!(
            (error.code(), a, s, b),
            ("CU0302", [7; 2], 7, vec![(7, false); 3]),
            "{place}"
        );
        let (mut a, mut s, mut b) = ([7; 3], 7, vec![(7, false); 4]);
        let error = call.run_into((&mut a[..], &mut s, &mut b[..])).unwrap_err();
        assert_eq!(
            (error.code(), a, s, b),
            ("CU0302", [7; 3], 7, vec![(7, false); 4]),
            "{place}"
        );
    }
}

#[test]
fn arrays_scalars_and_nothing() {
    for place in Place::available() {
        let call = square::call(2, 3).on(&place);
        let want = Array2::from_shape_fn((2, 3), |(i, j)| (i * 10 + j) as u16);
        assert_eq!(call.run().unwrap().to_ndarray(), want.clone().into_dyn());
        let mut out = Array2::zeros((2, 3));
        call.run_into(&mut out).unwrap();
        assert_eq!(out, want);
        let mut turned = Array2::zeros((3, 2));
        call.run_into(turned.view_mut().reversed_axes()).unwrap();
        assert_eq!(turned.t(), want);
        let mut flat = Array2::from_elem((3, 2), 1);
        let error = call.run_into(&mut flat).unwrap_err();
        assert_eq!(
            (error.code(), flat),
            ("CU0302", Array2::from_elem((3, 2), 1)),
            "{place}"
        );
        let mut x = Array1::zeros(3);
        line::call(3).on(&place).run_into(&mut x).unwrap();
        assert_eq!(x, line::plain(3));
        let mut pair = [0.0; 2];
        ends::call(&[1.0, 2.0, 3.0])
            .on(&place)
            .run_into(&mut pair)
            .unwrap();
        assert_eq!(
            (pair, ends::call(&[4.0]).on(&place).run().unwrap()),
            ([1.0, 3.0], [4.0, 4.0])
        );
        nothing::call(&[1, 2]).on(&place).run().unwrap();
        nothing::call(&[1, 2]).on(&place).run_into(()).unwrap();
        assert!(
            nothing::call(&[1])
                .on(&place)
                .run()
                .unwrap_err()
                .to_string()
                .contains("1 elements")
        );
    }
}

#[test]
fn nothing_is_written_on_an_error() {
    let n = 100_003;
    let x: Vec<i32> = (0..n).collect();
    let mut y = vec![1; n as usize];
    for at in [0, 17, 4096, 99_999, 100_002] {
        y[at] = 0;
        for place in Place::available() {
            let call = divide::call(&x, &y).on(&place);
            let mut out = vec![5; n as usize];
            let error = call.run_into(&mut out).unwrap_err();
            assert!(out.iter().all(|&v| v == 5), "{place}: half a result");
            assert!(error.to_string().contains("zero"), "{error}");
            if place != Place::native() {
                assert_eq!(error.code(), "CU0202");
            }
        }
        y[at] = 1;
    }
    for place in Place::available() {
        let (mut a, mut b) = (vec![5; n as usize], 5);
        two::call(&x, &y, n as usize)
            .on(&place)
            .run_into((&mut a, &mut b))
            .unwrap_err();
        assert!(a.iter().all(|&v| v == 5) && b == 5, "{place}");
        let mut call_out = vec![0; n as usize];
        divide::call(&x, &y)
            .on(&place)
            .run_into(&mut call_out)
            .unwrap();
        assert_eq!(call_out, x);
    }
}

#[test]
fn mutable_arguments_are_untouched_on_an_error() {
    for place in Place::available() {
        let mut x = [1, 2, -3];
        let mut out = [8; 3];
        for k in [2, 3] {
            add_to::call(&mut x, &[1, 1, 1], k)
                .on(&place)
                .run_into(&mut out)
                .unwrap_err();
            assert_eq!((x, out), ([1, 2, -3], [8; 3]), "{place}");
        }
        add_to::call(&mut x, &[1, 1], 0)
            .on(&place)
            .run_into(&mut out)
            .unwrap_err();
        assert_eq!((x, out), ([1, 2, -3], [8; 3]), "{place}");
        let mut short = [8; 2];
        let error = add_to::call(&mut x, &[1, 1, 1], 0)
            .on(&place)
            .run_into(&mut short)
            .unwrap_err();
        assert_eq!(
            (error.code(), x, short),
            ("CU0302", [1, 2, -3], [8; 2]),
            "{place}"
        );
        add_to::call(&mut x, &[1, 1, 1], 0)
            .on(&place)
            .run_into(&mut out)
            .unwrap();
        assert_eq!((x, out), ([2, 3, -2], [4, 6, -4]), "{place}");
        let mut f = vec![0.5; 10];
        updated::call(&mut f, &[1, 2, 10])
            .on(&place)
            .run()
            .unwrap_err();
        assert_eq!(f, [0.5; 10], "{place}");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            place.scope(|| updated(&mut f, &[1, 2, 10]));
        }));
        assert!(panicked.is_err());
        assert_eq!(f, [0.5; 10], "{place}");
    }
}

#[test]
fn a_call_runs_again() {
    let x = [1.0, 2.0];
    for place in Place::available() {
        let call = double::call(&x).on(&place);
        let (a, b) = (call.run().unwrap(), call.run().unwrap());
        assert_eq!(
            (a.to_vec(), b.to_vec(), call.to_host().unwrap()),
            (vec![2.0, 4.0], vec![2.0, 4.0], vec![2.0, 4.0])
        );
        assert!(format!("{call:?}").contains("double"));
    }
}
