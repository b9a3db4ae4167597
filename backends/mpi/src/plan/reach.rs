//! Which rows of its arrays a par reads in a stretch of its iterations: from concrete scalars and lengths, before anything is
//! computed. Every rank finds it out for all ranks, so that nobody has to say it.
//!
//! Interval arithmetic over the body (Moore, "Interval Analysis", 1966), with the iterations as one interval. Where a comparison
//! or a wrap-around comes out either way, the iterations are halved until it does not: what a boundary treats
//! differently is found in a number of steps that grows with the logarithm of the stretch.

use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{
    Atom, Block, Const, Expr, Func, LoopKind, Par, ScalarOp, ScalarType, Stmt, Var, VarSet, walk,
};
use std::collections::HashMap;
use std::ops::Range;

/// The rows that an access may touch, ascending and apart; none if they depend on elements of arrays.
pub type Rows = Option<Vec<Range<usize>>>;

/// What is known outside the par.
pub trait Outside {
    /// The value of a scalar.
    fn scalar(&self, var: Var) -> Const;

    /// The least and the greatest value that a read of an array can give here, if that has been found out.
    fn element(&self, read: Var) -> Option<(i128, i128)> {
        let _ = read;
        None
    }
}

/// Per access (by the name that it binds), the rows that it may touch in these iterations. Accesses to arrays that the par makes
/// itself are not among them. `relevant`: the names that matter ([`crate::plan::uses::Uses`]).
pub fn reach(
    func: &Func,
    par: &Par,
    relevant: &VarSet,
    outside: &dyn Outside,
    iterations: Range<u64>,
) -> HashMap<Var, Rows> {
    let mut found = HashMap::new();
    let mut look = Look {
        func,
        relevant,
        outside,
        values: HashMap::new(),
        differences: HashMap::new(),
        counters: HashMap::new(),
        own: vec![],
        touched: vec![],
        torn: false,
    };
    walk::defs(&par.body, &mut |var| look.own.push(var));
    look.own.push(par.index);
    look.own.extend(walk::lambdas(par).flat_map(|lambda| {
        let mut own = lambda.params.clone();
        walk::defs(&lambda.body, &mut |var| own.push(var));
        own
    }));
    look.own.sort_unstable();
    let mut effort = EFFORT;
    look.stretch(par, iterations, &mut effort, &mut found);
    found
        .into_iter()
        .map(|(var, rows)| (var, rows.map(merged)))
        .collect()
}

/// How often the body is looked at. What has not come apart by then is taken as a whole.
const EFFORT: u32 = 160;

/// From one value to another, both included, and whether it depends on the iteration.
#[derive(Clone, Copy, Debug)]
struct Span {
    low: i128,
    high: i128,
    varies: bool,
}

struct Look<'a> {
    func: &'a Func,
    relevant: &'a VarSet,
    outside: &'a dyn Outside,
    /// The integers and truth values that are known.
    values: HashMap<Var, Span>,
    /// Names that are a difference: of what.
    differences: HashMap<Var, [Atom; 2]>,
    /// Counters from 0 to such a difference.
    counters: HashMap<Var, [Atom; 2]>,
    /// The names that the par binds, sorted.
    own: Vec<Var>,
    /// The accesses of one look, and the rows; none if unknown.
    touched: Vec<(Var, Option<Range<usize>>)>,
    /// Whether half of the iterations might tell more.
    torn: bool,
}

