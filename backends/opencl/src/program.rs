//! From a scheduled function to something that runs: its plan, its kernels as one program of the device, and another place
//! that says how a run has failed.

use crate::device::{Device, Info, Kernel, Program as Built};
use crate::executor::{Outcome, Walk};
use crate::remote::Places;
use crate::scalars::{Scalars, tails};
use crate::split::split;
use crate::style::Shape;
use crate::transfer;
use crate::unit::{self, Maker, ParUnit, RegionUnit};
use dsl_runtime::array::{Arg, ArrayViewMut, HostBuffer, Value};
use dsl_runtime::backend::{Backend, CompileError, Executable, Failure};
use dsl_runtime::cache::{self, Compiled};
use dsl_runtime::ir::{Const, Data, Expr, Func, Level, Place, ScalarType, Var, walk};
use dsl_runtime::pass::effect;
use dsl_runtime::plan::{Plan, Scalar, Slot};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The stack of a work-item at first, in bytes.
const ROOM: usize = 4096;

/// A compiled function.
pub struct Program {
    pub(crate) device: Device,
    pub(crate) shape: Shape,
    pub(crate) owner: u64,
    pub(crate) plan: Plan,
    pub(crate) places: Places,
    pub(crate) pars: Vec<ParUnit>,
    pub(crate) regions: Vec<RegionUnit>,
    pub(crate) scalars: Scalars,
    /// The number of words of a run.
    pub(crate) words: usize,
    /// Words at the end where values lie while others take their places.
    pub(crate) aside: usize,
    /// The types of names.
    elems: Vec<ScalarType>,
    /// Constant arrays in bodies.
    pub(crate) data: HashMap<Var, crate::device::Buffer>,
    /// Whether anything can fail or may lack stack.
    pub(crate) tested: bool,
    source: String,
    built: Option<Built>,
    /// Kernels that no run uses at the moment.
    idle: Mutex<Vec<Kernels>>,
    /// The stack of a work-item.
    room: AtomicUsize,
    typed: Arc<Func>,
    /// The function as elaborated, where its failures are told.
    exact: OnceLock<Result<Compiled, String>>,
}

/// Kernels by name, with the arguments that they had last.
pub type Kernels = HashMap<String, Kernel>;

