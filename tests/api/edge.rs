//! Nothing, and more than 2^31 of it.

use crate::compiled;
use cuprous::prelude::*;

#[kernel]
fn elementwise(
    x: &[f32],
) -> (
    Vec<f32>,
    f32,
    Vec<f32>,
    Vec<f32>,
    Vec<(usize, f32)>,
    usize,
    bool,
    bool,
) {
    (
        x.map(|v| v + 1.0),
        x.sum(),
        x.scan(0.0, |a, b| a + b),
        x.filter(|v| v > 0.0),
        x.enumerate().map(|p| p),
        x.count(|v| v > 0.0),
        x.any(|v| v > 0.0),
        x.all(|v| v > 0.0),
    )
}

#[kernel]
fn arranged(
    x: &[i32],
) -> (
    Vec<i32>,
    Vec<i32>,
    Vec<i32>,
    Vec<i32>,
    Vec<i32>,
    Vec<i32>,
    Vec<i32>,
) {
    (
        x.rev().map(|v| v),
        x.take(3).chain(x.skip(3)).map(|v| v),
        x.step_by(2).map(|v| v),
        x.replicate(2).map(|v| v),
        x.shift(1, -1).map(|v| v),
        x.rotate(-1).map(|v| v),
        x.gather(x.map(|_| 0)),
    )
}

#[kernel]
fn near(x: &[i32], k: usize) -> (Vec<i32>, Vec<i32>) {
    (x.windows_map(k, |w| w.sum()), x.chunks_map(k, |c| c.sum()))
}

#[kernel]
fn plane(u: &Array2<f64>) -> (Array2<f64>, f64, Array1<f64>, Array2<f64>, usize) {
    let (h, w) = u.dim();
    (
        u.mapv(|v| v * 2.0),
        u.sum(),
        u.sum_axis(Axis(0)),
        u.t().to_owned(),
        h + w,
    )
}

#[kernel]
fn table(h: usize, w: usize) -> Array2<usize> {
    tabulate2((h, w), |(i, j)| i * w + j)
}

#[kernel]
fn scattered(x: &[f32], i: &[usize], v: &[f32]) -> (Vec<f32>, Vec<f32>) {
    (x.scatter(i, v), x.scatter_with(|a, b| a + b, i, v))
}

#[kernel]
fn checksum(x: &[u8]) -> (u64, usize) {
    (x.map(|v| v as u64 + 1).sum(), x.count(|v| v == 3))
}

#[kernel]
fn large(x: &[u8]) -> Vec<u8> {
    x.filter(|v| v > 250)
}

#[kernel]
fn bumped(x: &[u8]) -> Vec<u8> {
    x.map(|v| v.wrapping_add(1))
}

#[test]
fn nothing_in_one_dimension() {
    for place in Place::available() {
        assert_eq!(
            elementwise::call(&[]).on(&place).to_host().unwrap(),
            (vec![], 0.0, vec![], vec![], vec![], 0, false, true),
            "{place}"
        );
        assert_eq!(
            arranged::call(&[]).on(&place).to_host().unwrap(),
            Default::default(),
            "{place}"
        );
        assert_eq!(
            near::call(&[], 3).on(&place).to_host().unwrap(),
            (vec![], vec![]),
            "{place}"
        );
        assert_eq!(
            near::call(&[1, 2], 3).on(&place).to_host().unwrap(),
            (vec![], vec![3]),
            "{place}"
        );
        assert_eq!(
            scattered::call(&[], &[], &[]).on(&place).to_host().unwrap(),
            (vec![], vec![]),
            "{place}"
        );
        assert_eq!(
            scattered::call(&[1.0], &[], &[])
                .on(&place)
                .to_host()
                .unwrap(),
            (vec![1.0], vec![1.0]),
            "{place}"
        );
        let none = Array::<f32>::zeros(&[0]);
        let (a, ..) = elementwise::call(&none).on(&place).run().unwrap();
        assert_eq!(a.shape(), [0]);
        assert_eq!(
            arranged::call(&[1, 2, 3]).on(&place).to_host().unwrap(),
            arranged::plain(&[1, 2, 3]),
            "{place}"
        );
    }
}

