//! The mathematical functions in kernels, vectorised, at every place that compiles: the bits of the Rust functions that they
//! are, over arrays in which every kind of argument stands beside every other.

use cuprous::prelude::*;
use dsl_runtime::math;

macro_rules! unary {
    ($($test:ident $method:ident $f32:ident $f64:ident;)*) => {$(
        mod $test {
            use super::*;

            #[kernel]
            fn single(x: &[f32]) -> Vec<f32> {
                x.map(|x| x.$method())
            }

            #[kernel]
            fn double(x: &[f64]) -> Vec<f64> {
                x.map(|x| x.$method())
            }

            #[test]
            fn is_the_same_everywhere() {
                let x: Vec<f64> = arguments();
                let want: Vec<f64> = x.iter().map(|&x| math::$method::$f64::plain(x)).collect();
                let y: Vec<f32> = x.iter().map(|&x| x as f32).collect();
                let want_single: Vec<f32> = y.iter().map(|&y| math::$method::$f32::plain(y)).collect();
                for place in compiled() {
                    let got = double::call(&x).on(&place).to_host().expect("a place computes");
                    for i in 0..x.len() {
                        assert!(same(got[i], want[i]), "{place}: {:e} gives {:e}, not {:e}", x[i], got[i], want[i]);
                    }
                    let got = single::call(&y).on(&place).to_host().expect("a place computes");
                    for i in 0..y.len() {
                        let (got, want) = (got[i], want_single[i]);
                        assert!(same(got as f64, want as f64), "{place}: {:e}f32 gives {got:e}, not {want:e}", y[i]);
                    }
                }
            }
        }
    )*};
}

unary! {
    exponential exp exp_f32 exp_f64;
    logarithm ln ln_f32 ln_f64;
    sine sin sin_f32 sin_f64;
    cosine cos cos_f32 cos_f64;
    hyperbolic_tangent tanh tanh_f32 tanh_f64;
    error_function erf erf_f32 erf_f64;
}

#[kernel]
fn powers(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.zip(y).map(|(x, y)| x.powf(y))
}

#[kernel]
fn powers_single(x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| x.powf(y))
}

/// Exponents that are known, and one that is not.
#[kernel]
fn integer_powers(x: &[f64], n: &[i32]) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>) {
    (
        x.map(|x| x.powi(2)),
        x.map(|x| x.powi(-7)),
        x.map(|x| x.powi(0)),
        x.zip(n).map(|(x, n)| x.powi(n)),
    )
}

#[test]
fn powers_are_the_same_everywhere() {
    let x = arguments();
    let y: Vec<f64> = (0..x.len()).map(|i| x[i * 37 % x.len()]).collect();
    let (x32, y32): (Vec<f32>, Vec<f32>) = x
        .iter()
        .zip(&y)
        .map(|(&x, &y)| (x as f32, y as f32))
        .unzip();
    let n: Vec<i32> = (0..x.len() as i32).map(|i| i * 7919 % 400 - 200).collect();
    for place in compiled() {
        let got = powers::call(&x, &y)
            .on(&place)
            .to_host()
            .expect("a place computes");
        let single = powers_single::call(&x32, &y32)
            .on(&place)
            .to_host()
            .expect("a place computes");
        let (second, minus_seventh, zeroth, nth) = integer_powers::call(&x, &n)
            .on(&place)
            .to_host()
            .expect("a place computes");
        for i in 0..x.len() {
            let want = math::powf::powf_f64::plain(x[i], y[i]);
            assert!(
                same(got[i], want),
                "{place}: {:e}^{:e} gives {:e}, not {want:e}",
                x[i],
                y[i],
                got[i]
            );
            let want = math::powf::powf_f32::plain(x32[i], y32[i]);
            assert!(
                same(single[i] as f64, want as f64),
                "{place}: {:e}^{:e}",
                x32[i],
                y32[i]
            );
            for (n, got) in [
                (2, second[i]),
                (-7, minus_seventh[i]),
                (0, zeroth[i]),
                (n[i], nth[i]),
            ] {
                let want = math::powi::powi_f64::plain(x[i], n);
                assert!(
                    same(got, want),
                    "{place}: {:e}^{n} gives {got:e}, not {want:e}",
                    x[i]
                );
            }
        }
    }
}

fn compiled() -> impl Iterator<Item = Place> {
    Place::available()
        .into_iter()
        .filter(|place| *place != Place::native())
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Moderate, tiny, huge and special numbers, mixed.
fn arguments() -> Vec<f64> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -3.0,
        0.5,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        5e-324,
        f64::MAX,
    ];
    (0..4099u64)
        .map(|i| {
            let bits = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let bits = (bits ^ bits >> 31).wrapping_mul(0x94d0_49bb_1331_11eb);
            let unit =
                (bits >> 11) as f64 / (1u64 << 53) as f64 * if bits & 1 == 0 { 1.0 } else { -1.0 };
            // Long stretches of moderate arguments, so that whole vectors take the common path, then all kinds.
            match if i < 2048 { 0 } else { i % 5 } {
                0 => unit * 20.0,
                1 => f64::from_bits(bits),
                2 => f32::from_bits(bits as u32) as f64,
                3 => unit * 800.0,
                _ => special[(bits >> 40) as usize % special.len()],
            }
        })
        .collect()
}
