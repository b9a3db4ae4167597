//! What joins what ranks have: combining functions as functions of their own, and scatters of what has come.

use super::{Local, Making, Param};
use dsl_runtime::backend::{Backend, CompileError};
use dsl_runtime::ir::build::Builder;
use dsl_runtime::ir::{
    Atom, Combine, Expr, Func, Loop, LoopKind, Par, ScalarType, Sink, SinkKind, Type, Var, walk,
};

/// The types of the values that a sink combines.
fn types(func: &Func, sink: &Sink) -> Vec<ScalarType> {
    let values = sink.values.iter();
    values.map(|&value| func.atom_type(value).elem).collect()
}

/// `acc = start; acc = acc op totals[k]`, from the left, over all of them: a function of the starts, the totals, and what the
/// combining function needs.
pub fn chain(inner: &dyn Backend, func: &Func, sink: &Sink) -> Result<Local, CompileError> {
    let mut making = Making::of(func, format!("{}_chain", func.name));
    let types = types(func, sink);
    let starts: Vec<Var> = types
        .iter()
        .enumerate()
        .map(|(at, &ty)| making.scalar(Param::Begin(0, at), "start", Type::scalar(ty)))
        .collect();
    let rows = making.out.var("blocks", Type::index());
    making.out.sizes.push(rows);
    let totals: Vec<Var> = types
        .iter()
        .enumerate()
        .map(|(at, &ty)| {
            making.scalar(
                Param::Begin(1, at),
                "totals",
                Type::array(ty, [rows.into()]),
            )
        })
        .collect();
    making.combining(func, sink);
    let reversed = matches!(sink.kind, SinkKind::RScan | SinkKind::RExScan);
    let mut b = Builder::new(&mut making.out);
    let k = types.len();
    let index = b.var("k", Type::index());
    let carried: Vec<Var> = types
        .iter()
        .map(|&ty| b.var("acc", Type::scalar(ty)))
        .collect();
    b.begin();
    let next: Vec<Atom> = totals
        .iter()
        .map(|&total| b.index_in(total, [index.into()]))
        .collect();
    let acc: Vec<Atom> = carried.iter().map(|&var| var.into()).collect();
    let (left, right) = if reversed {
        (&next, &acc)
    } else {
        (&acc, &next)
    };
    let results = combined(
        &mut b,
        sink.combine.as_ref().expect("a sink that combines"),
        left,
        right,
    );
    let body = b.end(results);
    let finals: Vec<Var> = types
        .iter()
        .map(|&ty| b.var("carry", Type::scalar(ty)))
        .collect();
    let inits = carried
        .iter()
        .copied()
        .zip(starts.iter().map(|&var| Atom::Var(var)));
    let looping = Loop {
        kind: LoopKind::For {
            index,
            extent: rows.into(),
        },
        carried: inits.collect(),
        body,
    };
    debug_assert_eq!(finals.len(), k);
    b.push(finals.clone(), Expr::Loop(looping));
    b.ret(finals.iter().map(|&var| Atom::Var(var)).collect::<Vec<_>>());
    making.finish(inner)
}

/// `left op right`, as statements.
pub fn combined(
    b: &mut Builder<'_>,
    combine: &Combine,
    left: &[Atom],
    right: &[Atom],
) -> Vec<Atom> {
    match combine {
        Combine::Op(op) => vec![b.op(*op, [left[0], right[0]])],
        Combine::Lambda(lambda) => {
            let mut copier = walk::Copier::within(b.func);
            for (&param, &atom) in lambda.params.iter().zip(left.iter().chain(right)) {
                copier.map.insert(param, atom);
            }
            let block = copier.block(&lambda.body);
            block.stmts.into_iter().for_each(|stmt| b.push_stmt(stmt));
            block.results
        }
    }
}

/// `left op right`, of one value each side: a function of these and of what the combining function needs.
pub fn join(inner: &dyn Backend, func: &Func, sink: &Sink) -> Result<Local, CompileError> {
    let mut making = Making::of(func, format!("{}_join", func.name));
    let combine = sink.combine.as_ref().expect("a sink that combines");
    let types = types(func, sink);
    let mut side = |number: usize| -> Vec<Atom> {
        let each = types.iter().enumerate();
        each.map(|(at, &ty)| {
            making
                .scalar(Param::Begin(number, at), "side", Type::scalar(ty))
                .into()
        })
        .collect()
    };
    let (left, right) = (side(0), side(1));
    making.combining(func, sink);
    let mut b = Builder::new(&mut making.out);
    let results = combined(&mut b, combine, &left, &right);
    b.ret(results);
    making.finish(inner)
}

/// A scatter of rows that have come from all ranks: `dest[at[k]] = v[k]`, or combined, in the order of `k`.
pub fn deliver(inner: &dyn Backend, func: &Func, sink: &Sink) -> Result<Local, CompileError> {
    let mut making = Making::of(func, format!("{}_deliver", func.name));
    let dest: Vec<Var> = sink
        .outer
        .iter()
        .map(|atom| atom.as_var().expect("an array"))
        .collect();
    let k = dest.len();
    let mut dests = vec![];
    let mut rows = None;
    for (at, &var) in dest.iter().enumerate() {
        // All are equally long.
        let ty = making.out.ty(var).clone();
        let rows = *rows.get_or_insert_with(|| {
            let rows = making.out.var("rows", Type::index());
            making.out.sizes.push(rows);
            rows
        });
        making.bind(&ty.shape[1..]);
        let mut shape = ty.shape.clone();
        shape[0] = rows.into();
        dests.push(making.scalar(Param::Begin(0, at), "dest", Type::array(ty.elem, shape)));
    }
    let count = making.out.var("count", Type::index());
    making.out.sizes.push(count);
    let at = making.scalar(
        Param::Begin(1, 0),
        "at",
        Type::array(ScalarType::U64, [count.into()]),
    );
    let mut values = vec![];
    for (number, &value) in sink.values[1..].iter().enumerate() {
        let ty = func.atom_type(value);
        // The rows of the destinations have this shape: so their names are bound.
        let mut shape = vec![count.into()];
        shape.extend(&func.ty(dest[number]).shape[1..]);
        values.push(making.scalar(
            Param::Begin(2, number),
            "value",
            Type::array(ty.elem, shape),
        ));
    }
    making.combining(func, sink);
    let mut b = Builder::new(&mut making.out);
    let index = b.var("k", Type::index());
    b.begin();
    let to = b.index_in(at, [index.into()]);
    let values: Vec<Atom> = values
        .iter()
        .map(|&value| b.index_in(value, [index.into()]))
        .collect();
    let body = b.end(vec![]);
    let results: Vec<Var> = dests
        .iter()
        .map(|&dest| {
            let ty = b.func.ty(dest).clone();
            b.var("result", ty)
        })
        .collect();
    debug_assert_eq!(results.len(), k);
    let mut all = vec![to];
    all.extend(values);
    let par = Par {
        index,
        extent: count.into(),
        body,
        sinks: vec![Sink {
            kind: sink.kind,
            outer: dests.iter().map(|&var| var.into()).collect(),
            values: all,
            combine: sink.combine.clone(),
            place: sink.place,
        }],
        inner: false,
        levels: vec![],
    };
    b.push(results.clone(), Expr::Par(par));
    b.ret(
        results
            .iter()
            .map(|&var| Atom::Var(var))
            .collect::<Vec<_>>(),
    );
    making.finish(inner)
}
