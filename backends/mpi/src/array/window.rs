//! Rows that a rank needs, brought from whoever has them: halos, rows that were cut otherwise before, whole arrays, and those
//! that indices name. They are the same thing with other stretches.

use crate::Distribution;
use crate::comm::collective::{all_gather_equal, all_to_all};
use crate::comm::{Broken, Communicator, Receive, Send};
use std::ops::Range;

/// Who sends which rows to whom, so that each rank has those that it asked for, one stretch after the other. It may be used
/// again for every array with this distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What this rank has.
    own: Range<usize>,
    /// What it asked for.
    pieces: Vec<Piece>,
    /// To whom which rows go; none to this rank itself.
    sends: Vec<(usize, Vec<Range<usize>>)>,
    /// From whom which rows come.
    receives: Vec<(usize, Vec<Piece>)>,
}

/// A stretch of rows, and where it begins among those that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    rows: Range<usize>,
    at: usize,
}

/// Memory for some of the rows that were asked for, from the number `at` on.
pub struct Room<'a> {
    /// The number of its first row among those that were asked for.
    pub at: usize,
    /// The rows.
    pub bytes: &'a mut [u8],
}

impl Window {
    /// The plan for one stretch of rows a rank; all ranks ask together. Cost: ⌈log₂ p⌉ messages, 16(p − 1) bytes.
    ///
    /// # Errors
    /// Those of [`Communicator::exchange`].
    ///
    /// # Panics
    /// If rows are asked for that there are not.
    pub fn new(
        comm: &dyn Communicator,
        rows: &Distribution,
        wanted: Range<usize>,
    ) -> Result<Window, Broken> {
        let mine = [wanted.start as u64, wanted.end as u64].map(u64::to_le_bytes);
        let all = all_gather_equal(comm, mine.as_flattened())?;
        let all = stretches(&all);
        let wants = |rank: usize| vec![all[rank].clone()];
        Ok(Window::known(comm.rank(), rows, wants))
    }

