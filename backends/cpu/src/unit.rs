//! What the drivers get from the compiler: the units of a function, ready to run.

use crate::abi::{ChunkFn, CombineFn, EnvSlot, RegionFn, Site, SlotUse};
use crate::jit::Code;
use dsl_runtime::ir::Var;
use std::sync::Arc;

/// How a unit is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Vectorised; a failure is only detected.
    Fast,
    /// Scalar and sequential; a failure is recorded: which, where, with which operands.
    Exact,
}

/// A compiled par: the drivers run its chunks in any order on any threads.
#[derive(Debug)]
pub struct ParUnit {
    /// What the environment holds.
    pub env: Vec<EnvSlot>,
    /// The slots: the sink (its number in the par) and the use.
    pub slots: Vec<(usize, SlotUse)>,
    /// Runs the body and feeds the sinks. Where there are scans: reads the carries if `scan` is `Fused`, else writes
    /// the values that are to be scanned into the results.
    pub main: ChunkFn,
    /// filter: writes only `Kept` (nothing else, the other sinks neither), for the way "count, then write at the right
    /// place". Absent if the par has no filter.
    pub count: Option<ChunkFn>,
    /// Where there are scans: how.
    pub scan: Option<ScanUnit>,
    /// Per sink with a combining function: that function, as the program has it (for scans from the right, the
    /// operands are already exchanged: left is what was combined so far).
    pub combine: Vec<Option<CombineFn>>,
    /// What can fail, and where.
    pub sites: Vec<Site>,
    /// Per sink, the number of its combined or written values.
    pub values: Vec<usize>,
}

/// How the scans of a par run. Blocks are those of `order::BLOCK`; scans from the right count positions from the right.
#[derive(Clone, Copy, Debug)]
pub struct ScanUnit {
    /// Writes `T[b]` for the blocks of `[lo, hi)` into `Carry`.
    pub totals: ChunkFn,
    /// `None`: fused: run `totals`, make the carries, run `main`. `Some`: run `main`, `totals` (over positions), make
    /// the carries, run this (over positions): it scans the results in place.
    pub finish: Option<ChunkFn>,
}

/// A compiled run of statements.
#[derive(Debug)]
pub struct RegionUnit {
    /// What the environment holds.
    pub env: Vec<EnvSlot>,
    /// What the slots receive.
    pub results: Vec<Var>,
    /// Runs it.
    pub main: RegionFn,
    /// What can fail, and where.
    pub sites: Vec<Site>,
}

/// What was compiled from one function, and the memory that the code stands in: the addresses in the units are valid
/// as long as this lives.
pub struct Units {
    /// In the order of the calls of [`crate::compile::Compiler::par`].
    pub pars: Vec<ParUnit>,
    /// In the order of the calls of [`crate::compile::Compiler::region`].
    pub regions: Vec<RegionUnit>,
    pub(crate) code: Code,
    /// Constant arrays and tables that the code refers to.
    pub(crate) data: Vec<Arc<[u64]>>,
}

impl Units {
    /// The generated code, for people: of each function the intermediate form with notes, and the machine code. Empty
    /// unless the compiler was asked to keep it ([`crate::compile::Compiler::listed`]).
    pub fn code(&self) -> String {
        self.code.listing().to_owned()
    }
}

impl std::fmt::Debug for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Units")
            .field("pars", &self.pars)
            .field("regions", &self.regions)
            .field("constants", &self.data.len())
            .finish()
    }
}
