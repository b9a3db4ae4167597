//! A tour: six kernels on real data, on every place that this machine has. For each: the time, the rate, the ratio to the
//! plain function, and whether the bits agree with the interpreter's.
//!
//! Run: `cargo run --release --example tour`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;
use std::f64::consts::PI;

/// Relief shading of a height field: a stencil with arithmetic.
#[kernel]
fn hillshade(z: &Array2<f64>, cell: f64, light: (f64, f64, f64)) -> Array2<f64> {
    let (h, w) = z.dim();
    tabulate2((h, w), |(i, j)| {
        let (n, s) = (if i == 0 { 0 } else { i - 1 }, (i + 1).min(h - 1));
        let (e, o) = ((j + 1).min(w - 1), if j == 0 { 0 } else { j - 1 });
        let p = (z[[i, e]] - z[[i, o]]) / (2.0 * cell);
        let q = (z[[n, j]] - z[[s, j]]) / (2.0 * cell);
        ((light.2 - p * light.0 - q * light.1) / (1.0 + p * p + q * q).sqrt()).max(0.0)
    })
}

/// Noise removal by diffusion: a loop that carries an array.
#[kernel]
fn diffuse(u: &Array2<f64>, k: f64, steps: usize) -> Array2<f64> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..steps {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                g[[i, j]]
            } else {
                g[[i, j]]
                    + k * (g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]]
                        - 4.0 * g[[i, j]])
            }
        });
    }
    g
}

/// The standard deviation of logarithmic daily returns: maps and reductions that fuse.
#[kernel]
fn volatility(close: &[f64]) -> f64 {
    let returns = close
        .skip(1)
        .zip(close.take(close.len() - 1))
        .map(|(b, a)| (b / a).ln());
    let mean = returns.sum() / returns.len() as f64;
    (returns.map(|r| (r - mean) * (r - mean)).sum() / (returns.len() - 1) as f64).sqrt()
}

/// The largest fall from an earlier high: a scan and a reduction.
#[kernel]
fn drawdown(close: &[f64]) -> f64 {
    close
        .scan(0.0, |a, b| a.max(b))
        .zip(close)
        .map(|(high, now)| 1.0 - now / high)
        .maximum()
}

/// A moving average: a reduction inside a map over windows, in the spelling of std's iterators.
#[kernel]
fn moving_average(close: &[f64], days: usize) -> Vec<f64> {
    close
        .windows(days)
        .map(|w| w.iter().sum::<f64>() / days as f64)
        .collect()
}

/// The heights above a level, in order: a filter.
#[kernel]
fn summits(z: &[f64], level: f64) -> Vec<f64> {
    z.filter(|h| h > level)
}

/// Runs a kernel at a place and gives its result's bits.
type Run<'a> = Box<dyn Fn(&Place) -> Result<Vec<u64>, cuprous::Error> + 'a>;

/// One stop of the tour.
struct Stop<'a> {
    name: &'static str,
    /// What the rate counts, and how many of them a call handles.
    unit: &'static str,
    amount: f64,
    run: Run<'a>,
}

fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    values.into_iter().map(|v| v.to_bits()).collect()
}

fn main() -> Result<(), cuprous::Error> {
    let (z, head, close) = (shared::elevation(), shared::head(), shared::prices());
    let heights = z.as_slice().expect("contiguous");
    let sun = 315.0 * PI / 180.0;
    let light = (
        sun.sin() * 0.5f64.sqrt(),
        sun.cos() * 0.5f64.sqrt(),
        0.5f64.sqrt(),
    );
    let cells = z.len() as f64;
    let days = close.len() as f64;
    let stops = [
        Stop {
            name: "hillshade",
            unit: "GFLOP/s",
            amount: 17.0 * cells,
            run: Box::new(|p| Ok(bits(&hillshade::call(&z, 92.7, light).on(p).to_host()?))),
        },
        Stop {
            name: "diffuse",
            unit: "GB/s",
            amount: 20.0 * 16.0 * head.len() as f64,
            run: Box::new(|p| Ok(bits(&diffuse::call(&head, 0.2, 20).on(p).to_host()?))),
        },
        Stop {
            name: "volatility",
            unit: "GB/s",
            amount: 8.0 * days,
            run: Box::new(|p| Ok(bits(&[volatility::call(&close).on(p).run()?]))),
        },
        Stop {
            name: "drawdown",
            unit: "GB/s",
            amount: 8.0 * days,
            run: Box::new(|p| Ok(bits(&[drawdown::call(&close).on(p).run()?]))),
        },
        Stop {
            name: "moving_average",
            unit: "GFLOP/s",
            amount: 50.0 * days,
            run: Box::new(|p| Ok(bits(&moving_average::call(&close, 50).on(p).to_host()?))),
        },
        Stop {
            name: "summits",
            unit: "GB/s",
            amount: 8.0 * cells,
            run: Box::new(|p| Ok(bits(&summits::call(heights, 600.0).on(p).to_host()?))),
        },
    ];

    shared::say_devices();
    println!(
        "{:<15} {:<8} {:>10} {:>9} {:<8} {:>8}  bits",
        "kernel", "place", "µs", "", "", "x plain"
    );
    let mut agree = true;
    for stop in &stops {
        let meaning = (stop.run)(&Place::interp())?;
        let plain = shared::median_seconds(|| drop((stop.run)(&Place::native())));
        for place in Place::available() {
            let result = (stop.run)(&place)?;
            let seconds = shared::median_seconds(|| drop((stop.run)(&place)));
            // `plain` sums from left to right and uses the system's mathematics: it need not agree.
            let same = result == meaning;
            agree &= same || place == Place::native();
            println!(
                "{:<15} {:<8} {:>10.1} {:>9.3} {:<8} {:>8.2}  {}",
                stop.name,
                place.to_string(),
                seconds * 1e6,
                stop.amount / seconds / 1e9,
                stop.unit,
                plain / seconds,
                if same {
                    "same"
                } else if place == Place::native() {
                    "rounded otherwise"
                } else {
                    "DIFFERENT"
                }
            );
        }
    }

    shared::grey(
        &shared::picture("tour_hillshade.png"),
        &hillshade(&z, 92.7, light),
        0.0,
        1.0,
    );
    let smooth = diffuse(&head, 0.2, 20);
    let brightest = smooth.iter().copied().fold(0.0, f64::max);
    shared::grey(&shared::picture("tour_head.png"), &smooth, 0.0, brightest);
    println!(
        "{} trading days: daily volatility {:.2} %, largest drawdown {:.1} %, last 50-day average {:.2}",
        close.len(),
        100.0 * volatility(&close),
        100.0 * drawdown(&close),
        moving_average(&close, 50).last().expect("a value")
    );
    println!(
        "{:.1} % of the terrain lies above 600 m",
        100.0 * summits(heights, 600.0).len() as f64 / cells
    );
    let place = Place::opencl().unwrap_or_else(|_| Place::cpu());
    println!("the plan: {}", volatility::kernel().explain(&place)?);
    shared::check(
        "all places but the plain function give the same bits",
        agree,
    );
    Ok(())
}
