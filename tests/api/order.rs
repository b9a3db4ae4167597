//! One order for every reduction: the same bits with any number of threads, for sizes around every boundary.

use cuprous::prelude::*;

macro_rules! kernels {
    ($module:ident $t:ident) => {
        mod $module {
            use cuprous::prelude::*;

            #[kernel]
            pub fn everything(
                x: &[$t],
                y: &[$t],
            ) -> ($t, Vec<$t>, Vec<$t>, usize, usize, $t, $t, ($t, $t)) {
                let sum = x.sum();
                let scan = x.scan(0.0, |a, b| a + b);
                let kept = x.filter(|v| v > 0.25);
                let (low, high) = (x.argmin(), x.argmax());
                let dot = x.zip(y).map(|(x, y)| x * y).sum();
                let product = x.map(|v| 1.0 + v * 0.001).product();
                let line = x
                    .zip(y)
                    .reduce((1.0, 0.0), |f, g| (f.0 * g.0, f.1 * g.0 + g.1));
                (sum, scan, kept, low, high, dot, product, line)
            }

            #[kernel]
            pub fn lambdas(
                x: &[$t],
                y: &[$t],
            ) -> (
                $t,
                Vec<$t>,
                Vec<$t>,
                Vec<$t>,
                Vec<($t, $t)>,
                Vec<$t>,
                Vec<$t>,
            ) {
                let odd = x.reduce(0.5, |a, b| a * 0.75 - b);
                let scan = x.scan(0.5, |a, b| a * 0.75 - b);
                let exclusive = x.exscan(1.0, |a, b| a + b);
                let right = x.rscan(0.0, |a, b| a + b);
                let lines = x
                    .zip(y)
                    .scan((1.0, 0.0), |f, g| (f.0 * g.0, f.1 * g.0 + g.1));
                let back = x.rexscan(0.0, |a: $t, b| a.max(b));
                let (low, _high) = x.partition(|v| v < 0.5);
                (odd, scan, exclusive, right, lines, back, low)
            }

            #[test]
            fn same_bits() {
                let value =
                    |i: usize| ((i as u64 * 2654435761 % 1_000_003) as $t) / 1_000_003.0 - 0.25;
                for n in [
                    0usize, 1, 2, 15, 16, 17, 31, 33, 4095, 4096, 4097, 8191, 12_289, 100_003,
                ] {
                    let x: Vec<$t> = (0..n).map(value).collect();
                    let y: Vec<$t> = (0..n).map(|i| value(i + 7)).collect();
                    if n > 0 {
                        let want = format!(
                            "{:?}",
                            everything::call(&x, &y)
                                .on(&Place::interp())
                                .to_host()
                                .unwrap()
                        );
                        for threads in [1, 2, 3, 8] {
                            let got = everything::call(&x, &y)
                                .on(&Place::cpu_threads(threads))
                                .to_host()
                                .unwrap();
                            assert!(
                                format!("{got:?}") == want,
                                "everything, n = {n}, {threads} threads"
                            );
                        }
                    }
                    let want = format!(
                        "{:?}",
                        lambdas::call(&x, &y)
                            .on(&Place::interp())
                            .to_host()
                            .unwrap()
                    );
                    for threads in [1, 2, 3, 8] {
                        let got = lambdas::call(&x, &y)
                            .on(&Place::cpu_threads(threads))
                            .to_host()
                            .unwrap();
                        assert!(
                            format!("{got:?}") == want,
                            "lambdas, n = {n}, {threads} threads"
                        );
                    }
                }
            }
        }
    };
}
kernels! { single f32 }
kernels! { double f64 }

#[kernel]
fn integers(x: &[i32]) -> (i32, i32, Vec<u32>, Vec<i32>, usize, bool, bool, i32, i32) {
    let digits = x.map(|v| v as u32 & 7);
    (
        x.sum(),
        x.product(),
        digits.scan(0, |a, b| a * 3 + b),
        x.filter(|v| v % 3 == 0),
        x.count(|v| v > 0),
        x.any(|v| v == 77),
        x.all(|v| v < 1 << 30),
        x.minimum(),
        x.maximum(),
    )
}

#[test]
fn integers_agree_with_plain() {
    for n in [1usize, 15, 16, 17, 4095, 4096, 4097, 12_289, 100_003] {
        let x: Vec<i32> = (0..n).map(|i| (i as i32 * 77) % 1009 - 400).collect();
        let want = integers::call(&x).on(&Place::interp()).to_host().unwrap();
        assert_eq!(want.0, x.iter().fold(0, |a: i32, &b| a.wrapping_add(b)));
        assert_eq!(want.1, x.iter().fold(1, |a: i32, &b| a.wrapping_mul(b)));
        assert_eq!(
            want.3,
            x.iter().copied().filter(|v| v % 3 == 0).collect::<Vec<_>>()
        );
        for threads in [1, 2, 3, 8] {
            assert!(
                integers::call(&x)
                    .on(&Place::cpu_threads(threads))
                    .to_host()
                    .unwrap()
                    == want,
                "n = {n}, {threads} threads"
            );
        }
    }
}

#[kernel]
fn combined(d: &[i32], i: &[i32], v: &[i32]) -> Vec<i32> {
    d.scatter_with(|a, b| a / b, i, v)
}

#[kernel]
fn placed(d: &[i32], i: &[isize], v: &[i32]) -> Vec<i32> {
    d.scatter(i, v)
}

/// Signed indices are no other stage than what the sink does with them.
#[test]
fn of_what_a_scatter_does() {
    for place in crate::compiled() {
        let fails = |d: &[i32], i: &[i32], v: &[i32]| {
            let error = combined::call(d, i, v).on(&place).to_host().unwrap_err();
            error.message().to_string()
        };
        assert_eq!(fails(&[1, 2], &[0, 0, 5], &[1, 0, 1]), "division by zero");
        let outside = "index -1 is out of bounds for length 2";
        assert_eq!(fails(&[1, 2], &[0, -1, 0], &[1, 1, 0]), outside);
        let error = placed::call(&[1, 2], &[1, 1, -1], &[5, 6, 7])
            .on(&place)
            .to_host()
            .unwrap_err();
        assert_eq!(error.message(), "index 1 occurs more than once");
    }
}
