//! The commands: one row each.

use crate::args::{self, Args};
use crate::file::{self, File, Trouble};
use crate::places;
use dsl_runtime::Place;
use dsl_runtime::backend::Backend;
use dsl_runtime::conformance::{Bench, CallText, NoResult, Verdict, run_module};
use dsl_runtime::ir::print::print;
use dsl_runtime::pass;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// Why a command has no result: what to show, and the exit status (1: the program is wrong or fails, 2: the command is).
pub struct Stop {
    /// What to show.
    pub text: String,
    /// The exit status.
    pub code: u8,
}

type Outcome = Result<String, Stop>;

/// A row.
struct Command {
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    run: fn(&Args) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "opt",
        usage: "opt FILE [--passes A,B] [--place PLACE] [--trace]",
        doc: "prints the functions after these passes, or after those that the place wants; with --trace after each",
        run: opt,
    },
    Command {
        name: "run",
        usage: "run FILE [@F ARG…] [--place PLACE]",
        doc: "prints what a function gives, or whether the file's `; run:` lines hold",
        run,
    },
    Command {
        name: "explain",
        usage: "explain FILE [@F] [--place PLACE]",
        doc: "prints the plan: what fused, what runs where",
        run: explain,
    },
    Command {
        name: "code",
        usage: "code FILE [@F] [--place PLACE]",
        doc: "prints the generated code",
        run: code,
    },
    Command {
        name: "places",
        usage: "places",
        doc: "lists the places of this machine and its devices with their limits, the contract they keep and measured bandwidth",
        run: |args| {
            operands(args, 0, "places")?;
            Ok(places::list())
        },
    },
    Command {
        name: "passes",
        usage: "passes",
        doc: "lists the passes",
        run: |args| {
            operands(args, 0, "passes")?;
            let rows = pass::PASSES.iter();
            Ok(rows
                .map(|pass| format!("{:10} {}\n", pass.name, pass.doc))
                .collect())
        },
    },
];

/// Runs a command line.
pub fn run_line(words: &[String]) -> Outcome {
    let Some((name, rest)) = words.split_first() else {
        return Err(misuse(help()));
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        return Ok(help());
    }
    if matches!(name.as_str(), "--version" | "-V") {
        return Ok(concat!("cuprous ", env!("CARGO_PKG_VERSION"), "\n").into());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(misuse(format!(
            "there is no command `{name}`\n\n{}",
            help()
        )));
    };
    if rest.iter().any(|word| word == "--help" || word == "-h") {
        return Ok(format!("cuprous {}\n  {}\n", command.usage, command.doc));
    }
    let args = args::parse(rest).map_err(|text| wrong_use(command, &text))?;
    (command.run)(&args)
}

fn help() -> String {
    let mut text = String::from("cuprous: optimises, runs and explains texts of the IR (.cup)\n\n");
    for Command { usage, doc, .. } in COMMANDS {
        let _ = writeln!(text, "  cuprous {usage}\n      {doc}");
    }
    text += "\nFILE may be `-`: standard input. An argument is a value such as 1.5 or \"[1, 2]\", or made by name:\n";
    for line in dsl_runtime::conformance::generators().lines() {
        let _ = writeln!(text, "      {line}");
    }
    text
}

fn misuse(text: String) -> Stop {
    Stop { text, code: 2 }
}

fn wrong_use(command: &Command, text: &str) -> Stop {
    misuse(format!(
        "cuprous {}: {text}\nusage: cuprous {}\n",
        command.name, command.usage
    ))
}

fn fails(text: impl Into<String>) -> Stop {
    let mut text = text.into();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Stop { text, code: 1 }
}

/// At most this many operands.
fn operands(args: &Args, most: usize, name: &str) -> Result<(), Stop> {
    match args.operands.get(most) {
        Some(word) => {
            let command = COMMANDS.iter().find(|command| command.name == name);
            let command = command.expect("a row of the table");
            Err(wrong_use(command, &format!("`{word}` is too much")))
        }
        None => Ok(()),
    }
}

fn file(args: &Args, name: &str) -> Result<File, Stop> {
    let Some(path) = args.operands.first() else {
        let command = COMMANDS.iter().find(|command| command.name == name);
        return Err(wrong_use(
            command.expect("a row of the table"),
            "a file is missing",
        ));
    };
    file::read(path).map_err(|trouble| match trouble {
        Trouble::Unreadable(text) => misuse(text),
        Trouble::Wrong(text) => fails(text),
    })
}

fn backend(args: &Args) -> Result<Arc<dyn Backend>, Stop> {
    let place = match &args.place {
        Some(text) => text.parse::<Place>(),
        None => Ok(Place::current()),
    };
    // That of the environment says only when it is used that it is none.
    let backend = place.and_then(|place| Ok((place.backend()?.cloned(), place)));
    let (backend, place) = backend.map_err(|error| misuse(format!("{error}\n")))?;
    match backend {
        Some(backend) => Ok(backend),
        None => Err(misuse(format!(
            "{place} runs plain Rust functions, not texts; name another place\n"
        ))),
    }
}

