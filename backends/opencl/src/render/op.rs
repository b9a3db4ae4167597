//! Scalar operations in OpenCL C: one expression each, with the bits that the table's row has.

use super::types::{name, stored, unsigned};
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{ScalarOp, ScalarType};

/// Whether an operation has an expression of its own; the others `legalize` takes apart.
pub fn native(op: ScalarOp, ty: ScalarType) -> bool {
    use ScalarOp::*;
    let float = ty.is_float();
    op.row().signature.admits(ty)
        && match op {
            Abs => float,
            RotateLeft => ty.bytes() >= 4,
            TrailingZeros => false,
            Powi | Exp | Ln | Sin | Cos | Tanh | Erf | Powf => false,
            _ => true,
        }
}

/// The expression. `ty` is the type of the operands (of a selection: of what is selected). Divisors of integers have been
/// tested.
pub fn expression(op: ScalarOp, ty: ScalarType, x: &[String]) -> String {
    use ScalarOp::*;
    let own = name(ty);
    let word = stored(unsigned(ty.bytes()));
    let mask = ty.bits() - 1;
    let infix = |sign: &str| format!("{} {sign} {}", x[0], x[1]);
    // Signed integers wrap as unsigned ones do; those of fewer bits than `int` are computed in that.
    let wrapping = |sign: &str| match (ty.class(), ty.bytes()) {
        (Class::Float, _) => infix(sign),
        (_, 1 | 2) => format!("({own})((uint){} {sign} (uint){})", x[0], x[1]),
        (Class::Unsigned, _) => infix(sign),
        _ => format!("({own})(({word}){} {sign} ({word}){})", x[0], x[1]),
    };
    let call = |function: &str| format!("{function}({})", x.join(", "));
    let bool = ty == ScalarType::Bool;
    match op {
        Add => wrapping("+"),
        Sub => wrapping("-"),
        Mul => wrapping("*"),
        Div if ty.bytes() < 4 => format!("({own})({})", infix("/")),
        Div => infix("/"),
        Rem if ty.is_float() => call("fmod"),
        Rem if ty.bytes() < 4 => format!("({own})({})", infix("%")),
        Rem => infix("%"),
        Neg if ty.is_float() => format!("-{}", x[0]),
        Neg => format!("({own})(0 - ({word}){})", x[0]),
        Abs => call("fabs"),
        MulHigh => call("mul_hi"),
        Min | Max if ty.is_float() => call(&format!("{}_{}", op.name(), ty.name())),
        Min => call("min"),
        Max => call("max"),
        And if bool => infix("&&"),
        Or if bool => infix("||"),
        Xor if bool => infix("!="),
        Not if bool => format!("!{}", x[0]),
        And => format!("({own})({})", infix("&")),
        Or => format!("({own})({})", infix("|")),
        Xor => format!("({own})({})", infix("^")),
        Not => format!("({own})~{}", x[0]),
        Shl => format!("({own})(({word}){} << ({} & {mask}))", x[0], x[1]),
        Shr => format!("({own})({} >> ({} & {mask}))", x[0], x[1]),
        RotateLeft => call("rotate"),
        CountOnes => format!("(uint)popcount(({word}){})", x[0]),
        LeadingZeros => format!("(uint)clz(({word}){})", x[0]),
        Eq => infix("=="),
        Ne => infix("!="),
        Lt => infix("<"),
        Le => infix("<="),
        Gt => infix(">"),
        Ge => infix(">="),
        Select => format!("{} ? {} : {}", x[0], x[1], x[2]),
        Fma => call("fma"),
        Sqrt => call("sqrt"),
        Floor => call("floor"),
        Ceil => call("ceil"),
        Trunc => call("trunc"),
        Nearest => call("rint"),
        Round => call("round"),
        Copysign => call("copysign"),
        TrailingZeros | Powi | Exp | Ln | Sin | Cos | Tanh | Erf | Powf => {
            unreachable!("legalize leaves no {}", op.name())
        }
    }
}

/// Rust's `as`.
pub fn cast(from: ScalarType, to: ScalarType, x: &str) -> String {
    match (from, to) {
        (from, to) if from == to => x.to_owned(),
        (_, ScalarType::Bool) => format!("{x} != 0"),
        (ScalarType::Bool, _) => format!("({})({x} ? 1 : 0)", name(to)),
        // Saturates, and a NaN is 0.
        (from, to) if from.is_float() && to.is_integer() => {
            let to = name(to);
            format!("{x} == {x} ? convert_{to}_sat({x}) : ({to})0")
        }
        _ => format!("({}){x}", name(to)),
    }
}

