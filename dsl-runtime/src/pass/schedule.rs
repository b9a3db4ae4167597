//! Gives every par its levels: which go to threads, which loop of a nest runs over vector lanes, which are plain loops.
//!
//! The outermost par of a nest gets the widest level that the place has, unless it is known to be small. For the lanes the
//! pass compares, par by par from outside, what the nest costs with the lanes on this par and with the best choice
//! inside, by a rough model: a statement whose value differs between lanes costs a quarter of a scalar one, one that is
//! the same in all lanes costs its scalar price once, a load or store whose neighbours in the lanes are not neighbours in memory costs
//! as much as scalar ones.

use super::{Caps, effect};
use crate::ir::*;

/// The pass.
pub fn run(func: &mut Func, caps: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    Schedule { func, caps }.outside(&mut body);
    func.body = body;
}

struct Schedule<'f> {
    func: &'f Func,
    caps: &'f Caps,
}

/// A par of fewer iterations than this, known when it is compiled, is a plain loop.
const SMALL: u64 = 256;
/// Rounds of an inner loop that are assumed where the extent is not a constant.
const ROUNDS: f64 = 16.0;
/// The price of a statement under lanes, of a scalar one being 1.
const LANE: f64 = 0.25;
/// The price of a load or store under lanes that gathers or scatters.
const GATHER: f64 = 1.25;
/// Inner loops of fewer rounds gain nothing from lanes of their own.
const FEW: u64 = 8;
/// What starting and joining lanes in an inner loop costs.
const START: f64 = 6.0;

impl Schedule<'_> {
    /// Pars here stand in no other par.
    fn outside(&self, block: &mut Block) {
        for stmt in &mut block.stmts {
            match &mut stmt.expr {
                Expr::Par(par) => self.nest(par),
                expr => walk::blocks_mut(expr, &mut |inner| self.outside(inner)),
            }
        }
    }

    fn nest(&self, par: &mut Par) {
        let small = par.extent.as_const().is_some_and(|n| n.bits < SMALL)
            && par
                .body
                .stmts
                .iter()
                .map(effect::cost)
                .fold(0, u32::saturating_add)
                < effect::DEAR;
        let wide = [Level::Grid, Level::Threads]
            .into_iter()
            .find(|level| self.caps.levels.contains(level));
        // What was inside another par once combines in one block, which is one thread's.
        let whole = |sink: &Sink| {
            sink.kind != SinkKind::ScatterWith && effect::shows_order(self.func, sink)
        };
        let single = par.inner && par.sinks.iter().any(whole);
        let outer = if small || single { None } else { wide };
        self.lanes(par, true);
        if let Some(level) = outer {
            par.levels.retain(|&level| level != Level::Seq);
            par.levels.insert(0, level);
        }
        if !small && !single && self.caps.levels.contains(&Level::Ranks) {
            par.levels.insert(0, Level::Ranks);
        }
        par.body
            .stmts
            .iter_mut()
            .for_each(|stmt| self.combining(stmt));
    }

    /// Pars in combining functions are plain loops.
    fn combining(&self, stmt: &mut Stmt) {
        walk::blocks_mut(&mut stmt.expr, &mut |block| {
            for inner in &mut block.stmts {
                if let Expr::Par(par) = &mut inner.expr
                    && par.levels.is_empty()
                {
                    par.levels = vec![Level::Seq];
                }
                self.combining(inner);
            }
        });
    }

    /// Puts the lanes of a nest where they are cheapest; `free` where no par around has them.
    fn lanes(&self, par: &mut Par, free: bool) {
        let here =
            free && self.caps.levels.contains(&Level::Simd) && self.here(par) <= self.inside(par);
        par.levels = vec![if here { Level::Simd } else { Level::Seq }];
        self.children(&mut par.body, free && !here);
        for sink in &mut par.sinks {
            if let Some(Combine::Lambda(lambda)) = &mut sink.combine {
                self.children(&mut lambda.body, false);
            }
        }
    }

    fn children(&self, block: &mut Block, free: bool) {
        for stmt in &mut block.stmts {
            match &mut stmt.expr {
                Expr::Par(par) => self.lanes(par, free),
                expr => walk::blocks_mut(expr, &mut |inner| self.children(inner, free)),
            }
        }
    }

    /// The price of an iteration with the lanes on this par.
    fn here(&self, par: &Par) -> f64 {
        if par.inner && par.extent.as_const().is_some_and(|n| n.bits < FEW) {
            return f64::INFINITY;
        }
        let mut lane = Lane {
            schedule: self,
            differ: VarSet::from([par.index]),
            near: VarSet::from([par.index]),
        };
        let start = if par.inner {
            START / rounds(par.extent)
        } else {
            0.0
        };
        start + lane.block(&par.body) + lane.sinks(par)
    }

    /// The price of an iteration with the lanes at the best place inside, or nowhere.
    fn inside(&self, par: &Par) -> f64 {
        self.scalar(&par.body) + par.sinks.len() as f64
    }

    fn scalar(&self, block: &Block) -> f64 {
        let mut price = 0.0;
        for stmt in &block.stmts {
            price += match &stmt.expr {
                Expr::Par(par) => rounds(par.extent) * self.here(par).min(self.inside(par)),
                Expr::Loop(inner) => loop_rounds(inner) * self.scalar(&inner.body),
                Expr::If(_, then, or_else) => 1.0 + self.scalar(then).max(self.scalar(or_else)),
                _ => effect::cost(stmt) as f64,
            };
        }
        price
    }
}

