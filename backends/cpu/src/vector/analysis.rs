//! What is decided before a line is emitted: which pars are vectorised and how wide, which names then differ by lane,
//! which arrays are only lists of scalars, and where names are last used.
//!
//! The rule. A par is vectorised where its body has no memory of its own and its sinks can take lanes. If it contains
//! other pars, it is vectorised itself (and those become loops over lanes) only if their lengths are the same for all
//! lanes, none of its accesses would then have to be gathered lane by lane, and no row of it is collected; otherwise the
//! inner pars are looked at by themselves. A body that mostly gathers stays scalar. The lanes fill four registers of the widest type that is
//! computed with, or two where the body is long.

use super::small::lane_type;
use crate::unit::Mode;
use dsl_runtime::ir::{
    Atom, Block, Combine, Expr, Func, Loop, LoopKind, Par, ScalarOp, ScalarType, SinkKind, Stmt,
    Var, VarSet, order,
};
use std::collections::HashMap;

/// How a par is vectorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// Lanes side by side.
    pub count: usize,
    /// Groups of lanes a round.
    pub unroll: usize,
    /// Bytes of the widest lanes.
    pub size: usize,
}

/// What is known of a function before it is emitted.
#[derive(Debug)]
pub struct Plan {
    varying: Vec<bool>,
    unit: Vec<bool>,
    affine: Vec<bool>,
    looped: Vec<bool>,
    literal: Vec<bool>,
    used: Vec<bool>,
    root: Vec<Var>,
    widths: HashMap<Var, Width>,
}

impl Plan {
    /// Decides for a function.
    pub fn new(func: &Func, mode: Mode) -> Plan {
        let count = func.vars.len();
        let mut plan = Plan {
            varying: vec![false; count],
            unit: vec![false; count],
            affine: vec![false; count],
            looped: vec![false; count],
            literal: vec![false; count],
            used: vec![false; count],
            root: (0..count as u32).map(Var).collect(),
            widths: HashMap::new(),
        };
        each_atom_of_block(&func.body, &mut |atom| {
            if let Atom::Var(var) = atom {
                plan.used[var.0 as usize] = true;
            }
        });
        plan.find_literals(func, &func.body);
        plan.drop_literals(&func.body, true);
        if mode == Mode::Fast {
            plan.decide_block(func, &func.body, true);
        }
        plan
    }

    /// Whether the lanes may differ in it, inside the par that is vectorised.
    pub fn is_varying(&self, var: Var) -> bool {
        self.varying[var.0 as usize]
    }

    /// Whether it changes from round to round of a loop inside a vectorised par.
    pub fn is_looped(&self, var: Var) -> bool {
        self.looped[var.0 as usize]
    }

    /// Whether an `array` is only read at constant places.
    pub fn is_literal(&self, var: Var) -> bool {
        self.literal[var.0 as usize]
    }

    /// Whether anything uses it.
    pub fn is_used(&self, var: Var) -> bool {
        self.used[var.0 as usize]
    }

    /// How the par of that index is vectorised, if it is.
    pub fn width(&self, index: Var) -> Option<Width> {
        self.widths.get(&index).copied()
    }

    /// Whether the lanes may leave the loop in different rounds.
    pub fn is_varying_loop(&self, stmt: &Stmt) -> bool {
        match &stmt.expr {
            Expr::Loop(rounds) => match &rounds.kind {
                LoopKind::For { extent, .. } => self.varies(*extent),
                LoopKind::While(cond) => self.varies(cond.results[0]),
            },
            _ => false,
        }
    }

    /// Where names are last used, views counting as what they show: the number of the statement, or the number of
    /// statements for what is used afterwards.
    pub fn last_uses(&self, stmts: &[Stmt], after: &[Atom]) -> HashMap<Var, usize> {
        let mut last = HashMap::new();
        for (k, stmt) in stmts.iter().enumerate() {
            // An array that is bound here lives at least as long as its statement.
            for &def in &stmt.defs {
                last.insert(def, k);
            }
            each_atom(&stmt.expr, &mut |atom| {
                if let Atom::Var(var) = atom {
                    last.insert(var, k);
                    last.insert(self.root[var.0 as usize], k);
                }
            });
        }
        for var in after.iter().filter_map(|a| a.as_var()) {
            last.insert(var, stmts.len());
            last.insert(self.root[var.0 as usize], stmts.len());
        }
        last
    }

