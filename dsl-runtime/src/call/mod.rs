//! Calls: from a kernel and its arguments to results, at a place.
//!
//! Generated code makes a [`Call`] of an [`Entry`] (which kernel, for which types) and [`Args`]. Running it finds the
//! compiled function in the [`crate::cache`], checks the arguments' shapes against its sizes, runs it, and turns the
//! leaves of the result into what the signature says.

mod kernel;
mod native;
mod output;
mod param;
mod passed;

pub use kernel::Kernel;
pub use output::{Defect, Destination, Output, Part, Parts, Results, Target, Targets};
pub use param::{NdArg, Param, SliceArg, pass_array_mut, pass_slice_mut};
pub use passed::{Args, Passed};

use crate::array::{ArrayViewMut, Dense, Value};
use crate::backend::Failure;
use crate::cache::{self, Compiled};
use crate::elaborate::ty::GenericArg;
use crate::error::{Error, Site};
use crate::place::Place;
use crate::syntax;
use passed::{Guards, RunArgs};
use smallvec::SmallVec;
use std::any::TypeId;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A kernel for one choice of its generic arguments, as generated code names it.
pub struct Entry<R> {
    /// The surface tree.
    pub tree: fn() -> &'static syntax::Kernel,
    /// The generic arguments.
    pub generics: fn() -> Vec<GenericArg>,
    /// Their identity: that of a tuple type of them all.
    pub identity: fn() -> TypeId,
    /// Calls the plain function.
    pub native: fn(&Args<'_>) -> R,
}

impl<R> Clone for Entry<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Entry<R> {}

/// A call of a kernel: its arguments, which it borrows, and the place where it will run. It may run again.
///
/// Several threads may run it at the same time, but not where it has a `&mut [T]` argument, which only one run can have: the
/// second run is then an error ([`Error::Busy`]), and nothing waits.
///
/// ```
/// # extern crate dsl_runtime as cuprous;
/// use cuprous::{Place, kernel, prelude::*};
///
/// #[kernel]
/// fn double(x: &[f32]) -> Vec<f32> {
///     x.map(|v| v + v)
/// }
///
/// fn main() -> Result<(), cuprous::Error> {
///     let x = [1.0, 2.0];
///     let call = double::call(&x).on(&Place::native());
///     assert_eq!(call.to_host()?, [2.0, 4.0]);
///     let mut out = [0.0; 2];
///     call.run_into(&mut out)?;
///     assert_eq!(out, [2.0, 4.0]);
///     Ok(())
/// }
/// ```
#[must_use = "a call does nothing until it is run: `.run()`, `.to_host()` or `.run_into(…)`"]
pub struct Call<'a, R: Output> {
    entry: Entry<R>,
    args: Args<'a>,
    place: Option<Place>,
    /// Whether a run is in progress that will write to an argument.
    running: AtomicBool,
}

// Arguments are written only when all has succeeded: a panic leaves them, and the call, as they were.
impl<R: Output> UnwindSafe for Call<'_, R> {}
impl<R: Output> RefUnwindSafe for Call<'_, R> {}

impl<'a, R: Output> Call<'a, R> {
    /// A call; made by generated code.
    #[doc(hidden)]
    #[inline]
    pub fn make(entry: Entry<R>, args: Args<'a>) -> Self {
        Call {
            entry,
            args,
            place: None,
            running: AtomicBool::new(false),
        }
    }

    /// Runs at this place instead of the default one ([`Place::current`]).
    pub fn on(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// Runs; arrays of the result stay at the place.
    ///
    /// # Errors
    /// What goes wrong in the kernel or with its arguments; `&mut [T]` arguments are then untouched.
    pub fn run(&self) -> Result<R::Device, Error> {
        self.with_place(|place| match self.compiled(place)? {
            None => Ok(self.native_done()?.send(place)),
            Some(compiled) => self.execute(&compiled, place, R::device),
        })
    }

    /// Runs; the result comes to host memory.
    ///
    /// # Errors
    /// As [`Call::run`].
    pub fn to_host(&self) -> Result<R, Error> {
        self.with_place(|place| match self.compiled(place)? {
            None => self.native_done(),
            Some(compiled) => self.execute(&compiled, place, R::host),
        })
    }

    /// Runs, and writes the result to memory of exactly its shape: `&mut [T]`, `&mut Vec<T>` or a mutable view for a
    /// `Vec<T>`, `&mut ArrayN<T>` or a mutable view for an array, `&mut T` for a scalar, a tuple of these for a tuple.
    ///
    /// # Errors
    /// As [`Call::run`], and for memory of another shape. Nothing is written then.
    pub fn run_into<'o>(&self, into: impl Destination<'o, R>) -> Result<(), Error> {
        let mut targets = Targets::new();
        into.targets(&mut targets);
        self.with_place(|place| match self.compiled(place)? {
            None => self.native_into(targets),
            Some(compiled) => self.execute_into(&compiled, place, targets),
        })
    }

