//! What a statement may do besides computing: fail, or cost much. Passes ask before they delete, move or repeat.

use crate::ir::*;

/// Whether running the statement can fail.
pub fn can_fail(func: &Func, stmt: &Stmt) -> bool {
    match &stmt.expr {
        Expr::Op(op, operands) => {
            op.can_fail(func.atom_type(operands[0]).elem) && !safe_divisor(func, operands)
        }
        Expr::Index(index) | Expr::Update(index, _) => index.checked,
        Expr::Check(_) => true,
        Expr::If(_, then, or_else) => block_can_fail(func, then) || block_can_fail(func, or_else),
        Expr::Loop(inner) => {
            block_can_fail(func, &inner.body)
                || matches!(&inner.kind, LoopKind::While(cond) if block_can_fail(func, cond))
        }
        Expr::Par(par) => {
            block_can_fail(func, &par.body)
                || walk::lambdas(par).any(|lambda| block_can_fail(func, &lambda.body))
                || par.sinks.iter().any(|sink| sink_can_fail(sink.kind))
        }
        Expr::Cast(..) | Expr::Bits(..) | Expr::Array(_) | Expr::Data(_) | Expr::Reshape(..) => {
            false
        }
    }
}

/// Whether running the block can fail.
pub fn block_can_fail(func: &Func, block: &Block) -> bool {
    block.stmts.iter().any(|stmt| can_fail(func, stmt))
}

/// Whether the par does nothing but collect, without failing: where its rows have no elements, however many there are, it
/// need not be walked.
pub fn only_collects(func: &Func, par: &Par) -> bool {
    !par.sinks.is_empty()
        && par.sinks.iter().all(|sink| sink.kind == SinkKind::Collect)
        && !block_can_fail(func, &par.body)
}

/// Whether the order in which the sink combines values shows in its results: in those of a function of the program's, and
/// of sums and products that round.
pub fn shows_order(func: &Func, sink: &Sink) -> bool {
    match &sink.combine {
        Some(Combine::Op(op)) => {
            // The only value; before it stands the place of a scatter.
            let value = sink
                .values
                .last()
                .expect("a sink that combines has a value");
            func.atom_type(*value).elem.is_float() && matches!(op, ScalarOp::Add | ScalarOp::Mul)
        }
        Some(Combine::Lambda(_)) => true,
        None => false,
    }
}

/// Whether the sink itself can fail (its combining function apart).
pub fn sink_can_fail(kind: SinkKind) -> bool {
    matches!(kind, SinkKind::Scatter | SinkKind::ScatterWith)
}

/// A constant divisor that is neither 0 nor -1 divides everything.
fn safe_divisor(func: &Func, operands: &[Atom]) -> bool {
    operands[1].as_const().is_some_and(|divisor| {
        let ones = u64::MAX >> (64 - divisor.ty.bits());
        let minus_one = divisor.ty.class() == types::Class::Signed && divisor.bits == ones;
        divisor.bits != 0 && !minus_one && func.atom_type(operands[0]).elem.is_integer()
    })
}

/// A rough price in simple operations; loops and pars inside count as dear.
pub fn cost(stmt: &Stmt) -> u32 {
    match &stmt.expr {
        Expr::Op(op, _) => match op {
            ScalarOp::Div | ScalarOp::Rem | ScalarOp::Sqrt => 8,
            _ if matches!(op.row().meaning, op::Meaning::Math) => 24,
            _ => 1,
        },
        Expr::Cast(..) | Expr::Bits(..) | Expr::Index(_) => 1,
        Expr::Check(_) | Expr::Data(_) | Expr::Reshape(..) => 0,
        Expr::Array(elements) => elements.len() as u32,
        Expr::If(_, then, or_else) => 1 + block_cost(then) + block_cost(or_else),
        Expr::Update(..) | Expr::Loop(_) | Expr::Par(_) => DEAR,
    }
}

/// The price of a block.
pub fn block_cost(block: &Block) -> u32 {
    block.stmts.iter().map(cost).fold(0, u32::saturating_add)
}

/// More than anything is worth repeating.
pub const DEAR: u32 = 1 << 16;
