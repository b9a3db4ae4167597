//! The examples of many ranks under `mpirun`, of Open MPI and of MPICH, where these are installed: they print the same, bit for bit,
//! on any number of ranks. What they print stands in `expect`, rewritten with `BLESS=1`.

mod crash;
mod job;

use cuprous::prelude::Place;
use job::{Job, launchers};
use std::path::Path;

/// The examples, each with arguments that make it short.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("pi_mpi", &["200000"]),
    ("heat_mpi", &["96", "60"]),
    ("conjugate_gradient_mpi", &["130"]),
    ("terrain_mpi", &[]),
];

/// Runs an example on so many ranks; what it printed.
fn printed(launcher: Option<&str>, ranks: usize, example: &str, arguments: &[&str]) -> String {
    let ended = Job::start(launcher, ranks, example, arguments).end();
    let by = launcher.unwrap_or("no launcher");
    assert_eq!(ended.status, Some(0), "{example}, {by}, {ranks}: {ended:?}");
    let told = format!("ranks: {ranks}, ");
    assert!(
        ended.errors.contains(&told),
        "{example}, {by}, {ranks}: {ended:?}"
    );
    let pictures = job::pictures().display().to_string();
    ended.output.replace(&pictures, "TARGET")
}

fn same_on_any_ranks(example: &str) {
    let _turn = job::turn();
    let row = EXAMPLES.iter().find(|(name, _)| *name == example);
    let (_, arguments) = row.expect("a row of the table");
    let alone = printed(None, 1, example, arguments);
    assert!(
        alone.contains("check: ") && !alone.contains("FAILED"),
        "{alone}"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/mpirun/expect")
        .join(format!("{example}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &alone).expect("the expected text is written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        alone,
        expected,
        "run with BLESS=1 if {} is to change",
        path.display()
    );
    for launcher in launchers() {
        for ranks in [1, 2, 4] {
            let text = printed(Some(launcher), ranks, example, arguments);
            assert_eq!(text, expected, "{example} on {ranks} ranks of {launcher}");
        }
        if let Err(error) = Place::opencl() {
            println!("SKIPPED: {example} at devices, by {launcher}: {error}");
            continue;
        }
        let at_devices = [arguments, &["--opencl"][..]].concat();
        let text = printed(Some(launcher), 2, example, &at_devices);
        assert_eq!(text, expected, "{example} at 2 devices, by {launcher}");
    }
}

#[test]
fn pi() {
    same_on_any_ranks("pi_mpi");
}

#[test]
fn heat() {
    same_on_any_ranks("heat_mpi");
}

#[test]
fn conjugate_gradient() {
    same_on_any_ranks("conjugate_gradient_mpi");
}

#[test]
fn terrain() {
    same_on_any_ranks("terrain_mpi");
}
