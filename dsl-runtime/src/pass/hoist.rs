//! Moves what does not change in a loop or par to the front of it. Only what cannot fail moves, and reads of arrays stay
//! (`bounds` moves those, since it knows which are inside even if no round runs).

use super::{Caps, effect};
use crate::ir::*;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    block(func, &mut body);
    func.body = body;
}

fn block(func: &Func, body: &mut Block) {
    for mut stmt in std::mem::take(&mut body.stmts) {
        walk::blocks_mut(&mut stmt.expr, &mut |inner| block(func, inner));
        if matches!(stmt.expr, Expr::Loop(_) | Expr::Par(_)) {
            let mut bound = VarSet::new();
            walk::binders(&stmt.expr, &mut |var| {
                bound.insert(var);
            });
            walk::blocks_mut(&mut stmt.expr, &mut |inner| {
                invariant(func, inner, &mut bound, &mut body.stmts)
            });
        }
        body.stmts.push(stmt);
    }
}

/// Takes the statements of a body that need nothing bound in it.
fn invariant(func: &Func, body: &mut Block, bound: &mut VarSet, front: &mut Vec<Stmt>) {
    for stmt in std::mem::take(&mut body.stmts) {
        let moves = match &stmt.expr {
            Expr::Index(_) | Expr::Update(..) | Expr::Check(_) => false,
            Expr::Loop(_) | Expr::If(..) | Expr::Par(_) => !reads_unguarded(&stmt),
            _ => true,
        };
        let free = walk::free_of_stmt(&func.vars, &stmt);
        if moves && free.is_disjoint(bound) && !effect::can_fail(func, &stmt) {
            front.push(stmt);
        } else {
            bound.extend(stmt.defs.iter().copied());
            body.stmts.push(stmt);
        }
    }
}

/// Whether a compound statement reads an array from outside it: that read may be inside only because the loop around it
/// runs at all.
fn reads_unguarded(stmt: &Stmt) -> bool {
    let mut found = false;
    let mut look = |inner: &Block| {
        walk::stmts(inner, &mut |s| {
            found |= matches!(s.expr, Expr::Index(_) | Expr::Update(..))
        })
    };
    walk::blocks(&stmt.expr, &mut look);
    found
}
