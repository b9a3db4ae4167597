//! Compiled code means what the suite says, on one thread and on several.

use cuprous_cpu::crew::Crew;
use cuprous_cpu::isa;
use cuprous_cpu::program::Program;
use dsl_runtime::backend::{Backend, Caps, CompileError, Executable};
use dsl_runtime::conformance;
use dsl_runtime::ir::{Func, Level};
use std::path::Path;
use std::sync::Arc;

#[derive(Debug)]
struct Compiled(usize);

impl Backend for Compiled {
    fn name(&self) -> String {
        format!("compiled:{}", self.0)
    }
    fn caps(&self) -> Caps {
        Caps {
            op: isa::native,
            sink: |_| true,
            levels: vec![Level::Threads, Level::Simd, Level::Seq],
            optimise: true,
        }
    }
    fn target(&self) -> String {
        isa::target()
    }
    fn compile(&self, scheduled: &Func, typed: &Arc<Func>) -> Result<Arc<dyn Executable>, CompileError> {
        let crew = Arc::new(Crew::of(self.0).map_err(CompileError::Internal)?);
        Ok(Arc::new(Program::new(scheduled, typed, self.caps(), crew)?))
    }
}

/// The files named by `CUPROUS_SUITE` (a part of their path), or all.
fn suite(threads: usize) {
    let only = std::env::var("CUPROUS_SUITE").unwrap_or_default();
    let backend = Compiled(threads);
    let mut failed = vec![];
    let mut lines = 0;
    for file in conformance::files(Path::new(conformance::DIR)) {
        if !file.to_string_lossy().contains(&only) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("the suite can be read");
        for outcome in conformance::run_text(&backend, &file, &text) {
            lines += 1;
            if let conformance::Verdict::Failed(text) = &outcome.verdict {
                failed.push(format!("{}:{}: {text}", outcome.file.display(), outcome.line));
            }
        }
    }
    assert!(lines > 0, "no file of the suite matches `{only}`");
    assert!(failed.is_empty(), "{} of {lines} failed\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn conformance_on_one_thread() {
    suite(1);
}

#[test]
fn conformance_on_three_threads() {
    suite(3);
}
