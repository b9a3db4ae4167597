//! Every error code stands in the document of errors, with a program that provokes it. The document is a doc test, so what
//! its examples assert holds.

use cuprous::elaborate::{infer, lower};
use cuprous::error::CODES;
use cuprous::ir::Fault;
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../docs/errors.md");

/// The one code that no program should provoke.
const INTERNAL: &str = "CU0901";

/// The codes of kernels that cannot be compiled, and what each means.
fn mistakes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let infer = infer::Code::ALL
        .iter()
        .map(|code| (code.code(), code.doc()));
    let lower = lower::Code::ALL
        .iter()
        .map(|code| (code.code(), code.doc()));
    infer.chain(lower)
}

/// The codes of failures and of calls. Faults of one kind have one code and differ in what they say.
fn failures() -> impl Iterator<Item = &'static str> {
    let assert = Fault::Assert(String::new()).code();
    let faults: BTreeSet<_> = Fault::ALL.iter().map(Fault::code).chain([assert]).collect();
    faults.into_iter().chain(CODES.iter().map(|row| row.code))
}

/// The sections of the document: the code that each speaks of, and its text.
fn sections() -> Vec<(&'static str, &'static str)> {
    let mut found = vec![];
    for section in DOCUMENT.split("\n## ").skip(1) {
        let (code, text) = section.split_once(": ").expect("a code and what it means");
        // The next chapter is no part of it; a line of an example that begins with `#` is followed by no space.
        found.push((code, text.split("\n# ").next().unwrap_or(text)));
    }
    found
}

#[test]
fn every_code_is_documented() {
    let mut known = BTreeSet::new();
    for (code, doc) in mistakes() {
        assert!(known.insert(code), "{code} means two things");
        assert!(
            DOCUMENT.contains(&format!("| {code} | {doc} |")),
            "{code} has no row in docs/errors.md: {doc}"
        );
        assert!(
            DOCUMENT.contains(&format!("\n## {code}: {doc}\n")),
            "{code} has no section in docs/errors.md: {doc}"
        );
    }
    assert_eq!(known.len(), DOCUMENT.matches("\n| CU").count());
    for code in failures() {
        assert!(known.insert(code), "{code} means two things");
    }
    let documented: BTreeSet<&str> = sections().iter().map(|(code, _)| *code).collect();
    assert_eq!(known, documented);
    assert_eq!(
        documented.len(),
        sections().len(),
        "a code has two sections"
    );
}

/// Each section has an example that runs as a doc test and asserts the section's code.
#[test]
fn every_code_has_an_example() {
    for (code, text) in sections() {
        let examples = text.split("\n```").skip(1).step_by(2);
        let proof = format!("assert_eq!(error.code(), \"{code}\"");
        let provoked = examples
            .filter(|example| example.starts_with("rust\n"))
            .any(|example| example.contains(&proof));
        assert!(
            provoked || code == INTERNAL,
            "{code} has no example in docs/errors.md that provokes it"
        );
    }
}
