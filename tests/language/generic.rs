//! Generic kernels, constants in types, closures as arguments, kernels in modules and from macros, fixed arrays.

use crate::harness::{doubles, ints, singles};
use cuprous::prelude::*;

#[kernel]
fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    x.zip(y).map(|(a, b)| a * b).sum()
}

#[kernel]
fn axpy<T: Scalar>(a: T, x: &[T], y: &[T]) -> Vec<T> {
    x.zip(y).map(|(x, y)| a * x + y)
}

#[kernel]
fn gauss<T: Real>(x: &[T], width: T) -> Vec<T> {
    x.map(|v| {
        (-T::of(0.5) * (v / width).powi(2)).exp() * T::of(2.0).sqrt()
            + T::PI()
            + T::one().max(v).min(T::of(7.0))
    })
}

#[kernel]
fn mix<T: Int>(x: &[T]) -> (T, u32, Vec<T>) {
    (
        x.reduce(T::zero(), |a, b| a.rotate_left(3) ^ b),
        x.map(|v| v.count_ones()).sum(),
        x.map(|v| v.wrapping_mul(&v).wrapping_add(&T::one()) & T::max_value()),
    )
}

#[kernel]
fn polynomial<const N: usize>(c: [f64; N], x: &[f64]) -> Vec<f64> {
    x.map(|v| {
        let mut s = 0.0;
        for k in (0..N).rev() {
            s = s * v + c[k];
        }
        s
    })
}

#[kernel]
fn generic_where<T>(x: &[T], lo: T, hi: T) -> Vec<T>
where
    T: Scalar + PartialOrd,
{
    x.map(|v| {
        if v < lo {
            lo
        } else if v > hi {
            hi
        } else {
            v
        }
    })
}

#[kernel]
fn generic_matrix<T: Real>(u: &Array2<T>) -> Array2<T> {
    let (h, w) = u.dim();
    tabulate2((w, h), |(i, j)| u[[j, i]] * T::of(0.5))
}

#[kernel]
fn both(x: &[f32], y: &[i64]) -> (f32, i64, Vec<f32>) {
    (dot(x, x), dot::<i64>(y, y), axpy(2.0, x, x))
}

#[kernel]
fn apply<T: Scalar, U: Scalar>(x: &[T], f: impl Fn(T) -> U) -> Vec<U> {
    x.map(|v| f(v))
}

#[kernel]
fn twice(v: f64, f: impl Fn(f64, usize) -> f64) -> f64 {
    f(f(v, 0), 1)
}

#[kernel]
fn higher(x: &[f64], k: f64) -> (Vec<f64>, Vec<i32>, Vec<f64>) {
    let g = |v: f64| v * k;
    (
        apply(x, g),
        apply(x, |v| v as i32 + 1),
        x.map(|v| twice(v, |a, i| a * 2.0 + i as f64)),
    )
}

