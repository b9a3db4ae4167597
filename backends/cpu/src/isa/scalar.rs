//! Scalar rows of the table in Cranelift, to the bit.

use super::Callee;
use super::cranelift::{Cranelift, scalar_type};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{ScalarOp, ScalarType};

extern "C" fn rem32(a: f32, b: f32) -> f32 {
    a % b
}

extern "C" fn rem64(a: f64, b: f64) -> f64 {
    a % b
}

/// The integer condition of a comparison.
pub(super) fn int_condition(op: ScalarOp, signed: bool) -> IntCC {
    use IntCC::*;
    match (op, signed) {
        (ScalarOp::Eq, _) => Equal,
        (ScalarOp::Ne, _) => NotEqual,
        (ScalarOp::Lt, true) => SignedLessThan,
        (ScalarOp::Lt, false) => UnsignedLessThan,
        (ScalarOp::Le, true) => SignedLessThanOrEqual,
        (ScalarOp::Le, false) => UnsignedLessThanOrEqual,
        (ScalarOp::Gt, true) => SignedGreaterThan,
        (ScalarOp::Gt, false) => UnsignedGreaterThan,
        (_, true) => SignedGreaterThanOrEqual,
        (_, false) => UnsignedGreaterThanOrEqual,
    }
}

/// The float condition of a comparison.
pub(super) fn float_condition(op: ScalarOp) -> FloatCC {
    match op {
        ScalarOp::Eq => FloatCC::Equal,
        ScalarOp::Ne => FloatCC::NotEqual,
        ScalarOp::Lt => FloatCC::LessThan,
        ScalarOp::Le => FloatCC::LessThanOrEqual,
        ScalarOp::Gt => FloatCC::GreaterThan,
        _ => FloatCC::GreaterThanOrEqual,
    }
}

/// Whether the row compares.
pub(super) fn compares(op: ScalarOp) -> bool {
    use ScalarOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge)
}

/// The value of a row.
pub(super) fn op(isa: &mut Cranelift<'_>, op: ScalarOp, ty: ScalarType, v: &[Value]) -> Value {
    if op == ScalarOp::Select {
        return isa.build.ins().select(v[0], v[1], v[2]);
    }
    match ty.class() {
        Class::Float => float(isa, op, ty, v),
        _ => integer(isa, op, ty, v),
    }
}

fn integer(isa: &mut Cranelift<'_>, op: ScalarOp, ty: ScalarType, v: &[Value]) -> Value {
    let signed = ty.class() == Class::Signed;
    let boolean = ty == ScalarType::Bool;
    let clif = scalar_type(ty);
    let b = &mut isa.build;
    match op {
        ScalarOp::Add => b.ins().iadd(v[0], v[1]),
        ScalarOp::Sub => b.ins().isub(v[0], v[1]),
        ScalarOp::Mul => b.ins().imul(v[0], v[1]),
        ScalarOp::Div if signed => b.ins().sdiv(v[0], v[1]),
        ScalarOp::Div => b.ins().udiv(v[0], v[1]),
        ScalarOp::Rem if signed => b.ins().srem(v[0], v[1]),
        ScalarOp::Rem => b.ins().urem(v[0], v[1]),
        ScalarOp::Neg => b.ins().ineg(v[0]),
        ScalarOp::Abs => {
            let zero = b.ins().iconst(clif, 0);
            let below = b.ins().icmp(IntCC::SignedLessThan, v[0], zero);
            let negative = b.ins().ineg(v[0]);
            b.ins().select(below, negative, v[0])
        }
        ScalarOp::MulHigh if clif == types::I64 && signed => b.ins().smulhi(v[0], v[1]),
        ScalarOp::MulHigh if clif == types::I64 => b.ins().umulhi(v[0], v[1]),
        ScalarOp::MulHigh => {
            let x = extend(b, v[0], ty);
            let y = extend(b, v[1], ty);
            let product = b.ins().imul(x, y);
            let amount = b.ins().iconst(types::I64, i64::from(ty.bits()));
            let high = b.ins().ushr(product, amount);
            b.ins().ireduce(clif, high)
        }
        ScalarOp::Min | ScalarOp::Max => {
            let pick = if op == ScalarOp::Min {
                ScalarOp::Lt
            } else {
                ScalarOp::Gt
            };
            let first = b.ins().icmp(int_condition(pick, signed), v[0], v[1]);
            b.ins().select(first, v[0], v[1])
        }
        ScalarOp::And => b.ins().band(v[0], v[1]),
        ScalarOp::Or => b.ins().bor(v[0], v[1]),
        ScalarOp::Xor => b.ins().bxor(v[0], v[1]),
        // Of a comparison Cranelift makes the opposite one.
        ScalarOp::Not if boolean => {
            let zero = b.ins().iconst(types::I8, 0);
            b.ins().icmp(IntCC::Equal, v[0], zero)
        }
        ScalarOp::Not => b.ins().bnot(v[0]),
        ScalarOp::Shl | ScalarOp::Shr | ScalarOp::RotateLeft => {
            let amount = amount(b, v[1], ty);
            match op {
                ScalarOp::Shl => b.ins().ishl(v[0], amount),
                ScalarOp::Shr if signed => b.ins().sshr(v[0], amount),
                ScalarOp::Shr => b.ins().ushr(v[0], amount),
                _ => b.ins().rotl(v[0], amount),
            }
        }
        ScalarOp::CountOnes | ScalarOp::LeadingZeros | ScalarOp::TrailingZeros => {
            let count = match op {
                ScalarOp::CountOnes => b.ins().popcnt(v[0]),
                ScalarOp::LeadingZeros => b.ins().clz(v[0]),
                _ => b.ins().ctz(v[0]),
            };
            match ty.bits() {
                32 => count,
                64 => b.ins().ireduce(types::I32, count),
                _ => b.ins().uextend(types::I32, count),
            }
        }
        _ if compares(op) => b.ins().icmp(int_condition(op, signed), v[0], v[1]),
        other => unreachable!("the verifier admits no {} on {ty}", other.name()),
    }
}

