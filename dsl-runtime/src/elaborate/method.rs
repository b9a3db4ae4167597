//! Methods: a name and the kind of its receiver → what it means ([`Method`]) and its signature. Inference reads the
//! signature; the lowering matches on the meaning. Both ask [`find`], so that they cannot disagree.
//!
//! The rows stand in `table`. Methods that are exactly a row of the table of scalar operations are [`Method::Op`] and need
//! no row there.

pub mod assoc;
mod refused;
pub mod signature;
mod table;

pub(super) use refused::refused;

use super::ty::{self, Ty};
use crate::ir::op::{ScalarOp, Signature as OpSignature};
use crate::syntax::Scalar;
use signature::{Signature, Term};
use std::collections::HashMap;
use std::sync::LazyLock;
use table::TABLE;

/// What a receiver is. A type belongs to several, see [`Receiver::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Receiver {
    Any,
    Scalar,
    Number,
    Float,
    Int,
    Signed,
    Unsigned,
    Bool,
    Ordering,
    Array,
    Seq,
    Range,
    Iter,
    Option,
    Nd,
    Vector,
    Matrix,
}

impl Receiver {
    /// The kinds of a type, in the order in which rustc finds their methods.
    pub fn of(ty: &Ty) -> &'static [Receiver] {
        match ty {
            Ty::Scalar(s) => Receiver::of_scalar(*s),
            Ty::Array(..) => &[Receiver::Array, Receiver::Seq, Receiver::Any],
            Ty::Seq(_) => &[Receiver::Seq, Receiver::Any],
            Ty::Nd(1, _) => &[Receiver::Vector, Receiver::Nd, Receiver::Seq, Receiver::Any],
            Ty::Nd(2, _) => &[Receiver::Matrix, Receiver::Nd, Receiver::Any],
            Ty::Nd(..) => &[Receiver::Nd, Receiver::Any],
            Ty::Range(_) => &[Receiver::Range, Receiver::Iter, Receiver::Any],
            Ty::Iter(_) => &[Receiver::Iter, Receiver::Any],
            Ty::Option(_) => &[Receiver::Option, Receiver::Any],
            Ty::Ordering => &[Receiver::Ordering, Receiver::Any],
            Ty::Tuple(_) | Ty::FullRange | Ty::Fn(..) | Ty::Slice(_) | Ty::Never => {
                &[Receiver::Any]
            }
        }
    }

    /// The kinds of a scalar type.
    pub fn of_scalar(scalar: Scalar) -> &'static [Receiver] {
        use Receiver as R;
        match scalar {
            Scalar::Bool => &[R::Bool, R::Scalar, R::Any],
            Scalar::F32 | Scalar::F64 => &[R::Float, R::Number, R::Scalar, R::Any],
            Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 | Scalar::Isize => {
                &[R::Signed, R::Int, R::Number, R::Scalar, R::Any]
            }
            Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 | Scalar::Usize => {
                &[R::Unsigned, R::Int, R::Number, R::Scalar, R::Any]
            }
        }
    }
}

