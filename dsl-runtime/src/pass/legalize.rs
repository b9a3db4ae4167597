//! Arranges that a backend is asked for nothing that it lacks: operations that are kernels of the language are inlined, other
//! missing ones are taken apart by a table of rules.

use super::Caps;
use crate::ir::build::Builder;
use crate::ir::*;

/// The pass.
pub fn run(func: &mut Func, caps: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    block(func, caps, &mut body);
    func.body = body;
}

fn block(func: &mut Func, caps: &Caps, body: &mut Block) {
    for mut stmt in std::mem::take(&mut body.stmts) {
        walk::blocks_mut(&mut stmt.expr, &mut |inner| block(func, caps, inner));
        let Expr::Op(op, operands) = &stmt.expr else {
            body.stmts.push(stmt);
            continue;
        };
        let ty = func.atom_type(*operands.last().expect("an operand")).elem;
        let ty = if *op == ScalarOp::Powi {
            func.atom_type(operands[0]).elem
        } else {
            ty
        };
        match expansion(func, caps, *op, ty, operands, stmt.place) {
            Some((stmts, result)) => {
                let mut inner = Block {
                    stmts,
                    results: vec![],
                };
                block(func, caps, &mut inner);
                body.stmts.extend(inner.stmts);
                let same = Block {
                    stmts: vec![],
                    results: vec![result],
                };
                stmt.expr = Expr::If(Const::bool(true).into(), same.clone(), same);
                body.stmts.push(stmt);
            }
            None => body.stmts.push(stmt),
        }
    }
}

fn expansion(
    func: &mut Func,
    caps: &Caps,
    op: ScalarOp,
    ty: ScalarType,
    operands: &[Atom],
    place: Place,
) -> Option<(Vec<Stmt>, Atom)> {
    if (caps.op)(op, ty) {
        return None;
    }
    if let op::Meaning::Math = op.row().meaning {
        return crate::math::inline(func, op, ty, operands, place);
    }
    let rule = RULES.iter().find(|(row, _)| *row == op)?.1;
    let mut builder = Builder::new(func);
    builder.place = place;
    let result = rule(&mut builder, operands);
    let (stmts, _) = builder.finish();
    Some((stmts, result))
}

type Rule = fn(&mut Builder, &[Atom]) -> Atom;

/// How an operation is made of others.
const RULES: &[(ScalarOp, Rule)] = &[
    (ScalarOp::RotateLeft, |b, x| {
        let ty = b.ty(x[0]).elem;
        let unsigned = UNSIGNED[ty.bytes().trailing_zeros() as usize];
        let (value, amount) = (b.bits(unsigned, x[0]), b.bits(unsigned, x[1]));
        let left = b.op(ScalarOp::Shl, [value, amount]);
        let back = b.op(ScalarOp::Neg, [amount]);
        let right = b.op(ScalarOp::Shr, [value, back]);
        let both = b.op(ScalarOp::Or, [left, right]);
        b.bits(ty, both)
    }),
    (ScalarOp::Abs, |b, x| {
        let ty = b.ty(x[0]).elem;
        if ty.is_float() {
            let plus = if ty == ScalarType::F32 {
                Const::f32(0.0)
            } else {
                Const::f64(0.0)
            };
            return b.op(ScalarOp::Copysign, [x[0], plus.into()]);
        }
        let negative = b.op(ScalarOp::Lt, [x[0], Const { ty, bits: 0 }.into()]);
        let opposite = b.op(ScalarOp::Neg, [x[0]]);
        b.op(ScalarOp::Select, [negative, opposite, x[0]])
    }),
    (ScalarOp::Copysign, |b, x| {
        let ty = b.ty(x[0]).elem;
        let bits = UNSIGNED[ty.bytes().trailing_zeros() as usize];
        let sign = Const {
            ty: bits,
            bits: 1 << (ty.bits() - 1),
        };
        let rest = Const {
            ty: bits,
            bits: sign.bits - 1,
        };
        let (value, of) = (b.bits(bits, x[0]), b.bits(bits, x[1]));
        let magnitude = b.op(ScalarOp::And, [value, rest.into()]);
        let sign = b.op(ScalarOp::And, [of, sign.into()]);
        let both = b.op(ScalarOp::Or, [magnitude, sign]);
        b.bits(ty, both)
    }),
    // Round half away from zero: truncate, and add one where at least a half was cut off (exact: the rest is).
    (ScalarOp::Round, |b, x| {
        let ty = b.ty(x[0]).elem;
        let number = |v: f64| -> Atom {
            if ty == ScalarType::F32 {
                Const::f32(v as f32).into()
            } else {
                Const::f64(v).into()
            }
        };
        let whole = b.op(ScalarOp::Trunc, [x[0]]);
        let rest = b.op(ScalarOp::Sub, [x[0], whole]);
        let size = b.op(ScalarOp::Abs, [rest]);
        let up = b.op(ScalarOp::Ge, [size, number(0.5)]);
        let one = b.op(ScalarOp::Copysign, [number(1.0), x[0]]);
        let further = b.op(ScalarOp::Add, [whole, one]);
        b.op(ScalarOp::Select, [up, further, whole])
    }),
    (ScalarOp::TrailingZeros, |b, x| {
        let ty = b.ty(x[0]).elem;
        // The zeros below the lowest one are the ones of (x - 1) & !x.
        let less = b.op(ScalarOp::Sub, [x[0], Const { ty, bits: 1 }.into()]);
        let not = b.op(ScalarOp::Not, [x[0]]);
        let below = b.op(ScalarOp::And, [less, not]);
        b.op(ScalarOp::CountOnes, [below])
    }),
];

/// Unsigned types by the binary logarithm of their bytes.
const UNSIGNED: [ScalarType; 4] = [
    ScalarType::U8,
    ScalarType::U16,
    ScalarType::U32,
    ScalarType::U64,
];
