//! Walks over the IR: from a statement to its operands, blocks and names; from a block to what it uses, defines and needs
//! from outside; and copies of blocks under fresh names.
//!
//! A name's type is part of where the name is bound: whoever uses a block also uses the sizes in the types of the names
//! that the block binds. The walks that are called `uses` and `free` therefore include them.

use super::{
    Atom, Block, Check, Combine, Expr, Func, Index, Lambda, Loop, LoopKind, Par, Place, Sink, Stmt,
    Type, Var, VarInfo, VarSet,
};
use std::collections::HashMap;

/// The operands that are evaluated when the statement is reached, in order: not those of its blocks, and of a par's
/// sinks only `outer`.
pub fn operands(expr: &Expr, f: &mut impl FnMut(Atom)) {
    let index = |index: &Index, f: &mut dyn FnMut(Atom)| {
        f(index.array.into());
        index.indices.iter().for_each(|&atom| f(atom));
    };
    match expr {
        Expr::Op(_, atoms) | Expr::Array(atoms) => atoms.iter().for_each(|&atom| f(atom)),
        Expr::Cast(_, atom) | Expr::Bits(_, atom) => f(*atom),
        Expr::Index(access) => index(access, f),
        Expr::Update(access, value) => {
            index(access, f);
            f(*value);
        }
        Expr::Data(_) => {}
        Expr::Reshape(array, shape) => {
            f((*array).into());
            shape.iter().for_each(|&atom| f(atom));
        }
        Expr::Check(check) => {
            f(check.cond);
            check.operands.iter().for_each(|&atom| f(atom));
        }
        Expr::If(cond, _, _) => f(*cond),
        Expr::Loop(Loop { kind, carried, .. }) => {
            if let LoopKind::For { extent, .. } = kind {
                f(*extent);
            }
            carried.iter().for_each(|&(_, init)| f(init));
        }
        Expr::Par(par) => {
            f(par.extent);
            for sink in &par.sinks {
                sink.outer.iter().for_each(|&atom| f(atom));
            }
        }
    }
}

/// [`operands`], to be changed in place.
///
/// # Panics
/// Where `f` puts a constant where an array stands.
pub fn operands_mut(expr: &mut Expr, f: &mut impl FnMut(&mut Atom)) {
    let array = |var: &mut Var, f: &mut dyn FnMut(&mut Atom)| {
        let mut atom = Atom::Var(*var);
        f(&mut atom);
        *var = atom.as_var().expect("an array is a name");
    };
    match expr {
        Expr::Op(_, atoms) | Expr::Array(atoms) => atoms.iter_mut().for_each(f),
        Expr::Cast(_, atom) | Expr::Bits(_, atom) => f(atom),
        Expr::Index(access) => {
            array(&mut access.array, f);
            access.indices.iter_mut().for_each(f);
        }
        Expr::Update(access, value) => {
            array(&mut access.array, f);
            access.indices.iter_mut().for_each(&mut *f);
            f(value);
        }
        Expr::Data(_) => {}
        Expr::Reshape(var, shape) => {
            array(var, f);
            shape.iter_mut().for_each(f);
        }
        Expr::Check(Check { cond, operands, .. }) => {
            f(cond);
            operands.iter_mut().for_each(f);
        }
        Expr::If(cond, _, _) => f(cond),
        Expr::Loop(Loop { kind, carried, .. }) => {
            if let LoopKind::For { extent, .. } = kind {
                f(extent);
            }
            carried.iter_mut().for_each(|(_, init)| f(init));
        }
        Expr::Par(par) => {
            f(&mut par.extent);
            for sink in &mut par.sinks {
                sink.outer.iter_mut().for_each(&mut *f);
            }
        }
    }
}

/// The operands that the sinks of a par take from each iteration.
pub fn values(expr: &Expr, f: &mut impl FnMut(Atom)) {
    if let Expr::Par(par) = expr {
        for sink in &par.sinks {
            sink.values.iter().for_each(|&atom| f(atom));
        }
    }
}

/// [`values`], to be changed in place.
pub fn values_mut(expr: &mut Expr, f: &mut impl FnMut(&mut Atom)) {
    if let Expr::Par(par) = expr {
        for sink in &mut par.sinks {
            sink.values.iter_mut().for_each(&mut *f);
        }
    }
}

