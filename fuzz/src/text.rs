//! Damaged texts: a file of the suites with bytes, tokens and lines changed, exchanged, repeated and left out.

use dsl_runtime::conformance::{DIR, files, random};
use dsl_runtime::ir::parse::parse;
use dsl_runtime::ir::print::{canonical, print};
use dsl_runtime::ir::verify::{Stage, annotate, verify};
use std::path::Path;
use std::sync::LazyLock;

/// Pieces of texts: functions of the suites, each with its run lines.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut pieces = vec![];
    for dir in [DIR.to_string(), format!("{DIR}/../filetests")] {
        for file in files(Path::new(&dir)) {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            for piece in text.split("\n\n").filter(|piece| piece.contains("func")) {
                let mut end = piece.len().min(1500);
                while !piece.is_char_boundary(end) {
                    end -= 1;
                }
                pieces.push(piece.as_bytes()[..end].to_vec());
            }
        }
    }
    for seed in 0..200 {
        pieces.push(print(&random::func(seed, 12)).into_bytes());
    }
    pieces
});

/// Pieces that mean something to the parser.
const WORDS: &[&str] = &[
    "func @",
    "%x",
    "%",
    "@",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ":",
    ",",
    "=",
    "?",
    "..",
    "->",
    "0x",
    "-",
    "1e",
    "1e999",
    "nan",
    "-inf",
    "\"",
    "\\u{",
    "\\",
    ";",
    "; run: ",
    "\n",
    "par",
    "par.inner",
    "loop while",
    "if true {",
    "} else {",
    "yield ",
    "return ",
    "collect ",
    "reduce add ",
    "reduce (",
    "check assert \"",
    "data [",
    "18446744073709551616",
    "u64",
    "f32",
    "index.in",
    "in 0..",
    "\u{0}",
    "é",
    "\u{2028}",
    "\r",
    "\t",
];

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        let x = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        x ^ (x >> 29)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn damaged(seed: u64) -> Vec<u8> {
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
    let mut text = CORPUS[rng.below(CORPUS.len())].clone();
    for _ in 0..1 + rng.below(6) {
        let at = rng.below(text.len() + 1);
        let end = (at + rng.below(24)).min(text.len());
        match rng.below(8) {
            0 if at < text.len() => text[at] = rng.next() as u8,
            1 if at < text.len() => text[at] ^= 1 << rng.below(8),
            2 => drop(text.drain(at..end)),
            3 => {
                let piece = text[at..end].to_vec();
                let to = rng.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            4 | 5 => {
                let word = WORDS[rng.below(WORDS.len())];
                text.splice(at..at, word.bytes());
            }
            6 => {
                let other = &CORPUS[rng.below(CORPUS.len())];
                let from = rng.below(other.len());
                let piece = other[from..(from + rng.below(200)).min(other.len())].to_vec();
                text.splice(at..end, piece);
            }
            _ => {
                let word = WORDS[rng.below(WORDS.len())];
                let many = word.repeat(1 + rng.below(200));
                text.splice(at..at, many.bytes());
            }
        }
    }
    text
}

/// The parser answers, and what it accepts survives printing; the verifier answers for whatever was accepted.
pub fn one(seed: u64) -> Result<(), String> {
    let bytes = damaged(seed);
    let text = String::from_utf8_lossy(&bytes);
    let Ok(module) = parse(&text) else {
        return Ok(());
    };
    for func in &module.funcs {
        let printed = print(func);
        let again = parse(&printed).map_err(|errors| format!("{errors:?} in\n{printed}"))?;
        if again.funcs != [func.clone()]
            || *func != canonical(func)
            || print(&again.funcs[0]) != printed
        {
            return Err(format!(
                "does not survive printing:\n{text}\nprinted as\n{printed}"
            ));
        }
        if let Err(violations) = verify(func, Stage::Typed) {
            annotate(func, &violations);
        }
    }
    Ok(())
}
