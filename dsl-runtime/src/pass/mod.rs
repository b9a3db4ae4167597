//! The passes: each takes a valid function and leaves a valid one. A pass is a row of [`PASSES`]; its name is its file, its
//! dump name and the folder of its tests. No pass asks which backend is coming, only what it can do ([`Caps`]).

mod bounds;
mod cse;
mod dce;
pub mod effect;
mod fuse;
mod hoist;
mod legalize;
pub mod narrow;
mod schedule;
mod simplify;
mod unify;

pub use crate::backend::Caps;
pub use bounds::{Assumption, assume};

use crate::ir::Func;
use crate::ir::verify::{Stage, verify};

/// A row of the table of passes.
#[derive(Clone, Copy)]
pub struct Pass {
    /// Its name, file, dump name and test folder.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// The pass.
    pub run: fn(&mut Func, &Caps),
}

/// All passes.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "simplify",
        doc: "folds constants and applies laws that hold to the bit",
        run: simplify::run,
    },
    Pass {
        name: "cse",
        doc: "computes once what is computed twice",
        run: cse::run,
    },
    Pass {
        name: "dce",
        doc: "deletes what nobody uses and what cannot fail",
        run: dce::run,
    },
    Pass {
        name: "hoist",
        doc: "moves what does not change out of loops",
        run: hoist::run,
    },
    Pass {
        name: "unify",
        doc: "gives lengths that are checked to be equal one name",
        run: unify::run,
    },
    Pass {
        name: "fuse",
        doc: "joins pars so that intermediate arrays are never made",
        run: fuse::run,
    },
    Pass {
        name: "bounds",
        doc: "removes bounds checks, or moves them in front of loops",
        run: bounds::run,
    },
    Pass {
        name: "legalize",
        doc: "inlines or takes apart what the place lacks",
        run: legalize::run,
    },
    Pass {
        name: "narrow",
        doc: "adds up small integers as 32-bit ones",
        run: narrow::run,
    },
    Pass {
        name: "schedule",
        doc: "gives every par its levels",
        run: schedule::run,
    },
];

/// The order in which an optimising place has them run.
pub const OPTIMISE: &[&str] = &[
    "simplify", "cse", "dce", "unify", "cse", "fuse", "hoist", "bounds", "simplify", "cse", "dce",
    "fuse", "legalize", "simplify", "narrow", "cse", "hoist", "dce", "schedule",
];

/// The order for a place that runs what was elaborated as it is.
pub const PLAIN: &[&str] = &["legalize", "simplify"];

/// A broken invariant of ours: which pass, what the verifier says, and the function as it left it.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The pass, or `input`.
    pub pass: &'static str,
    /// The violations and the function, as text.
    pub report: String,
}

/// The pass of that name.
pub fn find(name: &str) -> Option<&'static Pass> {
    PASSES.iter().find(|pass| pass.name == name)
}

/// Runs the passes that a place wants. The verifier runs after each in builds with debug assertions, and where
/// `CUPROUS_VERIFY` is set.
pub fn pipeline(func: &Func, caps: &Caps) -> Result<Func, Broken> {
    run(func, caps, if caps.optimise { OPTIMISE } else { PLAIN })
}

/// Runs passes by name, verifying after each where that is on.
///
/// # Panics
/// If a name is not in the table.
pub fn run(func: &Func, caps: &Caps, names: &[&'static str]) -> Result<Func, Broken> {
    let checking = cfg!(debug_assertions) || std::env::var_os("CUPROUS_VERIFY").is_some();
    let mut func = func.clone();
    for &name in names {
        let pass = find(name).unwrap_or_else(|| panic!("no pass is called {name}"));
        (pass.run)(&mut func, caps);
        if checking {
            check(&func, pass.name)?;
        }
    }
    Ok(func)
}

fn check(func: &Func, pass: &'static str) -> Result<(), Broken> {
    let scheduled = func_is_scheduled(func);
    verify(
        func,
        if scheduled {
            Stage::Scheduled
        } else {
            Stage::Typed
        },
    )
    .map_err(|violations| {
        let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Broken {
            pass,
            report: format!("{}\n{func}", list.join("\n")),
        }
    })
}

fn func_is_scheduled(func: &Func) -> bool {
    let mut scheduled = false;
    crate::ir::walk::stmts(&func.body, &mut |stmt| {
        scheduled |= matches!(&stmt.expr, crate::ir::Expr::Par(par) if !par.levels.is_empty());
    });
    scheduled
}
