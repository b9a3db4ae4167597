//! A communicator that counts what goes to other hosts.

use cuprous_mpi::comm::collective::all_gather;
use cuprous_mpi::comm::{Broken, Communicator, Receive, Send, Sent};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ranks, of which it is known where they run.
#[derive(Debug)]
pub struct Across {
    comm: Box<dyn Communicator>,
    /// Of each rank, the name of its host.
    hosts: Vec<Vec<u8>>,
    /// The bytes to other hosts through this and what it was split into.
    bytes: Arc<AtomicU64>,
}

impl Across {
    /// Asks all ranks where they are.
    pub fn new(comm: Box<dyn Communicator>) -> Result<Across, Broken> {
        Across::counting(comm, Arc::default())
    }

    fn counting(comm: Box<dyn Communicator>, bytes: Arc<AtomicU64>) -> Result<Across, Broken> {
        let host = std::fs::read("/proc/sys/kernel/hostname").expect("a host has a name");
        let hosts = all_gather(&*comm, &host)?;
        Ok(Across { comm, hosts, bytes })
    }

    /// On how many hosts the ranks are.
    pub fn hosts(&self) -> usize {
        let mut hosts: Vec<_> = self.hosts.iter().collect();
        hosts.sort();
        hosts.dedup();
        hosts.len()
    }

    /// The bytes that this rank has sent to other hosts.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Communicator for Across {
    fn rank(&self) -> usize {
        self.comm.rank()
    }

    fn size(&self) -> usize {
        self.comm.size()
    }

    fn overlap(
        &self,
        sends: &[Send<'_>],
        receives: &mut [Receive<'_>],
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        let away = |send: &&Send<'_>| self.hosts[send.to] != self.hosts[self.rank()];
        let bytes: usize = sends.iter().filter(away).map(|send| send.bytes.len()).sum();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.comm.overlap(sends, receives, work)
    }

    fn split(&self, color: u64, key: u64) -> Result<Box<dyn Communicator>, Broken> {
        let part = self.comm.split(color, key)?;
        Ok(Box::new(Across::counting(part, self.bytes.clone())?))
    }

    fn abort(&self, text: &str) -> ! {
        self.comm.abort(text)
    }

    fn sent(&self) -> Sent {
        self.comm.sent()
    }
}
