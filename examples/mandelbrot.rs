//! The Mandelbrot set: how many steps of `z = z² + c` until `|z| > 2`, as a picture.
//!
//! Run: `cargo run --release --example mandelbrot [size]`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;

const LIMIT: u32 = 256;

/// The steps of one point.
#[kernel]
fn escape(cr: f64, ci: f64) -> u32 {
    let (mut zr, mut zi) = (0.0, 0.0);
    let mut k = 0;
    while k < LIMIT && zr * zr + zi * zi <= 4.0 {
        (zr, zi) = (zr * zr - zi * zi + cr, (zr + zr) * zi + ci);
        k += 1;
    }
    k
}

/// The steps of `n` x `n` points; row 0 is the lower edge.
#[kernel]
fn mandelbrot(n: usize) -> Array2<u32> {
    let h = 2.5 / n as f64;
    tabulate2((n, n), |(r, c)| {
        escape(-2.0 + c as f64 * h, -1.25 + r as f64 * h)
    })
}

/// Black inside, else a wheel of hues that turns with the steps.
fn palette(k: f64) -> [u8; 3] {
    if k >= f64::from(LIMIT) {
        return [0, 0, 0];
    }
    let turn = (k / 32.0).sqrt() * std::f64::consts::TAU;
    [0.0, 2.1, 4.2].map(|phase| (127.5 * (1.0 - (turn + phase).cos())) as u8)
}

fn main() -> Result<(), cuprous::Error> {
    let n = std::env::args()
        .nth(1)
        .map_or(1024, |n| n.parse().expect("the size"));
    let steps = mandelbrot(n);
    shared::colour(
        &shared::picture("mandelbrot.png"),
        &steps.mapv(f64::from),
        palette,
    );

    let small = 192;
    let meaning = mandelbrot::call(small).on(&Place::interp()).to_host()?;
    println!("{:<10} {:>12} {:>10}", "place", "seconds", "M points/s");
    for place in Place::available()
        .into_iter()
        .filter(|place| *place != Place::interp())
    {
        let seconds = shared::median_seconds(|| drop(mandelbrot::call(n).on(&place).to_host()));
        println!(
            "{:<10} {seconds:>12.4} {:>10.1}",
            place.to_string(),
            (n * n) as f64 / seconds / 1e6
        );
        let same = mandelbrot::call(small).on(&place).to_host()? == meaning;
        shared::check(&format!("{place} gives the interpreter's steps"), same);
    }
    let inside = steps.iter().filter(|&&k| k == LIMIT).count() as f64 / (n * n) as f64 * 6.25;
    println!("area of the set: about {inside:.4} (Monte-Carlo estimates: 1.5066)");
    shared::check(
        "the area is right to two per cent",
        (inside / 1.5066 - 1.0).abs() < 0.02,
    );
    Ok(())
}
