//! The conformance suite on every place that is linked into this program; the rows of the IR's tables against its files.

use cuprous::backend::BACKENDS;
use cuprous::conformance;
use cuprous::ir::{SinkKind, op};
use std::path::Path;

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