/// The blocks that stand directly in a statement, in order; those of combining functions among them.
pub fn blocks<'a>(expr: &'a Expr, f: &mut impl FnMut(&'a Block)) {
    match expr {
        Expr::If(_, then, other) => {
            f(then);
            f(other);
        }
        Expr::Loop(Loop { kind, body, .. }) => {
            if let LoopKind::While(cond) = kind {
                f(cond);
            }
            f(body);
        }
        Expr::Par(par) => {
            f(&par.body);
            for lambda in lambdas(par) {
                f(&lambda.body);
            }
        }
        _ => {}
    }
}

/// [`blocks`], to be changed in place.
pub fn blocks_mut(expr: &mut Expr, f: &mut impl FnMut(&mut Block)) {
    match expr {
        Expr::If(_, then, other) => {
            f(then);
            f(other);
        }
        Expr::Loop(Loop { kind, body, .. }) => {
            if let LoopKind::While(cond) = kind {
                f(cond);
            }
            f(body);
        }
        Expr::Par(par) => {
            f(&mut par.body);
            for sink in &mut par.sinks {
                if let Some(Combine::Lambda(lambda)) = &mut sink.combine {
                    f(&mut lambda.body);
                }
            }
        }
        _ => {}
    }
}

/// The combining functions of a par that are lambdas.
pub fn lambdas(par: &Par) -> impl Iterator<Item = &Lambda> {
    par.sinks.iter().filter_map(|sink| match &sink.combine {
        Some(Combine::Lambda(lambda)) => Some(lambda),
        _ => None,
    })
}

/// The names that a statement binds for its blocks: index, counter, carried names, parameters. Not its results.
pub fn binders(expr: &Expr, f: &mut impl FnMut(Var)) {
    match expr {
        Expr::Loop(Loop { kind, carried, .. }) => {
            if let LoopKind::For { index, .. } = kind {
                f(*index);
            }
            carried.iter().for_each(|&(var, _)| f(var));
        }
        Expr::Par(par) => {
            f(par.index);
            for lambda in lambdas(par) {
                lambda.params.iter().for_each(|&var| f(var));
            }
        }
        _ => {}
    }
}

/// All statements of a block and of the blocks inside, each before those inside it.
pub fn stmts<'a>(block: &'a Block, f: &mut impl FnMut(&'a Stmt)) {
    fn go<'a>(block: &'a Block, f: &mut dyn FnMut(&'a Stmt)) {
        for stmt in &block.stmts {
            f(stmt);
            blocks(&stmt.expr, &mut |inner| go(inner, f));
        }
    }
    go(block, f)
}

/// All statements of a block and of the blocks inside, each after those inside it.
pub fn stmts_mut(block: &mut Block, f: &mut impl FnMut(&mut Stmt)) {
    fn go(block: &mut Block, f: &mut dyn FnMut(&mut Stmt)) {
        for stmt in &mut block.stmts {
            blocks_mut(&mut stmt.expr, &mut |inner| go(inner, f));
            f(stmt);
        }
    }
    go(block, f)
}

/// All names that a block binds, here and inside.
pub fn defs(block: &Block, f: &mut impl FnMut(Var)) {
    stmts(block, &mut |stmt| {
        stmt.defs.iter().for_each(|&var| f(var));
        binders(&stmt.expr, f);
    });
}

/// Every operand of a statement and of the blocks inside; not the sizes in types.
fn expr_atoms(expr: &Expr, f: &mut dyn FnMut(Atom)) {
    operands(expr, &mut |atom| f(atom));
    values(expr, &mut |atom| f(atom));
    blocks(expr, &mut |block| block_atoms(block, f));
}

fn block_atoms(block: &Block, f: &mut dyn FnMut(Atom)) {
    for stmt in &block.stmts {
        expr_atoms(&stmt.expr, f);
    }
    block.results.iter().for_each(|&atom| f(atom));
}

/// Every operand of a block and of the blocks inside, with the results; not the sizes in types.
pub fn atoms(block: &Block, f: &mut impl FnMut(Atom)) {
    block_atoms(block, f)
}

