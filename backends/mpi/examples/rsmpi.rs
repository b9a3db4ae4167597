//! A program that uses the crate `mpi` beside distributed arrays, on the same ranks.
//!
//! `mpirun -n 4 target/debug/examples/rsmpi`, built with `--features rsmpi` (it needs `mpi.h` and libclang).

use cuprous_cpu as _;
use cuprous_mpi::World;
use mpi::collective::SystemOperation;
use mpi::traits::{Communicator, CommunicatorCollectives};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let universe = mpi::initialize().ok_or("MPI is initialised once")?;
    let theirs = universe.world();
    let world = World::from_communicator(&theirs)?;
    assert_eq!(world.rank(), theirs.rank() as usize);
    assert_eq!(world.size(), theirs.size() as usize);

    // Ours, then theirs, then ours again.
    let n = 10_000;
    let x = world.from_fn(n, |i| i as u64)?;
    let mine: u64 = cuprous_mpi::DistributedArray::local(&x)?
        .to_vec()
        .iter()
        .sum();
    let mut all = 0u64;
    theirs.all_reduce_into(&mine, &mut all, SystemOperation::sum());
    assert_eq!(all, x.to_vec().iter().sum::<u64>());
    if world.rank() == 0 {
        println!("{} ranks agree on {all}", world.size());
    }
    Ok(())
}
