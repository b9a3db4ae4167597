//! The fuzzing targets on a few inputs, as a test; `cargo run --release -p cuprous-fuzz` runs them on millions.

#[path = "../fuzz/src/damage.rs"]
mod damage;
#[path = "../fuzz/src/program.rs"]
mod program;
#[path = "../fuzz/src/text.rs"]
mod text;

use cuprous as _;

fn all(seeds: std::ops::Range<u64>, one: fn(u64) -> Result<(), String>) {
    let failures =
        seeds.filter_map(|seed| one(seed).err().map(|text| format!("seed {seed}: {text}")));
    let failures: Vec<String> = failures.take(3).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn damaged_texts() {
    all(0..20_000, text::one);
}

#[test]
fn random_programs() {
    all(0..250, program::one);
}
