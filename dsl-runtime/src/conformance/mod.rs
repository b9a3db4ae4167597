//! The conformance suite: whether a backend means what the interpreter means. A backend calls it in one line,
//! `dsl_runtime::conformance::check(&MyBackend)`.
//!
//! A file of the suite is a text of the IR with lines that say what its functions give:
//!
//! ```text
//! ; run: @f([1.0, 2.0], 3) == 6.0, [1, 2]
//! ; run: @f(hash(7, 5000), 3) == digest(0x1234567890abcdef)
//! ; run: @f(iota(100), 3) == @g(iota(100))
//! ; run: @f([], 3) error CU0206: an empty sequence has no such element
//! ```
//!
//! Values are read as the types of the parameters and results; results must agree in every bit, but any NaN is a NaN.
//! Arrays can be made by name: `iota(n)`, `fill(v, n)`, `hash(seed, n)`, `bits(seed, n)`, `below(m, seed, n)`, each with
//! as many lengths as dimensions. `digest` compares a long array by a hash of its elements. What a backend declares to
//! lack is skipped, and the report says so.
//!
//! Where every operation is dear (a simulator of devices, say), the environment variable `CUPROUS_CONFORMANCE_SIZE=n` has
//! run lines skipped in which an argument, or an extent that the function takes as an argument or has as a constant, is
//! larger than n; [`Limit`] says the same in a program.

pub mod random;
mod value;

use crate::array::Arg;
use crate::backend::Backend;
use crate::cache::{Compiled, compile_func};
use crate::error::Error;
use crate::ir::parse::{Directive, Module, parse};
use crate::ir::verify::{Stage, annotate, verify};
use crate::ir::{Atom, Expr, Func, LoopKind, Type, Var, walk};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use value::{Bits, Held, Literal, parse_list};

/// Where the suite lies in a checkout of the repository.
pub const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/conformance");

/// What became of one run line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The result is what the line says.
    Passed,
    /// The backend declares that it lacks something: what.
    Skipped(String),
    /// It is not: how.
    Failed(String),
}

/// One run line and what became of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The file.
    pub file: PathBuf,
    /// The line in it.
    pub line: u32,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of all run lines, on one backend.
#[derive(Clone, Debug)]
pub struct Report {
    /// The backend's name.
    pub backend: String,
    /// In the order of the files and lines.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// The run lines that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        let failed = |outcome: &&Outcome| matches!(outcome.verdict, Verdict::Failed(_));
        self.outcomes.iter().filter(failed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
        let mut passed = 0;
        for Outcome {
            file,
            line,
            verdict,
        } in &self.outcomes
        {
            match verdict {
                Verdict::Passed => passed += 1,
                Verdict::Skipped(reason) => *skipped.entry(reason).or_default() += 1,
                Verdict::Failed(text) => writeln!(f, "{}:{line}: {text}", file.display())?,
            }
        }
        let failed = self.failed().count();
        writeln!(f, "{}: {passed} passed, {failed} failed", self.backend)?;
        for (reason, count) in skipped {
            writeln!(f, "{}: {count} skipped: {reason}", self.backend)?;
        }
        Ok(())
    }
}

/// Runs the whole suite of the repository on a backend.
///
/// # Panics
/// With the report, if a run line failed.
pub fn check(backend: &dyn Backend) {
    let report = run(backend, Path::new(DIR));
    println!("{report}");
    assert!(!report.outcomes.is_empty(), "there is no suite at {DIR}");
    assert!(report.failed().next().is_none(), "{report}");
}

/// Which run lines are not run: all are, unless they are too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// The most elements of an argument, and the largest extent.
    pub size: Option<usize>,
}

impl Limit {
    /// What the environment asks for: `CUPROUS_CONFORMANCE_SIZE`.
    ///
    /// # Panics
    /// If that is not a number: nobody is to believe that a limit holds.
    pub fn of_environment() -> Limit {
        let text = std::env::var("CUPROUS_CONFORMANCE_SIZE").ok();
        let number = |text: String| match text.parse() {
            Ok(size) => size,
            Err(_) => panic!("CUPROUS_CONFORMANCE_SIZE is a number, not `{text}`"),
        };
        Limit {
            size: text.map(number),
        }
    }

    /// Whether a call may be made; if not, why.
    fn admits(&self, func: &Func, call: &CallText) -> Result<(), String> {
        let Some(most) = self.size else {
            return Ok(());
        };
        let extents = extents(func);
        let constants = extents.iter().filter_map(|extent| extent.as_const());
        let mut largest = constants.map(|extent| extent.bits).max().unwrap_or(0);
        for (&param, arg) in func.params.iter().zip(&call.args) {
            let scalar = func.ty(param).is_scalar();
            if !scalar || extents.contains(&Atom::Var(param)) {
                largest = largest.max(arg.size());
            }
        }
        match largest <= most as u64 {
            true => Ok(()),
            false => Err(format!("larger than {most}")),
        }
    }
}

