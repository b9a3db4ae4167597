//! An array that is cut among ranks: this rank's rows, and what it has seen of others'.

use crate::Distribution;
use crate::array::Window;
use crate::array::rows::{Margin, Rows, bytes, view, written};
use crate::comm::collective::{agree, all_gather_of, gather};
use crate::job::{Job, Turn};
use dsl_runtime::array::{Arg, ArrayView, Dense, Remote, Stored};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Place, ScalarType};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A distributed array, as one rank has it. It never changes; what it has seen of other ranks' rows it keeps.
#[derive(Debug)]
pub struct Cut {
    job: Arc<Job>,
    elem: ScalarType,
    shape: Vec<usize>,
    rows: Distribution,
    here: Here,
    margin: Arc<Margin>,
    /// The same on all ranks: what was asked for, one after the other, the last [`KEPT`] of it.
    seen: Mutex<Vec<(Arc<Wants>, Seen)>>,
    whole: OnceLock<Stored>,
}

/// This rank's rows.
#[derive(Clone, Debug)]
pub enum Here {
    /// In memory with room around them.
    Rows(Arc<Rows>),
    /// An array of them alone, wherever the place inside has it.
    Stored(Stored),
}

/// The rows that ranks want to see.
#[derive(Debug)]
pub struct Wants {
    /// Those of this rank, one stretch after the other.
    pub mine: Vec<Range<usize>>,
    /// Those of all ranks, where all know them.
    pub all: Option<Vec<Vec<Range<usize>>>>,
    /// Who sends what.
    pub window: Window,
}

impl Wants {
    /// Whether all ranks want the same again: what not all know is wanted once, and found by its place in memory.
    fn same(self: &Arc<Wants>, other: &Arc<Wants>) -> bool {
        Arc::ptr_eq(self, other) || self.all.is_some() && self.all == other.all
    }
}

/// Rows that a rank sees.
#[derive(Clone, Debug)]
pub enum Seen {
    /// In an array of these alone, one stretch after the other.
    Stored(Stored),
    /// These, in memory around the own ones.
    Rows(Arc<Rows>, Range<usize>),
}

impl Seen {
    /// Reads them in host memory.
    ///
    /// # Errors
    /// If a device does not give them.
    pub fn view(&self) -> Result<ArrayView<'_>, Failure> {
        match self {
            Seen::Stored(stored) => Ok(stored.dense()?.view()),
            Seen::Rows(rows, range) => Ok(rows.view(range.clone())),
        }
    }

    /// As an argument for a place that is resident, or for one that is not.
    pub fn arg(&self, resident: bool) -> Result<Arg<'_>, Failure> {
        match self {
            Seen::Stored(stored) if resident => Ok(Arg::Stored(stored)),
            _ => Ok(Arg::Array(self.view()?)),
        }
    }
}

/// How much of what was seen of an array is kept: it may live long, and be read in ever other ways.
const KEPT: usize = 16;

impl Cut {
    /// The array of which each rank has these rows.
    pub fn new(
        job: &Arc<Job>,
        elem: ScalarType,
        shape: Vec<usize>,
        rows: Distribution,
        here: Here,
        margin: Arc<Margin>,
    ) -> Cut {
        debug_assert_eq!(shape[0], rows.rows());
        Cut {
            job: job.clone(),
            elem,
            shape,
            rows,
            here,
            margin,
            seen: Mutex::default(),
            whole: OnceLock::new(),
        }
    }

    /// As an array of the language.
    pub fn stored(self: &Arc<Cut>) -> Stored {
        let (elem, shape) = (self.elem, &self.shape[..]);
        Stored::from_remote(elem, shape, self.job.owner, self.clone())
    }

    /// Whether it is cut among these ranks.
    pub fn is_of(&self, job: &Arc<Job>) -> bool {
        Arc::ptr_eq(&self.job, job)
    }

    /// The type of an element.
    pub fn elem(&self) -> ScalarType {
        self.elem
    }

    /// The lengths of the whole array.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Who has which rows.
    pub fn rows(&self) -> &Distribution {
        &self.rows
    }

    /// The rows of this rank.
    pub fn own(&self) -> Range<usize> {
        self.rows.range(self.job.rank())
    }

    /// Bytes of a row.
    pub fn row(&self) -> usize {
        self.shape[1..].iter().product::<usize>() * self.elem.bytes()
    }

    /// The bytes of this rank's rows.
    ///
    /// # Errors
    /// If a device that has them does not give them.
    pub fn bytes(&self) -> Result<&[u8], Failure> {
        match &self.here {
            Here::Rows(rows) => Ok(rows.own_bytes()),
            Here::Stored(stored) => Ok(bytes(stored.dense()?)),
        }
    }

