//! Which pars can be rendered in lanes: those whose lanes need no arrays of their own.

use crate::render::array::private;
use dsl_runtime::ir::order::SHORT;
use dsl_runtime::ir::{
    Block, Combine, Expr, Func, LoopKind, Par, ScalarOp, ScalarType, Sink, SinkKind, Stmt, VarSet,
    walk,
};
use dsl_runtime::pass::effect;

/// Whether these statements of its body can, and its sinks. `wide`: whether its iterations are spread over work-items.
pub fn fits(func: &Func, par: &Par, stmts: &[Stmt], wide: bool) -> bool {
    let look = Look {
        func,
        differ: walk_differ(func, par),
    };
    look.stmts(stmts) && par.sinks.iter().all(|sink| look.sink(sink, par, wide))
}

/// Names that may differ between lanes: the index, and what is made of it.
fn walk_differ(func: &Func, par: &Par) -> VarSet {
    let mut differ = VarSet::from([par.index]);
    spread(func, &par.body, &mut differ);
    differ
}

fn spread(func: &Func, block: &Block, differ: &mut VarSet) {
    for stmt in &block.stmts {
        let mut any = false;
        walk::operands(&stmt.expr, &mut |atom| {
            any |= atom.as_var().is_some_and(|var| differ.contains(&var));
        });
        match &stmt.expr {
            Expr::Loop(inner) => {
                differ.extend(inner.carried.iter().map(|&(var, _)| var));
                any = true;
            }
            Expr::Par(_) => any = true,
            _ => {}
        }
        walk::blocks(&stmt.expr, &mut |inner| {
            spread(func, inner, differ);
            any |= inner
                .results
                .iter()
                .any(|atom| atom.as_var().is_some_and(|var| differ.contains(&var)));
        });
        if any {
            differ.extend(stmt.defs.iter().copied());
        }
    }
}

struct Look<'f> {
    func: &'f Func,
    differ: VarSet,
}

impl Look<'_> {
    fn differs(&self, atom: dsl_runtime::ir::Atom) -> bool {
        atom.as_var().is_some_and(|var| self.differ.contains(&var))
    }

    fn block(&self, block: &Block) -> bool {
        self.stmts(&block.stmts)
    }

    fn stmts(&self, stmts: &[Stmt]) -> bool {
        stmts.iter().all(|stmt| {
            let scalars = stmt.defs.iter().all(|&def| self.func.ty(def).is_scalar());
            match &stmt.expr {
                Expr::Op(op, operands) => {
                    let ty = self
                        .func
                        .atom_type(*operands.last().expect("an operand"))
                        .elem;
                    ty != ScalarType::Bool
                        || matches!(
                            op,
                            ScalarOp::And
                                | ScalarOp::Or
                                | ScalarOp::Xor
                                | ScalarOp::Not
                                | ScalarOp::Eq
                                | ScalarOp::Ne
                                | ScalarOp::Select
                        )
                }
                Expr::Cast(..) | Expr::Bits(..) | Expr::Check(_) => true,
                // A view of an array that is the same for all lanes, by indices that are; or an element.
                Expr::Index(index) => {
                    !self.differs(index.array.into())
                        && (scalars || !index.indices.iter().any(|&at| self.differs(at)))
                }
                Expr::If(_, then, other) => scalars && self.block(then) && self.block(other),
                Expr::Loop(inner) => {
                    scalars
                        && self.block(&inner.body)
                        && match &inner.kind {
                            LoopKind::For { extent, .. } => !self.differs(*extent),
                            LoopKind::While(cond) => self.block(cond),
                        }
                }
                Expr::Par(par) => {
                    !self.differs(par.extent)
                        && self.block(&par.body)
                        && par.sinks.iter().all(|sink| {
                            let running = match &sink.combine {
                                Some(Combine::Op(_)) => true,
                                Some(Combine::Lambda(lambda)) => self.block(&lambda.body),
                                None => false,
                            };
                            let bools = sink
                                .values
                                .iter()
                                .any(|&v| self.func.atom_type(v).elem == ScalarType::Bool);
                            sink.kind == SinkKind::Reduce && par.inner && running && !bools
                        })
                }
                Expr::Reshape(..) => false,
                Expr::Update(..) | Expr::Array(_) | Expr::Data(_) => false,
            }
        })
    }

    fn sink(&self, sink: &Sink, par: &Par, wide: bool) -> bool {
        let value = *sink.values.last().expect("a value");
        let ty = self.func.atom_type(value);
        let op = matches!(sink.combine, Some(Combine::Op(_)));
        let one = ty.is_scalar() && private(&ty).is_none();
        let truth = ty.elem == ScalarType::Bool;
        match sink.kind {
            SinkKind::Collect => one,
            SinkKind::Reduce => {
                let short = par
                    .extent
                    .as_const()
                    .is_some_and(|n| n.bits <= SHORT as u64);
                let folded = par.inner && short && effect::shows_order(self.func, sink);
                one && op && !truth && !folded
            }
            SinkKind::Scan | SinkKind::ExScan => {
                wide && one && op && effect::shows_order(self.func, sink)
            }
            SinkKind::Filter => {
                let scalar =
                    |&value: &dsl_runtime::ir::Atom| self.func.atom_type(value).is_scalar();
                wide && sink.values.iter().all(scalar)
            }
            _ => false,
        }
    }
}

/// The most vectors that go side by side.
const SIDES: usize = 4;

/// The number of vectors that are to go side by side: several where the lanes go round loops that wait for their own results
/// and do nothing else, as long as there are registers.
pub fn sides(func: &Func, par: &Par) -> usize {
    let (mut waits, mut bytes) = (false, 1);
    let mut plain = par.sinks.iter().all(|sink| sink.kind == SinkKind::Collect);
    walk::stmts(&par.body, &mut |stmt| {
        plain &= !matches!(stmt.expr, Expr::Par(_));
        if let Expr::Loop(inner) = &stmt.expr {
            waits |= matches!(inner.kind, LoopKind::While(_));
            let carried = inner
                .carried
                .iter()
                .map(|&(var, _)| func.ty(var).elem.bytes());
            bytes = carried.fold(bytes, usize::max);
        }
    });
    match waits && plain {
        true => (SIDES * 4 / bytes).clamp(1, SIDES),
        false => 1,
    }
}