    /// Runs at the default place, as a call of the function itself does: panics with the error's text.
    #[doc(hidden)]
    #[track_caller]
    pub fn value(&self) -> R {
        match self.to_host() {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    fn with_place<X>(&self, body: impl FnOnce(&Place) -> X) -> X {
        match &self.place {
            Some(place) => body(place),
            None => body(&Place::current()),
        }
    }

    /// The compiled function; none at `native`.
    fn compiled(&self, place: &Place) -> Result<Option<Arc<Compiled>>, Error> {
        for (i, arg) in self.args.0.iter().enumerate() {
            if let Some(text) = arg.misfit() {
                return Err(self.argument(i, text));
            }
        }
        cache::find(
            (self.entry.tree)(),
            (self.entry.identity)(),
            self.entry.generics,
            place,
        )
    }

    fn execute<X>(
        &self,
        compiled: &Compiled,
        place: &Place,
        take: impl FnOnce(&mut Results) -> Result<X, Defect>,
    ) -> Result<X, Error> {
        let _claim = self.claim()?;
        let (values, mut guards) = self.run_raw(compiled, &mut [])?;
        let mut results = Results::new(values, place.clone());
        let result = take(&mut results).map_err(|defect| self.defect(defect))?;
        self.write_back(&mut results, &mut guards)?;
        Ok(result)
    }

    fn execute_into(
        &self,
        compiled: &Compiled,
        place: &Place,
        mut targets: Targets<'_>,
    ) -> Result<(), Error> {
        let _claim = self.claim()?;
        let (values, mut guards) = {
            let mut into: SmallVec<[Option<ArrayViewMut<'_>>; 4]> = targets
                .iter_mut()
                .flat_map(|target| target.0.views_mut())
                .map(|view| (!view.shape().is_empty()).then_some(view))
                .collect();
            // The further results, of `&mut` parameters, are read while the kernel runs: they are written afterwards.
            into.resize_with(compiled.results(), || None);
            self.run_raw(compiled, &mut into)?
        };
        // What can still fail does so before anything is written.
        for (result, value) in values.iter().enumerate() {
            let found = match value {
                Value::Array(dense) => &dense.shape[..],
                Value::Stored(stored) => {
                    stored.dense().map_err(|failure| compiled.error(failure))?;
                    stored.shape()
                }
                Value::Scalar(_) | Value::Written => continue,
            };
            let mut views = targets.iter().flat_map(|target| target.0.views());
            if let Some(view) = views.nth(result).filter(|view| view.shape() != found) {
                return Err(compiled.error(Failure::ResultShape {
                    result,
                    expected: view.shape().to_vec(),
                    found: found.to_vec(),
                }));
            }
        }
        let mut results = Results::new(values, place.clone());
        for target in &mut targets {
            for mut view in target.0.views_mut() {
                match results.value().map_err(|defect| self.defect(defect))? {
                    Value::Written => {}
                    Value::Scalar(value) => view.set(&[], value),
                    Value::Array(dense) => view.copy_from(&dense.view()),
                    Value::Stored(stored) => {
                        let dense = stored.dense().map_err(|failure| compiled.error(failure))?;
                        view.copy_from(&dense.view());
                    }
                }
            }
        }
        self.write_back(&mut results, &mut guards)
    }

    /// Keeps other runs of this call away from the arguments that it writes. They are refused rather than made to wait: a
    /// thread that waits for a backend's other threads may be given a run of the same call to do meanwhile, which would then
    /// wait for what lies below it on the same stack.
    fn claim(&self) -> Result<Claim<'_>, Error> {
        let Some(param) = self.args.0.iter().position(Passed::writes) else {
            return Ok(Claim(None));
        };
        match self.running.swap(true, Ordering::Acquire) {
            false => Ok(Claim(Some(&self.running))),
            true => {
                let (parameter, site) = self.parameter(param);
                Err(Error::Busy { parameter, site })
            }
        }
    }

    /// Runs the compiled function, which the caller has a claim to; the locks of the arguments that must be written now.
    fn run_raw<'s>(
        &'s self,
        compiled: &Compiled,
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<(Vec<Value>, Guards<'s, 'a>), Error> {
        let mut guards = Guards::new();
        self.args.0.iter().for_each(|arg| arg.lock(&mut guards));
        let values = {
            let mut args = RunArgs::new();
            let mut open = guards.iter();
            for arg in self.args.0.iter() {
                arg.push(&mut open, &mut args);
            }
            compiled
                .check(&args)
                .map_err(|misfit| self.misfit(misfit, &guards))?;
            compiled.run(&mut args, into)?
        };
        Ok((values, guards))
    }

    /// Writes the further results, the contents of `&mut` parameters.
    fn write_back(&self, results: &mut Results, guards: &mut Guards<'_, '_>) -> Result<(), Error> {
        let mut contents = SmallVec::<[Dense; 2]>::new();
        for view in guards.iter().flat_map(|guard| guard.views()) {
            let dense = results.dense().map_err(|defect| self.defect(defect))?;
            if dense.shape[..] != *view.shape() {
                return Err(Error::ResultShape {
                    expected: view.shape().to_vec(),
                    found: dense.shape,
                    site: Box::new(self.site()),
                });
            }
            contents.push(dense);
        }
        let mut contents = contents.iter().map(Dense::view);
        for guard in guards.iter_mut() {
            guard.write(&mut contents);
        }
        Ok(())
    }

    /// The plain function's result; what it leaves in its `&mut` parameters is only noted.
    fn native(&self) -> Result<R, Error> {
        for (i, arg) in self.args.0.iter().enumerate() {
            arg.fetch()
                .map_err(|failure| Error::from_failure_at(failure, *self.parameter(i).1))?;
        }
        native::catch(|| (self.entry.native)(&self.args), || self.site())
    }

    /// The plain function's result, its `&mut` parameters written.
    fn native_done(&self) -> Result<R, Error> {
        let _claim = self.claim()?;
        let result = self.native()?;
        self.args.commit();
        Ok(result)
    }

    fn native_into(&self, mut targets: Targets<'_>) -> Result<(), Error> {
        let _claim = self.claim()?;
        let result = self.native()?;
        let mut parts = Parts::new();
        result.parts(&mut parts);
        for (part, target) in parts.iter().zip(&targets) {
            if part.0.shape() != target.0.shape() {
                return Err(Error::ResultShape {
                    expected: target.0.shape().to_vec(),
                    found: part.0.shape().to_vec(),
                    site: Box::new(self.site()),
                });
            }
        }
        for (part, target) in parts.iter().zip(&mut targets) {
            target.0.write(part.0.views());
        }
        self.args.commit();
        Ok(())
    }

    fn site(&self) -> Site {
        Site::kernel((self.entry.tree)())
    }

    fn argument(&self, param: usize, text: String) -> Error {
        let (parameter, site) = self.parameter(param);
        Error::Argument {
            parameter,
            text,
            site,
        }
    }

    /// A parameter's name, and where it stands.
    fn parameter(&self, param: usize) -> (String, Box<Site>) {
        let params = (self.entry.tree)().params;
        let name = match params.get(param).map(|param| &param.pattern.kind) {
            Some(syntax::PatternKind::Bind { name, .. }) => name.to_string(),
            _ => param.to_string(),
        };
        let span = params.get(param).map(|param| param.span);
        let site = Site {
            span: span.unwrap_or_default(),
            ..self.site()
        };
        (name, Box::new(site))
    }

    fn misfit(&self, misfit: cache::Misfit, guards: &Guards<'_, 'a>) -> Error {
        let (mut param, mut seen) = (0, 0);
        for (i, arg) in self.args.0.iter().enumerate() {
            seen += arg.leaves(guards);
            if misfit.leaf < seen {
                param = i;
                break;
            }
        }
        self.argument(param, misfit.text)
    }

    fn defect(&self, defect: Defect) -> Error {
        match defect {
            Defect::Memory(bytes) => Error::OutOfMemory {
                bytes,
                site: Box::new(self.site()),
            },
            Defect::Failure(failure) => Error::from_failure_at(failure, self.site()),
            Defect::Backend(text) => Error::Internal {
                text,
                kernel: self.site().kernel,
            },
        }
    }
}

/// The right to write to a call's arguments, if it has such; given back when it is dropped.
struct Claim<'s>(Option<&'s AtomicBool>);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.0 {
            running.store(false, Ordering::Release);
        }
    }
}

impl<R: Output> fmt::Debug for Call<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = (self.entry.tree)().name;
        write!(f, "Call({name}, {:?})", self.args)
    }
}
