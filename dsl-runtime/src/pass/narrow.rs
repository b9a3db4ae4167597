//! Sums of small integers are made of 32-bit values: where a reduction adds 64-bit integers that are made of truths and
//! short integers, such as `(a as i64) + (b as i64)` of two comparisons, the values are computed in `u32` and widened as
//! the last step. Twice as many of them stand side by side in a vector, and a place that knows how large they can get
//! ([`most`]) need not widen them one by one.

use super::Caps;
use crate::ir::*;
use std::collections::HashMap;

/// The largest value that is narrowed: a block of the canonical order of them does not overflow 32 bits.
pub const SMALL: u64 = (u32::MAX / order::BLOCK as u32) as u64;

/// How far [`most`] looks back.
const DEPTH: usize = 16;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    block(func, &mut body);
    func.body = body;
}

fn block(func: &mut Func, body: &mut Block) {
    for stmt in &mut body.stmts {
        walk::blocks_mut(&mut stmt.expr, &mut |inner| block(func, inner));
        if let Expr::Par(par) = &mut stmt.expr {
            sums(func, par);
        }
    }
}

fn sums(func: &mut Func, par: &mut Par) {
    for sink in &mut par.sinks {
        let ty = func.atom_type(sink.values[0]).elem;
        if sink.kind != SinkKind::Reduce
            || !matches!(sink.combine, Some(Combine::Op(ScalarOp::Add)))
            || !wide(ty)
        {
            continue;
        }
        let defs = Defs::of(&par.body);
        let value = sink.values[0];
        let Some(Expr::Op(..)) = defs.expr(value) else {
            continue;
        };
        if !defs.is_small(func, value) {
            continue;
        }
        let mut narrow = Narrow {
            place: sink.place,
            done: HashMap::new(),
            made: vec![],
        };
        if let Some(small) = narrow.atom(func, &defs, value) {
            let whole = narrow.define(func, Expr::Cast(ty, small), ty);
            sink.values[0] = whole;
            par.body.stmts.extend(narrow.made);
        }
    }
}

fn wide(ty: ScalarType) -> bool {
    matches!(ty, ScalarType::I64 | ScalarType::U64)
}

/// The largest value of an integer (or truth) that `body` computes, where it can be told and is not negative.
pub fn most(func: &Func, body: &Block, atom: Atom) -> Option<u64> {
    Defs::of(body).most(func, atom, DEPTH)
}

/// What a block's names stand for.
struct Defs<'b>(HashMap<Var, &'b Expr>);

impl<'b> Defs<'b> {
    fn of(body: &'b Block) -> Defs<'b> {
        let single = body.stmts.iter().filter(|stmt| stmt.defs.len() == 1);
        Defs(single.map(|stmt| (stmt.defs[0], &stmt.expr)).collect())
    }

    fn expr(&self, atom: Atom) -> Option<&'b Expr> {
        atom.as_var().and_then(|var| self.0.get(&var).copied())
    }

    fn is_small(&self, func: &Func, atom: Atom) -> bool {
        self.most(func, atom, DEPTH).is_some_and(|n| n <= SMALL)
    }

    fn most(&self, func: &Func, atom: Atom, depth: usize) -> Option<u64> {
        let ty = func.atom_type(atom);
        if ty.is_scalar() && ty.elem == ScalarType::Bool {
            return Some(1);
        }
        if !ty.is_scalar() || !ty.elem.is_integer() {
            return None;
        }
        let signed = ty.elem.class() == types::Class::Signed;
        // What an unsigned type holds at most.
        let all = (!signed).then(|| u64::MAX >> (64 - ty.elem.bits()));
        if let Some(value) = atom.as_const() {
            let sign = value.bits >> (ty.elem.bits() - 1) & 1;
            return (!signed || sign == 0).then_some(value.bits);
        }
        let Some(depth) = depth.checked_sub(1) else {
            return all;
        };
        let of = |atom: Atom| self.most(func, atom, depth);
        // A result that is in the type's range was not wrapped.
        let limit = u64::MAX >> (64 - ty.elem.bits() + signed as u32);
        let found = match self.expr(atom) {
            Some(Expr::Cast(_, from)) => {
                let known = func.atom_type(*from).elem;
                match known.is_float() {
                    true => None,
                    false => of(*from),
                }
            }
            Some(Expr::Op(op, v)) => match op {
                ScalarOp::Add => of(v[0]).zip(of(v[1])).and_then(|(a, b)| a.checked_add(b)),
                ScalarOp::Mul => of(v[0]).zip(of(v[1])).and_then(|(a, b)| a.checked_mul(b)),
                ScalarOp::Min => match (of(v[0]), of(v[1])) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    _ => None,
                },
                ScalarOp::Max => of(v[0]).zip(of(v[1])).map(|(a, b)| a.max(b)),
                ScalarOp::Select => of(v[1]).zip(of(v[2])).map(|(a, b)| a.max(b)),
                ScalarOp::And => match (of(v[0]), of(v[1])) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                },
                ScalarOp::CountOnes | ScalarOp::LeadingZeros | ScalarOp::TrailingZeros => Some(64),
                _ => None,
            },
            _ => None,
        };
        found.filter(|&n| n <= limit).or(all)
    }
}

/// Values made anew in 32 bits.
struct Narrow {
    place: Place,
    done: HashMap<Var, Atom>,
    made: Vec<Stmt>,
}

impl Narrow {
    fn define(&mut self, func: &mut Func, expr: Expr, ty: ScalarType) -> Atom {
        let var = func.var("n", Type::scalar(ty));
        self.made.push(Stmt {
            defs: vec![var],
            expr,
            place: self.place,
        });
        Atom::Var(var)
    }

    /// The value as a `u32`; `None` where that would not spare anything. Every value on the way is known to be small.
    fn atom(&mut self, func: &mut Func, defs: &Defs<'_>, atom: Atom) -> Option<Atom> {
        if let Some(value) = atom.as_const() {
            return Some(Atom::Const(Const::u32(value.bits as u32)));
        }
        let var = atom.as_var()?;
        if let Some(&done) = self.done.get(&var) {
            return Some(done);
        }
        if !defs.is_small(func, atom) {
            return None;
        }
        let narrow = match defs.expr(atom)? {
            Expr::Cast(_, from) => {
                let known = func.atom_type(*from).elem;
                match known {
                    ScalarType::U32 => *from,
                    _ if known.bytes() < 8 && !known.is_float() => {
                        self.define(func, Expr::Cast(ScalarType::U32, *from), ScalarType::U32)
                    }
                    _ if wide(known) => self.atom(func, defs, *from)?,
                    _ => return None,
                }
            }
            Expr::Op(op @ (ScalarOp::Add | ScalarOp::Mul | ScalarOp::Min | ScalarOp::Max), v) => {
                let (a, b) = (self.atom(func, defs, v[0])?, self.atom(func, defs, v[1])?);
                self.define(func, Expr::Op(*op, vec![a, b]), ScalarType::U32)
            }
            Expr::Op(ScalarOp::Select, v) => {
                let (a, b) = (self.atom(func, defs, v[1])?, self.atom(func, defs, v[2])?);
                let select = Expr::Op(ScalarOp::Select, vec![v[0], a, b]);
                self.define(func, select, ScalarType::U32)
            }
            _ => return None,
        };
        self.done.insert(var, narrow);
        Some(narrow)
    }
}
