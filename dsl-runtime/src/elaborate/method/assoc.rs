//! Associated functions and constants, `T::of(2.0)`, `Array2::zeros((h, w))`, `f64::EPSILON`: the type that they belong to
//! and their name → what they mean. A function whose first parameter is of the type itself (`f64::max`) is a method and
//! stands in that table.

use super::Receiver;
use super::signature::Signature;
use crate::ir::ScalarType;
use crate::syntax::Scalar;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What an associated function with arguments means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Assoc {
    /// A float literal in a generic type: `T::of(2.0)`.
    Of,
    /// A conversion: lossless into a scalar (`u64::from(x)`), or, where the call has an `Option`, `None` where the value
    /// does not fit (`T::from(x)` of `num_traits`).
    From,
    FromBits,
    /// An array of zeros of this shape.
    Zeros,
    Ones,
    FromElem,
    FromShapeFn,
    /// An array of this shape with the elements of a sequence in row-major order; `None` if their number differs.
    FromShapeVec,
    /// A sequence as it is.
    FromSeq,
    FromIter,
    Linspace,
    /// `start, start + step, …` below the end.
    Range,
    Eye,
}

struct Row {
    receiver: Receiver,
    name: &'static str,
    assoc: Assoc,
    signature: &'static str,
}

macro_rules! table {
    ($($receiver:ident { $($name:ident $assoc:ident $signature:literal;)* })*) => {
        static TABLE: &[Row] = &[$($(Row {
            receiver: Receiver::$receiver,
            name: stringify!($name),
            assoc: Assoc::$assoc,
            signature: $signature,
        },)*)*];
    };
}

table! {
    Scalar {
        from From "(A) -> S";
    }
    Float {
        of Of "(f64) -> S";
        from_bits FromBits "(unsigned S) -> S";
    }
    Number {
        try_from From "(A) -> opt S";
        from_f32 From "(f32) -> opt S";
        from_f64 From "(f64) -> opt S";
        from_i32 From "(i32) -> opt S";
        from_i64 From "(i64) -> opt S";
        from_u32 From "(u32) -> opt S";
        from_u64 From "(u64) -> opt S";
        from_usize From "(usize) -> opt S";
    }
    Seq {
        from FromSeq "(seq T) -> [T]";
        from_iter FromIter "(into T) -> [T]";
    }
    Vector {
        from FromSeq "(seq T) -> nd T";
        from_vec FromSeq "([T]) -> nd T";
        from_iter FromIter "(into T) -> nd T";
        linspace Linspace "(T, T, usize) -> nd T";
        range Range "(T, T, T) -> nd T";
    }
    Matrix {
        eye Eye "(usize) -> nd T";
    }
    Nd {
        zeros Zeros "(shape) -> nd T";
        default Zeros "(shape) -> nd T";
        ones Ones "(shape) -> nd T";
        from_elem FromElem "(shape, T) -> nd T";
        from_shape_fn FromShapeFn "(shape, fn(shape) -> T) -> nd T";
        from_shape_vec FromShapeVec "(shape, [T]) -> opt nd T";
    }
}

/// The functions of our prelude and of std that are no methods, under the names that the surface tree gives them.
static FUNCTIONS: &[(&str, &str)] = &[
    ("indices", "(usize) -> [usize]"),
    ("fill", "(usize, T) -> [T]"),
    ("tabulate", "(usize, fn(usize) -> T) -> [T]"),
    (
        "tabulate2",
        "((usize, usize), fn((usize, usize)) -> T) -> nd2 T",
    ),
    (
        "tabulate3",
        "((usize, usize, usize), fn((usize, usize, usize)) -> T) -> nd3 T",
    ),
    ("rng::uniform", "(u64, u64) -> f64"),
    ("rng::normal", "(u64, u64) -> f64"),
    ("rng::philox", "([u32; 2], [u32; 4]) -> [u32; 4]"),
    ("min", "(T, T) -> T"),
    ("max", "(T, T) -> T"),
    ("swap", "(T, T) -> ()"),
    ("replace", "(T, T) -> T"),
    ("take", "(T) -> T"),
    ("zip", "(into A, into B) -> iter (A, B)"),
    ("from_fn", "(fn(usize) -> T) -> [T; N]"),
    ("Axis", "(usize) -> usize"),
];

