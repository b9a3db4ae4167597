//! The conformance suite on every place that is linked into this program; the rows of the IR's tables against its files.

use cuprous::array::{Arg, ArrayViewMut, Value};
use cuprous::backend::{BACKENDS, Backend, Caps, CompileError, Executable, Failure};
use cuprous::conformance;
use cuprous::ir::op::Meaning;
use cuprous::ir::{Atom, Func, ScalarOp, SinkKind, op, types};
use cuprous::pass::{self, Assumption};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn every_place() {
    let mut failed = 0;
    for row in BACKENDS {
        // A number behind the colon, where the place takes one: how many threads, for example.
        for parameter in [None, Some("1"), Some("2"), Some("3"), Some("8")] {
            let backend = match (row.open)(parameter) {
                Ok(backend) => backend,
                Err(_) if parameter.is_some() => continue,
                Err(reason) => {
                    println!("{}: skipped: {reason}", row.name);
                    break;
                }
            };
            let report = conformance::run(&*backend, Path::new(conformance::DIR));
            assert!(
                !report.outcomes.is_empty(),
                "there is no suite at {}",
                conformance::DIR
            );
            println!("{report}");
            failed += report.failed().count();
        }
    }
    assert!(!BACKENDS.is_empty(), "no backend is linked");
    assert_eq!(failed, 0, "run lines failed; see above");
}

#[test]
fn every_row_has_its_file() {
    let missing = |folder: &str, name: &str| {
        let path = Path::new(conformance::DIR)
            .join(folder)
            .join(name)
            .with_extension("cup");
        (!path.exists()).then(|| format!("{folder}/{name}.cup"))
    };
    let ops = op::TABLE.iter().filter_map(|row| missing("op", row.name));
    let sinks = SinkKind::ALL
        .iter()
        .filter_map(|kind| missing("sink", kind.name()));
    let missing: Vec<String> = ops.chain(sinks).collect();
    assert!(missing.is_empty(), "no conformance file: {missing:?}");
}

/// A place that lacks every operation that `legalize` takes apart.
#[derive(Debug)]
struct Lean(Arc<dyn Backend>);

impl Backend for Lean {
    fn name(&self) -> String {
        format!("{} with fewer operations", self.0.name())
    }
    fn caps(&self) -> Caps {
        use ScalarOp::{Abs, Copysign, RotateLeft, Round, TrailingZeros};
        Caps {
            op: |op, _| {
                let apart = matches!(op, Abs | Copysign | RotateLeft | Round | TrailingZeros);
                matches!(op.row().meaning, Meaning::Native(_)) && !apart
            },
            ..self.0.caps()
        }
    }
    fn target(&self) -> String {
        self.0.target()
    }
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        self.0.compile(scheduled, typed)
    }
}

#[test]
fn operations_that_are_taken_apart() {
    for row in BACKENDS {
        let Ok(backend) = (row.open)(None) else {
            continue;
        };
        let dir = Path::new(conformance::DIR).join("op");
        let report = conformance::run(&Lean(backend), &dir);
        assert!(!report.outcomes.is_empty());
        assert!(report.failed().next().is_none(), "{report}");
    }
}

/// A place that runs code without the tests of indices wherever the arguments make them valid: on the first call already, and
/// finding out about them in its own way.
#[derive(Debug)]
struct Assuming(Arc<dyn Backend>);

struct Both {
    typed: Arc<Func>,
    any: Arc<dyn Executable>,
    assuming: Option<(Arc<dyn Executable>, Vec<Assumption>)>,
}

/// Runs without tests.
static ASSUMED: AtomicUsize = AtomicUsize::new(0);

impl Backend for Assuming {
    fn name(&self) -> String {
        format!("{} with assumptions", self.0.name())
    }
    fn caps(&self) -> Caps {
        self.0.caps()
    }
    fn target(&self) -> String {
        self.0.target()
    }
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let assuming = match pass::assume(typed) {
            Some((func, assumptions)) => {
                let scheduled = pass::pipeline(&func, &self.caps())
                    .map_err(|broken| CompileError::Internal(broken.report))?;
                Some((self.0.compile(&scheduled, typed)?, assumptions))
            }
            None => None,
        };
        Ok(Arc::new(Both {
            typed: typed.clone(),
            any: self.0.compile(scheduled, typed)?,
            assuming,
        }))
    }
}

impl Both {
    fn holds(&self, one: &Assumption, args: &[Arg<'_>]) -> bool {
        let length = match one.length {
            Atom::Const(value) => value.bits as usize,
            Atom::Var(_) => {
                let shapes = self
                    .typed
                    .params
                    .iter()
                    .map(|&param| &self.typed.ty(param).shape);
                let mut pairs = shapes
                    .zip(args)
                    .flat_map(|(sizes, arg)| sizes.iter().zip(arg.shape()));
                *pairs.find(|(size, _)| **size == one.length).unwrap().1
            }
        };
        let Arg::Array(view) = &args[one.param] else {
            return false;
        };
        let signed = view.elem().class() == types::Class::Signed;
        let negative = |bits| signed && bits >> (view.elem().bits() - 1) != 0;
        let fits = |bits| match one.inclusive {
            true => bits <= length as u64,
            false => bits < length as u64,
        };
        view.iter()
            .all(|value| !negative(value.bits) && fits(value.bits))
    }
}

impl Executable for Both {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        match &self.assuming {
            Some((executable, assumptions))
                if assumptions.iter().all(|one| self.holds(one, args)) =>
            {
                ASSUMED.fetch_add(1, Ordering::Relaxed);
                executable.run(args, into)
            }
            _ => self.any.run(args, into),
        }
    }
    fn code(&self) -> String {
        self.any.code()
    }
}

#[test]
fn indices_that_arguments_make_valid() {
    for row in BACKENDS {
        let Ok(backend) = (row.open)(None) else {
            continue;
        };
        let report = conformance::run(&Assuming(backend), Path::new(conformance::DIR));
        assert!(!report.outcomes.is_empty());
        assert!(report.failed().next().is_none(), "{report}");
    }
    let assumed = ASSUMED.load(Ordering::Relaxed);
    assert!(assumed > 20, "{assumed} runs without tests");
}