/// The functions that the operands behind the file name with `@f`: all if there is none.
fn named<'a>(file: &'a File, args: &'a Args) -> Result<Vec<&'a str>, Stop> {
    let Some(word) = args.operands.get(1) else {
        return Ok(file
            .module
            .funcs
            .iter()
            .map(|func| func.name.as_str())
            .collect());
    };
    let name = word.strip_prefix('@').unwrap_or(word);
    if file.module.funcs.iter().any(|func| func.name == name) {
        return Ok(vec![name]);
    }
    let names: Vec<String> = file
        .module
        .funcs
        .iter()
        .map(|func| format!("@{}", func.name))
        .collect();
    let text = format!(
        "{} has no function @{name}; it has {}\n",
        file.name,
        names.join(", ")
    );
    Err(misuse(text))
}

fn opt(args: &Args) -> Outcome {
    operands(args, 1, "opt")?;
    let file = file(args, "opt")?;
    let caps = backend(args)?.caps();
    let mut names = vec![];
    match &args.passes {
        None => names.extend(if caps.optimise {
            pass::OPTIMISE
        } else {
            pass::PLAIN
        }),
        Some(wanted) => {
            for name in wanted {
                let Some(pass) = pass::find(name) else {
                    let known: Vec<&str> = pass::PASSES.iter().map(|pass| pass.name).collect();
                    let text = format!(
                        "there is no pass `{name}`; there are {}\n",
                        known.join(", ")
                    );
                    return Err(misuse(text));
                };
                names.push(pass.name);
            }
        }
    }
    let mut text = String::new();
    for func in &file.module.funcs {
        let mut func = func.clone();
        for name in names.iter().copied() {
            let before = print(&func);
            func = pass::run(&func, &caps, &[name]).map_err(|broken| {
                fails(format!(
                    "pass {} is broken:\n{}",
                    broken.pass, broken.report
                ))
            })?;
            let after = print(&func);
            if args.trace && after != before {
                let _ = write!(text, "; after {name}\n{after}\n");
            }
        }
        if !args.trace {
            text += &print(&func);
        }
    }
    Ok(text)
}

fn run(args: &Args) -> Outcome {
    let file = file(args, "run")?;
    let backend = backend(args)?;
    if args.operands.len() < 2 {
        return run_lines(&file, &*backend);
    }
    let name = named(&file, args)?[0];
    let call = CallText::new(name, &args.operands[2..]).map_err(|text| misuse(text + "\n"))?;
    let results = Bench::new(&*backend, &file.module).call(&call);
    let results = results.map_err(|error| match error {
        NoResult::Call(text) => misuse(text + "\n"),
        error => fails(error.to_string()),
    })?;
    Ok(results.iter().map(|result| format!("{result}\n")).collect())
}

/// Compares the file's run lines with what the place gives.
fn run_lines(file: &File, backend: &dyn Backend) -> Outcome {
    let outcomes = run_module(backend, Path::new(&file.name), &file.module);
    if outcomes.is_empty() {
        let name = &file.module.funcs[0].name;
        let text = format!(
            "{} has no `; run:` line; name a function to run: @{name} …\n",
            file.name
        );
        return Err(misuse(text));
    }
    let mut text = String::new();
    let mut failed = false;
    for outcome in outcomes {
        let verdict = match outcome.verdict {
            Verdict::Passed => "ok".to_string(),
            Verdict::Skipped(reason) => format!("skipped: {reason}"),
            Verdict::Failed(reason) => {
                failed = true;
                format!("FAILED: {reason}")
            }
        };
        let _ = writeln!(text, "{}:{}: {verdict}", file.name, outcome.line);
    }
    if failed { Err(fails(text)) } else { Ok(text) }
}

fn explain(args: &Args) -> Outcome {
    operands(args, 2, "explain")?;
    let file = file(args, "explain")?;
    let backend = backend(args)?;
    let mut bench = Bench::new(&*backend, &file.module);
    let mut text = String::new();
    for name in named(&file, args)? {
        let compiled = bench
            .compile(name)
            .map_err(|error| fails(error.to_string()))?;
        let _ = writeln!(text, "@{name} at {}", backend.name());
        text += &dsl_runtime::explain::explain(&compiled.scheduled);
    }
    Ok(text)
}

fn code(args: &Args) -> Outcome {
    operands(args, 2, "code")?;
    let file = file(args, "code")?;
    let backend = backend(args)?;
    let mut bench = Bench::new(&*backend, &file.module);
    let mut text = String::new();
    for name in named(&file, args)? {
        text += &bench
            .compile(name)
            .map_err(|error| fails(error.to_string()))?
            .code();
    }
    Ok(text)
}
