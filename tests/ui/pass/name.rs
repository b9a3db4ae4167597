//! Which name means what: kernels of this module, of others, of macros, with the library's names; locals before all.
#![deny(warnings)]

mod library {
    use cuprous::prelude::*;

    #[kernel]
    pub fn fill(x: f64, y: f64) -> f64 {
        x - y
    }

    #[kernel]
    pub fn uses_its_own_fill(x: f64) -> f64 {
        fill(x, 1.0) + self::fill(x, 2.0) + super::square(x)
    }

    pub mod inner {
        use cuprous::prelude::*;

        #[kernel]
        pub(in crate::library) fn hidden(x: f64) -> f64 {
            super::super::square(x)
        }

        #[kernel]
        pub(crate) fn calls(x: f64) -> f64 {
            hidden(x)
        }
    }
}

use cuprous::prelude::*;
use library::inner::calls;
use std::cmp::max;

type Metres = f64;

#[kernel]
fn square(x: f64) -> f64 {
    x * x
}

#[kernel]
fn power(x: f64, n: u32) -> f64 {
    if n == 0 { 1.0 } else { x * power(x, n - 1) }
}

#[kernel]
fn apply(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    f(x)
}

#[kernel]
fn scaled<T: Real>(x: &[T], k: T) -> Vec<T> {
    let k = k + T::one();
    x.map(|v| v * k)
}

#[kernel]
fn length<const N: usize>(x: [f64; N]) -> usize {
    N + x.len()
}

#[kernel]
#[allow(non_snake_case)]
fn names(x: &[f64], square: f64, A: f64, r#type: Metres) -> Vec<f64> {
    let power = |v: f64| v + square;
    let n = max(1, 2) + std::cmp::min(3, 4);
    let filled = fill(n, power(A));
    let y = scaled::<f64>(x, r#type).map(crate::square).map(library::inner::calls);
    let z = y.zip(&filled).map(|(a, b)| a + b);
    z.map(|v| apply(v, |w| calls(w) + library::fill(w, 1.0)) + rng::uniform(1, 2))
}

#[kernel]
fn closures(n: usize) -> Array2<f64> {
    let p = [(1.0, 2.0), (3.0, 4.0)];
    let q: [f64; 2] = std::array::from_fn(|i| p[i].0);
    tabulate2((n, n), |(i, j)| apply((i + 1).min(n - 1) as f64 * q[0], |v| v + j as f64))
}

macro_rules! affine {
    ($name:ident, $t:ty, $shift:expr) => {
        #[kernel]
        fn $name(x: &[$t]) -> Vec<$t> {
            let k: $t = 2.0;
            x.map(|v| v * k + $shift)
        }
    };
}
affine!(affine_f32, f32, 1.0);
affine!(affine_f64, f64, square(3.0));

fn main() {
    assert_eq!(library::uses_its_own_fill::plain(3.0), 2.0 + 1.0 + 9.0);
    assert_eq!(power::plain(2.0, 5), 32.0);
    assert_eq!(length::plain([0.0; 3]), 6);
    assert_eq!(affine_f32::plain(&[1.0]), [3.0]);
    assert_eq!(affine_f64::plain(&[1.0]), [11.0]);
    assert_eq!(names::plain(&[1.0; 5], 1.0, 2.0, 1.0).len(), 5);
}
