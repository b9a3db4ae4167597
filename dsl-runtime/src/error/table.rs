//! The table of error codes: each with its meaning and its remedy. `docs/errors.md` shows an example of every row.

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Code {
    /// Such as `CU0201`.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($code:literal $meaning:literal, $remedy:literal;)*) => {
        /// The codes of calls. Those of programs that fail (`CU02..`) are rows of [`crate::ir::fault`], those of kernels that
        /// cannot be compiled (`CU01..`) come with their [`crate::elaborate::ty::Mistake`].
        pub const CODES: &[Code] = &[$(Code { code: $code, meaning: $meaning, remedy: $remedy }),*];
    };
}
codes! {
    "CU0301" "an argument does not fit its parameter", "give an argument of the parameter's rank and element type";
    "CU0302" "the memory for a result has another shape than the result",
        "give `run_into` memory of exactly the result's shape, or use `run` or `to_host`";
    "CU0303" "memory that cannot be had", "use smaller arrays, or free memory first";
    "CU0304" "the place lacks something", "use another place: `Place::available()` lists them";
    "CU0305" "a spelling that names no place", "use one of `Place::available()`";
    "CU0306" "the plain function panicked", "the panic's text says what is wrong in the plain function";
    "CU0307" "a call is run while it runs and writes to an argument",
        "run it when the other run is done, or make a call of its own for each thread";
    "CU0308" "arrays that do not fit the memory of a device",
        "work in smaller pieces, let go of arrays that are no longer used, or use another place";
    "CU0309" "a device that stopped working",
        "use another place: arrays that only this device had are lost; if it goes on, look at the device and its driver";
    "CU0310" "the compiler of a device refuses the code that was generated for it",
        "use another place, and please report it, with the kernel and this text";
    "CU0311" "ranks cannot go on together",
        "let every rank make the same calls in the same order, with arguments of the same shapes; `CUPROUS_MPI_CHECK=1` says where they part";
    "CU0312" "a file of arrays that cannot be read or written",
        "check the path, and that every rank sees the same file system; then try again";
    "CU0901" "a broken invariant of the library", "please report it, with the kernel: this is a defect of cuprous";
}

/// The row of a code of ours.
pub(super) fn code(code: &str) -> &'static Code {
    CODES
        .iter()
        .find(|row| row.code == code)
        .unwrap_or(&CODES[CODES.len() - 1])
}
