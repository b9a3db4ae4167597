//! Parts pars, so that each is of one kind: it collects and reduces, or it has one sink of another kind. Ranks cut the iterations of
//! these in different places, and talk at different times.
//!
//! What is dear to compute is computed once, and its values are collected: few iterations of it then need not stay together in the
//! blocks in which their values are combined. What is cheap is computed again.

use dsl_runtime::ir::build::Builder;
use dsl_runtime::ir::{
    Atom, Block, Expr, Func, Index, Level, Par, Sink, SinkKind, Stmt, Type, Var, walk,
};
use dsl_runtime::pass::effect;
use dsl_runtime::plan::is_wide;
use std::collections::HashMap;

/// Parts the pars of a function that ranks share.
pub fn separate(func: &mut Func) {
    let mut body = std::mem::take(&mut func.body);
    block(func, &mut body);
    func.body = body;
}

fn block(func: &mut Func, block_: &mut Block) {
    let mut stmts = vec![];
    for mut stmt in block_.stmts.drain(..) {
        match &mut stmt.expr {
            Expr::Par(par) if is_wide(par) => part(func, stmt, &mut stmts),
            Expr::Par(_) => stmts.push(stmt),
            expr => {
                walk::blocks_mut(expr, &mut |inner| block(func, inner));
                stmts.push(stmt);
            }
        }
    }
    block_.stmts = stmts;
}

/// Whether an iteration takes so long that few of them are worth sharing: it has a loop inside.
pub fn is_dear(par: &Par) -> bool {
    effect::block_cost(&par.body) >= effect::DEAR
}

/// Which sinks can be together.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Collect,
    Reduce,
    Other,
}

fn kind(sink: &Sink) -> Kind {
    match sink.kind {
        SinkKind::Collect => Kind::Collect,
        SinkKind::Reduce => Kind::Reduce,
        _ => Kind::Other,
    }
}

