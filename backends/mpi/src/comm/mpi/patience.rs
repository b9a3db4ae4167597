//! How a rank waits where its host has more ranks than processors: MPI's own waiting takes a processor all the time, mostly from the
//! rank that is waited for.

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

/// How many ranks the launcher has started on this host.
pub(crate) fn ranks_here() -> Option<usize> {
    const NAMES: &[&str] = &[
        "OMPI_COMM_WORLD_LOCAL_SIZE",
        "MPI_LOCALNRANKS",
        "PMI_LOCAL_SIZE",
        "SLURM_NTASKS_PER_NODE",
    ];
    NAMES
        .iter()
        .find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// How many processors this process may use, and how many the host has.
pub(crate) fn processors() -> (usize, usize) {
    let usable = thread::available_parallelism().map_or(1, usize::from);
    // SAFETY: no memory is involved.
    let all = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    (
        usable,
        usize::try_from(all).map_or(usable, |all| all.max(usable)),
    )
}

/// Whether ranks of this host take processors from each other while they wait: not where the launcher has given each its own.
pub(super) fn is_needed() -> bool {
    static NEEDED: OnceLock<bool> = OnceLock::new();
    *NEEDED.get_or_init(|| {
        let (usable, all) = processors();
        ranks_here().is_some_and(|ranks| ranks > usable && ranks * usable > all)
    })
}

/// How often it was in vain.
#[derive(Debug, Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Lets others go on for a moment: what is about to come is not waited for long, what takes time takes no processor.
    pub(super) fn wait(&mut self) {
        match self.0 {
            0..4 => thread::yield_now(),
            _ => thread::sleep(Duration::from_micros(10 << (self.0 - 4).min(4))),
        }
        self.0 = self.0.saturating_add(1);
    }
}
