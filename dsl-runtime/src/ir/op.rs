//! The table of scalar operations. One row says everything that is not code generation: variant, name in the text form,
//! signature, laws, the Rust methods that mean it, and its value on constants. The parser, the printer, the verifier,
//! the elaborator, the constant folder, the interpreter and the reference documentation read the row.
//!
//! To add an operation: a row here, a file `tests/conformance/op/<name>.cup`, and either an arm in a backend or a rule
//! in `legalize` (or a kernel in `math`, for which the row's meaning is `Meaning::Math`).

// The table's values are written once for all types, `bool` among them.
#![allow(clippy::bool_comparison)]

use super::Fault;
use super::types::{Class, Const, FromConst, ScalarType};

/// Operand and result types of a row. `T` is one type of the given classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// `(T) -> T`.
    Unary(&'static [Class]),
    /// `(T, T) -> T`.
    Binary(&'static [Class]),
    /// `(T, T, T) -> T`.
    Ternary(&'static [Class]),
    /// `(T, T) -> bool`.
    Compare(&'static [Class]),
    /// `(bool, T, T) -> T`.
    Select,
    /// `(T) -> u32`.
    Count(&'static [Class]),
    /// `(T, i32) -> T`.
    WithI32(&'static [Class]),
}

/// Algebraic laws of a row, as the simplifier and the reductions may use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laws {
    /// `a op b = b op a`, to the bit.
    pub commutative: bool,
    /// A reduction with it may keep interleaved lanes in the canonical order (associative but for rounding).
    pub reduces: bool,
    /// `a op a = a`.
    pub idempotent: bool,
}

/// What a row means.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// The value on constants of valid types.
    Native(fn(&[Const]) -> Result<Const, Fault>),
    /// A kernel of `crate::math`, named like the row, which `legalize` inlines for every backend alike.
    Math,
}

/// One row.
pub struct Row {
    /// The operation.
    pub op: ScalarOp,
    /// Its name in the text form.
    pub name: &'static str,
    /// One sentence for the reference.
    pub doc: &'static str,
    /// Its types.
    pub signature: Signature,
    /// Its laws.
    pub laws: Laws,
    /// The Rust methods (receiver first) that mean it, on the types of the signature.
    pub methods: &'static [&'static str],
    /// Its value.
    pub meaning: Meaning,
}

use Class::{Bool as B, Float as F, Signed as S, Unsigned as U};
const NONE: Laws = Laws {
    commutative: false,
    reduces: false,
    idempotent: false,
};
const COMM: Laws = Laws {
    commutative: true,
    ..NONE
};
const SUMS: Laws = Laws {
    commutative: true,
    reduces: true,
    idempotent: false,
};
const LATTICE: Laws = Laws {
    commutative: true,
    reduces: true,
    idempotent: true,
};

/// Evaluates `$body` with `$a…` bound to the operands as the Rust type of the first (or, for `from`, second) operand.
macro_rules! on {
    (@arm $args:ident, $rust:ty, [$($a:ident $i:literal),*], $body:expr) => {{
        $(let $a = <$rust as FromConst>::from_const($args[$i]);)*
        #[allow(unused)]
        type T = $rust;
        Const::from($body)
    }};
    (@types $args:ident, $at:literal, $list:tt, $body:expr, $($variant:ident $rust:ty),*) => {
        match $args[$at].ty {
            $(ScalarType::$variant => on!(@arm $args, $rust, $list, $body),)*
            #[allow(unreachable_patterns)]
            other => unreachable!("the verifier admits no {other} here"),
        }
    };
    (ints $args:ident $list:tt $body:expr) => {
        on!(@types $args, 0, $list, $body, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64)
    };
    (signed $args:ident $list:tt $body:expr) => {
        on!(@types $args, 0, $list, $body, I8 i8, I16 i16, I32 i32, I64 i64)
    };
    (bits $args:ident $list:tt $body:expr) => {
        on!(@types $args, 0, $list, $body, Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64)
    };
    (floats $args:ident $list:tt $body:expr) => {
        on!(@types $args, 0, $list, $body, F32 f32, F64 f64)
    };
    (all $args:ident $list:tt $body:expr) => {
        on!(@types $args, 0, $list, $body, Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64)
    };
}

/// Integers one way, floats another.
macro_rules! arith {
    ($list:tt $int:expr, $float:expr) => {
        Meaning::Native(|args| {
            Ok(if args[0].ty.is_float() { on!(floats args $list $float) } else { on!(ints args $list $int) })
        })
    };
}
macro_rules! native {
    ($kind:ident $list:tt $body:expr) => {
        Meaning::Native(|args| Ok(on!($kind args $list $body)))
    };
}
macro_rules! divide {
    ($method:ident, $op:tt, $over:ident) => {
        Meaning::Native(|args| {
            if args[0].ty.is_float() {
                return Ok(on!(floats args [a 0, b 1] a $op b));
            }
            if args[1].bits == 0 {
                return Err(Fault::DivideByZero);
            }
            let failed = on!(ints args [a 0, b 1] a.$method(b).is_none());
            if failed.bits != 0 {
                return Err(Fault::$over);
            }
            Ok(on!(ints args [a 0, b 1] a.$method(b).unwrap_or(0)))
        })
    };
}

/// The smaller one: a NaN is ignored, -0.0 is below 0.0.
trait Order: Copy {
    fn least(self, other: Self) -> Self;
    fn most(self, other: Self) -> Self;
}
macro_rules! order_floats {
    ($($t:ty),*) => {$(
        impl Order for $t {
            fn least(self, other: $t) -> $t {
                if self.is_nan() { return other }
                if other.is_nan() { return self }
                if self.total_cmp(&other).is_le() { self } else { other }
            }
            fn most(self, other: $t) -> $t {
                if self.is_nan() { return other }
                if other.is_nan() { return self }
                if self.total_cmp(&other).is_ge() { self } else { other }
            }
        }
    )*};
}
order_floats!(f32, f64);

macro_rules! table {
    ($($variant:ident $name:literal, $sig:expr, $laws:expr, [$($method:literal),*], $meaning:expr, $doc:literal;)*) => {
        /// A scalar operation: a row of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ScalarOp { $(#[doc = $doc] $variant),* }

        /// The table, in the order of the variants.
        pub static TABLE: &[Row] = &[$(Row {
            op: ScalarOp::$variant,
            name: $name,
            doc: $doc,
            signature: $sig,
            laws: $laws,
            methods: &[$($method),*],
            meaning: $meaning,
        }),*];
    };
}

table! {
    Add "add", Signature::Binary(&[S, U, F]), SUMS, ["wrapping_add"], arith!([a 0, b 1] a.wrapping_add(b), a + b),
        "sum; integers wrap";
    Sub "sub", Signature::Binary(&[S, U, F]), NONE, ["wrapping_sub"], arith!([a 0, b 1] a.wrapping_sub(b), a - b),
        "difference; integers wrap";
    Mul "mul", Signature::Binary(&[S, U, F]), SUMS, ["wrapping_mul"], arith!([a 0, b 1] a.wrapping_mul(b), a * b),
        "product; integers wrap";
    Div "div", Signature::Binary(&[S, U, F]), NONE, [], divide!(checked_div, /, DivideOverflow),
        "quotient, towards zero; integers fail on zero and on MIN / -1";
    Rem "rem", Signature::Binary(&[S, U, F]), NONE, [], divide!(checked_rem, %, RemainderOverflow),
        "remainder with the sign of the dividend; integers fail on zero and on MIN % -1";
    Neg "neg", Signature::Unary(&[S, U, F]), NONE, ["wrapping_neg"], arith!([a 0] a.wrapping_neg(), -a),
        "negative; integers wrap; flips the sign of a NaN or zero too";
    Abs "abs", Signature::Unary(&[S, F]), NONE, ["abs", "wrapping_abs"],
        Meaning::Native(|args| Ok(if args[0].ty.is_float() { on!(floats args [a 0] a.abs()) } else { on!(signed args [a 0] a.wrapping_abs()) })),
        "absolute value; MIN stays MIN";
    MulHigh "mul_high", Signature::Binary(&[S, U]), COMM, [],
        native!(ints [a 0, b 1] ((a as i128).wrapping_mul(b as i128) as u128 >> T::BITS) as T),
        "the upper half of the product of twice the width";
    Min "min", Signature::Binary(&[S, U, F]), LATTICE, ["min"], arith!([a 0, b 1] a.min(b), a.least(b)),
        "the smaller; of floats, NaN is ignored and -0.0 is below 0.0";
    Max "max", Signature::Binary(&[S, U, F]), LATTICE, ["max"], arith!([a 0, b 1] a.max(b), a.most(b)),
        "the larger; of floats, NaN is ignored and 0.0 is above -0.0";
    And "and", Signature::Binary(&[B, S, U]), LATTICE, [], native!(bits [a 0, b 1] a & b), "bitwise and";
    Or "or", Signature::Binary(&[B, S, U]), LATTICE, [], native!(bits [a 0, b 1] a | b), "bitwise or";
    Xor "xor", Signature::Binary(&[B, S, U]), SUMS, [], native!(bits [a 0, b 1] a ^ b), "bitwise exclusive or";
    Not "not", Signature::Unary(&[B, S, U]), NONE, [], native!(bits [a 0] !a), "bitwise complement";
    Shl "shl", Signature::Binary(&[S, U]), NONE, ["wrapping_shl"], native!(ints [a 0, b 1] a.wrapping_shl(b as u32)),
        "shift left by an amount taken modulo the width";
    Shr "shr", Signature::Binary(&[S, U]), NONE, ["wrapping_shr"], native!(ints [a 0, b 1] a.wrapping_shr(b as u32)),
        "shift right by an amount taken modulo the width; signed types keep the sign";
    RotateLeft "rotate_left", Signature::Binary(&[S, U]), NONE, ["rotate_left"],
        native!(ints [a 0, b 1] a.rotate_left(b as u32 % T::BITS)), "rotate left by an amount taken modulo the width";
    CountOnes "count_ones", Signature::Count(&[S, U]), NONE, ["count_ones"], native!(ints [a 0] a.count_ones()),
        "the number of one bits";
    LeadingZeros "leading_zeros", Signature::Count(&[S, U]), NONE, ["leading_zeros"], native!(ints [a 0] a.leading_zeros()),
        "the number of zero bits above the highest one";
    TrailingZeros "trailing_zeros", Signature::Count(&[S, U]), NONE, ["trailing_zeros"], native!(ints [a 0] a.trailing_zeros()),
        "the number of zero bits below the lowest one";
    Eq "eq", Signature::Compare(&[B, S, U, F]), COMM, [], native!(all [a 0, b 1] a == b), "equal; a NaN equals nothing";
    Ne "ne", Signature::Compare(&[B, S, U, F]), COMM, [], native!(all [a 0, b 1] a != b), "not equal";
    Lt "lt", Signature::Compare(&[B, S, U, F]), NONE, [], native!(all [a 0, b 1] a < b), "less";
    Le "le", Signature::Compare(&[B, S, U, F]), NONE, [], native!(all [a 0, b 1] a <= b), "less or equal";
    Gt "gt", Signature::Compare(&[B, S, U, F]), NONE, [], native!(all [a 0, b 1] a > b), "greater";
    Ge "ge", Signature::Compare(&[B, S, U, F]), NONE, [], native!(all [a 0, b 1] a >= b), "greater or equal";
    Select "select", Signature::Select, NONE, [],
        Meaning::Native(|args| Ok(if args[0].bits != 0 { args[1] } else { args[2] })),
        "the second operand where the first is true, else the third";
    Fma "fma", Signature::Ternary(&[F]), NONE, ["mul_add"], native!(floats [a 0, b 1, c 2] a.mul_add(b, c)),
        "a * b + c with one rounding";
    Sqrt "sqrt", Signature::Unary(&[F]), NONE, ["sqrt"], native!(floats [a 0] a.sqrt()), "square root, correctly rounded";
    Floor "floor", Signature::Unary(&[F]), NONE, ["floor"], native!(floats [a 0] a.floor()), "round down";
    Ceil "ceil", Signature::Unary(&[F]), NONE, ["ceil"], native!(floats [a 0] a.ceil()), "round up";
    Trunc "trunc", Signature::Unary(&[F]), NONE, ["trunc"], native!(floats [a 0] a.trunc()), "round towards zero";
    Nearest "nearest", Signature::Unary(&[F]), NONE, ["round_ties_even"], native!(floats [a 0] a.round_ties_even()),
        "round to nearest, ties to even";
    Round "round", Signature::Unary(&[F]), NONE, ["round"], native!(floats [a 0] a.round()),
        "round to nearest, ties away from zero";
    Copysign "copysign", Signature::Binary(&[F]), NONE, ["copysign"], native!(floats [a 0, b 1] a.copysign(b)),
        "the magnitude of the first with the sign of the second";
    Powi "powi", Signature::WithI32(&[F]), NONE, ["powi"], Meaning::Math, "integer power by repeated squaring";
    Exp "exp", Signature::Unary(&[F]), NONE, ["exp"], Meaning::Math, "e to the power";
    Ln "ln", Signature::Unary(&[F]), NONE, ["ln"], Meaning::Math, "natural logarithm";
    Sin "sin", Signature::Unary(&[F]), NONE, ["sin"], Meaning::Math, "sine of radians";
    Cos "cos", Signature::Unary(&[F]), NONE, ["cos"], Meaning::Math, "cosine of radians";
    Tanh "tanh", Signature::Unary(&[F]), NONE, ["tanh"], Meaning::Math, "hyperbolic tangent";
    Erf "erf", Signature::Unary(&[F]), NONE, ["erf"], Meaning::Math, "error function";
    Powf "powf", Signature::Binary(&[F]), NONE, ["powf"], Meaning::Math, "power";
}

impl ScalarOp {
    /// The row.
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The name in the text form.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The operation of that name.
    pub fn parse(name: &str) -> Option<ScalarOp> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.op)
    }

    /// The operation that a Rust method means on a receiver of type `ty`.
    pub fn method(name: &str, ty: ScalarType) -> Option<ScalarOp> {
        TABLE
            .iter()
            .find(|row| row.methods.contains(&name) && row.signature.admits(ty))
            .map(|row| row.op)
    }

    /// The number of operands.
    pub fn arity(self) -> usize {
        match self.row().signature {
            Signature::Unary(_) | Signature::Count(_) => 1,
            Signature::Binary(_) | Signature::Compare(_) | Signature::WithI32(_) => 2,
            Signature::Ternary(_) | Signature::Select => 3,
        }
    }

    /// The result type for operands of these types; `None` if they do not fit.
    pub fn result(self, operands: &[ScalarType]) -> Option<ScalarType> {
        let same = |classes: &[Class], n: usize| {
            let first = *operands.first()?;
            (operands.len() == n
                && operands.iter().all(|&t| t == first)
                && classes.contains(&first.class()))
            .then_some(first)
        };
        match self.row().signature {
            Signature::Unary(classes) => same(classes, 1),
            Signature::Binary(classes) => same(classes, 2),
            Signature::Ternary(classes) => same(classes, 3),
            Signature::Compare(classes) => same(classes, 2).map(|_| ScalarType::Bool),
            Signature::Count(classes) => same(classes, 1).map(|_| ScalarType::U32),
            Signature::Select => match operands {
                [ScalarType::Bool, a, b] if a == b => Some(*a),
                _ => None,
            },
            Signature::WithI32(classes) => match operands {
                [a, ScalarType::I32] if classes.contains(&a.class()) => Some(*a),
                _ => None,
            },
        }
    }

    /// Whether it can fail on operands of this type.
    pub fn can_fail(self, ty: ScalarType) -> bool {
        matches!(self, ScalarOp::Div | ScalarOp::Rem) && ty.is_integer()
    }

    /// The value that leaves every operand as it is, for the rows that reduce: -0.0 for float sums, NaN for the
    /// minimum and maximum of floats (which ignore it).
    pub fn identity(self, ty: ScalarType) -> Option<Const> {
        let ones = if ty == ScalarType::Bool {
            1
        } else {
            u64::MAX >> (64 - ty.bits())
        };
        let top = 1u64 << (ty.bits() - 1);
        let nan = match ty {
            ScalarType::F32 => f32::NAN.to_bits() as u64,
            _ => f64::NAN.to_bits(),
        };
        let one = match ty {
            ScalarType::F32 => 1f32.to_bits() as u64,
            ScalarType::F64 => 1f64.to_bits(),
            _ => 1,
        };
        let bits = match (self, ty.class()) {
            (ScalarOp::Add, Class::Float) => top,
            (ScalarOp::Add | ScalarOp::Or | ScalarOp::Xor, _) => 0,
            (ScalarOp::Mul, _) => one,
            (ScalarOp::And, _) => ones,
            (ScalarOp::Min | ScalarOp::Max, Class::Float) => nan,
            (ScalarOp::Min, Class::Signed) => top - 1,
            (ScalarOp::Min, _) => ones,
            (ScalarOp::Max, Class::Signed) => top,
            (ScalarOp::Max, _) => 0,
            _ => return None,
        };
        Some(Const { ty, bits })
    }

    /// The value on constants; for a row whose meaning is a kernel, `None`.
    pub fn eval(self, operands: &[Const]) -> Option<Result<Const, Fault>> {
        match self.row().meaning {
            Meaning::Native(value) => Some(value(operands)),
            Meaning::Math => None,
        }
    }
}

