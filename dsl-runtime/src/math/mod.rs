//! The mathematical functions: kernels of the language itself, one source for every backend and every vector width.
//! `legalize` inlines them wherever an operation's meaning is [`Meaning::Math`](crate::ir::op::Meaning).
//!
//! Their main paths have no branches, so that a vectoriser gives each lane the same instructions; what only few arguments
//! need (angles beyond 10⁹) stands behind one `if`. None can fail.
//!
//! In `a.mul_add(b, c)` the first factor is one that nothing else needs, or a constant: machines overwrite its register.

// Coefficients are what they are, also where one comes near a well-known number or has more digits than its type.
#![allow(clippy::approx_constant, clippy::excessive_precision)]

mod circle;
pub mod cos;
pub mod erf;
pub mod exp;
pub mod ln;
pub mod powf;
pub mod powi;
pub mod sin;
pub mod tanh;

use crate::elaborate::lower::lower;
use crate::ir::build::Builder;
use crate::ir::{Atom, Expr, Func, Place, ScalarOp, ScalarType, Stmt, walk};
use crate::pass::{self, Caps, effect};
use crate::syntax::Kernel;
use std::sync::OnceLock;

/// A function: the operation that it means, and its kernel for each type, elaborated when it is first asked for.
struct Row {
    op: ScalarOp,
    f32: (fn() -> &'static Kernel, OnceLock<Func>),
    f64: (fn() -> &'static Kernel, OnceLock<Func>),
}

macro_rules! table {
    ($($op:ident $f32:path, $f64:path;)*) => {
        static TABLE: [Row; [$(ScalarOp::$op),*].len()] = [$({
            use $f32 as single;
            use $f64 as double;
            Row {
                op: ScalarOp::$op,
                f32: (single::__cuprous_tree, OnceLock::new()),
                f64: (double::__cuprous_tree, OnceLock::new()),
            }
        }),*];
    };
}

table! {
    Exp exp::exp_f32, exp::exp_f64;
    Ln ln::ln_f32, ln::ln_f64;
    Sin sin::sin_f32, sin::sin_f64;
    Cos cos::cos_f32, cos::cos_f64;
    Tanh tanh::tanh_f32, tanh::tanh_f64;
    Erf erf::erf_f32, erf::erf_f64;
    Powf powf::powf_f32, powf::powf_f64;
    Powi powi::powi_f32, powi::powi_f64;
}

/// The function that an operation means on operands of a type (for `powi`, its first one); none for operations that
/// backends compute.
///
/// # Panics
/// If a kernel of this module does not elaborate, or could fail: a mistake in this crate.
pub fn function(op: ScalarOp, ty: ScalarType) -> Option<&'static Func> {
    let row = TABLE.iter().find(|row| row.op == op)?;
    let (tree, func) = match ty {
        ScalarType::F32 => &row.f32,
        ScalarType::F64 => &row.f64,
        _ => return None,
    };
    Some(func.get_or_init(|| elaborate(tree())))
}

/// The statements that compute an operation inside another function, and their result; none for operations that backends
/// compute.
pub fn inline(
    func: &mut Func,
    op: ScalarOp,
    ty: ScalarType,
    operands: &[Atom],
    place: Place,
) -> Option<(Vec<Stmt>, Atom)> {
    let kernel = function(op, ty)?;
    if op == ScalarOp::Powi
        && let Some(exponent) = operands[1].as_const()
    {
        let mut builder = Builder::new(func);
        builder.place = place;
        let power = powi::chain(&mut builder, operands[0], exponent.bits as u32 as i32);
        return Some((builder.finish().0, power));
    }
    let (stmts, results) = walk::Copier::inline(kernel, operands, func, Some(place));
    Some((stmts, results[0]))
}

fn elaborate(tree: &'static Kernel) -> Func {
    let broken = |what: &dyn std::fmt::Display| -> ! {
        panic!(
            "internal error in the mathematical function {}: {what}",
            tree.name
        )
    };
    let mut func = lower(tree, &[]).unwrap_or_else(|mistake| broken(&format!("{mistake:?}")));
    // The indices of their tables are masked to the tables' lengths.
    walk::stmts_mut(&mut func.body, &mut |stmt| {
        if let Expr::Index(index) = &mut stmt.expr {
            index.checked = false;
        }
    });
    let caps = Caps {
        op: |_, _| true,
        sink: |_| true,
        levels: vec![],
        optimise: true,
    };
    let func = pass::run(&func, &caps, &["simplify", "cse", "dce", "simplify", "dce"])
        .unwrap_or_else(|why| broken(&format!("after {}: {}", why.pass, why.report)));
    if effect::block_can_fail(&func, &func.body) {
        broken(&format!("it can fail\n{func}"));
    }
    func
}
