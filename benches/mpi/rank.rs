//! What a rank does: the program that is measured, with the output of the others (see `five_point.c`).

use crate::kernel::{five_points_f32, five_points_f64};
use cuprous::mpi::{DistributedArray, World};
use cuprous::{Array, Element, Error, Place};
use std::error::Error as AnyError;
use std::time::Instant;

/// The numbers of a run.
#[derive(Clone, Copy)]
pub struct Size {
    pub height: usize,
    pub width: usize,
    pub steps: usize,
    pub repetitions: usize,
}

/// Runs the program; prints on rank 0.
pub fn run(real: &str, size: Size) -> Result<(), Box<dyn AnyError>> {
    let world = World::init()?;
    let place = world.place(Place::cpu());
    match real {
        "f64" => measure(
            &world,
            size,
            |i| i as f64 / 101.0,
            |u, steps| five_points_f64::call(u, 0.1, steps).on(&place).run(),
        ),
        "f32" => measure(
            &world,
            size,
            |i| i as f32 / 101.0,
            |u, steps| five_points_f32::call(u, 0.1, steps).on(&place).run(),
        ),
        other => Err(format!("`{other}` is neither f32 nor f64").into()),
    }
}

fn measure<T: Element>(
    world: &World,
    size: Size,
    number: impl Fn(usize) -> T,
    steps: impl Fn(&Array<T>, usize) -> Result<Array<T>, Error>,
) -> Result<(), Box<dyn AnyError>> {
    let shape = (size.height, size.width);
    let u = world.from_fn2(shape, |(i, j)| number((i * 31 + j * 17) % 101))?;
    // The first call compiles; the next ones get memory from the system, which the other programs have before the clock starts.
    let mut last = steps(&u, size.steps)?;
    for _ in 0..2 {
        last = steps(&u, size.steps)?;
    }
    for _ in 0..size.repetitions {
        world.barrier()?;
        let start = Instant::now();
        last = steps(&u, size.steps)?;
        let mine = start.elapsed().as_secs_f64() / size.steps as f64;
        let all = world.from_local(vec![mine])?.to_vec();
        let longest = all.into_iter().fold(0.0, f64::max);
        if world.rank() == 0 {
            println!("seconds {longest:.9}");
        }
    }
    if let Some(grid) = last.gather()? {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for value in grid.leaves()[0]
            .dense()
            .map_err(|failure| format!("{failure:?}"))?
            .view()
            .iter()
        {
            for byte in &value.bits.to_le_bytes()[..size_of::<T>()] {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        println!("checksum {hash:016x}");
    }
    if std::env::var_os("CUPROUS_EXPLAIN").is_some() && world.rank() == 0 {
        eprintln!(
            "{}",
            five_points_f64::kernel().explain(&world.place(Place::cpu()))?
        );
    }
    Ok(())
}
