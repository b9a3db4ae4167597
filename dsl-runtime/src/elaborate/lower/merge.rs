//! Two paths become one: an `if` runs both branches on the same variables, and yields the values and the variables in
//! which they differ. Arrays whose lengths differ yield their lengths too.

use super::build::Open;
use super::env::{Env, FALSE, TRUE};
use super::value::{Value, width};
use super::{Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Block, Expr, ScalarOp, Type};
use std::rc::Rc;

/// A branch that has been run.
struct Arm {
    block: Open,
    env: Env,
    value: Value,
}

/// Something that both branches give.
struct Part {
    ty: Ty,
    values: [Value; 2],
    into: Into,
}

#[derive(Clone, Copy)]
enum Into {
    Result,
    Live,
    Slot(usize),
}

/// The largest fixed array that is carried member by member.
const SPREAD: usize = 16;

impl Lower {
    /// `if cond { then } else { other }` with a value of type `ty`.
    pub(super) fn branch(
        &mut self,
        cond: Atom,
        ty: &Ty,
        then: impl FnOnce(&mut Lower) -> R<Value>,
        other: impl FnOnce(&mut Lower) -> R<Value>,
    ) -> R<Value> {
        if cond == TRUE {
            return then(self);
        }
        if cond == FALSE {
            return other(self);
        }
        let place = self.place;
        let before = self.env.clone();
        let first = self.arm(then)?;
        self.env = before.clone();
        let second = self.arm(other)?;
        self.env = before;
        self.place = place;
        self.merge(cond, ty, first, second)
    }

    fn arm(&mut self, run: impl FnOnce(&mut Lower) -> R<Value>) -> R<Arm> {
        self.open();
        let value = run(self)?;
        let value = if self.env.live == FALSE {
            Value::Undef
        } else {
            value
        };
        Ok(Arm {
            block: self.suspend(),
            env: self.env.clone(),
            value,
        })
    }

    fn merge(&mut self, cond: Atom, ty: &Ty, mut first: Arm, mut second: Arm) -> R<Value> {
        let mut parts = vec![];
        let truth = Ty::Scalar(crate::syntax::Scalar::Bool);
        if first.env.live != second.env.live {
            parts.push(Part {
                ty: truth,
                values: [first.env.live, second.env.live].map(Value::Scalar),
                into: Into::Live,
            });
        } else {
            self.env.live = first.env.live;
        }
        // What a condition bound is out of scope behind its branches.
        let scope = first.env.slots.len().min(second.env.slots.len());
        self.env.slots.truncate(scope);
        for k in 0..scope {
            let (a, b) = (&first.env.slots[k], &second.env.slots[k]);
            if a.version != b.version {
                parts.push(Part {
                    ty: a.ty.clone(),
                    values: [a.value.clone(), b.value.clone()],
                    into: Into::Slot(k),
                });
            }
        }
        let unit = Value::unit();
        let result_is_undef =
            matches!(first.value, Value::Undef) && matches!(second.value, Value::Undef);
        if width(ty) > 0 && !result_is_undef {
            parts.push(Part {
                ty: ty.clone(),
                values: [first.value.clone(), second.value.clone()],
                into: Into::Result,
            });
        } else if width(ty) == 0 && !matches!(ty, Ty::Tuple(_) | Ty::Never) && !result_is_undef {
            return Err(self.mistake(
                super::Code::Kept,
                "the branches of a condition cannot give closures or iterators",
                "`collect` in each branch, or put the condition inside the closure",
            ));
        }
        self.spread_parts(&mut parts);

        let mut columns: [Vec<Vec<Option<Atom>>>; 2] = [vec![], vec![]];
        for (side, arm) in [&mut first, &mut second].into_iter().enumerate() {
            let block = std::mem::take(&mut arm.block);
            self.reopen(block);
            for part in &parts {
                let atoms = match part.values[side] {
                    Value::Undef => vec![None; width(&part.ty)],
                    ref value => {
                        let atoms = self.flatten(value, &part.ty)?;
                        atoms.into_iter().map(Some).collect()
                    }
                };
                columns[side].push(atoms);
            }
            arm.block = self.suspend();
        }
        self.complete(&parts, &mut columns, [&mut first, &mut second])?;

        let [left, right] = columns.map(|parts| {
            let atoms = parts.into_iter().flatten();
            atoms.map(|atom| atom.expect("filled")).collect::<Vec<_>>()
        });
        let merged = self.join(cond, [first.block, second.block], &left, &right);
        let mut merged = merged.into_iter();
        let mut result = unit;
        for part in parts {
            let value = self.rebuild(&part.ty, &mut merged);
            match part.into {
                Into::Result => result = unspread(value, ty),
                Into::Live => self.env.live = self.atom(&value, &part.ty)?,
                Into::Slot(k) => {
                    let value = unspread(value, &self.env.slots[k].ty.clone());
                    self.set(k, value);
                }
            }
        }
        Ok(if result_is_undef {
            Value::Undef
        } else {
            result
        })
    }

