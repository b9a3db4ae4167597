//! What all that is distributed among the same ranks shares.

use crate::comm::{Broken, Communicator, Sent};
use dsl_runtime::array::new_owner;
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::order::BLOCK;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Some ranks, as one of them sees them.
#[derive(Debug)]
pub struct Job {
    comm: Box<dyn Communicator>,
    /// Whose the distributed arrays are.
    pub owner: u64,
    /// What is worth distributing.
    pub policy: Policy,
    turn: Mutex<()>,
}

/// What is worth distributing. All ranks must have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A par of up to so many cheap iterations on arrays that every rank has is done by every rank.
    pub small: usize,
    /// Whether cheap iterations are cut on the blocks of the canonical order also where nothing is combined; else evenly.
    pub blocks: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            small: BLOCK,
            blocks: true,
        }
    }
}

/// The turn of the one thread of this rank that talks: what threads do one after the other, all ranks do in the same order.
pub struct Turn<'a> {
    /// To talk with.
    pub comm: &'a dyn Communicator,
    _alone: MutexGuard<'a, ()>,
}

impl Job {
    /// These ranks.
    pub fn new(comm: Box<dyn Communicator>, policy: Policy) -> Arc<Job> {
        Arc::new(Job {
            comm,
            owner: new_owner(),
            policy,
            turn: Mutex::new(()),
        })
    }

    /// This rank's number.
    pub fn rank(&self) -> usize {
        self.comm.rank()
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.comm.size()
    }

    /// What this rank has sent.
    pub fn sent(&self) -> Sent {
        self.comm.sent()
    }

    /// Waits until no other thread of this rank talks.
    pub fn turn(&self) -> Turn<'_> {
        Turn {
            comm: &*self.comm,
            _alone: self.turn.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Failure {
        Failure::Ranks(broken.to_string())
    }
}
