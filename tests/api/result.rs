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
fn prefix(x: &[f64], limit: f64) -> Vec<f64> {
    x.scan(0.0, |a, b| {
        assert!(b < limit, "{b}");
        a + b
    })
}

#[kernel]
fn kept(x: &[i32], y: &[i32]) -> Vec<i32> {
    x.zip(y).map(|(x, y)| x % y).filter(|v| v % 3 == 1)
}

#[kernel]
fn rounds(x: &[i32], y: &[i32], steps: usize) -> Vec<i32> {
    let mut g = x.to_vec();
    for s in 0..steps {
        g = g.zip(y).map(|(g, y)| g + s as i32 / y);
    }
    g
}

#[kernel]
fn turned(u: &Array2<f32>, k: f32) -> (Array2<f32>, f32) {
    let (h, w) = u.dim();
    let t = Array2::from_shape_fn((w, h), |(i, j)| {
        assert!(u[[j, i]] != k, "found");
        u[[j, i]]
    });
    (t, u.sum())
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
fn every_sink_writes_all_or_nothing() {
    let n = 50_000usize;
    let x: Vec<i32> = (0..n as i32).collect();
    let mut y = vec![1_000_000; n];
    let f = vec![1.0; n];
    let u = Array2::from_shape_fn((150, 70), |(i, j)| (i * 70 + j) as f32);
    for place in Place::available() {
        let mut out = vec![-1.0; n];
        prefix::call(&f, 1.0)
            .on(&place)
            .run_into(&mut out)
            .unwrap_err();
        assert!(out.iter().all(|&v| v == -1.0), "{place}");
        prefix::call(&f, 1e300)
            .on(&place)
            .run_into(&mut out)
            .unwrap();
        assert_eq!(out[n - 1], n as f64);
        let mut wide = Array2::from_elem((2, n), -1.0);
        prefix::call(&f, 1e300)
            .on(&place)
            .run_into(wide.slice_mut(s![1, ..;-1]))
            .unwrap();
        assert_eq!(
            (wide[[1, 0]], wide[[0, 0]], wide[[1, n - 1]]),
            (n as f64, -1.0, 1.0),
            "{place}"
        );
        let want: Vec<i32> = x.iter().copied().filter(|v| v % 3 == 1).collect();
        for extra in [0, 1, 5000] {
            let mut out = vec![-1; want.len() + extra];
            let result = kept::call(&x, &y).on(&place).run_into(&mut out);
            if extra == 0 {
                assert!(result.is_ok() && out == want, "{place}");
            } else {
                assert_eq!(result.unwrap_err().code(), "CU0302", "{place}");
                assert!(out.iter().all(|&v| v == -1), "{place}");
            }
        }
        let mut short = vec![-1; want.len() - 1];
        assert_eq!(
            kept::call(&x, &y)
                .on(&place)
                .run_into(&mut short)
                .unwrap_err()
                .code(),
            "CU0302",
            "{place}"
        );
        assert!(short.iter().all(|&v| v == -1), "{place}");
        let mut every = Array1::from_elem(2 * want.len(), -1);
        kept::call(&x, &y)
            .on(&place)
            .run_into(every.slice_mut(s![..;2]))
            .unwrap();
        assert_eq!(every.slice(s![..;2]).to_vec(), want, "{place}");
        y[49_000] = 0;
        let mut out = vec![-1; want.len()];
        kept::call(&x, &y)
            .on(&place)
            .run_into(&mut out)
            .unwrap_err();
        assert!(out.iter().all(|&v| v == -1), "{place}");
        let mut out = vec![-1; n];
        rounds::call(&x, &y, 3)
            .on(&place)
            .run_into(&mut out)
            .unwrap_err();
        assert!(out.iter().all(|&v| v == -1), "{place}");
        y[49_000] = 1_000_000;
        rounds::call(&x, &y, 3)
            .on(&place)
            .run_into(&mut out)
            .unwrap();
        assert_eq!(out, x, "{place}");
        rounds::call(&x, &y, 0)
            .on(&place)
            .run_into(&mut out)
            .unwrap();
        assert_eq!(out, x, "{place}");
        let (mut t, mut sum) = (Array2::from_elem((70, 150), -1.0), -1.0);
        turned::call(&u, 9000.0)
            .on(&place)
            .run_into((&mut t, &mut sum))
            .unwrap_err();
        assert!(t.iter().all(|&v| v == -1.0) && sum == -1.0, "{place}");
        turned::call(&u, -9.0)
            .on(&place)
            .run_into((&mut t, &mut sum))
            .unwrap();
        assert_eq!(t, u.t(), "{place}");
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

/// A call borrows its arguments no longer than it is used: the result may take the place of an argument.
#[test]
fn a_result_replaces_its_argument() {
    for place in crate::compiled() {
        let mut x: Array<f32> = Array::from(vec![1.0, 2.0]);
        for _ in 0..3 {
            x = twice::call(&x).on(&place).run().unwrap();
        }
        assert_eq!(x.to_vec(), [8.0, 16.0]);
    }
}

#[kernel]
fn twice(x: &[f32]) -> Vec<f32> {
    x.map(|v| 2.0 * v)
}
