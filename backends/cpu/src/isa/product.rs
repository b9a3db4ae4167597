//! Products of 32-bit integers in 64-bit lanes, the core of counter-based random numbers and of multiply-and-shift hashes.
//!
//! x86 multiplies the low halves of 64-bit lanes in one instruction, whole lanes in three (with AVX-512) or in eight.
//! Cranelift takes the one instruction for a product of two `uwiden`s, unless AVX-512's multiplication of whole lanes is
//! allowed, which it then takes for all. So a factor that fits 32 bits is written as a `uwiden` here, and functions in
//! which all products are of that kind are compiled without that instruction.

use super::Simd;
use super::cranelift::{Cranelift, value};
use cranelift_codegen::ir::{
    Function, InstBuilder, InstructionData, Opcode, Value, ValueDef, types,
};
use dsl_runtime::ir::ScalarType;

/// The instruction that defines the value.
fn defined(func: &Function, v: Value) -> Option<&InstructionData> {
    match func.dfg.value_def(v) {
        ValueDef::Result(inst, _) => Some(&func.dfg.insts[inst]),
        _ => None,
    }
}

/// The constant integer, as it was written.
pub(super) fn integer(func: &Function, v: Value) -> Option<u64> {
    match *defined(func, v)? {
        InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } => Some(imm.bits() as u64),
        InstructionData::Unary {
            opcode: Opcode::Ireduce,
            arg,
        } => integer(func, arg).map(|bits| bits & 0xffff_ffff),
        InstructionData::Binary {
            opcode: Opcode::Band,
            args: [a, b],
        } => Some(integer(func, a)? & integer(func, b)?),
        _ => None,
    }
}

/// Which half of the lanes of a vector of 32-bit integers the value extends.
fn extends(func: &Function, v: Value) -> Option<Opcode> {
    match *defined(func, v)? {
        InstructionData::Unary {
            opcode: opcode @ (Opcode::UwidenLow | Opcode::UwidenHigh),
            arg,
        } if func.dfg.value_type(arg) == types::I32X4 => Some(opcode),
        _ => None,
    }
}

impl Cranelift<'_> {
    /// The product of 64-bit lanes.
    pub(super) fn long_product(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = (self.factor(a, b), self.factor(b, a));
        self.build.ins().imul(a, b)
    }

    /// A constant that fits 32 bits, beside a factor that was extended: extended as well.
    fn factor(&mut self, v: Value, beside: Value) -> Value {
        let func = &self.build.func;
        let half = extends(func, beside);
        let constant = match defined(func, v) {
            Some(&InstructionData::Unary {
                opcode: Opcode::Splat,
                arg,
            }) => integer(func, arg),
            _ => None,
        };
        let (Some(half), Some(Ok(bits))) = (half, constant.map(u32::try_from)) else {
            return v;
        };
        // Not a `splat`, which Cranelift would extend before we see it.
        let narrow = value(self.lanes(ScalarType::U32, &[u64::from(bits); 4]));
        match half {
            Opcode::UwidenLow => self.build.ins().uwiden_low(narrow),
            _ => self.build.ins().uwiden_high(narrow),
        }
    }
}

/// Whether all products of 64-bit lanes in the function are of extended 32-bit integers, and there is one.
pub(crate) fn all_extended(func: &Function) -> bool {
    let mut some = false;
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            if let InstructionData::Binary {
                opcode: Opcode::Imul,
                args: [a, b],
            } = func.dfg.insts[inst]
                && func.dfg.value_type(a) == types::I64X2
            {
                let (a, b) = (extends(func, a), extends(func, b));
                if a.is_none() || a != b {
                    return false;
                }
                some = true;
            }
        }
    }
    some
}