/// What the loops of a function count to, and how long its arrays are; as many of its names as are cast to that.
fn extents(func: &Func) -> Vec<Atom> {
    let mut found: Vec<Atom> = vec![];
    let mut made: Vec<(Var, Atom)> = vec![];
    walk::stmts(&func.body, &mut |stmt| {
        let lengths = |&def: &Var| func.ty(def).shape.clone();
        found.extend(stmt.defs.iter().flat_map(lengths));
        match &stmt.expr {
            Expr::Par(par) => found.push(par.extent),
            Expr::Loop(inner) => {
                if let LoopKind::For { extent, .. } = &inner.kind {
                    found.push(*extent);
                }
            }
            Expr::Cast(_, from) => made.push((stmt.defs[0], *from)),
            Expr::Op(_, operands) => made.extend(operands.iter().map(|&from| (stmt.defs[0], from))),
            _ => {}
        }
    });
    for (made, from) in made.into_iter().rev() {
        if found.contains(&made.into()) {
            found.push(from);
        }
    }
    found
}

/// Runs all `.cup` files below a directory on a backend, as far as the environment limits them.
pub fn run(backend: &dyn Backend, dir: &Path) -> Report {
    run_limited(backend, dir, Limit::of_environment())
}

/// Runs all `.cup` files below a directory on a backend, as far as they are within a limit.
pub fn run_limited(backend: &dyn Backend, dir: &Path, limit: Limit) -> Report {
    let mut outcomes = vec![];
    for file in files(dir) {
        match std::fs::read_to_string(&file) {
            Ok(text) => outcomes.extend(run_text(backend, &file, &text, limit)),
            Err(error) => outcomes.push(Outcome {
                verdict: Verdict::Failed(error.to_string()),
                file,
                line: 0,
            }),
        }
    }
    Report {
        backend: backend.name(),
        outcomes,
    }
}

/// The `.cup` files below a directory, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "cup") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Runs the run lines of one text on a backend, as far as they are within a limit. `file` is what the outcomes call it.
pub fn run_text(backend: &dyn Backend, file: &Path, text: &str, limit: Limit) -> Vec<Outcome> {
    match parse(text) {
        Ok(module) => lines(backend, file, &module, limit),
        Err(errors) => {
            let failed = errors.into_iter().map(|error| Outcome {
                file: file.to_path_buf(),
                line: error.line,
                verdict: Verdict::Failed(error.message),
            });
            failed.collect()
        }
    }
}

/// Runs the run lines of a module on a backend. `file` is what the outcomes call it.
pub fn run_module(backend: &dyn Backend, file: &Path, module: &Module) -> Vec<Outcome> {
    lines(backend, file, module, Limit::default())
}

fn lines(backend: &dyn Backend, file: &Path, module: &Module, limit: Limit) -> Vec<Outcome> {
    let mut bench = Bench::new(backend, module);
    let lines = module
        .directives
        .iter()
        .filter(|directive| directive.name == "run");
    let outcomes = lines.map(|line| Outcome {
        file: file.to_path_buf(),
        line: line.line,
        verdict: bench.line(line, limit),
    });
    outcomes.collect()
}

/// The ways to make long values by name, one a line: for people.
pub fn generators() -> String {
    let rows = value::GENERATORS
        .iter()
        .map(|row| format!("{:6} {}\n", row.name, row.doc));
    rows.collect()
}

/// One call, `@f(args)`, as a text says it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallText {
    name: String,
    args: Vec<Literal>,
}

impl CallText {
    /// Reads `@f(args)`.
    pub fn parse(text: &str) -> Result<CallText, String> {
        let inside = || {
            let (name, rest) = text.trim().strip_prefix('@')?.split_once('(')?;
            Some((name, rest.strip_suffix(')')?))
        };
        let (name, args) = inside().ok_or("expected a call such as @f(1, [2.0, 3.0])")?;
        Ok(CallText {
            name: name.trim().into(),
            args: parse_list(args)?,
        })
    }

    /// A call of this function with these arguments, each a text such as `[1, 2]` or `iota(10)`.
    pub fn new(name: &str, args: &[String]) -> Result<CallText, String> {
        let args = args.iter().zip(1..).map(|(arg, number)| {
            let text = match parse_list(arg) {
                Ok(values) => match &values[..] {
                    [value] => return Ok(value.clone()),
                    _ => format!("expected one value, found `{arg}`"),
                },
                Err(text) => text,
            };
            Err(format!("argument {number}: {text}"))
        });
        Ok(CallText {
            name: name.into(),
            args: args.collect::<Result<_, String>>()?,
        })
    }
}