    /// The plan for any number of stretches, of which the owners alone are told. Cost: that of [`all_to_all`], with 16 bytes a
    /// stretch.
    ///
    /// # Errors
    /// Those of [`Communicator::exchange`].
    ///
    /// # Panics
    /// If rows are asked for that there are not.
    pub fn asked(
        comm: &dyn Communicator,
        rows: &Distribution,
        wanted: &[Range<usize>],
    ) -> Result<Window, Broken> {
        let pieces = pieces(wanted.iter().cloned());
        let receives = receives(comm.rank(), rows, &pieces);
        let mut questions = vec![vec![]; comm.size()];
        for (owner, pieces) in &receives {
            for Piece { rows, .. } in pieces {
                let ends = [rows.start as u64, rows.end as u64].map(u64::to_le_bytes);
                questions[*owner].extend_from_slice(ends.as_flattened());
            }
        }
        let asked = all_to_all(comm, &questions)?;
        let sends = asked
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty());
        Ok(Window {
            own: rows.range(comm.rank()),
            sends: sends.map(|(to, text)| (to, stretches(text))).collect(),
            receives,
            pieces,
        })
    }

    /// The plan where every rank knows what all want: nothing is said.
    ///
    /// # Panics
    /// If rows are asked for that there are not.
    pub fn known(
        rank: usize,
        rows: &Distribution,
        wants: impl Fn(usize) -> Vec<Range<usize>>,
    ) -> Window {
        let own = rows.range(rank);
        let others = (0..rows.ranks()).filter(|&other| other != rank);
        let sends = others.filter_map(|other| {
            let parts = wants(other).into_iter().map(|piece| common(&own, &piece));
            let parts: Vec<Range<usize>> = parts.filter(|part| !part.is_empty()).collect();
            (!parts.is_empty()).then_some((other, parts))
        });
        let sends = sends.collect();
        let pieces = pieces(wants(rank).into_iter());
        Window {
            sends,
            receives: receives(rank, rows, &pieces),
            own,
            pieces,
        }
    }

    /// How many rows this rank gets, its own among them.
    pub fn rows(&self) -> usize {
        self.pieces
            .last()
            .map_or(0, |last| last.at + last.rows.len())
    }

    /// Whether this rank has all that it wants, and nobody else wants anything of it.
    pub fn is_silent(&self) -> bool {
        self.sends.is_empty() && self.receives.is_empty()
    }

    /// The rows that this rank sends, and those that it receives.
    pub fn moved(&self) -> (usize, usize) {
        let sent = self.sends.iter().flat_map(|(_, parts)| parts);
        let received = self.receives.iter().flat_map(|(_, pieces)| pieces);
        (
            sent.map(Range::len).sum(),
            received.map(|piece| piece.rows.len()).sum(),
        )
    }

    /// Fills `into` with the rows that this rank wants, of `row` bytes each, where all ranks have their own rows in `own`. Cost: a
    /// message for each pair of ranks with rows in common.
    ///
    /// # Errors
    /// Those of [`Communicator::exchange`].
    ///
    /// # Panics
    /// If the lengths are not those of the rows.
    pub fn fetch(
        &self,
        comm: &dyn Communicator,
        row: usize,
        own: &[u8],
        into: &mut [u8],
    ) -> Result<(), Broken> {
        assert_eq!(into.len(), self.rows() * row, "the rows it wants");
        for Piece { rows, at } in &self.pieces {
            let kept = common(&self.own, rows);
            if !kept.is_empty() {
                let from = &own[(kept.start - self.own.start) * row..][..kept.len() * row];
                let at = at + kept.start - rows.start;
                into[at * row..][..from.len()].copy_from_slice(from);
            }
        }
        let room = Room { at: 0, bytes: into };
        self.overlap(comm, row, own, vec![room], &mut || ())
    }

    /// Brings the rows that other ranks have to where there is room for them, and does `work` while messages are under way. `rooms`
    /// ascend; rows for which there is no room must be this rank's own.
    ///
    /// # Errors
    /// Those of [`Communicator::overlap`].
    ///
    /// # Panics
    /// If the lengths are not those of the rows, or there is no room.
    pub fn overlap(
        &self,
        comm: &dyn Communicator,
        row: usize,
        own: &[u8],
        rooms: Vec<Room<'_>>,
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        assert_eq!(own.len(), self.own.len() * row, "the rank's own rows");
        let part =
            |rows: &Range<usize>| &own[(rows.start - self.own.start) * row..][..rows.len() * row];
        let packed: Vec<Option<Vec<u8>>> = self
            .sends
            .iter()
            .map(|(_, parts)| {
                (parts.len() > 1).then(|| parts.iter().flat_map(part).copied().collect())
            })
            .collect();
        let sends = self.sends.iter().zip(&packed).map(|((to, parts), packed)| {
            let bytes = packed.as_deref().unwrap_or_else(|| part(&parts[0]));
            Send { to: *to, bytes }
        });
        let sends: Vec<Send<'_>> = sends.collect();
        // One stretch goes to its place at once; of several in a message each is copied there.
        let (single, several): (Vec<_>, Vec<_>) = self
            .receives
            .iter()
            .partition(|(_, pieces)| pieces.len() == 1);
        let mut mail: Vec<Vec<u8>> = several
            .iter()
            .map(|(_, pieces)| {
                vec![0; pieces.iter().map(|piece| piece.rows.len()).sum::<usize>() * row]
            })
            .collect();
        let mut wanted: Vec<(usize, usize, usize)> = single
            .iter()
            .map(|(from, pieces)| (pieces[0].at, pieces[0].rows.len(), *from))
            .collect();
        wanted.sort_unstable();
        let mut rooms = rooms;
        {
            let places = carve(
                &mut rooms,
                row,
                wanted.iter().map(|&(at, rows, _)| (at, rows)),
            );
            let mut receives: Vec<Receive<'_>> = wanted
                .iter()
                .zip(places)
                .map(|(&(_, _, from), into)| Receive { from, into })
                .collect();
            let letters = several.iter().zip(&mut mail);
            receives.extend(letters.map(|((from, _), into)| Receive { from: *from, into }));
            comm.overlap(&sends, &mut receives, work)?;
        }
        let mut arrived: Vec<(usize, &[u8])> = vec![];
        for ((_, pieces), letter) in several.iter().zip(&mail) {
            let mut rest = &letter[..];
            for piece in pieces {
                let (bytes, tail) = rest.split_at(piece.rows.len() * row);
                arrived.push((piece.at, bytes));
                rest = tail;
            }
        }
        arrived.sort_unstable_by_key(|&(at, _)| at);
        let lengths = arrived
            .iter()
            .map(|&(at, bytes)| (at, bytes.len() / row.max(1)));
        let places = carve(&mut rooms, row, lengths);
        for (into, (_, bytes)) in places.into_iter().zip(&arrived) {
            into.copy_from_slice(bytes);
        }
        Ok(())
    }
}

