//! Joins pars, so that intermediate arrays are never made and inputs are read once.
//!
//! Three rules, applied to each block until none applies:
//! * *vertical* (`vertical.rs`): a par that reads another's result only at its own index takes over the other's body; the
//!   result stays a sink of the joined par if somebody else needs it, so nothing is computed twice;
//! * *recompute* (`recompute.rs`): a result that is read at other indices is computed there again, where that is cheaper
//!   than an array: each element at most once, or next to nothing to compute;
//! * *horizontal* (`horizontal.rs`): two neighbours over the same extent that read the same array become one.
//!
//! A failure inside joined stages is reported in the order of the program as elaborated (ARCHITECTURE.md, "Failures"), so the
//! rules need not keep the order of what can fail, only that everything still runs.

mod horizontal;
mod recompute;
mod vertical;

use super::{Caps, cse, dce, effect, simplify};
use crate::ir::*;

/// The pass.
pub fn run(func: &mut Func, caps: &Caps) {
    loop {
        let mut body = std::mem::take(&mut func.body);
        let changed = block(func, &mut body);
        func.body = body;
        if !changed {
            return;
        }
        // A joined body holds the aliases and the dead ends of both.
        simplify::run(func, caps);
        cse::run(func, caps);
        dce::run(func, caps);
    }
}

fn block(func: &mut Func, body: &mut Block) -> bool {
    let mut changed = false;
    for stmt in &mut body.stmts {
        walk::blocks_mut(&mut stmt.expr, &mut |inner| changed |= block(func, inner));
    }
    while vertical::step(func, body) || recompute::step(func, body) || horizontal::step(func, body)
    {
        changed = true;
    }
    changed
}

fn as_par(stmt: &Stmt) -> Option<&Par> {
    match &stmt.expr {
        Expr::Par(par) => Some(par),
        _ => None,
    }
}

/// Whether the two may be one loop at all.
fn compatible(a: &Par, b: &Par) -> bool {
    a.extent == b.extent
        && a.inner == b.inner
        && a.levels == b.levels
        && a.sinks.len() + b.sinks.len() <= SINKS
}

/// More results than this in one loop exhaust registers and memory streams.
const SINKS: usize = 12;

/// Where the joined statement may stand: at the second, if nothing between needs the first; at the first, if the
/// second needs nothing between.
fn meeting(func: &Func, stmts: &[Stmt], first: usize, second: usize) -> Option<usize> {
    let between = &stmts[first + 1..second];
    let needs = |stmt: &Stmt, names: &[Var]| {
        let free = walk::free_of_stmt(&func.vars, stmt);
        names.iter().any(|name| free.contains(name))
    };
    if !between.iter().any(|stmt| needs(stmt, &stmts[first].defs)) {
        return Some(second);
    }
    let defined: Vec<Var> = between
        .iter()
        .flat_map(|stmt| stmt.defs.iter().copied())
        .collect();
    (!needs(&stmts[second], &defined)).then_some(first)
}

/// The par of both bodies and both lists of sinks, in the place of the two statements.
fn join(func: &mut Func, body: &mut Block, first: usize, second: usize, at: usize) {
    let second_stmt = body.stmts.remove(second);
    let first_stmt = body.stmts.remove(first);
    let (Expr::Par(mut a), Expr::Par(mut b)) = (first_stmt.expr, second_stmt.expr) else {
        unreachable!("both are pars")
    };
    let mut map = std::collections::HashMap::new();
    map.insert(b.index, Atom::Var(a.index));
    let mut wrapped = Block {
        stmts: vec![],
        results: vec![],
    };
    std::mem::swap(&mut wrapped.stmts, &mut b.body.stmts);
    walk::substitute(&mut func.vars, &mut wrapped, &map);
    for sink in &mut b.sinks {
        for value in &mut sink.values {
            if *value == Atom::Var(b.index) {
                *value = a.index.into();
            }
        }
    }
    a.body.stmts.extend(wrapped.stmts);
    a.sinks.extend(b.sinks);
    let mut defs = first_stmt.defs;
    defs.extend(second_stmt.defs);
    // The places of the two are gone from the list: `at` counted them.
    let at = if at == second { second - 1 } else { first };
    body.stmts.insert(
        at,
        Stmt {
            defs,
            expr: Expr::Par(a),
            place: second_stmt.place,
        },
    );
}

/// What computing the statements once costs; a scan runs its body twice.
fn scan_repeats_much(producer: &Par, consumer: &Par) -> bool {
    let scans = |par: &Par| {
        par.sinks.iter().any(|s| {
            matches!(
                s.kind,
                SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan
            )
        })
    };
    scans(consumer) && effect::block_cost(&producer.body) > 40
}
