//! Compiled functions: made once for a kernel, its generic arguments and a place, and kept.
//!
//! Each thread has a table of its own in front of the shared one, so that a warm call takes no lock.

mod assumed;

use crate::array::{Arg, ArrayViewMut, Value};
use crate::backend::{Backend, CompileError, Executable, Failure, guarded, panic_text};
use crate::elaborate::ty::GenericArg;
use crate::error::{Error, Site};
use crate::ir::verify::{Stage, annotate, verify};
use crate::ir::{self, Atom, Const, Fault, Func, Level, ScalarType};
use crate::place::Place;
use crate::syntax::Kernel;
use assumed::Assumed;
use smallvec::SmallVec;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A function compiled for a place.
pub struct Compiled {
    /// As elaborated.
    pub typed: Arc<Func>,
    /// As the passes left it.
    pub scheduled: Func,
    executable: Arc<dyn Executable>,
    /// Another executable, for arguments that need fewer tests.
    assumed: Option<Box<Assumed>>,
    resident: bool,
    params: Vec<Param>,
    sizes: usize,
}

/// What the shape of an argument must be.
struct Param {
    elem: ScalarType,
    dims: SmallVec<[Extent; 4]>,
}

/// A length of an argument.
#[derive(Clone, Copy)]
enum Extent {
    /// This one.
    Is(usize),
    /// A size of the function, by its number: the same in all arguments that have it.
    Size(usize),
}

/// An argument that does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// Which parameter of the function.
    pub leaf: usize,
    /// What is wrong.
    pub text: String,
    /// The length that is wanted and the one that is there, if that is what is wrong.
    pub lengths: Option<[usize; 2]>,
}

impl Compiled {
    fn of(
        typed: Arc<Func>,
        scheduled: Func,
        executable: Arc<dyn Executable>,
        resident: bool,
    ) -> Compiled {
        let extent = |atom: &Atom| match atom {
            Atom::Const(value) => Extent::Is(value.bits as usize),
            Atom::Var(var) => {
                let size = typed.sizes.iter().position(|size| size == var);
                Extent::Size(size.expect("the shape of a parameter is of sizes"))
            }
        };
        let params = typed.params.iter().map(|&param| {
            let ty = typed.ty(param);
            Param {
                elem: ty.elem,
                dims: ty.shape.iter().map(extent).collect(),
            }
        });
        Compiled {
            params: params.collect(),
            sizes: typed.sizes.len(),
            typed,
            scheduled,
            executable,
            assumed: None,
            resident,
        }
    }

    /// The number of results.
    pub fn results(&self) -> usize {
        self.typed.body.results.len()
    }

    /// The generated code: of what runs on any arguments.
    pub fn code(&self) -> String {
        self.executable.code()
    }

    /// The plan, for people, and what is tested once an array where arguments are arrays at a place.
    pub fn explain(&self) -> String {
        let plan = crate::explain::explain(&self.scheduled) + &self.executable.explain();
        match &self.assumed {
            Some(assumed) => plan + &assumed.explain(&self.typed),
            None => plan,
        }
    }

