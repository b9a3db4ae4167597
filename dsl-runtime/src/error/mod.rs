//! What can go wrong, for people: one enum, one table of codes, and a text that points into the user's source.

mod bytes;
mod format;
mod render;
mod table;

pub use table::{CODES, Code};

pub use self::bytes::readable;
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
    /// Arrays that do not fit the memory of a device.
    TooLarge {
        /// How many bytes were asked for; `u128::MAX` if the number itself overflows.
        bytes: u128,
        /// How many the device has free.
        free: u128,
        /// How many one array can have there.
        limit: u128,
        /// The device.
        device: String,
        /// What they were for.
        site: Box<Site>,
    },
    /// A device that stopped working.
    Device {
        /// What it says.
        text: String,
        /// Where the kernel stands.
        site: Box<Site>,
    },
    /// The device's own compiler refused the code that was generated for it.
    Build {
        /// The device.
        device: String,
        /// What its compiler says.
        log: String,
        /// What the code was generated for.
        site: Box<Site>,
    },
    /// Ranks that cannot go on together.
    Ranks {
        /// What one of them says.
        text: String,
        /// Where the kernel stands.
        site: Box<Site>,
    },
    /// A file of arrays that cannot be read or written, or has something else in it than it should.
    File {
        /// Which file, what was found there, and what was expected.
        text: String,
        /// What to do about it; empty if nothing more is known than the code says.
        remedy: String,
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

/// A place in the user's source, and the kernel that was called; empty if nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
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
        let source = func.sources.get(usize::from(place.source));
        Site {
            kernel: func.name.clone(),
            source: source.copied().unwrap_or_default(),
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
            Error::TooLarge { .. } => "CU0308",
            Error::Device { .. } => "CU0309",
            Error::Build { .. } => "CU0310",
            Error::Ranks { .. } => "CU0311",
            Error::File { .. } => "CU0312",
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
            Error::TooLarge {
                bytes,
                free,
                limit,
                device,
                ..
            } => format!(
                "{} of arrays do not fit the memory of `{device}`, where {} are free and one array has at most {}",
                readable(*bytes),
                readable(*free),
                readable(*limit)
            ),
            Error::Device { text, .. } => format!("the device stopped working: {text}"),
            Error::Build { device, log, .. } => {
                let log = log.trim();
                format!(
                    "the compiler of `{device}` refuses the code that was generated for it: {log}"
                )
            }
            Error::Ranks { text, .. } => format!("the ranks cannot go on together: {text}"),
            Error::File { text, .. } => format!("a file of arrays: {text}"),
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
            Error::File { remedy, .. } if !remedy.is_empty() => remedy.clone(),
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
            | Error::TooLarge { site, .. }
            | Error::Device { site, .. }
            | Error::Build { site, .. }
            | Error::Ranks { site, .. }
            | Error::Panic { site, .. } => Some((**site).clone()),
            Error::Unsupported { site, .. } => site.as_deref().cloned(),
            Error::File { .. } | Error::UnknownPlace { .. } | Error::Internal { .. } => None,
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
        let place = match &failure {
            Failure::Fault { place, .. }
            | Failure::OutOfMemory { place, .. }
            | Failure::TooLarge { place, .. } => *place,
            Failure::ResultShape { result, .. } => func.result_place(*result),
            Failure::Device { .. }
            | Failure::Ranks(_)
            | Failure::Unsupported(_)
            | Failure::Internal(_) => ir::Place::default(),
        };
        Error::from_failure_at(failure, Site::of(func, place))
    }

    /// Of a failure there: outside kernels, a site without a kernel.
    pub fn from_failure_at(failure: Failure, site: Site) -> Error {
        let kernel = site.kernel.clone();
        let site = Box::new(site);
        match failure {
            Failure::Fault {
                fault, operands, ..
            } => Error::Fault {
                fault,
                operands,
                site,
            },
            Failure::OutOfMemory { bytes, .. } => Error::OutOfMemory { bytes, site },
            Failure::TooLarge {
                bytes,
                free,
                limit,
                device,
                ..
            } => Error::TooLarge {
                bytes,
                free,
                limit,
                device,
                site,
            },
            Failure::ResultShape {
                expected, found, ..
            } => Error::ResultShape {
                expected,
                found,
                site,
            },
            Failure::Device { text } => Error::Device { text, site },
            Failure::Ranks(text) => Error::Ranks { text, site },
            Failure::Unsupported(what) => Error::Unsupported {
                what,
                site: Some(site),
            },
            Failure::Internal(text) => Error::Internal { text, kernel },
        }
    }

    /// Of a function that a backend could not compile.
    pub fn from_compile(error: CompileError, func: &Func) -> Error {
        let site = |place| Box::new(Site::of(func, place));
        match error {
            CompileError::Unsupported { what, place } => Error::Unsupported {
                what,
                site: Some(site(place)),
            },
            CompileError::Build { device, log, place } => Error::Build {
                device,
                log,
                site: site(place),
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
