//! The functions to about 95 bits, by other means than the library's: Taylor series with argument halving, Newton's step for
//! the logarithm, a series of positive terms for erf, and for angles a table of 2^j modulo π/2 from π to 1344 bits.

// The leading halves of constants that are given to twice the precision.
#![allow(clippy::approx_constant)]

use super::double::{Double, double};
use std::sync::LazyLock;

/// A number times a power of two, so that results beyond the range of `f64` keep their precision.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    pub number: Double,
    pub scale: i32,
}

impl From<Double> for Value {
    fn from(number: Double) -> Value {
        Value { number, scale: 0 }
    }
}

/// 2^n, for normal results.
pub fn two_to(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

const ONE: Double = double(1.0, 0.0);
/// ln 2 in three parts, of which the first has 42 bits.
const LN2: [f64; 3] = [
    0.6931471805598903,
    5.497923018708371e-14,
    1.94704509238075e-31,
];
const TWO_BY_ROOT_PI: Double = double(1.1283791670955126, 1.533545961316588e-17);

/// 1/n!.
static INVERSE_FACTORIAL: LazyLock<Vec<Double>> = LazyLock::new(|| {
    let mut all = vec![ONE];
    for n in 1..32 {
        all.push(all[n - 1] / (n as f64).into());
    }
    all
});

/// 1/n.
static INVERSE: LazyLock<Vec<Double>> = LazyLock::new(|| {
    (0..1024)
        .map(|n| ONE / f64::from(n.max(1)).into())
        .collect()
});

/// e^x - 1 for |x| below 0.7.
fn expm1_near(x: Double) -> Double {
    let r = x.scaled(1.0 / 256.0);
    let mut p = Double::from(0.0);
    for n in (1..=11).rev() {
        p = (p + INVERSE_FACTORIAL[n]) * r;
    }
    for _ in 0..8 {
        p = p.scaled(2.0) + p * p;
    }
    p
}

/// e^x.
pub fn exp(x: Double) -> Value {
    let k = (x.high * std::f64::consts::LOG2_E).round();
    let r = x - (k * LN2[0]).into() - Double::from(k) * LN2[1].into() - (k * LN2[2]).into();
    Value {
        number: ONE + expm1_near(r),
        scale: k as i32,
    }
}

/// e^x within and beyond the range.
pub fn exp_of(x: f64) -> Value {
    exp(x.clamp(-2000.0, 2000.0).into())
}

/// ln x of a positive finite x.
pub fn ln(x: f64) -> Double {
    if (x - 1.0).abs() < 0.1 {
        // 2 artanh((x - 1) / (x + 1)).
        let f = Double::from(x) - ONE;
        let s = f / (f + 2.0.into());
        let z = s * s;
        let mut sum = Double::from(0.0);
        for n in (0..20).rev() {
            sum = sum * z + INVERSE[2 * n + 1];
        }
        return (s * sum).scaled(2.0);
    }
    let (x, shift) = if x < 1e-300 {
        (x * two_to(64), 64.0)
    } else {
        (x, 0.0)
    };
    let near = x.ln();
    let inverse = exp(Double::from(-near));
    // x e^(-near) - 1, a few ulps.
    let half = inverse.scale / 2;
    let x_scaled = x * two_to(half) * two_to(inverse.scale - half);
    let t = inverse.number * x_scaled.into() - ONE;
    let y = Double::from(near) + t - (t * t).scaled(0.5);
    y - (shift * LN2[0]).into() - Double::from(shift) * LN2[1].into()
}

/// tanh x.
pub fn tanh(x: f64) -> Double {
    let a = x.abs();
    let y = if a < 1e-10 {
        double(a, -a * a * a / 3.0)
    } else if a > 60.0 {
        ONE
    } else if a < 0.3 {
        let p = expm1_near(Double::from(2.0 * a));
        p / (p + 2.0.into())
    } else {
        let e = exp(Double::from(2.0 * a));
        let e = e.number.scaled(two_to(e.scale));
        (e - ONE) / (e + ONE)
    };
    if x.is_sign_negative() { -y } else { y }
}

/// erf x, by the series e^(-x²) Σ 2^n x^(2n+1) / (1 · 3 ⋯ (2n + 1)), whose terms are all positive.
pub fn erf(x: f64) -> Value {
    let a = x.abs();
    let value: Value = if a < 1e-10 {
        let a = Double::from(a * two_to(600));
        let third = x * x / 3.0;
        Value {
            number: a * TWO_BY_ROOT_PI * double(1.0, -third),
            scale: -600,
        }
    } else if a > 6.5 {
        ONE.into()
    } else {
        let square = Double::from(a) * a.into();
        let mut term = Double::from(a);
        let mut sum = term;
        let mut n = 1;
        while term.high > sum.high * 1e-34 {
            term = term * square.scaled(2.0) * INVERSE[2 * n + 1];
            sum = sum + term;
            n += 1;
        }
        let e = exp(-square);
        (sum * TWO_BY_ROOT_PI * e.number.scaled(two_to(e.scale))).into()
    };
    Value {
        number: if x.is_sign_negative() {
            -value.number
        } else {
            value.number
        },
        scale: value.scale,
    }
}

/// x^y for positive finite x and finite y.
pub fn pow(x: f64, y: f64) -> Value {
    let l = ln(x);
    let e = l.high * y;
    if e.is_nan() || e.abs() > 2000.0 {
        return exp_of(e);
    }
    exp(l * y.into())
}

/// sin x.
pub fn sin(x: f64) -> Double {
    let (r, n) = reduce(x.abs());
    let y = quarter(r, n);
    if x.is_sign_negative() { -y } else { y }
}

/// cos x.
pub fn cos(x: f64) -> Double {
    let (r, n) = reduce(x.abs());
    quarter(r, n + 1)
}

fn quarter(r: Double, n: u32) -> Double {
    let s = r * r;
    let mut y = Double::from(0.0);
    let odd = n & 1;
    for i in (0..14).rev() {
        let c = INVERSE_FACTORIAL[2 * i + 1 - odd as usize];
        y = y * s + if i % 2 == 0 { c } else { -c };
    }
    let y = if odd == 0 { y * r } else { y };
    if n & 2 == 0 { y } else { -y }
}

/// Fixed point with 64 bits before and 192 behind the point, lowest word first.
type Fixed = [u64; 4];

struct Circle {
    half_pi: Fixed,
    quarter_pi: Fixed,
    /// 2^j modulo π/2, and how many π/2 were taken off, modulo 4.
    powers: Vec<(Fixed, u32)>,
}

static CIRCLE: LazyLock<Circle> = LazyLock::new(circle);

/// x ≥ 0 → (r, n) with x = r + n π/2 and |r| ≤ π/4.
fn reduce(x: f64) -> (Double, u32) {
    if x < 0.5 {
        return (x.into(), 0);
    }
    let circle = &*CIRCLE;
    let m = (x.to_bits() & 0xf_ffff_ffff_ffff) | 1 << 52;
    let e = (x.to_bits() >> 52) as i32 - 1075;
    let (mut sum, mut n): (Fixed, u32) = ([0; 4], 0);
    for bit in (0..53).filter(|bit| m >> bit & 1 == 1) {
        let j = e + bit;
        if j < 0 {
            let at = 192 + j;
            let mut one = [0; 4];
            one[at as usize / 64] = 1 << (at % 64);
            sum = add(sum, one);
        } else {
            let (part, turns) = circle.powers[j as usize];
            sum = add(sum, part);
            n = n.wrapping_add(turns);
        }
    }
    while above(sum, circle.quarter_pi) {
        sum = add(sum, negative(circle.half_pi));
        n = n.wrapping_add(1);
    }
    let below = sum[3] >> 63 == 1;
    let size = if below { negative(sum) } else { sum };
    let mut r = Double::from(0.0);
    for (i, word) in size.iter().enumerate() {
        let unit = two_to(64 * i as i32 - 192);
        r = r + Double::from((word & 0xffff_ffff) as f64 * unit);
        r = r + Double::from((word >> 32) as f64 * unit * 4294967296.0);
    }
    (if below { -r } else { r }, n)
}

fn add(a: Fixed, b: Fixed) -> Fixed {
    let mut carry = false;
    std::array::from_fn(|i| {
        let (s, first) = a[i].overflowing_add(b[i]);
        let (s, second) = s.overflowing_add(carry as u64);
        carry = first | second;
        s
    })
}

fn negative(a: Fixed) -> Fixed {
    add(a.map(|word| !word), [1, 0, 0, 0])
}

fn above(a: Fixed, b: Fixed) -> bool {
    a[3] >> 63 == 0 && a.iter().rev().gt(b.iter().rev())
}

/// Words of 32 bits behind the point.
const WORDS: usize = 42;
/// Fixed point, lowest word first, one word before the point.
type Long = [u32; WORDS + 1];

fn divided(a: &Long, by: u32) -> Long {
    let mut out = [0; WORDS + 1];
    let mut rest = 0u64;
    for i in (0..=WORDS).rev() {
        let value = rest << 32 | a[i] as u64;
        out[i] = (value / by as u64) as u32;
        rest = value % by as u64;
    }
    out
}

fn plus(a: &Long, b: &Long) -> Long {
    let mut carry = 0u64;
    std::array::from_fn(|i| {
        carry += a[i] as u64 + b[i] as u64;
        let word = carry as u32;
        carry >>= 32;
        word
    })
}

fn minus(a: &Long, b: &Long) -> Long {
    let mut borrow = 0i64;
    std::array::from_fn(|i| {
        borrow += a[i] as i64 - b[i] as i64;
        let word = borrow as u32;
        borrow >>= 32;
        word
    })
}

/// times · arctan(1/n).
fn arctan(n: u32, times: u32) -> Long {
    let mut power = [0; WORDS + 1];
    power[WORDS] = times;
    power = divided(&power, n);
    let mut sum = power;
    let mut k = 1;
    while power.iter().any(|&word| word != 0) {
        power = divided(&divided(&power, n), n);
        let term = divided(&power, 2 * k + 1);
        sum = if k % 2 == 1 {
            minus(&sum, &term)
        } else {
            plus(&sum, &term)
        };
        k += 1;
    }
    sum
}

fn circle() -> Circle {
    // Machin: π/2 = 8 arctan(1/5) - 2 arctan(1/239).
    let half_pi = minus(&arctan(5, 8), &arctan(239, 2));
    let fixed = |a: &Long| -> Fixed {
        let pair = |i: usize| (a[i + 1] as u64) << 32 | a[i] as u64;
        [
            pair(WORDS - 6),
            pair(WORDS - 4),
            pair(WORDS - 2),
            a[WORDS] as u64,
        ]
    };
    let mut power = [0; WORDS + 1];
    power[WORDS] = 1;
    let (mut powers, mut n) = (vec![], 0u32);
    for _ in 0..1024 {
        powers.push((fixed(&power), n & 3));
        power = plus(&power, &power);
        n = n.wrapping_mul(2);
        if power.iter().rev().ge(half_pi.iter().rev()) {
            power = minus(&power, &half_pi);
            n = n.wrapping_add(1);
        }
    }
    Circle {
        half_pi: fixed(&half_pi),
        quarter_pi: fixed(&divided(&half_pi, 2)),
        powers,
    }
}
