//! Comparisons of the index with something that is the same for all lanes, as in `if i == 0 || i + 1 == n`: in nearly all groups
//! of lanes they come out the same everywhere. Groups in which they do not are done one by one.

use crate::render::body::Body;
use dsl_runtime::ir::{Atom, Expr, Par, ScalarOp, ScalarType, SinkKind, Var, VarSet};
use std::collections::HashMap;

/// The comparisons, and when they come out the same in so many lanes from the index's variable on; none if there is nothing
/// to be gained.
pub fn agreements(body: &Body<'_>, par: &Par, lanes: usize) -> Option<(VarSet, String)> {
    if par.sinks.iter().any(|sink| sink.kind != SinkKind::Collect) {
        return None;
    }
    // Names that are the index and so much more, as text.
    let index = body.name(par.index);
    let mut near: HashMap<Var, String> = HashMap::from([(par.index, index)]);
    let (mut found, mut conditions) = (VarSet::new(), vec![]);
    for stmt in &par.body.stmts {
        let Expr::Op(op, operands) = &stmt.expr else {
            continue;
        };
        let near_of = |atom: Atom| atom.as_var().and_then(|var| near.get(&var)).cloned();
        let outside = |atom: Atom| match atom {
            Atom::Const(_) => true,
            Atom::Var(var) => var != par.index && par.body.maker(var).is_none(),
        };
        if operands.len() != 2 || body.func.atom_type(operands[0]).elem != ScalarType::U64 {
            continue;
        }
        let (first, other, op) = match (near_of(operands[0]), near_of(operands[1])) {
            (Some(first), None) if outside(operands[1]) => (first, operands[1], *op),
            (None, Some(first)) if outside(operands[0]) => match op {
                ScalarOp::Add => (first, operands[0], *op),
                ScalarOp::Sub => continue,
                op => (first, operands[0], mirrored(*op)),
            },
            _ => continue,
        };
        let u = body.atom(other);
        let last = format!("({first} + {})", lanes - 1);
        let agree = match op {
            ScalarOp::Add => {
                near.insert(stmt.defs[0], format!("({first} + {u})"));
                continue;
            }
            ScalarOp::Sub => {
                near.insert(stmt.defs[0], format!("({first} - {u})"));
                continue;
            }
            ScalarOp::Eq | ScalarOp::Ne => format!("({u} < {first} || {u} > {last})"),
            ScalarOp::Lt | ScalarOp::Ge => format!("({last} < {u} || {first} >= {u})"),
            ScalarOp::Le | ScalarOp::Gt => format!("({last} <= {u} || {first} > {u})"),
            _ => continue,
        };
        found.insert(stmt.defs[0]);
        conditions.push(format!("{first} <= {last} && {agree}"));
    }
    (!found.is_empty()).then(|| (found, conditions.join(" && ")))
}

/// The comparison with its operands exchanged.
fn mirrored(op: ScalarOp) -> ScalarOp {
    match op {
        ScalarOp::Lt => ScalarOp::Gt,
        ScalarOp::Le => ScalarOp::Ge,
        ScalarOp::Gt => ScalarOp::Lt,
        ScalarOp::Ge => ScalarOp::Le,
        other => other,
    }
}
