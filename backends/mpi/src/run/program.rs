//! From a scheduled function to something that all ranks run together.

use crate::comm::collective::{agree, all_gather, checks};
use crate::job::{Job, Turn};
use crate::plan::derive::{self, Local};
use crate::plan::separate::separate;
use crate::plan::unit::{Unit, once, uncompiled};
use crate::run::held::Held;
use crate::run::ledger::Ledger;
use crate::run::walk::{Stop, Walk};
use dsl_runtime::array::{Arg, ArrayViewMut, Dense, Stored, Value};
use dsl_runtime::backend::{Backend, CompileError, Executable, Failure, guarded};
use dsl_runtime::ir::verify::{Stage, annotate, verify};
use dsl_runtime::ir::{Atom, Const, Expr, Func, Place, Var, walk};
use dsl_runtime::pass;
use dsl_runtime::plan::{Plan, Source};
use dsl_runtime::syntax::Span;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A function that all ranks run together.
pub struct Program {
    pub(crate) job: Arc<Job>,
    pub(crate) inner: Arc<dyn Backend>,
    /// With pars of one kind each.
    pub(crate) scheduled: Func,
    typed: Arc<Func>,
    pub(crate) plan: Plan,
    pub(crate) units: Vec<Unit>,
    regions: Vec<OnceLock<Result<Local, CompileError>>>,
    constants: HashMap<Var, Stored>,
    /// As one place runs it: it says how a run has failed.
    exact: OnceLock<Result<Arc<dyn Executable>, CompileError>>,
    /// What the last run sent.
    last: Mutex<Option<Ledger>>,
}

