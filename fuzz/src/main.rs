//! Fuzzing without further tools: `cargo run --release -p cuprous-fuzz -- text 10000000` reads ten million damaged texts,
//! `… -- npy 10000000` as many damaged headers of files, `… -- program 100000` compares random programs on every linked place
//! with the first one.
//!
//! All take a seed behind the number; a failure prints the seed that repeats it and, for programs, the smallest program
//! that still fails.

#[path = "../../backends/mpi/tests/cut/mod.rs"]
mod cut;
mod damage;
mod npy;
mod program;
mod ranks;
mod text;

// The backends register themselves when they are linked.
use cuprous_cpu as _;
use cuprous_interp as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A row: the target, what it does with one seed (`Err` is the failure).
type Target = (&'static str, &'static str, fn(u64) -> Result<(), String>);

const TARGETS: &[Target] = &[
    (
        "text",
        "damaged texts: the parser must not panic, and what it reads must survive printing",
        text::one,
    ),
    (
        "program",
        "random programs: every pass and every place must agree with the interpreter",
        program::one,
    ),
    (
        "npy",
        "damaged headers of .npy files: the reader must not panic, and what it reads can be written",
        npy::one,
    ),
    (
        "ranks",
        "random programs: ranks with arguments that are cut must agree with the interpreter",
        ranks::one,
    ),
    (
        "show",
        "nothing: prints the random program of each seed and its run line",
        program::show,
    ),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let target = words
        .first()
        .and_then(|word| TARGETS.iter().find(|(name, ..)| name == word));
    let numbers: Result<Vec<u64>, _> = words.iter().skip(1).map(|word| word.parse()).collect();
    let (Some((name, _, one)), Ok(numbers)) = (target, numbers) else {
        eprintln!("usage: cuprous-fuzz TARGET [INPUTS [SEED]]");
        for (name, doc, _) in TARGETS {
            eprintln!("  {name:10} {doc}");
        }
        return ExitCode::from(2);
    };
    let inputs = numbers.first().copied().unwrap_or(10_000_000);
    let first = numbers.get(1).copied().unwrap_or(0);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    // A failure is told once, by its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, failed, began) = (AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= inputs || failed.load(Ordering::Relaxed) >= 5 {
                        return;
                    }
                    let seed = first.wrapping_add(number);
                    let outcome = std::panic::catch_unwind(|| one(seed));
                    let outcome = outcome.unwrap_or_else(|_| Err("panicked".into()));
                    if let Err(text) = outcome {
                        failed.fetch_add(1, Ordering::Relaxed);
                        eprintln!("cuprous-fuzz {name} 1 {seed}: {text}");
                    }
                    if number > 0 && number.is_multiple_of(1_000_000) {
                        eprintln!("{number} inputs, {:.0?}", began.elapsed());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!(
        "{name}: {inputs} inputs from seed {first}, {failed} failed, {:.1?}",
        began.elapsed()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
