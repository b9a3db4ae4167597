//! Type inference: a kernel's surface tree and its generic arguments → [`Typed`], the type of every expression and
//! pattern.

mod describe;
mod mistake;

pub use describe::{describe, spell};
pub use mistake::Code;

use super::ty::{GenericArg, Mistake, Typed};
use crate::syntax::Kernel;

/// Types a kernel for one choice of its generic arguments, one for each of [`Kernel::generics`].
pub fn infer(kernel: &'static Kernel, generics: &[GenericArg]) -> Result<Typed, Mistake> {
    let params = kernel
        .params
        .iter()
        .map(|param| {
            describe(&param.ty, generics).ok_or_else(|| {
                Code::Unsupported.mistake(
                    kernel.source,
                    param.span,
                    "this type is no parameter of a kernel",
                    "use scalars, tuples, slices and ndarray arrays",
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let result = describe(&kernel.result, generics).ok_or_else(|| {
        Code::Unsupported.mistake(
            kernel.source,
            kernel.body.span,
            "this type is no result of a kernel",
            "use scalars, tuples, `Vec` and ndarray arrays",
        )
    })?;
    Ok(Typed {
        kernel,
        generics: generics.to_vec(),
        params,
        result,
        exprs: Default::default(),
        patterns: Default::default(),
        instances: Default::default(),
    })
}