impl Program {
    /// Plans a function; its parts are compiled when they are first run, as it depends on what ranks have how they are run.
    pub fn new(
        job: &Arc<Job>,
        inner: &Arc<dyn Backend>,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Program, CompileError> {
        let mut func = scheduled.clone();
        separate(&mut func);
        // To a place that optimises nothing, pars come without levels.
        let mut stage = Stage::Typed;
        walk::stmts(&func.body, &mut |stmt| {
            if matches!(&stmt.expr, Expr::Par(par) if !par.levels.is_empty()) {
                stage = Stage::Scheduled;
            }
        });
        if cfg!(debug_assertions)
            && let Err(violations) = verify(&func, stage)
        {
            let text = annotate(&func, &violations);
            return Err(CompileError::Internal(format!(
                "parting pars broke an invariant\n{text}"
            )));
        }
        let plan = Plan::of(&func)?;
        let mut constants = HashMap::new();
        walk::stmts(&func.body, &mut |stmt| {
            if let Expr::Data(data) = &stmt.expr {
                let dense =
                    Dense::from_bits(data.elem, data.shape.clone(), data.bits.iter().copied());
                constants.extend(dense.map(|dense| (stmt.defs[0], dense.into())));
            }
        });
        Ok(Program {
            job: job.clone(),
            inner: inner.clone(),
            typed: typed.clone(),
            units: plan.pars.iter().map(|stmt| Unit::of(&func, stmt)).collect(),
            regions: plan.regions.iter().map(|_| OnceLock::new()).collect(),
            constants,
            plan,
            scheduled: func,
            exact: OnceLock::new(),
            last: Mutex::default(),
        })
    }

    /// Statements that every rank runs.
    pub(crate) fn region(&self, number: usize) -> Result<&Local, Failure> {
        let region = &self.plan.regions[number];
        let results: Vec<Atom> = region.results.iter().map(|&var| var.into()).collect();
        once(&self.regions[number], &self.scheduled, || {
            derive::everywhere(&*self.inner, &self.scheduled, &region.stmts, &results)
        })
    }

    /// A constant array of the program's.
    pub(crate) fn data(&self, var: Var) -> Result<Stored, Failure> {
        let constant = self.constants.get(&var).cloned();
        constant.ok_or_else(|| crate::array::cut::no_memory(self.scheduled.ty(var).elem, &[]))
    }

    /// What all ranks have to call alike.
    fn call_text(&self, args: &[Arg<'_>], into: &[Option<ArrayViewMut<'_>>]) -> String {
        let mut text = format!("kernel {}", self.typed.name);
        for (&param, arg) in self.typed.params.iter().zip(args) {
            let name = &self.typed.vars[param.0 as usize].name;
            let _ = match Held::of(arg, &self.job) {
                None => write!(text, ", {name}"),
                Some(held) => {
                    let how = held.cut().map_or("", |_| " cut among the ranks");
                    write!(text, ", {name}: {:?}{how}", held.shape())
                }
            };
            if let Arg::Scalar(value) = arg {
                let _ = write!(text, " = {:#x}", value.bits);
            }
        }
        // It is gathered then.
        for (number, memory) in into.iter().enumerate() {
            if let Some(memory) = memory {
                let shape = memory.shape();
                let _ = write!(text, ", result {number} goes to memory of {shape:?}");
            }
        }
        text
    }

    /// How a run has failed, the same on all ranks.
    fn failure(
        &self,
        turn: &Turn<'_>,
        args: &[Arg<'_>],
        here: Option<&Failure>,
    ) -> Result<Failure, Failure> {
        let texts = all_gather(turn.comm, &encode(here))?;
        let places = texts
            .iter()
            .enumerate()
            .find(|(_, text)| text.first() > Some(&1))
            .map(|(rank, text)| decode(rank, text));
        // Where the program has failed on a rank, others may have failed on what they have of it, and the other way round.
        let program = texts.iter().any(|text| text.first() == Some(&1));
        if let (Some(failure), false) = (&places, program) {
            return Ok(failure.clone());
        }
        // A failure of the program's: the place inside says it exactly, on the whole arrays.
        let exact = self.exact.get_or_init(|| {
            guarded(&self.typed, || {
                let broken = |broken: pass::Broken| CompileError::Internal(broken.report);
                let scheduled = pass::pipeline(&self.typed, &self.inner.caps()).map_err(broken)?;
                self.inner.compile(&scheduled, &self.typed)
            })
        });
        let exact = match exact {
            Ok(exact) => exact,
            Err(error) => return Ok(uncompiled(error.clone())),
        };
        let held: Vec<Option<Held<'_>>> = args.iter().map(|arg| Held::of(arg, &self.job)).collect();
        let mut whole = vec![];
        for (arg, held) in args.iter().zip(&held) {
            whole.push(match held {
                None => arg.clone(),
                Some(held) => held.arg(turn, self.inner.resident())?,
            });
        }
        let mut none: Vec<Option<ArrayViewMut<'_>>> = vec![];
        none.resize_with(self.typed.body.results.len(), || None);
        Ok(match exact.run(&whole, &mut none) {
            Err(failure) => failure,
            Ok(_) => places.unwrap_or_else(|| {
                Failure::Internal(format!(
                    "`{}` failed on {} ranks, on one place it does not",
                    self.typed.name,
                    turn.comm.size()
                ))
            }),
        })
    }

    /// Lets what has been computed leave the run.
    fn results(
        &self,
        run: &mut Walk<'_, '_>,
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Result<Vec<Value>, Failure>, Stop> {
        if run.ranks() > 1 {
            run.sound()?;
        }
        for (number, &result) in self.plan.results.iter().enumerate() {
            if let (Source::Array(slot), Some(Some(memory))) = (result, into.get(number))
                && run.shape(slot) != memory.shape()
            {
                return Ok(Err(Failure::ResultShape {
                    result: number,
                    expected: memory.shape().to_vec(),
                    found: run.shape(slot),
                }));
            }
        }
        let mut values = vec![];
        for (number, &result) in self.plan.results.iter().enumerate() {
            values.push(match (result, into.get(number)) {
                (Source::Scalar(scalar, ty), _) => Value::Scalar(Const {
                    ty,
                    bits: run.scalar(scalar),
                }),
                (Source::Array(slot), Some(Some(_))) => {
                    let var = self.plan.arrays[slot as usize].var;
                    run.gather(var)?;
                    Value::Written
                }
                (Source::Array(slot), _) => Value::Stored(match run.held(slot) {
                    Held::Cut(cut) => cut.stored(),
                    Held::Whole(stored) => stored.clone(),
                    Held::View(view) => {
                        let copy = view.to_dense();
                        let copy = copy
                            .ok_or_else(|| crate::array::cut::no_memory(view.elem(), view.shape()));
                        copy?.into()
                    }
                }),
            });
        }
        for (&result, memory) in self.plan.results.iter().zip(into) {
            if let (Source::Array(slot), Some(memory)) = (result, memory) {
                memory.copy_from(&run.held(slot).view(run.turn)?);
            }
        }
        Ok(Ok(values))
    }
}

impl Executable for Program {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let turn = self.job.turn();
        if checks() {
            agree(turn.comm, &self.call_text(args, into))?;
        }
        let mut run = Walk::new(self, &turn, args);
        let outcome = match run.steps(&self.plan.steps) {
            Ok(()) => self.results(&mut run, into),
            Err(stop) => Err(stop),
        };
        let failed = match outcome {
            Ok(outcome) => {
                let ledger = std::mem::take(&mut run.ledger);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(ledger);
                return outcome;
            }
            Err(Stop::Alone(failure @ Failure::Ranks(_))) => return Err(failure),
            Err(Stop::Alone(failure)) => {
                run.failed.get_or_insert(failure);
                // The others hear of it where they next ask whether all is well: at the end at the latest.
                match run.sound() {
                    Err(Stop::Alone(failure @ Failure::Ranks(_))) => return Err(failure),
                    _ => run.failed.take(),
                }
            }
            Err(Stop::Known) => run.failed.take(),
        };
        Err(self.failure(&turn, args, failed.as_ref())?)
    }

    fn code(&self) -> String {
        let mut text = String::from(
            "; ranks share these; every function is compiled for the place inside when it is first run\n",
        );
        text.push_str(&dsl_runtime::ir::print::print(&self.scheduled));
        text
    }

    fn explain(&self) -> String {
        let (rank, ranks) = (self.job.rank(), self.job.size());
        let head = format!("messages of rank {rank} of {ranks}");
        match &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            None => format!("{head}: run it first, as they depend on how the arguments are cut\n"),
            Some(ledger) => {
                let total = ledger.total();
                let (messages, bytes) = (total.messages, total.bytes);
                format!("{head} in the last run: {messages}, {bytes} B\n{ledger}")
            }
        }
    }
}

/// What has failed on a rank, for the others: nothing (0), the program (1), the place (more).
fn encode(failure: Option<&Failure>) -> Vec<u8> {
    let mut text = vec![];
    match failure {
        None => text.push(0),
        Some(Failure::Fault { .. }) => text.push(1),
        Some(Failure::OutOfMemory { bytes, place }) => {
            text.push(2);
            text.extend(bytes.to_le_bytes());
            text.extend(place.source.to_le_bytes());
            let Span {
                line,
                column,
                end_line,
                end_column,
            } = place.span;
            text.extend(
                [line, column, end_line, end_column]
                    .iter()
                    .flat_map(|n| n.to_le_bytes()),
            );
        }
        Some(Failure::Device { text: what }) => {
            text.push(3);
            text.extend(what.as_bytes());
        }
        Some(Failure::Unsupported(what)) => {
            text.push(4);
            text.extend(what.as_bytes());
        }
        Some(Failure::TooLarge {
            bytes,
            free,
            limit,
            device,
            place: _,
        }) => {
            text.push(6);
            text.extend([bytes, free, limit].iter().flat_map(|n| n.to_le_bytes()));
            text.extend(device.as_bytes());
        }
        Some(Failure::Internal(what)) => {
            text.push(5);
            text.extend(what.as_bytes());
        }
        Some(other) => {
            text.push(5);
            text.extend(format!("{other:?}").as_bytes());
        }
    }
    text
}

fn decode(rank: usize, text: &[u8]) -> Failure {
    let (kind, rest) = (text[0], &text[1..]);
    let words = || format!("rank {rank}: {}", String::from_utf8_lossy(rest));
    let long =
        |at: usize| u128::from_le_bytes(rest[at..at + 16].try_into().expect("sixteen bytes"));
    let number = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().expect("four bytes"));
    match kind {
        2 => {
            let [line, column, end_line, end_column] = [18, 22, 26, 30].map(number);
            Failure::OutOfMemory {
                bytes: long(0),
                place: Place {
                    source: u16::from_le_bytes([rest[16], rest[17]]),
                    span: Span {
                        line,
                        column,
                        end_line,
                        end_column,
                    },
                },
            }
        }
        3 => Failure::Device { text: words() },
        4 => Failure::Unsupported(words()),
        6 => Failure::TooLarge {
            bytes: long(0),
            free: long(16),
            limit: long(32),
            device: String::from_utf8_lossy(&rest[48..]).into_owned(),
            place: Place::default(),
        },
        _ => Failure::Internal(words()),
    }
}