/// The parts of the memory for these rows (from which number on, how many), which ascend.
fn carve<'a>(
    rooms: &'a mut [Room<'_>],
    row: usize,
    wanted: impl Iterator<Item = (usize, usize)>,
) -> Vec<&'a mut [u8]> {
    let mut rooms = rooms.iter_mut().map(|room| (room.at, &mut *room.bytes));
    let (mut at, mut rest): (usize, &mut [u8]) = rooms.next().unwrap_or_default();
    let mut parts = vec![];
    for (first, rows) in wanted {
        while rest.len() < (first - at + rows) * row {
            (at, rest) = rooms.next().expect("room for rows that come");
        }
        let (part, tail) = rest
            .split_at_mut((first - at) * row)
            .1
            .split_at_mut(rows * row);
        parts.push(part);
        (at, rest) = (first + rows, tail);
    }
    parts
}

/// Where each of these begins, one after the other.
fn pieces(wanted: impl Iterator<Item = Range<usize>>) -> Vec<Piece> {
    let mut at = 0;
    wanted
        .filter(|rows| !rows.is_empty())
        .map(|rows| {
            let piece = Piece { at, rows };
            at += piece.rows.len();
            piece
        })
        .collect()
}

/// From whom these come.
fn receives(rank: usize, rows: &Distribution, pieces: &[Piece]) -> Vec<(usize, Vec<Piece>)> {
    let mut from: Vec<(usize, Piece)> = vec![];
    for piece in pieces {
        assert!(
            piece.rows.end <= rows.rows(),
            "{:?} of {}",
            piece.rows,
            rows.rows()
        );
        let parts = rows.parts(piece.rows.clone());
        from.extend(
            parts
                .filter(|&(owner, _)| owner != rank)
                .map(|(owner, part)| {
                    let at = piece.at + part.start - piece.rows.start;
                    (owner, Piece { rows: part, at })
                }),
        );
    }
    // Stable: the pieces of an owner stay in their order.
    from.sort_by_key(|&(owner, _)| owner);
    from.chunk_by(|(a, _), (b, _)| a == b)
        .map(|of_one| {
            let pieces = of_one.iter().map(|(_, piece)| piece.clone());
            (of_one[0].0, pieces.collect())
        })
        .collect()
}

/// Stretches as they go around.
fn stretches(text: &[u8]) -> Vec<Range<usize>> {
    let number = |at: usize| {
        let bytes = text[8 * at..][..8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes) as usize
    };
    (0..text.len() / 16)
        .map(|at| number(2 * at)..number(2 * at + 1))
        .collect()
}

