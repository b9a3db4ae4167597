//! A second executable of a function, for arguments whose elements make indices valid: what was assumed of them is looked up in
//! the arrays, which keep it, and the tests that follow from it are not compiled.
//!
//! It is compiled when the assumptions hold for the second time, so that who calls once or twice pays once. An array is looked
//! through when it is asked for the second time ([`Stored::end`]): with the same arrays, the first call asks, the second finds
//! out, and the third runs it. Slices are never looked through: nobody knows whether they are still the same.

use super::scheduled;
use crate::array::Arg;
use crate::backend::{Backend, Executable, guarded};
use crate::ir::{Atom, Func, Var};
use crate::pass::{Assumption, assume};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The second executable, and when it may run.
pub(super) struct Assumed {
    /// Each parameter once.
    params: Vec<Bounded>,
    assumptions: Vec<Assumption>,
    backend: Arc<dyn Backend>,
    /// The function whose tests are gone; taken by who compiles it.
    func: Mutex<Option<Func>>,
    /// Whether the assumptions held before.
    held: AtomicBool,
    /// None where it could not be compiled.
    executable: OnceLock<Option<Arc<dyn Executable>>>,
}

/// What is assumed of a parameter.
struct Bounded {
    param: usize,
    limits: Vec<Limit>,
}

/// Elements are less than a length, or at most that.
struct Limit {
    length: Length,
    inclusive: bool,
}

enum Length {
    Is(u64),
    /// A dimension of a parameter.
    Of {
        param: usize,
        dim: usize,
    },
}

impl Assumed {
    /// None where nothing would be gained, or nothing is to be optimised.
    pub fn of(typed: &Func, backend: &Arc<dyn Backend>) -> Option<Box<Assumed>> {
        if !backend.caps().optimise {
            return None;
        }
        let (func, assumptions) = assume(typed)?;
        let mut params: Vec<Bounded> = vec![];
        for one in &assumptions {
            let limit = Limit {
                length: length(typed, one.length)?,
                inclusive: one.inclusive,
            };
            match params.iter_mut().find(|other| other.param == one.param) {
                Some(bounded) => bounded.limits.push(limit),
                None => params.push(Bounded {
                    param: one.param,
                    limits: vec![limit],
                }),
            }
        }
        Some(Box::new(Assumed {
            params,
            assumptions,
            backend: backend.clone(),
            func: Mutex::new(Some(func)),
            held: AtomicBool::new(false),
            executable: OnceLock::new(),
        }))
    }

    /// The executable for these arguments, which agree with the parameters; none if it is not for them, or not there yet.
    /// Failures are those of `typed`.
    pub fn choose(&self, typed: &Arc<Func>, args: &[Arg<'_>]) -> Option<&Arc<dyn Executable>> {
        // All of them are asked, so that those that are used for the second time are found out about together.
        let hold = (self.params.iter()).fold(true, |hold, one| one.holds(args) & hold);
        if !hold {
            return None;
        }
        match self.executable.get() {
            Some(executable) => executable.as_ref(),
            None => self.compile(typed),
        }
    }

    #[cold]
    fn compile(&self, typed: &Arc<Func>) -> Option<&Arc<dyn Executable>> {
        if !self.held.swap(true, Ordering::Relaxed) {
            return None;
        }
        // Another thread that compiles it is not waited for.
        let func = self
            .func
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        let executable = scheduled(&func, &*self.backend)
            .and_then(|scheduled| guarded(&scheduled, || self.backend.compile(&scheduled, typed)));
        self.executable.get_or_init(|| executable.ok()).as_ref()
    }

    /// What is assumed, for people.
    pub fn explain(&self, typed: &Func) -> String {
        let name = |var: Var| format!("%{}", typed.vars[var.0 as usize].name);
        let used = match self.executable.get() {
            Some(Some(_)) => "code for this is in use",
            _ => "code for this is made when it is needed",
        };
        let mut text =
            format!("tested once an array, not for each element, of an `Array` ({used}):\n");
        for one in &self.assumptions {
            let relation = if one.inclusive {
                "at most"
            } else {
                "less than"
            };
            let length = match one.length {
                Atom::Var(size) => name(size),
                Atom::Const(value) => value.bits.to_string(),
            };
            let arrays: Vec<String> = one.arrays.iter().map(|&array| name(array)).collect();
            let source = name(typed.params[one.param]);
            let _ = write!(text, "  elements of {source} are {relation} {length}");
            let _ = match arrays.is_empty() {
                true => writeln!(text),
                false => writeln!(text, ": index of {}", arrays.join(", ")),
            };
        }
        text
    }
}

impl Bounded {
    fn holds(&self, args: &[Arg<'_>]) -> bool {
        let Arg::Stored(stored) = &args[self.param] else {
            return false;
        };
        let Some(end) = stored.end() else {
            return false;
        };
        self.limits.iter().all(|limit| {
            let length = match limit.length {
                Length::Is(length) => length,
                Length::Of { param, dim } => args[param].shape()[dim] as u64,
            };
            end <= length.saturating_add(u64::from(limit.inclusive))
        })
    }
}

/// Where a length is known from.
fn length(func: &Func, length: Atom) -> Option<Length> {
    let Atom::Var(size) = length else {
        return Some(Length::Is(length.as_const()?.bits));
    };
    func.params.iter().enumerate().find_map(|(param, &var)| {
        let dim = func
            .ty(var)
            .shape
            .iter()
            .position(|&dim| dim == size.into())?;
        Some(Length::Of { param, dim })
    })
}
