//! The instruction-set interface: what the vectoriser asks of a machine. The width of a register is a parameter; nothing
//! here or in [`crate::vector`] knows which code generator stands behind it. [`cranelift`] implements it at 128 bits.
//!
//! A register is a scalar or a vector of `bytes() / size` lanes. The truth of lanes is a mask: a vector of unsigned integers
//! of all ones or all zeros. What a machine lacks on vectors it answers with `None`; the vectoriser then goes lane by lane.

pub mod cranelift;
mod packed;
pub(crate) mod product;
mod scalar;

use dsl_runtime::ir::{Const, ScalarOp, ScalarType};

/// A value in a register, in static single assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reg(pub u32);

/// The beginning of a basic block, with parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(pub u32);

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One value; a `bool` is 0 or 1 in 8 bits.
    Scalar(ScalarType),
    /// Lanes; never of `bool`: that is a mask.
    Vector(ScalarType),
    /// Truth values in lanes of so many bytes.
    Mask(usize),
}

/// Functions that the drivers lend to compiled code, in the order of [`crate::abi::Runtime`], and those of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// `alloc(frame, elements, bytes, site) -> block`.
    Alloc,
    /// `free(frame, block)`.
    Free,
    /// `copy(to, from, bytes)`.
    Copy,
    /// `clear(to, bytes)`.
    Clear,
    /// `fetch(from, bytes)`.
    Fetch,
    /// `f32 % f32`.
    Rem32,
    /// `f64 % f64`.
    Rem64,
}

/// Control, scalars and memory.
pub trait Isa {
    /// Bytes in a vector register.
    fn bytes(&self) -> usize;

    /// A new basic block.
    fn label(&mut self, params: &[Kind]) -> Label;
    /// The parameters of a block.
    fn params(&self, label: Label) -> Vec<Reg>;
    /// What follows stands in this block.
    fn enter(&mut self, label: Label);
    /// Says that a block is seldom reached.
    fn cold(&mut self, label: Label);
    /// Ends the block.
    fn jump(&mut self, to: Label, args: &[Reg]);
    /// Ends the block: where the scalar `bool` is true, to `then`.
    fn branch(&mut self, cond: Reg, then: (Label, &[Reg]), other: (Label, &[Reg]));
    /// Ends the block: where the scalar `bool` is true, which is seldom, to `exit`, else to `next`. Of alternatives the
    /// second is looked at only where the first does not decide.
    fn branch_seldom(&mut self, cond: Reg, exit: Label, next: Label);
    /// Ends the block, the head of a loop: where the scalar `bool` is true, to the next round.
    fn repeat(&mut self, cond: Reg, inside: (Label, &[Reg]), exit: (Label, &[Reg]));
    /// Ends the function with a word.
    fn ret(&mut self, word: Reg);

    /// A constant.
    fn constant(&mut self, value: Const) -> Reg;
    /// A row of the table on scalars. `ty` is the type of the first operand that is not a condition. Integer divisions
    /// have been tested by the caller.
    fn op(&mut self, op: ScalarOp, ty: ScalarType, operands: &[Reg]) -> Reg;
    /// Rust's `as`.
    fn cast(&mut self, from: ScalarType, to: ScalarType, value: Reg) -> Reg;
    /// The same bits.
    fn bits(&mut self, from: ScalarType, to: ScalarType, value: Reg) -> Reg;

    /// Reads a scalar at `address + offset`.
    fn load(&mut self, ty: ScalarType, address: Reg, offset: i32) -> Reg;
    /// Writes one.
    fn store(&mut self, ty: ScalarType, value: Reg, address: Reg, offset: i32);
    /// The address of so many bytes that live as long as the call.
    fn slot(&mut self, bytes: usize) -> Reg;
    /// Calls; the words (and floats) are as listed at [`Callee`].
    fn call(&mut self, callee: Callee, runtime: Reg, args: &[Reg]) -> Option<Reg>;
    /// Notes for the listing what the code that follows comes from.
    fn note(&mut self, text: &str);
}

