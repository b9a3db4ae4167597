//! Damaged texts: a file of the suites with bytes, tokens and lines changed, exchanged, repeated and left out.

use crate::damage::damaged;
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

/// The parser answers, and what it accepts survives printing; the verifier answers for whatever was accepted.
pub fn one(seed: u64) -> Result<(), String> {
    let bytes = damaged(seed, &CORPUS, WORDS);
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
