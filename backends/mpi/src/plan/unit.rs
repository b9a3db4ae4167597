//! A par that ranks share: what is known of it before a run, and what has been compiled for it.

use crate::array::cut::Wants;
use crate::array::rows::Margin;
use crate::plan::derive::{self, Local, Mode};
use crate::plan::separate::{is_dear, totals};
use crate::plan::sight::{Inspected, Known};
use crate::plan::uses::Uses;
use dsl_runtime::backend::{Backend, CompileError, Failure, guarded};
use dsl_runtime::ir::{Atom, Expr, Func, Par, Sink, SinkKind, Stmt, Var, VarSet};
use dsl_runtime::pass::effect;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A par that ranks share.
pub struct Unit {
    /// The names.
    pub func: Func,
    /// The par.
    pub stmt: Stmt,
    /// How it reads arrays.
    pub uses: Uses,
    /// Whether few iterations are worth sharing.
    pub dear: bool,
    /// Whether it can fail, but for memory.
    pub can_fail: bool,
    /// Whether it combines in the order of a par inside another, which is one block, however long.
    pub single: bool,
    /// Arrays that an iteration reads at its own number.
    pub aligned: VarSet,
    /// What is done.
    pub kind: Kind,
    /// Per sink, the room that is wanted around what it makes.
    pub margins: Vec<Arc<Margin>>,
    /// What was found out of the rows that it reads, the newest last.
    pub known: Mutex<Vec<Known>>,
    /// The same, where elements of arrays say which.
    pub inspected: Mutex<Vec<Inspected>>,
    shares: Mutex<Shares>,
    everywhere: Once,
    joins: Vec<Once>,
    chain: Once,
    deliver: Once,
}

/// By how the rows of each access are had, and which sinks are wanted.
type Shares = HashMap<(Vec<Mode>, Vec<usize>), Arc<Local>>;

type Once = OnceLock<Result<Local, CompileError>>;

/// What a par does.
pub enum Kind {
    /// It collects and reduces.
    Map,
    /// It scans; the totals of its blocks, and the name of their number.
    Scan(Box<Unit>, Var),
    /// It filters.
    Filter,
    /// It scatters what another par makes: the places, then the values.
    Scatter(Box<Unit>),
}

impl Unit {
    /// A par of one kind.
    pub fn of(func: &Func, stmt: &Stmt) -> Unit {
        let Expr::Par(par) = &stmt.expr else {
            unreachable!("a par")
        };
        let mut func = func.clone();
        let kind = match par.sinks.first().map(|sink| sink.kind) {
            Some(SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan) => {
                let (totals, blocks) = totals(&mut func, stmt);
                Kind::Scan(Box::new(Unit::of(&func, &totals)), blocks)
            }
            Some(SinkKind::Filter) => Kind::Filter,
            Some(SinkKind::Scatter | SinkKind::ScatterWith) => {
                let values = collecting(&mut func, stmt);
                Kind::Scatter(Box::new(Unit::of(&func, &values)))
            }
            Some(SinkKind::Collect | SinkKind::Reduce) | None => Kind::Map,
        };
        let uses = Uses::of(&func, par);
        let own = Atom::Var(par.index);
        let aligned = uses.accesses.iter().filter(|access| access.row == own);
        Unit {
            aligned: aligned.map(|access| access.array).collect(),
            dear: is_dear(par),
            can_fail: effect::can_fail(&func, stmt),
            single: par.inner && par.sinks.iter().any(|sink| combines_in_order(&func, sink)),
            margins: par.sinks.iter().map(|_| Arc::default()).collect(),
            joins: par.sinks.iter().map(|_| Once::new()).collect(),
            chain: Once::new(),
            deliver: Once::new(),
            everywhere: Once::new(),
            shares: Mutex::default(),
            known: Mutex::default(),
            inspected: Mutex::default(),
            stmt: stmt.clone(),
            uses,
            kind,
            func,
        }
    }

    /// The par.
    pub fn par(&self) -> &Par {
        match &self.stmt.expr {
            Expr::Par(par) => par,
            _ => unreachable!("a par"),
        }
    }

