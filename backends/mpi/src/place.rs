//! The backend: some ranks, each with a place inside.

use crate::job::Job;
use crate::run::program::Program;
use dsl_runtime::backend::{Backend, Caps, CompileError, Executable};
use dsl_runtime::ir::{Func, Level};
use std::sync::Arc;

/// A distributed place: a place for each rank.
#[derive(Debug)]
pub struct Distributed {
    job: Arc<Job>,
    inner: Arc<dyn Backend>,
}

impl Distributed {
    /// These ranks, each with this place.
    pub fn new(job: &Arc<Job>, inner: Arc<dyn Backend>) -> Distributed {
        Distributed {
            job: job.clone(),
            inner,
        }
    }
}

impl Backend for Distributed {
    fn name(&self) -> String {
        format!("mpi:{}", self.inner.name())
    }

    fn caps(&self) -> Caps {
        let mut caps = self.inner.caps();
        caps.levels.insert(0, Level::Ranks);
        caps
    }

    fn target(&self) -> String {
        format!("mpi:{}", self.inner.target())
    }

    fn resident(&self) -> bool {
        true
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let ranks = format!("{} of {}", self.job.rank(), self.job.size());
        let mut all = vec![("rank", ranks)];
        all.extend(self.inner.describe());
        all
    }

    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let program = Program::new(&self.job, &self.inner, scheduled, typed)?;
        Ok(Arc::new(program))
    }
}