fn part(func: &mut Func, stmt: Stmt, into: &mut Vec<Stmt>) {
    let Expr::Par(par) = &stmt.expr else {
        unreachable!("a par")
    };
    let count = |which: Kind| par.sinks.iter().filter(|sink| kind(sink) == which).count();
    let others = count(Kind::Other);
    let scans = par.sinks.iter().any(|sink| {
        matches!(
            sink.kind,
            SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan
        )
    });
    let dear = is_dear(par);
    let together = others == 0 || others == 1 && par.sinks.len() == 1;
    if together && !(dear && (scans || count(Kind::Reduce) > 0)) {
        into.push(stmt);
        return;
    }
    let place = stmt.place;
    let mut defs = stmt.defs.iter().copied();
    let defs: Vec<Vec<Var>> = par
        .sinks
        .iter()
        .map(|sink| defs.by_ref().take(sink.results()).collect())
        .collect();
    let groups = {
        let firsts: Vec<usize> = (0..par.sinks.len())
            .filter(|&at| kind(&par.sinks[at]) != Kind::Other)
            .collect();
        let others = (0..par.sinks.len())
            .filter(|&at| kind(&par.sinks[at]) == Kind::Other)
            .map(|at| vec![at]);
        (firsts, others.collect::<Vec<_>>())
    };
    if !dear {
        let (firsts, others) = groups;
        let all = Some(firsts)
            .filter(|firsts| !firsts.is_empty())
            .into_iter()
            .chain(others);
        let all: Vec<Vec<usize>> = all.collect();
        for (number, group) in all.iter().enumerate() {
            let mut one = par.clone();
            one.sinks = group.iter().map(|&at| par.sinks[at].clone()).collect();
            let mut names: Vec<Var> = group.iter().flat_map(|&at| defs[at].clone()).collect();
            // Every name is bound once: copies have their own.
            if number > 0 {
                one = walk::Copier::within(func).par(&one);
            }
            into.push(Stmt {
                defs: std::mem::take(&mut names),
                expr: Expr::Par(one),
                place,
            });
        }
        return;
    }
    // The values are collected; the sinks work on these.
    let mut collected: HashMap<Var, Var> = HashMap::new();
    let mut order: Vec<Var> = vec![];
    let mut first = par.clone();
    let mut first_defs = vec![];
    first.sinks.clear();
    for (sink, defs) in par.sinks.iter().zip(&defs) {
        if kind(sink) == Kind::Collect {
            first.sinks.push(sink.clone());
            first_defs.extend(defs.clone());
            collected.extend(sink.values[0].as_var().map(|var| (var, defs[0])));
        }
    }
    for sink in par.sinks.iter().filter(|sink| kind(sink) != Kind::Collect) {
        for var in sink.values.iter().filter_map(|atom| atom.as_var()) {
            if var == par.index || collected.contains_key(&var) {
                continue;
            }
            let ty = func.ty(var).clone();
            let mut shape = vec![par.extent];
            shape.extend(ty.shape);
            let name = func.vars[var.0 as usize].name.clone();
            let array = func.var(name, Type::array(ty.elem, shape));
            collected.insert(var, array);
            order.push(array);
            first_defs.push(array);
            first.sinks.push(Sink {
                kind: SinkKind::Collect,
                outer: vec![],
                values: vec![var.into()],
                combine: None,
                place: sink.place,
            });
        }
    }
    let levels = first.levels.clone();
    let (index, extent, inner) = (par.index, par.extent, par.inner);
    into.push(Stmt {
        defs: first_defs,
        expr: Expr::Par(first),
        place,
    });
    let reduces: Vec<usize> = (0..par.sinks.len())
        .filter(|&at| kind(&par.sinks[at]) == Kind::Reduce)
        .collect();
    let all = Some(reduces)
        .filter(|group| !group.is_empty())
        .into_iter()
        .chain(groups.1);
    for group in all.collect::<Vec<_>>() {
        let mut b = Builder::new(func);
        b.place = place;
        let own = b.var("k", Type::index());
        let mut map: HashMap<Var, Atom> = HashMap::from([(index, own.into())]);
        let mut sinks = vec![];
        for &at in &group {
            let mut sink = par.sinks[at].clone();
            for value in &mut sink.values {
                let Some(var) = value.as_var() else { continue };
                let read = *map.entry(var).or_insert_with(|| {
                    let access = Index {
                        array: collected[&var],
                        indices: vec![own.into()],
                        checked: false,
                    };
                    let ty = b.func.ty(var).clone();
                    b.bind("v", ty, Expr::Index(access)).into()
                });
                *value = read;
            }
            sinks.push(sink);
        }
        let (stmts, _) = b.finish();
        let names = group.iter().flat_map(|&at| defs[at].clone()).collect();
        let par = Par {
            index: own,
            extent,
            body: Block {
                stmts,
                results: vec![],
            },
            sinks,
            inner,
            levels: levels.clone(),
        };
        into.push(Stmt {
            defs: names,
            expr: Expr::Par(par),
            place,
        });
    }
}

/// Makes the statements for what stands at an index.
type Each<'a> = Box<dyn Fn(&mut Builder<'_>, Atom) -> Vec<Atom> + 'a>;

