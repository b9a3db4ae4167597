//! The programs of the front page: every place agrees with the plain function.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]

#[path = "first/kernel.rs"]
mod first;

use cuprous::prelude::*;
use first::{heat, saxpy, spmv};

/// Prefix sums of both members, and the sum of the first.
#[kernel]
fn sums(x: &[(f32, i32)]) -> (Vec<(f32, i32)>, f32) {
    let all = x.scan((0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (all, x.map(|p| p.0).sum())
}

#[kernel]
fn smooth(x: &mut [f64], k: f64) -> f64 {
    for i in 1..x.len() {
        x[i] = x[i - 1] * k + x[i];
    }
    x[x.len() - 1]
}

#[kernel]
fn corners(u: ArrayView2<'_, f32>) -> [f32; 2] {
    let (h, w) = u.dim();
    [u[[0, 0]], u[[h - 1, w - 1]]]
}

#[kernel]
fn pick(x: &[f32], i: usize) -> f32 {
    x[i]
}

#[kernel]
fn picks(x: &[f32], idx: &[usize]) -> Vec<f32> {
    idx.map(|i| pick(x, i))
}

fn compiled() -> impl Iterator<Item = Place> {
    Place::available()
        .into_iter()
        .filter(|place| *place != Place::native())
}

#[test]
fn the_machine_has_all_places() {
    let names: Vec<String> = Place::available().iter().map(Place::to_string).collect();
    for name in ["native", "cpu", "interp"] {
        assert!(names.iter().any(|have| have == name), "{names:?}");
    }
}

#[test]
fn saxpy_everywhere() {
    let x: Vec<f32> = (0..10_000).map(|i| i as f32 * 0.25).collect();
    let y: Vec<f32> = x.iter().map(|v| v - 7.0).collect();
    let plain = saxpy::plain(2.0, &x, &y);
    for place in Place::available() {
        let call = saxpy::call(2.0, &x, &y).on(&place);
        assert_eq!(call.to_host().unwrap(), plain, "{place}");
        let there = call.run().unwrap();
        assert_eq!((there.place(), there.len()), (&place, x.len()));
        let again = saxpy::call(0.0, &there, &there).on(&place).run().unwrap();
        assert_eq!(again.to_vec(), plain, "{place}");
        let mut out = vec![0.0; x.len()];
        call.run_into(&mut out).unwrap();
        assert_eq!(out, plain, "{place}");
        let mut wide = Array1::zeros(2 * x.len());
        call.run_into(wide.slice_mut(s![..;-2])).unwrap();
        assert_eq!(wide.slice(s![..;-2]).to_vec(), plain, "{place}");
        let mut short = vec![1.0; 3];
        let error = call.run_into(&mut short).unwrap_err();
        assert_eq!(
            (error.code(), short),
            ("CU0302", vec![1.0; 3]),
            "{place}: {error}"
        );
        assert_eq!(place.scope(|| saxpy(2.0, &x, &y)), plain, "{place}");
    }
}

#[test]
fn saxpy_of_strided_views() {
    let x = Array1::from_iter((0..101).map(|i| i as f32));
    let (back, every) = (x.slice(s![..;-3]), x.slice(s![..;3]));
    let plain = saxpy::plain(0.5, back, every);
    for place in Place::available() {
        assert_eq!(
            saxpy::call(0.5, back, &every).on(&place).to_host().unwrap(),
            plain,
            "{place}"
        );
    }
}

#[test]
fn spmv_everywhere() {
    let (rows, cols) = ([0usize, 2, 2, 3], [0u32, 2, 1]);
    let (vals, x) = ([1.0, 2.0, 3.0], [1.0, 10.0, 100.0]);
    for place in Place::available() {
        let y = spmv::call(&rows, &cols, &vals, &x)
            .on(&place)
            .to_host()
            .unwrap();
        assert_eq!(y, [201.0, 0.0, 30.0], "{place}");
    }
}

#[test]
fn heat_everywhere() {
    let u = Array2::from_shape_fn((9, 7), |(i, j)| ((i * 5 + j * 3) % 11) as f64);
    let turned = u.t();
    let plain = (heat::plain(&u, 0.1, 5), heat::plain(turned, 0.1, 5));
    for place in Place::available() {
        assert_eq!(
            heat::call(&u, 0.1, 5).on(&place).to_host().unwrap(),
            plain.0,
            "{place}"
        );
        assert_eq!(
            heat::call(turned, 0.1, 5).on(&place).to_host().unwrap(),
            plain.1,
            "{place}"
        );
        let there = heat::call(&u, 0.1, 5).on(&place).run().unwrap();
        assert_eq!(there.shape(), [9, 7]);
        let mut out = Array2::zeros((9, 7));
        heat::call(&u, 0.1, 5)
            .on(&place)
            .run_into(&mut out)
            .unwrap();
        assert_eq!(out, plain.0, "{place}");
    }
}

#[test]
fn tuples_everywhere() {
    let x = [(1.5, 1), (2.5, 2), (-1.0, 3)];
    let want = (vec![(1.5, 1), (4.0, 3), (3.0, 6)], 3.0);
    for place in Place::available() {
        assert_eq!(
            sums::call(&x).on(&place).to_host().unwrap(),
            want,
            "{place}"
        );
        let there = sums::call(&Array::from(x.to_vec()))
            .on(&place)
            .run()
            .unwrap();
        assert_eq!((there.0.to_vec(), there.1), want, "{place}");
        let mut into = ([(0.0, 0); 3], 0.0);
        sums::call(&x)
            .on(&place)
            .run_into((&mut into.0, &mut into.1))
            .unwrap();
        assert_eq!((into.0.to_vec(), into.1), want, "{place}");
    }
}

#[test]
fn mutable_slices_everywhere() {
    for place in Place::available() {
        let mut x = [1.0, 2.0, 3.0];
        let last = smooth::call(&mut x, 2.0).on(&place).run().unwrap();
        assert_eq!((last, x), (11.0, [1.0, 4.0, 11.0]), "{place}");
        let mut none: [f64; 0] = [];
        assert!(
            smooth::call(&mut none, 2.0).on(&place).run().is_err(),
            "{place}"
        );
    }
}

#[test]
fn fixed_arrays_everywhere() {
    let u = Array2::from_shape_fn((2, 3), |(i, j)| (10 * i + j) as f32);
    for place in Place::available() {
        assert_eq!(
            corners::call(&u).on(&place).run().unwrap(),
            [0.0, 12.0],
            "{place}"
        );
        assert_eq!(
            corners::call(u.t()).on(&place).run().unwrap(),
            [0.0, 12.0],
            "{place}"
        );
        let mut out = [0.0; 2];
        corners::call(&u).on(&place).run_into(&mut out).unwrap();
        assert_eq!(out, [0.0, 12.0], "{place}");
    }
}

#[test]
fn an_error_points_into_the_source() {
    for place in compiled() {
        let error = spmv::call(&[0, 1], &[9], &[1.0], &[1.0])
            .on(&place)
            .run()
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("error[CU0201]: index 9 is out of bounds for length 1"),
            "{text}"
        );
        let at = include_str!("first/kernel.rs")
            .lines()
            .position(|line| line.contains("x[cols[k] as usize]"));
        assert!(
            text.contains(&format!("tests/first/kernel.rs:{}:", at.unwrap() + 1)),
            "{text}"
        );
        assert!(text.contains("x[cols[k] as usize]"), "{text}");
        assert!(text.contains("in kernel `spmv`"), "{text}");
    }
}

#[test]
fn what_is_inside_can_be_looked_at() {
    let kernel = saxpy::kernel();
    assert!(kernel.ir().unwrap().starts_with("func @saxpy"));
    for place in compiled() {
        let plan = kernel.explain(&place).unwrap();
        assert!(plan.contains("collect"), "{plan}");
        assert!(!kernel.code(&place).unwrap().is_empty());
    }
}

#[test]
fn an_error_of_an_inlined_kernel_names_the_outer_one_and_the_line() {
    for place in compiled() {
        let error = picks::call(&[1.0], &[0, 3]).on(&place).run().unwrap_err();
        let site = error.site().unwrap();
        assert_eq!(
            (error.code(), &*site.kernel),
            ("CU0201", "picks"),
            "{place}: {error}"
        );
        assert_eq!(
            site.source.line(site.line()).trim(),
            "x[i]",
            "{place}: {error}"
        );
    }
}

#[test]
fn empty_arrays_everywhere() {
    for place in Place::available() {
        let none = saxpy::call(1.0, &[], &[]).on(&place);
        assert_eq!(none.to_host().unwrap(), []);
        none.run_into(&mut [][..]).unwrap();
        assert_eq!(none.run().unwrap().shape(), [0]);
        let u = Array2::<f64>::zeros((0, 3));
        let v = heat::call(&u, 0.1, 2).on(&place).to_host().unwrap();
        assert_eq!(v.dim(), (0, 3), "{place}");
    }
}

#[test]
fn threads_may_call_at_once() {
    let x = vec![1.0f32; 10_000];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(saxpy(2.0, &x, &x).iter().all(|&v| v == 3.0));
                }
            });
        }
    });
}
