//! Ranks that a program shares with the crate `mpi` (the feature `rsmpi`).

use crate::World;
use dsl_runtime::error::Error;
use mpi::traits::Communicator;

impl World {
    /// The ranks of a communicator of the crate `mpi`, which stays the program's: it is duplicated, so that messages of the one never
    /// meet those of the other. Collective among these ranks.
    ///
    /// ```no_run
    /// let universe = mpi::initialize().expect("MPI is initialised once");
    /// let world = cuprous_mpi::World::from_communicator(&universe.world())?;
    /// # Ok::<(), dsl_runtime::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// CU0311 if MPI has been finalised.
    pub fn from_communicator(comm: &impl Communicator) -> Result<World, Error> {
        // A pointer or a number, as the library has it; sign and width are those of the handle.
        let handle = comm.as_raw().0 as usize;
        // SAFETY: the handle of a communicator that lives, of the library that the program is linked with and so has loaded. That no
        // other thread talks meanwhile is for who initialised MPI to see to: that crate does so with threads only where it is asked to.
        unsafe { World::from_raw(handle) }
    }
}
