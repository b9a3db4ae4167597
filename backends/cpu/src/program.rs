//! From a scheduled function to something that runs: its image, images for other layouts of arguments, and the exact
//! image that says how a run has failed.

use crate::compile::Compiler;
use crate::crew::Crew;
use crate::executor::{self, Image, Stop, Store};
use crate::plan::Plan;
use crate::unit::Mode;
use dsl_runtime::array::{Arg, ArrayViewMut, Value};
use dsl_runtime::backend::{Caps, CompileError, Executable, Failure, guarded};
use dsl_runtime::ir::op::Meaning;
use dsl_runtime::ir::{Const, Expr, Func, Place, VarSet, walk};
use dsl_runtime::pass;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A compiled function.
pub struct Program {
    crew: Arc<Crew>,
    scheduled: Func,
    typed: Arc<Func>,
    caps: Caps,
    /// For arguments that are contiguous.
    dense: Image,
    /// By the numbers of the parameters whose arguments are not.
    strided: Mutex<HashMap<Vec<usize>, Arc<Image>>>,
    /// Of the function as elaborated; made when a run has failed.
    exact: OnceLock<Result<Image, CompileError>>,
    stores: Mutex<Vec<Store>>,
}

impl Program {
    /// Compiles a scheduled function; `typed` is the function as elaborated, which says how a run has failed.
    pub fn new(
        scheduled: &Func,
        typed: &Arc<Func>,
        caps: Caps,
        crew: Arc<Crew>,
    ) -> Result<Program, CompileError> {
        lacking(scheduled)?;
        let plan = Arc::new(Plan::of(scheduled)?);
        let dense = image(plan, scheduled, Mode::Fast, &[], false)?;
        Ok(Program {
            crew,
            scheduled: scheduled.clone(),
            typed: typed.clone(),
            caps,
            dense,
            strided: Mutex::default(),
            exact: OnceLock::new(),
            stores: Mutex::default(),
        })
    }

    /// The image for arguments of which those of these parameters are not contiguous.
    fn layout(&self, strided: Vec<usize>) -> Result<Arc<Image>, CompileError> {
        let mut images = self.strided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(image) = images.get(&strided) {
            return Ok(image.clone());
        }
        let plan = self.dense.plan.clone();
        let image = Arc::new(image(plan, &self.scheduled, Mode::Fast, &strided, false)?);
        images.insert(strided, image.clone());
        Ok(image)
    }

    fn with_store<T>(&self, run: impl FnOnce(&mut Store) -> T) -> T {
        let stores = || self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = stores().pop().unwrap_or_default();
        let outcome = run(&mut store);
        stores().push(store);
        outcome
    }

    /// Runs the function as elaborated, one statement after the other, to see how it fails.
    fn explain(&self, args: &[Arg<'_>]) -> Failure {
        let image = self.exact.get_or_init(|| {
            guarded(&self.typed, || {
                let func = pass::run(&self.typed, &self.caps, pass::PLAIN)
                    .map_err(|broken| CompileError::Internal(broken.report))?;
                image(Arc::new(Plan::exact(&func)), &func, Mode::Exact, &[], false)
            })
        });
        let image = match image {
            Ok(image) => image,
            Err(error) => return uncompiled(error.clone()),
        };
        let mut copies = vec![];
        for arg in args {
            copies.push(match arg {
                Arg::Array(view) if !view.is_contiguous() => match view.to_dense() {
                    Some(dense) => Some(dense),
                    None => {
                        return Failure::OutOfMemory {
                            bytes: view.elements() as u128 * view.elem().bytes() as u128,
                            place: Place::default(),
                        };
                    }
                },
                _ => None,
            });
        }
        let args: Vec<Arg<'_>> = args
            .iter()
            .zip(&copies)
            .map(|(arg, copy)| match copy {
                Some(dense) => Arg::Array(dense.view()),
                None => arg.clone(),
            })
            .collect();
        let outcome =
            self.with_store(|store| executor::run(image, &self.crew, store, &args, &mut [], true));
        match outcome {
            Err(Stop::Failure(failure)) => failure,
            Err(Stop::Exact(region, record)) => {
                let site = &image.units.regions[region].sites[record.site as usize];
                let operands = site.operands.iter().zip(record.operands);
                match &site.fault {
                    Some(fault) => Failure::Fault {
                        fault: fault.clone(),
                        operands: operands.map(|(&ty, bits)| Const { ty, bits }).collect(),
                        place: site.place,
                    },
                    None => Failure::Internal(format!(
                        "the exact run of `{}` failed where nothing can fail",
                        self.typed.name
                    )),
                }
            }
            Err(Stop::Fault) | Ok(_) => Failure::Internal(format!(
                "compiled code of `{}` failed, the function as elaborated did not",
                self.typed.name
            )),
        }
    }
}

fn uncompiled(error: CompileError) -> Failure {
    match error {
        CompileError::Unsupported { what, .. } => Failure::Unsupported(what),
        CompileError::Internal(text) => Failure::Internal(text),
        other => Failure::Internal(format!("{other:?}")),
    }
}

/// The first operation that the compiler has no code for: `legalize` leaves none where it knows the row's kernel.
fn lacking(func: &Func) -> Result<(), CompileError> {
    let mut found = Ok(());
    walk::stmts(&func.body, &mut |stmt| {
        if let (Expr::Op(op, operands), Ok(())) = (&stmt.expr, &found)
            && let Meaning::Math = op.row().meaning
        {
            let ty = func.atom_type(operands[0]).elem;
            found = Err(CompileError::Unsupported {
                what: format!("`{}` on {ty} is unsupported on this place", op.name()),
                place: stmt.place,
            });
        }
    });
    found
}

/// Compiles what a plan asks for: now, or in the middle of a run, which is why no panic may leave it.
fn image(
    plan: Arc<Plan>,
    func: &Func,
    mode: Mode,
    strided: &[usize],
    listed: bool,
) -> Result<Image, CompileError> {
    guarded(func, || {
        let strided: VarSet = plan
            .arrays
            .iter()
            .filter(|info| info.param.is_some_and(|param| strided.contains(&param)))
            .map(|info| info.var)
            .collect();
        let mut compiler = Compiler::new(func, mode, &strided);
        if listed {
            compiler = compiler.listed();
        }
        for stmt in &plan.pars {
            compiler.par(stmt)?;
        }
        for region in &plan.regions {
            compiler.region(&region.stmts, &region.results, &region.dying)?;
        }
        let units = compiler.finish()?;
        Ok(Image::new(plan, units))
    })
}

impl Executable for Program {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let strided = args.iter().enumerate().filter(|(_, arg)| match arg {
            Arg::Array(view) => !view.is_contiguous(),
            Arg::Scalar(_) | Arg::Stored(_) => false,
        });
        let strided: Vec<usize> = strided.map(|(number, _)| number).collect();
        let other;
        let image = if strided.is_empty() {
            &self.dense
        } else {
            other = self.layout(strided).map_err(uncompiled)?;
            &*other
        };
        let outcome =
            self.with_store(|store| executor::run(image, &self.crew, store, args, into, false));
        outcome.map_err(|stop| match stop {
            Stop::Failure(failure) => failure,
            Stop::Fault | Stop::Exact(..) => self.explain(args),
        })
    }

    fn code(&self) -> String {
        let plan = self.dense.plan.clone();
        match image(plan, &self.scheduled, Mode::Fast, &[], true) {
            Ok(image) => match image.units.code() {
                text if text.is_empty() => "; no compiled code: a few scalar operations, which the driver computes itself\n".into(),
                text => text,
            },
            Err(error) => format!("{error:?}"),
        }
    }
}