/// [`atoms`], to be changed in place.
pub fn atoms_mut(block: &mut Block, f: &mut impl FnMut(&mut Atom)) {
    fn go(block: &mut Block, f: &mut dyn FnMut(&mut Atom)) {
        for stmt in &mut block.stmts {
            operands_mut(&mut stmt.expr, &mut |atom| f(atom));
            values_mut(&mut stmt.expr, &mut |atom| f(atom));
            blocks_mut(&mut stmt.expr, &mut |inner| go(inner, f));
        }
        block.results.iter_mut().for_each(f);
    }
    go(block, f)
}

/// Every operand of a block and of the blocks inside, and every size in the types of the names that they bind.
pub fn uses(vars: &[VarInfo], block: &Block, f: &mut impl FnMut(Atom)) {
    atoms(block, f);
    defs(block, &mut |var| {
        vars[var.0 as usize]
            .ty
            .shape
            .iter()
            .for_each(|&size| f(size));
    });
}

/// The names that a block uses and does not bind.
pub fn free(vars: &[VarInfo], block: &Block) -> VarSet {
    let mut free = VarSet::new();
    uses(vars, block, &mut |atom| free.extend(atom.as_var()));
    defs(block, &mut |var| {
        free.remove(&var);
    });
    free
}

/// The names that an expression uses, its blocks included, and does not bind.
pub fn free_of_expr(vars: &[VarInfo], expr: &Expr) -> VarSet {
    let mut free = VarSet::new();
    let mut bound = VarSet::new();
    expr_atoms(expr, &mut |atom| free.extend(atom.as_var()));
    binders(expr, &mut |var| {
        bound.insert(var);
    });
    blocks(expr, &mut |block| {
        defs(block, &mut |var| {
            bound.insert(var);
        })
    });
    for var in &bound {
        free.extend(sizes(&vars[var.0 as usize].ty));
    }
    &free - &bound
}

/// The names that a statement uses, the sizes in the types of its results included, and does not bind.
pub fn free_of_stmt(vars: &[VarInfo], stmt: &Stmt) -> VarSet {
    let mut free = free_of_expr(vars, &stmt.expr);
    for def in &stmt.defs {
        free.extend(sizes(&vars[def.0 as usize].ty));
    }
    for def in &stmt.defs {
        free.remove(def);
    }
    free
}

/// The names in the shape of a type.
pub fn sizes(ty: &Type) -> impl Iterator<Item = Var> + '_ {
    ty.shape.iter().filter_map(|size| size.as_var())
}

/// How often each name of a function is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseCounts {
    /// As an operand or a result, by [`Var`].
    pub operands: Vec<u32>,
    /// As a size in the type of a name that is bound somewhere, by [`Var`].
    pub sizes: Vec<u32>,
}

impl UseCounts {
    /// As an operand or as a size.
    pub fn total(&self, var: Var) -> u32 {
        self.operands[var.0 as usize] + self.sizes[var.0 as usize]
    }
}

/// Counts the uses in a function, its signature included.
pub fn use_counts(func: &Func) -> UseCounts {
    let mut counts = UseCounts {
        operands: vec![0; func.vars.len()],
        sizes: vec![0; func.vars.len()],
    };
    atoms(&func.body, &mut |atom| {
        if let Atom::Var(var) = atom {
            counts.operands[var.0 as usize] += 1;
        }
    });
    let mut bound = func.params.clone();
    defs(&func.body, &mut |var| bound.push(var));
    for var in bound {
        for size in sizes(func.ty(var)) {
            counts.sizes[size.0 as usize] += 1;
        }
    }
    counts
}

/// Replaces names where a block uses them, here and inside, and in the types of the names that it binds.
///
/// # Panics
/// Where `map` gives a constant for an array.
pub fn substitute(vars: &mut [VarInfo], block: &mut Block, map: &HashMap<Var, Atom>) {
    if map.is_empty() {
        return;
    }
    let replace = |atom: &mut Atom| {
        if let Some(new) = atom.as_var().and_then(|var| map.get(&var)) {
            *atom = *new;
        }
    };
    atoms_mut(block, &mut |atom| replace(atom));
    defs(block, &mut |var| {
        vars[var.0 as usize].ty.shape.iter_mut().for_each(replace);
    });
}

