//! Every error code stands in the document of errors.

use cuprous::elaborate::{infer, lower};
use cuprous::error::CODES;
use cuprous::ir::Fault;

#[test]
fn every_code_is_documented() {
    let document = include_str!("../docs/errors.md");
    let assert = Fault::Assert(String::new());
    let codes = infer::Code::ALL
        .iter()
        .map(|code| (code.code(), code.doc()));
    let codes = codes.chain(
        lower::Code::ALL
            .iter()
            .map(|code| (code.code(), code.doc())),
    );
    let mut count = 0;
    for (code, doc) in codes {
        assert!(
            document.contains(&format!("| {code} | {doc} |")),
            "{code}: {doc}"
        );
        count += 1;
    }
    let faults = Fault::ALL.iter().chain([&assert]).map(Fault::code);
    for code in faults.chain(CODES.iter().map(|row| row.code)) {
        assert!(document.contains(&format!("## {code}: ")), "{code}");
        count += 1;
    }
    assert_eq!(
        count,
        document.matches("| CU").count() + document.matches("## CU").count()
    );
}
