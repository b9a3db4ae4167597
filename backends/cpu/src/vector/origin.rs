//! Where the rounds of a scalar loop are counted from. A par counts from 0, and a body that walks a stretch of an array (a
//! row of a sparse matrix, a chunk by offsets) adds the place where the stretch begins: counted from there, the loop has
//! one sum less in a round.

use super::analysis::{each_atom, each_def};
use dsl_runtime::ir::{Atom, Expr, Par, ScalarOp, Var, VarSet};

/// What the body adds to its index, if the same name from outside is all that it does with it.
pub(crate) fn origin(par: &Par) -> Option<Var> {
    let index = Atom::Var(par.index);
    let mut inside = VarSet::new();
    each_def(&par.body, &mut |var| {
        inside.insert(var);
    });
    let mut origin = None;
    for stmt in &par.body.stmts {
        let added = match &stmt.expr {
            Expr::Op(ScalarOp::Add, v) if v[0] == index => v[1].as_var(),
            Expr::Op(ScalarOp::Add, v) if v[1] == index => v[0].as_var(),
            _ => None,
        };
        if let Some(var) = added.filter(|&var| var != par.index && !inside.contains(&var)) {
            if *origin.get_or_insert(var) != var {
                return None;
            }
            continue;
        }
        let mut used = false;
        each_atom(&stmt.expr, &mut |atom| used |= atom == index);
        if used {
            return None;
        }
    }
    let collected = par.sinks.iter().flat_map(|sink| &sink.values);
    origin.filter(|_| collected.into_iter().all(|&value| value != index))
}