/// The same bits under another type.
pub fn bits(from: ScalarType, to: ScalarType, x: &str) -> String {
    match from == to {
        true => x.to_owned(),
        false => format!("as_{}({x})", name(to)),
    }
}

/// Functions that the expressions call, with their names: the smaller and the larger of two floats, where a NaN is ignored
/// and -0.0 lies below 0.0.
pub fn helpers(ty: ScalarType) -> Vec<(String, String)> {
    let mut all = vec![];
    for (op, less, join) in [(ScalarOp::Min, "<", "|"), (ScalarOp::Max, ">", "&")] {
        for count in [1, 8, 16] {
            let lanes = |name: &str| match count {
                1 => name.to_owned(),
                _ => format!("{name}{count}"),
            };
            let (own, word) = (lanes(name(ty)), lanes(stored(unsigned(ty.bytes()))));
            let function = match count {
                1 => format!("{}_{}", op.name(), ty.name()),
                _ => format!("{}_{}x{count}", op.name(), ty.name()),
            };
            let text = format!(
                "static {own} {function}(const {own} a, const {own} b) {{\n\
                 return (a {less} b) | (b != b) ? a : (b {less} a) | (a != a) ? b : as_{own}(as_{word}(a) {join} as_{word}(b));\n\
                 }}\n"
            );
            all.push((function, text));
        }
    }
    all
}

/// The expression on vectors of so many lanes; a comparison is a mask of lanes as large as the operands'.
pub fn vector(op: ScalarOp, ty: ScalarType, count: usize, x: &[String]) -> String {
    use ScalarOp::*;
    let own = format!("{}{count}", stored(ty));
    let word = format!("{}{count}", stored(unsigned(ty.bytes())));
    let mask = ty.bits() - 1;
    let infix = |sign: &str| format!("({} {sign} {})", x[0], x[1]);
    let call = |function: &str| format!("{function}({})", x.join(", "));
    let signed = ty.class() == Class::Signed;
    let wrapping = |sign: &str| match signed {
        true => format!("as_{own}(as_{word}({}) {sign} as_{word}({}))", x[0], x[1]),
        false => infix(sign),
    };
    match op {
        Add => wrapping("+"),
        Sub => wrapping("-"),
        Mul => wrapping("*"),
        Div => infix("/"),
        // One by one: the vector form is not exact everywhere.
        Rem if ty.is_float() => {
            let lanes = (0..count).map(|l| format!("fmod({}.s{l:x}, {}.s{l:x})", x[0], x[1]));
            format!("({own})({})", lanes.collect::<Vec<_>>().join(", "))
        }
        Rem => infix("%"),
        Neg if ty.is_float() => format!("(-{})", x[0]),
        Neg => format!("as_{own}(-as_{word}({}))", x[0]),
        Abs => call("fabs"),
        MulHigh => call("mul_hi"),
        Min | Max if ty.is_float() => call(&format!("{}_{}x{count}", op.name(), ty.name())),
        Min => call("min"),
        Max => call("max"),
        And => infix("&"),
        Or => infix("|"),
        Xor => infix("^"),
        Not => format!("(~{})", x[0]),
        Shl => format!(
            "as_{own}(as_{word}({}) << (as_{word}({}) & ({word})({mask})))",
            x[0], x[1]
        ),
        Shr => format!("({} >> ({} & ({own})({mask})))", x[0], x[1]),
        RotateLeft => call("rotate"),
        CountOnes => format!("convert_uint{count}(popcount(as_{word}({})))", x[0]),
        LeadingZeros => format!("convert_uint{count}(clz(as_{word}({})))", x[0]),
        Eq => infix("=="),
        Ne => infix("!="),
        Lt => infix("<"),
        Le => infix("<="),
        Gt => infix(">"),
        Ge => infix(">="),
        Fma => call("fma"),
        Sqrt => call("sqrt"),
        Floor => call("floor"),
        Ceil => call("ceil"),
        Trunc => call("trunc"),
        Nearest => call("rint"),
        Round => call("round"),
        Copysign => call("copysign"),
        Select | TrailingZeros | Powi | Exp | Ln | Sin | Cos | Tanh | Erf | Powf => {
            unreachable!("{} has no vector form of its own", op.name())
        }
    }
}
