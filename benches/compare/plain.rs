//! The plain baseline: what a Rust user writes with rayon's iterators and std's functions, and no more.

use super::input::Csr;
use super::real::Real;
use super::tuned::philox;
use rayon::prelude::*;

/// `out = a x + y`.
pub fn saxpy<T: Real>(a: T, x: &[T], y: &[T], out: &mut [T]) {
    out.par_iter_mut()
        .zip(x.par_iter().zip(y))
        .for_each(|(out, (&x, &y))| *out = a * x + y);
}

/// The sum.
pub fn sum<T: Real>(x: &[T]) -> f64 {
    x.par_iter()
        .copied()
        .reduce(T::default, |a, b| a + b)
        .wide()
}

/// The sum of products.
pub fn dot<T: Real>(x: &[T], y: &[T]) -> f64 {
    let products = x.par_iter().zip(y).map(|(&x, &y)| x * y);
    products.reduce(T::default, |a, b| a + b).wide()
}

/// Inclusive prefix sums: sequential, as rayon has none.
pub fn scan<T: Real>(x: &[T], out: &mut [T]) {
    let mut sum = T::default();
    for (out, &x) in out.iter_mut().zip(x) {
        sum += x;
        *out = sum;
    }
}

/// The elements above `bound` and their sum.
pub fn compact<T: Real>(x: &[T], bound: T) -> (Vec<T>, f64) {
    let kept: Vec<T> = x.par_iter().copied().filter(|&v| v > bound).collect();
    let total = sum(&kept);
    (kept, total)
}

/// `steps` of the heat equation; the result is in `a`.
pub fn heat<T: Real>(u: &[T], a: &mut Vec<T>, b: &mut Vec<T>, n: usize, steps: usize) {
    a.copy_from_slice(u);
    for _ in 0..steps {
        let old = &a[..];
        b.par_chunks_mut(n).enumerate().for_each(|(i, row)| {
            for (j, new) in row.iter_mut().enumerate() {
                *new = if i == 0 || j == 0 || i + 1 == n || j + 1 == n {
                    old[i * n + j]
                } else {
                    let around = old[(i - 1) * n + j]
                        + old[(i + 1) * n + j]
                        + old[i * n + j - 1]
                        + old[i * n + j + 1];
                    T::of(0.25) * around
                };
            }
        });
        std::mem::swap(a, b);
    }
}

/// `y = A x`.
pub fn spmv<T: Real>(matrix: &Csr<T>, x: &[T], y: &mut [T]) {
    y.par_iter_mut().enumerate().for_each(|(r, y)| {
        let range = matrix.rows[r] as usize..matrix.rows[r + 1] as usize;
        let mut sum = T::default();
        for k in range {
            sum += matrix.values[k] * x[matrix.cols[k] as usize];
        }
        *y = sum;
    });
}

/// Iterations of each pixel.
pub fn mandelbrot<T: Real>(n: usize, out: &mut [i32]) {
    let h = T::of(2.5 / n as f64);
    out.par_iter_mut().enumerate().for_each(|(at, out)| {
        let cr = T::of(-2.0) + T::of((at % n) as f64) * h;
        let ci = T::of(-1.25) + T::of((at / n) as f64) * h;
        let (mut zr, mut zi, mut count) = (T::default(), T::default(), 0);
        while count < 256 && zr * zr + zi * zi <= T::of(4.0) {
            (zr, zi) = (zr * zr - zi * zi + cr, (zr + zr) * zi + ci);
            count += 1;
        }
        *out = count;
    });
}

fn normal<T: Real>(d: T) -> T {
    let c = T::of;
    let q = c(1.0) / (c(1.0) + c(0.231_641_9) * d.magnitude());
    let p = q
        * (c(0.319_381_53)
            + q * (c(-0.356_563_782)
                + q * (c(1.781_477_937) + q * (c(-1.821_255_978) + q * c(1.330_274_429)))));
    let w = c(0.398_942_280_401_432_7) * (c(-0.5) * d * d).std_exp() * p;
    if d > c(0.0) { c(1.0) - w } else { w }
}

/// Prices of European calls and puts.
pub fn black_scholes<T: Real>(s: &[T], k: &[T], t: &[T], call: &mut [T], put: &mut [T]) {
    let c = T::of;
    let (r, v) = (c(0.02), c(0.3));
    call.par_iter_mut()
        .zip(put)
        .zip(s.par_iter().zip(k).zip(t))
        .for_each(|((call, put), ((&s, &k), &t))| {
            let q = t.root();
            let d1 = ((s / k).std_ln() + (r + v * v * c(0.5)) * t) / (v * q);
            let d2 = d1 - v * q;
            let e = k * (-r * t).std_exp();
            *call = s * normal(d1) - e * normal(d2);
            *put = e * (c(1.0) - normal(d2)) - s * (c(1.0) - normal(d1));
        });
}

/// Points of `n` that lie in the quarter of a circle.
pub fn pi(n: usize) -> i64 {
    (0..n as u32 / 2)
        .into_par_iter()
        .map(|i| {
            let unit = philox(i).map(|w| (w >> 8) as f32 / 16_777_216.0);
            (unit[0] * unit[0] + unit[1] * unit[1] < 1.0) as i64
                + (unit[2] * unit[2] + unit[3] * unit[3] < 1.0) as i64
        })
        .sum()
}
