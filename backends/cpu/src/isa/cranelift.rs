//! Cranelift at 128 bits: control, memory and calls. Scalar rows are in `scalar.rs`, vector rows in `packed.rs`.

use super::{Callee, Isa, Kind, Label, Reg};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, BlockArg, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind,
    Type, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{Const, ScalarOp, ScalarType};
use std::collections::HashMap;

/// Builds one function.
pub struct Cranelift<'a> {
    pub(super) build: FunctionBuilder<'a>,
    call_conv: CallConv,
    signatures: Vec<(Callee, ir::SigRef)>,
    /// Integers shifted down by half their width; what they were before, and that half in bytes: whoever cuts them to it
    /// takes it where it stands.
    pub(super) shifted: HashMap<ir::Value, (ir::Value, usize)>,
    /// What the listing says, in order: the number of the block, the text.
    pub notes: Vec<(u32, String)>,
}

/// The type of a scalar in a register.
pub(super) fn scalar_type(ty: ScalarType) -> Type {
    match ty {
        ScalarType::F32 => types::F32,
        ScalarType::F64 => types::F64,
        other => Type::int(other.bits() as u16).expect("8 to 64 bits"),
    }
}

/// The type of a full vector register.
pub(super) fn vector_type(ty: ScalarType) -> Type {
    let scalar = scalar_type(ty);
    scalar.by(16 / scalar.bytes()).expect("128 bits")
}

/// The integer vector with lanes of so many bytes.
pub(super) fn mask_type(size: usize) -> Type {
    Type::int(size as u16 * 8)
        .and_then(|lane| lane.by(16 / size as u32))
        .expect("lanes of 1 to 8 bytes")
}

fn kind_type(kind: Kind) -> Type {
    match kind {
        Kind::Scalar(ty) => scalar_type(ty),
        Kind::Vector(ty) => vector_type(ty),
        Kind::Mask(size) => mask_type(size),
    }
}

/// Memory of ours never traps; alignment is not promised.
pub(super) fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

pub(super) fn value(reg: Reg) -> ir::Value {
    ir::Value::from_u32(reg.0)
}

pub(super) fn reg(value: ir::Value) -> Reg {
    Reg(value.as_u32())
}

fn block(label: Label) -> ir::Block {
    ir::Block::from_u32(label.0)
}

fn block_args(regs: &[Reg]) -> Vec<BlockArg> {
    regs.iter().map(|&r| BlockArg::from(value(r))).collect()
}

impl<'a> Cranelift<'a> {
    /// Begins a function whose signature is set; yields its parameters, all words.
    pub fn new(mut build: FunctionBuilder<'a>, call_conv: CallConv) -> (Self, Vec<Reg>) {
        let entry = build.create_block();
        build.append_block_params_for_function_params(entry);
        build.switch_to_block(entry);
        let params = build.block_params(entry).iter().map(|&v| reg(v)).collect();
        let this = Cranelift {
            build,
            call_conv,
            signatures: vec![],
            shifted: HashMap::new(),
            notes: vec![],
        };
        (this, params)
    }

    /// The builder, to finish the function, and the notes.
    pub fn finish(mut self) -> (FunctionBuilder<'a>, Vec<(u32, String)>) {
        self.build.seal_all_blocks();
        (self.build, self.notes)
    }

    /// An integer that has just been loaded, loaded as a wider one: machines do both at once.
    fn widen_load(&mut self, from: ScalarType, to: ScalarType, v: ir::Value) -> Option<ir::Value> {
        if !from.is_integer() || !to.is_integer() || to.bits() != 64 || from.bits() > 32 {
            return None;
        }
        let block = self.build.current_block()?;
        let func = &mut *self.build.func;
        let load = func.layout.last_inst(block)?;
        let ir::InstructionData::Load {
            opcode: ir::Opcode::Load,
            arg,
            offset,
            ..
        } = func.dfg.insts[load]
        else {
            return None;
        };
        if func.dfg.inst_results(load) != [v] {
            return None;
        }
        func.layout.remove_inst(load);
        func.dfg.detach_inst_results(load);
        let (ins, flags) = (self.build.ins(), memory());
        let wide = match (from.class() == Class::Signed, from.bytes()) {
            (true, 1) => ins.sload8(types::I64, flags, arg, offset),
            (true, 2) => ins.sload16(types::I64, flags, arg, offset),
            (true, _) => ins.sload32(flags, arg, offset),
            (false, 1) => ins.uload8(types::I64, flags, arg, offset),
            (false, 2) => ins.uload16(types::I64, flags, arg, offset),
            (false, _) => ins.uload32(flags, arg, offset),
        };
        let narrow = self.build.ins().ireduce(scalar_type(from), wide);
        self.build.func.dfg.change_to_alias(v, narrow);
        Some(wide)
    }

