//! The methods of scalars that are no row of the table of operations, written in those that are, exact to Rust's meaning.

use super::env::{FALSE, TRUE};
use super::place::element_type;
use super::value::Value;
use super::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::{self, Ty};
use crate::ir::types::Class;
use crate::ir::{Atom, Const, Fault, ScalarOp as O, ScalarType as S, op};
use crate::syntax::Scalar;
use std::rc::Rc;

/// The unsigned type of the same width.
fn unsigned(ty: S) -> S {
    match ty {
        S::I8 => S::U8,
        S::I16 => S::U16,
        S::I32 | S::F32 => S::U32,
        S::I64 | S::F64 => S::U64,
        other => other,
    }
}

/// The signed type of the same width.
fn signed(ty: S) -> S {
    match ty {
        S::U8 => S::I8,
        S::U16 => S::I16,
        S::U32 => S::I32,
        S::U64 => S::I64,
        other => other,
    }
}

fn all_ones(ty: S) -> u64 {
    u64::MAX >> (64 - ty.bits())
}

/// The largest and the smallest value of an integer type.
fn limits(ty: S) -> [Const; 2] {
    let (max, min) = match ty.class() {
        Class::Signed => (all_ones(ty) >> 1, 1 << (ty.bits() - 1)),
        _ => (all_ones(ty), 0),
    };
    [max, min].map(|bits| Const { ty, bits })
}

/// A small number in a scalar type.
fn small(ty: S, value: i64) -> Atom {
    op::cast(ty, Const::i64(value)).into()
}

/// A float constant, rounded once.
fn real(ty: S, double: f64, single: f32) -> Atom {
    match ty {
        S::F32 => Const::f32(single).into(),
        _ => Const::f64(double).into(),
    }
}

/// A short notation for operations in a row.
impl Lower {
    fn f1(&mut self, op: O, a: Atom) -> Atom {
        self.op(op, &[a])
    }
    fn f2(&mut self, op: O, a: Atom, b: Atom) -> Atom {
        self.op(op, &[a, b])
    }
    fn pick(&mut self, cond: Atom, a: Atom, b: Atom) -> Atom {
        self.op(O::Select, &[cond, a, b])
    }

    /// A method of a scalar.
    pub(super) fn scalar_method(
        &mut self,
        method: Method,
        (receiver, scalar): (&Value, Scalar),
        args: &[Value],
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        use Method as M;
        let own = Ty::Scalar(scalar);
        let x = self.atom(receiver, &own)?;
        if let M::Then = method {
            let ty = element_type(result);
            return self.optional(x, &ty, |lower| lower.apply(&args[0], vec![]));
        }
        if let M::ThenSome = method {
            return Ok(Value::Option(x, Rc::new(args[0].clone())));
        }
        if matches!(method, M::Into | M::ToPrimitive) {
            return self.convert(receiver, &own, result);
        }
        let mut rest = vec![];
        for (value, ty) in args.iter().zip(types) {
            rest.push(self.atom(value, ty)?);
        }
        if let M::Op(op) = method {
            let mut operands = vec![x];
            operands.extend(rest);
            if matches!(op, O::Shl | O::Shr | O::RotateLeft) {
                operands[1] = self.cast(self.elem(x), operands[1]);
            }
            return Ok(Value::Scalar(self.op(op, &operands)));
        }
        let ty = self.elem(x);
        if ty.is_float()
            && let Some(value) = self.float_method(method, x, &rest, ty)
        {
            return Ok(value);
        }
        self.number_method(method, x, &rest, ty)
    }