    /// Whether the rounds of a loop use a name from outside.
    pub fn used_in_loop(&self, rounds: &Loop, var: Var) -> bool {
        let mut used = false;
        let mut see = |atom: Atom| {
            used |= atom
                .as_var()
                .is_some_and(|v| v == var || self.root[v.0 as usize] == var);
        };
        if let LoopKind::While(cond) = &rounds.kind {
            each_atom_of_block(cond, &mut see);
        }
        each_atom_of_block(&rounds.body, &mut see);
        used
    }

    fn varies(&self, atom: Atom) -> bool {
        atom.as_var().is_some_and(|v| self.is_varying(v))
    }

    fn find_literals(&mut self, func: &Func, block: &Block) {
        each_stmt(block, &mut |stmt| match &stmt.expr {
            Expr::Array(items) => {
                let scalars = items.iter().all(|&a| func.atom_type(a).is_scalar());
                self.literal[stmt.defs[0].0 as usize] = scalars;
            }
            Expr::Index(index) if !func.ty(stmt.defs[0]).is_scalar() => {
                self.root[stmt.defs[0].0 as usize] = self.root[index.array.0 as usize];
            }
            Expr::Reshape(var, _) => self.root[stmt.defs[0].0 as usize] = self.root[var.0 as usize],
            _ => {}
        });
    }

    fn drop_literals(&mut self, block: &Block, results: bool) {
        let mut lengths = HashMap::new();
        each_stmt(block, &mut |stmt| {
            if let Expr::Array(items) = &stmt.expr {
                lengths.insert(stmt.defs[0], items.len() as u64);
            }
        });
        let literal = &mut self.literal;
        each_stmt(block, &mut |stmt| {
            if let Expr::Index(index) = &stmt.expr
                && let [Atom::Const(at)] = index.indices[..]
                && lengths.get(&index.array).is_some_and(|&n| at.bits < n)
            {
                return;
            }
            each_own_atom(&stmt.expr, &mut |atom| {
                if let Atom::Var(var) = atom {
                    literal[var.0 as usize] = false;
                }
            });
        });
        if results {
            for var in block.results.iter().filter_map(|a| a.as_var()) {
                literal[var.0 as usize] = false;
            }
        }
    }

    /// Decides for the pars of a block; `outermost`: not inside of one that is vectorised.
    fn decide_block(&mut self, func: &Func, block: &Block, nested: bool) {
        for stmt in &block.stmts {
            match &stmt.expr {
                Expr::Par(par) => self.decide(func, par, nested),
                Expr::If(_, then, other) => {
                    self.decide_block(func, then, nested);
                    self.decide_block(func, other, nested);
                }
                Expr::Loop(rounds) => {
                    if let LoopKind::While(cond) = &rounds.kind {
                        self.decide_block(func, cond, nested);
                    }
                    self.decide_block(func, &rounds.body, nested);
                }
                _ => {}
            }
        }
    }

    fn decide(&mut self, func: &Func, par: &Par, nested: bool) {
        if let Some(width) = self.try_width(func, par) {
            self.widths.insert(par.index, width);
            return;
        }
        // What the attempt marked is of no use to the pars inside.
        let mut bound = vec![par.index];
        each_def(&par.body, &mut |var| bound.push(var));
        for var in bound {
            let at = var.0 as usize;
            (
                self.varying[at],
                self.unit[at],
                self.affine[at],
                self.looped[at],
            ) = (false, false, false, false);
        }
        self.decide_block(func, &par.body, nested);
    }

