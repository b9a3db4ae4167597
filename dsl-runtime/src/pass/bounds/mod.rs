//! Removes bounds checks: proves indices inside from loop extents, conditions and earlier checks, and moves what it cannot
//! prove out of loops.
//!
//! Two steps. *Proof*: [`Facts`] collects `a - b <= c` while the function is walked in order; an index whose two bounds
//! follow becomes unchecked, a `check` that follows disappears. *Hoisting*: an index that runs with the loop (`i + k`) or
//! does not change in it, and is reached in every round, is tested once before the loop. The moved test fails exactly where some
//! round would have; which one is said by the run of the elaborated program.

mod assume;
mod difference;

pub use assume::{Assumption, assume};

use super::Caps;
use crate::ir::*;
use assume::Suppose;
use difference::{Facts, Node, Term};
use std::collections::HashMap;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    treat(func, None);
}

/// Walks over a function: to remove tests, or to suppose.
fn treat(func: &mut Func, suppose: Option<Suppose>) -> Option<Suppose> {
    let mut body = std::mem::take(&mut func.body);
    let mut bounds = Bounds {
        func,
        defs: HashMap::new(),
        facts: Facts::default(),
        difference: HashMap::new(),
        suppose,
    };
    bounds.sizes();
    bounds.block(&mut body);
    bounds.func.body = body;
    bounds.suppose
}

/// The largest length of an array: `isize::MAX`, as Rust's allocations have it.
const LONGEST: i128 = i64::MAX as i128;
const ZERO: Term = Term {
    node: Node::Zero,
    offset: 0,
};
/// How many conditional definitions a proof may split on.
const SPLITS: u32 = 4;

struct Bounds<'f> {
    func: &'f mut Func,
    /// What each name seen so far is; of `if` the condition and one result of each branch.
    defs: HashMap<Var, Def>,
    facts: Facts,
    /// `d = hi - lo` without wrapping.
    difference: HashMap<Var, (Atom, Atom)>,
    /// Of a walk that only asks which tests would disappear with assumptions about arrays.
    suppose: Option<Suppose>,
}

#[derive(Clone)]
enum Def {
    Op(ScalarOp, Vec<Atom>),
    Widened(Atom),
    Either(Atom, Atom, Atom),
}