    /// This rank's rows, as a place inside has them.
    pub fn here(&self) -> Seen {
        match &self.here {
            Here::Rows(rows) => Seen::Rows(rows.clone(), rows.own()),
            Here::Stored(stored) => Seen::Stored(stored.clone()),
        }
    }

    /// The array with other lengths and rows of another size: its elements in the same order, and the same ones here. None if
    /// some rank would not have whole rows.
    pub fn reshaped(&self, shape: &[usize]) -> Option<Result<Cut, Failure>> {
        let row = shape[1..].iter().product::<usize>();
        let old = self.shape[1..].iter().product::<usize>();
        let mut parts = vec![];
        for rank in 0..self.rows.ranks() {
            let elements = self.rows.range(rank).len() * old;
            if row == 0 || !elements.is_multiple_of(row) {
                return None;
            }
            parts.push(elements / row);
        }
        let rows = Distribution::of_parts(parts);
        let own = rows.range(self.job.rank());
        let mut local = shape.to_vec();
        local[0] = own.len();
        let here = match &self.here {
            Here::Stored(stored) => stored.dense().map(|here| {
                let mut here = here.clone();
                here.shape = local;
                here
            }),
            Here::Rows(rows) => dense(self.elem, &local, rows.own_bytes()),
        };
        Some(here.map(|here| {
            let here = Here::Stored(here.into());
            let margin = Arc::default();
            Cut::new(&self.job, self.elem, shape.to_vec(), rows, here, margin)
        }))
    }