/// Copies parts of a function, every name that they bind fresh, into another function or the same.
///
/// ```
/// use dsl_runtime::ir::{Func, ScalarType, Type, walk::Copier, build::Builder, ScalarOp, Atom};
/// let mut square = Func::empty("square");
/// let x = square.var("x", Type::scalar(ScalarType::F32));
/// square.params.push(x);
/// let mut b = Builder::new(&mut square);
/// let y = b.op(ScalarOp::Mul, [x.into(), x.into()]);
/// let (stmts, _) = b.finish();
/// square.body.stmts = stmts;
/// square.body.results = vec![y];
///
/// let mut caller = Func::empty("caller");
/// let a = caller.var("a", Type::scalar(ScalarType::F32));
/// let (stmts, results) = Copier::inline(&square, &[a.into()], &mut caller, None);
/// assert_eq!(stmts.len(), 1);
/// assert_eq!(results, [Atom::Var(stmts[0].defs[0])]);
/// ```
pub struct Copier<'a> {
    from: Option<&'a Func>,
    to: &'a mut Func,
    /// What stands for a name of the original: names bound by what has been copied, and whatever is put here before.
    pub map: HashMap<Var, Atom>,
    /// The place of all copied statements; `None` keeps their own.
    pub place: Option<Place>,
    /// Where the sources of the original stand among those of the copy.
    sources: Vec<u16>,
}

impl<'a> Copier<'a> {
    /// Copies within one function.
    pub fn within(func: &'a mut Func) -> Copier<'a> {
        Copier {
            from: None,
            to: func,
            map: HashMap::new(),
            place: None,
            sources: vec![],
        }
    }

    /// Copies from one function into another; the sources go with it.
    pub fn between(from: &'a Func, to: &'a mut Func) -> Copier<'a> {
        let sources = from
            .sources
            .iter()
            .map(|source| {
                let at = to.sources.iter().position(|known| known == source);
                at.unwrap_or_else(|| {
                    to.sources.push(*source);
                    to.sources.len() - 1
                }) as u16
            })
            .collect();
        Copier {
            from: Some(from),
            to,
            map: HashMap::new(),
            place: None,
            sources,
        }
    }

    /// The body of `callee` on these arguments, as statements and results for `caller`. Its sizes become the sizes in
    /// the types of the arguments. `place` is that of the call; `None` keeps the callee's own places.
    pub fn inline(
        callee: &Func,
        args: &[Atom],
        caller: &mut Func,
        place: Option<Place>,
    ) -> (Vec<Stmt>, Vec<Atom>) {
        let mut copier = Copier::between(callee, caller);
        copier.place = place;
        for (&param, &arg) in callee.params.iter().zip(args) {
            copier.map.insert(param, arg);
            let given = copier.to.atom_type(arg);
            for (size, length) in callee.ty(param).shape.iter().zip(given.shape) {
                if let Atom::Var(size) = size {
                    copier.map.entry(*size).or_insert(length);
                }
            }
        }
        let block = copier.block(&callee.body);
        (block.stmts, block.results)
    }

    /// What stands for an operand.
    pub fn atom(&self, atom: Atom) -> Atom {
        match atom {
            Atom::Var(var) => self.map.get(&var).copied().unwrap_or(atom),
            Atom::Const(_) => atom,
        }
    }

    /// A fresh name for `var`, its type translated.
    pub fn bind(&mut self, var: Var) -> Var {
        let info = self.from.unwrap_or(self.to).vars[var.0 as usize].clone();
        let shape: Vec<Atom> = info.ty.shape.iter().map(|&size| self.atom(size)).collect();
        let fresh = self.to.var(info.name, Type::array(info.ty.elem, shape));
        self.map.insert(var, fresh.into());
        fresh
    }

    /// A copy of a block.
    pub fn block(&mut self, block: &Block) -> Block {
        Block {
            stmts: block.stmts.iter().map(|stmt| self.stmt(stmt)).collect(),
            results: self.list(&block.results),
        }
    }

    /// A copy of a statement; its results stand in [`Copier::map`] afterwards.
    pub fn stmt(&mut self, stmt: &Stmt) -> Stmt {
        let defs = self.names(&stmt.defs);
        Stmt {
            defs,
            expr: self.expr(&stmt.expr),
            place: self.place(stmt.place),
        }
    }

