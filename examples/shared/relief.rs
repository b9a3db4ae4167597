//! What a surface looks like (Horn 1981): kernels of the elevation models' examples.

use cuprous::prelude::*;

/// The gradient of the heights at one cell, in metres a metre: eastwards and northwards. Third-order finite differences; the
/// edge repeats its outermost cells.
#[kernel]
pub fn gradient(z: &Array2<f64>, i: usize, j: usize, dx: f64, dy: f64) -> (f64, f64) {
    let (h, w) = z.dim();
    let (n, s) = (if i == 0 { 0 } else { i - 1 }, (i + 1).min(h - 1));
    let (west, east) = (if j == 0 { 0 } else { j - 1 }, (j + 1).min(w - 1));
    let right = z[[n, east]] + 2.0 * z[[i, east]] + z[[s, east]];
    let left = z[[n, west]] + 2.0 * z[[i, west]] + z[[s, west]];
    let above = z[[n, west]] + 2.0 * z[[n, j]] + z[[n, east]];
    let below = z[[s, west]] + 2.0 * z[[s, j]] + z[[s, east]];
    ((right - left) / (8.0 * dx), (above - below) / (8.0 * dy))
}

/// The steepness in metres a metre.
#[kernel]
pub fn steepness(z: &Array2<f64>, dx: f64, dy: f64) -> Array2<f64> {
    tabulate2(z.dim(), |(i, j)| {
        let (p, q) = gradient(z, i, j, dx, dy);
        (p * p + q * q).sqrt()
    })
}

/// The brightness under a light from `azimuth` (clockwise from north) at `altitude`, both in radians: the cosine of the
/// angle between the light and the normal of the surface.
#[kernel]
pub fn hillshade(z: &Array2<f64>, dx: f64, dy: f64, azimuth: f64, altitude: f64) -> Array2<f64> {
    let light = (
        altitude.cos() * azimuth.sin(),
        altitude.cos() * azimuth.cos(),
        altitude.sin(),
    );
    tabulate2(z.dim(), |(i, j)| {
        let (p, q) = gradient(z, i, j, dx, dy);
        let cosine = (light.2 - p * light.0 - q * light.1) / (1.0 + p * p + q * q).sqrt();
        cosine.max(0.0)
    })
}

/// The eight directions that a slope can face, 0 for north, clockwise; 8 where it is flat.
#[kernel]
pub fn aspect(z: &Array2<f64>, dx: f64, dy: f64) -> Array2<u8> {
    tabulate2(z.dim(), |(i, j)| {
        let (p, q) = gradient(z, i, j, dx, dy);
        // Downhill is against the gradient; sectors of 45 degrees, told apart without an arc tangent.
        let (east, north) = (-p, -q);
        let t = 0.41421356237309503;
        if p == 0.0 && q == 0.0 {
            8
        } else if east.abs() <= t * north.abs() {
            if north > 0.0 { 0 } else { 4 }
        } else if north.abs() <= t * east.abs() {
            if east > 0.0 { 2 } else { 6 }
        } else if north > 0.0 {
            if east > 0.0 { 1 } else { 7 }
        } else if east > 0.0 {
            3
        } else {
            5
        }
    })
}

/// How many cells face each direction.
#[kernel]
pub fn census(facing: &Array2<u8>) -> Vec<u64> {
    let (h, w) = facing.dim();
    let all = facing.view().into_shape_with_order(h * w).unwrap();
    fill(9, 0u64).scatter_with(|a, b| a + b, &all, fill(h * w, 1u64))
}
