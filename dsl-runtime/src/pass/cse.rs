//! Computes once what is computed twice: a later statement with the operation and operands of an earlier one that is
//! visible takes its result. A repeated check or checked index fails where the first one did, so it goes too.

use super::Caps;
use crate::ir::*;
use std::collections::HashMap;

/// The pass.
pub fn run(func: &mut Func, _: &Caps) {
    let mut body = std::mem::take(&mut func.body);
    let mut cse = Cse {
        seen: HashMap::new(),
        log: vec![],
        alias: HashMap::new(),
    };
    cse.block(&mut body);
    for info in &mut func.vars {
        for size in &mut info.ty.shape {
            cse.rename(size);
        }
    }
    func.body = body;
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Op(ScalarOp, Vec<Atom>),
    Cast(ScalarType, Atom),
    Bits(ScalarType, Atom),
    Index(Var, Vec<Atom>),
    Array(Vec<Atom>),
    Reshape(Var, Vec<Atom>),
    Check(Atom),
}

struct Cse {
    seen: HashMap<Key, Option<Var>>,
    /// Keys in the order of their coming, so that a block can forget its own.
    log: Vec<Key>,
    alias: HashMap<Var, Atom>,
}

impl Cse {
    fn rename(&self, atom: &mut Atom) {
        if let Some(&kept) = atom.as_var().and_then(|var| self.alias.get(&var)) {
            *atom = kept;
        }
    }

    fn block(&mut self, block: &mut Block) {
        let mark = self.log.len();
        block.stmts.retain_mut(|stmt| self.stmt(stmt));
        block.results.iter_mut().for_each(|atom| self.rename(atom));
        for key in self.log.drain(mark..) {
            self.seen.remove(&key);
        }
    }

    /// Whether the statement stays.
    fn stmt(&mut self, stmt: &mut Stmt) -> bool {
        walk::operands_mut(&mut stmt.expr, &mut |atom| self.rename(atom));
        if let Some(key) = key(&stmt.expr) {
            if let Some(&earlier) = self.seen.get(&key) {
                if let (Some(earlier), [def]) = (earlier, &stmt.defs[..]) {
                    self.alias.insert(*def, earlier.into());
                }
                return false;
            }
            self.seen.insert(key.clone(), stmt.defs.first().copied());
            self.log.push(key);
            return true;
        }
        // What a par's sinks take is visible only with its body, so its values are renamed by what the body found.
        let mark = self.log.len();
        walk::blocks_mut(&mut stmt.expr, &mut |block| self.block(block));
        debug_assert_eq!(mark, self.log.len());
        walk::values_mut(&mut stmt.expr, &mut |atom| self.rename(atom));
        true
    }
}

fn key(expr: &Expr) -> Option<Key> {
    Some(match expr {
        Expr::Op(op, operands) => {
            let mut operands = operands.clone();
            if op.row().laws.commutative && order(operands[0]) > order(operands[1]) {
                operands.swap(0, 1);
            }
            Key::Op(*op, operands)
        }
        Expr::Cast(ty, atom) => Key::Cast(*ty, *atom),
        Expr::Bits(ty, atom) => Key::Bits(*ty, *atom),
        Expr::Index(index) => Key::Index(index.array, index.indices.clone()),
        Expr::Array(elements) => Key::Array(elements.clone()),
        Expr::Reshape(array, shape) => Key::Reshape(*array, shape.clone()),
        Expr::Check(check) => Key::Check(check.cond),
        Expr::Update(..) | Expr::Data(_) | Expr::If(..) | Expr::Loop(_) | Expr::Par(_) => {
            return None;
        }
    })
}

fn order(atom: Atom) -> (Option<Var>, Option<Const>) {
    (atom.as_var(), atom.as_const())
}