impl Bounds<'_> {
    fn sizes(&mut self) {
        let sizes: VarSet = self
            .func
            .vars
            .iter()
            .flat_map(|info| &info.ty.shape)
            .filter_map(|atom| atom.as_var())
            .collect();
        for size in sizes {
            self.facts.learn(size, ZERO.plus(LONGEST));
        }
    }

    fn block(&mut self, block: &mut Block) {
        let stmts = std::mem::take(&mut block.stmts);
        for mut stmt in stmts {
            let (before, keep) = self.stmt(&mut stmt);
            block.stmts.extend(before);
            if keep {
                block.stmts.push(stmt);
            }
        }
    }

    /// Treats a statement; returns what must stand before it, and whether it stays.
    fn stmt(&mut self, stmt: &mut Stmt) -> (Vec<Stmt>, bool) {
        let mut before = vec![];
        match &mut stmt.expr {
            Expr::Op(op, operands) => {
                self.defs
                    .insert(stmt.defs[0], Def::Op(*op, operands.clone()));
                self.define(stmt.defs[0]);
            }
            Expr::Cast(ScalarType::U64, from) => {
                let unsigned = self.func.atom_type(*from).elem.class() == types::Class::Unsigned;
                if unsigned {
                    self.defs.insert(stmt.defs[0], Def::Widened(*from));
                    self.define(stmt.defs[0]);
                }
            }
            Expr::Index(index) | Expr::Update(index, _) => self.access(index),
            Expr::Check(check) => {
                let cond = check.cond;
                let goes = match self.suppose {
                    Some(_) => self.check_supposing(check),
                    None => self.follows(cond, true, SPLITS),
                };
                if goes {
                    return (before, false);
                }
                self.assume(cond, true);
            }
            Expr::If(cond, then, or_else) => {
                let cond = *cond;
                let mark = self.facts.mark();
                self.assume(cond, true);
                self.block(then);
                self.facts.reset(mark);
                let mark = self.facts.mark();
                self.assume(cond, false);
                self.block(or_else);
                self.facts.reset(mark);
                for ((&def, &a), &b) in stmt.defs.iter().zip(&then.results).zip(&or_else.results) {
                    self.defs.insert(def, Def::Either(cond, a, b));
                }
            }
            Expr::Loop(Loop {
                kind: LoopKind::For { index, extent },
                body,
                carried,
            }) => {
                let (index, extent) = (*index, *extent);
                self.counted(index, extent, |bounds| bounds.block(body));
                let bound = carried.iter().map(|&(var, _)| var).collect();
                self.hoist(index, extent, body, bound, stmt.place, &mut before);
            }
            Expr::Loop(Loop {
                kind: LoopKind::While(cond),
                body,
                ..
            }) => {
                let mark = self.facts.mark();
                self.block(cond);
                self.assume(cond.results[0], true);
                self.block(body);
                self.facts.reset(mark);
            }
            Expr::Par(par) => {
                let (index, extent) = (par.index, par.extent);
                let Par { body, sinks, .. } = par;
                self.counted(index, extent, |bounds| {
                    bounds.block(body);
                    for sink in sinks {
                        if let Some(Combine::Lambda(lambda)) = &mut sink.combine {
                            bounds.block(&mut lambda.body);
                        }
                    }
                });
                self.hoist(
                    index,
                    extent,
                    &mut par.body,
                    VarSet::new(),
                    stmt.place,
                    &mut before,
                );
            }
            _ => {}
        }
        self.trace(stmt);
        (before, true)
    }

    /// Walks a body in which `index < extent`.
    fn counted(&mut self, index: Var, extent: Atom, body: impl FnOnce(&mut Self)) {
        let mark = self.facts.mark();
        self.facts.learn(Term::from(index).plus(1), extent);
        // The extent `if lo < hi { hi - lo } else { 0 }` is not 0 here, so its condition holds.
        if let Some(Def::Op(ScalarOp::Select, operands)) =
            extent.as_var().and_then(|var| self.defs.get(&var)).cloned()
            && operands[2] == Atom::size(0)
        {
            self.assume(operands[0], true);
            if let Some(difference) = operands[1].as_var() {
                self.define(difference);
                self.facts.equal(extent, difference);
                if let (Some(&pair), Some(extent)) =
                    (self.difference.get(&difference), extent.as_var())
                {
                    self.difference.insert(extent, pair);
                }
            }
        }
        body(self);
        self.facts.reset(mark);
    }

    fn access(&mut self, index: &mut Index) {
        let lengths = self.func.ty(index.array).shape.clone();
        if self.suppose.is_some() {
            self.access_supposing(index);
        } else if index.checked
            && index
                .indices
                .iter()
                .zip(&lengths)
                .all(|(&i, &len)| self.inside(i, len, SPLITS))
        {
            index.checked = false;
        }
        for (&i, &len) in index.indices.iter().zip(&lengths) {
            self.facts.learn(Term::from(i).plus(1), len);
        }
    }

    /// Whether `i < len` follows, if need be for both values of the conditions that `i` was chosen by.
    fn inside(&mut self, i: Atom, len: Atom, splits: u32) -> bool {
        if self.facts.holds(Term::from(i).plus(1), len) {
            return true;
        }
        // More may be known here than where the index was computed: a loop's extent is not 0 inside it.
        self.redefine(i, 3);
        if self.facts.holds(Term::from(i).plus(1), len) {
            return true;
        }
        let Some(var) = i.as_var().filter(|_| splits > 0) else {
            return false;
        };
        let (cond, a, b) = match self.defs.get(&var) {
            Some(Def::Either(cond, a, b)) => (*cond, *a, *b),
            Some(Def::Op(ScalarOp::Select, operands)) => (operands[0], operands[1], operands[2]),
            _ => return false,
        };
        [(true, a), (false, b)].into_iter().all(|(truth, chosen)| {
            let mark = self.facts.mark();
            self.assume(cond, truth);
            let proven = self.inside(chosen, len, splits - 1);
            self.facts.reset(mark);
            proven
        })
    }

    /// Learns again what definitions say, now that more is known: a difference may have been proven not to wrap.
    fn redefine(&mut self, atom: Atom, depth: u32) {
        let Some(var) = atom.as_var().filter(|_| depth > 0) else {
            return;
        };
        if let Some(Def::Op(_, operands)) = self.defs.get(&var).cloned() {
            operands
                .iter()
                .for_each(|&operand| self.redefine(operand, depth - 1));
            self.define(var);
        }
    }

    /// Learns what a definition says.
    fn define(&mut self, var: Var) {
        if self.func.ty(var).elem != ScalarType::U64 {
            return;
        }
        let (op, operands) = match self.defs.get(&var) {
            Some(Def::Op(op, operands)) => (*op, operands.clone()),
            Some(Def::Widened(from)) => {
                let bits = self.func.atom_type(*from).elem.bits();
                let from = *from;
                self.facts.equal(var, from);
                return self.facts.learn(var, ZERO.plus((1 << bits) - 1));
            }
            _ => return,
        };
        let a = operands[0];
        let b = operands.get(1).copied().unwrap_or(a);
        let constant = |atom: Atom| atom.as_const().map(|c| c.bits as i128);
        match op {
            ScalarOp::Add => {
                let small =
                    |bounds: &Self, atom: Atom| bounds.facts.holds(atom, ZERO.plus(LONGEST));
                if !(small(self, a) && small(self, b)) {
                    return;
                }
                match (constant(a), constant(b)) {
                    (_, Some(c)) => self.facts.equal(var, Term::from(a).plus(c)),
                    (Some(c), _) => self.facts.equal(var, Term::from(b).plus(c)),
                    _ => {
                        self.facts.learn(a, var);
                        self.facts.learn(b, var);
                        self.within(var, a, b);
                        self.within(var, b, a);
                    }
                }
            }
            ScalarOp::Sub if self.facts.holds(b, a) => match constant(b) {
                Some(c) => self.facts.equal(var, Term::from(a).plus(-c)),
                None => {
                    self.facts.learn(var, a);
                    self.difference.insert(var, (a, b));
                }
            },
            ScalarOp::Rem => {
                self.facts.learn(var, a);
                self.facts.learn(Term::from(var).plus(1), b);
            }
            ScalarOp::Div | ScalarOp::Shr => self.facts.learn(var, a),
            ScalarOp::And | ScalarOp::Min => {
                self.facts.learn(var, a);
                self.facts.learn(var, b);
            }
            ScalarOp::Max => {
                self.facts.learn(a, var);
                self.facts.learn(b, var);
            }
            _ => {}
        }
    }

    /// `sum = lo + k` with `k < hi - lo` is below `hi`.
    fn within(&mut self, sum: Var, lo: Atom, k: Atom) {
        let fitting: Vec<_> = self
            .difference
            .iter()
            .filter(|(_, pair)| pair.1 == lo)
            .map(|(&d, pair)| (d, pair.0))
            .collect();
        for (d, hi) in fitting {
            if self.facts.holds(Term::from(k).plus(1), d) {
                self.facts.learn(Term::from(sum).plus(1), hi);
            }
        }
    }

    /// The comparison that a condition states, as operation and operands, if it is one of unsigned numbers.
    fn comparison(&self, cond: Atom) -> Option<(ScalarOp, Vec<Atom>)> {
        match self.defs.get(&cond.as_var()?)? {
            Def::Op(op, operands) => Some((*op, operands.clone())),
            _ => None,
        }
    }

    /// Learns that a condition has this value.
    fn assume(&mut self, cond: Atom, truth: bool) {
        if let Some(Def::Either(c, a, b)) =
            cond.as_var().and_then(|var| self.defs.get(&var)).cloned()
        {
            // `a && b` and `a || b` where the right side may fail.
            match (
                truth,
                a.as_const().map(|v| v.bits),
                b.as_const().map(|v| v.bits),
            ) {
                (true, _, Some(0)) => {
                    self.assume(c, true);
                    self.assume(a, true);
                }
                (false, Some(1), _) => {
                    self.assume(c, false);
                    self.assume(b, false);
                }
                _ => {}
            }
            return;
        }
        let Some((op, operands)) = self.comparison(cond) else {
            return;
        };
        let a = operands[0];
        let b = operands.get(1).copied().unwrap_or(a);
        match (op, truth) {
            (ScalarOp::And, true) | (ScalarOp::Or, false) => {
                self.assume(a, truth);
                return self.assume(b, truth);
            }
            (ScalarOp::Not, _) => return self.assume(a, !truth),
            _ => {}
        }
        if self.func.atom_type(a).elem != ScalarType::U64 {
            return;
        }
        let (a, b) = (Term::from(a), Term::from(b));
        match (op, truth) {
            (ScalarOp::Lt, true) | (ScalarOp::Ge, false) => self.facts.learn(a.plus(1), b),
            (ScalarOp::Le, true) | (ScalarOp::Gt, false) => self.facts.learn(a, b),
            (ScalarOp::Gt, true) | (ScalarOp::Le, false) => self.facts.learn(b.plus(1), a),
            (ScalarOp::Ge, true) | (ScalarOp::Lt, false) => self.facts.learn(b, a),
            (ScalarOp::Eq, true) | (ScalarOp::Ne, false) => self.facts.equal(a, b),
            (ScalarOp::Ne, true) | (ScalarOp::Eq, false) => self.facts.differ(a, b),
            _ => {}
        }
    }

    /// Whether a condition has this value in any case.
    fn follows(&mut self, cond: Atom, truth: bool, depth: u32) -> bool {
        if let Some(value) = cond.as_const() {
            return (value.bits != 0) == truth;
        }
        let Some((op, operands)) = self.comparison(cond).filter(|_| depth > 0) else {
            return false;
        };
        let a = operands[0];
        let b = operands.get(1).copied().unwrap_or(a);
        match (op, truth) {
            (ScalarOp::And, true) | (ScalarOp::Or, false) => {
                return self.follows(a, truth, depth - 1) && self.follows(b, truth, depth - 1);
            }
            (ScalarOp::And, false) | (ScalarOp::Or, true) => {
                return self.follows(a, truth, depth - 1) || self.follows(b, truth, depth - 1);
            }
            (ScalarOp::Not, _) => return self.follows(a, !truth, depth - 1),
            _ => {}
        }
        if !(self.is_natural(a) && self.is_natural(b)) {
            return false;
        }
        self.redefine(a, 3);
        self.redefine(b, 3);
        let (a, b) = (Term::from(a), Term::from(b));
        match (op, truth) {
            (ScalarOp::Lt, true) | (ScalarOp::Ge, false) => self.facts.holds(a.plus(1), b),
            (ScalarOp::Le, true) | (ScalarOp::Gt, false) => self.facts.holds(a, b),
            (ScalarOp::Gt, true) | (ScalarOp::Le, false) => self.facts.holds(b.plus(1), a),
            (ScalarOp::Ge, true) | (ScalarOp::Lt, false) => self.facts.holds(b, a),
            (ScalarOp::Eq, true) | (ScalarOp::Ne, false) => {
                self.facts.holds(a, b) && self.facts.holds(b, a)
            }
            (ScalarOp::Ne, true) | (ScalarOp::Eq, false) => {
                self.facts.holds(a.plus(1), b) || self.facts.holds(b.plus(1), a)
            }
            _ => false,
        }
    }

    /// Whether facts about it are facts about a natural number: so are all of type `u64`, and what is assumed to be.
    fn is_natural(&self, atom: Atom) -> bool {
        let ty = self.func.atom_type(atom).elem;
        ty == ScalarType::U64
            || match atom {
                Atom::Var(var) => (self.suppose.iter()).any(|suppose| suppose.is_natural(var)),
                Atom::Const(value) => ty.is_integer() && value.bits >> (ty.bits() - 1) == 0,
            }
    }

    /// Tests before a loop what every round of it would test: indices `i`, `i + k` and `k`, where `k` does not change. Loads
    /// that do not change and are inside even if no round runs move there as a whole. `bound` are the loop's carried names.
    fn hoist(
        &mut self,
        index: Var,
        extent: Atom,
        body: &mut Block,
        bound: VarSet,
        place: Place,
        before: &mut Vec<Stmt>,
    ) {
        if self.suppose.is_some() {
            return;
        }
        let inner: VarSet = &defined_in(body) | &bound;
        for stmt in std::mem::take(&mut body.stmts) {
            if let Expr::Index(access) = &stmt.expr
                && walk::free_of_stmt(&self.func.vars, &stmt)
                    .iter()
                    .all(|var| *var != index && !inner.contains(var))
                && access
                    .indices
                    .iter()
                    .zip(self.func.ty(access.array).shape.clone())
                    .all(|(&i, len)| self.inside(i, len, 0))
            {
                before.push(stmt);
            } else {
                body.stmts.push(stmt);
            }
        }
        let outside = |atom: Atom| {
            atom.as_var()
                .is_none_or(|var| var != index && !inner.contains(&var))
        };
        let sums: HashMap<Var, Atom> = body
            .stmts
            .iter()
            .filter_map(|stmt| match &stmt.expr {
                Expr::Op(ScalarOp::Add, ab) if ab[0] == index.into() && outside(ab[1]) => {
                    Some((stmt.defs[0], ab[1]))
                }
                Expr::Op(ScalarOp::Add, ab) if ab[1] == index.into() && outside(ab[0]) => {
                    Some((stmt.defs[0], ab[0]))
                }
                _ => None,
            })
            .collect();
        let mut tests: Vec<(Atom, Atom, Reach)> = vec![];
        for stmt in &mut body.stmts {
            let (Expr::Index(access) | Expr::Update(access, _)) = &mut stmt.expr else {
                continue;
            };
            if !access.checked || !outside(access.array.into()) {
                continue;
            }
            let lengths = self.func.ty(access.array).shape.clone();
            let reaches: Option<Vec<Reach>> = access
                .indices
                .iter()
                .map(|&i| match i.as_var() {
                    _ if outside(i) => Some(Reach::Fixed),
                    Some(var) if var == index => Some(Reach::Index),
                    Some(var) => sums.get(&var).map(|&k| Reach::Sum(k)),
                    None => None,
                })
                .collect();
            let Some(reaches) = reaches else { continue };
            access.checked = false;
            for ((&i, &len), reach) in access.indices.iter().zip(&lengths).zip(reaches) {
                let test = (
                    if let Reach::Sum(_) = reach {
                        Atom::size(0)
                    } else {
                        i
                    },
                    len,
                    reach,
                );
                if !tests.contains(&test) {
                    tests.push(test);
                }
            }
        }
        // Arrays that are walked from the same place on are tested at once: the shortest of them ends first.
        let mut joint: Vec<(Atom, Atom, Reach)> = vec![];
        for (i, len, reach) in tests {
            let same = |other: &&mut (Atom, Atom, Reach)| other.2 == reach;
            match (joint.iter_mut().find(same), reach) {
                (Some((_, shortest, _)), Reach::Sum(Atom::Var(_))) => {
                    *shortest = self.op(ScalarOp::Min, vec![*shortest, len], place, before);
                }
                _ => joint.push((i, len, reach)),
            }
        }
        for (i, len, reach) in joint {
            self.test(i, len, reach, extent, place, before);
        }
    }

    /// A statement before a loop.
    fn op(
        &mut self,
        op: ScalarOp,
        operands: Vec<Atom>,
        place: Place,
        before: &mut Vec<Stmt>,
    ) -> Atom {
        let types: Vec<_> = operands
            .iter()
            .map(|&a| self.func.atom_type(a).elem)
            .collect();
        let ty = op.result(&types).expect("operands fit");
        let def = self.func.var("t", Type::scalar(ty));
        self.defs.insert(def, Def::Op(op, operands.clone()));
        before.push(Stmt {
            defs: vec![def],
            expr: Expr::Op(op, operands),
            place,
        });
        def.into()
    }

    /// `lo` and `hi` where the extent is the length of `lo..hi`: `select (lt lo hi) (sub hi lo) 0`.
    fn range_end(&self, extent: Atom) -> Option<(Atom, Atom)> {
        let of = |atom: Atom, wanted| match self.defs.get(&atom.as_var()?)? {
            Def::Op(op, operands) if *op == wanted => Some(operands.clone()),
            _ => None,
        };
        let chosen = of(extent, ScalarOp::Select)?;
        let order = of(chosen[0], ScalarOp::Lt).or_else(|| of(chosen[0], ScalarOp::Le))?;
        let length = of(chosen[1], ScalarOp::Sub)?;
        let empty = chosen[2].as_const().is_some_and(|n| n.bits == 0);
        (empty && order[0] == length[1] && order[1] == length[0]).then_some((order[0], order[1]))
    }

    fn test(
        &mut self,
        i: Atom,
        len: Atom,
        reach: Reach,
        extent: Atom,
        place: Place,
        before: &mut Vec<Stmt>,
    ) {
        let end = self.range_end(extent);
        let mut op = |op, operands| self.op(op, operands, place, before);
        let cond = match reach {
            Reach::Index => op(ScalarOp::Le, vec![extent, len]),
            Reach::Fixed => {
                let inside = op(ScalarOp::Lt, vec![i, len]);
                let none = op(ScalarOp::Eq, vec![extent, Atom::size(0)]);
                op(ScalarOp::Or, vec![none, inside])
            }
            // The rounds of `k..hi` read up to `hi`, or nothing.
            Reach::Sum(k @ Atom::Var(_)) if end.is_some_and(|(lo, _)| lo == k) => {
                let (_, hi) = end.expect("tested");
                let inside = op(ScalarOp::Le, vec![hi, len]);
                let none = op(ScalarOp::Le, vec![hi, k]);
                op(ScalarOp::Or, vec![inside, none])
            }
            // Where it begins behind the end, no room is left for a round.
            Reach::Sum(k @ Atom::Var(_)) => {
                let begin = op(ScalarOp::Min, vec![k, len]);
                let room = op(ScalarOp::Sub, vec![len, begin]);
                op(ScalarOp::Le, vec![extent, room])
            }
            Reach::Sum(k) => {
                let begins = op(ScalarOp::Lt, vec![k, len]);
                let room = op(ScalarOp::Sub, vec![len, k]);
                let ends = op(ScalarOp::Le, vec![extent, room]);
                let inside = op(ScalarOp::And, vec![begins, ends]);
                let none = op(ScalarOp::Eq, vec![extent, Atom::size(0)]);
                op(ScalarOp::Or, vec![none, inside])
            }
        };
        if self.follows(cond, true, SPLITS) {
            return;
        }
        let check = Check {
            cond,
            fault: Fault::IndexOutOfBounds,
            operands: vec![extent, len],
        };
        before.push(Stmt {
            defs: vec![],
            expr: Expr::Check(check),
            place,
        });
        self.assume(cond, true);
    }
}

/// How an index moves with its loop.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// It is the loop's index.
    Index,
    /// It does not change.
    Fixed,
    /// It is the loop's index and this, which does not change.
    Sum(Atom),
}

/// The names that a body defines at its top level: what stands outside can only name these of it.
fn defined_in(body: &Block) -> VarSet {
    body.stmts
        .iter()
        .flat_map(|stmt| stmt.defs.iter().copied())
        .collect()
}
