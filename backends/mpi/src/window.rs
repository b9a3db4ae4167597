//! Rows that a rank needs, brought from whoever has them: halos, rows that were cut otherwise before, whole arrays. They are the
//! same thing with other stretches.

use crate::Distribution;
use crate::comm::collective::all_gather_equal;
use crate::comm::{Broken, Communicator, Receive, Send};
use std::ops::Range;

/// Who sends which rows to whom, so that each rank has the stretch that it asked for. It may be used again for every array with
/// this distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What this rank has.
    own: Range<usize>,
    /// What it asked for.
    wanted: Range<usize>,
    /// To whom which rows go; none to this rank itself.
    sends: Vec<(usize, Range<usize>)>,
    /// From whom which rows come.
    receives: Vec<(usize, Range<usize>)>,
}

impl Window {
    /// The plan for the rows that this rank wants; all ranks ask together. Cost: ⌈log₂ p⌉ messages, 16(p − 1) bytes.
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
        assert!(wanted.end <= rows.rows() || wanted.is_empty(), "{wanted:?}");
        let mine = [wanted.start as u64, wanted.end as u64].map(u64::to_le_bytes);
        let all = all_gather_equal(comm, mine.as_flattened())?;
        let number = |at: usize| {
            let bytes = all[8 * at..][..8].try_into().expect("eight bytes");
            u64::from_le_bytes(bytes) as usize
        };
        let wants = |rank: usize| number(2 * rank)..number(2 * rank + 1);
        Ok(Window::known(comm.rank(), rows, wants))
    }

    /// The plan where every rank knows what all want: nothing is said.
    ///
    /// # Panics
    /// If rows are asked for that there are not.
    pub fn known(
        rank: usize,
        rows: &Distribution,
        wants: impl Fn(usize) -> Range<usize>,
    ) -> Window {
        let (own, wanted) = (rows.range(rank), wants(rank));
        let others = (0..rows.ranks()).filter(|&other| other != rank);
        let sends = others.filter_map(|other| {
            let common = common(&own, &wants(other));
            (!common.is_empty()).then_some((other, common))
        });
        Window {
            sends: sends.collect(),
            receives: rows
                .parts(wanted.clone())
                .filter(|&(other, _)| other != rank)
                .collect(),
            own,
            wanted,
        }
    }

    /// The rows that this rank gets.
    pub fn rows(&self) -> Range<usize> {
        self.wanted.clone()
    }

    /// Whether this rank has all that it wants, and nobody else wants anything of it.
    pub fn is_silent(&self) -> bool {
        self.sends.is_empty() && self.receives.is_empty()
    }

    /// The rows that this rank sends, and those that it receives.
    pub fn moved(&self) -> (usize, usize) {
        let count =
            |parts: &[(usize, Range<usize>)]| parts.iter().map(|(_, part)| part.len()).sum();
        (count(&self.sends), count(&self.receives))
    }

    /// Fills `into` with the rows that this rank wants, of `row` bytes each, where all ranks have their own rows in `own`. Does
    /// `work` while messages are under way: this rank's own rows are in `into` by then. Cost: a message for each pair of
    /// ranks with rows in common.
    ///
    /// # Errors
    /// Those of [`Communicator::overlap`].
    ///
    /// # Panics
    /// If the lengths are not those of the rows.
    pub fn fetch(
        &self,
        comm: &dyn Communicator,
        row: usize,
        own: &[u8],
        into: &mut [u8],
        work: &mut dyn FnMut(),
    ) -> Result<(), Broken> {
        assert_eq!(own.len(), self.own.len() * row, "the rank's own rows");
        assert_eq!(into.len(), self.wanted.len() * row, "the rows it wants");
        let kept = common(&self.own, &self.wanted);
        if !kept.is_empty() {
            let from = &own[(kept.start - self.own.start) * row..][..kept.len() * row];
            into[(kept.start - self.wanted.start) * row..][..from.len()].copy_from_slice(from);
        }
        let sends: Vec<Send<'_>> = self
            .sends
            .iter()
            .map(|(to, part)| Send {
                to: *to,
                bytes: &own[(part.start - self.own.start) * row..][..part.len() * row],
            })
            .collect();
        // In the order of the rows, and so one after the other in memory.
        let (mut receives, mut rest, mut at) = (vec![], into, self.wanted.start);
        for (from, part) in &self.receives {
            let tail = rest.split_at_mut((part.start - at) * row).1;
            let (into, tail) = tail.split_at_mut(part.len() * row);
            receives.push(Receive { from: *from, into });
            (rest, at) = (tail, part.end);
        }
        comm.overlap(&sends, &mut receives, work)
    }
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

    fn fetched(comm: &dyn Communicator, given: &Distribution, wanted: Range<usize>) -> Window {
        let window = Window::new(comm, given, wanted.clone()).unwrap();
        let own = rows(given.range(comm.rank()));
        let mut into = vec![0; wanted.len() * 3];
        let mut worked = 0;
        let sent = comm.sent();
        let result = window.fetch(comm, 3, &own, &mut into, &mut || worked += 1);
        assert_eq!((result, worked), (Ok(()), 1));
        assert_eq!(into, rows(wanted));
        let sent = comm.sent() - sent;
        assert_eq!(sent.bytes, 3 * window.moved().0 as u64);
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
    fn what_all_know_needs_no_words() {
        run(3, |comm| {
            let given = Distribution::even(30, 3);
            let wants = |rank: usize| {
                let own = given.range(rank);
                own.start.saturating_sub(2)..(own.end + 1).min(30)
            };
            let before = comm.sent();
            let known = Window::known(comm.rank(), &given, wants);
            assert_eq!(comm.sent(), before);
            let asked = Window::new(&*comm, &given, wants(comm.rank())).unwrap();
            assert_eq!(known, asked);
        });
    }
}
