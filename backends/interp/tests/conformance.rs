//! The whole suite, as any backend outside this repository would run it.

#[test]
fn conformance() {
    dsl_runtime::conformance::check(&cuprous_interp::Interp);
}
