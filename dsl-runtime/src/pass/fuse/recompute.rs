//! A collected value is computed again where it is read, instead of being stored.
//!
//! It pays where each element is read at most once (one reading place, whose index is the reader's own index shifted or
//! mirrored: `rev`, `skip`, a sub-slice), and where there is next to nothing to compute (`indices`, `fill`, a cast). Beside
//! other results it pays where little is computed from one that stays and at most one other array: to store an array and
//! load it again moves more than that.

use super::{as_par, effect, vertical};
use crate::ir::*;

/// Computing this much again costs no more than a load.
const TRIFLE: u32 = 3;
/// A body up to this price may be copied to its single reader.
const COPY: u32 = 400;
/// From what is collected beside it: up to this price,
const BESIDE: u32 = 8;
/// with as many loads. A store costs two of them (the line comes in first), and a load is saved.
const LOADS: usize = 2;

/// Replaces the readers of one collected array.
pub(super) fn step(func: &mut Func, body: &mut Block) -> bool {
    for at in 0..body.stmts.len() {
        let Some(par) = as_par(&body.stmts[at]) else {
            continue;
        };
        if effect::block_can_fail(func, &par.body) {
            continue;
        }
        // Beside another sink the body runs anyway: then a copy of it would compute the value twice.
        let alone = par.sinks.len() == 1;
        let mut defs = body.stmts[at].defs.iter();
        let candidates: Vec<(Var, Atom)> = par
            .sinks
            .iter()
            .filter_map(|sink| {
                let own: Vec<Var> = defs.by_ref().take(sink.results()).copied().collect();
                let scalar =
                    sink.kind == SinkKind::Collect && func.atom_type(sink.values[0]).is_scalar();
                scalar.then(|| (own[0], sink.values[0]))
            })
            .collect();
        for (array, value) in candidates {
            let (slice, price) = slice_of(func, par, value);
            let Some(readers) = readers(func, &body.stmts[at + 1..], array) else {
                continue;
            };
            if body.results.contains(&array.into()) || readers.total == 0 {
                continue;
            }
            let single = readers.total == 1 && readers.monotone == 1;
            let once = alone && single && price <= COPY;
            let beside = match single && !alone {
                true => from_others(func, par, &body.stmts[at].defs, value),
                false => None,
            };
            if price <= TRIFLE || once || beside.is_some() {
                let slice = match price <= TRIFLE || once {
                    true => slice,
                    false => beside.unwrap_or_default(),
                };
                let (index, extent) = (par.index, par.extent);
                let rest = body.stmts.split_off(at + 1);
                let recipe = Recipe {
                    array,
                    value,
                    index,
                    extent,
                    slice: &slice,
                };
                rewrite(func, rest, &recipe, &mut body.stmts);
                return true;
            }
        }
    }
    false
}

/// The statements that a value needs, in order, and their price.
fn slice_of(func: &Func, par: &Par, value: Atom) -> (Vec<Stmt>, u32) {
    let mut needed: VarSet = value.as_var().into_iter().collect();
    let mut slice = vec![];
    for stmt in par.body.stmts.iter().rev() {
        if stmt.defs.iter().any(|def| needed.contains(def)) {
            needed.extend(walk::free_of_stmt(&func.vars, stmt));
            slice.push(stmt.clone());
        }
    }
    slice.reverse();
    let price = slice.iter().map(effect::cost).fold(0, u32::saturating_add);
    (slice, price)
}

/// The statements that a value needs where it can read what the par's other sinks collect, if these are few.
fn from_others(func: &Func, par: &Par, defs: &[Var], value: Atom) -> Option<Vec<Stmt>> {
    let mut defs = defs.iter();
    let mut others = vec![];
    for sink in &par.sinks {
        let array = *defs.by_ref().take(sink.results()).next()?;
        if sink.kind == SinkKind::Collect
            && sink.values[0] != value
            && let Atom::Var(other) = sink.values[0]
            && func.ty(other).is_scalar()
        {
            others.push((other, array));
        }
    }
    let mut needed: VarSet = value.as_var().into_iter().collect();
    let mut slice = vec![];
    for stmt in par.body.stmts.iter().rev() {
        if !stmt.defs.iter().any(|def| needed.contains(def)) {
            continue;
        }
        let mut stmt = stmt.clone();
        if let Some((_, array)) = others.iter().find(|(other, _)| stmt.defs == [*other]) {
            stmt.expr = Expr::Index(Index {
                array: *array,
                indices: vec![par.index.into()],
                checked: false,
            });
        }
        needed.extend(walk::free_of_stmt(&func.vars, &stmt));
        slice.push(stmt);
    }
    slice.reverse();
    let price = slice.iter().map(effect::cost).fold(0, u32::saturating_add);
    let loads = slice
        .iter()
        .filter(|stmt| matches!(stmt.expr, Expr::Index(_)));
    (price <= BESIDE && loads.count() <= LOADS).then_some(slice)
}

