//! Folds constants, applies the laws of operations that hold to the bit, and removes branches that are never taken.

use super::Caps;
use crate::ir::*;
use std::collections::HashMap;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    let mut simplify = Simplify {
        func,
        alias: HashMap::new(),
        defs: HashMap::new(),
    };
    simplify.block(&mut body);
    let Simplify { alias, func, .. } = simplify;
    for info in &mut func.vars {
        for size in &mut info.ty.shape {
            *size = resolve(&alias, *size);
        }
    }
    func.body = body;
}

struct Simplify<'f> {
    func: &'f mut Func,
    /// What stands for a name that is gone.
    alias: HashMap<Var, Atom>,
    /// The definitions of scalars, for laws that look one operation back.
    defs: HashMap<Var, Expr>,
}

/// What becomes of a statement.
enum Outcome {
    Keep(Expr),
    /// Its results are these atoms.
    Alias(Vec<Atom>),
    /// It is replaced by these statements, its results by these atoms.
    Inline(Vec<Stmt>, Vec<Atom>),
    Drop,
}

fn resolve(alias: &HashMap<Var, Atom>, atom: Atom) -> Atom {
    match atom {
        Atom::Var(var) => alias.get(&var).copied().unwrap_or(atom),
        Atom::Const(_) => atom,
    }
}

