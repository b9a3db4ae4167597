//! Programs on ranks and by the interpreter.

use crate::cut::{Cutting, How};
use crate::watch;
use cuprous_mpi::{Policy, World};
use dsl_runtime::backend::Backend;
use dsl_runtime::conformance::{Bench, CallText, NoResult};
use dsl_runtime::ir::parse::{Module, parse};
use dsl_runtime::ir::walk;
use dsl_runtime::place::Place;

/// What is small is shared too, evenly.
pub const EAGER: Policy = Policy {
    small: 0,
    blocks: false,
};

/// A text whose statements have the line of the text as their place, as far as statements are lines.
fn module(text: &str) -> Module {
    let mut module = parse(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    for func in &mut module.funcs {
        let mut line = 0;
        walk::stmts_mut(&mut func.body, &mut |stmt| {
            line += 1;
            stmt.place.span.line = line;
        });
    }
    module
}

/// Results, or the error: its code, its text, its line.
fn answer(place: &dyn Backend, module: &Module, call: &CallText) -> String {
    match Bench::new(place, module).call(call) {
        Ok(results) => results.join("\n"),
        Err(NoResult::Failed(error)) => {
            let line = error.site().map(|site| site.span.line);
            format!("error {}: {} at {line:?}", error.code(), error.message())
        }
        Err(NoResult::Call(text)) => panic!("{text}"),
    }
}

/// All ranks give what the interpreter gives, with arguments that are cut in several ways.
///
/// # Panics
/// If one does not.
pub fn same(text: &str, ranks: usize, policy: Policy, inside: &Place, calls: &[&str]) {
    let module = module(text);
    let calls = calls.iter().map(|call| CallText::parse(call).unwrap());
    let calls: Vec<CallText> = calls.collect();
    let one = Place::interp();
    let one = one.backend().unwrap().unwrap();
    let wanted: Vec<String> = calls
        .iter()
        .map(|call| answer(&**one, &module, call))
        .collect();
    for how in [How::Evenly, How::Oddly(ranks as u64)] {
        let what = format!("{calls:?} of {text}");
        let found = watch::run(&what, ranks, |comm| {
            let world = World::with_policy(comm, policy);
            let place = Cutting::new(&world, inside.clone(), how);
            let found = calls.iter().map(|call| answer(&place, &module, call));
            found.collect::<Vec<String>>()
        });
        for (rank, found) in found.iter().enumerate() {
            for ((found, wanted), call) in found.iter().zip(&wanted).zip(&calls) {
                assert!(
                    found == wanted,
                    "rank {rank} of {ranks}, {how:?}, {call:?}\n{found}\nis not\n{wanted}\n{text}"
                );
            }
        }
    }
}
