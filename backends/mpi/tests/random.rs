//! The random programs of `cuprous-fuzz ranks`, a few of them.

#[path = "cut/mod.rs"]
mod cut;
#[path = "../../../fuzz/src/ranks.rs"]
mod ranks;

use cuprous_cpu as _;
use cuprous_interp as _;

#[test]
fn random_programs() {
    let failures = (0..300).filter_map(|seed| {
        ranks::one(seed)
            .err()
            .map(|text| format!("seed {seed}: {text}"))
    });
    let failures: Vec<String> = failures.take(3).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
