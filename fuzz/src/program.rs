//! Random programs: each pass, and each place, must give what the interpreter gives.

use cuprous_opencl::{OpenCl, Style};
use dsl_runtime::array::{Arg, ArrayViewMut, Value};
use dsl_runtime::backend::{BACKENDS, Backend, Caps, CompileError, Executable, Failure};
use dsl_runtime::conformance::{Bench, CallText, NoResult, random};
use dsl_runtime::error::Error;
use dsl_runtime::ir::Func;
use dsl_runtime::ir::parse::{Module, parse};
use dsl_runtime::ir::print::{canonical, print};
use dsl_runtime::ir::verify::{Stage, annotate, verify};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

/// The reference, which optimises nothing; then the reference after all passes; then all other places that are linked.
static PLACES: LazyLock<Vec<Arc<dyn Backend>>> = LazyLock::new(|| {
    let mut places: Vec<Arc<dyn Backend>> = vec![];
    for row in BACKENDS {
        for parameter in [None, Some("3")] {
            places.extend((row.open)(parameter));
        }
    }
    // Devices in both styles of code: one of them is not that of their kind.
    for number in 0..cuprous_opencl::device::Device::all().map_or(0, |all| all.len()) {
        for style in [Style::Lanes, Style::Items] {
            if let Ok(place) = OpenCl::with_style(number, style) {
                places.push(Arc::new(place));
            }
        }
    }
    places.sort_by_key(|place| place.caps().optimise);
    if let Some(reference) = places.first().cloned() {
        places.insert(1, Arc::new(Optimised(reference)));
    }
    places
});

/// A place that runs what the passes make, and reports the failures of what was elaborated.
#[derive(Debug)]
struct Optimised(Arc<dyn Backend>);

struct Both {
    optimised: Arc<dyn Executable>,
    typed: Arc<dyn Executable>,
}

impl Backend for Optimised {
    fn name(&self) -> String {
        format!("{} after all passes", self.0.name())
    }
    fn caps(&self) -> Caps {
        Caps {
            optimise: true,
            ..self.0.caps()
        }
    }
    fn target(&self) -> String {
        self.0.target()
    }
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        Ok(Arc::new(Both {
            optimised: self.0.compile(scheduled, typed)?,
            typed: self.0.compile(typed, typed)?,
        }))
    }
}

impl Executable for Both {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        self.optimised
            .run(args, into)
            .map_err(|failure| self.typed.run(args, into).err().unwrap_or(failure))
    }
    fn code(&self) -> String {
        self.optimised.code()
    }
}

/// What a place answers: results, or the failure, as texts; `None` where it lacks something.
fn answer(place: &dyn Backend, func: &Func, args: &[String]) -> Option<String> {
    let module = Module {
        funcs: vec![func.clone()],
        directives: vec![],
    };
    let call = CallText::new(&func.name, args).expect("arguments that can be read");
    let called =
        std::panic::catch_unwind(AssertUnwindSafe(|| Bench::new(place, &module).call(&call)));
    let Ok(called) = called else {
        return Some("panicked".into());
    };
    match called {
        Ok(results) => Some(results.join("\n")),
        Err(NoResult::Failed(Error::Unsupported { .. })) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn check(func: &Func, args: &[String]) -> Result<(), String> {
    if let Err(violations) = verify(func, Stage::Typed) {
        return Err(format!(
            "the generator made\n{}",
            annotate(func, &violations)
        ));
    }
    let printed = print(func);
    let again = parse(&printed).map_err(|errors| format!("{errors:?}"))?;
    if again.funcs != [canonical(func)] {
        return Err("does not survive printing".into());
    }
    let Some((reference, others)) = PLACES.split_first() else {
        return Err("no place is linked".into());
    };
    let wanted = answer(&**reference, func, args);
    for place in others {
        let found = answer(&**place, func, args);
        if let (Some(wanted), Some(found)) = (&wanted, &found)
            && wanted != found
        {
            let (name, reference) = (place.name(), reference.name());
            return Err(format!(
                "{reference} gives\n{wanted}\n{name} gives\n{found}"
            ));
        }
    }
    Ok(())
}

/// The program of a seed and its arguments.
fn made(seed: u64) -> (Func, Vec<String>) {
    const SIZES: &[usize] = &[0, 1, 3, 8, 17, 33, 100, 5000];
    let func = random::func(seed, 4 + (seed % 60) as usize);
    let n = SIZES[(seed / 60) as usize % SIZES.len()];
    let m = if n < 1000 { [2, 0, 40] } else { [2, 0, 5] }[(seed % 3) as usize];
    (func, random::args(seed, n, m))
}

/// Prints the program of a seed.
#[allow(dead_code)] // The test of the same programs does not print them.
pub fn show(seed: u64) -> Result<(), String> {
    let (func, args) = made(seed);
    println!("{}; run: @{}({})", print(&func), func.name, args.join(", "));
    Ok(())
}

/// One program on arguments of one size.
pub fn one(seed: u64) -> Result<(), String> {
    let (func, args) = made(seed);
    check(&func, &args).map_err(|first| {
        let fails = |smaller: &Func| {
            verify(smaller, Stage::Typed).is_ok() && check(smaller, &args).is_err()
        };
        let smallest = if verify(&func, Stage::Typed).is_ok() {
            random::shrink(&func, fails)
        } else {
            func.clone()
        };
        let text = check(&smallest, &args).err();
        let text = text.unwrap_or_else(|| format!("once, but not again: {first}"));
        format!(
            "{text}\n{}; run: @{}({})",
            print(&smallest),
            func.name,
            args.join(", ")
        )
    })
}