    /// Whether the arguments agree with the parameters, and with each other where they share a size.
    pub fn check(&self, args: &[Arg<'_>]) -> Result<(), Misfit> {
        let mut sizes: SmallVec<[Option<usize>; 8]> = SmallVec::from_elem(None, self.sizes);
        let counts = || {
            format!(
                "{} arguments for {} parameters",
                args.len(),
                self.params.len()
            )
        };
        if args.len() != self.params.len() {
            return Err(Misfit {
                leaf: 0,
                text: counts(),
                lengths: None,
            });
        }
        for (leaf, (arg, param)) in args.iter().zip(&self.params).enumerate() {
            let (elem, shape) = (arg.elem(), arg.shape());
            let misfit = |text| {
                Err(Misfit {
                    leaf,
                    text,
                    lengths: None,
                })
            };
            if elem != param.elem {
                return misfit(format!(
                    "elements of type {elem} where {} is wanted",
                    param.elem
                ));
            }
            if shape.len() != param.dims.len() {
                let (have, want) = (shape.len(), param.dims.len());
                return misfit(format!("{have} dimensions where {want} are wanted"));
            }
            for (&len, extent) in shape.iter().zip(&param.dims) {
                let want = match *extent {
                    Extent::Is(want) => want,
                    Extent::Size(size) => *sizes[size].get_or_insert(len),
                };
                if len != want {
                    return Err(Misfit {
                        leaf,
                        text: format!("a length of {len} where {want} is wanted"),
                        lengths: Some([want, len]),
                    });
                }
            }
        }
        Ok(())
    }

    /// Checks the arguments and runs it: for functions of text files, which have no kernel. Lengths that must be equal and
    /// are not are [`Fault::ShapeMismatch`].
    ///
    /// # Errors
    /// What is wrong with the arguments or goes wrong in the run.
    pub fn call(&self, args: &[Arg<'_>]) -> Result<Vec<Value>, Error> {
        let site = || Box::new(Site::of(&self.typed, ir::Place::default()));
        self.check(args).map_err(|misfit| match misfit.lengths {
            Some(lengths) => Error::Fault {
                fault: Fault::ShapeMismatch,
                operands: lengths.map(|len| Const::u64(len as u64)).to_vec(),
                site: site(),
            },
            None => Error::Argument {
                parameter: self.typed.vars[self
                    .typed
                    .params
                    .get(misfit.leaf)
                    .map_or(0, |v| v.0 as usize)]
                .name
                .clone(),
                text: misfit.text,
                site: site(),
            },
        })?;
        let mut args: SmallVec<[Arg<'_>; 4]> = args.iter().cloned().collect();
        self.run(&mut args, &mut [])
    }

    /// Runs it; the arguments have been checked. To a backend that is not resident they are all brought to host memory.
    pub(crate) fn run(
        &self,
        args: &mut [Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Error> {
        let chosen = (self.assumed.as_ref()).and_then(|other| other.choose(&self.typed, args));
        let executable = chosen.unwrap_or(&self.executable);
        if !self.resident {
            for arg in args.iter_mut() {
                if let Arg::Stored(stored) = *arg {
                    let dense = stored.dense().map_err(|failure| self.error(failure))?;
                    *arg = Arg::Array(dense.view());
                }
            }
        }
        let result = match into.is_empty() {
            true => {
                let mut none: SmallVec<[Option<ArrayViewMut<'_>>; 4]> = SmallVec::new();
                none.resize_with(self.results(), || None);
                executable.run(args, &mut none)
            }
            false => executable.run(args, into),
        };
        result.map_err(|failure| self.error(failure))
    }

    /// How it fails on these arguments, which agree with the parameters; `None` if it does not. A backend whose code only
    /// notices that something fails asks another one.
    pub fn failure(&self, args: &[Arg<'_>]) -> Option<Failure> {
        let mut here = SmallVec::<[Arg<'_>; 4]>::new();
        for arg in args {
            match arg.on_host() {
                Ok(arg) => here.push(arg),
                Err(failure) => return Some(failure),
            }
        }
        let mut none: SmallVec<[Option<ArrayViewMut<'_>>; 4]> = SmallVec::new();
        none.resize_with(self.results(), || None);
        self.executable.run(&here, &mut none).err()
    }

    /// A failure of a run, for people.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        Error::from_failure(failure, &self.typed)
    }
}

/// A kernel's function in the IR, as elaborated.
pub fn elaborate(kernel: &'static Kernel, generics: &[GenericArg]) -> Result<Func, Error> {
    // As `guarded`, but there is no function to show yet.
    let lowered = catch_unwind(|| crate::elaborate::lower::lower(kernel, generics));
    let lowered = lowered.map_err(|panic| Error::Internal {
        text: format!(
            "elaboration: {}",
            panic_text(&*panic).unwrap_or("a panic without a text")
        ),
        kernel: kernel.name.to_string(),
    })?;
    let func = lowered.map_err(|mistake| Error::Mistake {
        mistake: Box::new(mistake),
        kernel: kernel.name.to_string(),
    })?;
    if cfg!(debug_assertions)
        && let Err(violations) = verify(&func, Stage::Typed)
    {
        return Err(Error::Internal {
            text: format!(
                "elaboration broke an invariant\n{}",
                annotate(&func, &violations)
            ),
            kernel: func.name,
        });
    }
    Ok(func)
}

/// From the surface tree to what a backend runs.
pub fn compile(
    kernel: &'static Kernel,
    generics: &[GenericArg],
    backend: &Arc<dyn Backend>,
) -> Result<Compiled, Error> {
    compile_assuming(Arc::new(elaborate(kernel, generics)?), backend)
}

/// From a function of the IR to what a backend runs.
pub fn compile_func(typed: Arc<Func>, backend: &dyn Backend) -> Result<Compiled, Error> {
    let scheduled =
        scheduled(&typed, backend).map_err(|error| Error::from_compile(error, &typed))?;
    let executable = guarded(&scheduled, || backend.compile(&scheduled, &typed));
    let executable = executable.map_err(|error| Error::from_compile(error, &typed))?;
    let resident = backend.resident();
    Ok(Compiled::of(typed, scheduled, executable, resident))
}

/// As [`compile_func`]; where arguments are arrays that make indices valid, code without these tests will run.
pub fn compile_assuming(typed: Arc<Func>, backend: &Arc<dyn Backend>) -> Result<Compiled, Error> {
    let mut compiled = compile_func(typed, &**backend)?;
    // Ranks have to run the same code, and what is known of elements may differ between them.
    if backend.caps().levels.contains(&Level::Ranks) {
        return Ok(compiled);
    }
    compiled.assumed = Assumed::of(&compiled.typed, backend);
    Ok(compiled)
}

/// The function as the passes leave it for a backend.
fn scheduled(typed: &Func, backend: &dyn Backend) -> Result<Func, CompileError> {
    guarded(typed, || {
        crate::pass::pipeline(typed, &backend.caps()).map_err(|broken| {
            CompileError::Internal(format!("pass {}: {}", broken.pass, broken.report))
        })
    })
}

/// What a compiled function is known by: the address of its tree, its generic arguments, its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    tree: usize,
    generics: TypeId,
    place: u64,
}

/// One slot of the shared table: its lock is held while the function is compiled, so that it is compiled once.
type Slot = Arc<Mutex<Option<Arc<Compiled>>>>;

static SHARED: OnceLock<Mutex<HashMap<Key, Slot>>> = OnceLock::new();

thread_local! {
    static OWN: RefCell<HashMap<Key, Arc<Compiled>, BuildHasherDefault<Mix>>> = RefCell::default();
}

/// The compiled function of a kernel at a place, compiled now if it is not yet; none at `native`.
pub(crate) fn find(
    tree: &'static Kernel,
    identity: TypeId,
    generics: fn() -> Vec<GenericArg>,
    place: &Place,
) -> Result<Option<Arc<Compiled>>, Error> {
    let Some(backend) = place.backend()? else {
        return Ok(None);
    };
    let key = Key {
        tree: std::ptr::from_ref(tree).addr(),
        generics: identity,
        place: place.serial(),
    };
    if let Some(compiled) = OWN.with_borrow(|own| own.get(&key).cloned()) {
        return Ok(Some(compiled));
    }
    let slot = SHARED
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(key)
        .or_default()
        .clone();
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = match &*slot {
        Some(compiled) => compiled.clone(),
        None => slot
            .insert(Arc::new(compile(tree, &generics(), backend)?))
            .clone(),
    };
    OWN.with_borrow_mut(|own| own.insert(key, compiled.clone()));
    Ok(Some(compiled))
}

/// Multiplies and folds: keys are addresses and hashes already.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
