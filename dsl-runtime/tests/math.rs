//! The mathematical functions against the high-precision reference of `examples/ulp`, on a subset of its points: at most
//! 1 ulp (powf: 2), and the special cases of IEEE 754.

#[path = "../examples/ulp/double.rs"]
mod double;
#[path = "../examples/ulp/measure.rs"]
mod measure;
#[path = "../examples/ulp/points.rs"]
mod points;
#[allow(dead_code)]
#[path = "../examples/ulp/reference.rs"]
mod reference;
#[path = "../examples/ulp/table.rs"]
mod table;

use dsl_runtime::math::powf::{powf_f32, powf_f64};
use dsl_runtime::math::powi::{powi_f32, powi_f64};
use measure::{error_f32, error_f64};
use points::{pair_f32, pair_f64, random};
use rayon::prelude::*;
use table::{UNARY, pow_reference, specials};

/// Points a function and type.
const POINTS: u64 = 1_000_000;

#[test]
fn unary_f64() {
    for row in UNARY {
        let ask = |x: f64| {
            let error = error_f64((row.f64)(x), (row.f64_reference)(x));
            assert!(error <= 1.0, "{}({x:e}) is {error} ulp off", row.name);
        };
        specials().into_iter().for_each(ask);
        let regions = row.regions.len() as u64;
        (0..POINTS)
            .into_par_iter()
            .for_each(|i| ask(row.regions[(i % regions) as usize].point(i)));
    }
}

#[test]
fn unary_f32() {
    for row in UNARY {
        let ask = |x: f32| {
            let error = error_f32((row.f32)(x), (row.f32_reference)(x as f64));
            assert!(error <= 1.0, "{}({x:e}f32) is {error} ulp off", row.name);
        };
        specials().into_iter().for_each(|x| ask(x as f32));
        (0..POINTS)
            .into_par_iter()
            .for_each(|i| ask(f32::from_bits(random(i) as u32)));
    }
}

#[test]
fn power() {
    let ask_f64 = |(x, y): (f64, f64)| {
        let error = error_f64(powf_f64::plain(x, y), pow_reference(x, y));
        assert!(error <= 2.0, "powf({x:e}, {y:e}) is {error} ulp off");
    };
    let ask_f32 = |(x, y): (f32, f32)| {
        let error = error_f32(powf_f32::plain(x, y), (x as f64).powf(y as f64));
        assert!(error <= 2.0, "powf({x:e}f32, {y:e}) is {error} ulp off");
    };
    for x in specials() {
        for y in specials() {
            ask_f64((x, y));
            ask_f32((x as f32, y as f32));
        }
    }
    (0..POINTS).into_par_iter().for_each(|i| {
        ask_f64(pair_f64(i));
        ask_f32(pair_f32(i));
    });
}

/// The reference itself, against digits computed with 60.
#[test]
fn reference_is_right() {
    let close = |got: double::Double, high: f64, low: f64| {
        let off = ((got.high - high) + (got.low - low)).abs();
        assert!(
            off <= high.abs() * 2f64.powi(-92),
            "{got:?} is no {high:e} + {low:e}"
        );
    };
    let two = |value: reference::Value| value.number.scaled(reference::two_to(value.scale));
    close(
        two(reference::exp_of(0.3)),
        1.3498588075760032,
        -9.447314673432387e-17,
    );
    close(
        two(reference::exp_of(-1.7)),
        0.18268352405273466,
        -5.430659906894856e-18,
    );
    close(
        reference::ln(1.0000001),
        9.999999505838704e-08,
        1.5249709528441489e-24,
    );
    close(
        reference::ln(0.37),
        -0.9942522733438669,
        -3.652349485344856e-17,
    );
    close(
        reference::ln(7e+300),
        692.721438047269,
        4.305380412458686e-14,
    );
    close(
        reference::sin(0.7),
        0.644217687237691,
        2.8740567927338755e-18,
    );
    close(
        reference::sin(1e+22),
        -0.8522008497671888,
        -6.7806825896773284e-18,
    );
    close(
        reference::sin(5.319372648326541e+255),
        1.0,
        -1.098476220074687e-37,
    );
    close(
        reference::cos(3.5),
        -0.9364566872907963,
        3.5955391095995e-18,
    );
    close(
        reference::cos(1e+300),
        -0.5753861119575491,
        2.6770761918787068e-17,
    );
    close(
        reference::tanh(0.2),
        0.197375320224904,
        6.334792292201447e-18,
    );
    close(
        reference::tanh(3.0),
        0.9950547536867305,
        -1.2991892863562624e-17,
    );
    close(
        two(reference::erf(0.4)),
        0.42839235504666845,
        2.711758748308591e-17,
    );
    close(
        two(reference::erf(2.5)),
        0.999593047982555,
        4.6925151097042234e-17,
    );
    close(
        two(reference::pow(1.3, 40.5)),
        41181.842037076414,
        1.698412350028619e-12,
    );
}

/// Repeated squaring: what exact powers say.
#[test]
fn integer_power() {
    assert_eq!(powi_f64::plain(3.0, 33), 5559060566555523.0);
    assert_eq!(powi_f64::plain(-2.0, -3), -0.125);
    assert_eq!(powi_f64::plain(0.0, -1), f64::INFINITY);
    assert_eq!(powi_f64::plain(f64::NAN, 0), 1.0);
    assert_eq!(powi_f64::plain(2.0, i32::MIN), 0.0);
    assert_eq!(powi_f32::plain(-3.0, 9), -19683.0);
    assert_eq!(powi_f32::plain(1.5, 2), 2.25);
}