impl Program {
    /// Compiles a scheduled function for a device; `owner` is the number of the device's memory.
    pub fn new(
        device: &Device,
        shape: Shape,
        owner: u64,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Program, CompileError> {
        lacking(device.info(), scheduled)?;
        let mut func = scheduled.clone();
        let mut levels = shape.style.levels();
        levels.retain(|&level| level != Level::Seq);
        split(&mut func, &levels, shape.many() as u64);
        let plan = Plan::of(&func)?;
        let places = Places::of(&plan);
        let remote = |slot| places.is_remote(slot);
        let tails = tails(&plan, &places);
        let make = |tested| {
            let mut maker = Maker::new(
                &func,
                &plan.slots,
                plan.scalars,
                &remote,
                shape.style,
                &tails,
                tested,
            );
            let pars: Vec<ParUnit> = plan.pars.iter().map(|stmt| maker.par(stmt)).collect();
            let regions = plan.regions.iter().map(|one| maker.region(one));
            let regions: Vec<RegionUnit> = regions.collect();
            let scalars = Scalars::of(&mut maker, &plan, &places, &tails);
            let (words, stacks) = (maker.words, maker.stacks);
            (pars, regions, scalars, words, stacks, maker.finish())
        };
        let regions = plan.regions.iter().flat_map(|region| &region.stmts);
        let mut kernels = plan.pars.iter().chain(regions);
        let fails = kernels.any(|stmt| effect::can_fail(&func, stmt));
        let mut made = make(fails);
        if made.4 && !fails {
            // A stack may be lacking, which every kernel must then ask.
            made = make(true);
        }
        let (pars, regions, scalars, words, stacks, (source, origins)) = made;
        // As many as a loop may carry.
        let aside = plan.scalars;
        let words = words + aside;
        let any = !pars.is_empty() || !regions.is_empty() || !scalars.kernels.is_empty();
        let built = match any {
            true => Some(build(device, &source, &origins)?),
            false => None,
        };
        let mut data = HashMap::new();
        let mut missing = None;
        walk::stmts(&func.body, &mut |stmt| {
            if let Expr::Data(constant) = &stmt.expr {
                match send(device, constant) {
                    Ok(buffer) => {
                        data.insert(stmt.defs[0], buffer);
                    }
                    Err(failure) => missing = Some(failure),
                }
            }
        });
        if let Some(failure) = missing {
            return Err(CompileError::Internal(format!("constants: {failure:?}")));
        }
        let tested = fails || stacks;
        Ok(Program {
            device: device.clone(),
            shape,
            owner,
            plan,
            places,
            pars,
            regions,
            scalars,
            words,
            aside,
            elems: func.vars.iter().map(|info| info.ty.elem).collect(),
            data,
            tested,
            source,
            built,
            idle: Mutex::default(),
            room: AtomicUsize::new(ROOM),
            typed: typed.clone(),
            exact: OnceLock::new(),
        })
    }

    /// The type of a scalar's name.
    pub(crate) fn elem(&self, var: Var) -> ScalarType {
        self.elems[var.0 as usize]
    }

    /// A kernel of this name.
    pub(crate) fn kernel(&self, name: &str) -> Result<Kernel, Failure> {
        let built = self.built.as_ref().expect("a program with kernels");
        built.kernel(name).map_err(transfer::stop)
    }

    fn run_once(
        &self,
        kernels: &mut Kernels,
        room: usize,
        args: &[Arg<'_>],
        into: &[Option<ArrayViewMut<'_>>],
    ) -> Result<Outcome, Failure> {
        let mut walk = Walk::new(self, kernels, room);
        let outcome = walk.run(args, into);
        // Memory of the caller's is not used after this.
        let lent = walk.finish();
        if lent {
            self.device.wait().map_err(transfer::stop)?;
        }
        outcome
    }

    /// Runs the function as elaborated elsewhere, to see how it fails; none if it does not.
    fn explain(&self, args: &[Arg<'_>]) -> Option<Failure> {
        let exact = self.exact.get_or_init(|| {
            let backend = host().ok_or("no place on the host is linked into this program")?;
            cache::compile_func(self.typed.clone(), &*backend).map_err(|error| error.to_string())
        });
        let compiled = match exact {
            Ok(compiled) => compiled,
            Err(text) => return Some(Failure::Internal(text.clone())),
        };
        compiled.failure(args)
    }
}

/// The backend that tells failures: compiled code where it is linked, else the interpreter.
fn host() -> Option<Arc<dyn Backend>> {
    let places = [dsl_runtime::Place::cpu(), dsl_runtime::Place::interp()];
    places
        .iter()
        .find_map(|place| place.backend().ok().flatten().cloned())
}

/// Builds the source; a refusal names the place in the user's source that the offending line comes from.
fn build(device: &Device, source: &str, origins: &[Place]) -> Result<Built, CompileError> {
    device.build(source).map_err(|failure| {
        let line = failure.line.map(|line| line as usize);
        let origin = line.and_then(|line| origins.get(line.checked_sub(1)?));
        let shown = line.and_then(|line| source.lines().nth(line.checked_sub(1)?));
        let log = match shown {
            Some(shown) => format!("{}\nthe line: {}", failure.log.trim_end(), shown.trim()),
            None => failure.log,
        };
        CompileError::Build {
            device: failure.device.to_string(),
            log,
            place: origin.copied().unwrap_or_default(),
        }
    })
}

/// What a device lacks that the function needs.
fn lacking(info: &Info, func: &Func) -> Result<(), CompileError> {
    let mut found = Ok(());
    if info.f64 {
        return found;
    }
    walk::stmts(&func.body, &mut |stmt| {
        let double = |&var: &Var| func.ty(var).elem == ScalarType::F64;
        if found.is_ok() && stmt.defs.iter().any(double) {
            found = Err(CompileError::Unsupported {
                what: format!(
                    "f64 is unsupported on {}: it computes with f32 only",
                    info.name
                ),
                place: stmt.place,
            });
        }
    });
    found
}

/// Constants in the device's memory.
fn send(device: &Device, data: &Data) -> Result<crate::device::Buffer, Failure> {
    let bytes = data.elem.bytes();
    let memory = |bytes: usize| Failure::OutOfMemory {
        bytes: bytes as u128,
        place: Place::default(),
    };
    let dense = dsl_runtime::array::Dense::from_bits(
        data.elem,
        data.shape.clone(),
        data.bits.iter().copied(),
    );
    let count = data.bits.len() * bytes;
    let dense = dense.ok_or_else(|| memory(count))?;
    let buffer: Arc<HostBuffer> = dense.buffer;
    device
        .adopt(buffer, count)
        .map_err(|refused| transfer::failure(refused, Place::default()))
}

impl Executable for Program {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kernels = idle().pop().unwrap_or_default();
        let mut room = self.room.load(Ordering::Relaxed);
        let outcome = loop {
            let missing = match self.run_once(&mut kernels, room, args, into) {
                Ok(Outcome::Results(values)) => {
                    // Only what has sufficed is kept for later runs: others may do with less, and there may be no more.
                    self.room.fetch_max(room, Ordering::Relaxed);
                    break Ok(values);
                }
                Ok(Outcome::Stack(bytes)) => bytes,
                Ok(Outcome::Failed { stack }) => match self.explain(args) {
                    Some(failure) => break Err(failure),
                    // How much was missing is as doubtful as the failure.
                    None if stack => 0,
                    None => {
                        break Err(Failure::Internal(format!(
                            "device code of `{}` failed, the function as elaborated did not",
                            self.typed.name
                        )));
                    }
                },
                Err(failure) => break Err(failure),
            };
            // Twice what was missing: what comes later needs some too.
            room = missing
                .max(room)
                .saturating_mul(2)
                .min(isize::MAX as usize)
                .next_multiple_of(16);
        };
        idle().push(kernels);
        outcome
    }

    fn code(&self) -> String {
        match self.built {
            Some(_) => self.source.clone(),
            None => {
                "/* no kernel: a few scalar operations, which the host computes itself */\n".into()
            }
        }
    }
}

/// Kernel parameters that are plain numbers.
pub fn number(value: usize) -> Const {
    Const::u64(value as u64)
}

/// The slot of a scalar.
pub fn slot_of(plan: &Plan, var: Var) -> Option<Scalar> {
    match plan.slots.get(&var) {
        Some(&Slot::Scalar(slot)) => Some(Scalar::Slot(slot)),
        _ => None,
    }
}

/// The word of a slot.
pub fn word(slot: u32) -> usize {
    unit::STATE + slot as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl_runtime::syntax::Span;

    #[test]
    fn a_refused_program_names_the_line_and_the_users_place() {
        let Some(device) = Device::all().ok().and_then(|devices| devices.first()) else {
            return println!("SKIPPED  a refused program: there is no OpenCL device");
        };
        let source = "__kernel void f(__global int* x) {\n    const int a = 1;\n    x[0] = nothing_of_this_name;\n}\n";
        let place = |source| Place {
            source,
            span: Span::default(),
        };
        let origins = [place(0), place(1), place(7), place(3)];
        let Err(CompileError::Build { log, place, .. }) = build(device, source, &origins) else {
            panic!("the program is wrong");
        };
        assert_eq!(place.source, 7);
        assert!(
            log.contains("the line: x[0] = nothing_of_this_name;"),
            "{log}"
        );
    }
}
