//! Values that differ by lane: registers full of lanes, masks, and bases with a step.

use super::{Emit, Value};
use crate::isa::{Reg, Simd};
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{Atom, Const, ScalarOp, ScalarType};

/// Whether the row compares.
fn compares(op: ScalarOp) -> bool {
    use ScalarOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge)
}

impl<I: Simd> Emit<'_, I> {
    pub(crate) fn lane_count(&self) -> usize {
        self.lanes.as_ref().expect("lanes").count
    }

    /// How many registers hold the lanes of values of `size` bytes.
    pub(crate) fn registers(&self, size: usize) -> usize {
        (self.lane_count() * size).div_ceil(self.isa.bytes())
    }

    /// The value as registers full of lanes; not for `bool`.
    pub(crate) fn pack(&mut self, value: &Value, ty: ScalarType) -> Vec<Reg> {
        let count = self.registers(ty.bytes());
        match value {
            Value::Pack(regs) => regs.clone(),
            Value::Scalar(reg) => vec![self.isa.splat(ty, *reg); count],
            Value::Affine { base, step } => {
                let base = self.isa.splat(ty, *base);
                let per = self.isa.bytes() / ty.bytes();
                (0..count)
                    .map(|r| {
                        let bits: Vec<u64> = (0..per)
                            .map(|l| ((r * per + l) as i64).wrapping_mul(*step) as u64)
                            .collect();
                        let steps = self.isa.lanes(ty, &bits);
                        self.isa
                            .packed(ScalarOp::Add, ty, &[base, steps])
                            .expect("integers add")
                    })
                    .collect()
            }
            other => unreachable!("no lanes of {ty}: {other:?}"),
        }
    }

    /// A truth value as masks with lanes of `size` bytes.
    pub(crate) fn mask(&mut self, value: &Value, size: usize) -> Vec<Reg> {
        match value {
            Value::Mask { size: own, regs } if *own == size => regs.clone(),
            Value::Mask { size: own, regs } => {
                let count = self.lane_count();
                self.isa.mask_convert(*own, size, count, regs)
            }
            Value::Scalar(reg) => {
                let ty = sized(size);
                let wide = self.isa.cast(ScalarType::Bool, ty, *reg);
                let ones = self.isa.op(ScalarOp::Neg, ty, &[wide]);
                let splat = self.isa.splat(ty, ones);
                let mask = self.isa.mask_view(size, splat);
                vec![mask; self.registers(size)]
            }
            other => unreachable!("no truth: {other:?}"),
        }
    }

    /// A scalar `bool`: whether a lane is active.
    pub(crate) fn any(&mut self) -> Reg {
        match self.lanes.as_ref().expect("lanes").mask.clone() {
            None => self.isa.constant(Const::bool(true)),
            Some((size, regs)) => self.any_of(size, &regs),
        }
    }

    fn any_of(&mut self, size: usize, regs: &[Reg]) -> Reg {
        let filled = (self.lane_count() * size).min(self.isa.bytes()) / size;
        let mut joined = regs[0];
        for &reg in &regs[1..] {
            joined = self.isa.mask_op(ScalarOp::Or, joined, reg);
        }
        let mut bits = self.isa.mask_bits(size, joined);
        if filled * size < self.isa.bytes() {
            let valid = self.isa.constant(Const::u32((1 << filled) - 1));
            bits = self.isa.op(ScalarOp::And, ScalarType::U32, &[bits, valid]);
        }
        let zero = self.isa.constant(Const::u32(0));
        self.isa.op(ScalarOp::Ne, ScalarType::U32, &[bits, zero])
    }

    /// A scalar `bool`: whether it is true on an active lane.
    pub(crate) fn any_active(&mut self, value: &Value) -> Reg {
        let size = match value {
            Value::Mask { size, .. } => *size,
            Value::Scalar(reg) => return *reg,
            other => unreachable!("no truth: {other:?}"),
        };
        let mut regs = self.mask(value, size);
        if let Some((own, active)) = self.lanes.as_ref().expect("lanes").mask.clone() {
            let active = self.mask(
                &Value::Mask {
                    size: own,
                    regs: active,
                },
                size,
            );
            for (reg, active) in regs.iter_mut().zip(active) {
                *reg = self.isa.mask_op(ScalarOp::And, *reg, active);
            }
        }
        self.any_of(size, &regs)
    }

    /// `value` on active lanes, `other` elsewhere.
    pub(crate) fn where_active(&mut self, ty: ScalarType, value: &Value, other: &Value) -> Value {
        match self.lanes.as_ref().and_then(|l| l.mask.clone()) {
            None => value.clone(),
            Some((size, regs)) => self.apply(
                ScalarOp::Select,
                ty,
                &[Value::Mask { size, regs }, value.clone(), other.clone()],
            ),
        }
    }

    /// The lanes, zero where they are not active.
    pub(crate) fn only_active(&mut self, ty: ScalarType, regs: Vec<Reg>) -> Vec<Reg> {
        let zero = Value::Scalar(self.isa.constant(Const { ty, bits: 0 }));
        let value = self.where_active(ty, &Value::Pack(regs), &zero);
        self.pack(&value, ty)
    }

    /// Runs this group in scalar form where the condition is true.
    pub(crate) fn bail_if(&mut self, cond: Reg) {
        let (to, args) = self.lanes.as_ref().expect("lanes").bail.clone();
        let next = self.isa.label(&[]);
        self.isa.branch(cond, (to, &args), (next, &[]));
        self.isa.enter(next);
    }

    /// Rows on values with a base and a step that keep such a form, or agree on all lanes.
    pub(crate) fn affine(
        &mut self,
        op: ScalarOp,
        ty: ScalarType,
        atoms: &[Atom],
        values: &[Value],
    ) -> Option<Value> {
        use Value::{Affine, Scalar};
        if values.len() != 2 {
            return None;
        }
        let lanes = self.lanes.as_ref().expect("lanes");
        let mut settled = lanes.settled.iter();
        if let Some((_, _, answer)) = settled.find(|known| known.0 == op && known.1 == *atoms) {
            return Some(Scalar(*answer));
        }
        let constant = |k: usize| atoms[k].as_const().map(|c| c.bits as i64);
        match (op, &values[0], &values[1]) {
            (
                ScalarOp::Add | ScalarOp::Sub,
                Affine { base: a, step: s },
                Affine { base: b, step: t },
            ) => {
                let base = self.isa.op(op, ty, &[*a, *b]);
                let step = if op == ScalarOp::Add {
                    s.wrapping_add(*t)
                } else {
                    s.wrapping_sub(*t)
                };
                Some(if step == 0 {
                    Scalar(base)
                } else {
                    Affine { base, step }
                })
            }
            (ScalarOp::Add | ScalarOp::Sub, Affine { base, step }, Scalar(b)) => Some(Affine {
                base: self.isa.op(op, ty, &[*base, *b]),
                step: *step,
            }),
            (ScalarOp::Add, Scalar(a), Affine { base, step }) => Some(Affine {
                base: self.isa.op(op, ty, &[*a, *base]),
                step: *step,
            }),
            (ScalarOp::Sub, Scalar(a), Affine { base, step }) => Some(Affine {
                base: self.isa.op(op, ty, &[*a, *base]),
                step: step.wrapping_neg(),
            }),
            (ScalarOp::Mul, Affine { base, step }, Scalar(by)) => Some(Affine {
                base: self.isa.op(op, ty, &[*base, *by]),
                step: step.wrapping_mul(constant(1)?),
            }),
            (ScalarOp::Mul, Scalar(by), Affine { base, step }) => Some(Affine {
                base: self.isa.op(op, ty, &[*base, *by]),
                step: step.wrapping_mul(constant(0)?),
            }),
            (ScalarOp::Shl, Affine { base, step }, Scalar(by)) => {
                let amount = constant(1)? as u32 % ty.bits();
                Some(Affine {
                    base: self.isa.op(op, ty, &[*base, *by]),
                    step: step.wrapping_shl(amount),
                })
            }
            (ScalarOp::Div | ScalarOp::Rem, Affine { base, step }, Scalar(by))
                if ty.class() == Class::Unsigned && *step > 0 && self.agrees(atoms[1]) =>
            {
                let last = self.last(ty, *base, *step);
                let wrapped = self.isa.op(ScalarOp::Lt, ty, &[last, *base]);
                let first = self.isa.op(ScalarOp::Div, ty, &[*base, *by]);
                let end = self.isa.op(ScalarOp::Div, ty, &[last, *by]);
                let differ = self.isa.op(ScalarOp::Ne, ty, &[first, end]);
                let bad = self
                    .isa
                    .op(ScalarOp::Or, ScalarType::Bool, &[wrapped, differ]);
                self.bail_if(bad);
                Some(if op == ScalarOp::Div {
                    Scalar(first)
                } else {
                    Affine {
                        base: self.isa.op(ScalarOp::Rem, ty, &[*base, *by]),
                        step: *step,
                    }
                })
            }
            (_, Affine { base, step }, Scalar(with)) if compares(op) && self.agrees(atoms[1]) => {
                self.agreed(op, ty, *base, *step, *with, false)
            }
            (_, Scalar(with), Affine { base, step }) if compares(op) && self.agrees(atoms[0]) => {
                self.agreed(op, ty, *base, *step, *with, true)
            }
            _ => None,
        }
    }

    fn last(&mut self, ty: ScalarType, base: Reg, step: i64) -> Reg {
        let distance = step.wrapping_mul(self.lane_count() as i64 - 1) as u64;
        let bits = distance & (u64::MAX >> (64 - ty.bits()));
        let distance = self.isa.constant(Const { ty, bits });
        self.isa.op(ScalarOp::Add, ty, &[base, distance])
    }

    /// Whether the operand is the same in every group, so that a comparison with it differs within few groups only.
    fn agrees(&self, atom: Atom) -> bool {
        atom.as_var().is_none_or(|var| !self.plan.is_looped(var))
    }

    /// A comparison that is the same for all lanes of this group; a group where it is not runs in scalar form.
    fn agreed(
        &mut self,
        op: ScalarOp,
        ty: ScalarType,
        base: Reg,
        step: i64,
        with: Reg,
        swapped: bool,
    ) -> Option<Value> {
        let last = self.last(ty, base, step);
        let on = |this: &mut Self, op, a: Reg| {
            let (x, y) = if swapped { (with, a) } else { (a, with) };
            this.isa.op(op, ty, &[x, y])
        };
        // Between the ends the order decides; it wraps at most once in a group, and then the group is scalar too.
        let ordered = if step < 0 { (last, base) } else { (base, last) };
        let wraps = self.isa.op(ScalarOp::Gt, ty, &[ordered.0, ordered.1]);
        let differ = if matches!(op, ScalarOp::Eq | ScalarOp::Ne) {
            let below = self.isa.op(ScalarOp::Le, ty, &[ordered.0, with]);
            let above = self.isa.op(ScalarOp::Ge, ty, &[ordered.1, with]);
            self.isa
                .op(ScalarOp::And, ScalarType::Bool, &[below, above])
        } else {
            let first = on(self, op, base);
            let end = on(self, op, last);
            self.isa.op(ScalarOp::Ne, ScalarType::Bool, &[first, end])
        };
        let bad = self
            .isa
            .op(ScalarOp::Or, ScalarType::Bool, &[wraps, differ]);
        self.bail_if(bad);
        Some(Value::Scalar(on(self, op, base)))
    }

    /// A row where some operand differs by lane.
    pub(crate) fn apply_lanes(&mut self, op: ScalarOp, ty: ScalarType, values: &[Value]) -> Value {
        if ty == ScalarType::Bool {
            return self.truth(op, values);
        }
        if op == ScalarOp::Select {
            let masks = match &values[0] {
                Value::Scalar(cond) => return self.choose(ty, *cond, &values[1], &values[2]),
                mask => self.mask(mask, ty.bytes()),
            };
            let (a, b) = (self.pack(&values[1], ty), self.pack(&values[2], ty));
            let regs = masks.iter().zip(a.iter().zip(&b));
            let regs: Vec<_> = regs
                .map(|(&m, (&a, &b))| self.isa.select(ty, m, a, b))
                .collect();
            return Value::Pack(regs);
        }
        if matches!(op, ScalarOp::Shl | ScalarOp::Shr | ScalarOp::RotateLeft)
            && let Value::Scalar(amount) = values[1]
        {
            let regs = self.pack(&values[0], ty);
            let shifted: Option<Vec<_>> = regs
                .iter()
                .map(|&r| self.isa.shift(op, ty, r, amount))
                .collect();
            if let Some(regs) = shifted {
                return Value::Pack(regs);
            }
        }
        let operands: Vec<Vec<Reg>> = values.iter().map(|v| self.pack(v, ty)).collect();
        let count = operands[0].len();
        if compares(op) {
            let regs = (0..count).map(|r| self.isa.compare(op, ty, operands[0][r], operands[1][r]));
            return Value::Mask {
                size: ty.bytes(),
                regs: regs.collect(),
            };
        }
        let packed: Option<Vec<Reg>> = (0..count)
            .map(|r| {
                let regs: Vec<Reg> = operands.iter().map(|o| o[r]).collect();
                self.isa.packed(op, ty, &regs)
            })
            .collect();
        if let Some(regs) = packed {
            return Value::Pack(regs);
        }
        let types = vec![ty; operands.len()];
        let result = op.result(&types).expect("the program is well typed");
        self.by_lane(&types, result, &operands, |this, scalars| {
            this.isa.op(op, ty, scalars)
        })
    }

    /// Lane by lane through scalars.
    fn by_lane(
        &mut self,
        from: &[ScalarType],
        to: ScalarType,
        operands: &[Vec<Reg>],
        f: impl Fn(&mut Self, &[Reg]) -> Reg,
    ) -> Value {
        let scalars: Vec<Reg> = (0..self.lane_count())
            .map(|lane| {
                let args: Vec<Reg> = operands
                    .iter()
                    .zip(from)
                    .map(|(o, &ty)| self.lane(ty, o, lane))
                    .collect();
                f(self, &args)
            })
            .collect();
        Value::Pack(self.assemble(to, &scalars))
    }

    /// One lane.
    pub(crate) fn lane(&mut self, ty: ScalarType, regs: &[Reg], lane: usize) -> Reg {
        let per = self.isa.bytes() / ty.bytes();
        self.isa.extract(ty, regs[lane / per], lane % per)
    }

    /// Registers from scalars, one a lane.
    pub(crate) fn assemble(&mut self, ty: ScalarType, scalars: &[Reg]) -> Vec<Reg> {
        let per = self.isa.bytes() / ty.bytes();
        scalars
            .chunks(per)
            .map(|chunk| {
                let mut reg = self.isa.splat(ty, chunk[0]);
                for (lane, &scalar) in chunk.iter().enumerate().skip(1) {
                    reg = self.isa.insert(ty, reg, lane, scalar);
                }
                reg
            })
            .collect()
    }

    /// All of `a` or all of `b`.
    fn choose(&mut self, ty: ScalarType, cond: Reg, a: &Value, b: &Value) -> Value {
        let masks = self.mask(&Value::Scalar(cond), ty.bytes());
        let (a, b) = (self.pack(a, ty), self.pack(b, ty));
        let regs = masks.iter().zip(a.iter().zip(&b));
        Value::Pack(
            regs.map(|(&m, (&a, &b))| self.isa.select(ty, m, a, b))
                .collect(),
        )
    }

    /// A row on truth values.
    fn truth(&mut self, op: ScalarOp, values: &[Value]) -> Value {
        let size = values
            .iter()
            .find_map(|v| match v {
                Value::Mask { size, .. } => Some(*size),
                _ => None,
            })
            .expect("some operand differs by lane");
        let m: Vec<Vec<Reg>> = values.iter().map(|v| self.mask(v, size)).collect();
        let regs = (0..m[0].len()).map(|r| {
            let isa = &mut self.isa;
            let both = |isa: &mut I, op| isa.mask_op(op, m[0][r], m[1][r]);
            match op {
                ScalarOp::And | ScalarOp::Min => both(isa, ScalarOp::And),
                ScalarOp::Or | ScalarOp::Max => both(isa, ScalarOp::Or),
                ScalarOp::Xor | ScalarOp::Ne => both(isa, ScalarOp::Xor),
                ScalarOp::Not => isa.mask_not(m[0][r]),
                ScalarOp::Eq => {
                    let differ = both(isa, ScalarOp::Xor);
                    isa.mask_not(differ)
                }
                ScalarOp::Lt | ScalarOp::Ge => {
                    let not = isa.mask_not(m[0][r]);
                    let less = isa.mask_op(ScalarOp::And, not, m[1][r]);
                    if op == ScalarOp::Lt {
                        less
                    } else {
                        isa.mask_not(less)
                    }
                }
                ScalarOp::Gt | ScalarOp::Le => {
                    let not = isa.mask_not(m[1][r]);
                    let more = isa.mask_op(ScalarOp::And, m[0][r], not);
                    if op == ScalarOp::Gt {
                        more
                    } else {
                        isa.mask_not(more)
                    }
                }
                ScalarOp::Select => {
                    let yes = isa.mask_op(ScalarOp::And, m[0][r], m[1][r]);
                    let not = isa.mask_not(m[0][r]);
                    let no = isa.mask_op(ScalarOp::And, not, m[2][r]);
                    isa.mask_op(ScalarOp::Or, yes, no)
                }
                other => unreachable!("the verifier admits no {} on bool", other.name()),
            }
        });
        let regs = regs.collect();
        Value::Mask { size, regs }
    }

    /// Rust's `as` where the operand differs by lane.
    pub(crate) fn convert_lanes(
        &mut self,
        from: ScalarType,
        to: ScalarType,
        value: Value,
    ) -> Value {
        if let Value::Mask { .. } = value {
            return self.from_mask(to, &value);
        }
        if to == ScalarType::Bool {
            let zero = Value::Scalar(self.isa.constant(Const { ty: from, bits: 0 }));
            return self.apply(ScalarOp::Ne, from, &[value, zero]);
        }
        if let Value::Affine { base, step } = value
            && to.is_float()
            && from.bytes() == 8
            && step.unsigned_abs() < 1 << 16
        {
            return self.counter_to_float(from, to, base, step);
        }
        let regs = self.pack(&value, from);
        let count = self.lane_count();
        match self.isa.convert(from, to, count, &regs) {
            Some(regs) => Value::Pack(regs),
            None => self.by_lane(&[from], to, &[regs], |this, scalars| {
                this.isa.cast(from, to, scalars[0])
            }),
        }
    }

    /// A counter below 2^31 goes through 32-bit integers; another group runs in scalar form.
    fn counter_to_float(
        &mut self,
        from: ScalarType,
        to: ScalarType,
        base: Reg,
        step: i64,
    ) -> Value {
        let base = self.isa.bits(from, ScalarType::U64, base);
        let last = self.last(ScalarType::U64, base, step);
        let limit = self.word(1 << 31);
        let low = self.word_op(ScalarOp::Ge, base, limit);
        let high = self.word_op(ScalarOp::Ge, last, limit);
        let bad = self.isa.op(ScalarOp::Or, ScalarType::Bool, &[low, high]);
        self.bail_if(bad);
        let base = self.isa.cast(ScalarType::U64, ScalarType::I32, base);
        let regs = self.pack(&Value::Affine { base, step }, ScalarType::I32);
        let count = self.lane_count();
        let regs = self.isa.convert(ScalarType::I32, to, count, &regs);
        Value::Pack(regs.expect("32-bit integers become floats"))
    }

    /// Truth as 1 and 0 of a type.
    pub(crate) fn from_mask(&mut self, to: ScalarType, value: &Value) -> Value {
        if to == ScalarType::Bool {
            return value.clone();
        }
        let one = if to.is_float() {
            Const::f64(1.0)
        } else {
            Const::u64(1)
        };
        let ty = sized(to.bytes());
        let bits = dsl_runtime::ir::op::cast(to, one).bits;
        let one = self.isa.constant(Const { ty, bits });
        let one = self.isa.splat(ty, one);
        let one = self.isa.mask_view(to.bytes(), one);
        let masks = self.mask(value, to.bytes());
        let regs = masks.into_iter().map(|mask| {
            let bits = self.isa.mask_op(ScalarOp::And, mask, one);
            self.isa.view(ty, to, bits)
        });
        Value::Pack(regs.collect())
    }

    /// Elements next to each other.
    pub(crate) fn load_row(&mut self, elem: ScalarType, address: Reg) -> Value {
        let size = elem.bytes();
        let (width, total) = (self.isa.bytes(), self.lane_count() * size);
        let stored = if elem == ScalarType::Bool {
            ScalarType::U8
        } else {
            elem
        };
        let regs: Vec<Reg> = (0..total.div_ceil(width))
            .map(|r| {
                let bytes = (total - r * width).min(width);
                self.isa.vload(stored, bytes, address, (r * width) as i32)
            })
            .collect();
        self.loaded(elem, regs)
    }

    /// Elements at distances from a base, one a lane.
    pub(crate) fn gather(&mut self, elem: ScalarType, base: Reg, distances: &[Reg]) -> Value {
        let stored = if elem == ScalarType::Bool {
            ScalarType::U8
        } else {
            elem
        };
        let scalars: Vec<Reg> = (0..self.lane_count())
            .map(|lane| {
                let distance = self.lane(ScalarType::U64, distances, lane);
                let address = self.word_op(ScalarOp::Add, base, distance);
                self.isa.load(stored, address, 0)
            })
            .collect();
        let regs = self.assemble(stored, &scalars);
        self.loaded(elem, regs)
    }

    fn loaded(&mut self, elem: ScalarType, regs: Vec<Reg>) -> Value {
        if elem != ScalarType::Bool {
            return Value::Pack(regs);
        }
        let zero = Value::Scalar(self.isa.constant(Const::u8(0)));
        self.apply_lanes(ScalarOp::Ne, ScalarType::U8, &[Value::Pack(regs), zero])
    }

    /// Writes elements next to each other.
    pub(crate) fn store_row(&mut self, elem: ScalarType, value: &Value, address: Reg) {
        let (stored, regs) = match (elem, value) {
            (ScalarType::Bool, value) => {
                let masks = self.mask(value, 1);
                let one = self.isa.constant(Const::u8(1));
                let one = self.isa.splat(ScalarType::U8, one);
                let regs = masks
                    .into_iter()
                    .map(|m| self.isa.mask_op(ScalarOp::And, m, one))
                    .collect();
                (ScalarType::U8, regs)
            }
            (_, value) => (elem, self.pack(value, elem)),
        };
        let (width, total) = (self.isa.bytes(), self.lane_count() * elem.bytes());
        for (r, reg) in regs.into_iter().enumerate() {
            let bytes = (total - r * width).min(width);
            self.isa
                .vstore(stored, bytes, reg, address, (r * width) as i32);
        }
    }
}

/// How many registers hold the lanes of the widest values of a body with so many operations.
///
/// Little work leaves room for many, and hides what the loop costs. With more, the values of two registers are what fits. Much
/// more is spilled in any case, and is a chain longer than what a machine looks ahead: then it is the independent lanes
/// between two steps of the chain that keep its units busy.
pub(crate) fn registers_for(work: usize) -> usize {
    if (21..120).contains(&work) { 2 } else { 4 }
}

/// The unsigned integer of so many bytes.
pub(crate) fn sized(bytes: usize) -> ScalarType {
    match bytes {
        1 => ScalarType::U8,
        2 => ScalarType::U16,
        4 => ScalarType::U32,
        _ => ScalarType::U64,
    }
}
