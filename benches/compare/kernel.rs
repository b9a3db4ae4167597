//! The kernels of the comparison, as a user writes them.

use cuprous::prelude::*;

/// Points of `2 half` that lie in the quarter of a circle.
#[kernel]
pub fn pi(half: usize) -> i64 {
    indices(half)
        .map(|i| {
            let r = rng::philox([0xA511_E9B3, 0x0123_4567], [i as u32, 0, 0, 0]);
            let a = (r[0] >> 8) as f32 / 16_777_216.0;
            let b = (r[1] >> 8) as f32 / 16_777_216.0;
            let c = (r[2] >> 8) as f32 / 16_777_216.0;
            let d = (r[3] >> 8) as f32 / 16_777_216.0;
            (a * a + b * b < 1.0) as i64 + (c * c + d * d < 1.0) as i64
        })
        .sum()
}

macro_rules! kernels {
    ($module:ident, $t:ident) => {
        /// For one type.
        pub mod $module {
            use cuprous::prelude::*;

            /// `a x + y`.
            #[kernel]
            pub fn saxpy(a: $t, x: &[$t], y: &[$t]) -> Vec<$t> {
                x.zip(y).map(|(x, y)| a * x + y)
            }

            /// The sum.
            #[kernel]
            pub fn sum(x: &[$t]) -> $t {
                x.sum()
            }

            /// The sum of products.
            #[kernel]
            pub fn dot(x: &[$t], y: &[$t]) -> $t {
                x.zip(y).map(|(x, y)| x * y).sum()
            }

            /// Inclusive prefix sums.
            #[kernel]
            pub fn scan(x: &[$t]) -> Vec<$t> {
                x.scan(0.0, |a, b| a + b)
            }

            /// The elements above `bound` and their sum.
            #[kernel]
            pub fn compact(x: &[$t], bound: $t) -> (Vec<$t>, $t) {
                let kept = x.filter(|v| v > bound);
                let total = kept.sum();
                (kept, total)
            }

            /// `steps` of the heat equation; edges stay.
            #[kernel]
            pub fn heat(u: &Array2<$t>, steps: usize) -> Array2<$t> {
                let (h, w) = u.dim();
                let mut g = u.clone();
                for _ in 0..steps {
                    g = Array2::from_shape_fn((h, w), |(i, j)| {
                        if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                            g[[i, j]]
                        } else {
                            let vertical = g[[i - 1, j]] + g[[i + 1, j]];
                            0.25 * (vertical + (g[[i, j - 1]] + g[[i, j + 1]]))
                        }
                    });
                }
                g
            }

            /// `A x`.
            #[kernel]
            pub fn spmv(rows: &[i32], cols: &[i32], values: &[$t], x: &[$t]) -> Vec<$t> {
                indices(rows.len() - 1).map(|r| {
                    (rows[r] as usize..rows[r + 1] as usize)
                        .map(|k| values[k] * x[cols[k] as usize])
                        .sum()
                })
            }

            /// Iterations of each pixel.
            #[kernel]
            pub fn mandelbrot(n: usize) -> Array2<i32> {
                let h = 2.5 / n as $t;
                Array2::from_shape_fn((n, n), |(row, column)| {
                    let cr = -2.0 + column as $t * h;
                    let ci = -1.25 + row as $t * h;
                    let mut zr = 0.0;
                    let mut zi = 0.0;
                    let mut count = 0;
                    while count < 256 && zr * zr + zi * zi <= 4.0 {
                        let next = zr * zr - zi * zi + cr;
                        zi = (zr + zr) * zi + ci;
                        zr = next;
                        count += 1;
                    }
                    count
                })
            }

            /// The normal distribution, by Abramowitz and Stegun 26.2.17.
            #[kernel]
            pub fn normal(d: $t) -> $t {
                let q = 1.0 / (1.0 + 0.231_641_9 * d.abs());
                let p = q
                    * (0.319_381_53
                        + q * (-0.356_563_782
                            + q * (1.781_477_937 + q * (-1.821_255_978 + q * 1.330_274_429))));
                let w = 0.398_942_280_401_432_7 * (-0.5 * d * d).exp() * p;
                if d > 0.0 { 1.0 - w } else { w }
            }

            /// Prices of European calls and puts.
            #[kernel]
            pub fn black_scholes(s: &[$t], k: &[$t], t: &[$t]) -> (Vec<$t>, Vec<$t>) {
                let r = 0.02;
                let v = 0.3;
                s.zip3(k, t)
                    .map(|(s, k, t)| {
                        let q = t.sqrt();
                        let d1 = ((s / k).ln() + (r + v * v / 2.0) * t) / (v * q);
                        let d2 = d1 - v * q;
                        let e = k * (-r * t).exp();
                        let n1 = normal(d1);
                        let n2 = normal(d2);
                        (s * n1 - e * n2, e * (1.0 - n2) - s * (1.0 - n1))
                    })
                    .unzip()
            }
        }
    };
}
kernels!(single, f32);
kernels!(double, f64);
