//! From the name of a file to the valid functions in it.

use dsl_runtime::ir::parse::{Module, parse};
use dsl_runtime::ir::verify::{Stage, annotate, verify};
use std::io::Read;

/// A text that has been read: its name and its functions.
pub struct File {
    /// What messages call it.
    pub name: String,
    /// What it contains.
    pub module: Module,
}

/// Why there is no such text. Each is what to show.
pub enum Trouble {
    /// The file cannot be read.
    Unreadable(String),
    /// What it contains is wrong.
    Wrong(String),
}

/// Reads a file, or standard input for `-`.
pub fn read(name: &str) -> Result<File, Trouble> {
    let mut text = String::new();
    let (name, read) = match name {
        "-" => (
            "<stdin>",
            std::io::stdin().read_to_string(&mut text).map(|_| ()),
        ),
        name => (
            name,
            std::fs::read_to_string(name).map(|found| text = found),
        ),
    };
    read.map_err(|error| Trouble::Unreadable(format!("{name}: {error}\n")))?;
    module(name, &text).map_err(Trouble::Wrong)
}

/// The functions of a text.
fn module(name: &str, text: &str) -> Result<File, String> {
    let module = parse(text).map_err(|errors| {
        let shown = errors.iter().map(|error| {
            let line = text.lines().nth(error.line as usize - 1).unwrap_or("");
            let blank: String = line
                .chars()
                .take(error.column as usize - 1)
                .map(|c| if c == '\t' { c } else { ' ' })
                .collect();
            let (number, gap) = (
                error.line.to_string(),
                " ".repeat(error.line.to_string().len()),
            );
            format!("{name}:{error}\n {number} | {line}\n {gap} | {blank}^\n")
        });
        shown.collect::<String>()
    })?;
    if module.funcs.is_empty() {
        return Err(format!(
            "{name}: contains no function; one looks like this:\n\n{EXAMPLE}"
        ));
    }
    let mut invalid = String::new();
    for func in &module.funcs {
        if let Err(violations) = verify(func, Stage::Typed) {
            invalid += &format!(
                "{name}: @{} is not valid\n{}",
                func.name,
                annotate(func, &violations)
            );
        }
    }
    match invalid.is_empty() {
        true => Ok(File {
            name: name.into(),
            module,
        }),
        false => Err(invalid),
    }
}

/// A whole program, for whoever has none yet.
const EXAMPLE: &str = include_str!("example.cup");