    fn float_method(&mut self, method: Method, x: Atom, rest: &[Atom], ty: S) -> Option<Value> {
        use Method as M;
        let zero = small(ty, 0);
        let one = small(ty, 1);
        let infinity = real(ty, f64::INFINITY, f32::INFINITY);
        let value = match method {
            M::Recip => self.f2(O::Div, one, x),
            M::Fract => {
                let whole = self.f1(O::Trunc, x);
                self.f2(O::Sub, x, whole)
            }
            M::SinCos => {
                let pair = [O::Sin, O::Cos].map(|op| Value::Scalar(self.f1(op, x)));
                return Some(Value::tuple(pair.to_vec()));
            }
            // std multiplies by these very constants.
            M::ToDegrees => {
                let factor = real(ty, 1f64.to_degrees(), 1f32.to_degrees());
                self.f2(O::Mul, x, factor)
            }
            M::ToRadians => {
                let factor = real(ty, 1f64.to_radians(), 1f32.to_radians());
                self.f2(O::Mul, x, factor)
            }
            M::IsNan => self.f2(O::Ne, x, x),
            M::IsInfinite => {
                let size = self.f1(O::Abs, x);
                self.f2(O::Eq, size, infinity)
            }
            M::IsFinite => {
                let size = self.f1(O::Abs, x);
                self.f2(O::Lt, size, infinity)
            }
            M::IsNormal => {
                let size = self.f1(O::Abs, x);
                let least = real(ty, f64::MIN_POSITIVE, f32::MIN_POSITIVE);
                let finite = self.f2(O::Lt, size, infinity);
                let large = self.f2(O::Ge, size, least);
                self.and(finite, large)
            }
            M::IsSignNegative | M::IsSignPositive => {
                let bits = self.bits(signed(unsigned(ty)), x);
                let op = if method == M::IsSignNegative {
                    O::Lt
                } else {
                    O::Ge
                };
                self.f2(op, bits, small(signed(unsigned(ty)), 0))
            }
            M::ToBits => self.bits(unsigned(ty), x),
            // 1 with the sign, a NaN as it is.
            M::Signum => {
                let sign = self.f2(O::Copysign, one, x);
                let nan = self.f2(O::Ne, x, x);
                self.pick(nan, x, sign)
            }
            M::Clamp => {
                let [low, high] = [rest[0], rest[1]];
                let ordered = self.f2(O::Le, low, high);
                self.check(
                    Fault::Assert("min > max, or either was NaN. min = {:?}, max = {:?}".into()),
                    ordered,
                    vec![low, high],
                );
                let below = self.f2(O::Lt, x, low);
                let lifted = self.pick(below, low, x);
                let above = self.f2(O::Gt, lifted, high);
                self.pick(above, high, lifted)
            }
            M::RemEuclid => {
                let r = self.f2(O::Rem, x, rest[0]);
                let negative = self.f2(O::Lt, r, zero);
                let size = self.f1(O::Abs, rest[0]);
                let lifted = self.f2(O::Add, r, size);
                self.pick(negative, lifted, r)
            }
            M::DivEuclid => {
                let quotient = self.f2(O::Div, x, rest[0]);
                let q = self.f1(O::Trunc, quotient);
                let r = self.f2(O::Rem, x, rest[0]);
                let negative = self.f2(O::Lt, r, zero);
                let positive = self.f2(O::Gt, rest[0], zero);
                let down = self.f2(O::Sub, q, one);
                let up = self.f2(O::Add, q, one);
                let moved = self.pick(positive, down, up);
                self.pick(negative, moved, q)
            }
            _ => return None,
        };
        Some(Value::Scalar(value))
    }

