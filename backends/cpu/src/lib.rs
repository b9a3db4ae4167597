//! The CPU backend: from scheduled functions to machine code on every core. Places `cpu` (rayon's pool) and `cpu:N` (N
//! threads of its own).
//!
//! Two halves. The compiler turns units (a par, a run of statements) into machine code: `vector` spreads iterations
//! over lanes, [`isa`] is what it speaks to, [`compile`] collects. The runtime runs them: [`executor`] walks the
//! [`plan`] of a function, [`driver`] runs the chunks of a par on the threads of a [`crew`]. [`abi`]
//! is the contract between the halves.

pub mod abi;
pub mod compile;
pub mod crew;
mod describe;
pub mod driver;
pub mod executor;
pub mod isa;
mod jit;
pub mod memory;
pub mod profile;
pub mod program;
pub mod rate;
pub mod share;
pub mod transfer;
pub mod unit;
pub mod vector;

pub use dsl_runtime::plan;

use crew::Crew;
use dsl_runtime::backend::{BACKENDS, Backend, Caps, CompileError, Executable, Registration};
use dsl_runtime::ir::{Func, Level};
use program::Program;
use std::sync::Arc;

/// The place `cpu` or `cpu:N`.
#[derive(Clone, Debug)]
pub struct Cpu {
    crew: Arc<Crew>,
    threads: Option<usize>,
}

impl Cpu {
    /// Rayon's pool: every core, unless the user says otherwise.
    pub fn new() -> Cpu {
        Cpu {
            crew: Arc::new(Crew::global()),
            threads: None,
        }
    }

    /// So many threads of its own. The results are those of any other number.
    ///
    /// ```
    /// use cuprous_cpu::Cpu;
    /// use dsl_runtime::backend::Backend;
    /// assert_eq!(Cpu::with_threads(3).unwrap().name(), "cpu:3");
    /// assert!(Cpu::with_threads(0).is_err());
    /// ```
    pub fn with_threads(threads: usize) -> Result<Cpu, String> {
        Ok(Cpu {
            crew: Arc::new(Crew::of(threads)?),
            threads: Some(threads),
        })
    }
}

impl Default for Cpu {
    fn default() -> Cpu {
        Cpu::new()
    }
}

impl Backend for Cpu {
    fn name(&self) -> String {
        match self.threads {
            None => "cpu".into(),
            Some(threads) => format!("cpu:{threads}"),
        }
    }

    fn caps(&self) -> Caps {
        Caps {
            op: isa::native,
            sink: |_| true,
            levels: vec![Level::Threads, Level::Simd, Level::Seq],
            optimise: true,
        }
    }

    fn target(&self) -> String {
        isa::target()
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        describe::describe(&self.crew)
    }

    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let program = Program::new(scheduled, typed, self.caps(), self.crew.clone())?;
        Ok(Arc::new(program))
    }
}

#[linkme::distributed_slice(BACKENDS)]
static CPU: Registration = Registration {
    name: "cpu",
    open: |threads| {
        Ok(Arc::new(match threads {
            None => Cpu::new(),
            Some(text) => {
                // One spelling for each number: places are equal, and share their threads, by their spelling.
                let threads = match text.parse::<usize>() {
                    Ok(threads) if threads.to_string() == text => threads,
                    Ok(threads) => {
                        return Err(format!(
                            "`{text}` is a number of threads if written `cpu:{threads}`"
                        ));
                    }
                    Err(_) => {
                        return Err(format!(
                            "`{text}` is no number of threads: write `cpu` or, say, `cpu:4`"
                        ));
                    }
                };
                Cpu::with_threads(threads)?
            }
        }))
    },
    devices: || 0,
    rank: 2,
};
