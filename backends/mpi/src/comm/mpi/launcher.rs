//! Who started the program, by the environment, and which libraries belong to whom.

use super::abi::Abi;
use super::mpich::Mpich;
use super::open_mpi::OpenMpi;
use super::process::{Process, bind};
use super::standard::Standard;
use libloading::os::unix::Library;
use std::env;

/// One that starts ranks.
pub(super) struct Launcher {
    /// What to call it.
    pub name: &'static str,
    /// Variables that it sets: one of them is enough.
    marks: &'static [&'static str],
    /// Variables that say how many ranks there are.
    sizes: &'static [&'static str],
    /// Its libraries, the one to be tried first at the start.
    pub kinds: &'static [Kind],
}

/// Libraries with the same interface.
pub(super) struct Kind {
    /// [`Abi::NAME`]
    pub name: &'static str,
    /// [`Abi::LIBRARIES`]
    pub libraries: &'static [&'static str],
    /// Makes one usable.
    pub bind: fn(Library) -> Result<&'static dyn Process, libloading::Error>,
}

impl Kind {
    const fn of<A: Abi>() -> Kind {
        Kind {
            name: A::NAME,
            libraries: A::LIBRARIES,
            bind: bind::<A>,
        }
    }
}

/// All interfaces that are known.
pub(super) const KINDS: &[Kind] = &[
    Kind::of::<OpenMpi>(),
    Kind::of::<Mpich>(),
    Kind::of::<Standard>(),
];

/// All that are known. A library of the launcher's own goes before one that may be anybody's.
const LAUNCHERS: &[Launcher] = &[
    Launcher {
        name: "Open MPI's mpirun",
        marks: &["OMPI_COMM_WORLD_SIZE"],
        sizes: &["OMPI_COMM_WORLD_SIZE"],
        kinds: &[Kind::of::<OpenMpi>(), Kind::of::<Standard>()],
    },
    Launcher {
        name: "a launcher that speaks PMI (MPICH, Intel MPI, Slurm)",
        marks: &["PMI_SIZE", "PMI_RANK", "PMI_FD"],
        sizes: &["PMI_SIZE"],
        kinds: &[Kind::of::<Mpich>(), Kind::of::<Standard>()],
    },
    Launcher {
        name: "a launcher that speaks PMIx (Slurm, PRRTE)",
        marks: &["PMIX_RANK"],
        sizes: &["SLURM_STEP_NUM_TASKS"],
        kinds: KINDS,
    },
];

/// Who started this program, if anyone did.
pub(super) fn launcher() -> Option<&'static Launcher> {
    let set = |name: &&str| env::var_os(name).is_some();
    LAUNCHERS.iter().find(|one| one.marks.iter().any(set))
}

impl Launcher {
    /// How many ranks it says that there are, if it does.
    pub(super) fn size(&self) -> Option<usize> {
        let size = |name: &&str| env::var(name).ok()?.parse().ok();
        self.sizes.iter().find_map(size)
    }
}
