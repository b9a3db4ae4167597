//! The reference interpreter: from a legalized function and arguments to results, one statement after the other. It is
//! the definition of the IR: every other backend, and every pass, is right if it gives the same bits.
//!
//! `value` is what a name stands for, `eval` the statements, `par` the parallel construct, `order` the canonical order of
//! reductions and scans, `last_use` where an `update` may work in place, `profile` what a run has read.

mod eval;
mod last_use;
mod order;
mod par;
pub mod profile;
mod value;

use dsl_runtime::array::{Arg, ArrayViewMut, Value};
use dsl_runtime::backend::{
    BACKENDS, Backend, Caps, CompileError, Executable, Failure, Registration,
};
use dsl_runtime::ir::op::Meaning;
use dsl_runtime::ir::{Expr, Func, Level, Place, print, walk};
use std::sync::Arc;
use value::{Array, Datum};

/// The interpreter as a place: `interp`.
///
/// ```
/// use cuprous_interp::Interp;
/// use dsl_runtime::array::{Arg, Value};
/// use dsl_runtime::backend::Backend;
/// use dsl_runtime::ir::{Const, parse::parse};
/// use std::sync::Arc;
///
/// let text = "func @f(%x: f32) -> f32 {\n  %y: f32 = add %x, 1.0\n  return %y\n}";
/// let func = Arc::new(parse(text).unwrap().funcs.remove(0));
/// let executable = Interp.compile(&func, &func).unwrap();
/// let results = executable.run(&[Arg::Scalar(Const::f32(2.0))], &mut [None]).unwrap();
/// assert!(matches!(results[0], Value::Scalar(v) if v == Const::f32(3.0)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interp;

#[linkme::distributed_slice(BACKENDS)]
static INTERP: Registration = Registration {
    name: "interp",
    open: |parameter| match parameter {
        None => Ok(Arc::new(Interp)),
        Some(text) => Err(format!("interp takes no parameter, but `{text}` is given")),
    },
    devices: || 0,
    rank: 1,
};

impl Backend for Interp {
    fn name(&self) -> String {
        "interp".into()
    }

    fn caps(&self) -> Caps {
        Caps {
            op: |op, _| matches!(op.row().meaning, Meaning::Native(_)),
            sink: |_| true,
            levels: vec![Level::Seq],
            optimise: false,
        }
    }

    fn target(&self) -> String {
        "interp".into()
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![(
            "runs",
            "what was elaborated, one statement after the other: the definition".into(),
        )]
    }

    fn compile(
        &self,
        scheduled: &Func,
        _typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let mut math = None;
        walk::stmts(&scheduled.body, &mut |stmt| {
            if let Expr::Op(op, _) = stmt.expr
                && matches!(op.row().meaning, Meaning::Math)
            {
                math = Some(op);
            }
        });
        if let Some(op) = math {
            let message = format!("legalize left {} to the interpreter", op.name());
            return Err(CompileError::Internal(message));
        }
        Ok(Arc::new(Interpreted {
            in_place: last_use::in_place(scheduled),
            func: scheduled.clone(),
        }))
    }
}

/// A function to be interpreted.
struct Interpreted {
    func: Func,
    /// By name of the result: the `update`s that need no copy.
    in_place: Vec<bool>,
}

impl Executable for Interpreted {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let results = eval::Run::new(&self.func, &self.in_place).func(args)?;
        for (at, (result, memory)) in results.iter().zip(into.iter()).enumerate() {
            if let (Datum::Array(array), Some(memory)) = (result, memory)
                && array.shape != memory.shape()
            {
                return Err(Failure::ResultShape {
                    result: at,
                    expected: memory.shape().to_vec(),
                    found: array.shape.clone(),
                });
            }
        }
        let mut values = vec![];
        for (at, result) in results.into_iter().enumerate() {
            values.push(match result {
                Datum::Array(array) => Value::Array(dense(&array, self.func.result_place(at))?),
                Datum::Scalar(value) => Value::Scalar(value),
                Datum::Nothing => unreachable!("the verifier has seen every result bound"),
            });
        }
        for (value, memory) in values.iter_mut().zip(into) {
            if let (Value::Array(array), Some(memory)) = (&*value, memory) {
                memory.copy_from(&array.view());
                *value = Value::Written;
            }
        }
        Ok(values)
    }

    fn code(&self) -> String {
        format!(
            "; the interpreter runs the statements as they stand\n{}",
            print::print(&self.func)
        )
    }
}

fn dense(array: &Array, place: Place) -> Result<dsl_runtime::array::Dense, Failure> {
    let bits = array.iter().map(|value| value.bits);
    dsl_runtime::array::Dense::from_bits(array.elem, array.shape.clone(), bits).ok_or_else(|| {
        Failure::OutOfMemory {
            bytes: value::size(array.elem, &array.shape),
            place,
        }
    })
}
