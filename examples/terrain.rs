//! Slope, aspect and hillshade of a real elevation model (Horn 1981), as pictures.
//!
//! Run: `cargo run --release --example terrain`

#[path = "shared/relief.rs"]
mod relief;
#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;
use relief::{aspect, census, hillshade, steepness};
use std::f64::consts::{FRAC_PI_2, PI};

fn main() -> Result<(), cuprous::Error> {
    let z = shared::elevation();
    // A cell is 0.00083333 degrees; the model lies at 36.5 degrees north.
    let cell = 0.000_833_33_f64.to_radians() * 6_371_000.0;
    let (dx, dy) = (cell * 36.5_f64.to_radians().cos(), cell);
    println!("{} x {} cells of {dx:.1} x {dy:.1} m", z.nrows(), z.ncols());

    let slope = steepness(&z, dx, dy);
    let shade = hillshade(&z, dx, dy, 315.0 * PI / 180.0, FRAC_PI_2 / 2.0);
    let facing = aspect(&z, dx, dy);
    let counts = census(&facing);

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
        let same = |a: &Array2<f64>, b: &Array2<f64>| {
            a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        let same = same(&lit.to_host()?, &shade)
            && same(&steep.to_host()?, &slope)
            && faces == facing
            && census::call(&faces).on(&place).to_host()? == counts;
        shared::check(&format!("{place} gives the same bits"), same);
    }
    Ok(())
}
