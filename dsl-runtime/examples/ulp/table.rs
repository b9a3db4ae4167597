//! The functions, their references, and where they are measured.

use super::points::Region::{self, *};
use super::reference::{self, Value};
use dsl_runtime::math;

/// A function of one argument.
pub struct Row {
    pub name: &'static str,
    pub f32: fn(f32) -> f32,
    /// Right to an ulp of `f64`, thus to 2^-29 ulp of `f32`.
    pub f32_reference: fn(f64) -> f64,
    pub f64: fn(f64) -> f64,
    pub f64_reference: fn(f64) -> Value,
    pub regions: &'static [Region],
}

/// The functions of one argument.
pub static UNARY: &[Row] = &[
    Row {
        name: "exp",
        f32: math::exp::exp_f32::plain,
        f32_reference: f64::exp,
        f64: math::exp::exp_f64::plain,
        f64_reference: |x| {
            exact(x, |x| match x {
                f64::INFINITY => double_value(x),
                _ => reference::exp_of(x),
            })
        },
        regions: &[
            Any,
            Line(-745.2, 709.79),
            Line(-2.0, 2.0),
            Bits(1e-20, 1.0),
            Line(-745.2, -708.0),
            Near(709.782712893384, 1000),
            Near(-745.1332191019412, 1000),
        ],
    },
    Row {
        name: "ln",
        f32: math::ln::ln_f32::plain,
        f32_reference: f64::ln,
        f64: math::ln::ln_f64::plain,
        f64_reference: |x| {
            exact(x, |x| {
                if x < 0.0 {
                    double_value(f64::NAN)
                } else if x == 0.0 {
                    double_value(f64::NEG_INFINITY)
                } else if x == f64::INFINITY {
                    double_value(x)
                } else if x == 1.0 {
                    double_value(0.0)
                } else {
                    reference::ln(x).into()
                }
            })
        },
        regions: &[
            Any,
            Bits(0.5, 2.0),
            Line(0.5, 2.0),
            Line(0.999, 1.001),
            Near(1.0, 100_000),
            Bits(5e-324, 1e-300),
            Line(0.34, 0.72),
            Line(1.38, 2.9),
        ],
    },
    Row {
        name: "sin",
        f32: math::sin::sin_f32::plain,
        f32_reference: f64::sin,
        f64: math::sin::sin_f64::plain,
        f64_reference: |x| exact(x, |x| finite(x, |x| reference::sin(x).into())),
        regions: ANGLES,
    },
    Row {
        name: "cos",
        f32: math::cos::cos_f32::plain,
        f32_reference: f64::cos,
        f64: math::cos::cos_f64::plain,
        f64_reference: |x| finite(x, |x| reference::cos(x).into()),
        regions: ANGLES,
    },
    Row {
        name: "tanh",
        f32: math::tanh::tanh_f32::plain,
        f32_reference: f64::tanh,
        f64: math::tanh::tanh_f64::plain,
        f64_reference: |x| exact(x, |x| reference::tanh(x).into()),
        regions: &[
            Any,
            Line(-20.0, 20.0),
            Line(-1.0, 1.0),
            Line(0.1, 0.6),
            Bits(1e-20, 1.0),
            Line(18.0, 20.0),
        ],
    },
    Row {
        name: "erf",
        f32: math::erf::erf_f32::plain,
        f32_reference: libm::erf,
        f64: math::erf::erf_f64::plain,
        f64_reference: |x| exact(x, reference::erf),
        regions: &[
            Any,
            Line(-6.1, 6.1),
            Line(-1.0, 1.0),
            Line(0.9, 1.5),
            Bits(1e-20, 1.0),
            Near(1.0, 1000),
        ],
    },
];

const ANGLES: &[Region] = &[
    Any,
    Line(-10.0, 10.0),
    Line(-1.0, 1.0),
    Line(-1e5, 1e5),
    Bits(1e-10, 1e9),
    Bits(1e5, 1e12),
    Near(1e9, 100_000),
    Turns(30),
    Turns(62),
];

/// NaN is NaN and zero is itself with its sign (a 1 for exp: its reference is right there).
fn exact(x: f64, rest: fn(f64) -> Value) -> Value {
    if x.is_nan() { double_value(x) } else { rest(x) }
}

fn finite(x: f64, rest: fn(f64) -> Value) -> Value {
    if x.is_finite() {
        rest(x)
    } else {
        double_value(f64::NAN)
    }
}

fn double_value(x: f64) -> Value {
    super::double::Double::from(x).into()
}

/// x^y, with the special cases of C's `pow`.
pub fn pow_reference(x: f64, y: f64) -> Value {
    if y == 0.0 || x == 1.0 {
        return double_value(1.0);
    }
    if x.is_nan() || y.is_nan() {
        return double_value(f64::NAN);
    }
    if x == 0.0 || x.is_infinite() || y.is_infinite() || x == -1.0 {
        // A table of exact results.
        return double_value(x.powf(y));
    }
    let whole = y == y.trunc();
    if x < 0.0 && !whole {
        return double_value(f64::NAN);
    }
    let mut value = reference::pow(x.abs(), y);
    if x < 0.0 && y % 2.0 != 0.0 {
        value.number = -value.number;
    }
    value
}

/// Arguments with special cases.
pub fn specials() -> Vec<f64> {
    let positive = [
        0.0,
        5e-324,
        1e-310,
        f64::MIN_POSITIVE,
        1e-45,
        1e-40,
        f32::MIN_POSITIVE as f64,
        1e-9,
        0.25,
        0.5,
        1.0 - f64::EPSILON / 2.0,
        1.0,
        1.0 + f64::EPSILON,
        1.5,
        2.0,
        2.5,
        3.0,
        4.0,
        127.0,
        128.0,
        149.0,
        150.0,
        1023.0,
        1024.0,
        1074.0,
        1075.0,
        16777215.0,
        16777216.0,
        16777217.0,
        4503599627370495.5,
        9007199254740991.0,
        9007199254740992.0,
        1e19,
        1e30,
        f32::MAX as f64,
        1e300,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ];
    positive.iter().flat_map(|&x| [x, -x]).collect()
}
