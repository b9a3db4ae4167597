//! Which updates of arrays may write in place: those of memory that the body itself has made, whose old contents nobody looks
//! at afterwards, under any of its names.

use super::array::private;
use dsl_runtime::ir::{Atom, Block, Combine, Expr, Func, Loop, LoopKind, Stmt, Var, VarSet, walk};
use std::collections::HashMap;

/// The results of the updates that may. `needed`: what is used after the statements.
pub fn in_place(func: &Func, stmts: &[Stmt], needed: &VarSet) -> VarSet {
    let mut marks = Marks {
        func,
        parent: HashMap::new(),
        bound: VarSet::new(),
        found: VarSet::new(),
    };
    marks.classes(stmts);
    marks.stmts(stmts, needed.clone());
    marks.found
}

/// Whether a loop's arrays are copied before it begins: its rounds write to arrays, perhaps in place.
pub fn copies(func: &Func, inner: &Loop) -> bool {
    let mut found = false;
    let mut look = |block: &Block| {
        walk::stmts(block, &mut |stmt| {
            let large = |&def: &Var| private(func.ty(def)).is_none();
            found |= matches!(stmt.expr, Expr::Update(..)) && stmt.defs.iter().any(large);
        });
    };
    look(&inner.body);
    if let LoopKind::While(cond) = &inner.kind {
        look(cond);
    }
    found
}

struct Marks<'f> {
    func: &'f Func,
    /// Names that may stand for the same memory, as a forest.
    parent: HashMap<Var, Var>,
    /// Names that the statements bind.
    bound: VarSet,
    found: VarSet,
}

impl Marks<'_> {
    fn root(&self, mut var: Var) -> Var {
        while let Some(&parent) = self.parent.get(&var) {
            var = parent;
        }
        var
    }

    fn join(&mut self, a: Var, b: Atom) {
        let Some(b) = b.as_var() else { return };
        if self.func.ty(a).is_scalar() {
            return;
        }
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parent.insert(a, b);
        }
    }

    fn classes(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            walk::blocks(&stmt.expr, &mut |block| self.classes(&block.stmts));
            // Constants of the program are everybody's.
            if !matches!(stmt.expr, Expr::Data(_)) {
                self.bound.extend(stmt.defs.iter().copied());
            }
            match &stmt.expr {
                Expr::Index(index) | Expr::Update(index, _) => {
                    self.join(stmt.defs[0], index.array.into());
                }
                Expr::Reshape(array, _) => self.join(stmt.defs[0], (*array).into()),
                Expr::If(_, then, other) => {
                    for (at, &def) in stmt.defs.iter().enumerate() {
                        self.join(def, then.results[at]);
                        self.join(def, other.results[at]);
                    }
                }
                Expr::Loop(inner) => {
                    let copied = copies(self.func, inner);
                    for (at, &def) in stmt.defs.iter().enumerate() {
                        let (carried, init) = inner.carried[at];
                        self.bound.insert(carried);
                        self.join(def, carried.into());
                        self.join(carried, inner.body.results[at]);
                        if !copied && private(self.func.ty(carried)).is_none() {
                            self.join(carried, init);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// `live`: what is used afterwards.
    fn stmts(&mut self, stmts: &[Stmt], mut live: VarSet) {
        for stmt in stmts.iter().rev() {
            stmt.defs.iter().for_each(|def| {
                live.remove(def);
            });
            // What a round needs from outside, the next one needs too.
            let mut around = live.clone();
            around.extend(walk::free_of_expr(&self.func.vars, &stmt.expr));
            match &stmt.expr {
                Expr::Update(index, value) => self.update(stmt.defs[0], index.array, *value, &live),
                Expr::If(_, then, other) => {
                    self.block(then, &live);
                    self.block(other, &live);
                }
                Expr::Loop(inner) => {
                    self.block(&inner.body, &around);
                    if let LoopKind::While(cond) = &inner.kind {
                        around.extend(inner.carried.iter().map(|&(var, _)| var));
                        self.block(cond, &around);
                    }
                }
                Expr::Par(par) => {
                    walk::values(&stmt.expr, &mut |atom| around.extend(atom.as_var()));
                    self.block(&par.body, &around);
                    for sink in &par.sinks {
                        if let Some(Combine::Lambda(lambda)) = &sink.combine {
                            self.block(&lambda.body, &around);
                        }
                    }
                }
                _ => {}
            }
            live.extend(walk::free_of_stmt(&self.func.vars, stmt));
        }
    }

    fn block(&mut self, block: &Block, live: &VarSet) {
        let mut live = live.clone();
        live.extend(block.results.iter().filter_map(|atom| atom.as_var()));
        self.stmts(&block.stmts, live);
    }

    fn update(&mut self, def: Var, array: Var, value: Atom, live: &VarSet) {
        let root = self.root(array);
        let same = |var: Var| !self.func.ty(var).is_scalar() && self.root(var) == root;
        let shared = live.iter().any(|&var| same(var)) || value.as_var().is_some_and(same);
        let members = self.parent.keys().copied().chain([root, array]);
        let mut members = members.filter(|&var| self.root(var) == root);
        if !shared && members.all(|var| self.bound.contains(&var)) {
            self.found.insert(def);
        }
    }
}
