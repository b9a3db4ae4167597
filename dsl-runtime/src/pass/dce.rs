//! Deletes what nobody uses: statements, sinks, carried values and results of branches. What can fail stays.

use super::{Caps, effect};
use crate::ir::*;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    let mut live = VarSet::new();
    for &param in &func.params {
        live.extend(walk::sizes(func.ty(param)));
    }
    block(func, &mut body, &mut live);
    func.body = body;
}

/// Prunes a block whose results are all used; adds what it uses to `live`.
fn block(func: &Func, body: &mut Block, live: &mut VarSet) {
    live.extend(body.results.iter().filter_map(|atom| atom.as_var()));
    stmts(func, body, live);
}

fn stmts(func: &Func, body: &mut Block, live: &mut VarSet) {
    let mut kept = Vec::with_capacity(body.stmts.len());
    for mut stmt in std::mem::take(&mut body.stmts).into_iter().rev() {
        for &def in stmt.defs.iter().rev() {
            if live.contains(&def) {
                live.extend(walk::sizes(func.ty(def)));
            }
        }
        if stmt.defs.iter().any(|def| live.contains(def)) || effect::can_fail(func, &stmt) {
            prune(func, &mut stmt, live);
            kept.push(stmt);
        }
    }
    kept.reverse();
    body.stmts = kept;
}

/// Reduces a statement that stays to its live results, and adds what it uses.
fn prune(func: &Func, stmt: &mut Stmt, live: &mut VarSet) {
    let Stmt { defs, expr, .. } = stmt;
    match expr {
        Expr::If(_, then, or_else) => {
            let keep: Vec<bool> = defs.iter().map(|def| live.contains(def)).collect();
            retain(defs, &keep);
            for branch in [then, or_else] {
                retain(&mut branch.results, &keep);
                block(func, branch, live);
            }
        }
        Expr::Loop(inner) => prune_loop(func, defs, inner, live),
        Expr::Par(par) => {
            let mut results = std::mem::take(defs).into_iter();
            let mut kept = vec![];
            for sink in par.sinks.drain(..) {
                let own: Vec<Var> = results.by_ref().take(sink.results()).collect();
                let combine_fails = matches!(&sink.combine, Some(Combine::Lambda(l)) if effect::block_can_fail(func, &l.body));
                if own.iter().any(|def| live.contains(def))
                    || effect::sink_can_fail(sink.kind)
                    || combine_fails
                {
                    own.iter()
                        .for_each(|&def| live.extend(walk::sizes(func.ty(def))));
                    defs.extend(own);
                    kept.push(sink);
                }
            }
            par.sinks = kept;
            for sink in &mut par.sinks {
                live.extend(sink.values.iter().filter_map(|atom| atom.as_var()));
                if let Some(Combine::Lambda(lambda)) = &mut sink.combine {
                    block(func, &mut lambda.body, live);
                }
            }
            stmts(func, &mut par.body, live);
        }
        _ => {}
    }
    walk::operands(expr, &mut |atom| live.extend(atom.as_var()));
    walk::binders(expr, &mut |var| live.extend(walk::sizes(func.ty(var))));
}

/// A carried value lives where its result does, or where a round needs it for one that lives.
fn prune_loop(func: &Func, defs: &mut Vec<Var>, inner: &mut Loop, live: &mut VarSet) {
    let mut keep: Vec<bool> = defs.iter().map(|def| live.contains(def)).collect();
    loop {
        let mut inside = VarSet::new();
        let mut body = inner.body.clone();
        retain(&mut body.results, &keep);
        block(func, &mut body, &mut inside);
        if let LoopKind::While(cond) = &inner.kind {
            block(func, &mut cond.clone(), &mut inside);
        }
        for (&(var, _), _) in inner.carried.iter().zip(&keep).filter(|(_, kept)| **kept) {
            inside.extend(walk::sizes(func.ty(var)));
        }
        let more: Vec<bool> = inner
            .carried
            .iter()
            .zip(&keep)
            .map(|(&(var, _), &kept)| kept || inside.contains(&var))
            .collect();
        if more == keep {
            break;
        }
        keep = more;
    }
    defs.iter()
        .zip(&keep)
        .filter(|(_, kept)| **kept)
        .for_each(|(&def, _)| live.extend(walk::sizes(func.ty(def))));
    retain(defs, &keep);
    retain(&mut inner.carried, &keep);
    retain(&mut inner.body.results, &keep);
    block(func, &mut inner.body, live);
    if let LoopKind::While(cond) = &mut inner.kind {
        block(func, cond, live);
    }
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| *keep.next().expect("one flag an element"));
}
