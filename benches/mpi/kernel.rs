//! The five-point step as a user writes it.

use cuprous::prelude::*;
use ndarray::Array2;

macro_rules! five_points {
    ($name:ident, $t:ty) => {
        /// So many steps of `u' = u + k (up + down + left + right - 4 u)`; the boundary stays.
        #[kernel]
        pub fn $name(u: &Array2<$t>, k: $t, steps: usize) -> Array2<$t> {
            let (h, w) = u.dim();
            let mut g = u.clone();
            for _ in 0..steps {
                g = Array2::from_shape_fn((h, w), |(i, j)| {
                    let own = g[[i, j]];
                    if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                        own
                    } else {
                        let sum = g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]];
                        own + k * (sum - 4.0 * own)
                    }
                });
            }
            g
        }
    };
}
five_points!(five_points_f64, f64);
five_points!(five_points_f32, f32);