#[test]
fn nothing_in_two_dimensions() {
    for place in Place::available() {
        for (h, w) in [(0, 0), (0, 3), (3, 0)] {
            let u = Array2::zeros((h, w));
            let got = plane::call(&u).on(&place).to_host().unwrap();
            assert_eq!(
                got,
                (
                    u.clone(),
                    0.0,
                    Array1::zeros(w),
                    Array2::zeros((w, h)),
                    h + w
                ),
                "{place}, {h} x {w}"
            );
            let there = plane::call(&u).on(&place).run().unwrap();
            assert_eq!(
                (there.0.shape(), there.3.shape()),
                (&[h, w][..], &[w, h][..])
            );
            assert_eq!(
                table::call(h, w).on(&place).to_host().unwrap().dim(),
                (h, w)
            );
            let mut out = Array2::zeros((h, w));
            table::call(h, w).on(&place).run_into(&mut out).unwrap();
            let mut out = Array2::zeros((h + 1, w));
            assert_eq!(
                table::call(h, w)
                    .on(&place)
                    .run_into(&mut out)
                    .unwrap_err()
                    .code(),
                "CU0302"
            );
            assert_eq!(plane::call(&there.0).on(&place).to_host().unwrap(), got);
        }
    }
}

#[test]
fn shapes_that_no_memory_holds() {
    for place in compiled() {
        for (h, w) in [
            (0, usize::MAX),
            (usize::MAX, 0),
            (1 << 33, 1 << 33),
            (usize::MAX, 2),
            (1 << 40, 1 << 20),
        ] {
            match table::call(h, w).on(&place).to_host() {
                Ok(found) => assert_eq!(found.dim(), (h, w)),
                Err(error) => assert!(
                    ["CU0303", "CU0211", "CU0308"].contains(&error.code()),
                    "{place}, {h} x {w}: {error}"
                ),
            }
        }
    }
}

#[test]
fn more_than_two_to_the_31() {
    let n = (1usize << 31) + 1;
    let mut x = vec![0u8; n];
    (x[0], x[1 << 30], x[n - 2], x[n - 1]) = (3, 251, 252, 3);
    assert_eq!(
        checksum::call(&x).to_host().unwrap(),
        (n as u64 + 3 + 251 + 252 + 3, 2)
    );
    assert_eq!(large::call(&x).to_host().unwrap(), [251, 252]);
    let y = bumped::call(&x).run().unwrap();
    assert_eq!(y.len(), n);
    let y = y.into_vec();
    assert_eq!(
        (y[0], y[1], y[1 << 30], y[n - 2], y[n - 1]),
        (4, 1, 252, 253, 4)
    );
}

#[kernel]
fn even(n: usize) -> usize {
    indices(n).count(|i| i % 2 == 0)
}

#[kernel]
fn harmonic(x: &[f64]) -> f64 {
    (0..x.len() - 1).map(|i| 1.0 / (i as f64 + 1.0)).sum()
}

/// The totals of so many blocks need memory that no machine has. (The interpreter, which needs none, would count for ever.)
#[test]
fn reductions_without_end() {
    let threads = [1, 3].map(Place::cpu_threads);
    let places = compiled().filter(|place| *place != Place::interp());
    for place in places.chain(threads) {
        let code = match place.to_string().starts_with("opencl") {
            true => "CU0308",
            false => "CU0303",
        };
        let error = even::call(usize::MAX).on(&place).run().unwrap_err();
        assert_eq!(error.code(), code, "{place}: {error}");
        let error = harmonic::call(&[]).on(&place).run().unwrap_err();
        assert_eq!(error.code(), code, "{place}: {error}");
        assert_eq!(even::call(5000).on(&place).run().unwrap(), 2500);
    }
}
