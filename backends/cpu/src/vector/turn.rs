//! Boundaries: a loop over a grid asks of every iteration whether it is at an edge. Comparisons of the counter with what stays the same
//! come out the same for long stretches of iterations; where a stretch ends is computed when it begins, and inside it nothing
//! is compared. A boundary splits the loop, without a second copy of its body.

use super::Emit;
use crate::isa::{Reg, Simd};
use dsl_runtime::ir::{Atom, Expr, Par, ScalarOp, ScalarType, SinkKind, Var};
use std::collections::HashMap;

/// A comparison of the counter, shifted by a constant, with something that stays the same.
pub(super) struct Turn {
    /// As it stands.
    pub(super) op: ScalarOp,
    pub(super) atoms: [Atom; 2],
    /// With the counter on the left.
    ordered: ScalarOp,
    shift: u64,
    with: Atom,
}

/// Shifts up to this cannot wrap in a loop that ends.
const SHIFT: u64 = 1 << 20;
/// A counter beyond this is compared in every iteration.
const FAR: u64 = 1 << 62;

impl<I: Simd> Emit<'_, I> {
    /// The comparisons that every iteration of the par makes. None where iterations have to stay in groups that begin at certain
    /// numbers, as those of a reduction have.
    pub(super) fn turns(&self, par: &Par) -> Vec<Turn> {
        if par.sinks.iter().any(|sink| sink.kind != SinkKind::Collect) {
            return vec![];
        }
        let mut own: HashMap<Var, u64> = HashMap::from([(par.index, 0)]);
        let mut made: Vec<Var> = vec![par.index];
        let mut turns = vec![];
        for stmt in &par.body.stmts {
            if let Expr::Op(op, operands) = &stmt.expr
                && let &[a, b] = &operands[..]
                && self.func.atom_type(a).elem == ScalarType::U64
            {
                let shift = |atom: Atom| atom.as_var().and_then(|var| own.get(&var).copied());
                let stays = |atom: Atom| {
                    atom.as_var()
                        .is_none_or(|var| !made.contains(&var) && !self.plan.is_looped(var))
                };
                let sides = match (shift(a), shift(b)) {
                    (Some(shift), None) if stays(b) => Some((shift, b, *op)),
                    (None, Some(shift)) if stays(a) => mirrored(*op).map(|op| (shift, a, op)),
                    _ => None,
                };
                match (sides, b.as_const()) {
                    (Some((shift, _, ScalarOp::Add)), Some(by)) if by.bits <= SHIFT - shift => {
                        own.insert(stmt.defs[0], shift + by.bits);
                    }
                    (Some((shift, with, ordered)), _) if is_comparison(ordered) => {
                        turns.push(Turn {
                            op: *op,
                            atoms: [a, b],
                            ordered,
                            shift,
                            with,
                        })
                    }
                    _ => {}
                }
            }
            made.extend(&stmt.defs);
        }
        turns
    }

    /// The answers at iteration `i`, and the first iteration after it, up to `hi`, where one of them is another.
    pub(super) fn until_turn(&mut self, turns: &[Turn], i: Reg, hi: Reg) -> (Vec<Reg>, Reg) {
        let mut end = hi;
        let mut answers = vec![];
        for turn in turns {
            let with = self.scalar(turn.with);
            let x = self.add(i, turn.shift);
            answers.push(self.word_op(turn.ordered, x, with));
            let one_more = self.add(with, 1);
            // The value from which on it is another answer.
            let first = match turn.ordered {
                ScalarOp::Le | ScalarOp::Gt => one_more,
                _ => with,
            };
            end = self.turning(x, first, turn.shift, end);
            if matches!(turn.ordered, ScalarOp::Eq | ScalarOp::Ne) {
                end = self.turning(x, one_more, turn.shift, end);
            }
        }
        if !turns.is_empty() {
            let far = self.word(FAR);
            let near = self.word_op(ScalarOp::Lt, hi, far);
            let next = self.add(i, 1);
            end = self
                .isa
                .op(ScalarOp::Select, ScalarType::U64, &[near, end, next]);
        }
        (answers, end)
    }

    /// The end, or before it the iteration at which the shifted counter, now at `x`, reaches `first`.
    fn turning(&mut self, x: Reg, first: Reg, shift: u64, end: Reg) -> Reg {
        let ahead = self.word_op(ScalarOp::Lt, x, first);
        let shift = self.word(shift);
        let at = self.word_op(ScalarOp::Sub, first, shift);
        let at = self
            .isa
            .op(ScalarOp::Select, ScalarType::U64, &[ahead, at, end]);
        self.word_op(ScalarOp::Min, at, end)
    }
}

fn is_comparison(op: ScalarOp) -> bool {
    use ScalarOp::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Lt | Le | Gt | Ge | Eq | Ne)
}

/// The same with its sides exchanged.
fn mirrored(op: ScalarOp) -> Option<ScalarOp> {
    Some(match op {
        ScalarOp::Lt => ScalarOp::Gt,
        ScalarOp::Le => ScalarOp::Ge,
        ScalarOp::Gt => ScalarOp::Lt,
        ScalarOp::Ge => ScalarOp::Le,
        ScalarOp::Eq | ScalarOp::Ne => op,
        _ => return None,
    })
}
