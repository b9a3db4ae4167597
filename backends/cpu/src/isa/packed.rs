//! Vector rows of the table in Cranelift, on registers of 128 bits.

use super::cranelift::{Cranelift, mask_type, memory, reg, scalar_type, value, vector_type};
use super::product::integer;
use super::scalar::{compares, float_condition, int_condition};
use super::{Reg, Simd};
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::V128Imm;
use cranelift_codegen::ir::{
    ConstantData, Endianness, InstBuilder, MemFlagsData, Type, Value, types,
};
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{ScalarOp, ScalarType};

fn flags() -> MemFlagsData {
    MemFlagsData::new().with_endianness(Endianness::Little)
}

impl Cranelift<'_> {
    fn as_type(&mut self, to: Type, v: Value) -> Value {
        if self.build.func.dfg.value_type(v) == to {
            return v;
        }
        self.build.ins().bitcast(to, flags(), v)
    }

    fn shuffled(&mut self, a: Value, b: Value, bytes: &[u8]) -> Value {
        let (a, b) = (self.as_type(types::I8X16, a), self.as_type(types::I8X16, b));
        let mask = self
            .build
            .func
            .dfg
            .immediates
            .push(ConstantData::from(bytes));
        self.build.ins().shuffle(a, b, mask)
    }

    /// The even (`odd = 0`) or odd lanes of `size` bytes of `a ++ b`.
    fn halves(&mut self, size: usize, odd: usize, a: Value, b: Value) -> Value {
        let bytes: Vec<u8> = (0..16)
            .map(|i| (i / size * 2 * size + odd * size + i % size) as u8)
            .collect();
        self.shuffled(a, b, &bytes)
    }

    fn widen(&mut self, signed: bool, v: Value) -> [Value; 2] {
        if signed {
            [
                self.build.ins().swiden_low(v),
                self.build.ins().swiden_high(v),
            ]
        } else {
            [
                self.build.ins().uwiden_low(v),
                self.build.ins().uwiden_high(v),
            ]
        }
    }

    /// Integers of `from` bytes as integers of `to` bytes: extended or cut.
    fn resize(
        &mut self,
        signed: bool,
        from: usize,
        to: usize,
        count: usize,
        regs: Vec<Value>,
    ) -> Vec<Value> {
        let (mut size, mut regs) = (from, regs);
        while size < to {
            let needed = (count * size * 2).div_ceil(16);
            let mut wide = Vec::with_capacity(regs.len() * 2);
            for v in regs {
                let v = self.as_type(mask_type(size), v);
                wide.extend(self.widen(signed, v));
            }
            wide.truncate(needed);
            regs = wide;
            size *= 2;
        }
        while size > to {
            let half = size / 2;
            regs = regs
                .chunks(2)
                .map(|pair| {
                    let (a, b) = (pair[0], *pair.last().expect("a chunk is not empty"));
                    match (self.shifted.get(&a), self.shifted.get(&b)) {
                        (Some(&(a, own)), Some(&(b, other))) if own == half && other == half => {
                            self.halves(half, 1, a, b)
                        }
                        _ => self.halves(half, 0, a, b),
                    }
                })
                .collect();
            size = half;
        }
        regs.into_iter()
            .map(|v| self.as_type(mask_type(to), v))
            .collect()
    }

    fn float_packed(&mut self, op: ScalarOp, ty: ScalarType, v: &[Value]) -> Option<Value> {
        let clif = vector_type(ty);
        let int = mask_type(ty.bytes());
        let b = &mut self.build;
        Some(match op {
            ScalarOp::Add => b.ins().fadd(v[0], v[1]),
            ScalarOp::Sub => b.ins().fsub(v[0], v[1]),
            ScalarOp::Mul => b.ins().fmul(v[0], v[1]),
            ScalarOp::Div => b.ins().fdiv(v[0], v[1]),
            ScalarOp::Neg => b.ins().fneg(v[0]),
            ScalarOp::Abs => b.ins().fabs(v[0]),
            ScalarOp::Fma => b.ins().fma(v[0], v[1], v[2]),
            ScalarOp::Sqrt => b.ins().sqrt(v[0]),
            ScalarOp::Floor => b.ins().floor(v[0]),
            ScalarOp::Ceil => b.ins().ceil(v[0]),
            ScalarOp::Trunc => b.ins().trunc(v[0]),
            ScalarOp::Nearest => b.ins().nearest(v[0]),
            ScalarOp::Min | ScalarOp::Max => {
                let least = op == ScalarOp::Min;
                let strict = if least {
                    FloatCC::LessThan
                } else {
                    FloatCC::GreaterThan
                };
                let first = b.ins().fcmp(strict, v[0], v[1]);
                let equal = b.ins().fcmp(FloatCC::Equal, v[0], v[1]);
                let nan = b.ins().fcmp(FloatCC::NotEqual, v[1], v[1]);
                let (x, y) = (self.as_type(int, v[0]), self.as_type(int, v[1]));
                let b = &mut self.build;
                let picked = b.ins().bitselect(first, x, y);
                let joined = if least {
                    b.ins().bor(x, y)
                } else {
                    b.ins().band(x, y)
                };
                let both = b.ins().bitselect(equal, joined, picked);
                let bits = b.ins().bitselect(nan, x, both);
                self.as_type(clif, bits)
            }
            ScalarOp::Copysign | ScalarOp::Round => {
                let sign = self.sign_mask(ty);
                if op == ScalarOp::Copysign {
                    let (x, y) = (self.as_type(int, v[0]), self.as_type(int, v[1]));
                    let bits = self.build.ins().bitselect(sign, y, x);
                    return Some(self.as_type(clif, bits));
                }
                let b = &mut self.build;
                let whole = b.ins().trunc(v[0]);
                let rest = b.ins().fsub(v[0], whole);
                let rest = b.ins().fabs(rest);
                let (half, one) = match ty {
                    ScalarType::F32 => (b.ins().f32const(0.5), b.ins().f32const(1.0)),
                    _ => (b.ins().f64const(0.5), b.ins().f64const(1.0)),
                };
                let (half, one) = (b.ins().splat(clif, half), b.ins().splat(clif, one));
                let away = b.ins().fcmp(FloatCC::GreaterThanOrEqual, rest, half);
                let (one, away) = (self.as_type(int, one), self.as_type(int, away));
                let step = self.build.ins().band(one, away);
                let value = self.as_type(int, v[0]);
                let step = self.build.ins().bitselect(sign, value, step);
                let step = self.as_type(clif, step);
                let rounded = self.build.ins().fadd(whole, step);
                let rounded = self.as_type(int, rounded);
                let bits = self.build.ins().bitselect(sign, value, rounded);
                self.as_type(clif, bits)
            }
            _ => return None,
        })
    }

    fn sign_mask(&mut self, ty: ScalarType) -> Value {
        let size = ty.bytes();
        let bits = vec![1u64 << (size * 8 - 1); 16 / size];
        let unsigned = if size == 4 {
            ScalarType::U32
        } else {
            ScalarType::U64
        };
        value(self.lanes(unsigned, &bits))
    }

    fn integer_packed(&mut self, op: ScalarOp, ty: ScalarType, v: &[Value]) -> Option<Value> {
        let clif = vector_type(ty);
        let signed = ty.class() == Class::Signed;
        let b = &mut self.build;
        Some(match op {
            ScalarOp::Add => b.ins().iadd(v[0], v[1]),
            ScalarOp::Sub => b.ins().isub(v[0], v[1]),
            ScalarOp::Mul if ty.bytes() == 1 => {
                let mut products = vec![];
                let (x, y) = (self.widen(false, v[0]), self.widen(false, v[1]));
                for (x, y) in x.into_iter().zip(y) {
                    products.push(self.build.ins().imul(x, y));
                }
                let low = self.halves(1, 0, products[0], products[1]);
                self.as_type(clif, low)
            }
            ScalarOp::Mul if ty.bytes() == 8 => self.long_product(v[0], v[1]),
            ScalarOp::Mul => b.ins().imul(v[0], v[1]),
            ScalarOp::MulHigh if ty.bytes() < 8 => {
                let (x, y) = (self.widen(signed, v[0]), self.widen(signed, v[1]));
                let low = self.build.ins().imul(x[0], y[0]);
                let high = self.build.ins().imul(x[1], y[1]);
                let upper = self.halves(ty.bytes(), 1, low, high);
                self.as_type(clif, upper)
            }
            ScalarOp::Neg => b.ins().ineg(v[0]),
            ScalarOp::Abs => b.ins().iabs(v[0]),
            ScalarOp::Min | ScalarOp::Max if ty.bytes() == 8 => {
                let pick = if op == ScalarOp::Min {
                    ScalarOp::Lt
                } else {
                    ScalarOp::Gt
                };
                let first = b.ins().icmp(int_condition(pick, signed), v[0], v[1]);
                b.ins().bitselect(first, v[0], v[1])
            }
            ScalarOp::Min if signed => b.ins().smin(v[0], v[1]),
            ScalarOp::Min => b.ins().umin(v[0], v[1]),
            ScalarOp::Max if signed => b.ins().smax(v[0], v[1]),
            ScalarOp::Max => b.ins().umax(v[0], v[1]),
            ScalarOp::And => b.ins().band(v[0], v[1]),
            ScalarOp::Or => b.ins().bor(v[0], v[1]),
            ScalarOp::Xor => b.ins().bxor(v[0], v[1]),
            ScalarOp::Not => b.ins().bnot(v[0]),
            _ => return None,
        })
    }

    /// Integers of 4 bytes in the low halves of the results of `f`, joined.
    fn to_float(
        &mut self,
        from: ScalarType,
        to: ScalarType,
        count: usize,
        regs: Vec<Value>,
    ) -> Option<Vec<Value>> {
        let signed = from.class() == Class::Signed;
        let wide = vector_type(to);
        if from.bytes() == 8 {
            if to != ScalarType::F64 {
                return None;
            }
            return Some(
                regs.into_iter()
                    .map(|v| match signed {
                        true => self.build.ins().fcvt_from_sint(wide, v),
                        false => self.build.ins().fcvt_from_uint(wide, v),
                    })
                    .collect(),
            );
        }
        // Narrow unsigned integers fit a wider signed one.
        let exact_signed = signed || from.bytes() < 4;
        let words = self.resize(signed, from.bytes(), 4, count, regs);
        if to == ScalarType::F32 {
            return Some(
                words
                    .into_iter()
                    .map(|v| match exact_signed {
                        true => self.build.ins().fcvt_from_sint(wide, v),
                        false => self.build.ins().fcvt_from_uint(wide, v),
                    })
                    .collect(),
            );
        }
        let mut out = vec![];
        for v in words {
            let upper = self.upper(v);
            for half in [v, upper] {
                let half = self.as_type(types::I32X4, half);
                let long = match exact_signed {
                    true => self.build.ins().swiden_low(half),
                    false => self.build.ins().uwiden_low(half),
                };
                out.push(match exact_signed {
                    true => self.build.ins().fcvt_from_sint(types::F64X2, long),
                    false => self.build.ins().fcvt_from_uint(types::F64X2, long),
                });
            }
        }
        out.truncate((count * 8).div_ceil(16));
        Some(out)
    }

    /// The upper half in the place of the lower.
    fn upper(&mut self, v: Value) -> Value {
        let bytes: Vec<u8> = (8..16).chain(8..16).collect();
        self.shuffled(v, v, &bytes)
    }
}

