//! Producer and consumer over the same indices become one par.

use super::{as_par, compatible, join, meeting, scan_repeats_much};
use crate::ir::*;
use std::collections::HashMap;

/// Joins the first pair that can be joined.
pub(super) fn step(func: &mut Func, body: &mut Block) -> bool {
    for first in 0..body.stmts.len() {
        let Some(producer) = as_par(&body.stmts[first]) else {
            continue;
        };
        let collected = collected(producer, &body.stmts[first].defs);
        if collected.is_empty() {
            continue;
        }
        for second in first + 1..body.stmts.len() {
            let Some(consumer) = as_par(&body.stmts[second]) else {
                continue;
            };
            if !compatible(producer, consumer) || scan_repeats_much(producer, consumer) {
                continue;
            }
            let Some(read) = reads_at_index(func, &body.stmts[second], &body.stmts[first].defs)
            else {
                continue;
            };
            if read.is_empty() || !read.iter().all(|array| collected.contains_key(array)) {
                continue;
            }
            let Some(at) = meeting(func, &body.stmts, first, second) else {
                continue;
            };
            let Expr::Par(par) = &mut body.stmts[second].expr else {
                unreachable!("seen above")
            };
            replace(par, &collected);
            join(func, body, first, second, at);
            return true;
        }
    }
    false
}

/// The arrays that a par collects, and the value of an iteration behind each.
fn collected(par: &Par, defs: &[Var]) -> HashMap<Var, Atom> {
    let mut defs = defs.iter();
    let mut arrays = HashMap::new();
    for sink in &par.sinks {
        let own: Vec<Var> = defs.by_ref().take(sink.results()).copied().collect();
        if sink.kind == SinkKind::Collect {
            arrays.insert(own[0], sink.values[0]);
        }
    }
    arrays
}

/// Which of `names` the par reads at its own index; `None` if it uses one of them in any other way.
fn reads_at_index(func: &Func, stmt: &Stmt, names: &[Var]) -> Option<Vec<Var>> {
    let par = as_par(stmt)?;
    let own = Atom::Var(par.index);
    let mut read = vec![];
    let mut uses = 0usize;
    let mut good = 0usize;
    walk::uses(&func.vars, &par.body, &mut |atom| {
        uses += atom.as_var().is_some_and(|v| names.contains(&v)) as usize
    });
    walk::stmts(&par.body, &mut |inner| {
        if let Expr::Index(index) = &inner.expr
            && names.contains(&index.array)
            && index.indices[0] == own
        {
            good += 1;
            // The other indices are scalars of their own: none of them is one of the names, or it counts as a use.
            read.push(index.array);
        }
    });
    let outside = {
        let mut rest = VarSet::new();
        walk::operands(&stmt.expr, &mut |atom| rest.extend(atom.as_var()));
        walk::values(&stmt.expr, &mut |atom| rest.extend(atom.as_var()));
        for lambda in walk::lambdas(par) {
            rest.extend(walk::free(&func.vars, &lambda.body));
        }
        for &def in &stmt.defs {
            rest.extend(walk::sizes(func.ty(def)));
        }
        names.iter().any(|name| rest.contains(name))
    };
    (uses == good && !outside).then_some(read)
}

/// Reads of the collected arrays become the values themselves.
fn replace(par: &mut Par, collected: &HashMap<Var, Atom>) {
    walk::stmts_mut(&mut par.body, &mut |stmt| {
        let Expr::Index(index) = &stmt.expr else {
            return;
        };
        let Some(&value) = collected.get(&index.array) else {
            return;
        };
        stmt.expr = match value {
            Atom::Var(array) if index.indices.len() > 1 => Expr::Index(Index {
                array,
                indices: index.indices[1..].to_vec(),
                checked: index.checked,
            }),
            value => named(value),
        };
    });
}

/// Another name for a value: an `if` without statements, which `simplify` resolves for scalars and arrays alike.
pub(super) fn named(value: Atom) -> Expr {
    let same = Block {
        stmts: vec![],
        results: vec![value],
    };
    Expr::If(Const::bool(true).into(), same.clone(), same)
}
