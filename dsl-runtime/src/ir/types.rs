//! Types and constants of the IR.

use super::Atom;
use std::fmt;

macro_rules! scalar_types {
    ($($variant:ident $name:literal $rust:ty, $bytes:literal, $class:ident;)*) => {
        /// A scalar type. `bool` occupies one byte, 0 or 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum ScalarType { $($variant),* }

        impl ScalarType {
            /// All of them, in the order of the table.
            pub const ALL: &[ScalarType] = &[$(ScalarType::$variant),*];
            /// The name in the text form.
            pub fn name(self) -> &'static str {
                match self { $(ScalarType::$variant => $name),* }
            }
            /// Bytes in memory.
            pub fn bytes(self) -> usize {
                match self { $(ScalarType::$variant => $bytes),* }
            }
            /// Which arithmetic it has.
            pub fn class(self) -> Class {
                match self { $(ScalarType::$variant => Class::$class),* }
            }
            /// The type of that name.
            pub fn parse(name: &str) -> Option<ScalarType> {
                match name { $($name => Some(ScalarType::$variant),)* _ => None }
            }
        }
    };
}
scalar_types! {
    Bool "bool" bool, 1, Bool;
    I8 "i8" i8, 1, Signed;
    I16 "i16" i16, 2, Signed;
    I32 "i32" i32, 4, Signed;
    I64 "i64" i64, 8, Signed;
    U8 "u8" u8, 1, Unsigned;
    U16 "u16" u16, 2, Unsigned;
    U32 "u32" u32, 4, Unsigned;
    U64 "u64" u64, 8, Unsigned;
    F32 "f32" f32, 4, Float;
    F64 "f64" f64, 8, Float;
}

/// Which arithmetic a scalar type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Class {
    Bool,
    Signed,
    Unsigned,
    Float,
}

impl ScalarType {
    /// Signed or unsigned.
    pub fn is_integer(self) -> bool {
        matches!(self.class(), Class::Signed | Class::Unsigned)
    }
    /// Floating point.
    pub fn is_float(self) -> bool {
        self.class() == Class::Float
    }
    /// Bits of a value (8 for `bool`).
    pub fn bits(self) -> u32 {
        self.bytes() as u32 * 8
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A constant scalar: its type and its bits, zero-extended to 64. Equality is of bits: two NaNs of the same bits are
/// equal, 0.0 and -0.0 are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Const {
    /// The type.
    pub ty: ScalarType,
    /// The bits.
    pub bits: u64,
}

macro_rules! constants {
    ($($variant:ident $name:ident $rust:ty, $v:ident => $to:expr, $b:ident => $from:expr;)*) => {
        impl Const {$(
            #[doc = concat!("The constant of type `", stringify!($rust), "`.")]
            pub const fn $name($v: $rust) -> Const {
                Const { ty: ScalarType::$variant, bits: $to }
            }
        )*}
        $(impl From<$rust> for Const {
            fn from(value: $rust) -> Const { Const::$name(value) }
        }
        impl FromConst for $rust {
            const TYPE: ScalarType = ScalarType::$variant;
            fn from_const(value: Const) -> $rust {
                debug_assert_eq!(value.ty, ScalarType::$variant);
                let $b = value.bits;
                $from
            }
        })*
    };
}
constants! {
    Bool bool bool, v => v as u64, b => b != 0;
    I8 i8 i8, v => v as u8 as u64, b => b as i8;
    I16 i16 i16, v => v as u16 as u64, b => b as i16;
    I32 i32 i32, v => v as u32 as u64, b => b as i32;
    I64 i64 i64, v => v as u64, b => b as i64;
    U8 u8 u8, v => v as u64, b => b as u8;
    U16 u16 u16, v => v as u64, b => b as u16;
    U32 u32 u32, v => v as u64, b => b as u32;
    U64 u64 u64, v => v, b => b;
    F32 f32 f32, v => v.to_bits() as u64, b => f32::from_bits(b as u32);
    F64 f64 f64, v => v.to_bits(), b => f64::from_bits(b);
}

/// A Rust type that a [`Const`] can hold.
pub trait FromConst: Copy + Into<Const> {
    /// The scalar type.
    const TYPE: ScalarType;
    /// Reads the constant; its type must be [`Self::TYPE`].
    fn from_const(value: Const) -> Self;
}

/// The type of a name: a scalar (empty shape) or an array, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths, outermost first: `u64` names or constants.
    pub shape: Vec<Atom>,
}

impl Type {
    /// A scalar.
    pub fn scalar(elem: ScalarType) -> Type {
        Type {
            elem,
            shape: vec![],
        }
    }
    /// An array.
    pub fn array(elem: ScalarType, shape: impl Into<Vec<Atom>>) -> Type {
        Type {
            elem,
            shape: shape.into(),
        }
    }
    /// The type of a size or an index.
    pub fn index() -> Type {
        Type::scalar(ScalarType::U64)
    }
    /// The number of dimensions; 0 for a scalar.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }
    /// Whether it is a scalar.
    pub fn is_scalar(&self) -> bool {
        self.shape.is_empty()
    }
}
