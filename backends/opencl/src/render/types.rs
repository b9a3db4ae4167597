//! Types and constants of the IR in OpenCL C.

use dsl_runtime::ir::{Const, FromConst, ScalarType};

/// The name of a scalar in a variable.
pub fn name(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Bool => "bool",
        ty => stored(ty),
    }
}

/// The name of a scalar in memory, where `bool` is a byte, 0 or 1.
pub fn stored(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Bool | ScalarType::U8 => "uchar",
        ScalarType::I8 => "char",
        ScalarType::I16 => "short",
        ScalarType::I32 => "int",
        ScalarType::I64 => "long",
        ScalarType::U16 => "ushort",
        ScalarType::U32 => "uint",
        ScalarType::U64 => "ulong",
        ScalarType::F32 => "float",
        ScalarType::F64 => "double",
    }
}

/// The unsigned integer of as many bytes.
pub fn unsigned(bytes: usize) -> ScalarType {
    match bytes {
        1 => ScalarType::U8,
        2 => ScalarType::U16,
        4 => ScalarType::U32,
        _ => ScalarType::U64,
    }
}

/// A constant.
pub fn constant(value: Const) -> String {
    let signed = |v: i64, min: i64, suffix: &str| match v == min {
        true => format!("({}{suffix} - 1{suffix})", v + 1),
        false if v < 0 => format!("({v}{suffix})"),
        false => format!("{v}{suffix}"),
    };
    match value.ty {
        ScalarType::Bool => (value.bits != 0).to_string(),
        ScalarType::I8 => format!("(char){}", i8::from_const(value)),
        ScalarType::I16 => format!("(short){}", i16::from_const(value)),
        ScalarType::I32 => signed(i32::from_const(value) as i64, i32::MIN as i64, ""),
        ScalarType::I64 => signed(i64::from_const(value), i64::MIN, "L"),
        ScalarType::U8 => format!("(uchar){}", value.bits),
        ScalarType::U16 => format!("(ushort){}", value.bits),
        ScalarType::U32 => format!("{}u", value.bits),
        ScalarType::U64 => format!("{}UL", value.bits),
        ScalarType::F32 => match f32::from_const(value) {
            v if !v.is_finite() => format!("as_float({:#x}u)", value.bits),
            v if v.is_sign_negative() => format!("({v:?}f)"),
            v => format!("{v:?}f"),
        },
        ScalarType::F64 => match f64::from_const(value) {
            v if !v.is_finite() => format!("as_double({:#x}UL)", value.bits),
            v if v.is_sign_negative() => format!("({v:?})"),
            v => format!("{v:?}"),
        },
    }
}

/// The bits of a value as a 64-bit word, zero-extended.
pub fn to_word(ty: ScalarType, value: &str) -> String {
    match ty {
        ScalarType::Bool => format!("(ulong)({value} ? 1 : 0)"),
        ScalarType::U64 => value.to_owned(),
        ScalarType::F64 | ScalarType::I64 => format!("as_ulong({value})"),
        ScalarType::F32 => format!("(ulong)as_uint({value})"),
        ty => format!("(ulong)({})({value})", stored(unsigned(ty.bytes()))),
    }
}

/// The value that [`to_word`] has made a word of.
pub fn from_word(ty: ScalarType, word: &str) -> String {
    match ty {
        ScalarType::Bool => format!("({word} != 0)"),
        ScalarType::F64 => format!("as_double({word})"),
        ScalarType::F32 => format!("as_float((uint){word})"),
        ty => format!("({}){word}", name(ty)),
    }
}

/// What memory holds of a value.
pub fn to_memory(ty: ScalarType, value: &str) -> String {
    match ty {
        ScalarType::Bool => format!("{value} ? 1 : 0"),
        _ => value.to_owned(),
    }
}

/// The value that memory holds.
pub fn from_memory(ty: ScalarType, element: &str) -> String {
    match ty {
        ScalarType::Bool => format!("{element} != 0"),
        _ => element.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_that_c_cannot_write() {
        let cases = [
            (Const::i32(i32::MIN), "(-2147483647 - 1)"),
            (Const::i64(i64::MIN), "(-9223372036854775807L - 1L)"),
            (Const::f32(-0.0), "(-0.0f)"),
            (Const::f32(1e-45), "1e-45f"),
            (Const::f64(f64::INFINITY), "as_double(0x7ff0000000000000UL)"),
            (Const::u64(u64::MAX), "18446744073709551615UL"),
        ];
        for (value, text) in cases {
            assert_eq!(constant(value), text);
        }
    }
}