static SIGNATURES: LazyLock<HashMap<&'static str, Signature>> = LazyLock::new(|| {
    FUNCTIONS
        .iter()
        .map(|(name, signature)| (*name, Signature::parse(signature)))
        .collect()
});

/// The signature of a function of the prelude or of std, by its name in the surface tree.
pub(crate) fn function(name: &str) -> Option<&'static Signature> {
    SIGNATURES.get(name)
}

/// The names of all such functions.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}

static REFUSED: &[(Receiver, &[&str], &str)] = &[
    (
        Receiver::Seq,
        &["new", "with_capacity"],
        "arrays do not grow in place: write `vec![v; n]` for one of known length, or make it with `map`, `filter`, `flat_map` or `collect`",
    ),
    (
        Receiver::Nd,
        &["uninit", "build_uninit"],
        "write `zeros` or `from_shape_fn`",
    ),
];

type Entries = HashMap<(Receiver, &'static str), (Assoc, Signature)>;

static ENTRIES: LazyLock<Entries> = LazyLock::new(|| {
    TABLE
        .iter()
        .map(|row| {
            let signature = Signature::parse(row.signature);
            ((row.receiver, row.name), (row.assoc, signature))
        })
        .collect()
});

/// The row of a name for the first of these kinds that has one.
pub(crate) fn lookup(
    kinds: &[Receiver],
    name: &'static str,
) -> Option<&'static (Assoc, Signature)> {
    kinds.iter().find_map(|kind| ENTRIES.get(&(*kind, name)))
}

/// What an associated function of a type means.
///
/// ```
/// use dsl_runtime::{elaborate::{method::assoc::{self, Assoc}, ty::Ty}, syntax::Scalar};
/// assert_eq!(assoc::find(&Ty::Scalar(Scalar::F32), "of"), Some(Assoc::Of));
/// ```
pub fn find(ty: &super::Ty, name: &'static str) -> Option<Assoc> {
    lookup(Receiver::of(ty), name).map(|(assoc, _)| *assoc)
}

/// What to write instead of an associated function that kernels do not have.
pub(crate) fn refused(kinds: &[Receiver], name: &str) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(kind, names, _)| kinds.contains(kind) && names.contains(&name))
        .map(|(_, _, remedy)| *remedy)
}

/// The names of all associated functions of these kinds.
pub(crate) fn names(kinds: &[Receiver]) -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(|row| kinds.contains(&row.receiver))
        .map(|row| row.name)
}

/// The value of an associated constant of a scalar type, or of an associated function without parameters
/// (`T::epsilon()`, `T::PI()` of `num_traits`): its type and its bits, zero-extended.
///
/// ```
/// use dsl_runtime::{elaborate::method::assoc::value, syntax::Scalar};
/// assert_eq!(value(Scalar::F32, "EPSILON"), Some((Scalar::F32, f32::EPSILON.to_bits() as u64)));
/// assert_eq!(value(Scalar::I8, "min_value"), Some((Scalar::I8, 0x80)));
/// assert_eq!(value(Scalar::I8, "EPSILON"), None);
/// ```
pub fn value(ty: Scalar, name: &str) -> Option<(Scalar, u64)> {
    match ty {
        Scalar::Bool => match name {
            "default" => Some((ty, 0)),
            _ => None,
        },
        Scalar::F32 => number(name, ty)
            .or_else(|| float(name).map(|v| (ty, (v as f32).to_bits() as u64)))
            .or_else(|| f32_limit(name).map(|v| (ty, v.to_bits() as u64))),
        Scalar::F64 => number(name, ty)
            .or_else(|| float(name).map(|v| (ty, v.to_bits())))
            .or_else(|| f64_limit(name).map(|v| (ty, v.to_bits()))),
        _ => number(name, ty).or_else(|| integer(name, ty)),
    }
}

/// Constants that all numbers have.
fn number(name: &str, ty: Scalar) -> Option<(Scalar, u64)> {
    let one = match ty {
        Scalar::F32 => 1f32.to_bits() as u64,
        Scalar::F64 => 1f64.to_bits(),
        _ => 1,
    };
    match name {
        "zero" | "ZERO" | "default" => Some((ty, 0)),
        "one" | "ONE" => Some((ty, one)),
        _ => None,
    }
}