/// What a run line expects.
enum Expected {
    Values(Vec<Literal>),
    Same(CallText),
    Error { code: String, message: String },
}

/// The functions of a text on a backend, each compiled when it is first called.
pub struct Bench<'a> {
    backend: &'a dyn Backend,
    funcs: HashMap<&'a str, &'a Func>,
    compiled: HashMap<&'a str, Compiled>,
}

/// Why a call has no results.
#[derive(Debug)]
pub enum NoResult {
    /// The call makes no sense: why.
    Call(String),
    /// It could not be compiled, or failed.
    Failed(Error),
}

impl fmt::Display for NoResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoResult::Call(text) => f.write_str(text),
            NoResult::Failed(error) => write!(f, "error {}: {}", error.code(), error.message()),
        }
    }
}

impl<'a> Bench<'a> {
    /// The functions of a module.
    pub fn new(backend: &'a dyn Backend, module: &'a Module) -> Bench<'a> {
        let named = module.funcs.iter().map(|func| (func.name.as_str(), func));
        Bench {
            backend,
            funcs: named.collect(),
            compiled: HashMap::new(),
        }
    }

    /// Compiles a function, if it is not yet.
    pub fn compile(&mut self, name: &str) -> Result<&Compiled, NoResult> {
        let Some((&name, &func)) = self.funcs.get_key_value(name) else {
            return Err(NoResult::Call(format!("no function is called @{name}")));
        };
        if !self.compiled.contains_key(name) {
            if let Err(violations) = verify(func, Stage::Typed) {
                let text = annotate(func, &violations);
                return Err(NoResult::Call(format!(
                    "the function is not valid:\n{text}"
                )));
            }
            let compiled = compile_func(Arc::new(func.clone()), self.backend);
            self.compiled
                .insert(name, compiled.map_err(NoResult::Failed)?);
        }
        Ok(&self.compiled[name])
    }

    /// The results of a call, as texts.
    pub fn call(&mut self, call: &CallText) -> Result<Vec<String>, NoResult> {
        let results = self.results(call)?;
        Ok(results.iter().map(Bits::text).collect())
    }

    fn results(&mut self, call: &CallText) -> Result<Vec<Bits>, NoResult> {
        let compiled = self.compile(&call.name)?;
        let func = &compiled.typed;
        let types: Vec<&Type> = func.params.iter().map(|&param| func.ty(param)).collect();
        if types.len() != call.args.len() {
            let (wanted, given) = (types.len(), call.args.len());
            let text = format!("@{} takes {wanted} arguments, not {given}", call.name);
            return Err(NoResult::Call(text));
        }
        let mut held = vec![];
        for (at, (literal, ty)) in call.args.iter().zip(types).enumerate() {
            let wrong = |text: String| {
                let name = &func.vars[func.params[at].0 as usize].name;
                NoResult::Call(format!("argument {} (%{name}): {text}", at + 1))
            };
            let bits = literal.of_type(ty).map_err(wrong)?;
            let no_memory = || wrong("there is no memory for it".into());
            held.push(bits.hold().ok_or_else(no_memory)?);
        }
        let args: Vec<Arg<'_>> = held.iter().map(Held::arg).collect();
        let values = compiled.call(&args).map_err(NoResult::Failed)?;
        let written = || NoResult::Call("a result says that it was written elsewhere".into());
        let results = values.iter().map(|value| {
            let bits = Bits::of_value(value);
            let bits = bits.map_err(|failure| NoResult::Failed(compiled.error(failure)))?;
            bits.ok_or_else(written)
        });
        results.collect()
    }

    fn line(&mut self, line: &Directive, limit: Limit) -> Verdict {
        let (call, expected) = match read_line(&line.text) {
            Ok(read) => read,
            Err(text) => return Verdict::Failed(text),
        };
        let other = match &expected {
            Expected::Same(other) => Some(other),
            _ => None,
        };
        for call in [Some(&call), other].into_iter().flatten() {
            let func = self.funcs.get(call.name.as_str());
            if let Some(Err(why)) = func.map(|func| limit.admits(func, call)) {
                return Verdict::Skipped(why);
            }
        }
        match self.compare(&call, &expected) {
            Ok(()) => Verdict::Passed,
            Err(NoResult::Failed(Error::Unsupported { what, .. })) => Verdict::Skipped(what),
            Err(error) => Verdict::Failed(error.to_string()),
        }
    }

    fn compare(&mut self, call: &CallText, expected: &Expected) -> Result<(), NoResult> {
        let wrong = |text: String| Err(NoResult::Call(text));
        let results = match (self.results(call), expected) {
            (Ok(results), Expected::Error { code, .. }) => {
                let texts: Vec<String> = results.iter().map(Bits::text).collect();
                return wrong(format!("expected error {code}, found {}", texts.join(", ")));
            }
            (Err(NoResult::Failed(error)), Expected::Error { code, message })
                if !matches!(error, Error::Unsupported { .. }) =>
            {
                if error.code() == code && error.message() == *message {
                    return Ok(());
                }
                let found = format!("{}: {}", error.code(), error.message());
                return wrong(format!(
                    "expected error {code}: {message}, found error {found}"
                ));
            }
            (results, _) => results?,
        };
        let wanted: Vec<Wanted> = match expected {
            Expected::Same(other) => self.results(other)?.into_iter().map(Wanted::Bits).collect(),
            Expected::Values(literals) => {
                let texts = literals.iter().zip(&results);
                let wanted = texts.map(|(literal, found)| Wanted::of(literal, found));
                let wanted = wanted.collect::<Result<_, _>>().map_err(NoResult::Call)?;
                if literals.len() != results.len() {
                    return wrong(format!(
                        "{} results, expected {}",
                        results.len(),
                        literals.len()
                    ));
                }
                wanted
            }
            Expected::Error { .. } => vec![],
        };
        if wanted.len() != results.len() {
            return wrong(format!(
                "{} results, expected {}",
                results.len(),
                wanted.len()
            ));
        }
        for (at, (found, wanted)) in results.iter().zip(&wanted).enumerate() {
            if let Some(text) = wanted.mismatch(found) {
                return wrong(format!("result {at}: {text}"));
            }
        }
        Ok(())
    }
}

