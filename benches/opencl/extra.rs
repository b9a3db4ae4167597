//! Kernels that the other comparison has not: all-pairs gravity, as a user writes it, and single elements, whose runs wait for
//! whatever makes the array.

use cuprous::prelude::*;

macro_rules! kernels {
    ($module:ident, $t:ident) => {
        /// For one type.
        pub mod $module {
            use cuprous::prelude::*;

            /// The acceleration of each body by all.
            #[kernel]
            pub fn nbody(
                x: &[$t],
                y: &[$t],
                z: &[$t],
                m: &[$t],
                eps2: $t,
            ) -> (Vec<$t>, Vec<$t>, Vec<$t>) {
                indices(x.len())
                    .map(|i| {
                        indices(x.len())
                            .map(|j| {
                                let (dx, dy, dz) = (x[j] - x[i], y[j] - y[i], z[j] - z[i]);
                                let r = dx * dx + dy * dy + dz * dz + eps2;
                                let w = m[j] / (r * r.sqrt());
                                (dx * w, dy * w, dz * w)
                            })
                            .reduce((0.0, 0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
                    })
                    .unzip()
            }

            /// An element.
            #[kernel]
            pub fn first(x: &[$t]) -> $t {
                x[0]
            }

            /// The elements above a bound.
            #[kernel]
            pub fn keep(x: &[$t], bound: $t) -> Vec<$t> {
                x.filter(|v| v > bound)
            }

            /// An element of a grid.
            #[kernel]
            pub fn corner(x: &Array2<$t>) -> $t {
                x[[0, 0]]
            }
        }
    };
}
kernels!(single, f32);
kernels!(double, f64);

/// An element of a picture.
#[kernel]
pub fn pixel(x: &Array2<i32>) -> i32 {
    x[[0, 0]]
}