impl Signature {
    /// Whether the first operand that is not a condition may have type `ty`.
    pub fn admits(self, ty: ScalarType) -> bool {
        match self {
            Signature::Unary(c)
            | Signature::Binary(c)
            | Signature::Ternary(c)
            | Signature::Compare(c)
            | Signature::Count(c)
            | Signature::WithI32(c) => c.contains(&ty.class()),
            Signature::Select => true,
        }
    }
}

/// The value of `cast`: Rust's `as`.
pub fn cast(to: ScalarType, value: Const) -> Const {
    let args = [value];
    macro_rules! to {
        ($rust:ty) => {
            match value.ty {
                ScalarType::Bool => Const::from((value.bits as u8) as $rust),
                ScalarType::F32 => Const::from(f32::from_const(value) as $rust),
                ScalarType::F64 => Const::from(f64::from_const(value) as $rust),
                _ => on!(ints args [a 0] a as $rust),
            }
        };
    }
    match to {
        ScalarType::Bool => Const::bool(match value.ty {
            // Both zeros of a float are false.
            ScalarType::F32 => f32::from_bits(value.bits as u32) != 0.0,
            ScalarType::F64 => f64::from_bits(value.bits) != 0.0,
            _ => value.bits != 0,
        }),
        ScalarType::I8 => to!(i8),
        ScalarType::I16 => to!(i16),
        ScalarType::I32 => to!(i32),
        ScalarType::I64 => to!(i64),
        ScalarType::U8 => to!(u8),
        ScalarType::U16 => to!(u16),
        ScalarType::U32 => to!(u32),
        ScalarType::U64 => to!(u64),
        ScalarType::F32 => to!(f32),
        ScalarType::F64 => to!(f64),
    }
}