#[kernel]
fn newton(f: impl Fn(f64) -> f64, d: impl Fn(f64) -> f64, start: f64) -> f64 {
    let mut x = start;
    for _ in 0..50 {
        let step = f(x) / d(x);
        x -= step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    x
}

#[kernel]
fn roots(x: &[f64]) -> Vec<f64> {
    x.map(|a| newton(|v| v * v - a, |v| 2.0 * v, a))
}

mod library {
    use cuprous::prelude::*;

    const STEP: i32 = 10;

    #[kernel]
    pub fn bump(v: i32) -> i32 {
        v + STEP
    }

    pub mod deep {
        use cuprous::prelude::*;

        #[kernel]
        pub fn bump_all(x: &[i32]) -> Vec<i32> {
            x.map(|v| super::bump(v) * 2)
        }
    }
}

use library::bump as renamed;

#[kernel]
fn across_modules(x: &[i32]) -> (Vec<i32>, Vec<i32>, i32) {
    (
        library::deep::bump_all(x),
        x.map(renamed),
        self::library::bump(3),
    )
}

macro_rules! elementwise {
    ($($name:ident $t:ty: |$v:ident| $body:expr;)*) => {$(
        #[kernel]
        fn $name(x: &[$t]) -> Vec<$t> {
            x.map(|$v| $body)
        }
    )*};
}
elementwise! {
    halves f32: |v| v * 0.5;
    squares i64: |v| v * v;
    flips u8: |v| !v;
}

#[kernel]
fn fixed(a: [i32; 4], k: usize) -> ([i32; 4], i32, usize) {
    let mut b = a;
    b[k] += 100;
    b[3 - k] = a[k] * 2;
    let s: i32 = b.iter().sum();
    (b, s + a[(k + 1) % 4], b.len())
}

#[kernel]
fn fixed_elements(x: &[[f32; 3]]) -> (Vec<[f32; 3]>, Vec<f32>) {
    let crossed = x.map(|a| [a[1] - a[2], a[2] - a[0], a[0] - a[1]]);
    (crossed, x.enumerate().map(|(i, a)| a[i % 3]))
}

#[kernel]
fn fixed_map(a: [f64; 3]) -> ([f64; 3], [[f64; 2]; 2]) {
    let m = [[a[0], a[1]], [a[1], a[2]]];
    let mut n = [[0.0; 2]; 2];
    for i in 0..2 {
        for j in 0..2 {
            n[i][j] = m[j][i] + m[i][j];
        }
    }
    (a.map(|v| v * 2.0), n)
}

#[kernel]
fn out_of_fixed(a: [i32; 4], k: usize) -> i32 {
    a[k]
}

#[kernel]
fn matrix_power(m: [[u64; 2]; 2], n: u32) -> [[u64; 2]; 2] {
    let mul = |a: [[u64; 2]; 2], b: [[u64; 2]; 2]| {
        [
            [
                a[0][0] * b[0][0] + a[0][1] * b[1][0],
                a[0][0] * b[0][1] + a[0][1] * b[1][1],
            ],
            [
                a[1][0] * b[0][0] + a[1][1] * b[1][0],
                a[1][0] * b[0][1] + a[1][1] * b[1][1],
            ],
        ]
    };
    let mut r = [[1, 0], [0, 1]];
    let mut b = m;
    let mut k = n;
    while k > 0 {
        if k & 1 == 1 {
            r = mul(r, b);
        }
        b = mul(b, b);
        k >>= 1;
    }
    r
}

#[kernel]
fn mutable_helper(x: &mut [f64], k: usize) -> f64 {
    let t = x[k];
    x[k] = 0.0;
    if k + 1 < x.len() {
        x.swap(k, k + 1);
    }
    t
}

/// A documented kernel.
#[kernel]
pub fn random(n: usize, seed: u64) -> (Vec<f64>, Vec<[u32; 4]>, f64) {
    let u = indices(n).map(|i| rng::uniform(seed, i as u64));
    let s = u.sum();
    (
        u,
        indices(n).map(|i| rng::philox([seed as u32, 3], [i as u32, 1, 2, 3])),
        s,
    )
}

#[kernel]
fn complicated_tuple(x: &[((i32, f32), [u8; 2])]) -> (Vec<(u8, f32)>, (i32, (u8, u8))) {
    let y = x.map(|((a, b), c)| (c[1], b + a as f32));
    let pairs = x.map(|(a, b)| (a.0, (b[0], b[1])));
    let z = pairs.reduce((0, (0, 0)), |p, q| {
        (p.0 + q.0, (p.1.0 | q.1.0, p.1.1.max(q.1.1)))
    });
    (y, z)
}

#[kernel]
fn sum_type(n: usize) -> f64 {
    fn_helper(n as f64, 0.5)
}

#[kernel]
fn fn_helper(a: f64, b: f64) -> f64 {
    if a < b {
        return b;
    }
    let y = fn_leaf(a);
    y - b
}

#[kernel]
fn fn_leaf(a: f64) -> f64 {
    for i in 0..10 {
        if i as f64 > a {
            return i as f64;
        }
    }
    -1.0
}

#[kernel]
fn failing_helper(x: &[i32], i: usize) -> i32 {
    x[i]
}

#[kernel]
fn outer_kernel(x: &[i32], idx: &[usize]) -> Vec<i32> {
    idx.map(|i| failing_helper(x, i))
}

tests! {
    generics {
        agree!(1e-5, dot(&singles(1000), &singles(1000)));
        agree!(1e-12, dot(&doubles(1000), &doubles(1000)));
        agree!(dot(&ints(1000), &ints(1000)));
        agree!(dot(&[1u8, 2], &[3, 4]));
        agree!(dot(&[1usize, 2], &[3, 4]));
        agree!(axpy(2.5, &singles(100), &singles(100)));
        agree!(axpy(3i64, &[1, 2], &[3, 4]));
        agree!(1e-6, gauss(&singles(100), 3.0));
        agree!(1e-12, gauss(&doubles(100), 3.0));
        agree!(mix(&ints(30)));
        agree!(mix(&[1u8, 200, 255]));
        agree!(mix(&[1i64, -200, i64::MAX]));
        agree!(mix(&[1usize, 200, usize::MAX]));
        agree!(polynomial([1.0, 2.0, 3.0], &doubles(50)));
        agree!(polynomial([1.0], &doubles(50)));
        agree!(generic_where(&ints(50), -5, 5));
        agree!(generic_where(&doubles(50), -5.0, 5.0));
        agree!(generic_matrix(&Array2::from_shape_fn((3, 5), |(i, j)| (i * 10 + j) as f32)));
        agree!(generic_matrix(&Array2::from_shape_fn((3, 5), |(i, j)| (i * 10 + j) as f64)));
    }
    kernels_in_kernels {
        agree!(1e-5, both(&singles(50), &[1, 2, 3]));
        agree!(higher(&doubles(50), 2.0));
        agree!(roots(&[1.0, 2.0, 9.0, 100.0]));
        agree!(across_modules(&ints(20)));
        agree!(halves(&singles(100)));
        agree!(squares(&[3, -4]));
        agree!(flips(&[3, 0, 255]));
        for n in [0, 1, 5, 20] {
            agree!(sum_type(n));
        }
        fails!(outer_kernel(&[1, 2, 3], &[0usize, 2, 3]), "CU0201", "index 3 is out of bounds for length 3");
        fails!(outer_kernel(&[1, 2, 3], &[0usize, 2, 3]), "CU0201", "in kernel `outer_kernel`");
    }
    fixed_arrays {
        for k in 0..4 {
            agree!(fixed([1, 2, 3, 4], k));
            agree!(out_of_fixed([1, 2, 3, 4], k));
        }
        fails!(out_of_fixed([1, 2, 3, 4], 4), "CU0201", "index 4 is out of bounds for length 4");
        fails!(fixed([1, 2, 3, 4], 5), "CU0201", "index 5 is out of bounds for length 4");
        agree!(fixed_elements(&[[1.0, 2.0, 3.0], [4.0, 5.5, 6.0], [7.0, 8.0, 9.25], [0.5, 0.0, 1.0]]));
        agree!(fixed_map([1.0, 2.0, 3.0]));
        agree!(matrix_power([[1, 1], [1, 0]], 40));
        agree!(complicated_tuple(&[((1, 2.0), [3, 4]), ((5, 6.5), [8, 2])]));
        let empty: &[((i32, f32), [u8; 2])] = &[];
        agree!(complicated_tuple(empty));
    }
    random_numbers {
        agree!(1e-12, random(2000, 0x1234_5678_9abc_def0));
        agree!(random(0, 1));
    }
}

#[test]
fn mutable_parameters() {
    for place in crate::harness::compiled().iter().chain([&Place::native()]) {
        let mut x = [1.0, 2.0, 3.0];
        let t = mutable_helper::call(&mut x, 1).on(place).run().unwrap();
        assert_eq!((t, x), (2.0, [1.0, 3.0, 0.0]), "{place}");
        assert!(mutable_helper::call(&mut x, 3).on(place).run().is_err());
        assert_eq!(x, [1.0, 3.0, 0.0], "{place}: untouched after an error");
    }
}
