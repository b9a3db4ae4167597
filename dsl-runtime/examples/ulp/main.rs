//! Measures the mathematical functions: every `f32`, and some ten million `f64` a function, in ulps of the true result.
//! Prints the table of `docs/math.md`.
//!
//! ```text
//! RUSTFLAGS="-C target-cpu=native" cargo run --release -p dsl-runtime --example ulp [f32|f64] [function…] [every=N]
//! ```
//! `every=N` asks only one of N `f32` in each run of 65,536.
//! The flag is for speed alone: without it, each fused operation is a call.

mod double;
mod measure;
mod points;
mod reference;
mod table;

use measure::{error_f32, error_f64};
use rayon::prelude::*;

/// The largest error so far, where it is, and how many points were asked.
#[derive(Clone, Default)]
struct Worst {
    error: f64,
    at: String,
    points: u64,
}

impl Worst {
    fn point(&mut self, error: f64, at: impl FnOnce() -> String) {
        self.points += 1;
        if error > self.error {
            (self.error, self.at) = (error, at());
        }
    }

    fn join(self, other: Worst) -> Worst {
        let points = self.points + other.points;
        let worst = if other.error > self.error {
            other
        } else {
            self
        };
        Worst { points, ..worst }
    }
}

/// Measures blocks of points in parallel.
fn measure(blocks: u64, block: impl Fn(u64, &mut Worst) + Sync) -> Worst {
    (0..blocks)
        .into_par_iter()
        .map(|i| {
            let mut worst = Worst::default();
            block(i, &mut worst);
            worst
        })
        .reduce(Worst::default, Worst::join)
}

fn unary_f32(row: &table::Row, every: usize) -> Worst {
    measure(1 << 16, |block, worst| {
        for i in ((block as usize % every)..1 << 16).step_by(every) {
            let i = i as u64;
            let x = f32::from_bits((block << 16 | i) as u32);
            let error = error_f32((row.f32)(x), (row.f32_reference)(x as f64));
            worst.point(error, || format!("{x:e}"));
        }
    })
}

const F64_POINTS: u64 = 20_000_000;

fn unary_f64(row: &table::Row) -> Worst {
    let regions = row.regions.len() as u64;
    let each = F64_POINTS / regions / 1024 + 1;
    let special = measure(1, |_, worst| {
        for x in table::specials() {
            worst.point(error_f64((row.f64)(x), (row.f64_reference)(x)), || {
                format!("{x:e}")
            });
        }
    });
    measure(regions * each, |block, worst| {
        let region = row.regions[(block % regions) as usize];
        for i in 0..1024 {
            let x = region.point(block * 1024 + i);
            worst.point(error_f64((row.f64)(x), (row.f64_reference)(x)), || {
                format!("{x:e}")
            });
        }
    })
    .join(special)
}

fn pairs_f32() -> Worst {
    let ask = |x: f32, y: f32, worst: &mut Worst| {
        let error = error_f32(
            dsl_runtime::math::powf::powf_f32::plain(x, y),
            (x as f64).powf(y as f64),
        );
        worst.point(error, || format!("{x:e}, {y:e}"));
    };
    let special = measure(1, |_, worst| {
        for x in table::specials() {
            for y in table::specials() {
                ask(x as f32, y as f32, worst);
            }
        }
    });
    measure(200_000, |block, worst| {
        for i in 0..1024 {
            let (x, y) = points::pair_f32(block * 1024 + i);
            ask(x, y, worst);
        }
    })
    .join(special)
}

fn pairs_f64() -> Worst {
    let ask = |x: f64, y: f64, worst: &mut Worst| {
        let error = error_f64(
            dsl_runtime::math::powf::powf_f64::plain(x, y),
            table::pow_reference(x, y),
        );
        worst.point(error, || format!("{x:e}, {y:e}"));
    };
    let special = measure(1, |_, worst| {
        for x in table::specials() {
            for y in table::specials() {
                ask(x, y, worst);
            }
        }
    });
    measure(F64_POINTS / 1024 + 1, |block, worst| {
        for i in 0..1024 {
            let (x, y) = points::pair_f64(block * 1024 + i);
            ask(x, y, worst);
        }
    })
    .join(special)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let types = ["f32", "f64"].map(|ty| (ty, words.iter().any(|w| w == ty)));
    let every = words
        .iter()
        .find_map(|w| w.strip_prefix("every=")?.parse().ok())
        .filter(|&n| n > 0)
        .unwrap_or(1);
    let names: Vec<&String> = words
        .iter()
        .filter(|w| !["f32", "f64"].contains(&w.as_str()) && !w.starts_with("every="))
        .collect();
    let every_type = types.iter().all(|(_, asked)| !asked);
    println!("| function | type | points | worst error in ulps | at |");
    println!("| --- | --- | ---: | ---: | --- |");
    let print = |name: &str, ty: &str, worst: Worst| {
        println!(
            "| `{name}` | `{ty}` | {} | {:.4} | {} |",
            worst.points, worst.error, worst.at
        );
    };
    for (ty, asked) in types {
        if !asked && !every_type {
            continue;
        }
        for row in table::UNARY {
            if names.is_empty() || names.iter().any(|name| *name == row.name) {
                print(
                    row.name,
                    ty,
                    if ty == "f32" {
                        unary_f32(row, every)
                    } else {
                        unary_f64(row)
                    },
                );
            }
        }
        if names.is_empty() || names.iter().any(|name| *name == "powf") {
            print(
                "powf",
                ty,
                if ty == "f32" {
                    pairs_f32()
                } else {
                    pairs_f64()
                },
            );
        }
    }
}