/// What a method means on its receiver. Where several kinds of receivers share a variant, the meaning is the same word on
/// each: `Map` on a sequence, an iterator, a fixed array, an `Option`, an N-dimensional array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    /// A scalar operation on the receiver and the arguments. The amount of a shift or rotation is a `u32` here and has to
    /// be cast to the type of the receiver.
    Op(ScalarOp),
    /// The receiver itself: `clone`, `copied`, `into_iter` of an iterator, …
    Same,
    /// A lossless conversion to the type of the expression: `x.into()`.
    Into,
    /// A conversion that is `None` where the value does not fit: `to_f64`, `to_usize`, … of `num_traits`, `try_into`.
    ToPrimitive,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Cmp,
    PartialCmp,
    TotalCmp,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Neg,
    Not,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
    Clamp,
    Signum,
    IsPositive,
    IsNegative,
    IsZero,
    IsOne,
    DivEuclid,
    RemEuclid,
    Recip,
    Fract,
    SinCos,
    ToDegrees,
    ToRadians,
    IsNan,
    IsFinite,
    IsInfinite,
    IsNormal,
    IsSignNegative,
    IsSignPositive,
    ToBits,
    Pow,
    AbsDiff,
    UnsignedAbs,
    DivCeil,
    NextMultipleOf,
    IsPowerOfTwo,
    NextPowerOfTwo,
    Ilog2,
    Isqrt,
    CountZeros,
    LeadingOnes,
    TrailingOnes,
    RotateRight,
    SwapBytes,
    ReverseBits,
    WrappingDiv,
    WrappingRem,
    WrappingPow,
    WrappingAddSigned,
    SaturatingAdd,
    SaturatingSub,
    SaturatingMul,
    SaturatingAddSigned,
    CheckedAdd,
    CheckedSub,
    CheckedMul,
    CheckedDiv,
    CheckedRem,
    CheckedAddSigned,
    OverflowingAdd,
    OverflowingSub,
    OverflowingMul,
    Then,
    ThenSome,

    // Ordering
    IsLt,
    IsLe,
    IsGt,
    IsGe,
    IsEq,
    IsNe,
    Reverse,
    ThenOrdering,
    ThenWith,

    // Option
    Unwrap,
    UnwrapOr,
    UnwrapOrElse,
    UnwrapOrDefault,
    IsSome,
    IsNone,
    IsSomeAnd,
    IsNoneOr,
    MapOr,
    MapOrElse,
    AndThen,
    Or,
    OrElse,

    // Sequences, fixed arrays and iterators
    Len,
    IsEmpty,
    /// The elements as a sequence: `to_vec`, `as_slice`.
    ToSeq,
    /// The elements as an iterator, in logical order.
    Iter,
    /// The elements as places that a `for` loop assigns to: `for v in x.iter_mut() { *v = … }`.
    IterMut,
    First,
    Last,
    Get,
    Contains,
    SplitAt,
    Concat,
    /// Exchange of two elements of a local array: a statement.
    SwapElements,
    /// Sets each element of a local array: a statement.
    FillWith,
    /// Copies a sequence of equal length into a local array: a statement.
    CopyFrom,
    /// Turns a local array round: a statement.
    ReverseInPlace,
    Map,
    Zip,
    Zip3,
    Unzip,
    Enumerate,
    /// `reduce(e, op)`.
    Reduce,
    /// std's `reduce(op)`: an `Option`.
    ReduceOption,
    Fold,
    Sum,
    Product,
    Minimum,
    Maximum,
    Argmin,
    Argmax,
    Any,
    All,
    /// The number of elements with a property.
    Count,
    /// The number of items that an iterator has.
    CountItems,
    Position,
    Find,
    FindMap,
    Scan,
    Exscan,
    Rscan,
    Rexscan,
    Filter,
    FilterMap,
    Partition,
    FlatMap,
    Flatten,
    Gather,
    GatherOr,
    Scatter,
    Permute,
    ScatterWith,
    Shift,
    Rotate,
    Rev,
    Take,
    Skip,
    TakeWhile,
    SkipWhile,
    Chain,
    StepBy,
    Replicate,
    Interleave,
    WindowsMap,
    ChunksMap,
    Windows,
    Chunks,
    ChunksExact,
    /// std's `min` and `max` of an iterator: an `Option`; of equal ones `min` gives the first and `max` the last.
    MinItem,
    MaxItem,
    MinBy,
    MaxBy,
    MinByKey,
    MaxByKey,
    Nth,
    Collect,

    // ndarray
    Dim,
    Shape,
    Ndim,
    Nrows,
    Ncols,
    LenOf,
    Row,
    Column,
    Rows,
    Columns,
    OuterIter,
    AxisIter,
    IndexAxis,
    Transpose,
    Slice,
    IndexedIter,
    Mean,
    SumAxis,
    MeanAxis,
    MapAxis,
    Dot,
    /// Sets each element of a local array to that of another: a statement.
    Assign,
    Diag,
    Reshape,
}

/// A signature that is ready to be read, and what it belongs to.
struct Entry {
    receiver: Receiver,
    method: Method,
    signature: Signature,
}