/// The totals of the whole blocks of a scan, without a start: a par over the blocks, from the left also where the scan comes from the
/// right; and the name of their number.
pub fn totals(func: &mut Func, stmt: &Stmt) -> (Stmt, Var) {
    use dsl_runtime::ir::order::{BLOCK, GROUP};
    use dsl_runtime::ir::{Combine, Loop, LoopKind, ScalarOp};
    let Expr::Par(par) = &stmt.expr else {
        unreachable!("a par")
    };
    let sink = &par.sinks[0];
    let combine = sink.combine.clone().expect("a scan combines");
    let reversed = matches!(sink.kind, SinkKind::RScan | SinkKind::RExScan);
    let types: Vec<_> = sink
        .values
        .iter()
        .map(|&value| func.atom_type(value).elem)
        .collect();
    let blocks = func.var("blocks", Type::index());
    let mut b = Builder::new(func);
    b.place = stmt.place;
    let block = b.var("block", Type::index());
    b.begin();
    let size = |n: usize| Atom::size(n as u64);
    // From the right they are counted from the right.
    let mut number = Atom::Var(block);
    if reversed {
        let last = b.op(ScalarOp::Sub, [blocks.into(), size(1)]);
        number = b.op(ScalarOp::Sub, [last, number]);
    }
    let first = b.op(ScalarOp::Mul, [number, size(BLOCK)]);
    // The values of element `k` of the block.
    let values = |b: &mut Builder<'_>, k: Atom| -> Vec<Atom> {
        let mut at = b.op(ScalarOp::Add, [first, k]);
        if reversed {
            let last = b.op(ScalarOp::Sub, [par.extent, Atom::size(1)]);
            at = b.op(ScalarOp::Sub, [last, at]);
        }
        let mut copier = walk::Copier::within(b.func);
        copier.map.insert(par.index, at);
        let body = copier.block(&par.body);
        let values = sink
            .values
            .iter()
            .map(|&value| copier.atom(value))
            .collect();
        body.stmts.into_iter().for_each(|stmt| b.push_stmt(stmt));
        values
    };
    let join = |b: &mut Builder<'_>, left: &[Atom], right: &[Atom]| match reversed {
        true => crate::plan::derive::combined(b, &combine, right, left),
        false => crate::plan::derive::combined(b, &combine, left, right),
    };
    // What is folded from the left: groups of an operation, single values of a function.
    let (step, one): (usize, Each<'_>) = match &combine {
        Combine::Lambda(_) => (1, Box::new(|b, at| values(b, at))),
        Combine::Op(_) => (
            GROUP,
            Box::new(|b, at| {
                let mut sums: Vec<Vec<Atom>> = (0..GROUP)
                    .map(|k| {
                        let k = b.op(ScalarOp::Add, [at, size(k)]);
                        values(b, k)
                    })
                    .collect();
                // The last of the group is what doubling distances make of it: a tree.
                while sums.len() > 1 {
                    sums = sums
                        .chunks(2)
                        .map(|pair| join(b, &pair[0], &pair[1]))
                        .collect();
                }
                sums.remove(0)
            }),
        ),
    };
    let start = one(&mut b, size(0));
    let (index, carried) = (
        b.var("g", Type::index()),
        types
            .iter()
            .map(|&ty| b.var("acc", Type::scalar(ty)))
            .collect::<Vec<_>>(),
    );
    b.begin();
    let number = b.op(ScalarOp::Add, [index.into(), size(1)]);
    let at = b.op(ScalarOp::Mul, [number, size(step)]);
    let next = one(&mut b, at);
    let acc: Vec<Atom> = carried.iter().map(|&var| var.into()).collect();
    let results = join(&mut b, &acc, &next);
    let body = b.end(results);
    let finals: Vec<Var> = types
        .iter()
        .map(|&ty| b.var("total", Type::scalar(ty)))
        .collect();
    b.push(
        finals.clone(),
        Expr::Loop(Loop {
            kind: LoopKind::For {
                index,
                extent: size(BLOCK / step - 1),
            },
            carried: carried.into_iter().zip(start).collect(),
            body,
        }),
    );
    drop(one);
    let body = b.end(vec![]);
    let place = sink.place;
    let sinks = finals.iter().map(|&total| Sink {
        kind: SinkKind::Collect,
        outer: vec![],
        values: vec![total.into()],
        combine: None,
        place,
    });
    let sinks = sinks.collect();
    let defs: Vec<Var> = types
        .iter()
        .map(|&ty| b.var("totals", Type::array(ty, [blocks.into()])))
        .collect();
    let levels = vec![Level::Ranks];
    let totals = Par {
        index: block,
        extent: blocks.into(),
        body,
        sinks,
        inner: false,
        levels,
    };
    let stmt = Stmt {
        defs,
        expr: Expr::Par(totals),
        place: stmt.place,
    };
    (stmt, blocks)
}
