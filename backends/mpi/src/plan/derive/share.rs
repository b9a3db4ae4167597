//! A par as one rank does it.

use super::partial::partial;
use super::rewrite::{Read, Rewrite};
use super::{Local, Making, Mode, Param};
use crate::plan::uses::{Access, Uses};
use dsl_runtime::backend::{Backend, CompileError};
use dsl_runtime::ir::{
    Atom, Block, Combine, Expr, Func, ScalarOp, ScalarType, SinkKind, Stmt, Type, Var, walk,
};
use std::collections::{BTreeMap, HashMap};

/// What a rank does of a par: so many iterations from a first one on, with the rows that it has. Reductions give the
/// totals of these iterations alone; of a function that combines, first whether there was any.
///
/// `modes`: how it has the rows of each access. `sinks`: which of the sinks are wanted.
pub fn share(
    inner: &dyn Backend,
    func: &Func,
    stmt: &Stmt,
    uses: &Uses,
    modes: &[Mode],
    sinks: &[usize],
) -> Result<Local, CompileError> {
    let Expr::Par(original) = &stmt.expr else {
        unreachable!("a par")
    };
    let mut making = Making::of(func, format!("{}_share", func.name));
    let first = making.scalar(Param::First, "first", Type::index());
    let count = making.scalar(Param::Count, "count", Type::index());
    for &var in &uses.wholes {
        making.whole(var);
    }
    let mut rewrite = Rewrite {
        reads: HashMap::new(),
        places: HashMap::new(),
    };
    // One array, and the number of its first row, for all reads of a stretch; one for all that a column names.
    let mut windows: BTreeMap<Var, [Var; 2]> = BTreeMap::new();
    let mut named: BTreeMap<(Var, Var), Var> = BTreeMap::new();
    let array_of = |read: Var| {
        let access = uses.accesses.iter().find(|access| access.read == read);
        access.expect("a read of the par").array
    };
    for (access, &mode) in uses.accesses.iter().zip(modes) {
        let Access { array, .. } = *access;
        let elem = func.ty(array).elem;
        match mode {
            Mode::Whole => {
                if !uses.wholes.contains(&array) && !making.out.params.contains(&array) {
                    making.whole(array);
                }
            }
            Mode::Window | Mode::Around => {
                let [rows, start] = *windows.entry(array).or_insert_with(|| {
                    let rows = making.rows(Param::Window(array), array, elem);
                    let start = making.scalar(Param::Start(array), "start", Type::index());
                    [rows, start]
                });
                let around = (mode == Mode::Around).then(|| func.ty(array).shape[0]);
                let read = Read::Window {
                    rows,
                    start,
                    around,
                };
                rewrite.reads.insert(access.read, read);
            }
            Mode::Named => {
                let load = access.through.expect("an index that is an element");
                let column = array_of(load);
                let rows = *named
                    .entry((array, column))
                    .or_insert_with(|| making.rows(Param::Named(array, column), array, elem));
                rewrite.places.entry((load, array)).or_insert_with(|| {
                    let param = Param::Places(array, column);
                    match making.params.iter().position(|known| *known == param) {
                        Some(at) => (making.out.params[at], None),
                        None => (making.rows(param, column, ScalarType::U64), None),
                    }
                });
                let read = Read::Named { rows, load, array };
                rewrite.reads.insert(access.read, read);
            }
        }
    }
    // The par: its iterations, its sinks.
    let mut par = original.clone();
    let own = making.out.var("at", Type::index());
    par.extent = count.into();
    let mut defs = stmt.defs.iter().copied();
    let per_sink: Vec<Vec<Var>> = original
        .sinks
        .iter()
        .map(|sink| defs.by_ref().take(sink.results()).collect())
        .collect();
    let mut kept = vec![];
    let mut results = vec![];
    for &number in sinks {
        let mut sink = original.sinks[number].clone();
        let mut defs = per_sink[number].clone();
        match sink.kind {
            SinkKind::Reduce => {
                if let Some(any) = partial(&mut making.out, &mut sink) {
                    defs.insert(0, any);
                }
            }
            SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan => {
                for (at, start) in sink.outer.iter_mut().enumerate() {
                    let ty = func.atom_type(*start);
                    *start = making.scalar(Param::Begin(number, at), "begin", ty).into();
                }
            }
            // Into an array of this rank's own.
            SinkKind::ScatterWith => {
                for (at, dest) in sink.outer.iter_mut().enumerate() {
                    let ty = func.atom_type(*dest);
                    making.bind(&ty.shape);
                    *dest = making.scalar(Param::Begin(number, at), "bins", ty).into();
                }
            }
            SinkKind::Collect | SinkKind::Filter => {}
            SinkKind::Scatter => unreachable!("values are exchanged first"),
        }
        if !matches!(
            sink.kind,
            SinkKind::Filter | SinkKind::Reduce | SinkKind::ScatterWith
        ) {
            for &def in &defs {
                making.out.vars[def.0 as usize].ty.shape[0] = count.into();
            }
        }
        kept.push(sink);
        results.extend(defs);
    }
    par.sinks = kept;
    let mut free = walk::free(&func.vars, &par.body);
    for sink in &par.sinks {
        free.extend(
            sink.outer
                .iter()
                .chain(&sink.values)
                .filter_map(|atom| atom.as_var()),
        );
        if let Some(Combine::Lambda(lambda)) = &sink.combine {
            free.extend(walk::free(&making.out.vars, &lambda.body));
            lambda.params.iter().for_each(|var| {
                free.remove(var);
            });
        }
    }
    walk::defs(&par.body, &mut |var| {
        free.remove(&var);
    });
    free.remove(&par.index);
    for &def in &results {
        free.extend(walk::sizes(making.out.ty(def)));
    }
    results.iter().for_each(|def| {
        free.remove(def);
    });
    for read in rewrite.reads.values() {
        if let Read::Window {
            around: Some(Atom::Var(length)),
            ..
        } = read
        {
            free.insert(*length);
        }
    }
    making.scalars(&free);
    rewrite.block(&mut making.out, &mut par.body);
    for sink in &mut par.sinks {
        if let Some(Combine::Lambda(lambda)) = &mut sink.combine {
            rewrite.block(&mut making.out, &mut lambda.body);
        }
    }
    let number = Stmt {
        defs: vec![par.index],
        expr: Expr::Op(ScalarOp::Add, vec![own.into(), first.into()]),
        place: stmt.place,
    };
    par.body.stmts.insert(0, number);
    par.index = own;
    making.out.body = Block {
        results: results.iter().map(|&var| var.into()).collect(),
        stmts: vec![Stmt {
            defs: results,
            expr: Expr::Par(par),
            place: stmt.place,
        }],
    };
    making.finish(inner)
}
