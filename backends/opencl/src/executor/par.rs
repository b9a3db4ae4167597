//! A wide par: memory for its results, then its kernels one after the other.

use super::{Context, Stop, Walk};
use crate::driver::scatter_with::Shares;
use crate::transfer;
use crate::unit::{Layout, ParUnit, Param};
use dsl_runtime::ir::order::{BLOCK, LANES};
use dsl_runtime::ir::{Place, ScalarType, SinkKind};
use dsl_runtime::plan::{Scalar, SinkStep};
use std::sync::Arc;

/// Shares of a `scatter_with`.
const SHARES: usize = 64;

impl Walk<'_> {
    pub(crate) fn par(
        &mut self,
        number: usize,
        extent: Scalar,
        sinks: &[SinkStep],
        only_collects: bool,
        place: Place,
    ) -> Result<(), Stop> {
        let program = self.program;
        let unit = &program.pars[number];
        let n = self.scalar(extent)? as usize;
        let mut context = Context {
            extent: n,
            blocks: n.div_ceil(BLOCK),
            ..Context::default()
        };
        for (s, sink) in sinks.iter().enumerate() {
            self.before(s, sink, unit, &mut context, place)?;
        }
        let rows = sinks.iter().flat_map(|sink| &sink.arrays);
        let mut empty = only_collects;
        for &slot in rows {
            empty &= self.lengths(slot)?.contains(&0);
        }
        let mut n = if empty { 0 } else { n };
        if let (Layout::Neighbours(depth @ 2..), 1..) = (unit.layout, n) {
            n = self.lengths(sinks[0].arrays[0])?[..depth].iter().product();
            context.extent = n;
        }
        let items = self.cut(n, unit, &mut context);
        if let Some(first) = &unit.first {
            self.launch(first, &context, items)?;
        }
        if let Some(link) = &unit.link {
            self.launch(link, &context, 1)?;
        }
        for (s, sink) in sinks.iter().enumerate() {
            if sink.kind == SinkKind::Filter {
                self.forget(sink.scalars[0]);
                for (k, &slot) in sink.arrays.iter().enumerate() {
                    let buffer = self.room(slot, sink.place)?;
                    let elem = unit.types[s][k + 1].elem;
                    context.buffers.push((Param::Result(s, k, elem), buffer));
                }
            }
        }
        self.launch(&unit.main, &context, items)?;
        if let Some(join) = &unit.join {
            let items = if unit.layout == Layout::Lanes {
                self.shape.group
            } else {
                1
            };
            self.launch(join, &context, items)?;
        }
        for sink in sinks {
            for &slot in &sink.scalars {
                if sink.kind == SinkKind::Reduce {
                    self.forget(slot);
                }
            }
        }
        for (s, shares) in &unit.combines {
            self.combine(*s, &sinks[*s], shares, &mut context)?;
        }
        Ok(())
    }

    /// How many work-items share the iterations, and how many each has.
    fn cut(&self, n: usize, unit: &ParUnit, context: &mut Context) -> usize {
        let worth = (n as f64 * unit.operations / self.shape.grain).ceil() as usize;
        let mut items = self.shape.items.min(worth).max(1);
        if unit.stacks() {
            // Their stacks are to fit the memory.
            let most = self.program.device.info().largest / 4 / self.room.max(1);
            items = items.min(most.max(1));
        }
        let tile = n.div_ceil(items).max(1);
        context.tile = match unit.layout {
            Layout::Stretch => tile,
            Layout::Blocks => tile.next_multiple_of(BLOCK),
            Layout::Neighbours(_) => return items.min(n),
            Layout::Lanes => return items.min(context.blocks * LANES),
        };
        n.div_ceil(context.tile)
    }

    /// Memory that a sink needs from the beginning.
    fn before(
        &mut self,
        s: usize,
        sink: &SinkStep,
        unit: &ParUnit,
        context: &mut Context,
        place: Place,
    ) -> Result<(), Stop> {
        let types = &unit.types[s];
        let place = if sink.place == Place::default() {
            place
        } else {
            sink.place
        };
        let totals = |walk: &Walk<'_>, context: &mut Context| -> Result<(), Stop> {
            let lanes = if unit.layout == Layout::Lanes {
                LANES
            } else {
                1
            };
            for (k, ty) in types.iter().enumerate() {
                let buffer = walk.fresh(&[context.blocks * lanes], ty.elem, place)?;
                context.buffers.push((Param::Totals(s, k, ty.elem), buffer));
            }
            Ok(())
        };
        match sink.kind {
            SinkKind::Reduce => totals(self, context)?,
            SinkKind::Filter => {
                // And one more, for where the last block ends.
                let buffer = self.fresh(&[context.blocks + 1], ScalarType::U64, place)?;
                context.buffers.push((Param::Counts(s), buffer));
            }
            SinkKind::Collect => {
                let buffer = match self.inherit(sink) {
                    Some(buffer) => buffer,
                    None => self.room(sink.arrays[0], place)?,
                };
                context
                    .buffers
                    .push((Param::Result(s, 0, types[0].elem), buffer));
            }
            SinkKind::Scatter | SinkKind::ScatterWith => {
                for (k, &slot) in sink.arrays.iter().enumerate() {
                    let (dest, last) = sink.dest[k];
                    let buffer = self.destination(dest, last, slot, place)?;
                    let elem = types[k + 1].elem;
                    context.buffers.push((Param::Result(s, k, elem), buffer));
                }
                if sink.kind == SinkKind::ScatterWith {
                    for (k, ty) in types.iter().enumerate() {
                        let buffer = self.fresh(&[context.extent], ty.elem, place)?;
                        context.buffers.push((Param::Values(s, k, ty.elem), buffer));
                    }
                } else {
                    let length = self.lengths(sink.arrays[0])?[0];
                    let words = length.div_ceil(32).max(1);
                    let marks = self.fresh(&[words], ScalarType::U32, place)?;
                    let device = &self.program.device;
                    device
                        .fill(&marks, 0, words * 4, &[0; 4])
                        .map_err(transfer::stop)?;
                    context.buffers.push((Param::Marks(s), marks));
                }
            }
            _ => {
                totals(self, context)?;
                for (k, &slot) in sink.arrays.iter().enumerate() {
                    let buffer = self.room(slot, place)?;
                    context
                        .buffers
                        .push((Param::Result(s, k, types[k].elem), buffer));
                }
            }
        }
        Ok(())
    }

    /// The memory of an array that ends with this par, for a result of it.
    fn inherit(&mut self, sink: &SinkStep) -> Option<crate::device::Buffer> {
        let slot = sink.arrays[0];
        let elem = self.program.plan.arrays[slot as usize].elem.bytes();
        let bytes = match sink.over.is_empty() {
            true => return None,
            false => self.lengths(slot).ok()?[0].checked_mul(elem)?,
        };
        for &over in &sink.over {
            let Some(mut held) = self.take(over) else {
                continue;
            };
            let sole = Arc::get_mut(&mut held.buffer)
                .is_some_and(|memory| memory.own && memory.buffer.bytes() == bytes);
            let heir = (sole && held.at == 0).then(|| held.clone());
            // The par still reads it.
            self.keep(over, held);
            if let Some(heir) = heir {
                let buffer = heir.buffer.buffer.clone();
                self.keep(slot, heir);
                return Some(buffer);
            }
        }
        None
    }

    /// Memory that begins as a copy of another array, or that array's own where nobody else looks at it.
    fn destination(
        &mut self,
        dest: u32,
        last: bool,
        slot: u32,
        place: Place,
    ) -> Result<crate::device::Buffer, Stop> {
        let elem = self.program.plan.arrays[dest as usize].elem.bytes();
        let lengths = self.lengths(dest)?;
        let bytes = lengths.iter().product::<usize>() * elem;
        if last && let Some(mut held) = self.take(dest) {
            let sole = Arc::get_mut(&mut held.buffer)
                .is_some_and(|memory| memory.own && memory.buffer.bytes() == bytes);
            if sole && held.at == 0 {
                let buffer = held.buffer.buffer.clone();
                self.keep(slot, held);
                return Ok(buffer);
            }
            self.keep(dest, held);
        }
        let from = self.held(dest).clone();
        let buffer = self.room(slot, place)?;
        let device = &self.program.device;
        device
            .copy(&from.buffer.buffer, from.at * elem, &buffer, 0, bytes)
            .map_err(transfer::stop)?;
        Ok(buffer)
    }

    fn combine(
        &mut self,
        s: usize,
        sink: &SinkStep,
        kernels: &Shares,
        context: &mut Context,
    ) -> Result<(), Stop> {
        let n = context.extent;
        if n == 0 {
            return Ok(());
        }
        let few = self.shape.few;
        if n < few {
            return self.launch(&kernels.whole, context, 1);
        }
        let length = self.lengths(sink.arrays[0])?[0];
        context.shares = SHARES.min(length.max(1));
        context.span = length.div_ceil(context.shares).max(1);
        let items = self.shape.items.min(n.div_ceil(few / 4)).max(1);
        context.tile = n.div_ceil(items);
        context.tiles = n.div_ceil(context.tile);
        // A group may have more work-items than there are tiles.
        let rows = context.tiles.next_multiple_of(self.shape.group);
        let places = self.fresh(&[rows, context.shares], ScalarType::U64, sink.place)?;
        let sorted = self.fresh(&[n], ScalarType::U64, sink.place)?;
        context.buffers.push((Param::Shares, places));
        context.buffers.push((Param::Sorted, sorted));
        self.launch(&kernels.count, context, context.tiles)?;
        self.launch(&kernels.link, context, 1)?;
        self.launch(&kernels.sort, context, context.tiles)?;
        self.launch(&kernels.fold, context, context.shares)?;
        context
            .buffers
            .retain(|(param, _)| !matches!(param, Param::Shares | Param::Sorted));
        let _ = s;
        Ok(())
    }
}

impl ParUnit {
    /// Whether its work-items need stacks.
    pub fn stacks(&self) -> bool {
        let all = [&self.first, &self.link, &self.join];
        self.main.stack
            || all.into_iter().flatten().any(|kernel| kernel.stack)
            || self
                .combines
                .iter()
                .any(|(_, shares)| shares.fold.stack || shares.whole.stack)
    }
}
