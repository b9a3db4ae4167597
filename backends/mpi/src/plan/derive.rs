//! Functions for the place inside: from a par to what one rank does of it, and from statements to what every rank does.

use crate::plan::uses::Uses;
use dsl_runtime::backend::{Backend, CompileError, Executable};
use dsl_runtime::ir::build::Builder;
use dsl_runtime::ir::{
    Atom, Block, Combine, Const, Expr, Func, Index, Lambda, Par, ScalarOp, ScalarType, Sink,
    SinkKind, Stmt, Type, Var, VarSet, walk,
};
use dsl_runtime::pass;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How a rank has the rows that an access reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// It has the whole array.
    Whole,
    /// From some row on.
    Window,
    /// From some row on, around the end of the array, and from its beginning.
    Around,
    /// Those that the elements of another array name, one after the other.
    Named,
}

/// What a function for the place inside takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// The number of the first iteration.
    First,
    /// The number of iterations.
    Count,
    /// A scalar of the program's.
    Scalar(Var),
    /// An array of the program's, whole.
    Whole(Var),
    /// Rows of an array.
    Window(Var),
    /// The number of the first of these rows.
    Start(Var),
    /// Rows of the first array that the second one names.
    Named(Var, Var),
    /// For each element that this rank sees of the second array, which of these rows it names.
    Places(Var, Var),
    /// What a sink begins with (the value of a scan, an array to scatter into): of which sink, which of its values.
    Begin(usize, usize),
}

/// A function that the place inside has compiled.
pub struct Local {
    /// What it takes.
    pub params: Vec<Param>,
    /// It.
    pub run: Arc<dyn Executable>,
    /// Its IR, for people.
    pub func: Func,
}

/// Compiles a function for the place inside.
fn compile(inner: &dyn Backend, func: Func) -> Result<Local, CompileError> {
    let broken = |broken: pass::Broken| {
        CompileError::Internal(format!("pass {}: {}", broken.pass, broken.report))
    };
    let scheduled = pass::pipeline(&func, &inner.caps()).map_err(broken)?;
    let typed = Arc::new(func);
    Ok(Local {
        params: vec![],
        run: inner.compile(&scheduled, &typed)?,
        func: scheduled,
    })
}

/// A function in the making.
struct Making {
    out: Func,
    params: Vec<Param>,
}

impl Making {
    /// With the names of `func`.
    fn of(func: &Func, name: String) -> Making {
        Making {
            out: Func {
                vars: func.vars.clone(),
                sources: func.sources.clone(),
                ..Func::empty(name)
            },
            params: vec![],
        }
    }

    fn param(&mut self, param: Param, var: Var) -> Var {
        self.params.push(param);
        self.out.params.push(var);
        var
    }

    fn scalar(&mut self, param: Param, name: &str, ty: Type) -> Var {
        let var = self.out.var(name, ty);
        self.param(param, var)
    }

    /// The names in these lengths are bound by the array that they stand in.
    fn bind(&mut self, shape: &[Atom]) {
        for size in shape.iter().filter_map(|size| size.as_var()) {
            if !self.out.sizes.contains(&size) {
                self.out.sizes.push(size);
            }
        }
    }

    fn whole(&mut self, var: Var) {
        let shape = self.out.ty(var).shape.clone();
        self.bind(&shape);
        self.param(Param::Whole(var), var);
    }

    /// An array like `var`, with any number of rows, of this type.
    fn rows(&mut self, param: Param, var: Var, elem: ScalarType) -> Var {
        let name = self.out.vars[var.0 as usize].name.clone();
        let mut shape = self.out.ty(var).shape.clone();
        self.bind(&shape[1..]);
        let rows = self.out.var(format!("{name}_rows"), Type::index());
        self.out.sizes.push(rows);
        shape[0] = rows.into();
        let array = self.out.var(name, Type::array(elem, shape));
        self.param(param, array)
    }