    #[allow(clippy::too_many_lines)]
    fn number_method(&mut self, method: Method, x: Atom, rest: &[Atom], ty: S) -> R<Value> {
        use Method as M;
        let is_signed = ty.class() == Class::Signed;
        let zero = small(ty, 0);
        let one = small(ty, 1);
        let [max, min] = limits(ty).map(Atom::Const);
        let y = rest.first().copied().unwrap_or(zero);
        let value = match method {
            M::Add => self.f2(O::Add, x, y),
            M::Sub => self.f2(O::Sub, x, y),
            M::Mul => self.f2(O::Mul, x, y),
            M::Div => self.f2(O::Div, x, y),
            M::Rem => self.f2(O::Rem, x, y),
            M::Neg => self.f1(O::Neg, x),
            M::Not => self.not(x),
            M::BitAnd => self.f2(O::And, x, y),
            M::BitOr => self.f2(O::Or, x, y),
            M::BitXor => self.f2(O::Xor, x, y),
            M::Shl | M::Shr => {
                let amount = self.cast(ty, y);
                let op = if method == M::Shl { O::Shl } else { O::Shr };
                self.f2(op, x, amount)
            }
            M::IsZero => self.f2(O::Eq, x, zero),
            M::IsOne => self.f2(O::Eq, x, one),
            M::IsPositive => self.f2(O::Gt, x, zero),
            M::IsNegative => self.f2(O::Lt, x, zero),
            M::Signum => {
                let above = self.f2(O::Gt, x, zero);
                let below = self.f2(O::Lt, x, zero);
                let (above, below) = (self.cast(ty, above), self.cast(ty, below));
                self.f2(O::Sub, above, below)
            }
            M::Clamp => {
                let [low, high] = [rest[0], rest[1]];
                let ordered = self.f2(O::Le, low, high);
                self.check(
                    Fault::Assert("assertion failed: min <= max".into()),
                    ordered,
                    vec![],
                );
                let lifted = self.f2(O::Max, x, low);
                self.f2(O::Min, lifted, high)
            }
            M::DivEuclid | M::RemEuclid => {
                let q = self.f2(O::Div, x, y);
                let r = self.f2(O::Rem, x, y);
                let negative = self.f2(O::Lt, r, zero);
                let positive = self.f2(O::Gt, y, zero);
                if method == M::RemEuclid {
                    // |y|, wrapping: r + |y| is right for y = MIN too.
                    let size = self.f1(O::Neg, y);
                    let size = self.pick(positive, y, size);
                    let lifted = self.f2(O::Add, r, size);
                    self.pick(negative, lifted, r)
                } else {
                    let down = self.f2(O::Sub, q, one);
                    let up = self.f2(O::Add, q, one);
                    let moved = self.pick(positive, down, up);
                    self.pick(negative, moved, q)
                }
            }
            M::AbsDiff => {
                let less = self.f2(O::Lt, x, y);
                let low = self.pick(less, x, y);
                let high = self.pick(less, y, x);
                let distance = self.f2(O::Sub, high, low);
                self.cast(unsigned(ty), distance)
            }
            M::UnsignedAbs => {
                let size = self.f1(O::Abs, x);
                self.cast(unsigned(ty), size)
            }
            M::DivCeil => {
                let q = self.f2(O::Div, x, y);
                let r = self.f2(O::Rem, x, y);
                let more = self.f2(O::Ne, r, zero);
                let more = self.cast(ty, more);
                self.f2(O::Add, q, more)
            }
            M::NextMultipleOf => {
                let r = self.f2(O::Rem, x, y);
                let whole = self.f2(O::Eq, r, zero);
                let gap = self.f2(O::Sub, y, r);
                let next = self.f2(O::Add, x, gap);
                self.pick(whole, x, next)
            }
            M::IsPowerOfTwo => {
                let ones = self.f1(O::CountOnes, x);
                self.f2(O::Eq, ones, Const::u32(1).into())
            }
            M::NextPowerOfTwo => {
                // The ones below the leading bit of x - 1, plus one.
                let before = self.f2(O::Sub, x, one);
                let zeros = self.f1(O::LeadingZeros, before);
                let amount = self.cast(ty, zeros);
                let below = self.f2(O::Shr, max, amount);
                let next = self.f2(O::Add, below, one);
                let tiny = self.f2(O::Le, x, one);
                self.pick(tiny, one, next)
            }
            M::Ilog2 => {
                let positive = self.f2(O::Gt, x, zero);
                self.check(
                    Fault::Assert("argument of integer logarithm must be positive".into()),
                    positive,
                    vec![],
                );
                let zeros = self.f1(O::LeadingZeros, x);
                self.f2(O::Sub, Const::u32(ty.bits() - 1).into(), zeros)
            }
            M::Isqrt => self.isqrt(x, ty),
            M::CountZeros => {
                let ones = self.f1(O::CountOnes, x);
                self.f2(O::Sub, Const::u32(ty.bits()).into(), ones)
            }
            M::LeadingOnes => {
                let flipped = self.not(x);
                self.f1(O::LeadingZeros, flipped)
            }
            M::TrailingOnes => {
                let flipped = self.not(x);
                self.f1(O::TrailingZeros, flipped)
            }
            M::RotateRight => {
                // Left by the width less the amount; amounts are taken modulo the width.
                let amount = self.cast(ty, y);
                let back = self.f1(O::Neg, amount);
                self.f2(O::RotateLeft, x, back)
            }
            M::SwapBytes => self.swap_bytes(x, ty),
            M::ReverseBits => self.reverse_bits(x, ty),
            M::WrappingDiv | M::WrappingRem => {
                if !is_signed {
                    let op = if method == M::WrappingDiv {
                        O::Div
                    } else {
                        O::Rem
                    };
                    return Ok(Value::Scalar(self.f2(op, x, y)));
                }
                // MIN / -1 wraps to MIN, MIN % -1 is 0.
                let minus = self.f2(O::Eq, y, small(ty, -1));
                let divisor = self.pick(minus, one, y);
                if method == M::WrappingDiv {
                    let q = self.f2(O::Div, x, divisor);
                    let negated = self.f1(O::Neg, q);
                    self.pick(minus, negated, q)
                } else {
                    self.f2(O::Rem, x, divisor)
                }
            }
            M::WrappingAddSigned => {
                let other = self.cast(ty, y);
                self.f2(O::Add, x, other)
            }
            M::Pow | M::WrappingPow => self.power(x, y, ty)?,
            M::SaturatingAdd | M::SaturatingSub | M::SaturatingMul => {
                let (value, overflow) = self.overflowing(method, x, y, ty);
                let bound = self.bound(method, x, y, max, min, is_signed);
                self.pick(overflow, bound, value)
            }
            M::SaturatingAddSigned => {
                let other = self.cast(ty, y);
                let value = self.f2(O::Add, x, other);
                let (negative, overflow) = self.signed_overflow(x, y, value);
                let bound = self.pick(negative, min, max);
                self.pick(overflow, bound, value)
            }
            M::CheckedAddSigned => {
                let other = self.cast(ty, y);
                let value = self.f2(O::Add, x, other);
                let (_, overflow) = self.signed_overflow(x, y, value);
                let some = self.not(overflow);
                return Ok(Value::Option(some, Rc::new(Value::Scalar(value))));
            }
            M::CheckedAdd | M::CheckedSub | M::CheckedMul => {
                let (value, overflow) = self.overflowing(method, x, y, ty);
                let some = self.not(overflow);
                return Ok(Value::Option(some, Rc::new(Value::Scalar(value))));
            }
            M::OverflowingAdd | M::OverflowingSub | M::OverflowingMul => {
                let (value, overflow) = self.overflowing(method, x, y, ty);
                return Ok(Value::tuple(vec![
                    Value::Scalar(value),
                    Value::Scalar(overflow),
                ]));
            }
            M::CheckedDiv | M::CheckedRem => {
                let mut some = self.f2(O::Ne, y, zero);
                if is_signed {
                    let minus = self.f2(O::Eq, y, small(ty, -1));
                    let least = self.f2(O::Eq, x, min);
                    let both = self.and(minus, least);
                    let fits = self.not(both);
                    some = self.and(some, fits);
                }
                let divisor = self.pick(some, y, one);
                let op = if method == M::CheckedDiv {
                    O::Div
                } else {
                    O::Rem
                };
                let value = self.f2(op, x, divisor);
                return Ok(Value::Option(some, Rc::new(Value::Scalar(value))));
            }
            _ => return Err(self.missing("this method cannot be used on a number here")),
        };
        Ok(Value::Scalar(value))
    }