static ENTRIES: LazyLock<HashMap<&'static str, Vec<Entry>>> = LazyLock::new(|| {
    let mut entries: HashMap<_, Vec<Entry>> = HashMap::new();
    for row in TABLE {
        entries.entry(row.name).or_default().push(Entry {
            receiver: row.receiver,
            method: row.method,
            signature: Signature::parse(row.signature),
        });
    }
    entries
});

/// What a method means on a receiver of this type; `None` if there is no such method.
///
/// ```
/// use dsl_runtime::{elaborate::{method::{self, Method}, ty::Ty}, ir::ScalarOp, syntax::Scalar};
/// let f = Ty::Scalar(Scalar::F64);
/// assert_eq!(method::find(&f, "sqrt"), Some(Method::Op(ScalarOp::Sqrt)));
/// assert_eq!(method::find(&Ty::Seq(Box::new(f)), "zip"), Some(Method::Zip));
/// ```
pub fn find(receiver: &Ty, name: &str) -> Option<Method> {
    if let Ty::Scalar(scalar) = receiver
        && let Some(op) = ScalarOp::method(name, ty::scalar(*scalar))
    {
        return Some(Method::Op(op));
    }
    lookup(Receiver::of(receiver), name).map(|(method, _)| method)
}

/// The row of a name for the first of these kinds that has one.
pub(super) fn lookup(kinds: &[Receiver], name: &str) -> Option<(Method, &'static Signature)> {
    let entries = ENTRIES.get(name)?;
    kinds.iter().find_map(|kind| {
        let entry = entries.iter().find(|entry| entry.receiver == *kind)?;
        Some((entry.method, &entry.signature))
    })
}

/// The signature of a scalar operation as a Rust method.
pub(super) fn of_op(op: ScalarOp) -> Signature {
    let own = || Term::Own;
    let (params, result) = match (op, op.row().signature) {
        (ScalarOp::Shl | ScalarOp::Shr | ScalarOp::RotateLeft, _) => {
            (vec![Term::Scalar(Scalar::U32)], own())
        }
        (_, OpSignature::Unary(_)) => (vec![], own()),
        (_, OpSignature::Binary(_)) => (vec![own()], own()),
        (_, OpSignature::Ternary(_) | OpSignature::Select) => (vec![own(), own()], own()),
        (_, OpSignature::Compare(_)) => (vec![own()], Term::Scalar(Scalar::Bool)),
        (_, OpSignature::Count(_)) => (vec![], Term::Scalar(Scalar::U32)),
        (_, OpSignature::WithI32(_)) => (vec![Term::Scalar(Scalar::I32)], own()),
    };
    Signature {
        params,
        open: false,
        result,
    }
}

/// The names of all methods of these kinds; of scalars those of the operations too.
pub(super) fn names(
    kinds: &[Receiver],
    scalar: Option<Scalar>,
) -> impl Iterator<Item = &'static str> {
    let ops = crate::ir::op::TABLE
        .iter()
        .filter(move |row| scalar.is_some_and(|s| row.signature.admits(ty::scalar(s))))
        .flat_map(|row| row.methods.iter().copied());
    TABLE
        .iter()
        .filter(move |row| kinds.contains(&row.receiver))
        .map(|row| row.name)
        .chain(ops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_parses() {
        assert!(ENTRIES.len() > 100);
    }

    #[test]
    fn no_kind_has_a_name_twice() {
        let mut seen = std::collections::HashSet::new();
        for row in TABLE {
            assert!(
                seen.insert((row.receiver, row.name)),
                "{:?} {}",
                row.receiver,
                row.name
            );
        }
    }

    #[test]
    fn ndarray_comes_before_the_sequence() {
        let vector = Ty::Nd(1, Box::new(Ty::Scalar(Scalar::F64)));
        assert_eq!(find(&vector, "map"), Some(Method::Map));
        assert_eq!(find(&vector, "fold"), Some(Method::Fold));
        assert_eq!(find(&vector, "scan"), Some(Method::Scan));
        let matrix = Ty::Nd(2, Box::new(Ty::Scalar(Scalar::F64)));
        assert_eq!(find(&matrix, "scan"), None);
    }
}
