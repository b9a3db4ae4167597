//! A par inside other code: its results are made on the spot, in sequential order. Inside a vectorised par it becomes a
//! loop over lanes.

use super::analysis::{each_atom, each_def};
use super::reduce::Tree;
use super::scan::is_scan;
use super::sink::{Column, State};
use super::{Array, Emit, Value};
use crate::isa::{Callee, Kind, Label, Reg, Simd};
use crate::unit::Mode;
use dsl_runtime::ir::{
    Atom, Block, Combine, Const, Expr, Func, Par, ScalarOp, ScalarType, Sink, SinkKind, Stmt, Var,
    VarSet, order,
};

/// Memory that a sink of a nested par writes to.
struct Output {
    arrays: Vec<Array>,
    /// Elements of a scatter's destination, and its flags: address and block.
    len: Option<Reg>,
    flags: Option<(Reg, Reg)>,
}

impl<I: Simd> Emit<'_, I> {
    /// Emits a par that is not its unit's own.
    pub(super) fn nested(&mut self, stmt: &Stmt, par: &Par) {
        if self.lanes.is_some() {
            return self.nested_lanes(stmt, par);
        }
        let n = self.scalar(par.extent);
        let outputs = self.outputs(stmt, par);
        let short = par.inner
            && par.sinks.iter().any(|s| {
                s.kind == SinkKind::Reduce
                    && matches!(s.combine, Some(Combine::Op(_)))
                    && (self.is_ordered(s) || self.plan.width(par.index).is_some())
            });
        let finals = if self.mode == Mode::Exact && sinks_can_fail(self.func, par) {
            self.pass_sink_by_sink(par, n, &outputs, stmt)
        } else {
            self.by_length(par, n, &outputs, short)
        };
        self.results(stmt, par, n, outputs, finals);
    }

    /// Inner reductions fold from the left where they are short.
    fn by_length(&mut self, par: &Par, n: Reg, outputs: &[Output], depends: bool) -> Vec<Reg> {
        match (depends, par.extent.as_const()) {
            (false, _) => self.pass(par, n, outputs, false),
            (true, Some(known)) => self.pass(par, n, outputs, known.bits <= order::SHORT as u64),
            (true, None) => {
                let types = self.carried_types(par);
                let kinds: Vec<Kind> = types.iter().map(|&ty| Kind::Scalar(ty)).collect();
                let join = self.isa.label(&kinds);
                let labels = [self.isa.label(&[]), self.isa.label(&[])];
                let limit = self.word(order::SHORT as u64);
                let few = self.word_op(ScalarOp::Le, n, limit);
                self.isa.branch(few, (labels[0], &[]), (labels[1], &[]));
                for (label, short) in labels.into_iter().zip([true, false]) {
                    self.isa.enter(label);
                    let finals = self.pass(par, n, outputs, short);
                    self.isa.jump(join, &finals);
                }
                self.isa.enter(join);
                self.isa.params(join)
            }
        }
    }

    /// In the order of the interpreter: all iterations first, their values kept in memory; then one sink after the other.
    fn pass_sink_by_sink(
        &mut self,
        par: &Par,
        n: Reg,
        outputs: &[Output],
        stmt: &Stmt,
    ) -> Vec<Reg> {
        let mut inside = VarSet::new();
        each_def(&par.body, &mut |var| {
            inside.insert(var);
        });
        inside.insert(par.index);
        let values: VarSet = par
            .sinks
            .iter()
            .flat_map(|s| &s.values)
            .filter_map(|a| a.as_var())
            .collect();
        let mut columns = vec![];
        let mut memory = vec![];
        for var in values.intersection(&inside) {
            let ty = self.func.ty(*var).clone();
            let mut shape = vec![par.extent];
            shape.extend(&ty.shape);
            let kept = self.alloc(ty.elem, shape, stmt.place);
            columns.extend(self.columns(&[Atom::Var(*var)], &[kept.data]));
            memory.extend(kept.block);
        }
        let zero = self.word(0);
        let keep = State::Columns {
            columns: columns.clone(),
            origin: None,
        };
        self.scalar_range(par, zero, n, &[keep], vec![]);
        self.replay.insert(par.index, columns);
        let mut finals = vec![];
        for (k, sink) in par.sinks.iter().enumerate() {
            let alone = Par {
                body: Block::default(),
                sinks: vec![sink.clone()],
                ..par.clone()
            };
            let short =
                par.inner && self.is_ordered(sink) && matches!(sink.combine, Some(Combine::Op(_)));
            finals.extend(self.by_length(&alone, n, &outputs[k..=k], short));
        }
        self.replay.remove(&par.index);
        for block in memory {
            self.release(block);
        }
        finals
    }

    /// What the loop itself yields: reductions, and the numbers that filters keep.
    fn carried_types(&self, par: &Par) -> Vec<ScalarType> {
        par.sinks
            .iter()
            .flat_map(|sink| match sink.kind {
                SinkKind::Reduce => self.value_types(sink),
                SinkKind::Filter => vec![ScalarType::U64],
                _ => vec![],
            })
            .collect()
    }

    /// Memory for the results, before the first iteration.
    fn outputs(&mut self, stmt: &Stmt, par: &Par) -> Vec<Output> {
        let mut at = 0;
        let mut outputs = vec![];
        for (k, sink) in par.sinks.iter().enumerate() {
            let (defs, mut output) = (
                &stmt.defs[at..at + sink_results(sink)],
                Output {
                    arrays: vec![],
                    len: None,
                    flags: None,
                },
            );
            at += defs.len();
            match sink.kind {
                SinkKind::Reduce => {}
                SinkKind::Filter => {
                    for &def in &defs[1..] {
                        let ty = self.func.ty(def).clone();
                        let mut shape = ty.shape.clone();
                        shape[0] = par.extent;
                        let array = self.alloc(ty.elem, shape, stmt.place);
                        output.arrays.push(Array {
                            shape: ty.shape,
                            ..array
                        });
                    }
                }
                SinkKind::Scatter | SinkKind::ScatterWith => {
                    for (v, &dest) in sink.outer.iter().enumerate() {
                        let dest = dest.as_var().expect("a destination is an array");
                        let again = sink.outer[v + 1..]
                            .iter()
                            .chain(par.sinks[k + 1..].iter().flat_map(|s| &s.outer));
                        let again =
                            again.into_iter().any(|&a| a == Atom::Var(dest)) || uses(par, dest);
                        let array = if again {
                            let array = self.array(dest);
                            self.copied(&array, stmt.place)
                        } else {
                            self.writable(dest, stmt.place)
                        };
                        output.arrays.push(array);
                    }
                    let len = self.scalar(output.arrays[0].shape[0]);
                    output.len = Some(len);
                    if sink.kind == SinkKind::Scatter {
                        let flags = self.alloc_elements(ScalarType::Bool, len, stmt.place);
                        self.isa.call(Callee::Clear, self.runtime, &[flags.0, len]);
                        output.flags = Some(flags);
                    }
                }
                _ => {
                    for &def in defs {
                        let ty = self.func.ty(def).clone();
                        let array = match self.destinations.remove(&def) {
                            Some(data) => Array {
                                elem: ty.elem,
                                shape: ty.shape,
                                data,
                                block: None,
                                strides: None,
                                offset: None,
                            },
                            None => self.alloc(ty.elem, ty.shape, stmt.place),
                        };
                        output.arrays.push(array);
                    }
                }
            }
            outputs.push(output);
        }
        outputs
    }

    /// Runs the iterations, block by block where the order of a reduction asks for it.
    fn pass(&mut self, par: &Par, n: Reg, outputs: &[Output], short: bool) -> Vec<Reg> {
        let zero = self.word(0);
        let blocked = !par.inner
            && par
                .sinks
                .iter()
                .any(|s| s.kind == SinkKind::Reduce && self.is_ordered(s));
        if !blocked {
            let (finals, _) = self.stretch(par, zero, n, outputs, short, None);
            return finals;
        }
        let word = Kind::Scalar(ScalarType::U64);
        let trees: Vec<Option<Tree>> = par
            .sinks
            .iter()
            .map(|s| (s.kind == SinkKind::Reduce).then(|| self.tree(s.values.len())))
            .collect();
        // Filters count on from block to block.
        let filters = par
            .sinks
            .iter()
            .filter(|s| s.kind == SinkKind::Filter)
            .count();
        let mut kinds = vec![word, word];
        kinds.extend(vec![word; filters]);
        let (head, inside, exit) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        self.isa.jump(head, &vec![zero; kinds.len()]);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let more = self.word_op(ScalarOp::Lt, params[0], n);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let hi = self.add(params[0], order::BLOCK as u64);
        let hi = self.word_op(ScalarOp::Min, hi, n);
        let (totals, counts) = self.stretch(par, params[0], hi, outputs, short, Some(&params[2..]));
        let mut at = 0;
        for (sink, tree) in par.sinks.iter().zip(&trees) {
            if let Some(tree) = tree {
                let types = self.value_types(sink);
                let total = totals[at..at + types.len()].to_vec();
                at += types.len();
                self.tree_push(*tree, sink, &types, params[1], total);
            }
        }
        let mut args = vec![hi, self.add(params[1], 1)];
        args.extend(counts);
        self.isa.jump(head, &args);
        self.isa.enter(exit);
        let mut counts = params[2..].iter();
        let mut finals = vec![];
        for (sink, tree) in par.sinks.iter().zip(&trees) {
            match tree {
                Some(tree) => finals.extend(self.tree_result(*tree, sink, params[1])),
                None if sink.kind == SinkKind::Filter => finals.extend(counts.next().copied()),
                None => {}
            }
        }
        finals
    }

    /// `e op total`, or `e` where there are no blocks.
    fn tree_result(&mut self, tree: Tree, sink: &Sink, blocks: Reg) -> Vec<Reg> {
        let types = self.value_types(sink);
        let start: Vec<Reg> = sink.outer.iter().map(|&e| self.scalar(e)).collect();
        let kinds: Vec<Kind> = types.iter().map(|&ty| Kind::Scalar(ty)).collect();
        let (some, join) = (self.isa.label(&[]), self.isa.label(&kinds));
        let zero = self.word(0);
        let none = self.word_op(ScalarOp::Eq, blocks, zero);
        self.isa.branch(none, (join, &start), (some, &[]));
        self.isa.enter(some);
        let total = self.tree_total(tree, sink, &types, blocks);
        let result = self.combine(sink, &types, &start, &total);
        self.isa.jump(join, &result);
        self.isa.enter(join);
        self.isa.params(join)
    }

    /// The iterations `[lo, hi)`. With `counts`: one block; yields its totals, and the counts of filters apart.
    fn stretch(
        &mut self,
        par: &Par,
        lo: Reg,
        hi: Reg,
        outputs: &[Output],
        short: bool,
        counts: Option<&[Reg]>,
    ) -> (Vec<Reg>, Vec<Reg>) {
        let mut states = vec![];
        let mut carried = vec![];
        let mut filters = counts.unwrap_or(&[]).iter();
        for (sink, output) in par.sinks.iter().zip(outputs) {
            let data: Vec<Reg> = output.arrays.iter().map(|a| a.data).collect();
            let state = match sink.kind {
                SinkKind::Reduce if counts.is_some() => {
                    let state = self.reduce_state(par, sink, lo, true);
                    carried.extend(self.reduce_start(&state));
                    state
                }
                SinkKind::Reduce => {
                    let lanes = par.inner
                        && !short
                        && matches!(sink.combine, Some(Combine::Op(_)))
                        && (self.is_ordered(sink) || self.plan.width(par.index).is_some());
                    // Outside of blocks nothing here depends on the order, but vector rounds need lanes.
                    let lanes = lanes || !par.inner && self.plan.width(par.index).is_some();
                    if lanes {
                        self.reduce_state(par, sink, lo, false)
                    } else {
                        carried.extend(
                            sink.outer
                                .iter()
                                .map(|&e| self.scalar(e))
                                .collect::<Vec<_>>(),
                        );
                        State::Fold {
                            sink,
                            types: self.value_types(sink),
                            first: false,
                        }
                    }
                }
                SinkKind::Filter => {
                    carried.push(match filters.next() {
                        Some(&count) => count,
                        None => self.word(0),
                    });
                    State::Filter {
                        predicate: sink.values[0],
                        columns: self.columns(&sink.values[1..], &data),
                        room: None,
                    }
                }
                SinkKind::Scatter | SinkKind::ScatterWith => State::Scatter {
                    sink,
                    columns: self.columns(&sink.values[1..], &data),
                    len: output.len.expect("a scatter has a length"),
                    flags: output.flags.map(|f| f.0),
                },
                _ => {
                    let mut columns = self.columns(&sink.values, &data);
                    self.direct(par, &mut columns);
                    State::Columns {
                        columns,
                        origin: None,
                    }
                }
            };
            states.push(state);
        }
        let sequential = states
            .iter()
            .any(|s| matches!(s, State::Fold { .. } | State::Scatter { .. }));
        let last = if sequential {
            self.scalar_range(par, lo, hi, &states, carried)
        } else {
            self.range(par, lo, hi, &states, carried)
        };
        let (mut finals, mut kept, mut at) = (vec![], vec![], 0);
        for (state, sink) in states.iter().zip(&par.sinks) {
            let own = &last[at..at + state.carried().len()];
            at += own.len();
            match state {
                State::Lanes { .. } if counts.is_none() => {
                    let types = self.value_types(sink);
                    let total = self.reduce_total(state, own);
                    let start: Vec<Reg> = sink.outer.iter().map(|&e| self.scalar(e)).collect();
                    finals.extend(self.combine(sink, &types, &start, &total));
                }
                State::Lanes { .. } | State::Fold { .. } => {
                    finals.extend(self.reduce_total(state, own))
                }
                State::Filter { .. } if counts.is_some() => kept.extend(own),
                State::Filter { .. } => finals.extend(own),
                _ => {}
            }
        }
        (finals, kept)
    }

    /// Values of a par that stands in the body may be computed where they are collected.
    pub(crate) fn direct(&self, par: &Par, columns: &mut [Column]) {
        for column in columns.iter_mut().filter(|c| c.row.is_some()) {
            let Some(var) = column.value.as_var() else {
                continue;
            };
            let made = par.body.stmts.iter().any(|stmt| {
                let Expr::Par(inner) = &stmt.expr else {
                    return false;
                };
                let mut at = 0;
                inner.sinks.iter().any(|sink| {
                    let first = at;
                    at += sink_results(sink);
                    matches!(sink.kind, SinkKind::Collect) && stmt.defs[first..at].contains(&var)
                })
            });
            let collected = par
                .sinks
                .iter()
                .flat_map(|s| &s.values)
                .filter(|&&v| v == Atom::Var(var))
                .count();
            if made && collected == 1 {
                column.direct = Some(var);
            }
        }
    }

    /// A reduction of the values from `lo` on, without its start value.
    pub(crate) fn reduce_state<'s>(
        &mut self,
        par: &Par,
        sink: &'s Sink,
        lo: Reg,
        block: bool,
    ) -> State<'s> {
        match &sink.combine {
            Some(Combine::Op(op)) => {
                let total = self.type_of(sink.values[0]);
                let (values, memory) = match block {
                    true => self.block_lanes(par, sink, *op),
                    false => {
                        let lanes = match par.inner {
                            true => order::INNER_LANES,
                            false => order::LANES,
                        };
                        (sink.values.clone(), self.lane_memory(*op, total, lanes))
                    }
                };
                self.reset_lanes(&memory);
                State::Lanes {
                    values,
                    memory,
                    begin: lo,
                    total,
                }
            }
            _ => State::Fold {
                sink,
                types: self.value_types(sink),
                first: true,
            },
        }
    }

    /// What it carries at first.
    pub(crate) fn reduce_start(&mut self, state: &State<'_>) -> Vec<Reg> {
        match state {
            State::Fold {
                types, first: true, ..
            } => {
                let mut zeros = self.zeros(types);
                zeros.push(self.isa.constant(Const::bool(false)));
                zeros
            }
            _ => vec![],
        }
    }

    /// Its total.
    pub(crate) fn reduce_total(&mut self, state: &State<'_>, carried: &[Reg]) -> Vec<Reg> {
        match state {
            State::Lanes { memory, total, .. } => {
                let joined = self.join_lanes(memory);
                vec![match *total == memory.ty {
                    true => joined,
                    false => self.isa.cast(memory.ty, *total, joined),
                }]
            }
            State::Fold { types, .. } => carried[..types.len()].to_vec(),
            other => unreachable!("no reduction: {other:?}"),
        }
    }

    /// Binds the results.
    fn results(&mut self, stmt: &Stmt, par: &Par, n: Reg, outputs: Vec<Output>, finals: Vec<Reg>) {
        let mut at = 0;
        let mut finals = finals.into_iter();
        for (sink, output) in par.sinks.iter().zip(outputs) {
            let defs = &stmt.defs[at..at + sink_results(sink)];
            at += defs.len();
            let arrays = match sink.kind {
                SinkKind::Reduce => {
                    for &def in defs {
                        let value = finals.next().expect("a reduction has a value");
                        self.define(def, Value::Scalar(value));
                    }
                    continue;
                }
                SinkKind::Filter => {
                    let count = finals.next().expect("a filter has a count");
                    self.define(defs[0], Value::Scalar(count));
                    &defs[1..]
                }
                kind => {
                    if is_scan(kind) {
                        let types = self.value_types(sink);
                        let data: Vec<Reg> = output.arrays.iter().map(|a| a.data).collect();
                        let start: Vec<Reg> = sink.outer.iter().map(|&e| self.scalar(e)).collect();
                        self.scan_all(sink, &types, &data, n, start, par.inner);
                    }
                    defs
                }
            };
            if let Some((_, block)) = output.flags {
                self.release(block);
            }
            for (&def, array) in arrays.iter().zip(output.arrays) {
                let shape = self.func.ty(def).shape.clone();
                let owned = array.block.is_some();
                self.define(def, Value::Array(Array { shape, ..array }));
                if owned {
                    self.own(def);
                }
            }
        }
    }

    /// A par whose iterations run one after the other, each for all lanes of the par around it: left folds.
    fn nested_lanes(&mut self, stmt: &Stmt, par: &Par) {
        self.note_par(
            par,
            "one after the other for the lanes of the par around it",
        );
        let saved = self.lanes.as_ref().expect("lanes").mask.clone();
        let size = self.lanes.as_ref().expect("lanes").size;
        let extent = self.value(par.extent);
        let uneven = !matches!(extent, Value::Scalar(_));
        let masks = if uneven { self.registers(size) } else { 0 };
        let start: Vec<Reg> = {
            let mut at = 0;
            let mut regs = vec![];
            for sink in &par.sinks {
                for &e in &sink.outer {
                    let value = self.value(e);
                    regs.extend(self.flatten(stmt.defs[at], &value));
                    at += 1;
                }
            }
            regs
        };
        let mut kinds = vec![Kind::Scalar(ScalarType::U64)];
        kinds.extend(vec![Kind::Mask(size); masks]);
        kinds.extend(stmt.defs.iter().flat_map(|&d| self.kinds(d)));
        let (head, inside, exit): (Label, Label, Label) = (
            self.isa.label(&kinds),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let mut args = vec![self.word(0)];
        if uneven {
            let all = match &saved {
                Some((size, regs)) => Value::Mask {
                    size: *size,
                    regs: regs.clone(),
                },
                None => Value::Scalar(self.isa.constant(Const::bool(true))),
            };
            args.extend(self.mask(&all, size));
        }
        args.extend(start);
        self.isa.jump(head, &args);
        self.isa.enter(head);
        let params = self.isa.params(head);
        let i = Value::Scalar(params[0]);
        self.define(par.index, i.clone());
        let more = self.apply(ScalarOp::Lt, ScalarType::U64, &[i, extent]);
        let more = match more {
            Value::Scalar(more) => more,
            more => {
                let still = self.mask(&more, size);
                let still = still.iter().zip(&params[1..=masks]);
                let still: Vec<Reg> = still
                    .map(|(&a, &b)| self.isa.mask_op(ScalarOp::And, a, b))
                    .collect();
                self.lanes.as_mut().expect("lanes").mask = Some((size, still));
                self.any()
            }
        };
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        let after: Vec<Atom> = par
            .sinks
            .iter()
            .flat_map(|s| s.values.iter().copied())
            .collect();
        self.scopes.push(super::Scope::default());
        self.statements(&par.body.stmts, &after);
        let active = self.lanes.as_ref().expect("lanes").mask.clone();
        let mut args = vec![self.add(params[0], 1)];
        if uneven {
            args.extend(active.as_ref().expect("uneven lanes have a mask").1.clone());
        }
        let (mut def, mut at) = (0, 1 + masks);
        for sink in &par.sinks {
            let defs: Vec<Var> = stmt.defs[def..def + sink.outer.len()].to_vec();
            def += defs.len();
            let mut old = vec![];
            for &d in &defs {
                let count = self.kinds(d).len();
                old.push(self.restore(d, &params[at..at + count]));
                at += count;
            }
            let new: Vec<Value> = sink.values.iter().map(|&v| self.value(v)).collect();
            let types = self.value_types(sink);
            let joined = self.combine_values(sink, &types, &old, &new);
            for ((&d, old), joined) in defs.iter().zip(&old).zip(joined) {
                let value = if uneven {
                    self.where_active(self.func.ty(d).elem, &joined, old)
                } else {
                    joined
                };
                args.extend(self.flatten(d, &value));
            }
        }
        self.close_scope();
        self.isa.jump(head, &args);
        self.isa.enter(exit);
        self.lanes.as_mut().expect("lanes").mask = saved;
        let mut at = 1 + masks;
        for &d in &stmt.defs {
            let count = self.kinds(d).len();
            let value = self.restore(d, &params[at..at + count]);
            at += count;
            self.define(d, value);
        }
    }
}