    /// The wrapped result of a sum, difference or product, and whether it is not the true one.
    fn overflowing(&mut self, method: Method, x: Atom, y: Atom, ty: S) -> (Atom, Atom) {
        use Method as M;
        let is_signed = ty.class() == Class::Signed;
        let zero = small(ty, 0);
        match method {
            M::SaturatingAdd | M::CheckedAdd | M::OverflowingAdd => {
                let sum = self.f2(O::Add, x, y);
                if !is_signed {
                    let overflow = self.f2(O::Lt, sum, x);
                    return (sum, overflow);
                }
                // The sum has a sign that neither operand has.
                let (a, b) = (self.f2(O::Xor, x, sum), self.f2(O::Xor, y, sum));
                let both = self.f2(O::And, a, b);
                let overflow = self.f2(O::Lt, both, zero);
                (sum, overflow)
            }
            M::SaturatingSub | M::CheckedSub | M::OverflowingSub => {
                let difference = self.f2(O::Sub, x, y);
                if !is_signed {
                    let overflow = self.f2(O::Lt, x, y);
                    return (difference, overflow);
                }
                let (a, b) = (self.f2(O::Xor, x, y), self.f2(O::Xor, x, difference));
                let both = self.f2(O::And, a, b);
                let overflow = self.f2(O::Lt, both, zero);
                (difference, overflow)
            }
            _ => {
                let product = self.f2(O::Mul, x, y);
                let high = self.f2(O::MulHigh, x, y);
                let sign = if is_signed {
                    self.f2(O::Shr, product, small(ty, ty.bits() as i64 - 1))
                } else {
                    zero
                };
                let overflow = self.f2(O::Ne, high, sign);
                (product, overflow)
            }
        }
    }

