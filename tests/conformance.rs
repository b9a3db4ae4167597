//! The conformance suite on every place that is linked into this program; the rows of the IR's tables against its files.

use cuprous::backend::{BACKENDS, Backend, Caps, CompileError, Executable};
use cuprous::conformance;
use cuprous::ir::op::Meaning;
use cuprous::ir::{Func, ScalarOp, SinkKind, op};
use std::path::Path;
use std::sync::Arc;

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