    /// Takes the scalars that are free in its statements and that no array binds.
    fn scalars(&mut self, free: &VarSet) {
        for &var in free {
            if self.out.ty(var).is_scalar()
                && !self.out.sizes.contains(&var)
                && !self.out.params.contains(&var)
            {
                self.param(Param::Scalar(var), var);
            }
        }
    }

    fn finish(mut self, inner: &dyn Backend) -> Result<Local, CompileError> {
        // Arrays bind sizes: what has been taken as a scalar before an array that binds it must go.
        let sizes = self.out.sizes.clone();
        let mut kept = vec![];
        for (param, &var) in self.params.drain(..).zip(&self.out.params) {
            if !(matches!(param, Param::Scalar(_)) && sizes.contains(&var)) {
                kept.push((param, var));
            }
        }
        self.out.params = kept.iter().map(|&(_, var)| var).collect();
        let params = kept.into_iter().map(|(param, _)| param).collect();
        walk::stmts_mut(&mut self.out.body, &mut |stmt| {
            if let Expr::Par(par) = &mut stmt.expr {
                par.levels.clear();
            }
        });
        Ok(Local {
            params,
            ..compile(inner, self.out)?
        })
    }
}

/// Statements as a function of what they need, with these results: what every rank does.
pub fn everywhere(
    inner: &dyn Backend,
    func: &Func,
    stmts: &[Stmt],
    results: &[Atom],
) -> Result<Local, CompileError> {
    let mut making = Making::of(func, func.name.clone());
    let block = Block {
        stmts: stmts.to_vec(),
        results: results.to_vec(),
    };
    let free = walk::free(&func.vars, &block);
    for &var in free.iter().filter(|var| !func.ty(**var).is_scalar()) {
        making.whole(var);
    }
    making.scalars(&free);
    making.out.body = block;
    making.finish(inner)
}

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
    // One array for each kind of rows of an array.
    let mut arrays: BTreeMap<(Var, Mode, Option<Var>), Var> = BTreeMap::new();
    let arrays_of = |read: Var| {
        let access = uses.accesses.iter().find(|access| access.read == read);
        access.expect("a read of the par").array
    };
    for (access, &mode) in uses.accesses.iter().zip(modes) {
        let Access { array, .. } = *access;
        match mode {
            Mode::Whole => {
                if !uses.wholes.contains(&array) && !making.out.params.contains(&array) {
                    making.whole(array);
                }
            }
            Mode::Window | Mode::Around => {
                let key = (array, mode, None);
                let elem = func.ty(array).elem;
                let rows = match arrays.get(&key) {
                    Some(&rows) => rows,
                    None => {
                        let rows = making.rows(Param::Window(array), array, elem);
                        arrays.insert(key, rows);
                        let start = making.scalar(Param::Start(array), "start", Type::index());
                        arrays.insert((array, Mode::Whole, Some(array)), start);
                        rows
                    }
                };
                let start = arrays[&(array, Mode::Whole, Some(array))];
                let around = (mode == Mode::Around).then(|| func.ty(array).shape[0]);
                rewrite.reads.insert(
                    access.read,
                    Read::Window {
                        rows,
                        start,
                        around,
                    },
                );
            }
            Mode::Named => {
                let load = access.through.expect("an index that is an element");
                let column = arrays_of(load);
                let key = (array, mode, Some(column));
                let elem = func.ty(array).elem;
                let rows = *arrays
                    .entry(key)
                    .or_insert_with(|| making.rows(Param::Named(array, column), array, elem));
                let places = *rewrite.places.entry((load, array)).or_insert_with(|| {
                    let param = Param::Places(array, column);
                    match making.params.iter().position(|known| *known == param) {
                        Some(at) => (making.out.params[at], None),
                        None => (making.rows(param, column, ScalarType::U64), None),
                    }
                });
                let _ = places;
                rewrite
                    .reads
                    .insert(access.read, Read::Named { rows, load, array });
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

use crate::plan::uses::Access;

/// What becomes of a read.
enum Read {
    Window {
        rows: Var,
        start: Var,
        around: Option<Atom>,
    },
    Named {
        rows: Var,
        load: Var,
        array: Var,
    },
}

/// Reads of arrays that become reads of rows.
struct Rewrite {
    reads: HashMap<Var, Read>,
    /// By the read of a column, and the array whose rows its elements name: the array of places, and the name of the element that
    /// belongs to that read.
    places: HashMap<(Var, Var), (Var, Option<Var>)>,
}

impl Rewrite {
    fn block(&mut self, out: &mut Func, block: &mut Block) {
        let mut stmts = vec![];
        for mut stmt in block.stmts.drain(..) {
            walk::blocks_mut(&mut stmt.expr, &mut |inner| self.block(out, inner));
            let place = stmt.place;
            let mut op = |op: ScalarOp, operands: Vec<Atom>, out: &mut Func| {
                let ty = match op {
                    ScalarOp::Lt => ScalarType::Bool,
                    _ => ScalarType::U64,
                };
                let var = out.var("row", Type::scalar(ty));
                stmts.push(Stmt {
                    defs: vec![var],
                    expr: Expr::Op(op, operands),
                    place,
                });
                Atom::Var(var)
            };
            let read = stmt.defs.first().copied();
            let found = read.and_then(|read| self.reads.get(&read));
            if let (Expr::Index(index), Some(found)) = (&mut stmt.expr, found) {
                let row = index.indices[0];
                match *found {
                    Read::Window {
                        rows,
                        start,
                        around,
                    } => {
                        let start = Atom::Var(start);
                        let mut at = op(ScalarOp::Sub, vec![row, start], out);
                        if let Some(length) = around {
                            let turned = op(ScalarOp::Lt, vec![row, start], out);
                            let there = op(ScalarOp::Add, vec![at, length], out);
                            at = op(ScalarOp::Select, vec![turned, there, at], out);
                            if index.checked {
                                // Beyond the end it would be a row from the beginning.
                                let inside = op(ScalarOp::Lt, vec![row, length], out);
                                at = op(ScalarOp::Select, vec![inside, at, row], out);
                            }
                        }
                        index.array = rows;
                        index.indices[0] = at;
                    }
                    Read::Named { rows, load, array } => {
                        let (_, element) = self.places[&(load, array)];
                        index.array = rows;
                        index.indices[0] = element
                            .expect("a column is read before its element is used")
                            .into();
                    }
                }
            }
            // Beside an element of a column, the places of the rows that it names.
            let mut beside = vec![];
            if let (Expr::Index(index), Some(read)) = (&stmt.expr, read) {
                for ((load, _), (places, element)) in &mut self.places {
                    if *load == read {
                        let var = out.var("place", Type::index());
                        *element = Some(var);
                        beside.push(Stmt {
                            defs: vec![var],
                            expr: Expr::Index(Index {
                                array: *places,
                                ..index.clone()
                            }),
                            place,
                        });
                    }
                }
            }
            stmts.push(stmt);
            stmts.append(&mut beside);
        }
        block.stmts = stmts;
    }
}

/// Makes a reduction give the total of its values without a start: of an operation by its identity, of a function by a flag that
/// says whether there was a value. Returns the name of the flag's result.
fn partial(out: &mut Func, sink: &mut Sink) -> Option<Var> {
    match &mut sink.combine {
        Some(Combine::Op(op)) => {
            for start in &mut sink.outer {
                let ty = out.atom_type(*start).elem;
                *start = Atom::Const(op.identity(ty).expect("an operation that reduces"));
            }
            None
        }
        Some(Combine::Lambda(lambda)) => {
            let k = sink.outer.len();
            let types: Vec<ScalarType> = sink
                .outer
                .iter()
                .map(|&start| out.atom_type(start).elem)
                .collect();
            for (start, &ty) in sink.outer.iter_mut().zip(&types) {
                *start = Atom::Const(Const { ty, bits: 0 });
            }
            let no = Atom::Const(Const::bool(false));
            let yes = Atom::Const(Const::bool(true));
            sink.outer.insert(0, no);
            sink.values.insert(0, yes);
            let flag = Type::scalar(ScalarType::Bool);
            let (left, right) = (out.var("some", flag.clone()), out.var("some", flag.clone()));
            // What the two sides have, under names of their own; the function's own parameters are bound inside.
            let sides: Vec<Var> = (0..2 * k)
                .map(|at| out.var("v", Type::scalar(types[at % k])))
                .collect();
            let inner = std::mem::replace(
                lambda,
                Lambda {
                    params: vec![],
                    body: Block::default(),
                },
            );
            let mut b = Builder::new(out);
            let both = {
                let mut block = inner.body.clone();
                let map: HashMap<Var, Atom> = inner
                    .params
                    .iter()
                    .copied()
                    .zip(sides.iter().map(|&var| var.into()))
                    .collect();
                walk::substitute(&mut b.func.vars, &mut block, &map);
                block
            };
            let list = |sides: &[Var]| Block {
                stmts: vec![],
                results: sides.iter().map(|&var| var.into()).collect(),
            };
            let (lefts, rights) = sides.split_at(k);
            let names = |b: &mut Builder<'_>| -> Vec<Var> {
                types
                    .iter()
                    .map(|&ty| b.var("t", Type::scalar(ty)))
                    .collect()
            };
            b.begin();
            let joined = names(&mut b);
            b.push(joined.clone(), Expr::If(right.into(), both, list(lefts)));
            let some = b.end(joined.iter().map(|&var| var.into()).collect::<Vec<Atom>>());
            let all = names(&mut b);
            b.push(all.clone(), Expr::If(left.into(), some, list(rights)));
            let any = b.op(ScalarOp::Or, [left.into(), right.into()]);
            let (stmts, out) = b.finish();
            let mut results = vec![any];
            results.extend(all.iter().map(|&var| Atom::Var(var)));
            let mut params = vec![left];
            params.extend(lefts);
            params.push(right);
            params.extend(rights);
            *lambda = Lambda {
                params,
                body: Block { stmts, results },
            };
            Some(out.var("any", flag))
        }
        None => unreachable!("a reduction combines"),
    }
}

/// `acc = start; acc = acc op totals[k]`, from the left, over all of them: a function of the starts, the totals, and what the
/// combining function needs.
pub fn chain(inner: &dyn Backend, func: &Func, sink: &Sink) -> Result<Local, CompileError> {
    let mut making = Making::of(func, format!("{}_chain", func.name));
    let types: Vec<ScalarType> = sink
        .values
        .iter()
        .map(|&value| func.atom_type(value).elem)
        .collect();
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
    if let Some(Combine::Lambda(lambda)) = &sink.combine {
        let mut free = walk::free(&func.vars, &lambda.body);
        lambda.params.iter().for_each(|var| {
            free.remove(var);
        });
        for &var in free.iter().filter(|var| !func.ty(**var).is_scalar()) {
            making.whole(var);
        }
        making.scalars(&free);
    }
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
    let looping = dsl_runtime::ir::Loop {
        kind: dsl_runtime::ir::LoopKind::For {
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
    let types: Vec<ScalarType> = sink
        .values
        .iter()
        .map(|&value| func.atom_type(value).elem)
        .collect();
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
    if let Combine::Lambda(lambda) = combine {
        let mut free = walk::free(&func.vars, &lambda.body);
        lambda.params.iter().for_each(|var| {
            free.remove(var);
        });
        for &var in free.iter().filter(|var| !func.ty(**var).is_scalar()) {
            making.whole(var);
        }
        making.scalars(&free);
    }
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
    if let Some(Combine::Lambda(lambda)) = &sink.combine {
        let mut free = walk::free(&func.vars, &lambda.body);
        lambda.params.iter().for_each(|var| {
            free.remove(var);
        });
        for &var in free.iter().filter(|var| !func.ty(**var).is_scalar()) {
            making.whole(var);
        }
        making.scalars(&free);
    }
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