    /// A sink.
    pub fn sink(&self, number: usize) -> &Sink {
        &self.par().sinks[number]
    }

    /// The results of a sink.
    pub fn defs(&self, number: usize) -> &[Var] {
        let sinks = &self.par().sinks;
        let first: usize = sinks[..number].iter().map(Sink::results).sum();
        &self.stmt.defs[first..first + sinks[number].results()]
    }

    /// What a rank does of it, compiled.
    pub fn share(
        &self,
        inner: &dyn Backend,
        modes: &[Mode],
        sinks: &[usize],
    ) -> Result<Arc<Local>, Failure> {
        let key = (modes.to_vec(), sinks.to_vec());
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&key) {
            return Ok(share.clone());
        }
        let made = guarded(&self.func, || {
            derive::share(inner, &self.func, &self.stmt, &self.uses, modes, sinks)
        });
        let share = Arc::new(made.map_err(uncompiled)?);
        shares.insert(key, share.clone());
        Ok(share)
    }

    /// The par as it stands, for every rank.
    pub fn everywhere(&self, inner: &dyn Backend) -> Result<&Local, Failure> {
        let results: Vec<Atom> = self.stmt.defs.iter().map(|&var| var.into()).collect();
        let stmts = std::slice::from_ref(&self.stmt);
        once(&self.everywhere, &self.func, || {
            derive::everywhere(inner, &self.func, stmts, &results)
        })
    }

    /// The combining function of a sink.
    pub fn join(&self, inner: &dyn Backend, sink: usize) -> Result<&Local, Failure> {
        let make = || derive::join(inner, &self.func, self.sink(sink));
        once(&self.joins[sink], &self.func, make)
    }

    /// A fold of totals by the combining function of the first sink.
    pub fn chain(&self, inner: &dyn Backend) -> Result<&Local, Failure> {
        let make = || derive::chain(inner, &self.func, self.sink(0));
        once(&self.chain, &self.func, make)
    }

    /// The scatter of the first sink, of values that have come.
    pub fn deliver(&self, inner: &dyn Backend) -> Result<&Local, Failure> {
        let make = || derive::deliver(inner, &self.func, self.sink(0));
        once(&self.deliver, &self.func, make)
    }
}

/// Compiles at the first use.
pub fn once<'a>(
    cell: &'a OnceLock<Result<Local, CompileError>>,
    func: &Func,
    make: impl FnOnce() -> Result<Local, CompileError>,
) -> Result<&'a Local, Failure> {
    let made = cell.get_or_init(|| guarded(func, make));
    made.as_ref().map_err(|error| uncompiled(error.clone()))
}

/// A function that the place inside cannot have, though it can have the whole.
pub fn uncompiled(error: CompileError) -> Failure {
    match error {
        CompileError::Unsupported { what, .. } => Failure::Unsupported(what),
        CompileError::Internal(text) => Failure::Internal(text),
        other => Failure::Internal(format!("{other:?}")),
    }
}

/// Whether the order in which a sink combines the values of all iterations shows.
fn combines_in_order(func: &Func, sink: &Sink) -> bool {
    sink.kind != SinkKind::ScatterWith && effect::shows_order(func, sink)
}

/// A par that collects what a scatter is given.
fn collecting(func: &mut Func, stmt: &Stmt) -> Stmt {
    let mut stmt = stmt.clone();
    let Expr::Par(par) = &mut stmt.expr else {
        unreachable!("a par")
    };
    let sink = par.sinks[0].clone();
    stmt.defs.clear();
    par.sinks.clear();
    for &value in &sink.values {
        let ty = func.atom_type(value);
        let mut shape = vec![par.extent];
        shape.extend(ty.shape);
        let array = dsl_runtime::ir::Type::array(ty.elem, shape);
        stmt.defs.push(func.var("sent", array));
        par.sinks.push(Sink {
            kind: SinkKind::Collect,
            outer: vec![],
            values: vec![value],
            combine: None,
            place: sink.place,
        });
    }
    stmt
}

/// Rows of one array that a rank sees through one index.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Who sends what.
    pub wants: Arc<Wants>,
    /// The number of the first row.
    pub start: u64,
}
