//! Every pass changes nothing: the conformance suite on the interpreter, after all passes, and after each one alone.

use cuprous_interp::Interp;
use dsl_runtime::array::{Arg, ArrayViewMut, Dense, Value};
use dsl_runtime::backend::{Backend, Caps, CompileError, Executable, Failure};
use dsl_runtime::ir::parse::parse;
use dsl_runtime::ir::{Func, Level, ScalarOp, ScalarType};
use dsl_runtime::{conformance, pass};
use std::path::Path;
use std::sync::Arc;

/// The interpreter, behind some passes: what fails is reported by the function as elaborated, as every backend does.
#[derive(Debug)]
struct Behind {
    passes: Vec<&'static str>,
    /// The operations that it computes itself.
    op: fn(ScalarOp, ScalarType) -> bool,
}

struct Both {
    passed: Arc<dyn Executable>,
    typed: Arc<dyn Executable>,
}

impl Backend for Behind {
    fn name(&self) -> String {
        format!("interp behind {}", self.passes.join(","))
    }
    fn caps(&self) -> Caps {
        Interp.caps()
    }
    fn target(&self) -> String {
        self.name()
    }
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let caps = Caps {
            levels: vec![Level::Threads, Level::Simd, Level::Seq],
            op: self.op,
            ..Interp.caps()
        };
        let broken = |broken: pass::Broken| {
            CompileError::Internal(format!("{}: {}", broken.pass, broken.report))
        };
        let passed = pass::run(typed, &caps, &self.passes).map_err(broken)?;
        Ok(Arc::new(Both {
            passed: Interp.compile(&passed, typed)?,
            typed: Interp.compile(scheduled, typed)?,
        }))
    }
}

impl Executable for Both {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        match self.passed.run(args, into) {
            Err(Failure::Fault { place, .. }) => match self.typed.run(args, into) {
                Ok(_) => Err(Failure::Unsupported(format!(
                    "only the passed function fails, at {place:?}: unsupported"
                ))),
                failure => failure,
            },
            other => other,
        }
    }
    fn code(&self) -> String {
        String::new()
    }
}

fn unchanged(passes: &[&'static str]) {
    unchanged_with(passes, Interp.caps().op);
}

fn unchanged_with(passes: &[&'static str], op: fn(ScalarOp, ScalarType) -> bool) {
    let backend = Behind {
        passes: passes.to_vec(),
        op,
    };
    let report = conformance::run(
        &backend,
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance"),
    );
    let failed: Vec<String> = report
        .failed()
        .map(|outcome| format!("{outcome:?}"))
        .collect();
    assert!(
        failed.is_empty(),
        "{}: {} fail\n{}",
        backend.name(),
        failed.len(),
        failed[..failed.len().min(5)].join("\n")
    );
    assert!(
        report.outcomes.len() > 500,
        "only {} run lines",
        report.outcomes.len()
    );
    assert!(
        !report
            .outcomes
            .iter()
            .any(|outcome| format!("{outcome:?}").contains("only the passed"))
    );
}

#[test]
fn all_together() {
    unchanged(pass::OPTIMISE);
}

#[test]
fn each_alone() {
    for pass in pass::PASSES {
        unchanged(&["legalize", "simplify", pass.name]);
    }
}

/// A place without the operations that `legalize` has rules for.
#[test]
fn taken_apart() {
    unchanged_with(&["legalize", "simplify"], |op, ty| {
        use ScalarOp::{Abs, Copysign, RotateLeft, Round, TrailingZeros};
        (Interp.caps().op)(op, ty)
            && !matches!(op, RotateLeft | Abs | Copysign | Round | TrailingZeros)
    });
}

mod kernels {
    use cuprous::prelude::*;

    /// Five maps and a sum.
    #[kernel]
    pub fn chain(x: &[f32], y: &[f32]) -> f32 {
        let a = x.zip(y).map(|(x, y)| x * y);
        let b = a.map(|v| v + 1.0);
        let c = b.map(|v| v.abs());
        let d = c.map(|v| v * 0.5);
        let e = d.map(|v| v.sqrt());
        e.sum()
    }
}

/// What is fused reads each element of the inputs once, and nothing else; what is not reads all that lies between too.
#[test]
fn a_chain_reads_its_inputs_once() {
    let text = kernels::chain::kernel().ir().unwrap();
    let typed = Arc::new(parse(&text).unwrap().funcs.remove(0));
    let n = 1000;
    let [x, y] = [2.0f32, -3.0].map(|value| {
        let bits = std::iter::repeat_n(u64::from(value.to_bits()), n);
        Dense::from_bits(ScalarType::F32, vec![n], bits).unwrap()
    });
    let args = [&x, &y].map(|dense| Arg::Array(dense.view()));
    let reads = |passes: &[&'static str]| {
        let caps = Caps {
            levels: vec![Level::Threads, Level::Simd, Level::Seq],
            ..Interp.caps()
        };
        let passed = pass::run(&typed, &caps, passes).unwrap();
        let program = Interp.compile(&passed, &typed).unwrap();
        let before = cuprous_interp::profile::reads();
        program.run(&args, &mut [None]).unwrap();
        cuprous_interp::profile::reads() - before
    };
    assert_eq!(reads(pass::OPTIMISE), 2 * n as u64);
    assert!(reads(&["legalize"]) > 2 * n as u64);
}
