//! Writes the conformance files of the operations and sinks. What they expect is computed here from Rust's own operators and
//! from a second implementation of the canonical order, never from the tables of the IR. The files stand under version
//! control; this test fails where they differ from what would be written, and rewrites them with `BLESS=1`.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]

#[path = "generate/op.rs"]
mod op;
#[path = "generate/order.rs"]
mod order;
#[path = "generate/scalar.rs"]
mod scalar;
#[path = "generate/sink.rs"]
mod sink;

use std::path::Path;

#[test]
fn files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let bless = std::env::var_os("BLESS").is_some();
    let mut stale = vec![];
    for (name, text) in op::files().into_iter().chain(sink::files()) {
        let path = root.join(&name);
        let text = format!("; Written by tests/generate.rs; change it there.\n\n{text}");
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if bless {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, text).expect("a file");
        } else {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "run with BLESS=1: {stale:?} differ");
}