    /// What ranks want to see. Nothing is sent for what has been seen before. Does `work` meanwhile, with what it may use by then, and
    /// the number of its first row: the own rows at least.
    ///
    /// # Errors
    /// If ranks cannot talk, or there is no memory.
    pub fn look(
        &self,
        turn: &Turn<'_>,
        wants: &Arc<Wants>,
        resident: bool,
        work: &mut dyn FnMut(&Seen, usize),
    ) -> Result<Seen, Failure> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = wants.mine.first().map_or(0, |rows| rows.start);
        if let Some((_, found)) = seen.iter().find(|(known, _)| known.same(wants)) {
            work(found, first);
            return Ok(found.clone());
        }
        let (own, window) = (self.own(), &wants.window);
        let found = match &wants.mine[..] {
            [wanted] if !resident && near(&own, wanted) => {
                self.margin.widen(&own, wanted);
                let rows = self.room(&seen, wanted)?;
                let here = Seen::Rows(rows.clone(), own.clone());
                rows.fill(turn, window, wanted, &mut || work(&here, own.start))?;
                Seen::Rows(rows, wanted.clone())
            }
            _ => {
                let mut shape = self.shape.clone();
                shape[0] = window.rows();
                let fetch = |into: &mut [u8]| {
                    window
                        .fetch(turn.comm, self.row(), self.bytes()?, into)
                        .map_err(Failure::from)
                };
                let fetched = written(self.elem, &shape, fetch);
                let found = fetched.ok_or_else(|| no_memory(self.elem, &shape))??;
                let found = Seen::Stored(found.into());
                work(&found, first);
                found
            }
        };
        // All ranks forget the same, and bring it again together.
        if seen.len() == KEPT {
            seen.remove(0);
        }
        seen.push((wants.clone(), found.clone()));
        Ok(found)
    }

    /// This rank's rows as an array of their own.
    ///
    /// # Errors
    /// If there is no memory, or a device does not give them.
    pub fn local(&self) -> Result<Stored, Failure> {
        Ok(match &self.here {
            Here::Stored(stored) => stored.clone(),
            Here::Rows(rows) => {
                let mut shape = self.shape.clone();
                shape[0] = self.own().len();
                dense(self.elem, &shape, rows.own_bytes())?.into()
            }
        })
    }

    /// The whole array on rank 0. Cost: that of a [`gather`] of the array.
    ///
    /// # Errors
    /// If ranks cannot talk, or there is no memory.
    pub fn gathered(&self) -> Result<Option<Dense>, Failure> {
        let turn = self.job.turn();
        agree(turn.comm, "gather")?;
        let parts = gather(turn.comm, 0, self.bytes()?)?;
        let whole = parts.map(|parts| dense(self.elem, &self.shape, &parts.concat()));
        whole.transpose()
    }

    /// The same array, cut in other places.
    ///
    /// # Errors
    /// If ranks cannot talk, or the distribution is of other rows or ranks; or there is no memory.
    pub fn recut(&self, rows: &Distribution) -> Result<Cut, Failure> {
        let (given, wanted) = (
            [self.rows.rows(), self.rows.ranks()],
            [rows.rows(), rows.ranks()],
        );
        if given != wanted {
            return Err(Failure::Ranks(format!(
                "an array of {} rows on {} ranks cannot be cut as one of {} rows on {}",
                given[0], given[1], wanted[0], wanted[1]
            )));
        }
        let turn = self.job.turn();
        agree(turn.comm, "redistribute")?;
        let window = Window::known(turn.comm.rank(), &self.rows, |rank| vec![rows.range(rank)]);
        let mut shape = self.shape.clone();
        shape[0] = window.rows();
        let own = self.bytes()?;
        let fetched = written(self.elem, &shape, |into| {
            window.fetch(turn.comm, self.row(), own, into)
        });
        let here = fetched.ok_or_else(|| no_memory(self.elem, &shape))??;
        let (shape, here) = (self.shape.clone(), Here::Stored(here.into()));
        let margin = Arc::default();
        Ok(Cut::new(
            &self.job,
            self.elem,
            shape,
            rows.clone(),
            here,
            margin,
        ))
    }

    /// Memory with the own rows and room for these.
    fn room(
        &self,
        seen: &[(Arc<Wants>, Seen)],
        wanted: &Range<usize>,
    ) -> Result<Arc<Rows>, Failure> {
        let here = match &self.here {
            Here::Rows(rows) => Some(rows),
            Here::Stored(_) => None,
        };
        let others = seen.iter().filter_map(|(_, seen)| match seen {
            Seen::Rows(rows, _) => Some(rows),
            Seen::Stored(_) => None,
        });
        if let Some(rows) = here
            .into_iter()
            .chain(others)
            .find(|rows| rows.has_room(wanted))
        {
            return Ok(rows.clone());
        }
        let (own, inner) = (self.own(), &self.shape[1..]);
        let around = self.margin.around(&own, self.shape[0]);
        let around = around.start.min(wanted.start)..around.end.max(wanted.end);
        let fresh = Rows::new(self.elem, inner, own.clone(), around);
        let mut fresh = fresh.ok_or_else(|| no_memory(self.elem, &self.shape))?;
        let mut local = self.shape.clone();
        local[0] = own.len();
        fresh
            .write(own)
            .copy_from(&view(self.elem, &local, self.bytes()?));
        Ok(Arc::new(fresh))
    }

    /// The whole array, on every rank. Cost: that of an [`all_gather_of`] the array, the first time.
    ///
    /// # Errors
    /// If ranks cannot talk, or there is no memory.
    pub fn whole(&self, turn: &Turn<'_>) -> Result<&Stored, Failure> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        if turn.comm.size() == 1 {
            let here = self.local()?;
            return Ok(self.whole.get_or_init(|| here));
        }
        let length = |rank: usize| self.rows.range(rank).len() * self.row();
        let lengths: Vec<usize> = (0..self.rows.ranks()).map(length).collect();
        let parts = all_gather_of(turn.comm, self.bytes()?, &lengths)?;
        let whole = dense(self.elem, &self.shape, &parts.concat())?;
        Ok(self.whole.get_or_init(|| whole.into()))
    }
}

impl Remote for Cut {
    /// Brings the whole array to every rank: all have to ask for it.
    fn fetch(&self) -> Result<Dense, Failure> {
        let turn = self.job.turn();
        if self.whole.get().is_none() {
            agree(
                turn.comm,
                &format!("all elements of an array of {:?}", self.shape),
            )?;
        }
        self.whole(&turn)?.dense().cloned()
    }
}

/// Whether rows are kept best in one memory with the own ones.
fn near(own: &Range<usize>, wanted: &Range<usize>) -> bool {
    let hull = own.start.min(wanted.start)..own.end.max(wanted.end);
    !own.is_empty() && hull.len() <= own.len() + wanted.len()
}

/// An array of these bytes.
pub fn dense(elem: ScalarType, shape: &[usize], from: &[u8]) -> Result<Dense, Failure> {
    let copied = written::<()>(elem, shape, |into| {
        into.copy_from_slice(from);
        Ok(())
    });
    match copied {
        Some(Ok(dense)) => Ok(dense),
        _ => Err(no_memory(elem, shape)),
    }
}

/// That there is no memory for such an array.
pub fn no_memory(elem: ScalarType, shape: &[usize]) -> Failure {
    let bytes = shape.iter().fold(elem.bytes() as u128, |n, &len| {
        n.saturating_mul(len as u128)
    });
    Failure::OutOfMemory {
        bytes,
        place: Place::default(),
    }
}