impl Simd for Cranelift<'_> {
    fn splat(&mut self, ty: ScalarType, scalar: Reg) -> Reg {
        reg(self.build.ins().splat(vector_type(ty), value(scalar)))
    }

    fn lanes(&mut self, ty: ScalarType, bits: &[u64]) -> Reg {
        let size = ty.bytes();
        let mut bytes = [0; 16];
        for (chunk, bits) in bytes.chunks_mut(size).zip(bits) {
            chunk.copy_from_slice(&bits.to_le_bytes()[..size]);
        }
        let handle = self.build.func.dfg.constants.insert(V128Imm(bytes).into());
        reg(self.build.ins().vconst(vector_type(ty), handle))
    }

    fn packed(&mut self, op: ScalarOp, ty: ScalarType, operands: &[Reg]) -> Option<Reg> {
        let v: Vec<Value> = operands.iter().map(|&r| value(r)).collect();
        match ty.class() {
            Class::Float => self.float_packed(op, ty, &v),
            _ => self.integer_packed(op, ty, &v),
        }
        .map(reg)
    }

    fn shift(&mut self, op: ScalarOp, ty: ScalarType, v: Reg, amount: Reg) -> Option<Reg> {
        let bits = ty.bits();
        let signed = ty.class() == Class::Signed;
        let b = &mut self.build;
        let amount = super::scalar::amount(b, value(amount), ty);
        let amount = match scalar_type(ty) {
            types::I32 => amount,
            types::I64 => b.ins().ireduce(types::I32, amount),
            _ => b.ins().uextend(types::I32, amount),
        };
        let v = value(v);
        let half = ty.bytes() / 2;
        let by_half = integer(b.func, amount) == Some(half as u64 * 8);
        Some(reg(match op {
            ScalarOp::Shl => b.ins().ishl(v, amount),
            ScalarOp::Shr => {
                let down = match signed {
                    true => b.ins().sshr(v, amount),
                    false => b.ins().ushr(v, amount),
                };
                if by_half {
                    self.shifted.insert(down, (v, half));
                }
                down
            }
            ScalarOp::RotateLeft => {
                let left = b.ins().ishl(v, amount);
                let width = b.ins().iconst(types::I32, i64::from(bits));
                let back = b.ins().isub(width, amount);
                let mask = b.ins().iconst(types::I32, i64::from(bits - 1));
                let back = b.ins().band(back, mask);
                let right = b.ins().ushr(v, back);
                b.ins().bor(left, right)
            }
            _ => return None,
        }))
    }

    fn compare(&mut self, op: ScalarOp, ty: ScalarType, a: Reg, b: Reg) -> Reg {
        debug_assert!(compares(op));
        let (a, b) = (value(a), value(b));
        reg(match ty.class() {
            Class::Float => self.build.ins().fcmp(float_condition(op), a, b),
            class => self
                .build
                .ins()
                .icmp(int_condition(op, class == Class::Signed), a, b),
        })
    }

    fn select(&mut self, ty: ScalarType, mask: Reg, a: Reg, b: Reg) -> Reg {
        let int = mask_type(ty.bytes());
        let (a, b) = (self.as_type(int, value(a)), self.as_type(int, value(b)));
        let picked = self.build.ins().bitselect(value(mask), a, b);
        reg(self.as_type(vector_type(ty), picked))
    }

    fn convert(
        &mut self,
        from: ScalarType,
        to: ScalarType,
        count: usize,
        regs: &[Reg],
    ) -> Option<Vec<Reg>> {
        let values: Vec<Value> = regs.iter().map(|&r| value(r)).collect();
        let signed = from.class() == Class::Signed;
        let out = match (from.is_float(), to.is_float()) {
            (false, false) => self.resize(signed, from.bytes(), to.bytes(), count, values),
            (false, true) => self.to_float(from, to, count, values)?,
            (true, true) if to == ScalarType::F64 => {
                let mut out = vec![];
                for v in values {
                    let upper = self.upper(v);
                    let upper = self.as_type(types::F32X4, upper);
                    out.push(self.build.ins().fvpromote_low(v));
                    out.push(self.build.ins().fvpromote_low(upper));
                }
                out.truncate((count * 8).div_ceil(16));
                out
            }
            (true, true) => {
                let mut out = vec![];
                for pair in values.chunks(2) {
                    let halves: Vec<Value> =
                        pair.iter().map(|&v| self.build.ins().fvdemote(v)).collect();
                    let bytes: Vec<u8> = (0..8).chain(16..24).collect();
                    let joined = self.shuffled(
                        halves[0],
                        *halves.last().expect("a chunk is not empty"),
                        &bytes,
                    );
                    out.push(self.as_type(types::F32X4, joined));
                }
                out
            }
            (true, false) if from == ScalarType::F32 && to.bytes() == 4 => values
                .into_iter()
                .map(|v| match to {
                    ScalarType::I32 => self.build.ins().fcvt_to_sint_sat(types::I32X4, v),
                    _ => self.build.ins().fcvt_to_uint_sat(types::I32X4, v),
                })
                .collect(),
            (true, false) => return None,
        };
        Some(out.into_iter().map(reg).collect())
    }

    fn view(&mut self, _: ScalarType, to: ScalarType, v: Reg) -> Reg {
        reg(self.as_type(vector_type(to), value(v)))
    }

    fn extract(&mut self, _: ScalarType, v: Reg, lane: usize) -> Reg {
        reg(self.build.ins().extractlane(value(v), lane as u8))
    }

    fn insert(&mut self, _: ScalarType, v: Reg, lane: usize, scalar: Reg) -> Reg {
        reg(self
            .build
            .ins()
            .insertlane(value(v), value(scalar), lane as u8))
    }

    fn vload(&mut self, ty: ScalarType, bytes: usize, address: Reg, offset: i32) -> Reg {
        if bytes >= 16 {
            return reg(self
                .build
                .ins()
                .load(vector_type(ty), memory(), value(address), offset));
        }
        let word = Type::int(bytes as u16 * 8).expect("a power of two");
        let scalar = self
            .build
            .ins()
            .load(word, memory(), value(address), offset);
        let vector = word.by(16 / bytes as u32).expect("128 bits");
        let whole = match bytes {
            4 | 8 => self.build.ins().scalar_to_vector(vector, scalar),
            _ => self.build.ins().splat(vector, scalar),
        };
        reg(self.as_type(vector_type(ty), whole))
    }

    fn vstore(&mut self, _: ScalarType, bytes: usize, v: Reg, address: Reg, offset: i32) {
        let mut v = value(v);
        if bytes < 16 {
            let word = mask_type(bytes);
            let whole = self.as_type(word, v);
            v = self.build.ins().extractlane(whole, 0);
        }
        self.build.ins().store(memory(), v, value(address), offset);
    }

    fn shuffle(&mut self, ty: ScalarType, a: Reg, b: Reg, bytes: &[u8]) -> Reg {
        let out = self.shuffled(value(a), value(b), bytes);
        reg(self.as_type(vector_type(ty), out))
    }

    fn swizzle(&mut self, ty: ScalarType, a: Reg, at: Reg) -> Reg {
        let (a, at) = (
            self.as_type(types::I8X16, value(a)),
            self.as_type(types::I8X16, value(at)),
        );
        let out = self.build.ins().swizzle(a, at);
        reg(self.as_type(vector_type(ty), out))
    }

    fn mask_op(&mut self, op: ScalarOp, a: Reg, b: Reg) -> Reg {
        let (a, b) = (value(a), value(b));
        reg(match op {
            ScalarOp::And => self.build.ins().band(a, b),
            ScalarOp::Or => self.build.ins().bor(a, b),
            _ => self.build.ins().bxor(a, b),
        })
    }

    fn mask_not(&mut self, a: Reg) -> Reg {
        reg(self.build.ins().bnot(value(a)))
    }

    fn mask_convert(&mut self, from: usize, to: usize, count: usize, regs: &[Reg]) -> Vec<Reg> {
        let values = regs.iter().map(|&r| value(r)).collect();
        self.resize(true, from, to, count, values)
            .into_iter()
            .map(reg)
            .collect()
    }

    fn mask_view(&mut self, size: usize, v: Reg) -> Reg {
        reg(self.as_type(mask_type(size), value(v)))
    }

    fn mask_bits(&mut self, size: usize, mask: Reg) -> Reg {
        let _ = size;
        reg(self.build.ins().vhigh_bits(types::I32, value(mask)))
    }
}