    pub(super) fn raw_call(
        &mut self,
        callee: Callee,
        address: ir::Value,
        args: &[ir::Value],
    ) -> Option<ir::Value> {
        let known = self
            .signatures
            .iter()
            .find(|(c, _)| *c == callee)
            .map(|(_, s)| *s);
        let signature = known.unwrap_or_else(|| {
            let mut signature = Signature::new(self.call_conv);
            let (params, result): (&[Type], Option<Type>) = match callee {
                Callee::Alloc => (&[types::I64; 4], Some(types::I64)),
                Callee::Free | Callee::Clear | Callee::Fetch => (&[types::I64; 2], None),
                Callee::Copy => (&[types::I64; 3], None),
                Callee::Rem32 => (&[types::F32; 2], Some(types::F32)),
                Callee::Rem64 => (&[types::F64; 2], Some(types::F64)),
            };
            signature
                .params
                .extend(params.iter().map(|&t| AbiParam::new(t)));
            signature.returns.extend(result.map(AbiParam::new));
            let new = self.build.import_signature(signature);
            self.signatures.push((callee, new));
            new
        });
        let inst = self.build.ins().call_indirect(signature, address, args);
        self.build.inst_results(inst).first().copied()
    }
}

impl Isa for Cranelift<'_> {
    fn bytes(&self) -> usize {
        16
    }

    fn label(&mut self, params: &[Kind]) -> Label {
        let new = self.build.create_block();
        for &kind in params {
            self.build.append_block_param(new, kind_type(kind));
        }
        Label(new.as_u32())
    }

    fn params(&self, label: Label) -> Vec<Reg> {
        self.build
            .block_params(block(label))
            .iter()
            .map(|&v| reg(v))
            .collect()
    }

    fn enter(&mut self, label: Label) {
        self.build.switch_to_block(block(label));
    }

    fn cold(&mut self, label: Label) {
        self.build.set_cold_block(block(label));
    }

    fn jump(&mut self, to: Label, args: &[Reg]) {
        self.build.ins().jump(block(to), &block_args(args));
    }

    fn branch(&mut self, cond: Reg, then: (Label, &[Reg]), other: (Label, &[Reg])) {
        self.build.ins().brif(
            value(cond),
            block(then.0),
            &block_args(then.1),
            block(other.0),
            &block_args(other.1),
        );
    }

    fn branch_seldom(&mut self, cond: Reg, exit: Label, next: Label) {
        let first = match either(self.build.func, value(cond)) {
            Some(Either { first, second, not }) => {
                // `a or b` is true, or its opposite false, as soon as the first is true.
                let decided = if not { next } else { exit };
                let other = self.label(&[]);
                self.branch(reg(first), (decided, &[]), (other, &[]));
                self.enter(other);
                match not {
                    true => return self.branch(reg(second), (next, &[]), (exit, &[])),
                    false => reg(second),
                }
            }
            None => cond,
        };
        self.branch(first, (exit, &[]), (next, &[]));
    }

    /// The round is the second successor: Cranelift visits that one first, while it still knows the loop, and only so
    /// moves what does not change out of it (`egraph/elaborate.rs`: a loop is forgotten at the first block outside).
    fn repeat(&mut self, cond: Reg, inside: (Label, &[Reg]), exit: (Label, &[Reg])) {
        let zero = self.build.ins().iconst(types::I8, 0);
        let done = self.build.ins().icmp(IntCC::Equal, value(cond), zero);
        self.branch(reg(done), exit, inside);
    }

    fn ret(&mut self, word: Reg) {
        self.build.ins().return_(&[value(word)]);
    }

    fn constant(&mut self, constant: Const) -> Reg {
        let ins = self.build.ins();
        reg(match constant.ty {
            ScalarType::F32 => {
                ins.f32const(ir::immediates::Ieee32::with_bits(constant.bits as u32))
            }
            ScalarType::F64 => ins.f64const(ir::immediates::Ieee64::with_bits(constant.bits)),
            ty => ins.iconst(scalar_type(ty), constant.bits as i64),
        })
    }

    fn op(&mut self, op: ScalarOp, ty: ScalarType, operands: &[Reg]) -> Reg {
        let operands: Vec<ir::Value> = operands.iter().map(|&r| value(r)).collect();
        reg(super::scalar::op(self, op, ty, &operands))
    }

    fn cast(&mut self, from: ScalarType, to: ScalarType, operand: Reg) -> Reg {
        if let Some(wide) = self.widen_load(from, to, value(operand)) {
            return reg(wide);
        }
        reg(super::scalar::cast(
            &mut self.build,
            from,
            to,
            value(operand),
        ))
    }

    fn bits(&mut self, from: ScalarType, to: ScalarType, operand: Reg) -> Reg {
        let (from, to) = (scalar_type(from), scalar_type(to));
        if from == to {
            return operand;
        }
        reg(self
            .build
            .ins()
            .bitcast(to, MemFlagsData::new(), value(operand)))
    }

    fn load(&mut self, ty: ScalarType, address: Reg, offset: i32) -> Reg {
        reg(self
            .build
            .ins()
            .load(scalar_type(ty), memory(), value(address), offset))
    }

    fn store(&mut self, _: ScalarType, scalar: Reg, address: Reg, offset: i32) {
        self.build
            .ins()
            .store(memory(), value(scalar), value(address), offset);
    }

    fn slot(&mut self, bytes: usize) -> Reg {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes.max(1) as u32, 4);
        let slot = self.build.create_sized_stack_slot(data);
        reg(self.build.ins().stack_addr(types::I64, slot, 0))
    }

    fn call(&mut self, callee: Callee, runtime: Reg, args: &[Reg]) -> Option<Reg> {
        let offset = match callee {
            Callee::Alloc => 0,
            Callee::Free => 8,
            Callee::Copy => 16,
            Callee::Clear => 24,
            Callee::Fetch => 32,
            Callee::Rem32 | Callee::Rem64 => unreachable!("not lent by the driver"),
        };
        let address = self
            .build
            .ins()
            .load(types::I64, memory(), value(runtime), offset);
        let args: Vec<ir::Value> = args.iter().map(|&r| value(r)).collect();
        self.raw_call(callee, address, &args).map(reg)
    }

    fn note(&mut self, text: &str) {
        let at = self.build.current_block().map_or(0, |b| b.as_u32());
        self.notes.push((at, text.to_owned()));
    }
}

/// `first or second`, or the opposite of that.
struct Either {
    first: ir::Value,
    second: ir::Value,
    not: bool,
}

/// Two comparisons of which one suffices.
fn either(func: &ir::Function, cond: ir::Value) -> Option<Either> {
    let made = |v| match func.dfg.value_def(v) {
        ir::ValueDef::Result(inst, _) => Some(&func.dfg.insts[inst]),
        _ => None,
    };
    let compares = |v| made(v).is_some_and(|inst| inst.opcode() == ir::Opcode::Icmp);
    match *made(cond)? {
        ir::InstructionData::Binary {
            opcode: ir::Opcode::Bor,
            args: [first, second],
        } if compares(first) && compares(second) => Some(Either {
            first,
            second,
            not: false,
        }),
        ir::InstructionData::IntCompare {
            opcode: ir::Opcode::Icmp,
            cond: IntCC::Equal,
            args: [inner, zero],
        } if func.dfg.value_type(inner) == types::I8
            && super::product::integer(func, zero) == Some(0) =>
        {
            let inner = either(func, inner)?;
            Some(Either {
                not: !inner.not,
                ..inner
            })
        }
        _ => None,
    }
}
