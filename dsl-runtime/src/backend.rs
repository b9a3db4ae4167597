//! What a backend is: two traits, and the values that cross them. A third party's backend implements these, registers
//! a constructor in [`BACKENDS`], and is a place like any other.

use crate::array::Arg;
use crate::array::ArrayViewMut;
use crate::array::Value;
use crate::ir::print::print;
use crate::ir::{Const, Fault, Func, Level, Place, ScalarOp, ScalarType, SinkKind};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a backend can do. `legalize` and `schedule` read it; no pass asks which backend it is.
#[derive(Clone, Debug)]
pub struct Caps {
    /// Whether it computes this operation on this type itself; else `legalize` inlines its kernel or decomposes it.
    pub op: fn(ScalarOp, ScalarType) -> bool,
    /// Whether it has this sink.
    pub sink: fn(SinkKind) -> bool,
    /// The levels that it can put a par on, outermost first; `Seq` always.
    pub levels: Vec<Level>,
    /// Whether fusion, hoisting and the other optimising passes are wanted (the interpreter defines the meaning of what
    /// was elaborated, and runs it as it is).
    pub optimise: bool,
}

/// A kind of place.
pub trait Backend: Send + Sync + fmt::Debug {
    /// Its spelling in `CUPROUS_PLACE`: `interp`, `cpu`, `cpu:4`.
    fn name(&self) -> String;
    /// What it can do.
    fn caps(&self) -> Caps;
    /// Names everything that compiled code depends on (instruction set, width): part of the cache key.
    fn target(&self) -> String;
    /// Whether its arrays stay in memory of its own between calls: it takes [`Arg::Stored`] and returns [`Value::Stored`]. To
    /// other backends every array comes as a view of host memory.
    fn resident(&self) -> bool {
        false
    }
    /// What people ask of the place: its device, its limits, its speed, each with its name. Speeds are measured, which may take a
    /// second. `cuprous places` shows it.
    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![]
    }
    /// Compiles a scheduled function. `typed` is the function as elaborated, for the exact report of a failure.
    ///
    /// Other calls of the function wait meanwhile, so it must not wait for threads that may be making them: those of a pool that
    /// users' jobs run in too.
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError>;
}

/// A compiled function.
pub trait Executable: Send + Sync {
    /// Runs it.
    ///
    /// `args` agree with the function's parameters in number, element type and rank; their shapes are checked against
    /// the function's sizes by the caller ([`crate::call`]). Arrays at a place are [`Arg::Stored`] where the backend is
    /// [resident](Backend::resident); all others are views of host memory, of any strides. `into[k]`, where present, is memory
    /// of exactly the type of result `k` for it to be written to (its shape is checked by the executable, since only a run
    /// tells the shape of a filter's result: another shape is [`Failure::ResultShape`]); the returned value for it is then
    /// [`Value::Written`]. A result that is returned all the same, the caller copies there, if it has this shape. On an error
    /// nothing of `into` has been written.
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure>;

    /// The generated code, for people: what `cuprous code` prints.
    fn code(&self) -> String;

    /// What there is to say about how it runs beyond the plan that `explain` shows of every scheduled function: what ranks send
    /// each other, say. Lines that end; nothing by default.
    fn explain(&self) -> String {
        String::new()
    }
}

/// Why a run failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The program's own failure: the first one in sequential order.
    Fault {
        /// What.
        fault: Fault,
        /// The offending values, in the order of the fault's text.
        operands: Vec<Const>,
        /// Where.
        place: Place,
    },
    /// Memory of this many bytes could not be had.
    OutOfMemory {
        /// The number of bytes; `u128::MAX` if the product of the lengths overflows.
        bytes: u128,
        /// Where.
        place: Place,
    },
    /// Arrays do not fit the memory of a device.
    TooLarge {
        /// The bytes that were asked for; `u128::MAX` if the product of the lengths overflows.
        bytes: u128,
        /// The bytes that the device has free.
        free: u128,
        /// The bytes that one array can have there.
        limit: u128,
        /// The device's name.
        device: String,
        /// Where.
        place: Place,
    },
    /// A device stopped working.
    Device {
        /// What it says, with the device's name.
        text: String,
    },
    /// Ranks cannot go on together: what one of them says.
    Ranks(String),
    /// The memory for result `result` has another shape than the result.
    ResultShape {
        /// Which result.
        result: usize,
        /// The shape of the memory.
        expected: Vec<usize>,
        /// The shape of the result.
        found: Vec<usize>,
    },
    /// The place lacks something; the text contains "unsupported".
    Unsupported(String),
    /// An invariant of ours is broken: which unit, and what it saw.
    Internal(String),
}

/// Compiles something, and makes a panic of it (an invariant of ours that is broken) an error, with the panic's text and the
/// function that provoked it.
pub fn guarded<X>(
    func: &Func,
    compile: impl FnOnce() -> Result<X, CompileError>,
) -> Result<X, CompileError> {
    // Whatever is half made is dropped with the panic.
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| {
        let text = panic_text(&*panic).unwrap_or("a panic without a text");
        Err(CompileError::Internal(format!("{text}\n{}", print(func))))
    })
}

/// What a panic says, if it is a text.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> Option<&str> {
    match panic.downcast_ref::<String>() {
        Some(text) => Some(text),
        None => panic.downcast_ref::<&'static str>().copied(),
    }
}

/// Why a function could not be compiled.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CompileError {
    /// The place lacks something.
    Unsupported {
        /// What.
        what: String,
        /// Where it is needed.
        place: Place,
    },
    /// The device's own compiler refused the generated code.
    Build {
        /// The device's name.
        device: String,
        /// What its compiler says.
        log: String,
        /// What the code was generated for.
        place: Place,
    },
    /// An invariant of ours is broken: which stage, and what it saw.
    Internal(String),
}

/// Makes the backend for what stands behind the colon; the error is a text for the user.
pub type Open = fn(Option<&str>) -> Result<Arc<dyn Backend>, String>;

/// A row of the table of backends: how places come to be.
pub struct Registration {
    /// The word before the colon in `CUPROUS_PLACE`.
    pub name: &'static str,
    /// The place for what stands behind the colon (`None` if there is no colon). The error is a text for the user.
    pub open: Open,
    /// How many devices it has: places with a number behind the colon, from 0 on, the first usable of which is the place without
    /// a number. 0 where that is not what stands there.
    pub devices: fn() -> usize,
    /// Whether `Place::available()` lists it (without a parameter) when `open(None)` succeeds, and in which order.
    pub rank: u32,
}

/// All backends that are linked into the program. Backends add themselves:
/// `#[linkme::distributed_slice(dsl_runtime::backend::BACKENDS)] static CPU: Registration = …;`
#[linkme::distributed_slice]
pub static BACKENDS: [Registration];