impl Simplify<'_> {
    fn block(&mut self, block: &mut Block) {
        let stmts = std::mem::take(&mut block.stmts);
        for stmt in stmts {
            self.stmt(stmt, &mut block.stmts);
        }
        for result in &mut block.results {
            *result = resolve(&self.alias, *result);
        }
    }

    fn stmt(&mut self, mut stmt: Stmt, out: &mut Vec<Stmt>) {
        let alias = &self.alias;
        walk::operands_mut(&mut stmt.expr, &mut |atom| *atom = resolve(alias, *atom));
        match self.outcome(stmt.expr) {
            Outcome::Keep(mut expr) => {
                walk::blocks_mut(&mut expr, &mut |block| self.block(block));
                let alias = &self.alias;
                walk::values_mut(&mut expr, &mut |atom| *atom = resolve(alias, *atom));
                if let ([def], Expr::Op(..) | Expr::Cast(..) | Expr::Bits(..) | Expr::Array(_)) =
                    (&stmt.defs[..], &expr)
                {
                    self.defs.insert(*def, expr.clone());
                }
                stmt.expr = expr;
                out.push(stmt);
            }
            Outcome::Alias(atoms) => self.alias.extend(stmt.defs.into_iter().zip(atoms)),
            Outcome::Inline(stmts, results) => {
                stmts.into_iter().for_each(|inner| self.stmt(inner, out));
                let results: Vec<_> = results
                    .iter()
                    .map(|&atom| resolve(&self.alias, atom))
                    .collect();
                self.alias.extend(stmt.defs.into_iter().zip(results));
            }
            Outcome::Drop => {}
        }
    }

    fn outcome(&self, expr: Expr) -> Outcome {
        match expr {
            Expr::Op(op, operands) => self.op(op, operands),
            Expr::Cast(to, atom) => self.cast(to, atom),
            Expr::Bits(to, atom) => match (atom, self.def(atom)) {
                (Atom::Const(value), _) => alias(Const {
                    ty: to,
                    bits: value.bits,
                }),
                (_, Some(Expr::Bits(_, original))) if self.func.atom_type(*original).elem == to => {
                    alias(*original)
                }
                _ if self.func.atom_type(atom).elem == to => alias(atom),
                _ => Outcome::Keep(Expr::Bits(to, atom)),
            },
            Expr::Index(index) => match (self.def(index.array.into()), &index.indices[..]) {
                (Some(Expr::Array(elements)), &[Atom::Const(at), ref rest @ ..]) => {
                    match elements.get(at.bits as usize) {
                        Some(&element) if rest.is_empty() => alias(element),
                        Some(&Atom::Var(array)) => Outcome::Keep(Expr::Index(Index {
                            array,
                            indices: rest.to_vec(),
                            checked: index.checked,
                        })),
                        _ => Outcome::Keep(Expr::Index(index)),
                    }
                }
                _ => Outcome::Keep(Expr::Index(index)),
            },
            Expr::Reshape(array, shape)
                if self
                    .func
                    .ty(array)
                    .shape
                    .iter()
                    .map(|&s| resolve(&self.alias, s))
                    .eq(shape.iter().copied()) =>
            {
                alias(array)
            }
            Expr::Check(check) if check.cond == Const::bool(true).into() => Outcome::Drop,
            Expr::If(Atom::Const(cond), then, or_else) => {
                let taken = if cond.bits != 0 { then } else { or_else };
                Outcome::Inline(taken.stmts, taken.results)
            }
            Expr::If(cond, then, or_else) if then.stmts.is_empty() && or_else.stmts.is_empty() => {
                self.choose(cond, then, or_else)
            }
            Expr::Loop(Loop {
                kind:
                    LoopKind::For {
                        extent: Atom::Const(rounds),
                        ..
                    },
                ref carried,
                ..
            }) if rounds.bits == 0 => {
                Outcome::Alias(carried.iter().map(|&(_, init)| init).collect())
            }
            other => Outcome::Keep(other),
        }
    }

    /// An `if` without statements: nothing where both sides agree, a select of one scalar.
    fn choose(&self, cond: Atom, then: Block, or_else: Block) -> Outcome {
        let yes: Vec<_> = then
            .results
            .iter()
            .map(|&a| resolve(&self.alias, a))
            .collect();
        let no: Vec<_> = or_else
            .results
            .iter()
            .map(|&a| resolve(&self.alias, a))
            .collect();
        if yes == no {
            return Outcome::Alias(yes);
        }
        if let ([a], [b]) = (&yes[..], &no[..])
            && self.func.atom_type(*a).is_scalar()
        {
            return self.op(ScalarOp::Select, vec![cond, *a, *b]);
        }
        Outcome::Keep(Expr::If(cond, then, or_else))
    }

    fn def(&self, atom: Atom) -> Option<&Expr> {
        self.defs.get(&atom.as_var()?)
    }

    fn cast(&self, to: ScalarType, atom: Atom) -> Outcome {
        if let Atom::Const(value) = atom {
            return alias(op::cast(to, value));
        }
        let from = self.func.atom_type(atom).elem;
        if from == to {
            return alias(atom);
        }
        if let Some(Expr::Cast(_, original)) = self.def(atom) {
            let first = self.func.atom_type(*original).elem;
            // A detour through a wider integer changes nothing.
            if first.is_integer()
                && from.is_integer()
                && to.is_integer()
                && from.bits() > first.bits()
                && from.bits() >= to.bits()
            {
                if first == to {
                    return alias(*original);
                }
                if to.bits() <= first.bits()
                    || to.bits() == from.bits() && first.class() == from.class()
                {
                    return Outcome::Keep(Expr::Cast(to, *original));
                }
            }
        }
        Outcome::Keep(Expr::Cast(to, atom))
    }

    fn op(&self, op: ScalarOp, mut operands: Vec<Atom>) -> Outcome {
        let constants: Vec<Const> = operands.iter().filter_map(|atom| atom.as_const()).collect();
        if constants.len() == operands.len()
            && let Some(Ok(value)) = op.eval(&constants)
        {
            return alias(value);
        }
        let laws = op.row().laws;
        if laws.commutative && operands[0].as_const().is_some() {
            operands.swap(0, 1);
        }
        if laws.idempotent && operands[0] == operands[1] {
            return alias(operands[0]);
        }
        let ty = self
            .func
            .atom_type(*operands.last().expect("an operand"))
            .elem;
        if let Some(outcome) = self.law(op, ty, &operands) {
            return outcome;
        }
        // (x op c) op d = x op (c op d): what reduces is associative, on integers to the bit.
        if laws.commutative
            && laws.reduces
            && !ty.is_float()
            && let (Some(Expr::Op(before, inner)), Some(d)) =
                (self.def(operands[0]), operands[1].as_const())
            && *before == op
            && let Some(c) = inner[1].as_const()
            && let Some(Ok(both)) = op.eval(&[c, d])
        {
            return self.op(op, vec![inner[0], both.into()]);
        }
        Outcome::Keep(Expr::Op(op, operands))
    }

    /// Laws with one constant operand, or about an operation's own operand.
    fn law(&self, op: ScalarOp, ty: ScalarType, operands: &[Atom]) -> Option<Outcome> {
        let (a, b) = (operands[0], *operands.get(1).unwrap_or(&operands[0]));
        let integer = ty.is_integer();
        let zero = Const { ty, bits: 0 };
        // NaN apart (its payload is no part of a result), an identity leaves the other operand as it is. Not so for the float
        // minimum and maximum, whose identity is NaN: nobody writes that.
        let identity = |op: ScalarOp| {
            op.identity(ty)
                .filter(|_| !(ty.is_float() && matches!(op, ScalarOp::Min | ScalarOp::Max)))
        };
        let constant = |value: Option<Const>| value.is_some_and(|value| b == value.into());
        match op {
            _ if op.row().laws.reduces && constant(identity(op)) => Some(alias(a)),
            ScalarOp::Mul | ScalarOp::And
                if (integer || ty == ScalarType::Bool) && b == zero.into() =>
            {
                Some(alias(zero))
            }
            ScalarOp::Or if ty == ScalarType::Bool && b == Const::bool(true).into() => {
                Some(alias(Const::bool(true)))
            }
            ScalarOp::Sub if integer && a == b => Some(alias(zero)),
            ScalarOp::Xor if a == b => Some(alias(zero)),
            ScalarOp::Sub | ScalarOp::Shl | ScalarOp::Shr | ScalarOp::RotateLeft
                if b == zero.into() =>
            {
                Some(alias(a))
            }
            ScalarOp::Div if constant(ScalarOp::Mul.identity(ty)) => Some(alias(a)),
            ScalarOp::Div if ty.is_float() => {
                let reciprocal = exact_reciprocal(b.as_const()?)?;
                Some(Outcome::Keep(Expr::Op(
                    ScalarOp::Mul,
                    vec![a, reciprocal.into()],
                )))
            }
            ScalarOp::Div | ScalarOp::Rem if ty.class() == types::Class::Unsigned => {
                let divisor = b.as_const()?.bits;
                divisor.is_power_of_two().then(|| {
                    let (op, bits) = match op {
                        ScalarOp::Div => (ScalarOp::Shr, divisor.trailing_zeros() as u64),
                        _ => (ScalarOp::And, divisor - 1),
                    };
                    Outcome::Keep(Expr::Op(op, vec![a, Const { ty, bits }.into()]))
                })
            }
            ScalarOp::Eq | ScalarOp::Le | ScalarOp::Ge if a == b && !ty.is_float() => {
                Some(alias(Const::bool(true)))
            }
            ScalarOp::Ne | ScalarOp::Lt | ScalarOp::Gt if a == b && !ty.is_float() => {
                Some(alias(Const::bool(false)))
            }
            ScalarOp::Eq if constant(Some(Const::bool(true))) => Some(alias(a)),
            ScalarOp::Not | ScalarOp::Neg => match self.def(a)? {
                Expr::Op(inner, original) if *inner == op => Some(alias(original[0])),
                _ => None,
            },
            ScalarOp::Select => match (a, b, operands[2]) {
                (Atom::Const(cond), yes, no) => Some(alias(if cond.bits != 0 { yes } else { no })),
                (_, yes, no) if yes == no => Some(alias(yes)),
                (cond, yes, no)
                    if yes == Const::bool(true).into() && no == Const::bool(false).into() =>
                {
                    Some(alias(cond))
                }
                (cond, yes, no) if no == Const::bool(false).into() => {
                    Some(Outcome::Keep(Expr::Op(ScalarOp::And, vec![cond, yes])))
                }
                (cond, yes, no) if yes == Const::bool(true).into() => {
                    Some(Outcome::Keep(Expr::Op(ScalarOp::Or, vec![cond, no])))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn alias(atom: impl Into<Atom>) -> Outcome {
    Outcome::Alias(vec![atom.into()])
}

/// `1 / c` where that is exact and normal: a power of two. Then `x / c` and `x * (1 / c)` round the same number.
fn exact_reciprocal(c: Const) -> Option<Const> {
    let (reciprocal, power, normal) = match c.ty {
        ScalarType::F32 => {
            let x = f32::from_bits(c.bits as u32);
            (
                Const::f32(1.0 / x),
                c.bits & 0x007f_ffff == 0,
                x.is_normal() && (1.0 / x).is_normal(),
            )
        }
        _ => {
            let x = f64::from_bits(c.bits);
            (
                Const::f64(1.0 / x),
                c.bits & 0x000f_ffff_ffff_ffff == 0,
                x.is_normal() && (1.0 / x).is_normal(),
            )
        }
    };
    (power && normal).then_some(reciprocal)
}
