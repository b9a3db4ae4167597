//! The contract between compiled code and the drivers that run it.
//!
//! A *unit* is what is compiled to machine code: a par that was scheduled on `threads` ([`crate::unit::ParUnit`]), or a
//! run of statements without such a par ([`crate::unit::RegionUnit`]). What a unit needs from outside stands in one
//! block of 64-bit words, the environment; what it produces goes through slots. Lengths of arrays are no words of their
//! own: the sizes in an array's type are scalars of the environment (or constants).

use dsl_runtime::ir::{Fault, Place, ScalarType, Var};

/// What stands in the environment, in order. All are words of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnvSlot {
    /// The bits of a scalar, zero-extended.
    Scalar(Var),
    /// The address of element 0 of an array.
    Data(Var),
    /// The [`Block`] that keeps an array alive; only regions ask for it, and it is never null there. Memory of the
    /// caller's gets a block whose first reference the driver keeps, so that it never counts as unshared.
    Block(Var),
    /// The distance in bytes of neighbours along dimension `.1`: only for arrays that the layout calls strided.
    Stride(Var, usize),
}

impl EnvSlot {
    /// Whose.
    pub fn var(self) -> Var {
        match self {
            EnvSlot::Scalar(var)
            | EnvSlot::Data(var)
            | EnvSlot::Block(var)
            | EnvSlot::Stride(var, _) => var,
        }
    }
}

/// What every compiled function is given.
#[repr(C)]
#[derive(Debug)]
pub struct Frame {
    /// The environment, as [`EnvSlot`] lists it.
    pub env: *const u64,
    /// One address per slot (see [`SlotUse`] for pars; a region has one slot per result, see [`RegionFn`]).
    pub slots: *const *mut u8,
    /// What compiled code may call.
    pub runtime: *const Runtime,
    /// Where an exact unit writes its failure, and [`Runtime::alloc`] the number of bytes it could not get.
    pub fault: *mut FaultRecord,
    /// For the driver's own use (what the call holds); compiled code does not look at it.
    pub context: *mut u8,
}

/// What compiled code may call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Runtime {
    /// A block for `elements * bytes` bytes, uninitialised, with one reference; null if it cannot be had (the driver
    /// then notes the bytes and `site`; `elements` is `u64::MAX` if the product of the lengths overflows).
    pub alloc: unsafe extern "C" fn(
        frame: *const Frame,
        elements: u64,
        bytes: u64,
        site: u64,
    ) -> *mut Block,
    /// Gives a block back whose last reference has gone.
    pub free: unsafe extern "C" fn(frame: *const Frame, block: *mut Block),
    /// Copies `bytes` bytes; the stretches do not overlap.
    pub copy: unsafe extern "C" fn(to: *mut u8, from: *const u8, bytes: u64),
    /// Sets `bytes` bytes to zero.
    pub clear: unsafe extern "C" fn(to: *mut u8, bytes: u64),
    /// Says that `bytes` bytes will be read soon. They need not exist.
    pub fetch: unsafe extern "C" fn(from: *const u8, bytes: u64),
}

/// The head of the memory of an array. Compiled code counts references (a block is never shared between threads while
/// compiled code may count on it) and works in place where it holds the only one. The driver allocates a larger
/// structure that begins with this.
#[repr(C)]
#[derive(Debug)]
pub struct Block {
    /// The number of references.
    pub refs: u64,
    /// The first byte of the elements, aligned to 16.
    pub data: *mut u8,
}

/// What a slot of a par is for. Slots stand in the order of the sinks, and within a sink as listed here. `k` is the
/// number of values that the sink combines or writes. Slots hold the same addresses for all calls of a run, but for
/// `Kept`, `Values` of filters, `Index` and `Values` of scatters, which belong to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotUse {
    /// collect, scan: element 0 of a result; iteration `i` writes at `i * bytes` (bytes of one element or sub-array).
    /// Results are contiguous (those for memory of another layout are copied by the driver).
    Result,
    /// reduce: the totals of the blocks, `k` words a block; block `b` writes the words from `b * k`. `e` is not in it.
    Partial,
    /// scan: before the carries, as `Partial`: totals write `T[b]`, then the driver puts `C[b]` in their place.
    Carry,
    /// filter: one word; in: for how many elements `Values` have room; out: how many were kept.
    /// The code never writes beyond the room. With a room of 16 more than `hi - lo` it always takes the fast way.
    Kept,
    /// filter, scatter: element 0 of where this call's values go, densely.
    Values,
    /// scatter, scatter_with: where this call's indices go, densely, as u64. They are not tested: the driver does that.
    Index,
}

/// The iterations `[lo, hi)`: [`OK`], [`FAULT`] or [`MEMORY`]; after a failure what was written is void. An exact unit
/// runs in sequential order, stops at the first failure and has written the fault record. Where the unit has a
/// reduce or scan, `lo` is a multiple of `order::BLOCK`, and `hi` too unless it is the extent.
pub type ChunkFn = unsafe extern "C" fn(frame: *const Frame, lo: u64, hi: u64) -> u64;

/// `into = left op right` for the `k` words of a combining function. `into` may be `left` or `right`.
pub type CombineFn = unsafe extern "C" fn(
    frame: *const Frame,
    into: *mut u64,
    left: *const u64,
    right: *const u64,
) -> u64;

/// Runs a region. Slot `k` receives result `k`: a scalar as one word; an array as two words, data and block, with a
/// reference that is now the driver's. Array results are contiguous. References of arrays that were announced as dying
/// have become the region's, whether it succeeds or not.
pub type RegionFn = unsafe extern "C" fn(frame: *const Frame) -> u64;

/// All went well.
pub const OK: u64 = 0;
/// Some iteration or statement failed.
pub const FAULT: u64 = 1;
/// Memory could not be had.
pub const MEMORY: u64 = 2;

/// The failure of an exact unit.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRecord {
    /// Index into the unit's sites.
    pub site: u64,
    /// The bits of the operands. Operands beyond the eighth are dropped.
    pub operands: [u64; 8],
}

/// A place in a unit that can fail.
#[derive(Clone, Debug)]
pub struct Site {
    /// How; `None` where memory is asked for.
    pub fault: Option<Fault>,
    /// The types of the operands, in the order of the record.
    pub operands: Vec<ScalarType>,
    /// Where.
    pub place: Place,
}