    /// Where one side has no value: that of the other if it is visible, else nothing in particular.
    fn complete(
        &mut self,
        parts: &[Part],
        columns: &mut [Vec<Vec<Option<Atom>>>; 2],
        arms: [&mut Arm; 2],
    ) -> R<()> {
        for (side, arm) in arms.into_iter().enumerate() {
            for (k, part) in parts.iter().enumerate() {
                if !matches!(part.values[side], Value::Undef) {
                    continue;
                }
                let other = &columns[1 - side][k];
                let seen = other
                    .iter()
                    .all(|atom| atom.is_some_and(|atom| self.visible(atom)));
                let atoms: Vec<Atom> = if seen {
                    other.iter().flatten().copied().collect()
                } else {
                    let block = std::mem::take(&mut arm.block);
                    self.reopen(block);
                    let atoms = self.flatten(&Value::Undef, &part.ty)?;
                    arm.block = self.suspend();
                    atoms
                };
                columns[side][k] = atoms.into_iter().map(Some).collect();
            }
        }
        Ok(())
    }

    /// The statement: what both sides give, pairwise, becomes what it yields.
    fn join(&mut self, cond: Atom, blocks: [Open; 2], left: &[Atom], right: &[Atom]) -> Vec<Atom> {
        let scalars = left.iter().chain(right).all(|&atom| match atom {
            Atom::Const(_) => true,
            Atom::Var(var) => self.func.ty(var).is_scalar(),
        });
        let [first, second] = blocks;
        let limit = if left.is_empty() { usize::MAX } else { 8 };
        if scalars && self.is_cheap(&first, limit) && self.is_cheap(&second, limit) {
            self.splice(first);
            self.splice(second);
            return left
                .iter()
                .zip(right)
                .map(|(&a, &b)| self.op(ScalarOp::Select, &[cond, a, b]))
                .collect();
        }
        let (mut defs, mut yields) = (vec![], [vec![], vec![]]);
        let mut sizes: Vec<((Atom, Atom), Atom)> = vec![];
        let mut merged = vec![];
        for (&a, &b) in left.iter().zip(right) {
            if a == b && self.visible(a) {
                merged.push(a);
                continue;
            }
            let (ta, tb) = (self.func.atom_type(a), self.func.atom_type(b));
            let mut shape = vec![];
            for (&m, &n) in ta.shape.iter().zip(&tb.shape) {
                if m == n && self.visible(m) {
                    shape.push(m);
                    continue;
                }
                let known = sizes.iter().find(|(pair, _)| *pair == (m, n));
                shape.push(match known {
                    Some(&(_, size)) => size,
                    None => {
                        let size = self.var("len", Type::index());
                        defs.push(size);
                        yields[0].push(m);
                        yields[1].push(n);
                        sizes.push(((m, n), size.into()));
                        size.into()
                    }
                });
            }
            let def = self.var("t", Type::array(ta.elem, shape));
            defs.push(def);
            yields[0].push(a);
            yields[1].push(b);
            merged.push(def.into());
        }
        let [yield_first, yield_second] = yields;
        let block = |open: Open, results| Block {
            stmts: open.into_stmts(),
            results,
        };
        let expr = Expr::If(cond, block(first, yield_first), block(second, yield_second));
        self.push(defs, expr);
        merged
    }

    /// Fixed arrays whose members both sides know one by one are yielded one by one.
    fn spread_parts(&mut self, parts: &mut [Part]) {
        for part in parts {
            let both = part.values.iter().all(|value| spreads(value, &part.ty));
            if both {
                let ty = spread_ty(&part.ty);
                for value in &mut part.values {
                    *value = spread(value, &part.ty);
                }
                part.ty = ty;
            }
        }
    }
}

/// Whether a value holds its fixed arrays member by member.
pub(super) fn spreads(value: &Value, ty: &Ty) -> bool {
    match (value, ty) {
        (Value::Undef, _) => true,
        (Value::Fixed(members), Ty::Array(inner, n)) => {
            *n <= SPREAD && members.iter().all(|member| spreads(member, inner))
        }
        (_, Ty::Array(..)) => false,
        (Value::Tuple(members), Ty::Tuple(types)) => {
            members.iter().zip(types).all(|(m, ty)| spreads(m, ty))
        }
        _ => true,
    }
}

/// The type of what [`spread`] makes: a tuple for each fixed array.
pub(super) fn spread_ty(ty: &Ty) -> Ty {
    match ty {
        Ty::Array(inner, n) if *n <= SPREAD => Ty::Tuple(vec![spread_ty(inner); *n]),
        Ty::Tuple(members) => Ty::Tuple(members.iter().map(spread_ty).collect()),
        other => other.clone(),
    }
}

/// A tuple for each fixed array.
pub(super) fn spread(value: &Value, ty: &Ty) -> Value {
    match (value, ty) {
        (Value::Fixed(members), Ty::Array(inner, n)) if *n <= SPREAD => {
            Value::Tuple(members.iter().map(|m| spread(m, inner)).collect())
        }
        (Value::Tuple(members), Ty::Tuple(types)) => Value::Tuple(
            members
                .iter()
                .zip(types)
                .map(|(m, ty)| spread(m, ty))
                .collect(),
        ),
        _ => value.clone(),
    }
}

/// The inverse of [`spread`], for a value of type `ty`; a value that was not spread stays as it is.
pub(super) fn unspread(value: Value, ty: &Ty) -> Value {
    match (&value, ty) {
        (Value::Tuple(members), Ty::Array(inner, _)) => Value::Fixed(
            members
                .iter()
                .map(|m| unspread(m.clone(), inner))
                .collect::<Rc<[Value]>>(),
        ),
        (Value::Tuple(members), Ty::Tuple(types)) => Value::Tuple(
            members
                .iter()
                .zip(types)
                .map(|(m, ty)| unspread(m.clone(), ty))
                .collect(),
        ),
        _ => value,
    }
}
