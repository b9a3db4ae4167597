//! Statements: from operations and operands to statements of the function that is being made. What can be computed here
//! is (constants, identities that hold to the bit, the same pure operation again), so that sizes that are equal are one atom.

use super::env::{Env, FALSE, TRUE};
use super::{Code, Lower, R};
use crate::elaborate::ty::Mistake;
use crate::ir::{
    Atom, Block, Check, Const, Expr, Fault, Index, LoopKind, Par, ScalarOp, ScalarType, Sink,
    SinkKind, Stmt, Type, Var, op, walk,
};

/// A block that statements are being appended to.
#[derive(Default)]
pub(super) struct Open {
    /// Its number: names remember in which block they were defined.
    id: u32,
    stmts: Vec<Stmt>,
}

impl Open {
    /// Its statements.
    pub(super) fn into_stmts(self) -> Vec<Stmt> {
        self.stmts
    }
}

/// Where the lowering stood.
pub(super) struct Saved {
    vars: usize,
    sources: usize,
    shapes: usize,
    blocks: usize,
    stmts: usize,
    depth: usize,
    env: Env,
}

/// A pure operation and its operands: the same one again has the same value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Known {
    Op(ScalarOp, Vec<Atom>),
    Cast(ScalarType, Atom),
    Bits(ScalarType, Atom),
}

impl Lower {
    /// Opens a block: statements go there until [`Lower::close`].
    pub(super) fn open(&mut self) {
        self.next_block += 1;
        self.blocks.push(Open {
            id: self.next_block,
            stmts: vec![],
        });
    }

    /// Closes the innermost block and hands out what it holds; [`Lower::reopen`] continues it.
    pub(super) fn suspend(&mut self) -> Open {
        self.blocks.pop().expect("an open block")
    }

    /// Continues a block.
    pub(super) fn reopen(&mut self, block: Open) {
        self.blocks.push(block);
    }

    /// Closes the innermost block.
    pub(super) fn close(&mut self, results: Vec<Atom>) -> Block {
        Block {
            stmts: self.suspend().stmts,
            results,
        }
    }

    /// A fresh name that is defined in the innermost block.
    pub(super) fn var(&mut self, name: &str, ty: Type) -> Var {
        let home = self.here();
        self.homes.push(home);
        self.func.var(name, ty)
    }

    /// Whether an operand can be used in the innermost block.
    pub(super) fn visible(&self, atom: Atom) -> bool {
        match atom {
            Atom::Const(_) => true,
            Atom::Var(var) => {
                let home = self.homes[var.0 as usize];
                self.is_open(home)
            }
        }
    }

    /// Whether what holds in a block holds here.
    pub(super) fn is_open(&self, block: u32) -> bool {
        block == 0 || self.blocks.iter().any(|open| open.id == block)
    }

    /// The number of the innermost block; 0 outside all of them.
    pub(super) fn here(&self) -> u32 {
        self.blocks.last().map_or(0, |block| block.id)
    }

    /// Appends a statement.
    pub(super) fn push(&mut self, defs: Vec<Var>, expr: Expr) {
        let place = self.place;
        let block = self.blocks.last_mut().expect("an open block");
        block.stmts.push(Stmt { defs, expr, place });
    }

    /// Appends a statement with one result.
    pub(super) fn bind(&mut self, name: &str, ty: Type, expr: Expr) -> Var {
        let var = self.var(name, ty);
        self.push(vec![var], expr);
        var
    }

    /// The scalar type of an operand (of an array: of its elements).
    pub(super) fn elem(&self, atom: Atom) -> ScalarType {
        match atom {
            Atom::Const(value) => value.ty,
            Atom::Var(var) => self.func.ty(var).elem,
        }
    }

    /// A name for a pure expression; the same one while it is visible.
    fn pure(&mut self, key: Known, ty: ScalarType, expr: Expr) -> Atom {
        if let Some(&var) = self.known.get(&key)
            && self.visible(var.into())
        {
            return var.into();
        }
        let var = self.bind("t", Type::scalar(ty), expr);
        self.note_limit(&key, var.into());
        self.known.insert(key, var);
        var.into()
    }