fn integer(name: &str, ty: Scalar) -> Option<(Scalar, u64)> {
    let scalar = crate::elaborate::ty::scalar(ty);
    let width = scalar.bits();
    let all = u64::MAX >> (64 - width);
    let signed = matches!(
        scalar,
        ScalarType::I8 | ScalarType::I16 | ScalarType::I32 | ScalarType::I64
    );
    match name {
        "MAX" | "max_value" => Some((ty, if signed { all >> 1 } else { all })),
        "MIN" | "min_value" => Some((ty, if signed { 1 << (width - 1) } else { 0 })),
        "BITS" => Some((Scalar::U32, width as u64)),
        _ => None,
    }
}

/// Constants of mathematics. Each `f32` constant of std is the `f64` one rounded.
fn float(name: &str) -> Option<f64> {
    use std::f64::consts::*;
    Some(match name {
        "PI" => PI,
        "TAU" => TAU,
        "E" => E,
        "FRAC_PI_2" => FRAC_PI_2,
        "FRAC_PI_3" => FRAC_PI_3,
        "FRAC_PI_4" => FRAC_PI_4,
        "FRAC_PI_6" => FRAC_PI_6,
        "FRAC_PI_8" => FRAC_PI_8,
        "FRAC_1_PI" => FRAC_1_PI,
        "FRAC_2_PI" => FRAC_2_PI,
        "FRAC_2_SQRT_PI" => FRAC_2_SQRT_PI,
        "FRAC_1_SQRT_2" => FRAC_1_SQRT_2,
        "SQRT_2" => SQRT_2,
        "LN_2" => LN_2,
        "LN_10" => LN_10,
        "LOG2_E" => LOG2_E,
        "LOG2_10" => LOG2_10,
        "LOG10_E" => LOG10_E,
        "LOG10_2" => LOG10_2,
        "INFINITY" | "infinity" => f64::INFINITY,
        "NEG_INFINITY" | "neg_infinity" => f64::NEG_INFINITY,
        "NAN" | "nan" => f64::NAN,
        "neg_zero" => -0.0,
        _ => return None,
    })
}

macro_rules! limits {
    ($($function:ident $t:ident;)*) => {$(
        fn $function(name: &str) -> Option<$t> {
            Some(match name {
                "MAX" | "max_value" => $t::MAX,
                "MIN" | "min_value" => $t::MIN,
                "EPSILON" | "epsilon" => $t::EPSILON,
                "MIN_POSITIVE" | "min_positive_value" => $t::MIN_POSITIVE,
                _ => return None,
            })
        }
    )*};
}
limits! {
    f32_limit f32;
    f64_limit f64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_constants_are_the_rounded_double_ones() {
        use std::f32::consts as s;
        for (name, expected) in [
            ("PI", s::PI),
            ("E", s::E),
            ("LN_2", s::LN_2),
            ("LN_10", s::LN_10),
            ("SQRT_2", s::SQRT_2),
            ("FRAC_1_SQRT_2", s::FRAC_1_SQRT_2),
            ("FRAC_PI_3", s::FRAC_PI_3),
            ("FRAC_2_SQRT_PI", s::FRAC_2_SQRT_PI),
            ("LOG10_2", s::LOG10_2),
            ("LOG2_10", s::LOG2_10),
        ] {
            assert_eq!(
                value(Scalar::F32, name),
                Some((Scalar::F32, expected.to_bits() as u64)),
                "{name}"
            );
        }
    }

    #[test]
    fn limits_of_integers() {
        assert_eq!(
            value(Scalar::I64, "MAX"),
            Some((Scalar::I64, i64::MAX as u64))
        );
        assert_eq!(
            value(Scalar::I16, "MIN"),
            Some((Scalar::I16, i16::MIN as u16 as u64))
        );
        assert_eq!(value(Scalar::Usize, "MAX"), Some((Scalar::Usize, u64::MAX)));
        assert_eq!(value(Scalar::U8, "BITS"), Some((Scalar::U32, 8)));
        assert_eq!(value(Scalar::U8, "PI"), None);
    }

    #[test]
    fn every_signature_parses() {
        assert_eq!(ENTRIES.len(), TABLE.len());
        assert_eq!(SIGNATURES.len(), FUNCTIONS.len());
    }
}