impl Look<'_> {
    fn stretch(
        &mut self,
        par: &Par,
        iterations: Range<u64>,
        effort: &mut u32,
        found: &mut HashMap<Var, Rows>,
    ) {
        if iterations.is_empty() {
            return;
        }
        *effort = effort.saturating_sub(1);
        self.values.clear();
        self.touched.clear();
        self.torn = false;
        let index = Span {
            low: iterations.start.into(),
            high: i128::from(iterations.end) - 1,
            varies: true,
        };
        self.values.insert(par.index, index);
        self.block(&par.body);
        for lambda in walk::lambdas(par) {
            self.block(&lambda.body);
        }
        if self.torn && *effort > 0 && iterations.end - iterations.start > 1 {
            let middle = iterations.start + (iterations.end - iterations.start) / 2;
            self.stretch(par, iterations.start..middle, effort, found);
            self.stretch(par, middle..iterations.end, effort, found);
            return;
        }
        for (access, rows) in self.touched.drain(..) {
            let all = found.entry(access).or_insert_with(|| Some(vec![]));
            match (rows, all.as_mut()) {
                (Some(rows), Some(all)) if !rows.is_empty() => all.push(rows),
                (Some(_), _) => {}
                (None, _) => *all = None,
            }
        }
    }

    fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.expr {
            Expr::Op(..) | Expr::Cast(..) if !self.relevant.contains(&stmt.defs[0]) => {}
            Expr::Op(op, operands) => {
                let value = match self.stretched(*op, operands) {
                    Some(span) => Some(span),
                    None => self.op(*op, operands, self.func.ty(stmt.defs[0]).elem),
                };
                self.learn(stmt.defs[0], value);
                if let (ScalarOp::Sub, &[high, low]) = (op, &operands[..]) {
                    self.differences.insert(stmt.defs[0], [high, low]);
                }
            }
            Expr::Cast(to, from) => {
                let value = self.span(*from);
                let value = value.and_then(|span| match to {
                    ScalarType::Bool => None,
                    _ => self.fit(*to, span),
                });
                self.learn(stmt.defs[0], value);
            }
            Expr::Index(index) => {
                if self.own.binary_search(&index.array).is_err() {
                    let rows = self.rows(index.array, index.indices[0]);
                    self.touched.push((stmt.defs[0], rows));
                }
                let values = self.outside.element(stmt.defs[0]);
                let values = values.map(|(low, high)| Span {
                    low,
                    high,
                    varies: false,
                });
                self.learn(stmt.defs[0], values);
            }
            Expr::If(cond, then, other) => {
                let cond = self.span(*cond);
                let sides = [(then, 1), (other, 0)].into_iter().filter(|&(_, side)| {
                    cond.is_none_or(|cond| cond.low <= side && side <= cond.high)
                });
                let mut values: Vec<Option<Span>> = vec![];
                for (number, (block, _)) in sides.enumerate() {
                    self.block(block);
                    let results: Vec<_> =
                        block.results.iter().map(|&atom| self.span(atom)).collect();
                    match number {
                        0 => values = results,
                        _ => {
                            values = values
                                .iter()
                                .zip(results)
                                .map(|(&a, b)| hull(a?, b?))
                                .collect()
                        }
                    }
                }
                for (&def, value) in stmt.defs.iter().zip(values) {
                    self.learn(def, value);
                }
            }
            Expr::Loop(inner) => {
                // What is carried is not followed.
                match &inner.kind {
                    LoopKind::For { index, extent } => {
                        if !self.counter(*index, *extent) {
                            return;
                        }
                    }
                    LoopKind::While(cond) => self.block(cond),
                }
                self.block(&inner.body);
            }
            Expr::Par(par) => {
                if self.counter(par.index, par.extent) {
                    self.block(&par.body);
                    for lambda in walk::lambdas(par) {
                        self.block(&lambda.body);
                    }
                }
            }
            Expr::Bits(..)
            | Expr::Update(..)
            | Expr::Array(_)
            | Expr::Data(_)
            | Expr::Reshape(..)
            | Expr::Check(_) => {}
        }
    }

    /// `low + k` for a counter `k` of `high - low` rounds: below `high`, whatever these are.
    fn stretched(&self, op: ScalarOp, operands: &[Atom]) -> Option<Span> {
        let &[a, b] = operands else { return None };
        let sum = |counter: Atom, other: Atom| {
            let [high, low] = *self.counters.get(&counter.as_var()?)?;
            let (first, last) = (self.span(low)?, self.span(high)?);
            (low == other && first.low < last.high).then_some(Span {
                low: first.low,
                high: last.high - 1,
                varies: first.varies || last.varies,
            })
        };
        match op {
            ScalarOp::Add => sum(a, b).or_else(|| sum(b, a)),
            _ => None,
        }
    }

    /// Binds a counter; false if it takes no value.
    fn counter(&mut self, index: Var, extent: Atom) -> bool {
        match extent
            .as_var()
            .and_then(|extent| self.differences.get(&extent))
        {
            Some(&ends) => self.counters.insert(index, ends),
            None => self.counters.remove(&index),
        };
        let Some(extent) = self.span(extent) else {
            return true;
        };
        let counter = Span {
            low: 0,
            high: extent.high - 1,
            varies: extent.varies,
        };
        self.learn(index, (extent.high > 0).then_some(counter));
        extent.high > 0
    }

    fn learn(&mut self, var: Var, value: Option<Span>) {
        match value {
            Some(span) => self.values.insert(var, span),
            None => self.values.remove(&var),
        };
    }

    fn span(&self, atom: Atom) -> Option<Span> {
        let value = match atom {
            Atom::Const(value) => value,
            Atom::Var(var) => match self.values.get(&var) {
                Some(&span) => return Some(span),
                None if self.own.binary_search(&var).is_ok() => return None,
                None => self.outside.scalar(var),
            },
        };
        let value = number(value)?;
        Some(Span {
            low: value,
            high: value,
            varies: false,
        })
    }

    /// The rows of an array that an index reaches; what lies outside is none: reading it is an error.
    fn rows(&self, array: Var, index: Atom) -> Option<Range<usize>> {
        let length = self.span(self.func.ty(array).shape[0])?.high;
        let index = self.span(index)?;
        let (low, high) = (
            index.low.clamp(0, length),
            (index.high + 1).clamp(0, length),
        );
        Some(low as usize..high.max(low) as usize)
    }

    /// A value of this type: as it is, or wrapped.
    fn fit(&mut self, ty: ScalarType, span: Span) -> Option<Span> {
        let (least, size) = match ty.class() {
            Class::Float => return None,
            Class::Signed => (-(1i128 << (ty.bits() - 1)), 1i128 << ty.bits()),
            Class::Unsigned => (0, 1i128 << ty.bits()),
            Class::Bool => (0, 2),
        };
        let turn = |value: i128| (value - least).div_euclid(size);
        if turn(span.low) == turn(span.high) {
            let shift = turn(span.low) * size;
            return Some(Span {
                low: span.low - shift,
                high: span.high - shift,
                ..span
            });
        }
        self.torn |= span.varies;
        Some(Span {
            low: least,
            high: least + size - 1,
            ..span
        })
    }

    fn op(&mut self, op: ScalarOp, operands: &[Atom], ty: ScalarType) -> Option<Span> {
        if op == ScalarOp::Select {
            let (then, other) = (self.span(operands[1]), self.span(operands[2]));
            return match self.span(operands[0]) {
                Some(cond) if cond.low == 1 => then,
                Some(cond) if cond.high == 0 => other,
                _ => hull(then?, other?),
            };
        }
        let of = self.func.atom_type(operands[0]).elem;
        let a = self.span(operands[0]);
        if op == ScalarOp::Not && of == ScalarType::Bool {
            let a = a?;
            return Some(Span {
                low: 1 - a.high,
                high: 1 - a.low,
                ..a
            });
        }
        let b = self.span(*operands.get(1)?);
        // One side may settle it.
        if of == ScalarType::Bool && matches!(op, ScalarOp::And | ScalarOp::Or) {
            let settles = i128::from(op == ScalarOp::Or);
            let settled =
                |side: Option<Span>| side.filter(|s| s.low == settles && s.high == settles);
            if let Some(side) = settled(a).or(settled(b)) {
                return Some(side);
            }
            let (a, b) = (a?, b?);
            let (low, high) = match op {
                ScalarOp::Or => (a.low.max(b.low), a.high.max(b.high)),
                _ => (a.low.min(b.low), a.high.min(b.high)),
            };
            let varies = a.varies || b.varies;
            return Some(Span { low, high, varies });
        }
        let (a, b) = (a?, b?);
        let varies = a.varies || b.varies;
        let span = |low: i128, high: i128| Some(Span { low, high, varies });
        let among = |values: [Option<i128>; 4]| {
            let mut known = [0; 4];
            for (known, value) in known.iter_mut().zip(values) {
                *known = value?;
            }
            known.sort_unstable();
            span(known[0], known[3])
        };
        if let Some(answer) = compare(op, a, b) {
            self.torn |= varies && answer.0 != answer.1;
            return span(answer.0, answer.1);
        }
        let whole = match op {
            ScalarOp::Add => span(a.low + b.low, a.high + b.high),
            ScalarOp::Sub => span(a.low - b.high, a.high - b.low),
            ScalarOp::Mul => among([
                a.low.checked_mul(b.low),
                a.low.checked_mul(b.high),
                a.high.checked_mul(b.low),
                a.high.checked_mul(b.high),
            ]),
            ScalarOp::Min => span(a.low.min(b.low), a.high.min(b.high)),
            ScalarOp::Max => span(a.low.max(b.low), a.high.max(b.high)),
            ScalarOp::Div if b.low > 0 => among([
                Some(a.low / b.low),
                Some(a.low / b.high),
                Some(a.high / b.low),
                Some(a.high / b.high),
            ]),
            ScalarOp::Rem if b.low == b.high && b.low > 0 => {
                let m = b.low;
                let (first, last) = (a.low.div_euclid(m), a.high.div_euclid(m));
                // Once around can be told apart; what goes around often takes all values.
                self.torn |= varies && last - first == 1;
                match (first == last, a.low >= 0) {
                    (true, true) => span(a.low % m, a.high % m),
                    (false, true) => span(0, m - 1),
                    (_, false) => span(1 - m, m - 1),
                }
            }
            ScalarOp::Shl if b.low == b.high && (0..i128::from(of.bits())).contains(&b.low) => {
                span(a.low << b.low, a.high << b.low)
            }
            ScalarOp::Shr if b.low == b.high && (0..i128::from(of.bits())).contains(&b.low) => {
                span(a.low >> b.low, a.high >> b.low)
            }
            _ => None,
        };
        self.fit(ty, whole?)
    }
}

