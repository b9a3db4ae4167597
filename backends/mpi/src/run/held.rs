//! What a name of the program stands for during a run.

use crate::array::cut::Cut;
use crate::job::{Job, Turn};
use dsl_runtime::array::{Arg, ArrayView, Stored};
use dsl_runtime::backend::Failure;
use std::sync::Arc;

/// An array during a run.
#[derive(Clone, Debug)]
pub enum Held<'a> {
    /// Every rank has it, in memory of the caller's.
    View(ArrayView<'a>),
    /// Every rank has it.
    Whole(Stored),
    /// It is cut among the ranks.
    Cut(Arc<Cut>),
}

impl<'a> Held<'a> {
    /// An argument: cut, if it belongs to these ranks.
    pub fn of(arg: &Arg<'a>, job: &Job) -> Option<Held<'a>> {
        match arg {
            Arg::Scalar(_) => None,
            Arg::Array(view) => Some(Held::View(view.clone())),
            Arg::Stored(stored) => {
                let cut = stored
                    .remote(job.owner)
                    .and_then(|remote| remote.downcast::<Cut>());
                Some(match cut {
                    Some(cut) => Held::Cut(cut),
                    None => Held::Whole((*stored).clone()),
                })
            }
        }
    }

    /// The lengths.
    pub fn shape(&self) -> &[usize] {
        match self {
            Held::View(view) => view.shape(),
            Held::Whole(stored) => stored.shape(),
            Held::Cut(cut) => cut.shape(),
        }
    }

    /// How it is cut, if it is.
    pub fn cut(&self) -> Option<&Arc<Cut>> {
        match self {
            Held::Cut(cut) => Some(cut),
            _ => None,
        }
    }

    /// Reads it in host memory; whole, which takes that all ranks ask.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn view(&self, turn: &Turn<'_>) -> Result<ArrayView<'_>, Failure> {
        match self {
            Held::View(view) => Ok(view.clone()),
            Held::Whole(stored) => Ok(stored.dense()?.view()),
            Held::Cut(cut) => Ok(cut.whole(turn)?.dense()?.view()),
        }
    }

    /// As an argument for the place inside; whole, which takes that all ranks ask.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn arg(&self, turn: &Turn<'_>, resident: bool) -> Result<Arg<'_>, Failure> {
        match self {
            Held::View(view) => Ok(Arg::Array(view.clone())),
            Held::Whole(stored) if resident => Ok(Arg::Stored(stored)),
            Held::Cut(cut) if resident => Ok(Arg::Stored(cut.whole(turn)?)),
            _ => Ok(Arg::Array(self.view(turn)?)),
        }
    }
}
