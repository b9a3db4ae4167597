//! Monte-Carlo π: the share of random points of the unit square that lie in the quarter circle.
//!
//! The random numbers are counter-based (Philox 4x32-10, Salmon et al. 2011): sample `i` depends on the seed and on `i` alone, so
//! every place draws the same ones, in any order, and the count of hits is the same to the last one.
//!
//! Run: `cargo run --release --example pi [samples]`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;

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
    let samples = std::env::args()
        .nth(1)
        .map_or(12_000_000, |n| n.parse().expect("the number of samples"));
    let key = [0xA511_E9B3, 0x0123_4567];
    shared::say_devices();
    println!(
        "{:<10} {:>12} {:>12} {:>12} {:>10}",
        "place", "hits", "pi", "error", "M/s"
    );
    let mut all = vec![];
    let few = samples.min(200_000);
    for place in Place::available() {
        // The interpreter defines the meaning; it is asked for a sample of the samples.
        let n = if place == Place::interp() {
            few
        } else {
            samples
        };
        let seconds = shared::median_seconds(|| drop(hits::call(n / 2, key).on(&place).run()));
        let count = hits::call(n / 2, key).on(&place).run()?;
        let pi = 4.0 * count as f64 / (n / 2 * 2) as f64;
        println!(
            "{:<10} {count:>12} {pi:>12.7} {:>12.2e} {:>10.1}",
            place.to_string(),
            (pi - std::f64::consts::PI).abs(),
            n as f64 / seconds / 1e6
        );
        all.push((n, count, pi));
        all.push((few, hits::call(few / 2, key).on(&place).run()?, pi));
    }
    // Four standard deviations of the estimate.
    let p = std::f64::consts::FRAC_PI_4;
    let sigma = |n: usize| 4.0 * (p * (1.0 - p) / n as f64).sqrt();
    shared::check(
        "pi lies within 4 sigma",
        all.iter()
            .all(|&(n, _, pi)| (pi - std::f64::consts::PI).abs() < 4.0 * sigma(n)),
    );
    let agree = all
        .iter()
        .all(|a| all.iter().all(|b| a.0 != b.0 || a.1 == b.1));
    shared::check("every place counts the same hits", agree);
    Ok(())
}