struct Readers {
    /// All reading places.
    total: usize,
    /// Those directly in a par, at its index plus, or subtracted from, something that does not change in it.
    monotone: usize,
}

/// Who reads the array; `None` if somebody uses it as a whole.
fn readers(func: &Func, stmts: &[Stmt], array: Var) -> Option<Readers> {
    let mut uses = 0;
    let mut readers = Readers {
        total: 0,
        monotone: 0,
    };
    for stmt in stmts {
        let block = Block {
            stmts: vec![stmt.clone()],
            results: vec![],
        };
        walk::uses(&func.vars, &block, &mut |atom| {
            uses += (atom == array.into()) as usize
        });
        walk::stmts(&block, &mut |inner| {
            if let Expr::Index(index) = &inner.expr {
                readers.total += (index.array == array && index.indices.len() == 1) as usize;
            }
        });
        if let Some(par) = as_par(stmt) {
            let bound: VarSet = par
                .body
                .stmts
                .iter()
                .flat_map(|s| s.defs.iter().copied())
                .collect();
            let fixed = |atom: Atom| {
                atom.as_var()
                    .is_none_or(|var| var != par.index && !bound.contains(&var))
            };
            let own = Atom::Var(par.index);
            let mut moving = vec![own];
            for inner in &par.body.stmts {
                match &inner.expr {
                    Expr::Op(ScalarOp::Add | ScalarOp::Sub, ab)
                        if (moving.contains(&ab[0]) && fixed(ab[1]))
                            || (fixed(ab[0]) && moving.contains(&ab[1])) =>
                    {
                        moving.push(inner.defs[0].into());
                    }
                    Expr::Index(index)
                        if index.array == array && moving.contains(&index.indices[0]) =>
                    {
                        readers.monotone += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    (uses == readers.total).then_some(readers)
}

struct Recipe<'a> {
    array: Var,
    value: Atom,
    index: Var,
    extent: Atom,
    slice: &'a [Stmt],
}

/// Copies the statements to `out`, each read of the array expanded.
fn rewrite(func: &mut Func, stmts: Vec<Stmt>, recipe: &Recipe, out: &mut Vec<Stmt>) {
    for mut stmt in stmts {
        walk::blocks_mut(&mut stmt.expr, &mut |block| {
            let inner = std::mem::take(&mut block.stmts);
            rewrite(func, inner, recipe, &mut block.stmts);
        });
        match &stmt.expr {
            Expr::Index(index) if index.array == recipe.array => expand(func, stmt, recipe, out),
            _ => out.push(stmt),
        }
    }
}

/// The reading statement as a computation.
fn expand(func: &mut Func, stmt: Stmt, recipe: &Recipe, out: &mut Vec<Stmt>) {
    let Expr::Index(read) = &stmt.expr else {
        unreachable!("a read")
    };
    let at = read.indices[0];
    let place = stmt.place;
    if read.checked {
        let cond = func.var("in", Type::scalar(ScalarType::Bool));
        out.push(Stmt {
            defs: vec![cond],
            expr: Expr::Op(ScalarOp::Lt, vec![at, recipe.extent]),
            place,
        });
        let check = Check {
            cond: cond.into(),
            fault: Fault::IndexOutOfBounds,
            operands: vec![at, recipe.extent],
        };
        out.push(Stmt {
            defs: vec![],
            expr: Expr::Check(check),
            place,
        });
    }
    let mut copier = walk::Copier::within(func);
    copier.map.insert(recipe.index, at);
    for inner in recipe.slice {
        let copy = copier.stmt(inner);
        out.push(copy);
    }
    let value = copier.atom(recipe.value);
    out.push(Stmt {
        expr: vertical::named(value),
        ..stmt
    });
}
