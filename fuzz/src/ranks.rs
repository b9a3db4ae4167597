//! Random programs on ranks that are threads, with arguments that are cut among them: all ranks must give what the interpreter gives.

use crate::cut::{Cutting, How};
use cuprous_mpi::comm::threads;
use cuprous_mpi::{Policy, World};
use dsl_runtime::backend::Backend;
use dsl_runtime::conformance::{Bench, CallText, NoResult, random};
use dsl_runtime::error::Error;
use dsl_runtime::ir::Func;
use dsl_runtime::ir::parse::Module;
use dsl_runtime::ir::print::print;
use dsl_runtime::ir::verify::{Stage, verify};
use dsl_runtime::place::Place;
use std::panic::AssertUnwindSafe;

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

/// How a program is run: on how many ranks, what is worth distributing, where the arguments are cut, and by whom.
#[derive(Clone, Debug)]
struct Way {
    ranks: usize,
    policy: Policy,
    number: u64,
    inside: Place,
}

fn check(func: &Func, args: &[String], way: &Way) -> Result<(), String> {
    let interp = Place::interp();
    let interp = interp.backend().expect("it is linked").expect("a backend");
    let wanted = answer(&**interp, func, args);
    let found = std::panic::catch_unwind(AssertUnwindSafe(|| {
        threads::run(way.ranks, |comm| {
            let world = World::with_policy(comm, way.policy);
            let place = Cutting::new(&world, way.inside.clone(), How::Oddly(way.number));
            answer(&place, func, args)
        })
    }));
    let Ok(found) = found else {
        return Err(format!("{way:?} panics"));
    };
    for (rank, found) in found.iter().enumerate() {
        if let (Some(wanted), Some(found)) = (&wanted, found)
            && wanted != found
        {
            return Err(format!(
                "the interpreter gives\n{wanted}\nrank {rank} of {way:?} gives\n{found}"
            ));
        }
    }
    Ok(())
}

/// One program, in one way.
pub fn one(seed: u64) -> Result<(), String> {
    const SIZES: &[usize] = &[0, 1, 3, 8, 17, 33, 100, 9000];
    let func = random::func(seed, 4 + (seed % 60) as usize);
    let n = SIZES[(seed / 60) as usize % SIZES.len()];
    let m = if n < 1000 { [2, 0, 40] } else { [2, 0, 5] }[(seed % 3) as usize];
    let args = random::args(seed, n, m);
    let eager = Policy {
        small: 0,
        blocks: seed.is_multiple_of(2),
    };
    let way = Way {
        ranks: [1, 2, 3, 7][(seed / 7) as usize % 4],
        policy: if seed.is_multiple_of(5) {
            Policy::default()
        } else {
            eager
        },
        number: seed,
        inside: match seed % 11 {
            0 => Place::cpu_threads(1),
            _ => Place::interp(),
        },
    };
    check(&func, &args, &way).map_err(|first| {
        let fails = |smaller: &Func| {
            verify(smaller, Stage::Typed).is_ok() && check(smaller, &args, &way).is_err()
        };
        let smallest = random::shrink(&func, fails);
        let text = check(&smallest, &args, &way).err();
        let text = text.unwrap_or_else(|| format!("once, but not again: {first}"));
        format!(
            "{text}\n{}; run: @{}({})",
            print(&smallest),
            func.name,
            args.join(", ")
        )
    })
}