/// What a result must be.
enum Wanted {
    Bits(Bits),
    Digest(u64),
}

impl Wanted {
    fn of(literal: &Literal, found: &Bits) -> Result<Wanted, String> {
        if let Literal::Made(name, given) = literal
            && let ("digest", [Literal::Word(word)]) = (name.as_str(), &given[..])
        {
            let value = crate::ir::parse::parse_const(word, crate::ir::ScalarType::U64)?;
            return Ok(Wanted::Digest(value.bits));
        }
        let lengths: Vec<crate::ir::Atom> = found
            .shape
            .iter()
            .map(|&len| crate::ir::Atom::size(len as u64))
            .collect();
        literal
            .of_type(&Type::array(found.elem, lengths))
            .map(Wanted::Bits)
    }

    /// Why `found` is not that.
    fn mismatch(&self, found: &Bits) -> Option<String> {
        match self {
            Wanted::Digest(digest) if *digest == found.digest() => None,
            Wanted::Digest(digest) => {
                let (is, text) = (found.digest(), found.text());
                Some(format!(
                    "expected digest({digest:#018x}), found digest({is:#018x}) of {text}"
                ))
            }
            Wanted::Bits(wanted) if wanted.elem != found.elem || wanted.shape != found.shape => {
                let (wanted, found) = (wanted.text(), found.text());
                Some(format!("expected {wanted}, found {found}"))
            }
            Wanted::Bits(wanted) => {
                let at = wanted.difference(found)?;
                let element = |bits: &Bits| {
                    let one = Bits {
                        elem: bits.elem,
                        shape: vec![],
                        bits: vec![bits.bits[at]],
                    };
                    one.text()
                };
                let (a, b) = (element(wanted), element(found));
                let whole = found.text();
                Some(format!("element {at}: expected {a}, found {b}, in {whole}"))
            }
        }
    }
}

fn read_line(text: &str) -> Result<(CallText, Expected), String> {
    if let Some((call, rest)) = text.split_once(") error ") {
        let Some((code, message)) = rest.split_once(':') else {
            return Err("expected `error CODE: message`".into());
        };
        let expected = Expected::Error {
            code: code.trim().into(),
            message: message.trim().into(),
        };
        return Ok((CallText::parse(&format!("{call})"))?, expected));
    }
    let Some((call, rest)) = text.split_once(") == ") else {
        return Err("expected `@f(…) == values`, `… == @g(…)` or `… error CODE: message`".into());
    };
    let call = CallText::parse(&format!("{call})"))?;
    let expected = match rest.trim().starts_with('@') {
        true => Expected::Same(CallText::parse(rest)?),
        false => Expected::Values(parse_list(rest)?),
    };
    Ok((call, expected))
}
