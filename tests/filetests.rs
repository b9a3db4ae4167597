//! Texts of the IR and what tools say of them. The first line of a file, `; test: KIND`, says which test runs on it; what
//! is expected stands in a file beside it (`name.cup` and `name.out`), rewritten with `BLESS=1`.

use cuprous::backend::Caps;
use cuprous::ir::parse::parse;
use cuprous::ir::print::{canonical, print};
use cuprous::ir::verify::{Stage, annotate, verify};
use cuprous::ir::{Func, Level, op::Meaning};
use cuprous::{conformance, pass};
use std::path::Path;

/// A row: the kind of test, what it makes of a text.
type Kind = (&'static str, fn(&str, &[&str]) -> String);

const KINDS: &[Kind] = &[
    // What the parser says: the canonical text, or every mistake.
    ("parse", |text, _| match parse(text) {
        Ok(module) => texts(&module.funcs),
        Err(errors) => errors.iter().map(|error| format!("{error}\n")).collect(),
    }),
    // What the verifier says, with `scheduled` of scheduled functions.
    ("verify", |text, words| {
        let stage = if words == ["scheduled"] {
            Stage::Scheduled
        } else {
            Stage::Typed
        };
        let check = |func: &Func| match verify(func, stage) {
            Ok(()) => format!("@{} is valid\n", func.name),
            Err(violations) => annotate(func, &violations),
        };
        valid(text).iter().map(check).collect()
    }),
    // The function after the passes that the line names; `lean` before them means a place that lacks operations.
    ("pass", |text, words| {
        let (caps, words) = match words.split_first() {
            Some((&"lean", rest)) => (lean(), rest),
            _ => (caps(), words),
        };
        let run = |func: &Func| {
            verify(func, Stage::Typed).unwrap_or_else(|v| panic!("{}", annotate(func, &v)));
            let names: Vec<&'static str> = words
                .iter()
                .map(|name| {
                    pass::find(name)
                        .unwrap_or_else(|| panic!("no pass is called {name}"))
                        .name
                })
                .collect();
            match pass::run(func, &caps, &names) {
                Ok(func) => print(&func),
                Err(broken) => panic!("{} is broken: {}", broken.pass, broken.report),
            }
        };
        valid(text).iter().map(run).collect()
    }),
];

/// A place that wants everything and lacks only mathematics.
fn caps() -> Caps {
    Caps {
        op: |op, _| matches!(op.row().meaning, Meaning::Native(_)),
        sink: |_| true,
        levels: vec![Level::Threads, Level::Simd, Level::Seq],
        optimise: true,
    }
}

/// A place that also lacks what `legalize` can take apart.
fn lean() -> Caps {
    Caps {
        op: |op, _| {
            use cuprous::ir::ScalarOp::{Abs, Copysign, RotateLeft, Round, TrailingZeros};
            let apart = matches!(op, Abs | Copysign | RotateLeft | Round | TrailingZeros);
            matches!(op.row().meaning, Meaning::Native(_)) && !apart
        },
        ..caps()
    }
}

fn valid(text: &str) -> Vec<Func> {
    match parse(text) {
        Ok(module) => module.funcs,
        Err(errors) => panic!("{errors:?}"),
    }
}

fn texts(funcs: &[Func]) -> String {
    for func in funcs {
        let again = parse(&print(func)).expect("what is printed can be read");
        assert_eq!(again.funcs, [canonical(func)]);
        assert_eq!(*func, canonical(func));
    }
    funcs.iter().map(print).collect()
}

#[test]
fn filetests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = vec![];
    let files = conformance::files(&root);
    assert!(!files.is_empty());
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a file");
        let first = text.lines().next().unwrap_or("");
        let Some(line) = first.strip_prefix("; test: ") else {
            wrong.push(format!("{}: begins with no `; test:` line", file.display()));
            continue;
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((_, run)) = KINDS.iter().find(|(kind, _)| Some(kind) == words.first()) else {
            wrong.push(format!("{}: there is no test `{line}`", file.display()));
            continue;
        };
        let found = run(&text, &words[1..]);
        let path = file.with_extension("out");
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            if bless {
                std::fs::write(&path, &found).expect("a file");
            } else {
                wrong.push(format!(
                    "{}: expected\n{expected}\nfound\n{found}",
                    file.display()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} failed\n{}",
        wrong.len(),
        files.len(),
        wrong.join("\n")
    );
}
