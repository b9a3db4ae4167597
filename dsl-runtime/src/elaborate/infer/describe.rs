//! Types as written → types as inference sees them, and those → Rust's spelling for messages.

use super::unify::Types;
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
        Type::Array { element, len } => {
            let len = match *len {
                Len::Infer => return None,
                Len::Known(n) => n,
                Len::Param(i) => match generics.get(i)? {
                    GenericArg::Const(n) => *n,
                    GenericArg::Type(_) => return None,
                },
            };
            Ty::Array(inner(element)?, len)
        }
        Type::Tuple(members) => Ty::Tuple(all(members)?),
        Type::Option(of) => Ty::Option(inner(of)?),
        Type::Fn { params, result } => Ty::Fn(all(params)?, inner(result)?),
        Type::Never => Ty::Never,
    })
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
    let mut types = Types::default();
    let id = types.import(ty);
    types.spell(id)
}