/// A shift amount modulo the width.
pub(super) fn amount(b: &mut FunctionBuilder<'_>, amount: Value, ty: ScalarType) -> Value {
    let mask = b.ins().iconst(scalar_type(ty), i64::from(ty.bits() - 1));
    b.ins().band(amount, mask)
}

fn extend(b: &mut FunctionBuilder<'_>, v: Value, ty: ScalarType) -> Value {
    match (ty.bits(), ty.class()) {
        (64, _) => v,
        (_, Class::Signed) => b.ins().sextend(types::I64, v),
        _ => b.ins().uextend(types::I64, v),
    }
}

fn float(isa: &mut Cranelift<'_>, op: ScalarOp, ty: ScalarType, v: &[Value]) -> Value {
    let clif = scalar_type(ty);
    let int = clif.as_int();
    let b = &mut isa.build;
    let constant = |b: &mut FunctionBuilder<'_>, x: f64| match ty {
        ScalarType::F32 => b.ins().f32const(x as f32),
        _ => b.ins().f64const(x),
    };
    match op {
        ScalarOp::Add => b.ins().fadd(v[0], v[1]),
        ScalarOp::Sub => b.ins().fsub(v[0], v[1]),
        ScalarOp::Mul => b.ins().fmul(v[0], v[1]),
        ScalarOp::Div => b.ins().fdiv(v[0], v[1]),
        ScalarOp::Rem => {
            let (callee, address) = match ty {
                ScalarType::F32 => (Callee::Rem32, rem32 as *const () as usize),
                _ => (Callee::Rem64, rem64 as *const () as usize),
            };
            let address = b.ins().iconst(types::I64, address as i64);
            isa.raw_call(callee, address, v)
                .expect("a remainder is a value")
        }
        ScalarOp::Neg => b.ins().fneg(v[0]),
        ScalarOp::Abs => b.ins().fabs(v[0]),
        // Of equal values (zeros!) the bits are joined: or keeps a minus, and keeps a plus. A NaN is passed over.
        ScalarOp::Min | ScalarOp::Max => {
            let least = op == ScalarOp::Min;
            let strict = if least {
                FloatCC::LessThan
            } else {
                FloatCC::GreaterThan
            };
            let first = b.ins().fcmp(strict, v[0], v[1]);
            let picked = b.ins().select(first, v[0], v[1]);
            let x = b.ins().bitcast(int, MemFlagsData::new(), v[0]);
            let y = b.ins().bitcast(int, MemFlagsData::new(), v[1]);
            let joined = if least {
                b.ins().bor(x, y)
            } else {
                b.ins().band(x, y)
            };
            let joined = b.ins().bitcast(clif, MemFlagsData::new(), joined);
            let equal = b.ins().fcmp(FloatCC::Equal, v[0], v[1]);
            let both = b.ins().select(equal, joined, picked);
            let other_nan = b.ins().fcmp(FloatCC::NotEqual, v[1], v[1]);
            b.ins().select(other_nan, v[0], both)
        }
        ScalarOp::Fma => b.ins().fma(v[0], v[1], v[2]),
        ScalarOp::Sqrt => b.ins().sqrt(v[0]),
        ScalarOp::Floor => b.ins().floor(v[0]),
        ScalarOp::Ceil => b.ins().ceil(v[0]),
        ScalarOp::Trunc => b.ins().trunc(v[0]),
        ScalarOp::Nearest => b.ins().nearest(v[0]),
        ScalarOp::Round => {
            let whole = b.ins().trunc(v[0]);
            let rest = b.ins().fsub(v[0], whole);
            let rest = b.ins().fabs(rest);
            let half = constant(b, 0.5);
            let away = b.ins().fcmp(FloatCC::GreaterThanOrEqual, rest, half);
            let one = constant(b, 1.0);
            let one = b.ins().fcopysign(one, v[0]);
            let next = b.ins().fadd(whole, one);
            let rounded = b.ins().select(away, next, whole);
            b.ins().fcopysign(rounded, v[0])
        }
        ScalarOp::Copysign => b.ins().fcopysign(v[0], v[1]),
        _ if compares(op) => b.ins().fcmp(float_condition(op), v[0], v[1]),
        other => unreachable!("no {} on {ty} in a legal program", other.name()),
    }
}

