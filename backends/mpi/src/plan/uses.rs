//! How a par reads the arrays around it.

use dsl_runtime::ir::{Atom, Expr, Func, LoopKind, Par, ScalarType, Stmt, Var, VarSet, walk};
use std::collections::HashMap;

/// A read of an array from outside the par.
#[derive(Clone, Debug)]
pub struct Access {
    /// The name that it binds.
    pub read: Var,
    /// The array.
    pub array: Var,
    /// The index of the row.
    pub row: Atom,
    /// Where that index is an element of another array from outside, perhaps cast: which read that is.
    pub through: Option<Var>,
}

/// All that a par reads.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Reads by index, in the order of the text.
    pub accesses: Vec<Access>,
    /// Arrays that are used otherwise.
    pub wholes: VarSet,
    /// The names on which it depends what is read: by those in rows, in conditions and in the numbers of rounds.
    pub relevant: VarSet,
    /// Whether an iteration may never end on elements that nobody has computed: those of a rank on which something has failed.
    pub endless: bool,
}

impl Uses {
    /// Those of a par. Destinations of scatters are not read.
    pub fn of(func: &Func, par: &Par) -> Uses {
        let mut own = VarSet::from([par.index]);
        let mut makers: HashMap<Var, &Stmt> = HashMap::new();
        let mut stmts: Vec<&Stmt> = vec![];
        let mut named: HashMap<Var, usize> = HashMap::new();
        let lambdas = walk::lambdas(par).map(|lambda| &lambda.body);
        for block in [&par.body].into_iter().chain(lambdas) {
            walk::defs(block, &mut |var| {
                own.insert(var);
            });
            walk::stmts(block, &mut |stmt| stmts.push(stmt));
            walk::atoms(block, &mut |atom| {
                atom.as_var()
                    .into_iter()
                    .for_each(|var| *named.entry(var).or_default() += 1)
            });
        }
        for atom in par.sinks.iter().flat_map(|sink| &sink.values) {
            atom.as_var()
                .into_iter()
                .for_each(|var| *named.entry(var).or_default() += 1);
        }
        for &stmt in &stmts {
            stmt.defs.iter().for_each(|&def| {
                makers.insert(def, stmt);
            });
        }
        let mut uses = Uses::default();
        for &stmt in &stmts {
            let Expr::Index(index) = &stmt.expr else {
                continue;
            };
            if own.contains(&index.array) {
                continue;
            }
            *named.entry(index.array).or_default() -= 1;
            uses.accesses.push(Access {
                read: stmt.defs[0],
                array: index.array,
                row: index.indices[0],
                through: through(func, &own, &makers, index.indices[0]),
            });
        }
        let array = |var: &Var| !func.ty(*var).is_scalar() && !own.contains(var);
        uses.wholes = named
            .into_iter()
            .filter(|(var, count)| *count > 0 && array(var))
            .map(|(var, _)| var)
            .collect();
        uses.relevant = relevant(&uses, &makers);
        uses.endless = stmts.iter().any(|stmt| match &stmt.expr {
            Expr::Par(par) => is_computed(par.extent, &makers),
            Expr::Loop(inner) => match &inner.kind {
                LoopKind::For { extent, .. } => is_computed(*extent, &makers),
                LoopKind::While(_) => true,
            },
            _ => false,
        });
        uses
    }

    /// The arrays.
    pub fn arrays(&self) -> VarSet {
        let read = self.accesses.iter().map(|access| access.array);
        read.chain(self.wholes.iter().copied()).collect()
    }
}

/// What decides what is read.
fn relevant(uses: &Uses, makers: &HashMap<Var, &Stmt>) -> VarSet {
    let mut open: Vec<Atom> = uses.accesses.iter().map(|access| access.row).collect();
    for stmt in makers.values() {
        // What a branch or a loop does is decided by its condition, whatever it is.
        match &stmt.expr {
            Expr::If(cond, ..) => open.push(*cond),
            Expr::Par(par) => open.push(par.extent),
            Expr::Loop(inner) => {
                if let LoopKind::For { extent, .. } = &inner.kind {
                    open.push(*extent);
                }
            }
            _ => {}
        }
    }
    let mut found = VarSet::new();
    while let Some(atom) = open.pop() {
        let Some(var) = atom.as_var() else { continue };
        if !found.insert(var) {
            continue;
        }
        let Some(stmt) = makers.get(&var) else {
            continue;
        };
        match &stmt.expr {
            Expr::If(cond, then, other) => {
                open.push(*cond);
                let at = stmt.defs.iter().position(|&def| def == var);
                let at = at.expect("one of its results");
                open.extend([then.results[at], other.results[at]]);
            }
            // Neither what loops carry nor what pars make is followed.
            Expr::Loop(_) | Expr::Par(_) => {}
            Expr::Index(index) => open.extend(&index.indices),
            expr => walk::operands(expr, &mut |atom| open.push(atom)),
        }
    }
    found
}

/// Whether it comes of elements of arrays.
fn is_computed(atom: Atom, makers: &HashMap<Var, &Stmt>) -> bool {
    let mut open = vec![atom];
    let mut found = VarSet::new();
    while let Some(atom) = open.pop() {
        let Some(var) = atom.as_var().filter(|&var| found.insert(var)) else {
            continue;
        };
        let Some(stmt) = makers.get(&var) else {
            continue;
        };
        match &stmt.expr {
            Expr::Index(_) | Expr::Loop(_) | Expr::Par(_) => return true,
            Expr::If(cond, then, other) => {
                open.push(*cond);
                open.extend(then.results.iter().chain(&other.results));
            }
            expr => walk::operands(expr, &mut |atom| open.push(atom)),
        }
    }
    false
}

/// Whether a cast leaves the number of a row what it is, and what is none of a row none.
fn keeps_rows(from: ScalarType, to: ScalarType) -> bool {
    let wider = to.bits() == 64 || to.bits() >= from.bits() && to.class() == from.class();
    from.is_integer() && to.is_integer() && wider
}

/// The read of an array from outside that an index is.
fn through(func: &Func, own: &VarSet, makers: &HashMap<Var, &Stmt>, index: Atom) -> Option<Var> {
    let var = index.as_var()?;
    let stmt = makers.get(&var)?;
    match &stmt.expr {
        Expr::Cast(to, from) if keeps_rows(func.atom_type(*from).elem, *to) => {
            through(func, own, makers, *from)
        }
        Expr::Index(index) => {
            let ty = func.ty(var);
            let element = ty.is_scalar() && ty.elem.is_integer();
            (element && !own.contains(&index.array)).then_some(var)
        }
        _ => None,
    }
}
