//! The types by which generated code asks rustc which trait a method comes from: `known` of the crate of the macro says how.
//!
//! None of this ever runs.

use crate::scalar::Special;
use num_traits::{One, ToPrimitive, Zero};
use std::ops::{
    Add, BitAnd, BitOr, BitXor, Deref, DerefMut, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub,
};

/// Lends an `S`, and has its traits of the library itself. `L` says which of the two a method was found on.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Outer<S, L>(S, L);

/// The method was found on [`Outer`]: the library's trait is in scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct InScope;

/// The method was found behind [`Outer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct OutOfScope;

/// A type with no methods but those that everything has.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Bare;

/// The result where there is no such method.
pub struct Nothing;

/// What a method may be missing on.
pub trait Plain {}

/// What is left to be asked: nothing where the library's trait is not in scope.
pub trait Settle<S> {
    /// The scalar or nothing.
    type Rest;
}

impl<S> Settle<S> for InScope {
    type Rest = S;
}

impl<S> Settle<S> for OutOfScope {
    type Rest = Bare;
}

/// A value of any type.
pub fn any<T>() -> T {
    unreachable!("this is compiled and never called")
}

/// See [`Outer`].
pub fn outer<S, L>() -> Outer<S, L> {
    any()
}

/// Names the parameter that tells where a method was found.
pub fn scope<S, L>(_: &Outer<S, L>) -> L {
    any()
}

/// See [`Settle`].
pub fn rest<S, L: Settle<S>>(_: L) -> L::Rest {
    any()
}

impl<S> Deref for Outer<S, OutOfScope> {
    type Target = S;

    fn deref(&self) -> &S {
        any()
    }
}

impl<S> DerefMut for Outer<S, OutOfScope> {
    fn deref_mut(&mut self) -> &mut S {
        any()
    }
}

macro_rules! plain {
    ($($t:ty)*) => {
        $(impl Plain for $t {})*
    };
}
plain! { Bare bool i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 }

macro_rules! operators {
    ($($library:ident $name:ident ($($other:ident)?);)*) => {$(
        impl<S: $library> $library for Outer<S, InScope> {
            type Output = Self;

            fn $name(self $(, $other: Self)?) -> Self {
                any()
            }
        }
    )*};
}
operators! {
    Add add (_other);
    Sub sub (_other);
    Mul mul (_other);
    Div div (_other);
    Rem rem (_other);
    Neg neg ();
    Not not ();
    BitAnd bitand (_other);
    BitOr bitor (_other);
    BitXor bitxor (_other);
    Shl shl (_other);
    Shr shr (_other);
}

impl<S: Zero> Zero for Outer<S, InScope> {
    fn zero() -> Self {
        any()
    }

    fn is_zero(&self) -> bool {
        any()
    }
}

impl<S: One> One for Outer<S, InScope> {
    fn one() -> Self {
        any()
    }
}

impl<S: ToPrimitive> ToPrimitive for Outer<S, InScope> {
    fn to_i64(&self) -> Option<i64> {
        any()
    }

    fn to_u64(&self) -> Option<u64> {
        any()
    }
}

impl<S: Special> Special for Outer<S, InScope> {
    fn erf(self) -> Self {
        any()
    }
}