fn rounds(extent: Atom) -> f64 {
    extent.as_const().map_or(ROUNDS, |n| n.bits as f64)
}

fn loop_rounds(inner: &Loop) -> f64 {
    match inner.kind {
        LoopKind::For { extent, .. } => rounds(extent),
        LoopKind::While(_) => ROUNDS,
    }
}

/// The nest seen by the lanes of one par.
struct Lane<'s> {
    schedule: &'s Schedule<'s>,
    /// Names whose value differs between lanes.
    differ: VarSet,
    /// Of these, those that grow by one from lane to lane.
    near: VarSet,
}

impl Lane<'_> {
    fn differs(&self, atom: Atom) -> bool {
        atom.as_var().is_some_and(|var| self.differ.contains(&var))
    }

    fn is_near(&self, atom: Atom) -> bool {
        atom.as_var().is_some_and(|var| self.near.contains(&var))
    }

    fn block(&mut self, block: &Block) -> f64 {
        block.stmts.iter().map(|stmt| self.stmt(stmt)).sum()
    }

    fn stmt(&mut self, stmt: &Stmt) -> f64 {
        let mut any = false;
        walk::operands(&stmt.expr, &mut |atom| any |= self.differs(atom));
        match &stmt.expr {
            Expr::Index(index) | Expr::Update(index, _) => {
                let array = self.differs(index.array.into());
                let (&last, outer) = index.indices.split_last().expect("an index");
                let whole = index.indices.len() == self.schedule.func.ty(index.array).rank();
                let near = self.is_near(last)
                    && whole
                    && !array
                    && !outer.iter().any(|&i| self.differs(i));
                if any {
                    self.differ.extend(stmt.defs.iter().copied());
                }
                match (any, near) {
                    (false, _) => LANE,
                    (true, true) => LANE,
                    (true, false) if whole => GATHER,
                    (true, false) => 0.0,
                }
            }
            Expr::If(_, then, or_else) => {
                let price = self.block(then) + self.block(or_else);
                let inner = then
                    .results
                    .iter()
                    .chain(&or_else.results)
                    .any(|&atom| self.differs(atom));
                if any || inner {
                    self.differ.extend(stmt.defs.iter().copied());
                }
                price + LANE
            }
            Expr::Loop(inner) => {
                // What a round may make differ differs from the second round on.
                self.differ
                    .extend(inner.carried.iter().map(|&(var, _)| var));
                let cond = match &inner.kind {
                    LoopKind::While(cond) => self.block(cond),
                    LoopKind::For { .. } => 0.0,
                };
                self.differ.extend(stmt.defs.iter().copied());
                loop_rounds(inner) * (cond + self.block(&inner.body))
            }
            Expr::Par(par) => {
                let ragged = if self.differs(par.extent) { 2.0 } else { 1.0 };
                let price = ragged * rounds(par.extent) * (self.block(&par.body) + self.sinks(par));
                self.differ.extend(stmt.defs.iter().copied());
                // A row for each lane: its elements are a row apart.
                let rows = par
                    .sinks
                    .iter()
                    .filter(|sink| sink.kind == SinkKind::Collect)
                    .count() as f64;
                price + rows * rounds(par.extent) * GATHER
            }
            Expr::Op(op, ab) if any => {
                let own = stmt.defs[0];
                self.differ.insert(own);
                let near = match op {
                    ScalarOp::Add => {
                        ab.iter().filter(|&&a| self.is_near(a)).count() == 1
                            && ab.iter().filter(|&&a| self.differs(a)).count() == 1
                    }
                    ScalarOp::Sub => self.is_near(ab[0]) && !self.differs(ab[1]),
                    _ => false,
                };
                if near {
                    self.near.insert(own);
                    return 0.0;
                }
                effect::cost(stmt) as f64 * LANE
            }
            _ if any => {
                self.differ.extend(stmt.defs.iter().copied());
                effect::cost(stmt) as f64 * LANE
            }
            _ => effect::cost(stmt) as f64 * LANE,
        }
    }

    fn sinks(&mut self, par: &Par) -> f64 {
        let price = |sink: &Sink| match (&sink.combine, sink.kind) {
            // A left fold visits the lanes one by one.
            (Some(Combine::Lambda(lambda)), _) => effect::block_cost(&lambda.body) as f64 + 1.0,
            (_, SinkKind::Scatter | SinkKind::ScatterWith) => GATHER,
            _ => LANE,
        };
        par.sinks.iter().map(price).sum()
    }
}
