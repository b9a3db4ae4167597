//! A par on threads: memory for its results, the run, and what it leaves.

use super::{ArrayInfo, Held, Stop, Walk, bytes_of, product};
use crate::driver::{self, Job, Target, Trouble, Workspace};
use crate::memory::{Handle, RUNTIME};
use crate::plan::{Scalar, SinkStep, Source};
use crate::profile;
use dsl_runtime::ir::{Place, SinkKind};

impl Walk<'_, '_> {
    /// Has the drivers run a par.
    pub(super) fn par(
        &mut self,
        number: usize,
        extent: Scalar,
        sinks: &[SinkStep],
        only_collects: bool,
        step: usize,
    ) -> Result<(), Stop> {
        profile::launch();
        let image = self.image;
        let extent = self.scalar(extent);
        let unit = &image.units.pars[number];
        let mut space = std::mem::take(&mut self.store.space);
        space.clear();
        for (k, sink) in sinks.iter().enumerate() {
            match sink.kind {
                SinkKind::Filter => self.lay_filter(&mut space, number, k, sink, extent)?,
                _ => self.lay(&mut space, sink, extent, step, unit.sites.is_empty())?,
            }
        }
        self.environment(&image.pars[number]);
        let job = Job {
            unit,
            env: &self.store.env,
            extent,
            crew: self.crew,
            rate: &image.rates[number],
            runtime: &RUNTIME,
        };
        let empty = only_collects && space.targets.iter().all(|target| target.bytes == 0);
        let outcome = match empty {
            true => Ok(()),
            // SAFETY: the code lives as long as the image; the environment is what it asks for; the targets were made
            // for it.
            false => unsafe { driver::run(&job, &mut space) },
        };
        if outcome.is_ok() {
            self.keep(&mut space, number, sinks);
            for (k, sink) in sinks.iter().enumerate() {
                for (&slot, &bits) in sink.scalars.iter().zip(space.scalars(k)) {
                    self.store.scalars[slot as usize] = bits;
                }
            }
        }
        self.store.space = space;
        outcome.map_err(|trouble| match trouble {
            Trouble::Fault => Stop::Fault,
            Trouble::Memory { bytes, site } => {
                Stop::memory(bytes_of(bytes), unit.sites[site as usize].place)
            }
            Trouble::Room { bytes, sink } => Stop::memory(bytes, sinks[sink].place),
        })
    }

    /// Makes memory for the results of a sink.
    fn lay(
        &mut self,
        space: &mut Workspace,
        sink: &SinkStep,
        extent: u64,
        step: usize,
        calm: bool,
    ) -> Result<(), Stop> {
        let plan = &*self.image.plan;
        let mut len = 0;
        let first = space.targets.len();
        for (k, &slot) in sink.arrays.iter().enumerate() {
            let ArrayInfo { elem, shape, .. } = &plan.arrays[slot as usize];
            let (outer, inner) = shape.split_first().expect("an array has a dimension");
            let row = product(inner.iter().map(|&len| self.scalar(len)));
            let scatters = matches!(sink.kind, SinkKind::Scatter | SinkKind::ScatterWith);
            let rows = if scatters {
                self.scalar(*outer)
            } else {
                extent
            };
            let elements = row.and_then(|row| product([row as u64, rows].into_iter()));
            len = rows;
            let held = if scatters {
                let (dest, last) = sink.dest[k];
                self.destination(dest, last, sink.place)?
            } else if let Some(data) = self.directly(slot, step, calm) {
                Held {
                    data,
                    handle: None,
                    strides: None,
                }
            } else if let Some(held) = self.inherit(sink, extent) {
                held
            } else {
                let handle = self.fresh(elements, elem.bytes(), sink.place)?;
                Held {
                    data: handle.data(),
                    handle: Some(handle),
                    strides: None,
                }
            };
            space.targets.push(Target {
                data: held.data,
                // A row that no memory holds stands only in an array without rows.
                bytes: row.unwrap_or(0).saturating_mul(elem.bytes()),
                elem: *elem,
            });
            self.store.arrays[slot as usize] = Some(held);
        }
        let start = sink.start.iter().map(|&scalar| self.scalar(scalar));
        space
            .add(sink.kind, sink.values, first, start, len, extent)
            .map_err(|bytes| Stop::memory(bytes, sink.place))
    }

    /// The memory of an array that ends with this par, for a result of it.
    fn inherit(&self, sink: &SinkStep, extent: u64) -> Option<Held> {
        let plan = &*self.image.plan;
        sink.over.iter().find_map(|&over| {
            let held = self.store.arrays[over as usize].as_ref()?;
            let handle = held.handle.as_ref()?;
            let ours = handle.is_unique() && handle.bytes().is_some();
            let whole = held.strides.is_none() && held.data == handle.data();
            let long = self.scalar(plan.arrays[over as usize].shape[0]) == extent;
            // The par still reads it under its own name.
            (ours && whole && long).then(|| held.clone())
        })
    }

    /// The memory that a scatter works on: the destination itself where nobody else needs it, else a copy.
    fn destination(&mut self, dest: u32, last: bool, place: Place) -> Result<Held, Stop> {
        let held = &mut self.store.arrays[dest as usize];
        let ours = |held: &mut Held| {
            let unique = |handle: &Handle| handle.is_unique() && handle.bytes().is_some();
            held.strides.is_none() && held.handle.as_ref().is_some_and(unique)
        };
        if last && let Some(held) = held.take_if(ours) {
            return Ok(held);
        }
        let held = self.held(dest).clone();
        self.densified(held, dest, place)
    }

    /// The caller's memory for the array of this slot, if it may be written now.
    fn directly(&mut self, slot: u32, step: usize, calm: bool) -> Option<*mut u8> {
        let plan = &*self.image.plan;
        if !(self.early && calm) {
            return None;
        }
        let result = plan
            .results
            .iter()
            .position(|&source| source == Source::Array(slot))?;
        if plan.direct[result] != Some(step) || result >= 64 {
            return None;
        }
        let view = self.into.get(result)?.as_ref()?;
        let lengths = plan.arrays[slot as usize].shape.iter();
        let fits = lengths
            .map(|&len| self.scalar(len) as usize)
            .eq(view.shape().iter().copied());
        if !fits || !view.is_contiguous() {
            return None;
        }
        // Another result whose memory does not fit ends the run with an error: then nothing may be written.
        let others = plan.results.iter().enumerate().all(|(other, &source)| {
            let known = match (source, self.into.get(other)) {
                (_, None | Some(None)) | (Source::Scalar(..), _) => true,
                (Source::Array(_), Some(Some(_))) => plan.direct[other] == Some(step),
            };
            known && self.fits(other)
        });
        if !others {
            return None;
        }
        self.written |= 1 << result;
        Some(view.data())
    }
}