    fn try_width(&mut self, func: &Func, par: &Par) -> Option<Width> {
        let sinks = par.sinks.iter().all(|sink| {
            let scalars = sink.values.iter().all(|&v| func.atom_type(v).is_scalar());
            scalars
                && match sink.kind {
                    SinkKind::Collect
                    | SinkKind::Filter
                    | SinkKind::Scatter
                    | SinkKind::ScatterWith => true,
                    SinkKind::Reduce | SinkKind::Scan | SinkKind::ExScan => {
                        matches!(sink.combine, Some(Combine::Op(_)))
                            && sink.values.len() == 1
                            && func.atom_type(sink.values[0]).elem != ScalarType::Bool
                    }
                    SinkKind::RScan | SinkKind::RExScan => true,
                }
        });
        if !sinks || !feasible(func, &par.body) {
            return None;
        }
        let at = par.index.0 as usize;
        (self.varying[at], self.unit[at], self.affine[at]) = (true, true, true);
        while self.spread(func, &par.body, false) {}
        let mut count = Count::default();
        self.measure(func, &par.body, false, &mut count);
        for value in par.sinks.iter().flat_map(|s| &s.values) {
            let ty = func.atom_type(*value).elem;
            count.widest = count.widest.max(ty.bytes());
        }
        if count.has_par && (count.inner_gathers > 0 || count.uneven) {
            return None;
        }
        if count.gathers * 3 > count.work + count.rows {
            return None;
        }
        let size = count.widest.max(1);
        let registers = super::lane::registers_for(count.work);
        let lanes = (registers * 16 / size).clamp(4, 16);
        let scans = par
            .sinks
            .iter()
            .any(|s| matches!(s.kind, SinkKind::Scan | SinkKind::ExScan));
        // Lanes that are combined fill registers of their own type.
        let reduced = par.sinks.iter().filter(|s| s.kind == SinkKind::Reduce);
        let reduced = reduced.map(|s| 16 / lane_type(func, par, s).bytes());
        let full = reduced.max().unwrap_or(0);
        let reduces = full > 0;
        let canonical = if par.inner {
            order::INNER_LANES
        } else {
            order::LANES
        };
        let (lanes, unroll) = if scans && !par.inner && full <= order::GROUP {
            (
                order::GROUP,
                if reduces { canonical / order::GROUP } else { 1 },
            )
        } else if scans && par.inner {
            return None;
        } else if reduces {
            let lanes = lanes.max(full).min(canonical);
            (lanes, canonical / lanes)
        } else {
            (lanes, 1)
        };
        Some(Width {
            count: lanes,
            unroll,
            size,
        })
    }

    /// Marks what differs by lane; whether something new was marked.
    fn spread(&mut self, func: &Func, block: &Block, looped: bool) -> bool {
        let mut changed = false;
        let mark = |marks: &mut Vec<bool>, var: Var, changed: &mut bool| {
            *changed |= !std::mem::replace(&mut marks[var.0 as usize], true);
        };
        for stmt in &block.stmts {
            if looped {
                for &def in &stmt.defs {
                    self.looped[def.0 as usize] = true;
                }
            }
            let varying = match &stmt.expr {
                Expr::If(cond, then, other) => {
                    changed |= self.spread(func, then, looped);
                    changed |= self.spread(func, other, looped);
                    for (k, &def) in stmt.defs.iter().enumerate() {
                        if self.varies(*cond)
                            || self.varies(then.results[k])
                            || self.varies(other.results[k])
                        {
                            mark(&mut self.varying, def, &mut changed);
                        }
                    }
                    continue;
                }
                Expr::Loop(rounds) => {
                    for (var, _) in &rounds.carried {
                        self.looped[var.0 as usize] = true;
                    }
                    match &rounds.kind {
                        LoopKind::For { index, .. } => self.looped[index.0 as usize] = true,
                        LoopKind::While(cond) => changed |= self.spread(func, cond, true),
                    }
                    changed |= self.spread(func, &rounds.body, true);
                    let all = self.is_varying_loop(stmt);
                    for (k, &(var, init)) in rounds.carried.iter().enumerate() {
                        if all || self.varies(init) || self.varies(rounds.body.results[k]) {
                            mark(&mut self.varying, var, &mut changed);
                            mark(&mut self.varying, stmt.defs[k], &mut changed);
                        }
                    }
                    continue;
                }
                Expr::Par(par) => {
                    self.looped[par.index.0 as usize] = true;
                    changed |= self.spread(func, &par.body, true);
                    let mut varying = self.varies(par.extent);
                    for sink in &par.sinks {
                        varying |= sink
                            .values
                            .iter()
                            .chain(&sink.outer)
                            .any(|&v| self.varies(v));
                    }
                    for sink in &par.sinks {
                        if let Some(Combine::Lambda(lambda)) = &sink.combine {
                            if varying {
                                for &param in &lambda.params {
                                    mark(&mut self.varying, param, &mut changed);
                                }
                            }
                            changed |= self.spread(func, &lambda.body, true);
                        }
                    }
                    varying
                }
                expr => {
                    let mut varying = false;
                    each_own_atom(expr, &mut |atom| varying |= self.varies(atom));
                    varying
                }
            };
            if varying {
                for &def in &stmt.defs {
                    mark(&mut self.varying, def, &mut changed);
                }
                let (unit, affine) = self.shape_of(&stmt.expr);
                for &def in &stmt.defs {
                    self.unit[def.0 as usize] |= unit;
                    self.affine[def.0 as usize] |= affine;
                }
            }
        }
        changed
    }

