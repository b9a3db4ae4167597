//! What can go wrong, for people: one enum, one table of codes, and a text that points into the user's source.

mod format;
mod render;
mod table;

pub use table::{CODES, Code};

use crate::backend::{BACKENDS, CompileError, Failure};
use crate::elaborate::ty::Mistake;
use crate::ir::{self, Const, Fault, Func};
use crate::syntax::{Source, Span};

/// Why a call failed.
///
/// Its text (and its `Debug` form, which `unwrap` prints) names the code, what happened, the place in the source, the kernel
/// that was called, and what to do:
///
/// ```text
/// error[CU0201]: index 9 is out of bounds for length 3
///  --> src/main.rs:12:9
///    |
/// 12 |         vals[k] * x[cols[k] as usize]
///    |                   ^^^^^^^^^^^^^^^^^^^
///    = in kernel `spmv`
///    = help: test the index against the length first; `get` and `gather_or` have an answer for what lies outside
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The kernel cannot be compiled for these types: what is wrong, and what to write instead.
    Mistake {
        /// What, where, and what to write instead.
        mistake: Box<Mistake>,
        /// The kernel that was called.
        kernel: String,
    },
    /// The program's own failure while it ran.
    Fault {
        /// Which.
        fault: Fault,
        /// The offending values, in the order of the fault's text.
        operands: Vec<Const>,
        /// Where.
        site: Box<Site>,
    },
    /// An argument that does not fit its parameter.
    Argument {
        /// The parameter.
        parameter: String,
        /// What is wrong.
        text: String,
        /// Where the kernel stands.
        site: Box<Site>,
    },
    /// The memory for a result has another shape than the result.
    ResultShape {
        /// The shape of the memory.
        expected: Vec<usize>,
        /// The shape of the result.
        found: Vec<usize>,
        /// Where the kernel stands.
        site: Box<Site>,
    },
    /// Memory that cannot be had.
    OutOfMemory {
        /// How many bytes; `u128::MAX` if the number itself overflows.
        bytes: u128,
        /// What it was for.
        site: Box<Site>,
    },
    /// The place lacks something.
    Unsupported {
        /// What; the text contains "unsupported".
        what: String,
        /// What needs it, if it is a piece of a kernel.
        site: Option<Box<Site>>,
    },
    /// A spelling that names no place.
    UnknownPlace {
        /// The spelling.
        spelling: String,
        /// The words that could stand there.
        known: Vec<String>,
    },
    /// A panic of the plain function, caught.
    Panic {
        /// Its text.
        text: String,
        /// Where, as far as the panic tells it.
        site: Box<Site>,
    },
    /// Another run of the same call is in progress, and writes to this argument.
    Busy {
        /// The parameter.
        parameter: String,
        /// Where the kernel stands.
        site: Box<Site>,
    },
    /// A broken invariant of the library: a defect of ours.
    Internal {
        /// Which stage, and what it saw.
        text: String,
        /// The kernel that was called.
        kernel: String,
    },
}

/// A place in the user's source, and the kernel that was called.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The kernel that was called from outside.
    pub kernel: String,
    /// The file, and the lines around the place.
    pub source: Source,
    /// The stretch; all zero if only the kernel is known.
    pub span: Span,
}

impl Site {
    /// A place in a function of the IR.
    pub fn of(func: &Func, place: ir::Place) -> Site {
        const NONE: Source = Source {
            file: "",
            first_line: 0,
            text: "",
        };
        Site {
            kernel: func.name.clone(),
            source: func
                .sources
                .get(usize::from(place.source))
                .copied()
                .unwrap_or(NONE),
            span: place.span,
        }
    }

    /// A kernel as a whole: the line that names it.
    pub fn kernel(kernel: &crate::syntax::Kernel) -> Site {
        Site {
            kernel: kernel.name.to_string(),
            source: kernel.source,
            span: Span::default(),
        }
    }

    /// The file, as the compiler was given it; empty if unknown.
    pub fn file(&self) -> &str {
        self.source.file
    }

    /// The line, counted from 1; 0 if unknown.
    pub fn line(&self) -> u32 {
        self.span.line
    }

    /// The column, in characters from 1; 0 if unknown.
    pub fn column(&self) -> u32 {
        self.span.column
    }
}

