//! Programs in our language against the same programs by hand with OpenCL: sparse matrices times vectors and preconditioned
//! conjugate gradients, in one run, interleaved, as medians; and how many lines each side takes.
//!
//! `cargo bench --bench solve` prints the table; `-- --write README.md` puts it between the marks in that file; `--only NAME`
//! (`csr`, `skewed`, `ell`, `steps`, `converge`) and `--seconds S` (for each line) choose.
//!
//! `ours.rs` and `hand.rs` with `hand.cl` are whole: what a user writes between vectors of the host and the solution. Both
//! sides' arrays are on the device before the clock starts, and both wait for the end.

// Parts of what is shared with the other comparisons.
#![allow(dead_code)]

#[path = "../opencl/case.rs"]
mod case;
mod gradient;
mod hand;
#[path = "../compare/input.rs"]
mod input;
mod lines;
mod matrix;
#[path = "../opencl/measure.rs"]
mod measure;
#[path = "../opencl/options.rs"]
mod options;
mod ours;
mod product;
#[path = "../compare/real.rs"]
mod real;

use case::Case;
use cuprous::Place;
use cuprous_opencl_loader as _;
use measure::{measure, seconds};
use options::{Options, fail, known, options, write};
use std::fmt::Write;
use std::time::Duration;

/// The elements of a buffer of the hand-written side.
fn get<T: ocl::OclPrm>(buffer: &ocl::Buffer<T>) -> Vec<T> {
    let mut values = vec![T::default(); buffer.len()];
    buffer.read(&mut values).enq().expect("it can be read");
    values
}

/// Makes the lines of a name.
type Cases = fn(&str) -> Vec<Case>;

/// A line of the table; whether the results agree.
fn row(case: &mut Case, place: &Place, budget: Duration) -> (String, bool) {
    (case.hand)();
    let note = match (case.differs)(place) {
        Ok(None) => String::new(),
        Ok(Some(text)) => format!("  results differ: {text}"),
        Err(error) => format!("  ours fails: {error}"),
    };
    let mut failed = None;
    let (ours, hand) = (&mut case.ours, &mut case.hand);
    let mut ours = || {
        if let Err(error) = ours(place) {
            failed = Some(error);
        }
    };
    let times = measure(&mut [&mut *hand, &mut ours], budget);
    let [hand, ours] = times[..] else {
        unreachable!("two were measured")
    };
    let text = format!(
        "| {} | {} | {:.0} MB | {} | {} | {:.2} | {:.1} GB/s |",
        case.name,
        case.dtype,
        case.work / 1e6,
        seconds(hand),
        seconds(ours),
        hand / ours,
        case.work / ours / 1e9,
    );
    println!("{text}{note}");
    (text, note.is_empty() && failed.is_none())
}

fn main() {
    // `cargo test --all-targets` starts benchmarks without this flag: they are no tests.
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("not measured: run `cargo bench`");
        return;
    }
    let Options { only, budget, file } = options("benches/solve/main.rs");
    let groups: [(&[&str], Cases); 2] = [
        (product::NAMES, product::cases),
        (gradient::NAMES, gradient::cases),
    ];
    let names = groups.iter().flat_map(|(names, _)| names.iter());
    known(only.as_deref(), &names.copied().collect::<Vec<_>>());
    let place = match Place::opencl() {
        Ok(place) => place,
        Err(error) => {
            println!("not measured: {error}");
            return;
        }
    };
    let mut table = String::from(
        "| program | type | work | hand-written | cuprous | ratio | rate |\n|---|---|---:|---:|---:|---:|---:|\n",
    );
    print!("{table}");
    let mut right = true;
    for (names, make) in groups {
        let wanted = |name: &&&str| only.as_ref().is_none_or(|only| only == **name);
        for name in names.iter().filter(wanted) {
            for mut case in make(name) {
                let (text, agree) = row(&mut case, &place, budget);
                let _ = writeln!(table, "{text}");
                right &= agree;
            }
        }
    }
    let lines = lines::comparison();
    println!("\n{lines}");
    let _ = writeln!(table, "\n{lines}");
    if let Some(path) = file {
        write(&path, "solve", &table).unwrap_or_else(|text| fail(&text));
    }
    if !right {
        std::process::exit(1);
    }
}