    /// Whether a varying value has neighbours one apart, and whether it has a constant step.
    fn shape_of(&self, expr: &Expr) -> (bool, bool) {
        let unit = |a: Atom| a.as_var().is_some_and(|v| self.unit[v.0 as usize]);
        let affine = |a: Atom| a.as_var().is_some_and(|v| self.affine[v.0 as usize]);
        match expr {
            Expr::Op(ScalarOp::Add, v) => (
                unit(v[0]) && !self.varies(v[1]) || unit(v[1]) && !self.varies(v[0]),
                (affine(v[0]) || !self.varies(v[0])) && (affine(v[1]) || !self.varies(v[1])),
            ),
            Expr::Op(ScalarOp::Sub, v) => (
                unit(v[0]) && !self.varies(v[1]),
                (affine(v[0]) || !self.varies(v[0])) && (affine(v[1]) || !self.varies(v[1])),
            ),
            Expr::Op(ScalarOp::Mul, v) => (
                false,
                affine(v[0]) && v[1].as_const().is_some()
                    || affine(v[1]) && v[0].as_const().is_some(),
            ),
            Expr::Op(ScalarOp::Rem, v) => (
                unit(v[0]) && !self.varies(v[1]),
                affine(v[0]) && !self.varies(v[1]),
            ),
            Expr::Op(ScalarOp::Div, v) => (false, affine(v[0]) && !self.varies(v[1])),
            Expr::Bits(_, v) => (unit(*v), affine(*v)),
            Expr::Cast(to, v) => (
                unit(*v) && to.bytes() == 8 && to.is_integer(),
                affine(*v) && to.is_integer(),
            ),
            Expr::Op(op, v) => {
                // Comparisons of counters are speculated to agree.
                use ScalarOp::*;
                (
                    false,
                    matches!(op, Eq | Ne | Lt | Le | Gt | Ge) && (affine(v[0]) || affine(v[1])),
                )
            }
            _ => (false, false),
        }
    }