/// The answer of a comparison: from false to true.
fn compare(op: ScalarOp, a: Span, b: Span) -> Option<(i128, i128)> {
    let (always, never) = match op {
        ScalarOp::Lt => (a.high < b.low, a.low >= b.high),
        ScalarOp::Le => (a.high <= b.low, a.low > b.high),
        ScalarOp::Gt => (a.low > b.high, a.high <= b.low),
        ScalarOp::Ge => (a.low >= b.high, a.high < b.low),
        ScalarOp::Eq | ScalarOp::Ne => {
            let same = a.low == a.high && b.low == b.high && a.low == b.low;
            let apart = a.high < b.low || b.high < a.low;
            match op {
                ScalarOp::Eq => (same, apart),
                _ => (apart, same),
            }
        }
        _ => return None,
    };
    Some((i128::from(always), i128::from(!never)))
}

/// An integer or a truth value.
fn number(value: Const) -> Option<i128> {
    let unused = 64 - value.ty.bits();
    match value.ty.class() {
        Class::Float => None,
        Class::Signed => Some(i128::from((value.bits << unused) as i64 >> unused)),
        Class::Bool | Class::Unsigned => Some(value.bits.into()),
    }
}

fn hull(a: Span, b: Span) -> Option<Span> {
    Some(Span {
        low: a.low.min(b.low),
        high: a.high.max(b.high),
        varies: a.varies || b.varies,
    })
}

