//! Monte-Carlo π on many ranks: the samples are cut among them, and one number comes back.
//!
//! The random numbers are counter-based (Philox 4x32-10, Salmon et al. 2011): sample `i` depends on the key and on `i` alone, so that
//! the count of hits is the same for any number of ranks, to the last one. All that is sent is the counts, up a tree.
//!
//! Run: `cargo run --release --example pi_mpi [samples] [--opencl]`, or as many ranks:
//! `mpirun -n 4 target/release/examples/pi_mpi`

#[path = "shared/ranks.rs"]
mod ranks;
#[path = "shared/mod.rs"]
mod shared;

use cuprous::mpi::World;
use cuprous::prelude::*;
use ranks::{Arguments, check, say};

/// Counts the hits among `2 * pairs` samples; one Philox block gives two points.
#[kernel]
fn hits(pairs: usize, key: [u32; 2]) -> u64 {
    indices(pairs)
        .map(|i| {
            let r = rng::philox(key, [i as u32, (i >> 32) as u32, 0, 0]);
            let inside = |a: u32, b: u32| {
                let x = (a >> 8) as f32 * (1.0 / 16777216.0);
                let y = (b >> 8) as f32 * (1.0 / 16777216.0);
                if x * x + y * y < 1.0 { 1u64 } else { 0 }
            };
            inside(r[0], r[1]) + inside(r[2], r[3])
        })
        .sum()
}

fn main() -> Result<(), cuprous::Error> {
    let world = World::init()?;
    let mut arguments = Arguments::read();
    let cluster = ranks::cluster(&world, &mut arguments)?;
    let samples = arguments.number("samples", 12_000_000);
    arguments.end();

    let key = [0xA511_E9B3, 0x0123_4567];
    let before = std::time::Instant::now();
    let count = hits::call(samples / 2, key).on(&cluster).run()?;
    let seconds = before.elapsed().as_secs_f64();
    let drawn = samples / 2 * 2;
    let pi = 4.0 * count as f64 / drawn as f64;
    let error = (pi - std::f64::consts::PI).abs();
    say(
        &world,
        format!(
            "{:>12} {:>12} {:>12} {:>12}",
            "samples", "hits", "pi", "error"
        ),
    );
    say(
        &world,
        format!("{drawn:>12} {count:>12} {pi:>12.7} {error:>12.2e}"),
    );
    if world.rank() == 0 {
        eprintln!("{seconds:.3} s with its compilation");
    }

    // Four standard deviations of the estimate.
    let p = std::f64::consts::FRAC_PI_4;
    let sigma = 4.0 * (p * (1.0 - p) / drawn as f64).sqrt();
    check(&world, "pi lies within 4 sigma", error < 4.0 * sigma);
    let few = samples.min(20_000) / 2;
    let together = hits::call(few, key).on(&cluster).run()?;
    let alone = hits::call(few, key).on(&Place::interp()).run()?;
    check(
        &world,
        "all ranks together count what one counts alone",
        together == alone,
    );
    Ok(())
}
