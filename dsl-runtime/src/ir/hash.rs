//! From a function to a number of 128 bits that is the same in every run and on every machine: the key under which
//! compiled code is kept.
//!
//! The text form is the inverse of the data, so the text with names replaced by their numbers in the order of the text
//! says everything but the names; it is hashed with FNV-1a.

use super::{Func, print};

/// The hash of what a function means: equal for functions that differ only in their names (their own included), the
/// numbering of names, and the places of their statements.
///
/// ```
/// use dsl_runtime::ir::{hash::hash, parse::parse};
/// let hash_of = |text| hash(&parse(text).unwrap().funcs[0]);
/// let f = hash_of("func @f(%x: f32) -> f32 {\n  %y: f32 = add %x, 1.0\n  return %y\n}");
/// let g = hash_of("func @g(%y: f32) -> f32 {\n  %x: f32 = add %y, 1.0\n  return %x\n}");
/// let h = hash_of("func @f(%x: f32) -> f32 {\n  %y: f32 = add %x, -1.0\n  return %y\n}");
/// assert_eq!(f, g);
/// assert_ne!(f, h);
/// ```
pub fn hash(func: &Func) -> u128 {
    fnv(print::print(&numbered(func)).as_bytes(), OFFSET)
}

/// The hash of a function with the places of its statements and their sources: what compiled code depends on that also
/// reports failures.
pub fn hash_with_places(func: &Func) -> u128 {
    let mut numbered = numbered(func);
    numbered.sources.clone_from(&func.sources);
    let mut hash = fnv(print::print_with_places(&numbered).as_bytes(), OFFSET);
    for source in &func.sources {
        hash = fnv(source.file.as_bytes(), hash);
        hash = fnv(&source.first_line.to_le_bytes(), hash);
        hash = fnv(source.text.as_bytes(), hash);
    }
    hash
}

/// The function with its names numbered and called by their numbers.
fn numbered(func: &Func) -> Func {
    let mut nameless = func.clone();
    nameless.name = "f".into();
    nameless.sources.clear();
    let mut numbered = print::renumbered(&nameless, None);
    for (number, info) in numbered.vars.iter_mut().enumerate() {
        info.name = number.to_string();
    }
    numbered
}

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

fn fnv(bytes: &[u8], start: u128) -> u128 {
    bytes.iter().fold(start, |hash, &byte| {
        (hash ^ byte as u128).wrapping_mul(PRIME)
    })
}