    /// Where a sum, difference or product saturates.
    fn bound(
        &mut self,
        method: Method,
        x: Atom,
        y: Atom,
        max: Atom,
        min: Atom,
        is_signed: bool,
    ) -> Atom {
        if !is_signed {
            return if method == Method::SaturatingSub {
                min
            } else {
                max
            };
        }
        let zero = small(self.elem(x), 0);
        let sign = match method {
            Method::SaturatingMul => self.f2(O::Xor, x, y),
            _ => x,
        };
        let negative = self.f2(O::Lt, sign, zero);
        self.pick(negative, min, max)
    }

    /// Of an unsigned number plus a signed one: whether that is negative, and whether the sum wrapped.
    fn signed_overflow(&mut self, x: Atom, y: Atom, sum: Atom) -> (Atom, Atom) {
        let negative = self.f2(O::Lt, y, small(self.elem(y), 0));
        let (up, down) = (self.f2(O::Lt, sum, x), self.f2(O::Gt, sum, x));
        let overflow = self.pick(negative, down, up);
        (negative, overflow)
    }

    /// An integer power by repeated squaring, wrapping.
    fn power(&mut self, x: Atom, exponent: Atom, ty: S) -> R<Atom> {
        if let Atom::Const(n) = exponent {
            let (mut result, mut base, mut rest) = (small(ty, 1), x, n.bits);
            while rest > 0 {
                if rest & 1 == 1 {
                    result = self.f2(O::Mul, result, base);
                }
                rest >>= 1;
                if rest > 0 {
                    base = self.f2(O::Mul, base, base);
                }
            }
            return Ok(result);
        }
        use std::collections::BTreeSet;
        let mark = self.env.slots.len();
        let count = Ty::Scalar(Scalar::U32);
        let number = self.scalar_ty(ty);
        let result = self.define("", number.clone(), Value::Scalar(small(ty, 1)));
        let base = self.define("", number, Value::Scalar(x));
        let rest = self.define("", count, Value::Scalar(exponent));
        let more = |lower: &mut Lower| {
            let left = lower.flag(rest);
            Ok(lower.f2(O::Ne, left, Const::u32(0).into()))
        };
        self.repeat(
            &BTreeSet::from([result, base, rest]),
            &BTreeSet::new(),
            super::repeat::Rounds::While(&more),
            &|lower, _| {
                let (old, square, left) = (lower.flag(result), lower.flag(base), lower.flag(rest));
                let bit = lower.f2(O::And, left, Const::u32(1).into());
                let odd = lower.f2(O::Ne, bit, Const::u32(0).into());
                let product = lower.f2(O::Mul, old, square);
                let next = lower.pick(odd, product, old);
                let square = lower.f2(O::Mul, square, square);
                let left = lower.f2(O::Shr, left, Const::u32(1).into());
                lower.set(result, Value::Scalar(next));
                lower.set(base, Value::Scalar(square));
                lower.set(rest, Value::Scalar(left));
                Ok(())
            },
        )?;
        let value = self.flag(result);
        self.env.slots.truncate(mark);
        Ok(value)
    }

    fn scalar_ty(&self, ty: S) -> Ty {
        Ty::Scalar(match ty {
            S::Bool => Scalar::Bool,
            S::I8 => Scalar::I8,
            S::I16 => Scalar::I16,
            S::I32 => Scalar::I32,
            S::I64 => Scalar::I64,
            S::U8 => Scalar::U8,
            S::U16 => Scalar::U16,
            S::U32 => Scalar::U32,
            S::U64 => Scalar::U64,
            S::F32 => Scalar::F32,
            S::F64 => Scalar::F64,
        })
    }

    /// The integer square root: bit by bit from above, without a branch.
    fn isqrt(&mut self, x: Atom, ty: S) -> Atom {
        if ty.class() == Class::Signed {
            let natural = self.f2(O::Ge, x, small(ty, 0));
            self.check(
                Fault::Assert("argument of integer square root cannot be negative".into()),
                natural,
                vec![],
            );
        }
        let (mut rest, mut root) = (x, small(ty, 0));
        let bits = ty.bits() - (ty.class() == Class::Signed) as u32;
        for k in (0..bits.div_ceil(2)).rev() {
            let step = Const {
                ty,
                bits: 1 << (2 * k),
            };
            let candidate = self.f2(O::Add, root, step.into());
            let fits = self.f2(O::Ge, rest, candidate);
            let less = self.f2(O::Sub, rest, candidate);
            rest = self.pick(fits, less, rest);
            let half = self.f2(O::Shr, root, small(ty, 1));
            let more = self.f2(O::Add, half, step.into());
            root = self.pick(fits, more, half);
        }
        root
    }

