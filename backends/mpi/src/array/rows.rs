//! Memory for consecutive rows of an array: those of a rank, and room before and after them for copies of others' rows.

use crate::array::{Room, Window};
use crate::comm::Broken;
use crate::job::Turn;
use dsl_runtime::array::{ArrayView, ArrayViewMut, Dense, HostBuffer, contiguous};
use dsl_runtime::ir::ScalarType;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A rank's own rows, written once, and around them room for copies of rows that other ranks have.
#[derive(Debug)]
pub struct Rows {
    elem: ScalarType,
    /// The shape of a row.
    inner: Vec<usize>,
    /// Bytes of a row.
    row: usize,
    own: Range<usize>,
    /// The rows that there is memory for.
    room: Range<usize>,
    buffer: HostBuffer,
}

/// How many rows before and after a rank's own the readers of an array have asked for: the next array that is made at the same
/// place gets room for them at once.
#[derive(Debug, Default)]
pub struct Margin {
    before: AtomicUsize,
    after: AtomicUsize,
}

impl Margin {
    /// Learns that these rows were wanted.
    pub fn widen(&self, own: &Range<usize>, wanted: &Range<usize>) {
        let raise = |known: &AtomicUsize, by: usize| known.fetch_max(by, Ordering::Relaxed);
        raise(&self.before, own.start.saturating_sub(wanted.start));
        raise(&self.after, wanted.end.saturating_sub(own.end));
    }

    /// Own rows with their margin, as far as there are rows.
    pub fn around(&self, own: &Range<usize>, rows: usize) -> Range<usize> {
        let (before, after) = (&self.before, &self.after);
        let start = own.start.saturating_sub(before.load(Ordering::Relaxed));
        start
            ..own
                .end
                .saturating_add(after.load(Ordering::Relaxed))
                .min(rows)
    }
}

/// The bytes of an array.
pub fn bytes(dense: &Dense) -> &[u8] {
    let view = dense.view();
    let length = view.elements() * dense.elem.bytes();
    // SAFETY: so many bytes at the beginning of its memory are initialised, and do not change while it lives.
    unsafe { std::slice::from_raw_parts(dense.buffer.as_ptr(), length) }
}

/// Reads bytes as an array.
///
/// # Panics
/// If they are not as many as the array has, or lie where it cannot.
pub fn view<'a>(elem: ScalarType, shape: &[usize], from: &'a [u8]) -> ArrayView<'a> {
    let elements: usize = shape.iter().product();
    assert_eq!(from.len(), elements * elem.bytes(), "an array of {shape:?}");
    assert!(from.is_empty() || from.as_ptr().addr().is_multiple_of(elem.bytes()));
    // SAFETY: as many bytes as the array has, aligned, borrowed for as long; those of bools are 0 or 1, as they come from arrays.
    unsafe { ArrayView::from_raw(elem, shape, contiguous(shape, elem.bytes()), from.as_ptr()) }
}