impl Error {
    /// The code, such as `CU0201`: a row of [`CODES`].
    ///
    /// ```
    /// let error = "gpu".parse::<dsl_runtime::Place>().unwrap_err();
    /// assert_eq!(error.code(), "CU0305");
    /// ```
    pub fn code(&self) -> &'static str {
        match self {
            Error::Mistake { mistake, .. } => mistake.code,
            Error::Fault { fault, .. } => fault.code(),
            Error::Argument { .. } => "CU0301",
            Error::ResultShape { .. } => "CU0302",
            Error::OutOfMemory { .. } => "CU0303",
            Error::Unsupported { .. } => "CU0304",
            Error::UnknownPlace { .. } => "CU0305",
            Error::Panic { .. } => "CU0306",
            Error::Busy { .. } => "CU0307",
            Error::Internal { .. } => "CU0901",
        }
    }

    /// What happened, in one sentence.
    pub fn message(&self) -> String {
        match self {
            Error::Mistake { mistake, .. } => mistake.text.clone(),
            Error::Fault {
                fault, operands, ..
            } => format::fill(fault.text(), operands),
            Error::Argument {
                parameter, text, ..
            } => format!("argument `{parameter}`: {text}"),
            Error::ResultShape {
                expected, found, ..
            } => format!("the result has shape {found:?}, the memory for it {expected:?}"),
            // Compiled code counts bytes in 64 bits that saturate: beyond them no place says how many.
            Error::OutOfMemory { bytes, .. } if *bytes >= u128::from(u64::MAX) => {
                "an array is larger than any memory".to_string()
            }
            Error::OutOfMemory { bytes, .. } => format!("{bytes} bytes of memory cannot be had"),
            Error::Unsupported { what, .. } => match what.contains("unsupported") {
                true => what.clone(),
                false => format!("unsupported: {what}"),
            },
            Error::UnknownPlace { spelling, .. } => {
                format!("unsupported: `{spelling}` is no place that is linked into this program")
            }
            Error::Panic { text, .. } => text.clone(),
            Error::Busy { parameter, .. } => format!(
                "argument `{parameter}`: it belongs to another run of this call, which is in progress"
            ),
            Error::Internal { text, .. } => format!("internal error: {text}"),
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Error::Mistake { mistake, .. } => mistake.remedy.clone(),
            Error::Fault { fault, .. } => fault.remedy().to_string(),
            Error::UnknownPlace { known, .. } => format!("use one of {}", known.join(", ")),
            _ => table::code(self.code()).remedy.to_string(),
        }
    }

    /// Where it happened, if it happened in a kernel.
    pub fn site(&self) -> Option<Site> {
        match self {
            Error::Mistake { mistake, kernel } => Some(Site {
                kernel: kernel.clone(),
                source: mistake.source,
                span: mistake.span,
            }),
            Error::Fault { site, .. }
            | Error::Argument { site, .. }
            | Error::Busy { site, .. }
            | Error::ResultShape { site, .. }
            | Error::OutOfMemory { site, .. }
            | Error::Panic { site, .. } => Some((**site).clone()),
            Error::Unsupported { site, .. } => site.as_deref().cloned(),
            Error::UnknownPlace { .. } | Error::Internal { .. } => None,
        }
    }

    /// The kernel that was called, if there is one.
    pub fn kernel(&self) -> Option<String> {
        match self {
            Error::Internal { kernel, .. } => Some(kernel.clone()),
            _ => self.site().map(|site| site.kernel),
        }
    }

    /// Of a failed run of this function.
    pub fn from_failure(failure: Failure, func: &Func) -> Error {
        let whole = || Box::new(Site::of(func, ir::Place::default()));
        match failure {
            Failure::Fault {
                fault,
                operands,
                place,
            } => Error::Fault {
                fault,
                operands,
                site: Box::new(Site::of(func, place)),
            },
            Failure::OutOfMemory { bytes, place } => Error::OutOfMemory {
                bytes,
                site: Box::new(Site::of(func, place)),
            },
            Failure::ResultShape {
                result,
                expected,
                found,
            } => Error::ResultShape {
                expected,
                found,
                site: Box::new(Site::of(func, func.result_place(result))),
            },
            Failure::Unsupported(what) => Error::Unsupported {
                what,
                site: Some(whole()),
            },
            Failure::Internal(text) => Error::Internal {
                text,
                kernel: func.name.clone(),
            },
        }
    }

    /// Of a function that a backend could not compile.
    pub fn from_compile(error: CompileError, func: &Func) -> Error {
        match error {
            CompileError::Unsupported { what, place } => Error::Unsupported {
                what,
                site: Some(Box::new(Site::of(func, place))),
            },
            CompileError::Internal(text) => Error::Internal {
                text,
                kernel: func.name.clone(),
            },
        }
    }

    pub(crate) fn unknown_place(spelling: &str) -> Error {
        let backends = BACKENDS.iter().map(|row| row.name.to_string());
        let mut known: Vec<String> = backends.chain(["native".to_string()]).collect();
        known.sort();
        Error::UnknownPlace {
            spelling: spelling.to_string(),
            known,
        }
    }

    pub(crate) fn place_unavailable(spelling: &str, why: &str) -> Error {
        Error::Unsupported {
            what: format!("the place `{spelling}` is unsupported here: {why}"),
            site: None,
        }
    }
}

impl std::error::Error for Error {}