    fn measure(&self, func: &Func, block: &Block, inner: bool, count: &mut Count) {
        for stmt in &block.stmts {
            match &stmt.expr {
                Expr::If(_, then, other) => {
                    self.measure(func, then, inner, count);
                    self.measure(func, other, inner, count);
                }
                Expr::Loop(rounds) => {
                    // What is done many times counts for more than what is done once.
                    count.work += 12;
                    if let LoopKind::While(cond) = &rounds.kind {
                        self.measure(func, cond, inner, count);
                    }
                    self.measure(func, &rounds.body, inner, count);
                }
                Expr::Par(par) => {
                    count.has_par = true;
                    count.work += 4;
                    count.uneven |= self.varies(par.extent) || !super::reduce::folds(func, par);
                    self.measure(func, &par.body, true, count);
                }
                Expr::Index(index) => {
                    let varies = self.varies(index.array.into())
                        || index.indices.iter().any(|&a| self.varies(a));
                    let last = index.indices[index.indices.len() - 1];
                    let row = last.as_var().is_some_and(|v| self.unit[v.0 as usize]);
                    let scalar = func.ty(stmt.defs[0]).is_scalar();
                    if varies && scalar && !row {
                        count.gathers += 1;
                        count.inner_gathers += usize::from(inner);
                    } else if varies && scalar {
                        count.rows += 1;
                    }
                }
                Expr::Op(..) | Expr::Cast(..) | Expr::Bits(..) => {
                    let def = stmt.defs[0];
                    if self.is_varying(def) && !self.affine[def.0 as usize] {
                        count.work += 1;
                    }
                }
                _ => {}
            }
            for &def in &stmt.defs {
                if self.is_varying(def) && !self.affine[def.0 as usize] && func.ty(def).is_scalar()
                {
                    let ty = func.ty(def).elem;
                    count.widest = count.widest.max(ty.bytes());
                }
            }
        }
    }
}

#[derive(Default)]
struct Count {
    work: usize,
    rows: usize,
    gathers: usize,
    inner_gathers: usize,
    widest: usize,
    has_par: bool,
    uneven: bool,
}

/// Whether a body has no memory of its own and what it contains can be run over lanes.
fn feasible(func: &Func, block: &Block) -> bool {
    block.stmts.iter().all(|stmt| match &stmt.expr {
        Expr::Op(..)
        | Expr::Cast(..)
        | Expr::Bits(..)
        | Expr::Index(_)
        | Expr::Data(_)
        | Expr::Check(_) => true,
        Expr::Reshape(..) | Expr::Update(..) => false,
        Expr::Array(items) => literal_in(func, block, stmt.defs[0], items),
        Expr::If(_, then, other) => {
            stmt.defs.iter().all(|&d| func.ty(d).is_scalar())
                && feasible(func, then)
                && feasible(func, other)
        }
        Expr::Loop(rounds) => {
            let cond = match &rounds.kind {
                LoopKind::While(cond) => feasible(func, cond),
                LoopKind::For { .. } => true,
            };
            cond && stmt.defs.iter().all(|&d| func.ty(d).is_scalar())
                && feasible(func, &rounds.body)
        }
        Expr::Par(par) => {
            feasible(func, &par.body)
                && par.sinks.iter().all(|s| {
                    s.kind == SinkKind::Reduce
                        && s.values.iter().all(|&v| func.atom_type(v).is_scalar())
                        && match &s.combine {
                            Some(Combine::Lambda(lambda)) => feasible(func, &lambda.body),
                            _ => true,
                        }
                })
        }
    })
}

fn literal_in(func: &Func, block: &Block, var: Var, items: &[Atom]) -> bool {
    let mut only = items.iter().all(|&a| func.atom_type(a).is_scalar());
    each_stmt(block, &mut |stmt| {
        if let Expr::Index(index) = &stmt.expr
            && let [Atom::Const(at)] = index.indices[..]
            && index.array == var
            && at.bits < items.len() as u64
        {
            return;
        }
        each_own_atom(&stmt.expr, &mut |atom| only &= atom != Atom::Var(var));
    });
    only && !block.results.contains(&Atom::Var(var))
}

/// All statements, inner ones too.
fn each_stmt<'b>(block: &'b Block, f: &mut impl FnMut(&'b Stmt)) {
    for stmt in &block.stmts {
        f(stmt);
        for inner in blocks(&stmt.expr) {
            each_stmt(inner, f);
        }
    }
}

/// The blocks directly inside.
pub(crate) fn blocks(expr: &Expr) -> Vec<&Block> {
    match expr {
        Expr::If(_, then, other) => vec![then, other],
        Expr::Loop(rounds) => match &rounds.kind {
            LoopKind::While(cond) => vec![cond, &rounds.body],
            LoopKind::For { .. } => vec![&rounds.body],
        },
        Expr::Par(par) => {
            let mut all = vec![&par.body];
            for sink in &par.sinks {
                if let Some(Combine::Lambda(lambda)) = &sink.combine {
                    all.push(&lambda.body);
                }
            }
            all
        }
        _ => vec![],
    }
}