fn common(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comm::threads::run;

    /// Rows of three bytes, which tell their number.
    fn rows(range: Range<usize>) -> Vec<u8> {
        range.flat_map(|row| [row as u8, 7, !row as u8]).collect()
    }

    fn filled(
        comm: &dyn Communicator,
        given: &Distribution,
        window: &Window,
        wanted: &[Range<usize>],
    ) {
        let own = rows(given.range(comm.rank()));
        let mut into = vec![0; window.rows() * 3];
        let sent = comm.sent();
        assert_eq!(window.fetch(comm, 3, &own, &mut into), Ok(()));
        let all: Vec<u8> = wanted.iter().cloned().flat_map(rows).collect();
        assert_eq!(into, all);
        let sent = comm.sent() - sent;
        assert_eq!(sent.bytes, 3 * window.moved().0 as u64);
    }

    fn fetched(comm: &dyn Communicator, given: &Distribution, wanted: Range<usize>) -> Window {
        let window = Window::new(comm, given, wanted.clone()).unwrap();
        filled(comm, given, &window, &[wanted]);
        window
    }

    #[test]
    fn halos_redistributions_and_whole_arrays() {
        for ranks in [1, 2, 3, 4, 7] {
            run(ranks, |comm| {
                let comm = &*comm;
                let me = comm.rank();
                let given = Distribution::even(40, ranks);
                let own = given.range(me);
                let silent = fetched(comm, &given, own.clone());
                assert!(silent.is_silent());
                let halo = own.start.saturating_sub(1)..(own.end + 1).min(40);
                let (sent, received) = fetched(comm, &given, halo).moved();
                let neighbours = usize::from(me > 0) + usize::from(me + 1 < ranks);
                assert_eq!((sent, received), (neighbours, neighbours));
                fetched(comm, &given, 0..40);
                fetched(comm, &given, if me == 0 { 0..40 } else { 0..0 });
                let odd = Distribution::of_parts((0..ranks).map(|rank| rank % 2 * 9));
                let back = Distribution::even(odd.rows(), ranks);
                fetched(comm, &odd, back.range(me));
                fetched(comm, &back, odd.range(me));
            });
        }
    }

    #[test]
    fn any_rows_in_any_order() {
        for ranks in [1, 2, 3, 7] {
            run(ranks, |comm| {
                let comm = &*comm;
                let given = Distribution::even(40, ranks);
                let wants = |rank: usize| match rank % 3 {
                    0 => vec![30..40, 0..7],
                    1 => (0..40).step_by(3).map(|row| row..row + 1).collect(),
                    _ => vec![],
                };
                let known = Window::known(comm.rank(), &given, wants);
                let wanted = wants(comm.rank());
                let asked = Window::asked(comm, &given, &wanted).unwrap();
                assert_eq!(known, asked);
                filled(comm, &given, &asked, &wanted);
            });
        }
    }

    #[test]
    fn work_while_rows_come_to_where_there_is_room() {
        run(3, |comm| {
            let comm = &*comm;
            let given = Distribution::even(30, 3);
            let halo = |rank: usize| {
                let own = given.range(rank);
                let halo = own.start.saturating_sub(2)..(own.end + 1).min(30);
                vec![halo]
            };
            let window = Window::known(comm.rank(), &given, halo);
            let (own, wanted) = (given.range(comm.rank()), halo(comm.rank()).remove(0));
            let (before, after) = (own.start - wanted.start, wanted.end - own.end);
            let (mut above, mut below) = (vec![0; before * 3], vec![0; after * 3]);
            let rooms = vec![
                Room {
                    at: 0,
                    bytes: &mut above,
                },
                Room {
                    at: before + own.len(),
                    bytes: &mut below,
                },
            ];
            let mut worked = 0;
            let outcome = window.overlap(comm, 3, &rows(own.clone()), rooms, &mut || worked += 1);
            assert_eq!((outcome, worked), (Ok(()), 1));
            assert_eq!(above, rows(wanted.start..own.start));
            assert_eq!(below, rows(own.end..wanted.end));
        });
    }

    #[test]
    fn what_all_know_needs_no_words() {
        run(3, |comm| {
            let given = Distribution::even(30, 3);
            let wants = |rank: usize| {
                let own = given.range(rank);
                let halo = own.start.saturating_sub(2)..(own.end + 1).min(30);
                vec![halo]
            };
            let before = comm.sent();
            let known = Window::known(comm.rank(), &given, wants);
            assert_eq!(comm.sent(), before);
            let asked = Window::new(&*comm, &given, wants(comm.rank()).remove(0)).unwrap();
            assert_eq!(known, asked);
        });
    }
}
