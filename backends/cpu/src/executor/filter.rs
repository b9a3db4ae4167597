//! Memory for what filters keep: asked for by what earlier runs kept, and cut to size afterwards.

use super::{ArrayInfo, Held, Stop, Walk, Workspace, product};
use crate::driver::room::Room;
use crate::driver::{STAGE_BYTES, Target};
use crate::memory::Handle;
use crate::plan::SinkStep;
use dsl_runtime::ir::SinkKind;

impl Walk<'_, '_> {
    /// Makes room for the results of a filter, the `number`-th sink of a par.
    pub(super) fn lay_filter(
        &self,
        space: &mut Workspace,
        par: usize,
        number: usize,
        sink: &SinkStep,
        extent: u64,
    ) -> Result<(), Stop> {
        let plan = &*self.image.plan;
        let memory = |bytes| Stop::memory(bytes, sink.place);
        let first = space.targets.len();
        let mut arrays = Vec::with_capacity(sink.arrays.len());
        for &slot in &sink.arrays {
            let ArrayInfo { elem, shape, .. } = &plan.arrays[slot as usize];
            let row = product(shape[1..].iter().map(|&len| self.scalar(len)));
            // The sizes of what could be kept have to be numbers, whatever is kept.
            let all = row.and_then(|row| product([row as u64, extent].into_iter()));
            let all = all.ok_or_else(|| memory(u128::MAX))?;
            let most = isize::MAX as usize / elem.bytes();
            if all > most {
                return Err(memory(all as u128 * elem.bytes() as u128));
            }
            // A row that no memory holds stands only in an array without rows.
            let bytes = row.unwrap_or(0).saturating_mul(elem.bytes());
            arrays.push((row.unwrap_or(0), elem.bytes()));
            space.targets.push(Target {
                data: std::ptr::null_mut(),
                bytes,
                elem: *elem,
            });
        }
        let widest = space.targets[first..].iter().map(|t| t.bytes).max();
        let spare = STAGE_BYTES / widest.unwrap_or(0).max(1);
        let rows = self.image.shares[par][number].rows(extent, spare as u64);
        space
            .rooms
            .push(Room::new(rows, extent, arrays.into_iter()).map_err(memory)?);
        let none = std::iter::empty();
        space
            .add(sink.kind, sink.values, first, none, extent, extent)
            .map_err(memory)
    }

    /// Takes over what filters have kept, and gives back what lies beyond it.
    pub(super) fn keep(&mut self, space: &mut Workspace, par: usize, sinks: &[SinkStep]) {
        let mut rooms = std::mem::take(&mut space.rooms).into_iter();
        let filters = sinks.iter().enumerate();
        for (k, sink) in filters.filter(|(_, sink)| sink.kind == SinkKind::Filter) {
            let room = rooms.next().expect("each filter has a room");
            let kept = space.scalars(k)[0];
            self.image.shares[par][k].note(kept, space.sinks[k].len);
            let targets = &space.targets[space.sinks[k].targets.clone()];
            for ((target, &slot), buffer) in
                targets.iter().zip(&sink.arrays).zip(room.into_buffers())
            {
                let mut handle = Handle::of_buffer(buffer);
                let data = handle.shrink(kept as usize * target.bytes);
                self.store.arrays[slot as usize] = Some(Held {
                    data,
                    handle: Some(handle),
                    strides: None,
                });
            }
        }
    }
}
