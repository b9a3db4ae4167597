//! A kernel as a value: its IR, its plan and its code, to look at.

use crate::cache::{self, Compiled};
use crate::elaborate::ty::GenericArg;
use crate::error::{Error, Site};
use crate::place::Place;
use crate::syntax;
use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A kernel for one choice of its generic arguments: what `f::kernel()` returns.
pub struct Kernel {
    tree: &'static syntax::Kernel,
    generics: fn() -> Vec<GenericArg>,
    identity: TypeId,
}

impl Kernel {
    /// The kernel of a surface tree; made by generated code. The same for the same generic arguments.
    #[doc(hidden)]
    pub fn of(
        tree: &'static syntax::Kernel,
        generics: fn() -> Vec<GenericArg>,
        identity: TypeId,
    ) -> &'static Kernel {
        type Known = Mutex<HashMap<(usize, TypeId), &'static Kernel>>;
        static KNOWN: OnceLock<Known> = OnceLock::new();
        let known = KNOWN.get_or_init(Mutex::default);
        known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((std::ptr::from_ref(tree).addr(), identity))
            .or_insert_with(|| {
                Box::leak(Box::new(Kernel {
                    tree,
                    generics,
                    identity,
                }))
            })
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.tree.name
    }

    /// Its IR as elaborated, in text form.
    ///
    /// # Errors
    /// If the kernel cannot be compiled for these types.
    pub fn ir(&self) -> Result<String, Error> {
        Ok(cache::elaborate(self.tree, &(self.generics)())?.to_string())
    }

    /// The plan for a place: the stages that fusion has left, the level that each runs on, and the bytes and floating-point
    /// operations of each; and which indices are tested once an array where that is an [`Array`](crate::Array).
    ///
    /// # Errors
    /// If the kernel cannot be compiled there; at `native` there is no plan.
    pub fn explain(&self, place: &Place) -> Result<String, Error> {
        let plan = self.compiled(place, "plan")?.explain();
        Ok(format!("{} at {place}\n{plan}", self.tree.name))
    }

    /// The code for a place, as people read it.
    ///
    /// # Errors
    /// If the kernel cannot be compiled there; the code of `native` is rustc's.
    pub fn code(&self, place: &Place) -> Result<String, Error> {
        Ok(self.compiled(place, "generated code")?.code())
    }

    fn compiled(&self, place: &Place, what: &str) -> Result<Arc<Compiled>, Error> {
        cache::find(self.tree, self.identity, self.generics, place)?.ok_or_else(|| {
            Error::Unsupported {
                what: format!("unsupported: `{place}` is the plain function, without a {what}"),
                site: Some(Box::new(Site::kernel(self.tree))),
            }
        })
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({}::{})", self.tree.module, self.tree.name)
    }
}