/// Rust's `as`.
pub(super) fn cast(
    b: &mut FunctionBuilder<'_>,
    from: ScalarType,
    to: ScalarType,
    v: Value,
) -> Value {
    if from == to {
        return v;
    }
    let target = scalar_type(to);
    let signed = from.class() == Class::Signed;
    match (from.is_float(), to.is_float()) {
        // What is not zero is true, however small or wide.
        (true, _) if to == ScalarType::Bool => {
            let zero = match from {
                ScalarType::F32 => b.ins().f32const(0.0),
                _ => b.ins().f64const(0.0),
            };
            b.ins().fcmp(FloatCC::NotEqual, v, zero)
        }
        (false, _) if to == ScalarType::Bool => b.ins().icmp_imm_u(IntCC::NotEqual, v, 0),
        (true, true) if to == ScalarType::F64 => b.ins().fpromote(target, v),
        (true, true) => b.ins().fdemote(target, v),
        (false, true) => {
            // Narrow unsigned integers fit a wider signed one.
            match (from.bits(), signed) {
                (64, true) => b.ins().fcvt_from_sint(target, v),
                (64, false) => b.ins().fcvt_from_uint(target, v),
                (32, true) => b.ins().fcvt_from_sint(target, v),
                (_, true) => {
                    let wide = b.ins().sextend(types::I32, v);
                    b.ins().fcvt_from_sint(target, wide)
                }
                _ => {
                    let wide = b.ins().uextend(types::I64, v);
                    b.ins().fcvt_from_sint(target, wide)
                }
            }
        }
        (true, false) => {
            let to_signed = to.class() == Class::Signed;
            match to.bits() {
                64 if to_signed => b.ins().fcvt_to_sint_sat(types::I64, v),
                64 => b.ins().fcvt_to_uint_sat(types::I64, v),
                32 if to_signed => b.ins().fcvt_to_sint_sat(types::I32, v),
                32 => b.ins().fcvt_to_uint_sat(types::I32, v),
                bits => {
                    let wide = b.ins().fcvt_to_sint_sat(types::I32, v);
                    let (low, high) = if to_signed {
                        (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1)
                    } else {
                        (0, (1i64 << bits) - 1)
                    };
                    let low = b.ins().iconst(types::I32, low & 0xffff_ffff);
                    let high = b.ins().iconst(types::I32, high);
                    let wide = b.ins().smax(wide, low);
                    let wide = b.ins().smin(wide, high);
                    b.ins().ireduce(target, wide)
                }
            }
        }
        (false, false) => {
            if to == ScalarType::Bool {
                let zero = b.ins().iconst(scalar_type(from), 0);
                return b.ins().icmp(IntCC::NotEqual, v, zero);
            }
            match from.bits().cmp(&to.bits()) {
                std::cmp::Ordering::Equal => v,
                std::cmp::Ordering::Greater => b.ins().ireduce(target, v),
                std::cmp::Ordering::Less if signed => b.ins().sextend(target, v),
                std::cmp::Ordering::Less => b.ins().uextend(target, v),
            }
        }
    }
}
