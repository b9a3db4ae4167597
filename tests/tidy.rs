//! Rules about the repository itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files that may say `unsafe`: memory, the call of compiled code and what feeds it, and hand-written baselines.
const UNSAFE: &[&str] = &[
    "backends/cpu/src/abi.rs",
    "backends/cpu/src/driver/",
    "backends/cpu/src/executor.rs",
    "backends/cpu/src/executor/",
    "backends/cpu/src/jit.rs",
    "backends/cpu/src/memory.rs",
    "backends/cpu/src/transfer.rs",
    "backends/cpu/tests/",
    "backends/mpi/src/comm/mpi/",
    "backends/mpi/src/array/rows.rs",
    "backends/mpi/src/rsmpi.rs",
    "backends/mpi/src/world.rs",
    "backends/mpi/tests/cut/",
    "backends/mpi/tests/mpirun/",
    "backends/mpi/tests/together.rs",
    "backends/opencl/src/transfer.rs",
    "backends/opencl/loader/",
    "backends/opencl/src/device/",
    "backends/opencl/tests/device",
    "benches/",
    "dsl-runtime/src/array/",
    "dsl-runtime/tests/array.rs",
    "tests/oclgrind.rs",
];

/// All tracked kinds of files below the folders of ours.
fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut open: Vec<PathBuf> = [
        "src",
        "dsl-macros",
        "dsl-runtime",
        "backends",
        "examples",
        "benches",
        "tests",
        "fuzz",
        "docs",
    ]
    .iter()
    .map(|folder| Path::new(ROOT).join(folder))
    .collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{extension} file is found");
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(ROOT)
        .expect("below the root")
        .display()
        .to_string()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_file_begins_with_what_it_is() {
    let silent: Vec<_> = files("rs")
        .iter()
        .filter(|path| !name(path).starts_with("tests/ui/"))
        .filter(|path| !text(path).trim_start().starts_with("//!"))
        .map(|path| name(path))
        .collect();
    assert!(silent.is_empty(), "without `//!`: {silent:#?}");
}

#[test]
fn unsafe_stands_in_few_files_and_says_why() {
    let word = concat!("uns", "afe");
    let mut wrong = vec![];
    for path in files("rs") {
        let (name, text) = (name(&path), text(&path));
        if name.starts_with("tests/ui/")
            || name == "tests/tidy.rs"
            || name.starts_with("dsl-macros/")
        {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let block =
                code.contains(&format!("{word} {{")) || code.contains(&format!("{word} impl"));
            if !block {
                continue;
            }
            if !UNSAFE.iter().any(|allowed| name.starts_with(allowed)) {
                wrong.push(format!("{name}:{}: not a file for it", at + 1));
            }
            // The reason stands in the comment that ends a few lines above.
            let reason = lines[at.saturating_sub(12)..=at]
                .iter()
                .any(|line| line.contains("SAFETY:"));
            if !reason {
                wrong.push(format!("{name}:{}: no SAFETY: reason", at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn documents_name_what_exists() {
    let mut missing = vec![];
    for document in ["ARCHITECTURE.md", "README.md", "docs/reference.md"] {
        let text = text(&Path::new(ROOT).join(document));
        let quoted = text.split('`').skip(1).step_by(2);
        let linked = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for word in quoted.chain(linked) {
            let looks_like_a_path = word.contains('/')
                && !word.contains([' ', '<', '*', '{', '(', ':', '|'])
                && !word.starts_with('-');
            if !looks_like_a_path || word.starts_with("target/") {
                continue;
            }
            let base = Path::new(ROOT).join(document);
            let beside = base.parent().expect("a folder").join(word);
            if !beside.exists() && !Path::new(ROOT).join(word).exists() {
                missing.push(format!("{document}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Every row of the tables has its conformance file, and every file its row.
#[test]
fn tables_and_test_folders_agree() {
    let stems = |folder: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(Path::new(ROOT).join("tests/conformance").join(folder))
            .expect("the folder");
        files
            .flatten()
            .map(|file| {
                file.path()
                    .file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    };
    let ops = stems("op");
    let rows: Vec<&str> = dsl_runtime::ir::op::TABLE
        .iter()
        .map(|row| row.name)
        .collect();
    let without: Vec<_> = rows.iter().filter(|row| !ops.contains(**row)).collect();
    assert!(without.is_empty(), "operations without a file: {without:?}");
    let sinks = stems("sink");
    let without: Vec<_> = dsl_runtime::ir::SinkKind::ALL
        .iter()
        .filter(|kind| !sinks.contains(kind.name()))
        .collect();
    assert!(without.is_empty(), "sinks without a file: {without:?}");
    let passes: Vec<_> = dsl_runtime::pass::PASSES
        .iter()
        .filter(|pass| {
            let file = Path::new(ROOT).join("dsl-runtime/src/pass").join(pass.name);
            !file.with_extension("rs").exists() && !file.join("mod.rs").exists()
        })
        .map(|pass| pass.name)
        .collect();
    assert!(
        passes.is_empty(),
        "passes that are not their file: {passes:?}"
    );
}

#[test]
fn nothing_unfinished() {
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!()"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let found: Vec<String> = files("rs")
        .iter()
        .filter(|path| !name(path).starts_with("tests/ui/"))
        .flat_map(|path| {
            let (name, text) = (name(path), text(path));
            text.lines()
                .enumerate()
                .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
                .map(|(at, line)| format!("{name}:{}: {line}", at + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}