/// Vectors. `ty` is never `bool`.
pub trait Simd: Isa {
    /// All lanes the same.
    fn splat(&mut self, ty: ScalarType, value: Reg) -> Reg;
    /// These lanes (of bits); as many as the register has.
    fn lanes(&mut self, ty: ScalarType, bits: &[u64]) -> Reg;
    /// A row that yields its operands' type.
    fn packed(&mut self, op: ScalarOp, ty: ScalarType, operands: &[Reg]) -> Option<Reg>;
    /// A shift or rotation by an amount that is the same for all lanes: a scalar of type `ty`.
    fn shift(&mut self, op: ScalarOp, ty: ScalarType, value: Reg, amount: Reg) -> Option<Reg>;
    /// A comparison; the mask has lanes of the size of `ty`.
    fn compare(&mut self, op: ScalarOp, ty: ScalarType, a: Reg, b: Reg) -> Reg;
    /// By lane, `a` where the mask (lanes of the size of `ty`) is true.
    fn select(&mut self, ty: ScalarType, mask: Reg, a: Reg, b: Reg) -> Reg;
    /// Rust's `as` on whole registers: from the registers that hold `count` lanes to those that do.
    fn convert(
        &mut self,
        from: ScalarType,
        to: ScalarType,
        count: usize,
        regs: &[Reg],
    ) -> Option<Vec<Reg>>;
    /// The same bits under another type.
    fn view(&mut self, from: ScalarType, to: ScalarType, value: Reg) -> Reg;
    /// A scalar from a lane.
    fn extract(&mut self, ty: ScalarType, value: Reg, lane: usize) -> Reg;
    /// A lane replaced.
    fn insert(&mut self, ty: ScalarType, value: Reg, lane: usize, scalar: Reg) -> Reg;
    /// Reads the first `bytes` bytes of a register (a power of two; the rest is not defined).
    fn vload(&mut self, ty: ScalarType, bytes: usize, address: Reg, offset: i32) -> Reg;
    /// Writes the first `bytes` bytes.
    fn vstore(&mut self, ty: ScalarType, bytes: usize, value: Reg, address: Reg, offset: i32);
    /// The bytes `bytes[i]` of `a ++ b`.
    fn shuffle(&mut self, ty: ScalarType, a: Reg, b: Reg, bytes: &[u8]) -> Reg;
    /// The bytes of `a` at the places that the register `at` tells.
    fn swizzle(&mut self, ty: ScalarType, a: Reg, at: Reg) -> Reg;

    /// `and`, `or`, `xor` of masks of that size.
    fn mask_op(&mut self, op: ScalarOp, a: Reg, b: Reg) -> Reg;
    /// The complement.
    fn mask_not(&mut self, a: Reg) -> Reg;
    /// Masks of `from` bytes a lane as masks of `to` bytes a lane, for `count` lanes.
    fn mask_convert(&mut self, from: usize, to: usize, count: usize, regs: &[Reg]) -> Vec<Reg>;
    /// A vector of unsigned integers of this size as a mask, and back: free.
    fn mask_view(&mut self, size: usize, value: Reg) -> Reg;
    /// One bit a lane, the first lane lowest, as a `u32`.
    fn mask_bits(&mut self, size: usize, mask: Reg) -> Reg;
}

/// Whether the backend computes a row on a type itself: all whose meaning is native.
pub fn native(op: ScalarOp, ty: ScalarType) -> bool {
    use ScalarOp::*;
    let computed = matches!(
        op,
        Add | Sub
            | Mul
            | Div
            | Rem
            | Neg
            | Abs
            | MulHigh
            | Min
            | Max
            | And
            | Or
            | Xor
            | Not
            | Shl
            | Shr
            | RotateLeft
            | CountOnes
            | LeadingZeros
            | TrailingZeros
            | Eq
            | Ne
            | Lt
            | Le
            | Gt
            | Ge
            | Select
            | Fma
            | Sqrt
            | Floor
            | Ceil
            | Trunc
            | Nearest
            | Round
            | Copysign
    );
    computed && op.row().signature.admits(ty)
}

/// Names everything that compiled code depends on: the architecture and the features in use.
pub fn target() -> String {
    crate::jit::target_name().unwrap_or_else(|_| std::env::consts::ARCH.to_owned())
}
