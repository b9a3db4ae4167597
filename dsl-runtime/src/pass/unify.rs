//! Lengths that a check says to be equal become one name, so that loops over them can be joined. The check moves up to where
//! both are known: behind it nothing runs if they differ, and what the failure was is told by the program as elaborated.

use super::Caps;
use crate::ir::*;
use std::collections::HashMap;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    block(func, &mut body);
    func.body = body;
}

fn block(func: &mut Func, body: &mut Block) {
    let mut at = 0;
    // The answers of comparisons whose checks have moved: two that move to the same place would overtake each other for ever.
    let mut moved = VarSet::new();
    while at < body.stmts.len() {
        match equality(func, body, at) {
            Some(equal) if moved.insert(equal.answer) => at = unify(func, body, equal) + 1,
            _ => {
                let mut stmt = body.stmts[at].clone();
                walk::blocks_mut(&mut stmt.expr, &mut |inner| block(func, inner));
                body.stmts[at] = stmt;
                at += 1;
            }
        }
    }
}

/// A check that two lengths are equal.
struct Equality {
    /// The name of the answer.
    answer: Var,
    /// Where the comparison stands.
    compare: usize,
    /// Where the check stands.
    check: usize,
    /// What is compared.
    sides: [Atom; 2],
}

/// The check at this place, if the block itself compares two `u64` for it.
fn equality(func: &Func, body: &Block, check: usize) -> Option<Equality> {
    let Expr::Check(Check { cond, .. }) = &body.stmts[check].expr else {
        return None;
    };
    let makes = |stmt: &Stmt| stmt.defs.first().map(|&def| Atom::Var(def)) == Some(*cond);
    let compare = body.stmts[..check].iter().position(makes)?;
    match &body.stmts[compare].expr {
        Expr::Op(ScalarOp::Eq, sides)
            if func.atom_type(sides[0]) == Type::index() && sides[0] != sides[1] =>
        {
            let sides = [sides[0], sides[1]];
            Some(Equality {
                answer: cond.as_var()?,
                compare,
                check,
                sides,
            })
        }
        _ => None,
    }
}

/// Moves the comparison and the check to the front, as far as their operands allow, and has what follows use the side that
/// was there first. Where the check stands now.
fn unify(func: &mut Func, body: &mut Block, equal: Equality) -> usize {
    let made = |atom: Atom| {
        let made = |stmt: &Stmt| stmt.defs.iter().any(|&def| Atom::Var(def) == atom);
        let at = body.stmts[..equal.check].iter().position(made);
        at.map_or(0, |at| at + 1)
    };
    // A constant, then what comes from outside the block, then what it makes.
    let age = |atom: Atom| match atom {
        Atom::Const(_) => (0, 0, 0),
        Atom::Var(var) => (1, made(atom), var.0),
    };
    let [a, b] = equal.sides;
    let (kept, replaced) = if age(a) <= age(b) { (a, b) } else { (b, a) };
    let front = made(a).max(made(b));
    let check = body.stmts.remove(equal.check);
    // Its operands are for people: those of the check may come later.
    let mut needs = walk::free_of_stmt(&func.vars, &check);
    let compare = body.stmts.remove(equal.compare);
    compare.defs.iter().for_each(|def| {
        needs.remove(def);
    });
    let made = |stmt: &Stmt| stmt.defs.iter().any(|def| needs.contains(def));
    let last = body.stmts[..equal.check - 1].iter().rposition(made);
    let front = front.max(last.map_or(0, |at| at + 1));
    body.stmts.insert(front, compare);
    body.stmts.insert(front + 1, check);
    if let Some(replaced) = replaced.as_var() {
        let mut rest = Block {
            stmts: body.stmts.split_off(front + 2),
            results: std::mem::take(&mut body.results),
        };
        let map = HashMap::from([(replaced, kept)]);
        walk::substitute(&mut func.vars, &mut rest, &map);
        body.stmts.append(&mut rest.stmts);
        body.results = rest.results;
    }
    front + 1
}