    /// A scalar operation.
    pub(super) fn op(&mut self, op: ScalarOp, operands: &[Atom]) -> Atom {
        let value = self.simplify(op, operands);
        if let Some(value) = value.or_else(|| self.bounded(op, operands)) {
            return value;
        }
        if let (ScalarOp::Select, &[cond, a, b]) = (op, operands) {
            match (a, b) {
                (_, FALSE) => return self.and(cond, a),
                (TRUE, _) => return self.or(cond, b),
                (FALSE, TRUE) => return self.not(cond),
                _ => {}
            }
        }
        let types: Vec<ScalarType> = operands.iter().map(|&atom| self.elem(atom)).collect();
        let Some(ty) = op.result(&types) else {
            panic!(
                "elaboration: {} does not take {types:?}, line {}",
                op.name(),
                self.place.span.line
            );
        };
        let expr = Expr::Op(op, operands.to_vec());
        if op_fails(op, types[0], operands) {
            return self.bind("t", Type::scalar(ty), expr).into();
        }
        self.pure(Known::Op(op, operands.to_vec()), ty, expr)
    }

    fn simplify(&self, op: ScalarOp, operands: &[Atom]) -> Option<Atom> {
        let constants: Option<Vec<Const>> = operands.iter().map(|atom| atom.as_const()).collect();
        if let Some(constants) = constants {
            return op.eval(&constants)?.ok().map(Atom::Const);
        }
        let [a, b] = match *operands {
            [a, b] => [a, b],
            [cond, a, b] if op == ScalarOp::Select => {
                if let Some(cond) = cond.as_const() {
                    return Some(if cond.bits != 0 { a } else { b });
                }
                let truth = |value: bool| Atom::Const(Const::bool(value));
                let itself = a == truth(true) && b == truth(false);
                return (a == b).then_some(a).or_else(|| itself.then_some(cond));
            }
            _ => return None,
        };
        let ty = self.elem(a);
        if ty.is_float() {
            return None;
        }
        let all = u64::MAX >> (64 - if ty == ScalarType::Bool { 1 } else { ty.bits() });
        let constant = |atom: Atom| atom.as_const().map(|value| value.bits);
        let boolean = |value: bool| Some(Atom::Const(Const::bool(value)));
        use ScalarOp as O;
        match (op, constant(a), constant(b)) {
            (O::Add | O::Or | O::Xor, Some(0), _) => Some(b),
            (O::Add | O::Sub | O::Or | O::Xor | O::Shl | O::Shr, _, Some(0)) => Some(a),
            (O::Mul, Some(1), _) => Some(b),
            (O::Mul | O::Div, _, Some(1)) => Some(a),
            (O::And, Some(0), _) | (O::Or, _, Some(_)) if constant(a) == Some(0) => Some(a),
            (O::And, Some(ones), _) if ones == all => Some(b),
            (O::And, _, Some(ones)) if ones == all => Some(a),
            (O::And, _, Some(0)) => Some(b),
            (O::Or, Some(ones), _) if ones == all => Some(a),
            (O::Or, _, Some(ones)) if ones == all => Some(b),
            (O::Min, Some(ones), _) if ones == all && unsigned(ty) => Some(b),
            (O::Min, _, Some(ones)) if ones == all && unsigned(ty) => Some(a),
            (O::Min, Some(0), _) | (O::Max, _, Some(0)) if unsigned(ty) => Some(a),
            (O::Min, _, Some(0)) | (O::Max, Some(0), _) if unsigned(ty) => Some(b),
            (O::Eq | O::Le | O::Ge, ..) if a == b => boolean(true),
            (O::Ne | O::Lt | O::Gt, ..) if a == b => boolean(false),
            (O::Min | O::Max | O::And | O::Or, ..) if a == b => Some(a),
            (O::Sub | O::Xor, ..) if a == b => Some(Atom::Const(Const { ty, bits: 0 })),
            (O::Ge, _, Some(0)) if unsigned(ty) => boolean(true),
            (O::Lt, _, Some(0)) if unsigned(ty) => boolean(false),
            _ => None,
        }
    }

    /// Rust's `as`.
    pub(super) fn cast(&mut self, to: ScalarType, value: Atom) -> Atom {
        if self.elem(value) == to {
            return value;
        }
        match value {
            Atom::Const(value) => Atom::Const(op::cast(to, value)),
            Atom::Var(_) => self.pure(Known::Cast(to, value), to, Expr::Cast(to, value)),
        }
    }

    /// The same bits as another type.
    pub(super) fn bits(&mut self, to: ScalarType, value: Atom) -> Atom {
        if self.elem(value) == to {
            return value;
        }
        match value {
            Atom::Const(value) => Atom::Const(Const {
                ty: to,
                bits: value.bits,
            }),
            Atom::Var(_) => self.pure(Known::Bits(to, value), to, Expr::Bits(to, value)),
        }
    }

