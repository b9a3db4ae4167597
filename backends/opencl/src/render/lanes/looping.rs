//! Loops of lanes: a round is done by all lanes that are still on their way, until none is.

use super::Lanes;
use super::value::{Kind, mask, vector};
use crate::render::types;
use dsl_runtime::ir::{
    Atom, Block, Expr, Loop, LoopKind, ScalarOp, ScalarType, Stmt, Var, VarSet, walk,
};
use dsl_runtime::pass::effect;

/// Rounds of a loop between two questions whether it is over.
const ROUNDS: usize = 8;

/// A name that a loop carries.
struct Carried {
    var: Var,
    def: Var,
    /// The next value.
    next: Atom,
    /// Whether it is the same in all lanes that are on their way: it began so, and grows by the same in each round.
    counter: bool,
    /// Whether its last value is asked for.
    used: bool,
}

impl Lanes<'_, '_> {
    pub(super) fn looping(&mut self, inner: &Loop, defs: &[Var]) {
        let counts = walk::use_counts(self.body.func);
        let conditional = matches!(inner.kind, LoopKind::While(_));
        let pairs = inner.carried.iter().zip(&inner.body.results).zip(defs);
        let carried: Vec<Carried> = pairs
            .map(|((&(var, init), &next), &def)| Carried {
                var,
                def,
                next,
                counter: conditional && self.counts(inner, var, init, next),
                used: counts.total(def) > 0,
            })
            .collect();
        for (one, &(_, init)) in carried.iter().zip(&inner.carried) {
            if one.counter {
                let (own, name) = (self.scalar(one.var), self.body.name(one.var));
                let begin = self.body.atom(init);
                self.line(format!("{own} {name} = {begin};"));
            }
            match (one.counter, one.used) {
                (true, false) => {}
                (true, true) => self.declare(one.def, Some(init)),
                (false, _) => self.declare(one.var, Some(init)),
            }
        }
        match &inner.kind {
            LoopKind::For { index, extent } => {
                let (i, n) = (self.body.name(*index), self.body.atom(*extent));
                self.line(format!("for (ulong {i} = 0; {i} < {n}; {i}++) {{"));
                self.stmts(&inner.body.stmts);
                self.advance(&carried, None, &VarSet::new());
                self.line("}");
            }
            LoopKind::While(cond) => self.rounds(cond, &inner.body, &carried),
        }
        for one in carried.iter().filter(|one| !one.counter) {
            let name = self.body.name(one.var);
            self.body.alias(one.def, name);
            let kind = self.kind(one.var).cloned().expect("it was declared");
            self.set(one.def, kind);
        }
    }

