//! Slope, aspect and hillshade of a real elevation model (Horn 1981), as pictures.
//!
//! Run: `cargo run --release --example terrain`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI};

/// The gradient of the heights at one cell, in metres a metre: eastwards and northwards. Third-order finite differences; the
/// edge repeats its outermost cells.
#[kernel]
fn gradient(z: &Array2<f64>, i: usize, j: usize, dx: f64, dy: f64) -> (f64, f64) {
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
fn steepness(z: &Array2<f64>, dx: f64, dy: f64) -> Array2<f64> {
    tabulate2(z.dim(), |(i, j)| {
        let (p, q) = gradient(z, i, j, dx, dy);
        (p * p + q * q).sqrt()
    })
}

/// The brightness under a light from `azimuth` (clockwise from north) at `altitude`, both in radians: the cosine of the
/// angle between the light and the normal of the surface.
#[kernel]
fn hillshade(z: &Array2<f64>, dx: f64, dy: f64, azimuth: f64, altitude: f64) -> Array2<f64> {
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
fn aspect(z: &Array2<f64>, dx: f64, dy: f64) -> Array2<u8> {
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
fn census(facing: &[u8]) -> Vec<u64> {
    fill(9, 0u64).scatter_with(|a, b| a + b, facing, fill(facing.len(), 1u64))
}

fn main() -> Result<(), cuprous::Error> {
    let z = shared::elevation();
    // A cell is 0.00083333 degrees; the model lies at 36.5 degrees north.
    let cell = 0.000_833_33_f64.to_radians() * 6_371_000.0;
    let (dx, dy) = (cell * 36.5_f64.to_radians().cos(), cell);
    println!("{} x {} cells of {dx:.1} x {dy:.1} m", z.nrows(), z.ncols());

    let slope = steepness(&z, dx, dy);
    let shade = hillshade(&z, dx, dy, 315.0 * PI / 180.0, FRAC_PI_2 / 2.0);
    let facing = aspect(&z, dx, dy);
    let counts = census(facing.as_slice().expect("contiguous"));

    shared::grey(&shared::picture("terrain_hillshade.png"), &shade, 0.0, 1.0);
    shared::grey(&shared::picture("terrain_slope.png"), &slope, 0.0, 0.8);
    let hue = |k: f64| -> [u8; 3] {
        if k > 7.5 {
            return [128, 128, 128];
        }
        [0.0, 2.1, 4.2].map(|phase| (127.5 * (1.0 + (k * PI / 4.0 + phase).cos())) as u8)
    };
    shared::colour(
        &shared::picture("terrain_aspect.png"),
        &facing.mapv(f64::from),
        hue,
    );
    for (name, count) in ["N", "NE", "E", "SE", "S", "SW", "W", "NW", "flat"]
        .iter()
        .zip(&counts)
    {
        println!(
            "{name:>5} {count:>7}  {}",
            "#".repeat((count * 300 / z.len() as u64) as usize)
        );
    }
    let steepest = slope.iter().copied().fold(0.0, f64::max);
    println!(
        "steepest slope: {:.1} degrees",
        steepest.atan().to_degrees()
    );
    shared::check(
        "every cell faces somewhere",
        counts.iter().sum::<u64>() == z.len() as u64,
    );
    shared::check(
        "shade lies in [0, 1]",
        shade.iter().all(|s| (0.0..=1.0).contains(s)),
    );
    // A plane that rises to the east, lit from the west at 45 degrees, is brightest.
    let plane = Array2::from_shape_fn((8, 8), |(_, j)| j as f64 * dx);
    let lit = hillshade(&plane, dx, dy, 270.0 * PI / 180.0, FRAC_PI_2 / 2.0);
    shared::check(
        "a slope that faces the light is fully lit",
        (lit[[4, 4]] - 1.0).abs() < 1e-12,
    );
    for place in Place::available()
        .into_iter()
        .filter(|place| *place != Place::native())
    {
        let lit = hillshade::call(&z, dx, dy, 315.0 * PI / 180.0, FRAC_PI_2 / 2.0).on(&place);
        let steep = steepness::call(&z, dx, dy).on(&place);
        let faces = aspect::call(&z, dx, dy).on(&place).to_host()?;
        let faces = faces.as_slice().expect("contiguous");
        let same = |a: &Array2<f64>, b: &Array2<f64>| {
            a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        let same = same(&lit.to_host()?, &shade)
            && same(&steep.to_host()?, &slope)
            && faces.iter().eq(&facing)
            && census::call(faces).on(&place).to_host()? == counts;
        shared::check(&format!("{place} gives the same bits"), same);
    }
    Ok(())
}
