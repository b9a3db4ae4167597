//! A wide par whose values cost much is taken apart: one par makes the values, another combines them. A device's
//! algorithms for scans and filters look at the values twice, and those for reductions go block by block, too coarsely
//! where there are few iterations; where there are many, a reduction stays where it is. The order of combining does not change.

use dsl_runtime::ir::{
    Atom, Block, Expr, Func, Index, Level, Par, Place, ScalarOp, ScalarType, Sink, SinkKind, Stmt,
    Type, Var, walk,
};
use dsl_runtime::pass::effect;
use dsl_runtime::plan::is_wide;

use crate::driver::scan::reversed;

/// A body that costs more is not run twice.
const DEAR: u32 = 96;

/// Takes apart what needs it. What combines goes to all `levels` that the device's code has; a reduction of at least `many`
/// iterations needs nothing.
pub fn split(func: &mut Func, levels: &[Level], many: u64) {
    let mut body = std::mem::take(&mut func.body);
    block(func, &mut body, levels, many);
    func.body = body;
}

fn block(func: &mut Func, body: &mut Block, levels: &[Level], many: u64) {
    for mut stmt in std::mem::take(&mut body.stmts) {
        match &mut stmt.expr {
            Expr::Par(par) if is_wide(par) => {
                let depends = par.extent.as_const().is_none() && reduces(par);
                let stmts = match depends {
                    true => both(func, stmt, levels, many),
                    false => parts(func, stmt, levels),
                };
                body.stmts.extend(stmts);
            }
            expr => {
                walk::blocks_mut(expr, &mut |inner| block(func, inner, levels, many));
                body.stmts.push(stmt);
            }
        }
    }
}

/// Whether a sink is to be fed from memory.
fn apart(par: &Par, sink: &Sink) -> bool {
    let dear = effect::block_cost(&par.body) > DEAR;
    let alone = par.sinks.iter().all(|sink| reversed(sink.kind));
    match sink.kind {
        SinkKind::Collect | SinkKind::Scatter | SinkKind::ScatterWith => false,
        kind if reversed(kind) => dear || !alone,
        _ => dear,
    }
}

/// Whether it is taken apart for its reductions alone.
fn reduces(par: &Par) -> bool {
    let mut all = par.sinks.iter().filter(|sink| apart(par, sink)).peekable();
    all.peek().is_some() && all.all(|sink| sink.kind == SinkKind::Reduce)
}

/// Both ways, and the question how many iterations there are.
fn both(func: &mut Func, stmt: Stmt, levels: &[Level], many: u64) -> Vec<Stmt> {
    let Expr::Par(par) = &stmt.expr else {
        unreachable!("a par is taken apart")
    };
    let (extent, place) = (par.extent, stmt.place);
    let mut way = |split: bool| {
        let copy = walk::Copier::within(func).stmt(&stmt);
        let results = copy.defs.iter().map(|&def| def.into()).collect();
        let stmts = match split {
            true => parts(func, copy, levels),
            false => vec![copy],
        };
        Block { stmts, results }
    };
    let (whole, apart) = (way(false), way(true));
    let enough = func.var("many", Type::scalar(ScalarType::Bool));
    let ask = Stmt {
        defs: vec![enough],
        expr: Expr::Op(ScalarOp::Le, vec![Atom::size(many), extent]),
        place,
    };
    let branch = Stmt {
        defs: stmt.defs,
        expr: Expr::If(enough.into(), whole, apart),
        place,
    };
    vec![ask, branch]
}

fn parts(func: &mut Func, stmt: Stmt, levels: &[Level]) -> Vec<Stmt> {
    let Expr::Par(par) = &stmt.expr else {
        unreachable!("a par is taken apart")
    };
    if !par.sinks.iter().any(|sink| apart(par, sink)) {
        return vec![stmt];
    }
    let mut defs = stmt.defs.iter().copied();
    let mut first = Group::default();
    // What goes from the left and what goes from the right are two pars.
    let mut later = [Group::default(), Group::default()];
    let mut stored: Vec<(Var, Var)> = vec![];
    for sink in &par.sinks {
        let results: Vec<Var> = defs.by_ref().take(sink.results()).collect();
        if !apart(par, sink) {
            first.add(sink.clone(), results);
            continue;
        }
        for value in sink.values.iter().filter_map(|value| value.as_var()) {
            let inside = value == par.index || par.body.maker(value).is_some();
            if inside && stored.iter().all(|(known, _)| *known != value) {
                let ty = func.ty(value).clone();
                let mut shape = vec![par.extent];
                shape.extend(&ty.shape);
                let name = func.vars[value.0 as usize].name.clone();
                let array = func.var(name, Type::array(ty.elem, shape));
                stored.push((value, array));
                let collect = Sink {
                    kind: SinkKind::Collect,
                    outer: vec![],
                    values: vec![value.into()],
                    combine: None,
                    place: sink.place,
                };
                first.add(collect, vec![array]);
            }
        }
        later[usize::from(reversed(sink.kind))].add(sink.clone(), results);
    }
    let mut stmts = vec![first.stmt(par.clone(), stmt.place)];
    for group in later {
        if group.sinks.is_empty() {
            continue;
        }
        let mut reads = reading(func, par, group, &stored, stmt.place);
        if let Expr::Par(par) = &mut reads.expr {
            par.levels = levels.to_vec();
        }
        stmts.push(reads);
    }
    stmts
}

/// The sinks of a group, fed from memory.
fn reading(
    func: &mut Func,
    par: &Par,
    mut group: Group,
    stored: &[(Var, Var)],
    place: Place,
) -> Stmt {
    let index = func.var("i", Type::index());
    let mut body = Block::default();
    let mut names = vec![];
    for &(value, array) in stored {
        let used = |sink: &Sink| sink.values.contains(&value.into());
        if !group.sinks.iter().any(used) {
            continue;
        }
        let info = func.vars[value.0 as usize].clone();
        let fresh = func.var(info.name, info.ty);
        names.push((value, fresh));
        body.stmts.push(Stmt {
            defs: vec![fresh],
            expr: Expr::Index(Index {
                array,
                indices: vec![index.into()],
                checked: false,
            }),
            place,
        });
    }
    for sink in &mut group.sinks {
        for value in &mut sink.values {
            if let Some(&(_, fresh)) = names.iter().find(|(old, _)| Atom::Var(*old) == *value) {
                *value = fresh.into();
            }
        }
    }
    let par = Par {
        index,
        extent: par.extent,
        body,
        sinks: vec![],
        inner: par.inner,
        levels: vec![],
    };
    group.stmt(par, place)
}

/// Sinks and their results.
#[derive(Default)]
struct Group {
    sinks: Vec<Sink>,
    defs: Vec<Var>,
}

impl Group {
    fn add(&mut self, sink: Sink, defs: Vec<Var>) {
        self.sinks.push(sink);
        self.defs.extend(defs);
    }

    fn stmt(self, mut par: Par, place: Place) -> Stmt {
        par.sinks = self.sinks;
        Stmt {
            defs: self.defs,
            expr: Expr::Par(par),
            place,
        }
    }
}