    fn scalar(&self, var: Var) -> &'static str {
        types::name(self.body.func.ty(var).elem)
    }

    /// Whether an integer begins the same in all lanes and grows by a constant.
    fn counts(&self, inner: &Loop, var: Var, init: Atom, next: Atom) -> bool {
        let made = next.as_var().and_then(|next| inner.body.maker(next));
        let grows = made.is_some_and(|stmt| match &stmt.expr {
            Expr::Op(ScalarOp::Add, x) => {
                (x[0] == var.into() && x[1].as_const().is_some())
                    || (x[1] == var.into() && x[0].as_const().is_some())
            }
            _ => false,
        });
        grows && self.same(init) && self.body.func.ty(var).elem.is_integer()
    }

    fn rounds(&mut self, cond: &Block, body: &Block, carried: &[Carried]) {
        let (stem, own) = (self.stem("active"), mask(4, self.count));
        let mut active = vec![];
        self.each(|lanes| {
            let begin = lanes.on(4).unwrap_or_else(|| format!("({own})(-1)"));
            let name = lanes.of(&stem);
            lanes.line(format!("{own} {name} = {begin};"));
            active.push(name);
        });
        let free = self.free(cond, body, carried);
        let (stmts, terms) = self.terms(cond);
        self.line("for (;;) {");
        // To ask whether a lane is left costs as much as a short round: a few rounds are done before.
        let round = self.stem("round");
        self.line("#pragma unroll");
        self.line(format!(
            "for (uint {round} = 0; {round} < {ROUNDS}; {round}++) {{"
        ));
        self.under(active.clone(), |lanes| {
            stmts.iter().for_each(|stmt| lanes.stmt(stmt));
            for &term in &terms {
                if lanes.same(term) {
                    let none: Vec<String> = active
                        .iter()
                        .map(|on| format!("{on} = ({own})(0);"))
                        .collect();
                    let holds = lanes.body.atom(term);
                    lanes.line(format!("if (!({holds})) {{"));
                    none.iter().for_each(|line| lanes.line(line));
                    lanes.line("break;\n}");
                    continue;
                }
                lanes.each(|lanes| {
                    let holds = lanes.mask(term, 4);
                    let name = lanes.of(&stem);
                    lanes.line(format!("{name} &= {holds};"));
                });
            }
            lanes.stmts(&body.stmts);
            lanes.advance(carried, Some(&active), &free);
        });
        self.line("}");
        let any = self.any_of(&active);
        self.line(format!("if (!{any}) break;"));
        self.line("}");
    }

    /// What must all hold for another round, and the statements but for those that join it.
    fn terms<'c>(&self, cond: &'c Block) -> (Vec<&'c Stmt>, Vec<Atom>) {
        let counts = walk::use_counts(self.body.func);
        let mut stmts: Vec<&Stmt> = cond.stmts.iter().collect();
        let (mut open, mut terms) = (vec![cond.results[0]], vec![]);
        while let Some(term) = open.pop() {
            let joins = |stmt: &&Stmt| match &stmt.expr {
                Expr::Op(ScalarOp::And, x) => {
                    let truth = self.body.func.atom_type(x[0]).elem == ScalarType::Bool;
                    truth && Atom::Var(stmt.defs[0]) == term && counts.total(stmt.defs[0]) == 1
                }
                _ => false,
            };
            match stmts.iter().position(joins) {
                Some(at) => {
                    if let Expr::Op(_, x) = &stmts.remove(at).expr {
                        open.extend([x[1], x[0]]);
                    }
                }
                None => terms.push(term),
            }
        }
        (stmts, terms)
    }

    /// Values that are not looked at afterwards: they may go on changing in lanes that have left, where nothing can come of it.
    fn free(&self, cond: &Block, body: &Block, carried: &[Carried]) -> VarSet {
        let calm = |block: &Block| {
            !effect::block_can_fail(self.body.func, block)
                && block
                    .stmts
                    .iter()
                    .all(|stmt| matches!(stmt.expr, Expr::Op(..) | Expr::Cast(..) | Expr::Bits(..)))
        };
        match calm(cond) && calm(body) {
            true => carried
                .iter()
                .filter(|one| !one.used)
                .map(|one| one.var)
                .collect(),
            false => VarSet::new(),
        }
    }

    /// The carried names take their next values: all at once, and only in lanes that are still active, but for those names
    /// for which that does not matter.
    fn advance(&mut self, carried: &[Carried], active: Option<&[String]>, free: &VarSet) {
        let (counters, others): (Vec<&Carried>, Vec<&Carried>) =
            carried.iter().partition(|one| one.counter);
        let mut news: Vec<Vec<String>> = vec![];
        for (at, one) in others.iter().enumerate() {
            let changed = one.next.as_var().is_some_and(|var| {
                let name = self.body.name(var);
                let mut before = others[..at].iter();
                before.any(|other| self.body.name(other.var) == name)
            });
            let stem = match changed {
                true => self.stem("next"),
                false => String::new(),
            };
            let (own, _, _) = self.variable(self.body.func.atom_type(one.next).elem);
            let mut values = vec![];
            self.each(|lanes| {
                let mut value = lanes.value(one.next);
                if changed {
                    let name = lanes.of(&stem);
                    lanes.line(format!("const {own} {name} = {value};"));
                    value = name;
                }
                values.push(value);
            });
            news.push(values);
        }
        for (one, values) in others.iter().zip(news) {
            let active = active.filter(|_| !free.contains(&one.var));
            self.take(one.var, &values, active);
        }
        for one in counters {
            let ty = self.body.func.ty(one.var).elem;
            let next = self.body.atom(one.next);
            if one.used {
                let value = format!("({})({next})", vector(ty, self.count));
                let values = vec![value; self.sides];
                self.set(one.def, Kind::Vector);
                self.take(one.def, &values, active);
            }
            let name = self.body.name(one.var);
            self.line(format!("{name} = {next};"));
        }
    }

    /// A variable takes a value, a side each, in the lanes that are active.
    fn take(&mut self, var: Var, values: &[String], active: Option<&[String]>) {
        let (_, _, bytes) = self.variable(self.body.func.ty(var).elem);
        let mut side = 0;
        self.each(|lanes| {
            let (name, value) = (lanes.name(var), &values[side]);
            let value = match active {
                Some(active) => {
                    let on = lanes.resized(&active[side], 4, bytes);
                    format!("{on} ? {value} : {name}")
                }
                None => value.clone(),
            };
            side += 1;
            if value != name {
                lanes.line(format!("{name} = {value};"));
            }
        });
    }
}