    /// A copy of an expression.
    pub fn expr(&mut self, expr: &Expr) -> Expr {
        match expr {
            Expr::Op(op, atoms) => Expr::Op(*op, self.list(atoms)),
            Expr::Cast(ty, atom) => Expr::Cast(*ty, self.atom(*atom)),
            Expr::Bits(ty, atom) => Expr::Bits(*ty, self.atom(*atom)),
            Expr::Index(index) => Expr::Index(self.index(index)),
            Expr::Update(index, value) => Expr::Update(self.index(index), self.atom(*value)),
            Expr::Array(atoms) => Expr::Array(self.list(atoms)),
            Expr::Data(data) => Expr::Data(data.clone()),
            Expr::Reshape(array, shape) => Expr::Reshape(self.array(*array), self.list(shape)),
            Expr::Check(check) => Expr::Check(Check {
                cond: self.atom(check.cond),
                fault: check.fault.clone(),
                operands: self.list(&check.operands),
            }),
            Expr::If(cond, then, other) => {
                let cond = self.atom(*cond);
                Expr::If(cond, self.block(then), self.block(other))
            }
            Expr::Loop(inner) => Expr::Loop(self.looping(inner)),
            Expr::Par(par) => Expr::Par(self.par(par)),
        }
    }

    /// A copy of a par.
    pub fn par(&mut self, par: &Par) -> Par {
        let extent = self.atom(par.extent);
        let outer: Vec<Vec<Atom>> = par.sinks.iter().map(|s| self.list(&s.outer)).collect();
        let index = self.bind(par.index);
        let body = self.block(&par.body);
        let sinks = par.sinks.iter().zip(outer);
        Par {
            index,
            extent,
            body,
            sinks: sinks.map(|(sink, outer)| self.sink(sink, outer)).collect(),
            inner: par.inner,
            levels: par.levels.clone(),
        }
    }

    /// A copy of a combining function.
    pub fn lambda(&mut self, lambda: &Lambda) -> Lambda {
        Lambda {
            params: self.names(&lambda.params),
            body: self.block(&lambda.body),
        }
    }

    fn sink(&mut self, sink: &Sink, outer: Vec<Atom>) -> Sink {
        Sink {
            kind: sink.kind,
            outer,
            values: self.list(&sink.values),
            combine: sink.combine.as_ref().map(|combine| match combine {
                Combine::Op(op) => Combine::Op(*op),
                Combine::Lambda(lambda) => Combine::Lambda(self.lambda(lambda)),
            }),
            place: self.place(sink.place),
        }
    }

    fn looping(&mut self, original: &Loop) -> Loop {
        let inits: Vec<Atom> = original
            .carried
            .iter()
            .map(|&(_, a)| self.atom(a))
            .collect();
        let mut names = vec![];
        let kind = match &original.kind {
            LoopKind::For { index, extent } => {
                let extent = self.atom(*extent);
                let index = self.bind(*index);
                names.extend(original.carried.iter().map(|&(var, _)| self.bind(var)));
                LoopKind::For { index, extent }
            }
            LoopKind::While(cond) => {
                names.extend(original.carried.iter().map(|&(var, _)| self.bind(var)));
                LoopKind::While(self.block(cond))
            }
        };
        Loop {
            kind,
            carried: names.into_iter().zip(inits).collect(),
            body: self.block(&original.body),
        }
    }

    fn index(&self, index: &Index) -> Index {
        Index {
            array: self.array(index.array),
            indices: self.list(&index.indices),
            checked: index.checked,
        }
    }

    fn array(&self, var: Var) -> Var {
        self.atom(var.into()).as_var().expect("an array is a name")
    }

    fn list(&self, atoms: &[Atom]) -> Vec<Atom> {
        atoms.iter().map(|&atom| self.atom(atom)).collect()
    }

    fn names(&mut self, vars: &[Var]) -> Vec<Var> {
        vars.iter().map(|&var| self.bind(var)).collect()
    }

    fn place(&self, place: Place) -> Place {
        self.place.unwrap_or(Place {
            source: self
                .sources
                .get(place.source as usize)
                .copied()
                .unwrap_or(place.source),
            span: place.span,
        })
    }
}
