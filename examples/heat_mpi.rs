//! The heat equation on a square, on many ranks: each has some rows of the cells, and tells its neighbours its outermost ones in
//! every step (five-point stencil, explicit Euler, fixed boundary).
//!
//! The loop over steps is in the kernel, some steps a call. With `--checkpoint` it goes on after a crash: with `--restart`, on any
//! number of ranks. The last line is a hash of the final bits: the same for any number of ranks, with and without a crash.
//!
//! Run: `cargo run --release --example heat_mpi [size] [steps] [--checkpoint FOLDER [--every STEPS] [--restart]] [--opencl]`, or as
//! many ranks: `mpirun -n 4 target/release/examples/heat_mpi 1024 2000 --checkpoint /scratch/heat --every 100`

#[path = "shared/ranks.rs"]
mod ranks;
#[path = "shared/mod.rs"]
mod shared;

use cuprous::mpi::World;
use cuprous::prelude::*;
use ranks::{Arguments, check, say};

/// Some steps. The cells of the boundary stay as they are.
#[kernel]
fn heat(u: &Array2<f64>, k: f64, steps: usize) -> Array2<f64> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..steps {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                g[[i, j]]
            } else {
                let around = g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]];
                g[[i, j]] + k * (around - 4.0 * g[[i, j]])
            }
        });
    }
    g
}

/// The coldest cell, the hottest, and the mean of all.
#[kernel]
fn survey(u: &Array2<f64>) -> (f64, f64, f64) {
    let (h, w) = u.dim();
    let rows = indices(h).map(|i| {
        let row = indices(w).map(|j| u[[i, j]]);
        (row.minimum(), row.maximum(), row.sum())
    });
    let (low, high, sums) = rows.unzip();
    (low.minimum(), high.maximum(), sums.sum() / (h * w) as f64)
}

/// A hot disc in the middle, a warm edge in the north.
fn begin(n: usize) -> impl Fn((usize, usize)) -> f64 {
    move |(i, j)| {
        let from = |k: usize| k as f64 / n as f64 - 0.5;
        let (x, y) = (from(j), from(i));
        match () {
            () if i == 0 => 0.5,
            () if x * x + y * y < 0.04 => 1.0,
            () => 0.0,
        }
    }
}

fn main() -> Result<(), cuprous::Error> {
    let world = World::init()?;
    let mut arguments = Arguments::read();
    let cluster = ranks::cluster(&world, &mut arguments)?;
    let folder = arguments.value("--checkpoint");
    let every = arguments.value("--every");
    let every = every
        .map_or(100, |text| ranks::parsed("--every", &text))
        .max(1);
    let restart = arguments.flag("--restart");
    let n = arguments.number("size", 512).max(3);
    let steps = arguments.number("steps", 1000);
    arguments.end();

    say(&world, format!("{n} x {n} cells, {steps} steps"));
    let mut saved = None;
    if let Some(folder) = folder.as_ref().filter(|_| restart) {
        saved = world.restore(folder)?;
    }
    let (mut u, mut step) = match &saved {
        Some(saved) => (saved.array("u")?, saved.scalar::<u64>("step")? as usize),
        None => (world.from_fn2((n, n), begin(n))?, 0),
    };
    if u.shape() != [n, n] || step > steps {
        say(
            &world,
            "the checkpoint is of another run: give its size and steps",
        );
        std::process::exit(2);
    }
    if world.rank() == 0 && saved.is_some() {
        eprintln!("it goes on at step {step}");
    }

    say(
        &world,
        format!(
            "{:>8} {:>10} {:>10} {:>10}",
            "step", "coldest", "hottest", "mean"
        ),
    );
    let quarter = steps.div_ceil(4).max(1);
    let mut within = true;
    loop {
        let (low, high, mean) = survey::call(&u).on(&cluster).run()?;
        within &= low >= 0.0 && high <= 1.0;
        if step % quarter == 0 || step == steps {
            say(
                &world,
                format!("{step:>8} {low:>10.6} {high:>10.6} {mean:>10.6}"),
            );
        }
        if step == steps {
            break;
        }
        // Up to the next checkpoint, or the next line that is printed.
        let next = |of: usize| of - step % of;
        let some = next(every).min(next(quarter)).min(steps - step);
        u = heat::call(&u, 0.2, some).on(&cluster).run()?;
        step += some;
        if let Some(folder) = &folder
            && step % every == 0
        {
            let checkpoint = world.checkpoint(folder).array("u", &u);
            checkpoint.scalar("step", step as u64).save()?;
        }
    }
    check(&world, "no cell leaves the range of the first ones", within);
    // All the rest is rank 0's.
    let Some(u) = u.gather()? else { return Ok(()) };
    let u = u
        .to_ndarray()
        .into_dimensionality()
        .expect("two dimensions");
    shared::grey(&shared::picture("heat_mpi.png"), &u, 0.0, 1.0);
    println!(
        "hash: {:016x}",
        ranks::hash(u.as_slice().expect("in order"))
    );
    Ok(())
}
