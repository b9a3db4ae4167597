//! What a kernel computes at the interpreter, against what the function as written computes.

use cuprous::elaborate::lower::lower;
use cuprous::ir::verify::{Stage, verify};
use cuprous::syntax;

/// The IR of a kernel, which must be valid.
pub fn ir(kernel: &'static syntax::Kernel) -> cuprous::ir::Func {
    let func = match lower(kernel, &[]) {
        Ok(func) => func,
        Err(mistake) => panic!(
            "{}: {} {} ({})\n{}: {}",
            kernel.name,
            mistake.code,
            mistake.text,
            mistake.remedy,
            mistake.span.line,
            mistake.source.line(mistake.span.line)
        ),
    };
    if let Err(violations) = verify(&func, Stage::Typed) {
        panic!("{}: {violations:#?}\n{func}", kernel.name);
    }
    func
}

/// The kernel at the interpreter gives what its plain form gives.
macro_rules! agree {
    ($kernel:ident($($arg:expr),* $(,)?)) => {{
        let func = crate::agree::ir($kernel::__cuprous_tree());
        let call = $kernel::call($($arg),*).on(&Place::interp());
        let found = call.to_host().unwrap_or_else(|error| panic!("{error}\n{func}"));
        let expected = $kernel::plain($($arg),*);
        assert_eq!(found, expected, "{func}");
    }};
}

/// The kernel at the interpreter fails, and the text says this.
macro_rules! fails {
    ($kernel:ident($($arg:expr),* $(,)?), $text:literal) => {{
        let func = crate::agree::ir($kernel::__cuprous_tree());
        let call = $kernel::call($($arg),*).on(&Place::interp());
        let error = call.to_host().expect_err("the kernel fails").to_string();
        assert!(error.contains($text), "{error}\n{func}");
    }};
}
