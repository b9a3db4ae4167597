//! Random programs: each pass, and each place, must give what the interpreter gives.

use dsl_runtime::backend::{BACKENDS, Backend};
use dsl_runtime::conformance::{Bench, CallText, NoResult, random};
use dsl_runtime::error::Error;
use dsl_runtime::ir::Func;
use dsl_runtime::ir::parse::{Module, parse};
use dsl_runtime::ir::print::{canonical, print};
use dsl_runtime::ir::verify::{Stage, annotate, verify};
use std::sync::{Arc, LazyLock};

/// All places that are linked; the first is the reference, which optimises nothing.
static PLACES: LazyLock<Vec<Arc<dyn Backend>>> = LazyLock::new(|| {
    let mut places = vec![];
    for row in BACKENDS {
        for parameter in [None, Some("3")] {
            places.extend((row.open)(parameter));
        }
    }
    places.sort_by_key(|place| place.caps().optimise);
    places
});

/// What a place answers: results, or the failure, as texts; `None` where it lacks something.
fn answer(place: &dyn Backend, func: &Func, args: &[String]) -> Option<String> {
    let module = Module {
        funcs: vec![func.clone()],
        directives: vec![],
    };
    let call = CallText::new(&func.name, args).expect("arguments that can be read");
    match Bench::new(place, &module).call(&call) {
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

/// One program on arguments of one size.
pub fn one(seed: u64) -> Result<(), String> {
    const SIZES: &[usize] = &[0, 1, 3, 8, 17, 33, 100, 5000];
    let func = random::func(seed, 4 + (seed % 60) as usize);
    let n = SIZES[(seed / 60) as usize % SIZES.len()];
    let m = [2, 0, 5][(seed % 3) as usize];
    let args = random::args(seed, n, m);
    check(&func, &args).map_err(|_| {
        let fails = |smaller: &Func| {
            verify(smaller, Stage::Typed).is_ok() && check(smaller, &args).is_err()
        };
        let smallest = if verify(&func, Stage::Typed).is_ok() {
            random::shrink(&func, fails)
        } else {
            func.clone()
        };
        let text = check(&smallest, &args).expect_err("it still fails");
        format!(
            "{text}\n{}; run: @{}({})",
            print(&smallest),
            func.name,
            args.join(", ")
        )
    })
}