/// The operands of the expression itself, and what blocks inside yield.
fn each_own_atom(expr: &Expr, f: &mut impl FnMut(Atom)) {
    match expr {
        Expr::Op(_, atoms) | Expr::Array(atoms) => atoms.iter().copied().for_each(f),
        Expr::Cast(_, atom) | Expr::Bits(_, atom) => f(*atom),
        Expr::Index(index) => {
            f(index.array.into());
            index.indices.iter().copied().for_each(f);
        }
        Expr::Update(index, with) => {
            f(index.array.into());
            index.indices.iter().copied().for_each(&mut *f);
            f(*with);
        }
        Expr::Data(_) => {}
        Expr::Reshape(var, shape) => {
            f((*var).into());
            shape.iter().copied().for_each(f);
        }
        Expr::Check(check) => {
            f(check.cond);
            check.operands.iter().copied().for_each(f);
        }
        Expr::If(cond, then, other) => {
            f(*cond);
            then.results
                .iter()
                .chain(&other.results)
                .copied()
                .for_each(f);
        }
        Expr::Loop(rounds) => {
            match &rounds.kind {
                LoopKind::For { extent, .. } => f(*extent),
                LoopKind::While(cond) => cond.results.iter().copied().for_each(&mut *f),
            }
            rounds.carried.iter().for_each(|(_, init)| f(*init));
            rounds.body.results.iter().copied().for_each(f);
        }
        Expr::Par(par) => {
            f(par.extent);
            for sink in &par.sinks {
                sink.outer
                    .iter()
                    .chain(&sink.values)
                    .copied()
                    .for_each(&mut *f);
                if let Some(Combine::Lambda(lambda)) = &sink.combine {
                    lambda.body.results.iter().copied().for_each(&mut *f);
                }
            }
        }
    }
}

/// All operands, of inner blocks too.
pub(crate) fn each_atom(expr: &Expr, f: &mut impl FnMut(Atom)) {
    each_own_atom(expr, f);
    for block in blocks(expr) {
        each_atom_of_block(block, f);
    }
}

fn each_atom_of_block(block: &Block, f: &mut impl FnMut(Atom)) {
    each_stmt(block, &mut |stmt| each_own_atom(&stmt.expr, f));
    block.results.iter().copied().for_each(f);
}

/// All names that a block binds.
pub(crate) fn each_def(block: &Block, f: &mut impl FnMut(Var)) {
    each_stmt(block, &mut |stmt| {
        stmt.defs.iter().copied().for_each(&mut *f);
        match &stmt.expr {
            Expr::Loop(rounds) => {
                rounds.carried.iter().for_each(|(var, _)| f(*var));
                if let LoopKind::For { index, .. } = &rounds.kind {
                    f(*index);
                }
            }
            Expr::Par(par) => {
                f(par.index);
                for sink in &par.sinks {
                    if let Some(Combine::Lambda(lambda)) = &sink.combine {
                        lambda.params.iter().copied().for_each(&mut *f);
                    }
                }
            }
            _ => {}
        }
    });
}

/// The names from outside that statements need, sizes in types included.
pub fn free_names(func: &Func, stmts: &[Stmt], live_out: &[Var], more: &VarSet) -> VarSet {
    let mut bound = VarSet::new();
    let mut used = VarSet::new();
    used.extend(live_out.iter().copied());
    let block = Block {
        stmts: stmts.to_vec(),
        results: vec![],
    };
    each_def(&block, &mut |var| {
        bound.insert(var);
    });
    each_atom_of_block(&block, &mut |atom| used.extend(atom.as_var()));
    let mut sizes = VarSet::new();
    for &var in bound.iter().chain(&used).chain(more) {
        sizes.extend(func.ty(var).shape.iter().filter_map(|n| n.as_var()));
    }
    used.extend(sizes);
    let named: VarSet = used.difference(&bound).copied().collect();
    named.union(more).copied().collect()
}
