//! Slope, aspect and hillshade of a real elevation model (Horn 1981) on many ranks: each reads its own rows of the file, sees a row of its
//! neighbours, and writes its own rows of the result.
//!
//! Run: `cargo run --release --example terrain_mpi [--opencl]`, or as many ranks: `mpirun -n 4 target/release/examples/terrain_mpi`

#[path = "shared/ranks.rs"]
mod ranks;
#[path = "shared/relief.rs"]
mod relief;
#[path = "shared/mod.rs"]
mod shared;

use cuprous::mpi::World;
use cuprous::prelude::*;
use ranks::{Arguments, check, say};
use relief::{aspect, census, hillshade, steepness};
use std::f64::consts::{FRAC_PI_2, PI};

/// The heights of a file in metres.
#[kernel]
fn metres(heights: &Array2<i16>) -> Array2<f64> {
    heights.mapv(|h| h as f64)
}

/// The steepest slope, and the smallest and the largest brightness.
#[kernel]
fn extremes(slope: &Array2<f64>, shade: &Array2<f64>) -> (f64, f64, f64) {
    let (h, w) = slope.dim();
    let rows = indices(h).map(|i| {
        let steep = indices(w).map(|j| slope[[i, j]]).maximum();
        let light = indices(w).map(|j| shade[[i, j]]);
        (steep, light.minimum(), light.maximum())
    });
    let (steep, low, high) = rows.unzip();
    (steep.maximum(), low.minimum(), high.maximum())
}

fn main() -> Result<(), cuprous::Error> {
    let world = World::init()?;
    let mut arguments = Arguments::read();
    let cluster = ranks::cluster(&world, &mut arguments)?;
    arguments.end();

    let heights = world.read_npy::<i16>(shared::data("jacksboro_elevation.npy"))?;
    let z = metres::call(&heights).on(&cluster).run()?;
    // A cell is 0.00083333 degrees; the model lies at 36.5 degrees north.
    let cell = 0.000_833_33_f64.to_radians() * 6_371_000.0;
    let (dx, dy) = (cell * 36.5_f64.to_radians().cos(), cell);
    let (h, w) = (z.shape()[0], z.shape()[1]);
    say(&world, format!("{h} x {w} cells of {dx:.1} x {dy:.1} m"));

    let slope = steepness::call(&z, dx, dy).on(&cluster).run()?;
    let shade = hillshade::call(&z, dx, dy, 315.0 * PI / 180.0, FRAC_PI_2 / 2.0);
    let shade = shade.on(&cluster).run()?;
    let facing = aspect::call(&z, dx, dy).on(&cluster).run()?;
    let counts = census::call(&facing).on(&cluster).to_host()?;
    for (name, count) in ["N", "NE", "E", "SE", "S", "SW", "W", "NW", "flat"]
        .iter()
        .zip(&counts)
    {
        let bar = "#".repeat((count * 300 / (h * w) as u64) as usize);
        say(&world, format!("{name:>5} {count:>7}  {bar}"));
    }
    let (steepest, low, high) = extremes::call(&slope, &shade).on(&cluster).run()?;
    let degrees = steepest.atan().to_degrees();
    say(&world, format!("steepest slope: {degrees:.1} degrees"));
    let cells = counts.iter().sum::<u64>();
    check(
        &world,
        "every cell faces somewhere",
        cells == (h * w) as u64,
    );
    check(&world, "shade lies in [0, 1]", low >= 0.0 && high <= 1.0);

    // What all ranks write together is what one computes alone.
    let path = shared::picture("terrain_mpi_slope.npy");
    world.write_npy(&path, &slope)?;
    let Some(shade) = shade.gather()? else {
        return Ok(());
    };
    let shade = shade
        .to_ndarray()
        .into_dimensionality()
        .expect("two dimensions");
    shared::grey(&shared::picture("terrain_mpi.png"), &shade, 0.0, 1.0);
    let z = shared::elevation();
    let written: Array2<f64> = ndarray_npy::read_npy(&path).expect("the slopes");
    let same =
        |a: &Array2<f64>, b: &Array2<f64>| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
    let alone = steepness(&z, dx, dy);
    check(
        &world,
        "the file has what one rank computes",
        same(&written, &alone),
    );
    let alone = hillshade(&z, dx, dy, 315.0 * PI / 180.0, FRAC_PI_2 / 2.0);
    check(&world, "and so has the picture", same(&shade, &alone));
    println!(
        "hash: {:016x}",
        ranks::hash(shade.as_slice().expect("in order"))
    );
    Ok(())
}
