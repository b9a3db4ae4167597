//! One statement: what it computes, on whatever is known of its operands.

use super::{Emit, Value, unsigned};
use crate::isa::Simd;
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{Atom, Const, Expr, Fault, Place, ScalarOp, ScalarType, Stmt};

impl<I: Simd> Emit<'_, I> {
    /// Emits a statement and defines its names.
    pub(crate) fn statement(&mut self, stmt: &Stmt) {
        let place = stmt.place;
        let value = match &stmt.expr {
            Expr::Op(op, operands) => self.row(*op, operands, place),
            Expr::Cast(to, atom) => {
                let (from, value) = (self.type_of(*atom), self.value(*atom));
                self.convert(from, *to, value)
            }
            Expr::Bits(to, atom) => {
                let (from, value) = (self.type_of(*atom), self.value(*atom));
                self.reinterpret(from, *to, value)
            }
            Expr::Index(index) => self.index(index, place),
            Expr::Update(index, with) => {
                let value = self.update(index, *with, place);
                self.own(stmt.defs[0]);
                value
            }
            Expr::Array(items) => {
                let def = stmt.defs[0];
                if self.plan.is_literal(def) {
                    Value::Literal(items.iter().map(|&item| self.value(item)).collect())
                } else {
                    let value = self.gather_array(def, items, place);
                    self.own(def);
                    value
                }
            }
            Expr::Data(data) => self.constant_array(data),
            Expr::Reshape(var, shape) => self.reshape(stmt.defs[0], *var, shape, place),
            Expr::Check(check) => {
                let operands: Vec<Atom> = check.operands.clone();
                return self.check(check.cond, &check.fault, &operands, place);
            }
            Expr::If(cond, then, other) => return self.conditional(stmt, *cond, then, other),
            Expr::Loop(rounds) => return self.rounds(stmt, rounds),
            Expr::Par(par) => return self.nested(stmt, par),
        };
        self.define(stmt.defs[0], value);
    }

    fn check(&mut self, cond: Atom, fault: &Fault, operands: &[Atom], place: Place) {
        match self.value(cond) {
            Value::Scalar(cond) => {
                let bad = self.isa.op(ScalarOp::Not, ScalarType::Bool, &[cond]);
                let operands: Vec<_> = match self.lanes {
                    Some(_) => vec![],
                    None => operands
                        .iter()
                        .map(|&a| (self.type_of(a), self.scalar(a)))
                        .collect(),
                };
                self.fail_if(bad, fault, &operands, place);
            }
            cond => {
                let bad = self.apply(ScalarOp::Not, ScalarType::Bool, &[cond]);
                let any = self.any_active(&bad);
                self.fail_if(any, fault, &[], place);
            }
        }
    }

    /// A row of the table.
    fn row(&mut self, op: ScalarOp, operands: &[Atom], place: Place) -> Value {
        let at = usize::from(op == ScalarOp::Select);
        let ty = self.type_of(operands[at]);
        let values: Vec<Value> = operands.iter().map(|&a| self.value(a)).collect();
        let values = if op.can_fail(ty) {
            self.guard_division(op, ty, values, place)
        } else {
            values
        };
        if self.lanes.is_some()
            && let Some(value) = self.affine(op, ty, operands, &values)
        {
            return value;
        }
        self.apply(op, ty, &values)
    }

    /// Tests a division of integers; yields operands that divide without a trap on inactive lanes too.
    fn guard_division(
        &mut self,
        op: ScalarOp,
        ty: ScalarType,
        mut values: Vec<Value>,
        place: Place,
    ) -> Vec<Value> {
        let constant = |bits| Const { ty, bits };
        let zero = Value::Scalar(self.isa.constant(constant(0)));
        let signed = ty.class() == Class::Signed;
        let varying = |v: &Value| !matches!(v, Value::Scalar(_));
        let none = self.apply(ScalarOp::Eq, ty, &[values[1].clone(), zero]);
        self.fail_value(&none, &Fault::DivideByZero, &[], place);
        if signed {
            let (least, minus) = (1u64 << (ty.bits() - 1), u64::MAX >> (64 - ty.bits()));
            let least = Value::Scalar(self.isa.constant(constant(least)));
            let minus = Value::Scalar(self.isa.constant(constant(minus)));
            let a = self.apply(ScalarOp::Eq, ty, &[values[0].clone(), least]);
            let b = self.apply(ScalarOp::Eq, ty, &[values[1].clone(), minus]);
            let over = self.apply(ScalarOp::And, ScalarType::Bool, &[a, b]);
            let operands: Vec<_> = match (&values[0], &values[1]) {
                (Value::Scalar(a), Value::Scalar(b)) => vec![(ty, *a), (ty, *b)],
                _ => vec![],
            };
            let fault = match op {
                ScalarOp::Rem => Fault::RemainderOverflow,
                _ => Fault::DivideOverflow,
            };
            self.fail_value(&over, &fault, &operands, place);
        }
        let masked = self.lanes.as_ref().is_some_and(|l| l.mask.is_some());
        // A divisor that all lanes share has been tested; only `MIN / -1` could still trap on an inactive lane.
        if masked && (varying(&values[1]) || signed && varying(&values[0])) {
            let one = Value::Scalar(self.isa.constant(constant(1)));
            values[1] = self.where_active(ty, &values[1].clone(), &one);
        }
        values
    }

    fn fail_value(
        &mut self,
        bad: &Value,
        fault: &Fault,
        operands: &[(ScalarType, crate::isa::Reg)],
        place: Place,
    ) {
        let any = match bad {
            Value::Scalar(bad) => *bad,
            bad => self.any_active(bad),
        };
        self.fail_if(any, fault, operands, place);
    }

    /// A row on values; integer divisions are safe.
    pub(crate) fn apply(&mut self, op: ScalarOp, ty: ScalarType, values: &[Value]) -> Value {
        let scalars: Option<Vec<_>> = values
            .iter()
            .map(|v| match v {
                Value::Scalar(reg) => Some(*reg),
                _ => None,
            })
            .collect();
        match scalars {
            Some(regs) => Value::Scalar(self.isa.op(op, ty, &regs)),
            None => self.apply_lanes(op, ty, values),
        }
    }

    /// Rust's `as`.
    pub(crate) fn convert(&mut self, from: ScalarType, to: ScalarType, value: Value) -> Value {
        match value {
            Value::Scalar(reg) => Value::Scalar(self.isa.cast(from, to, reg)),
            // A step survives where both wrap alike: among integers that do not grow.
            Value::Affine { base, step } if to.is_integer() && to.bits() <= from.bits() => {
                Value::Affine {
                    base: self.isa.cast(from, to, base),
                    step,
                }
            }
            value => self.convert_lanes(from, to, value),
        }
    }

    fn reinterpret(&mut self, from: ScalarType, to: ScalarType, value: Value) -> Value {
        match value {
            Value::Scalar(reg) => Value::Scalar(self.isa.bits(from, to, reg)),
            Value::Affine { base, step } if to.is_integer() && unsigned(from) == unsigned(to) => {
                Value::Affine {
                    base: self.isa.bits(from, to, base),
                    step,
                }
            }
            value => {
                let regs = self.pack(&value, from);
                Value::Pack(
                    regs.into_iter()
                        .map(|r| self.isa.view(from, to, r))
                        .collect(),
                )
            }
        }
    }
}