    /// `!a`.
    pub(super) fn not(&mut self, a: Atom) -> Atom {
        self.op(ScalarOp::Not, &[a])
    }

    /// `a && b` of values that exist already.
    pub(super) fn and(&mut self, a: Atom, b: Atom) -> Atom {
        self.op(ScalarOp::And, &[a, b])
    }

    /// `a || b` of values that exist already.
    pub(super) fn or(&mut self, a: Atom, b: Atom) -> Atom {
        self.op(ScalarOp::Or, &[a, b])
    }

    /// Fails with `fault` where `cond` is false; nothing where it is known to be true.
    pub(super) fn check(&mut self, fault: Fault, cond: Atom, operands: Vec<Atom>) {
        if cond == Atom::Const(Const::bool(true)) {
            return;
        }
        self.push(
            vec![],
            Expr::Check(Check {
                cond,
                fault,
                operands,
            }),
        );
    }

    /// Reads an element, or the sub-array where there are fewer indices than dimensions.
    pub(super) fn index(&mut self, array: Var, indices: Vec<Atom>, checked: bool) -> Atom {
        if indices.is_empty() {
            return array.into();
        }
        let ty = self.func.ty(array);
        let inner = Type::array(ty.elem, &ty.shape[indices.len()..]);
        let inside = indices
            .iter()
            .zip(&ty.shape)
            .all(|(&i, &n)| matches!((i, n), (Atom::Const(i), Atom::Const(n)) if i.bits < n.bits));
        let index = Index {
            array,
            indices,
            checked: checked && !inside,
        };
        self.bind("t", inner, Expr::Index(index)).into()
    }

    /// Replaces an element or a sub-array.
    pub(super) fn update(
        &mut self,
        array: Var,
        indices: Vec<Atom>,
        value: Atom,
        checked: bool,
    ) -> Var {
        let ty = self.func.ty(array).clone();
        let index = Index {
            array,
            indices,
            checked,
        };
        self.bind("t", ty, Expr::Update(index, value))
    }

    /// The parallel construct over `extent`; `body` returns the sinks. The results are those of the sinks, in order.
    pub(super) fn par(
        &mut self,
        extent: Atom,
        body: impl FnOnce(&mut Lower, Atom) -> R<Vec<Sink>>,
    ) -> R<Vec<Var>> {
        let inner = self.depth > 0;
        self.depth += 1;
        self.open();
        let index = self.var("i", Type::index());
        let sinks = body(self, index.into());
        self.depth -= 1;
        let mut block = self.close(vec![]);
        let sinks = sinks?;
        let mut defs = vec![];
        for sink in &sinks {
            self.sink_results(sink, extent, &mut block, &mut defs)?;
        }
        self.push(
            defs.clone(),
            Expr::Par(Par {
                index,
                extent,
                body: block,
                sinks,
                inner,
                levels: vec![],
            }),
        );
        Ok(defs)
    }

    fn sink_results(
        &mut self,
        sink: &Sink,
        extent: Atom,
        body: &mut Block,
        defs: &mut Vec<Var>,
    ) -> R<()> {
        let mut lead = Some(extent);
        let values = match sink.kind {
            SinkKind::Filter => {
                let kept = self.var("kept", Type::index());
                defs.push(kept);
                lead = Some(kept.into());
                &sink.values[1..]
            }
            SinkKind::Reduce | SinkKind::Scatter | SinkKind::ScatterWith => {
                lead = None;
                &sink.outer[..]
            }
            _ => &sink.values[..],
        };
        for &value in values {
            let mut ty = self.func.atom_type(value);
            for size in &mut ty.shape {
                *size = self.hoist(*size, body).ok_or_else(|| self.ragged())?;
            }
            ty.shape.splice(0..0, lead);
            let def = self.var("t", ty);
            defs.push(def);
        }
        Ok(())
    }

    fn ragged(&self) -> Box<Mistake> {
        self.mistake(
            Code::Ragged,
            "rows of different lengths do not make one array here",
            "reduce each row to one value, or give all rows one length; segmented forms over offsets serve ragged rows",
        )
    }

    /// The atom if it is visible here; if statements of `body` that cannot fail compute it from what is, they move here.
    pub(super) fn hoist(&mut self, atom: Atom, body: &mut Block) -> Option<Atom> {
        if self.visible(atom) {
            return Some(atom);
        }
        let var = atom.as_var()?;
        let at = body.stmts.iter().position(|stmt| stmt.defs == [var])?;
        if !cheap(&self.func, &body.stmts[at]) {
            return None;
        }
        let mut needed = vec![];
        walk::operands(&body.stmts[at].expr, &mut |operand| needed.push(operand));
        for operand in needed {
            self.hoist(operand, body)?;
        }
        let at = body.stmts.iter().position(|stmt| stmt.defs == [var])?;
        let stmt = body.stmts.remove(at);
        let here = self.blocks.last_mut().expect("an open block");
        self.homes[var.0 as usize] = here.id;
        here.stmts.push(stmt);
        Some(atom)
    }

