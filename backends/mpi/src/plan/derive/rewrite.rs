//! Reads of arrays that become reads of the rows that a rank has.

use dsl_runtime::ir::{
    Atom, Block, Expr, Func, Index, ScalarOp, ScalarType, Stmt, Type, Var, walk,
};
use std::collections::HashMap;

/// What becomes of a read.
pub(super) enum Read {
    Window {
        rows: Var,
        start: Var,
        around: Option<Atom>,
    },
    Named {
        rows: Var,
        load: Var,
        array: Var,
    },
}

/// Reads of arrays that become reads of rows.
pub(super) struct Rewrite {
    pub(super) reads: HashMap<Var, Read>,
    /// By the read of a column, and the array whose rows its elements name: the array of places, and the name of the element that
    /// belongs to that read.
    pub(super) places: HashMap<(Var, Var), (Var, Option<Var>)>,
}

impl Rewrite {
    pub(super) fn block(&mut self, out: &mut Func, block: &mut Block) {
        let mut stmts = vec![];
        for mut stmt in block.stmts.drain(..) {
            walk::blocks_mut(&mut stmt.expr, &mut |inner| self.block(out, inner));
            let place = stmt.place;
            let mut op = |op: ScalarOp, operands: Vec<Atom>, out: &mut Func| {
                let ty = match op {
                    ScalarOp::Lt => ScalarType::Bool,
                    _ => ScalarType::U64,
                };
                let var = out.var("row", Type::scalar(ty));
                stmts.push(Stmt {
                    defs: vec![var],
                    expr: Expr::Op(op, operands),
                    place,
                });
                Atom::Var(var)
            };
            let read = stmt.defs.first().copied();
            let found = read.and_then(|read| self.reads.get(&read));
            if let (Expr::Index(index), Some(found)) = (&mut stmt.expr, found) {
                let row = index.indices[0];
                match *found {
                    Read::Window {
                        rows,
                        start,
                        around,
                    } => {
                        let start = Atom::Var(start);
                        let mut at = op(ScalarOp::Sub, vec![row, start], out);
                        if let Some(length) = around {
                            let turned = op(ScalarOp::Lt, vec![row, start], out);
                            let there = op(ScalarOp::Add, vec![at, length], out);
                            at = op(ScalarOp::Select, vec![turned, there, at], out);
                            if index.checked {
                                // Beyond the end it would be a row from the beginning.
                                let inside = op(ScalarOp::Lt, vec![row, length], out);
                                at = op(ScalarOp::Select, vec![inside, at, row], out);
                            }
                        }
                        index.array = rows;
                        index.indices[0] = at;
                    }
                    Read::Named { rows, load, array } => {
                        let (_, element) = self.places[&(load, array)];
                        index.array = rows;
                        index.indices[0] = element
                            .expect("a column is read before its element is used")
                            .into();
                    }
                }
            }
            // Beside an element of a column, the places of the rows that it names.
            let mut beside = vec![];
            if let (Expr::Index(index), Some(read)) = (&stmt.expr, read) {
                for ((load, _), (places, element)) in &mut self.places {
                    if *load == read {
                        let var = out.var("place", Type::index());
                        *element = Some(var);
                        beside.push(Stmt {
                            defs: vec![var],
                            expr: Expr::Index(Index {
                                array: *places,
                                ..index.clone()
                            }),
                            place,
                        });
                    }
                }
            }
            stmts.push(stmt);
            stmts.append(&mut beside);
        }
        block.stmts = stmts;
    }
}
