//! Types as written → types as inference sees them, and those → Rust's spelling for messages.

use crate::elaborate::method::signature::SCALARS;
use crate::elaborate::ty::{GenericArg, Ty};
use crate::syntax::{Len, Scalar, Type};

/// The type that is written, with references erased and generic parameters replaced; `None` if a part of it is left to
/// inference, or if it is `ArrayD`, whose rank is open.
///
/// ```
/// use dsl_runtime::{elaborate::{infer::describe, ty::Ty}, syntax::{Scalar, Type}};
/// let slice = Type::Slice(&Type::Scalar(Scalar::F32));
/// assert_eq!(describe(&slice, &[]), Some(Ty::Seq(Box::new(Ty::Scalar(Scalar::F32)))));
/// ```
pub fn describe(ty: &Type, generics: &[GenericArg]) -> Option<Ty> {
    let inner = |ty: &Type| describe(ty, generics).map(Box::new);
    let all = |types: &[Type]| -> Option<Vec<Ty>> {
        types.iter().map(|ty| describe(ty, generics)).collect()
    };
    Some(match ty {
        Type::Infer => return None,
        Type::Scalar(s) => Ty::Scalar(*s),
        Type::Known(ty) => describe(ty, generics)?,
        Type::Param(i) => match generics.get(*i)? {
            GenericArg::Type(ty) => ty.clone(),
            GenericArg::Const(_) => return None,
        },
        Type::Ref { to, .. } => describe(to, generics)?,
        Type::Slice(element) | Type::Vec(element) => Ty::Seq(inner(element)?),
        Type::Nd { rank: 0, .. } => return None,
        Type::Nd { rank, element } => Ty::Nd(*rank, inner(element)?),
        Type::Array { element, len } => Ty::Array(inner(element)?, length(*len, generics)?),
        Type::Tuple(members) => Ty::Tuple(all(members)?),
        Type::Option(of) => Ty::Option(inner(of)?),
        Type::Fn { params, result } => Ty::Fn(all(params)?, inner(result)?),
        Type::Never => Ty::Never,
    })
}

/// The length that is written; `None` for `_`.
pub(super) fn length(len: Len, generics: &[GenericArg]) -> Option<usize> {
    match len {
        Len::Infer => None,
        Len::Known(n) => Some(n),
        Len::Param(i) => match generics.get(i)? {
            GenericArg::Const(n) => Some(*n),
            GenericArg::Type(_) => None,
        },
    }
}

/// Rust's name of a scalar type.
pub(super) fn scalar_name(scalar: Scalar) -> &'static str {
    SCALARS
        .iter()
        .find(|(_, s)| *s == scalar)
        .map_or("_", |(name, _)| name)
}

/// A type as a Rust programmer writes it, for messages.
///
/// ```
/// use dsl_runtime::{elaborate::{infer::spell, ty::Ty}, syntax::Scalar};
/// let pairs = Ty::Seq(Box::new(Ty::Tuple(vec![Ty::Scalar(Scalar::F32), Ty::Scalar(Scalar::Usize)])));
/// assert_eq!(spell(&pairs), "[(f32, usize)]");
/// ```
pub fn spell(ty: &Ty) -> String {
    let list = |types: &[Ty]| types.iter().map(spell).collect::<Vec<_>>().join(", ");
    match ty {
        Ty::Scalar(s) => scalar_name(*s).to_string(),
        Ty::Tuple(members) if members.len() == 1 => format!("({},)", spell(&members[0])),
        Ty::Tuple(members) => format!("({})", list(members)),
        Ty::Array(element, n) => format!("[{}; {n}]", spell(element)),
        Ty::Seq(element) => format!("[{}]", spell(element)),
        Ty::Nd(rank, element) => format!("Array{rank}<{}>", spell(element)),
        Ty::Range(s) => format!("Range<{}>", scalar_name(*s)),
        Ty::FullRange => "RangeFull".to_string(),
        Ty::Iter(item) => format!("impl Iterator<Item = {}>", spell(item)),
        Ty::Option(of) => format!("Option<{}>", spell(of)),
        Ty::Ordering => "Ordering".to_string(),
        Ty::Fn(params, result) => format!("impl Fn({}) -> {}", list(params), spell(result)),
        Ty::Slice(rank) => format!("s![…] of {rank} dimensions"),
        Ty::Never => "!".to_string(),
    }
}