    /// Where the lowering stands, to come back to.
    pub(super) fn save(&self) -> Saved {
        Saved {
            vars: self.func.vars.len(),
            sources: self.func.sources.len(),
            shapes: self.shapes.len(),
            blocks: self.blocks.len(),
            stmts: self.blocks.last().map_or(0, |block| block.stmts.len()),
            depth: self.depth,
            env: self.env.clone(),
        }
    }

    /// Forgets what was done since.
    pub(super) fn restore(&mut self, saved: Saved) {
        self.func.vars.truncate(saved.vars);
        self.homes.truncate(saved.vars);
        self.func.sources.truncate(saved.sources);
        self.known.retain(|_, var| (var.0 as usize) < saved.vars);
        self.fits.retain(|(var, _)| (var.0 as usize) < saved.vars);
        self.limits.retain(|var, _| (var.0 as usize) < saved.vars);
        self.shapes.truncate(saved.shapes);
        self.blocks.truncate(saved.blocks);
        if let Some(block) = self.blocks.last_mut() {
            block.stmts.truncate(saved.stmts);
        }
        self.depth = saved.depth;
        self.env = saved.env;
    }

    /// What `f` gives, and whether what it appends could fail; nothing of it remains.
    pub(super) fn rehearse<T>(&mut self, f: impl FnOnce(&mut Lower) -> R<T>) -> R<(T, bool)> {
        let saved = self.save();
        self.open();
        let value = f(self)?;
        let block = self.close(vec![]);
        let fails = block.stmts.iter().any(|stmt| can_fail(&self.func, stmt));
        self.restore(saved);
        Ok((value, fails))
    }

    /// Whether a block holds at most `limit` statements, none of which can fail or needs a condition to hold.
    pub(super) fn is_cheap(&self, block: &Open, limit: usize) -> bool {
        block.stmts.len() <= limit && block.stmts.iter().all(|stmt| cheap(&self.func, stmt))
    }

    /// Moves the statements of a closed block to the end of the innermost one.
    pub(super) fn splice(&mut self, block: Open) {
        let here = self.blocks.last_mut().expect("an open block");
        for stmt in &block.stmts {
            for def in &stmt.defs {
                self.homes[def.0 as usize] = here.id;
            }
        }
        here.stmts.extend(block.stmts);
    }
}

fn unsigned(ty: ScalarType) -> bool {
    ty.class() == crate::ir::types::Class::Unsigned
}

/// Whether an operation can fail on these operands: a division by a constant that is neither 0 nor -1 cannot.
fn op_fails(op: ScalarOp, ty: ScalarType, operands: &[Atom]) -> bool {
    let harmless = |divisor: Const| {
        let ones = u64::MAX >> (64 - ty.bits());
        divisor.bits != 0 && (unsigned(ty) || divisor.bits != ones)
    };
    op.can_fail(ty) && !operands[1].as_const().is_some_and(harmless)
}

fn cheap(func: &crate::ir::Func, stmt: &Stmt) -> bool {
    match &stmt.expr {
        Expr::Op(op, operands) => !op_fails(*op, func.atom_type(operands[0]).elem, operands),
        Expr::Cast(..) | Expr::Bits(..) => true,
        _ => false,
    }
}

/// Whether a statement, or one inside it, can fail or run without end.
pub(super) fn can_fail(func: &crate::ir::Func, stmt: &Stmt) -> bool {
    let own = match &stmt.expr {
        Expr::Op(op, operands) => op_fails(*op, func.atom_type(operands[0]).elem, operands),
        Expr::Index(index) | Expr::Update(index, _) => index.checked,
        Expr::Check(_) => true,
        Expr::Loop(repeat) => matches!(repeat.kind, LoopKind::While(_)),
        Expr::Par(par) => par
            .sinks
            .iter()
            .any(|sink| matches!(sink.kind, SinkKind::Scatter | SinkKind::ScatterWith)),
        _ => false,
    };
    let mut inside = own;
    walk::blocks(&stmt.expr, &mut |block| {
        inside |= block.stmts.iter().any(|stmt| can_fail(func, stmt));
    });
    inside
}
