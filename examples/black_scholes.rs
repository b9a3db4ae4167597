//! Option prices (Black and Scholes 1973) from real daily prices: the volatility is estimated by a kernel, then a surface of
//! calls and puts over strikes and maturities is priced.
//!
//! Run: `cargo run --release --example black_scholes`

#[path = "shared/mod.rs"]
mod shared;

use cuprous::prelude::*;

/// Trading days in a year.
const DAYS: f64 = 252.0;

/// The yearly volatility: the standard deviation of the daily logarithmic returns, scaled.
#[kernel]
fn volatility(close: &[f64]) -> f64 {
    let returns = close
        .skip(1)
        .zip(close.take(close.len() - 1))
        .map(|(today, before)| (today / before).ln());
    let n = returns.len() as f64;
    let mean = returns.sum() / n;
    let spread = returns.map(|r| (r - mean) * (r - mean)).sum();
    (spread / (n - 1.0)).sqrt() * DAYS.sqrt()
}

/// The distribution function of the standard normal.
#[kernel]
fn normal_cdf(x: f64) -> f64 {
    0.5 * (1.0 + (x * std::f64::consts::FRAC_1_SQRT_2).erf())
}

/// The price of a call and of a put.
#[kernel]
fn black_scholes(spot: f64, strike: f64, years: f64, rate: f64, sigma: f64) -> (f64, f64) {
    let width = sigma * years.sqrt();
    let d1 = ((spot / strike).ln() + (rate + 0.5 * sigma * sigma) * years) / width;
    let d2 = d1 - width;
    let discounted = strike * (-rate * years).exp();
    let call = spot * normal_cdf(d1) - discounted * normal_cdf(d2);
    let put = discounted * normal_cdf(-d2) - spot * normal_cdf(-d1);
    (call, put)
}

/// Calls over a grid of strikes and maturities.
#[kernel]
fn surface(
    spot: f64,
    strikes: &[f64],
    years: &[f64],
    rate: f64,
    sigma: f64,
) -> (Array2<f64>, Array2<f64>) {
    let shape = (years.len(), strikes.len());
    let calls = tabulate2(shape, |(i, j)| {
        black_scholes(spot, strikes[j], years[i], rate, sigma).0
    });
    let puts = tabulate2(shape, |(i, j)| {
        black_scholes(spot, strikes[j], years[i], rate, sigma).1
    });
    (calls, puts)
}

fn main() -> Result<(), cuprous::Error> {
    let close = shared::prices();
    let spot = *close.last().expect("a price");
    let rate = 0.02;
    let sigma = volatility(&close);
    println!(
        "{} daily prices, last {spot:.2}: yearly volatility {:.1} %",
        close.len(),
        100.0 * sigma
    );

    let strikes: Vec<f64> = (0..400).map(|j| spot * (0.5 + j as f64 / 400.0)).collect();
    let years: Vec<f64> = (0..300).map(|i| (i + 1) as f64 / 100.0).collect();
    let (calls, puts) = surface(spot, &strikes, &years, rate, sigma);

    println!("price of a call");
    print!("{:>8}", "years");
    let columns: Vec<usize> = (0..400).step_by(57).collect();
    columns.iter().for_each(|&j| print!("{:>10.0}", strikes[j]));
    println!("   <- strike");
    for i in (24..300).step_by(50) {
        print!("{:>8.2}", years[i]);
        columns
            .iter()
            .for_each(|&j| print!("{:>10.2}", calls[[i, j]]));
        println!();
    }
    let palette = |v: f64| -> [u8; 3] {
        let t = (v / (0.6 * spot)).clamp(0.0, 1.0);
        [
            (255.0 * t) as u8,
            (255.0 * t.sqrt() * 0.7) as u8,
            (160.0 * (1.0 - t)) as u8,
        ]
    };
    shared::colour(&shared::picture("black_scholes_calls.png"), &calls, palette);

    // Put-call parity: call - put = spot - strike * exp(-rate * years).
    let worst = calls
        .indexed_iter()
        .map(|((i, j), call)| {
            (call - puts[[i, j]] - (spot - strikes[j] * (-rate * years[i]).exp())).abs()
        })
        .fold(0.0, f64::max);
    shared::check(
        &format!("put-call parity (worst {worst:.1e})"),
        worst < 1e-9 * spot,
    );
    let rising = calls
        .columns()
        .into_iter()
        .all(|c| c.iter().zip(c.iter().skip(1)).all(|(a, b)| b >= a));
    shared::check("calls grow with the maturity", rising);
    for place in Place::available()
        .into_iter()
        .filter(|place| *place != Place::native())
    {
        let other = surface::call(spot, &strikes, &years, rate, sigma)
            .on(&place)
            .to_host()?;
        let same = |a: &Array2<f64>, b: &Array2<f64>| {
            a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        let same = same(&other.0, &calls) && same(&other.1, &puts);
        shared::check(&format!("{place} gives the same bits"), same);
    }
    Ok(())
}