    fn swap_bytes(&mut self, x: Atom, ty: S) -> Atom {
        let wide = unsigned(ty);
        let value = self.cast(wide, x);
        let mut result = small(wide, 0);
        let bytes = wide.bits() / 8;
        for k in 0..bytes {
            let down = self.f2(O::Shr, value, small(wide, 8 * k as i64));
            let byte = self.f2(O::And, down, small(wide, 0xff));
            let up = self.f2(O::Shl, byte, small(wide, 8 * (bytes - 1 - k) as i64));
            result = self.f2(O::Or, result, up);
        }
        self.cast(ty, result)
    }

    fn reverse_bits(&mut self, x: Atom, ty: S) -> Atom {
        let wide = unsigned(ty);
        let mut value = self.cast(wide, x);
        // Neighbours change places: bits, pairs, quadruples; then the bytes do.
        for (shift, mask) in [
            (1, 0x5555_5555_5555_5555u64),
            (2, 0x3333_3333_3333_3333),
            (4, 0x0f0f_0f0f_0f0f_0f0f),
        ] {
            let mask: Atom = Const {
                ty: wide,
                bits: mask & all_ones(wide),
            }
            .into();
            let shift = small(wide, shift);
            let high = self.f2(O::Shr, value, shift);
            let high = self.f2(O::And, high, mask);
            let low = self.f2(O::And, value, mask);
            let low = self.f2(O::Shl, low, shift);
            value = self.f2(O::Or, high, low);
        }
        let value = self.swap_bytes(value, wide);
        self.cast(ty, value)
    }

    /// A conversion: `from`, `into`, or, where the result is an `Option`, one that is `None` if the value does not fit.
    pub(super) fn convert(&mut self, value: &Value, from: &Ty, result: &Ty) -> R<Value> {
        let (target, partial) = match result {
            Ty::Option(inner) => ((**inner).clone(), true),
            other => (other.clone(), false),
        };
        let (Ty::Scalar(scalar), Ty::Scalar(_)) = (&target, from) else {
            return Ok(value.clone());
        };
        let x = self.atom(value, from)?;
        let (ty, to) = (self.elem(x), ty::scalar(*scalar));
        let converted = self.cast(to, x);
        if !partial {
            return Ok(Value::Scalar(converted));
        }
        let some = self.fits(x, ty, to);
        Ok(Value::Option(some, Rc::new(Value::Scalar(converted))))
    }

    /// Whether a value of one type can be represented in another, as `num_traits` sees it.
    fn fits(&mut self, x: Atom, from: S, to: S) -> Atom {
        if to.is_float() || from == to {
            return TRUE;
        }
        if to == S::Bool {
            return FALSE;
        }
        let [max, min] = limits(to);
        if from.is_float() {
            // MIN - 1 < x < MAX + 1; both ends are powers of two or their neighbours.
            let double = |value: Const| {
                let wide = op::cast(S::F64, value);
                op::cast(from, wide)
            };
            let top = f64::powi(
                2.0,
                (to.bits() - (to.class() == Class::Signed) as u32) as i32,
            );
            let top = op::cast(from, Const::f64(top));
            let below = self.f2(O::Lt, x, top.into());
            let truncated = self.f1(O::Trunc, x);
            let above = self.f2(O::Ge, truncated, double(min).into());
            return self.and(below, above);
        }
        let mut inside = TRUE;
        if from.class() == Class::Signed {
            let wide = self.cast(S::I64, x);
            if to.class() == Class::Signed {
                let low = op::cast(S::I64, min);
                let high = op::cast(S::I64, max);
                let a = self.f2(O::Ge, wide, low.into());
                let b = self.f2(O::Le, wide, high.into());
                return self.and(a, b);
            }
            inside = self.f2(O::Ge, wide, Const::i64(0).into());
        }
        let wide = self.cast(S::U64, x);
        let high = op::cast(S::U64, max);
        let below = self.f2(O::Le, wide, high.into());
        self.and(inside, below)
    }
}
