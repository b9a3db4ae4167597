//! The contract between compiled code and the drivers that run it.
//!
//! A *unit* is what is compiled to machine code: a par that was scheduled on `threads` ([`UnitKind::Par`]), or a run of
//! statements without such a par ([`UnitKind::Region`]). Everything that a unit needs from outside stands in one
//! block of 64-bit words, the environment; everything that it produces goes through slots.

use dsl_runtime::ir::{Fault, Place, Var};

/// What stands in the environment, in order. All are words of 64 bits.
#[derive(Clone, Debug, PartialEq)]
pub enum EnvSlot {
    /// The bits of a scalar, zero-extended.
    Scalar(Var),
    /// The address of element 0 of an array.
    Data(Var),
    /// The length of dimension `.1` of an array.
    Len(Var, usize),
    /// The distance in bytes of neighbours along dimension `.1`: only for arrays that are not contiguous.
    Stride(Var, usize),
}

/// What every compiled function is given.
#[repr(C)]
pub struct Frame {
    /// The environment, as [`EnvSlot`] lists it.
    pub env: *const u64,
    /// The slots of the sinks (see [`SlotUse`]).
    pub slots: *const *mut u8,
    /// The arena of this thread, for arrays local to an iteration; reset by the code between iterations.
    pub arena: *mut Arena,
    /// Where an exact unit writes its failure.
    pub fault: *mut FaultRecord,
}

/// What a slot of a par is for. Slots stand in the order of the sinks, and within a sink as listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotUse {
    /// collect: element 0 of the result; iteration `i` writes at `i * bytes` (bytes of one element or sub-array).
    /// Strided results (run_into of a view) are copied by the driver.
    Collect,
    /// reduce: k words; the call for block `[lo, hi)` writes the block's total (never combined with `e`).
    Partial,
    /// scan: k words; `Totals` writes T[b], `Main` reads C[b]; then (one slot per value) element 0 of the results.
    Carry,
    /// filter: (one slot per value) where the kept values of this call go, densely from the pointer; the first word
    /// slot receives the number kept.
    Count,
    /// scatter, scatter_with: the driver gives buffers for `hi - lo` indices (u64) and values, densely; it scatters.
    Staged,
}

/// `[lo, hi)` of the iterations: 0 on success; 1 where some iteration failed (what was written is then void). A unit
/// compiled in exact mode runs in sequential order, stops at the first failure and has written the fault record.
pub type ChunkFn = unsafe extern "C" fn(frame: *const Frame, lo: u64, hi: u64) -> u64;

/// `into = left op right` for the k words of a combining function.
pub type CombineFn = unsafe extern "C" fn(frame: *const Frame, into: *mut u64, left: *const u64, right: *const u64) -> u64;

/// The failure of an exact unit.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRecord {
    /// Index into the unit's sites.
    pub site: u64,
    /// The bits of the operands.
    pub operands: [u64; 8],
}

/// A place in a unit that can fail.
#[derive(Clone, Debug)]
pub struct Site {
    /// How.
    pub fault: Fault,
    /// The types of the operands, in the order of the record.
    pub operands: Vec<dsl_runtime::ir::ScalarType>,
    /// Where.
    pub place: Place,
}

/// Memory for arrays that live no longer than an iteration: a bump pointer; compiled code calls [`arena_alloc`].
#[repr(C)]
#[derive(Debug, Default)]
pub struct Arena {
    /// The next free byte.
    pub next: usize,
    /// The end.
    pub end: usize,
    /// All blocks, the current one last.
    pub blocks: Vec<Box<[std::mem::MaybeUninit<u64>]>>,
}
