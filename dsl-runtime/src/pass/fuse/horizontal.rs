//! Neighbours that read the same array become one par.

use super::{as_par, compatible, join, meeting};
use crate::ir::*;

/// Joins the first pair that can be joined.
pub(super) fn step(func: &mut Func, body: &mut Block) -> bool {
    for first in 0..body.stmts.len() {
        let Some(a) = as_par(&body.stmts[first]) else {
            continue;
        };
        let read = arrays_at_index(a);
        for second in first + 1..body.stmts.len() {
            let Some(b) = as_par(&body.stmts[second]) else {
                continue;
            };
            if !compatible(a, b) || read.is_disjoint(&arrays_at_index(b)) {
                continue;
            }
            let needs = walk::free_of_stmt(&func.vars, &body.stmts[second]);
            if body.stmts[first].defs.iter().any(|def| needs.contains(def)) {
                continue;
            }
            if let Some(at) = meeting(func, &body.stmts, first, second) {
                join(func, body, first, second, at);
                return true;
            }
        }
    }
    false
}

/// The arrays that a par reads at its own index.
fn arrays_at_index(par: &Par) -> VarSet {
    let mut arrays = VarSet::new();
    walk::stmts(&par.body, &mut |stmt| {
        if let Expr::Index(index) = &stmt.expr
            && index.indices[0] == par.index.into()
        {
            arrays.insert(index.array);
        }
    });
    arrays
}