/// How many names a sink binds.
pub(crate) fn sink_results(sink: &Sink) -> usize {
    match sink.kind {
        SinkKind::Collect => 1,
        SinkKind::Filter => sink.values.len(),
        SinkKind::Scatter | SinkKind::ScatterWith => sink.outer.len(),
        _ => sink.values.len(),
    }
}

/// Whether the body of a par uses a name.
fn uses(par: &Par, var: Var) -> bool {
    let mut used = VarSet::new();
    let see = &mut |atom: Atom| used.extend(atom.as_var());
    for stmt in &par.body.stmts {
        each_atom(&stmt.expr, see);
    }
    used.contains(&var)
}

/// Whether a sink of a par can fail by itself: after all iterations.
fn sinks_can_fail(func: &Func, par: &Par) -> bool {
    par.sinks
        .iter()
        .any(|sink| match (&sink.kind, &sink.combine) {
            (SinkKind::Scatter | SinkKind::ScatterWith, _) => true,
            (_, Some(Combine::Lambda(lambda))) => can_fail(func, &lambda.body),
            _ => false,
        })
}

fn can_fail(func: &Func, block: &Block) -> bool {
    block.stmts.iter().any(|stmt| match &stmt.expr {
        Expr::Op(op, operands) => op.can_fail(func.atom_type(operands[0]).elem),
        Expr::Index(index) | Expr::Update(index, _) => index.checked,
        Expr::Check(_) => true,
        expr => super::analysis::blocks(expr)
            .into_iter()
            .any(|inner| can_fail(func, inner)),
    })
}