/// The same rows, ascending, in as few stretches as there are gaps.
pub fn merged(mut rows: Vec<Range<usize>>) -> Vec<Range<usize>> {
    rows.retain(|rows| !rows.is_empty());
    rows.sort_unstable_by_key(|rows| rows.start);
    let mut merged: Vec<Range<usize>> = vec![];
    for next in rows {
        match merged.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl_runtime::ir::parse::parse;

    struct Given(Vec<(Var, u64)>);

    impl Outside for Given {
        fn scalar(&self, var: Var) -> Const {
            let known = self.0.iter().find(|(known, _)| *known == var);
            Const::u64(known.expect("a given scalar").1)
        }
    }

    /// The rows of `%x` that the first par of a function of `[%n]` reads; the accesses in the order of the text.
    fn rows(body: &str, n: u64, k: u64, iterations: Range<u64>) -> Vec<Rows> {
        let text = format!(
            "func @f[%n, %m](%x: [%n]f64, %c: [%m]u64, %k: u64) -> [%n]f64 {{\n  %y: [%n]f64 = par (%i in 0..%n) {{\n{body}\n  }}\n  return %y\n}}"
        );
        let module = parse(&text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        let func = &module.funcs[0];
        let Expr::Par(par) = &func.body.stmts[0].expr else {
            unreachable!("a par")
        };
        let given = Given(vec![
            (func.sizes[0], n),
            (func.sizes[1], n),
            (func.params[2], k),
        ]);
        let relevant = crate::plan::uses::Uses::of(func, par).relevant;
        let found = reach(func, par, &relevant, &given, iterations);
        let mut rows = vec![];
        walk::stmts(&par.body, &mut |stmt| {
            if let Expr::Index(index) = &stmt.expr
                && index.array == func.params[0]
            {
                rows.push(found.get(&stmt.defs[0]).cloned().unwrap_or(Some(vec![])));
            }
        });
        rows
    }

    fn one(rows: Range<usize>) -> Rows {
        Some(vec![rows])
    }

    const STENCIL: &str = "
        %l: u64 = sub %i, 1
        %last: u64 = sub %n, 1
        %inside: bool = gt %i, 0
        %below: bool = lt %i, %last
        %both: bool = and %inside, %below
        %v: f64 = if %both {
          %r: u64 = add %i, 1
          %a: f64 = index.in %x[%l]
          %b: f64 = index.in %x[%r]
          %s: f64 = add %a, %b
          yield %s
        } else {
          %own: f64 = index.in %x[%i]
          yield %own
        }
        collect %v";

    #[test]
    fn a_stencil_reads_its_halo() {
        assert_eq!(
            rows(STENCIL, 100, 0, 30..60),
            [one(29..59), one(31..61), Some(vec![])]
        );
        assert_eq!(
            rows(STENCIL, 100, 0, 0..30),
            [one(0..29), one(2..31), one(0..1)]
        );
        assert_eq!(
            rows(STENCIL, 100, 0, 70..100),
            [one(69..98), one(71..100), one(99..100)]
        );
        assert_eq!(
            rows(STENCIL, 100, 0, 5..5),
            [Some(vec![]), Some(vec![]), Some(vec![])]
        );
    }

    #[test]
    fn a_rotation_reads_both_ends() {
        let body = "
        %j: u64 = add %i, %k
        %at: u64 = rem %j, %n
        %v: f64 = index.in %x[%at]
        collect %v";
        assert_eq!(rows(body, 100, 90, 0..5), [one(90..95)]);
        assert_eq!(rows(body, 100, 90, 5..20), [Some(vec![0..10, 95..100])]);
        assert_eq!(rows(body, 100, 90, 20..50), [one(10..40)]);
    }

    #[test]
    fn what_wraps_and_what_is_data() {
        let body = "
        %l: u64 = sub %i, 1
        %v: f64 = index %x[%l]
        %j: u64 = index %c[%i]
        %w: f64 = index %x[%j]
        %s: f64 = add %v, %w
        collect %s";
        assert_eq!(rows(body, 100, 0, 0..50), [one(0..49), None]);
    }

    #[test]
    fn inner_pars_and_clamps() {
        let body = "
        %s: f64 = par.inner (%j in 0..%k) {
          %a: u64 = mul %i, 2
          %b: u64 = add %a, %j
          %last: u64 = sub %n, 1
          %c1: u64 = min %b, %last
          %v: f64 = index.in %x[%c1]
          reduce add 0.0, %v
        }
        collect %s";
        assert_eq!(rows(body, 100, 3, 10..20), [one(20..41)]);
        assert_eq!(rows(body, 100, 3, 40..60), [one(80..100)]);
        assert_eq!(rows(body, 100, 0, 40..60), [Some(vec![])]);
    }
}