/// An array whose bytes `write` fills; none if there is no memory for it.
pub fn written<E>(
    elem: ScalarType,
    shape: &[usize],
    write: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Option<Result<Dense, E>> {
    let elements = shape
        .iter()
        .try_fold(1usize, |n, &len| n.checked_mul(len))?;
    let buffer = HostBuffer::uninit(elements, elem.bytes())?;
    // SAFETY: so many bytes are there, nobody else sees them, and zeros are values of every type.
    let all = unsafe {
        let length = elements * elem.bytes();
        buffer.as_ptr().write_bytes(0, length);
        std::slice::from_raw_parts_mut(buffer.as_ptr(), length)
    };
    if let Err(error) = write(all) {
        return Some(Err(error));
    }
    // SAFETY: all bytes were written above; bools come from bools only.
    Some(Ok(unsafe {
        Dense::from_buffer(elem, shape.to_vec(), buffer.into())
    }))
}

impl Rows {
    /// Memory for rows of this shape; none if it cannot be had. The own rows are still to be written.
    pub fn new(
        elem: ScalarType,
        inner: &[usize],
        own: Range<usize>,
        room: Range<usize>,
    ) -> Option<Rows> {
        let inside = room.start <= own.start && own.end <= room.end;
        let room = if inside { room } else { own.clone() };
        let width = inner
            .iter()
            .try_fold(1usize, |n, &len| n.checked_mul(len))?;
        Some(Rows {
            elem,
            inner: inner.to_vec(),
            row: width.checked_mul(elem.bytes())?,
            buffer: HostBuffer::uninit(room.len().checked_mul(width)?, elem.bytes())?,
            own,
            room,
        })
    }

    /// The rank's own.
    pub fn own(&self) -> Range<usize> {
        self.own.clone()
    }

    /// Whether there is room for these.
    pub fn has_room(&self, rows: &Range<usize>) -> bool {
        rows.is_empty() || self.room.start <= rows.start && rows.end <= self.room.end
    }

    fn at(&self, row: usize) -> *mut u8 {
        self.buffer
            .as_ptr()
            .wrapping_add((row - self.room.start) * self.row)
    }

    fn shape(&self, rows: usize) -> Vec<usize> {
        let mut shape = vec![rows];
        shape.extend(&self.inner);
        shape
    }

    /// Some of the own rows, to be written.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn write(&mut self, rows: Range<usize>) -> ArrayViewMut<'_> {
        assert!(self.own.start <= rows.start && rows.end <= self.own.end);
        let shape = self.shape(rows.len());
        let strides = contiguous(&shape, self.elem.bytes());
        // SAFETY: memory of ours for these rows, aligned, which nobody else sees. It is not initialised: nobody reads it
        // before it is written.
        unsafe { ArrayViewMut::from_raw(self.elem, shape, strides, self.at(rows.start)) }
    }

    /// Writes zeros to the own rows.
    pub fn clear(&mut self) {
        let length = self.own.len() * self.row;
        // SAFETY: the memory of the own rows.
        unsafe { self.at(self.own.start).write_bytes(0, length) }
    }

    /// The own rows, which have been written.
    pub fn own_bytes(&self) -> &[u8] {
        let length = self.own.len() * self.row;
        // SAFETY: whoever made the rows wrote these before sharing them, and they are not written again.
        unsafe { std::slice::from_raw_parts(self.at(self.own.start), length) }
    }

    /// Rows to read: the own ones, and those that were [filled](Rows::fill).
    ///
    /// # Panics
    /// If there is no room for them.
    pub fn view(&self, rows: Range<usize>) -> ArrayView<'_> {
        assert!(self.has_room(&rows), "{rows:?} of {:?}", self.room);
        let start = if rows.is_empty() {
            self.room.start
        } else {
            rows.start
        };
        let shape = self.shape(rows.len());
        let strides = contiguous(&shape, self.elem.bytes());
        // SAFETY: memory of ours for these rows, aligned; own rows were written before this was shared, others were filled,
        // which the caller knows, or are not read. They change while a turn is had only ([`Rows::fill`]), by whoever has it.
        unsafe { ArrayView::from_raw(self.elem, shape, strides, self.at(start).cast_const()) }
    }

    /// Fills the room around the own rows with what `window` brings for `wanted`, and does `work` meanwhile. Views of rows that are
    /// not own must not be alive; those live in turns, and this one is the caller's.
    ///
    /// # Errors
    /// Those of [`Window::overlap`].
    ///
    /// # Panics
    /// If there is no room for them.
    pub fn fill(
        &self,
        turn: &Turn<'_>,
        window: &Window,
        wanted: &Range<usize>,
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        assert!(self.has_room(wanted), "{wanted:?} of {:?}", self.room);
        let before = wanted.start.min(self.own.start)..self.own.start.min(wanted.end);
        let after = self.own.end.max(wanted.start)..wanted.end.max(self.own.end);
        let room = |rows: Range<usize>| {
            let length = rows.len() * self.row;
            let start = if length == 0 {
                self.room.start
            } else {
                rows.start
            };
            Room {
                at: rows.start.saturating_sub(wanted.start),
                // SAFETY: room for these rows, which are not own; nobody looks at them, since that takes the turn.
                bytes: unsafe { std::slice::from_raw_parts_mut(self.at(start), length) },
            }
        };
        let rooms = vec![room(before), room(after)];
        window.overlap(turn.comm, self.row, self.own_bytes(), rooms, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;
    use crate::comm::threads::run;
    use crate::job::{Job, Policy};
    use dsl_runtime::ir::Const;

    #[test]
    fn neighbours_rows_come_to_the_room_around() {
        run(3, |comm| {
            let job = Job::new(comm, Policy::default());
            let turn = job.turn();
            let given = Distribution::even(12, 3);
            let wants = |rank: usize| {
                let own = given.range(rank);
                own.start.saturating_sub(2)..(own.end + 1).min(12)
            };
            let (own, wanted) = (given.range(job.rank()), wants(job.rank()));
            let margin = Margin::default();
            margin.widen(&own, &wanted);
            let mut rows =
                Rows::new(ScalarType::U16, &[2], own.clone(), margin.around(&own, 12)).unwrap();
            for row in own.clone() {
                let mut view = rows.write(row..row + 1);
                view.set(&[0, 0], Const::u16(row as u16));
                view.set(&[0, 1], Const::u16(100 + row as u16));
            }
            let window = Window::known(job.rank(), &given, |rank| vec![wants(rank)]);
            let mut worked = false;
            rows.fill(&turn, &window, &wanted, &mut || worked = true)
                .unwrap();
            assert!(worked);
            let view = rows.view(wanted.clone());
            for (at, row) in wanted.enumerate() {
                assert_eq!(view.get(&[at, 0]), Const::u16(row as u16));
                assert_eq!(view.get(&[at, 1]), Const::u16(100 + row as u16));
            }
        });
    }
}
