//! Which rows of each array a rank has to see for its share of a par, and who sends them.
//!
//! Mostly every rank can tell for all ranks ([`crate::plan::reach`]), and nothing is said. Where elements of arrays say which rows are
//! read, ranks look at the elements that they have (an inspector, as of Saltz, Crowley, Mirchandaney and Berryman, "Run-time
//! scheduling and execution of loops on message passing machines", 1990), and ask the owners once for as long as these
//! arrays stay the same.

use crate::Distribution;
use crate::array::Window;
use crate::array::cut::{Cut, Seen, Wants};
use crate::array::rows::written;
use crate::comm::collective::all_gather_equal;
use crate::plan::derive::Mode;
use crate::plan::reach::{Outside, Rows, merged, reach};
use crate::plan::unit::{Sight, Unit};
use crate::run::held::Held;
use crate::run::walk::Walk;
use dsl_runtime::array::{ArrayView, Stored};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{Const, ScalarType, Var};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, PoisonError, Weak};

/// How a rank sees the arrays of a par.
#[derive(Debug, Default)]
pub struct Sights {
    /// Per access, how it has the rows.
    pub modes: Vec<Mode>,
    /// Rows of arrays that are cut.
    pub windows: BTreeMap<Var, Sight>,
    /// Rows of arrays that every rank has.
    pub slices: BTreeMap<Var, Range<usize>>,
    /// Rows of the first array that elements of the second one name.
    pub named: BTreeMap<(Var, Var), Named>,
    /// Iterations that need only rows of the rank's own of this array, of those that are cut.
    pub interior: Option<(Var, Range<u64>)>,
}

/// Rows that elements of an array name.
#[derive(Clone, Debug)]
pub struct Named {
    /// Who sends what.
    pub wants: Arc<Wants>,
    /// For each element that this rank sees, which of the rows it names.
    pub places: Seen,
}

/// What it depends on which rows are read.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    cut: Distribution,
    scalars: Vec<u64>,
    arrays: Vec<(Var, Vec<usize>, Option<Distribution>)>,
}

/// What all ranks know.
#[derive(Debug)]
pub struct Known {
    key: Key,
    /// None where it depends on elements.
    sights: Option<Arc<Sights>>,
}

/// What was found out by a look at elements.
#[derive(Debug)]
pub struct Inspected {
    key: Key,
    /// The arrays that were looked at.
    seen: Vec<(Var, Same)>,
    sights: Arc<Sights>,
}

/// An array that may come again.
#[derive(Debug)]
enum Same {
    /// One that is cut; its memory is not kept for this.
    Cut(Weak<Cut>),
    Whole(Stored),
}

impl Same {
    /// None of memory that is lent: it may be changed after the run.
    fn of(held: &Held<'_>) -> Option<Same> {
        match held {
            Held::Cut(cut) => Some(Same::Cut(Arc::downgrade(cut))),
            Held::Whole(stored) => Some(Same::Whole(stored.clone())),
            Held::View(_) => None,
        }
    }

    fn is(&self, held: &Held<'_>) -> bool {
        match (self, held) {
            (Same::Cut(known), Held::Cut(cut)) => std::ptr::eq(known.as_ptr(), Arc::as_ptr(cut)),
            (Same::Whole(known), Held::Whole(stored)) => known.is(stored),
            _ => false,
        }
    }
}

/// So many times the rows that elements name are brought rather than these alone, if they lie together: that needs no places.
const FAR: usize = 2;

/// How many of these are kept.
const KEPT: usize = 8;

impl Walk<'_, '_> {
    /// How this rank sees the arrays of its share.
    pub fn sights(&mut self, unit: &Unit, cut: &Distribution) -> Result<Arc<Sights>, Failure> {
        let key = self.key(unit, cut);
        let known = unit.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| known.key == key);
        let found = found.map(|found| found.sights.clone());
        drop(known);
        let sights = match found {
            Some(found) => found,
            None => {
                let sights = self.plain(unit, cut).map(Arc::new);
                let mut known = unit.known.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() == KEPT {
                    known.remove(0);
                }
                known.push(Known {
                    key: key.clone(),
                    sights: sights.clone(),
                });
                sights
            }
        };
        match sights {
            Some(sights) => Ok(sights),
            None => self.inspected(unit, cut, key),
        }
    }

    fn key(&self, unit: &Unit, cut: &Distribution) -> Key {
        let scalars = unit
            .uses
            .relevant
            .iter()
            .filter(|&&var| self.knows(var) && unit.func.ty(var).elem.class() != Class::Float);
        Key {
            cut: cut.clone(),
            scalars: scalars
                .map(|&var| self.scalar_of(&unit.func, var).bits)
                .collect(),
            arrays: unit
                .uses
                .arrays()
                .into_iter()
                .map(|var| {
                    let held = self.held_of(var);
                    let cut = held.cut().map(|cut| cut.rows().clone());
                    (var, held.shape().to_vec(), cut)
                })
                .collect(),
        }
    }

    /// What all ranks know; none if it depends on elements.
    fn plain(&mut self, unit: &Unit, cut: &Distribution) -> Option<Sights> {
        let mut sights = Sights {
            modes: vec![Mode::Whole; unit.uses.accesses.len()],
            ..Sights::default()
        };
        let cuts = self.cut_arrays(unit);
        if cuts.is_empty() {
            return Some(sights);
        }
        let outside = Here {
            walk: self,
            unit,
            elements: HashMap::new(),
        };
        let reaches: Vec<HashMap<Var, Rows>> = (0..cut.ranks())
            .map(|rank| outside.reach(cut.range(rank)))
            .collect();
        for &array in &cuts {
            let wants = |reach: &HashMap<Var, Rows>| {
                let mut all = vec![];
                for access in unit
                    .uses
                    .accesses
                    .iter()
                    .filter(|access| access.array == array)
                {
                    if let Some(rows) = reach.get(&access.read) {
                        all.extend(rows.clone()?);
                    }
                }
                Some(tidy(merged(all), self.held_of(array).shape()[0]))
            };
            let all: Vec<Vec<Range<usize>>> = reaches.iter().map(wants).collect::<Option<_>>()?;
            let held = self.held_of(array).cut().expect("an array that is cut");
            let rank = self.rank();
            let window = Window::known(rank, held.rows(), |rank| all[rank].clone());
            sights.add(unit, array, all[rank].clone(), Some(all), window);
        }
        sights.interior = self.interior(unit, cut, &sights);
        Some(sights)
    }

    /// The iterations that need nothing of others of the last array that something comes of.
    fn interior(
        &self,
        unit: &Unit,
        cut: &Distribution,
        sights: &Sights,
    ) -> Option<(Var, Range<u64>)> {
        let talks = |sight: &&Sight| !sight.wants.window.is_silent();
        let (&array, sight) = sights.windows.iter().rfind(|(_, sight)| talks(sight))?;
        let [wanted] = &sight.wants.mine[..] else {
            return None;
        };
        let own = self.held_of(array).cut()?.own();
        let share = cut.range(self.rank());
        let before = own.start.saturating_sub(wanted.start);
        let after = wanted.end.saturating_sub(own.end);
        let inside = share.start + before..share.end.saturating_sub(after);
        if inside.len() * 2 < share.len() || inside.is_empty() {
            return None;
        }
        let outside = Here {
            walk: self,
            unit,
            elements: HashMap::new(),
        };
        let reach = outside.reach(inside.clone());
        let accesses = unit
            .uses
            .accesses
            .iter()
            .filter(|access| access.array == array);
        let fits = accesses
            .filter_map(|access| reach.get(&access.read))
            .all(|rows| {
                let within = |rows: &Range<usize>| own.start <= rows.start && rows.end <= own.end;
                rows.as_ref().is_some_and(|rows| rows.iter().all(within))
            });
        fits.then_some((array, inside.start as u64..inside.end as u64))
    }

    fn cut_arrays(&self, unit: &Unit) -> Vec<Var> {
        let cuts = unit.uses.accesses.iter().map(|access| access.array);
        let cuts: BTreeSet<Var> = cuts
            .filter(|&var| self.held_of(var).cut().is_some())
            .collect();
        cuts.into_iter()
            .filter(|var| !unit.uses.wholes.contains(var))
            .collect()
    }

    /// What a look at elements says, kept as long as the arrays are the same.
    fn inspected(
        &mut self,
        unit: &Unit,
        cut: &Distribution,
        key: Key,
    ) -> Result<Arc<Sights>, Failure> {
        let same = |found: &&Inspected| {
            let mut seen = found.seen.iter();
            found.key == key && seen.all(|(var, same)| same.is(self.held_of(*var)))
        };
        let kept = unit
            .inspected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(same).map(|found| found.sights.clone());
        drop(kept);
        if let Some(sights) = found {
            return Ok(sights);
        }
        let sights = Arc::new(self.inspect(unit, cut)?);
        let integers: BTreeSet<Var> = unit
            .uses
            .accesses
            .iter()
            .map(|access| access.array)
            .filter(|&var| unit.func.ty(var).elem.is_integer())
            .collect();
        let seen: Option<Vec<_>> = integers
            .into_iter()
            .map(|var| Some((var, Same::of(self.held_of(var))?)))
            .collect();
        if let Some(seen) = seen {
            let mut kept = unit
                .inspected
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Inspected {
                key,
                seen,
                sights: sights.clone(),
            });
        }
        Ok(sights)
    }

    fn inspect(&mut self, unit: &Unit, cut: &Distribution) -> Result<Sights, Failure> {
        let rank = self.rank();
        let accesses = &unit.uses.accesses;
        let mut sights = Sights {
            modes: vec![Mode::Whole; accesses.len()],
            ..Sights::default()
        };
        let cuts = self.cut_arrays(unit);
        // First what all ranks know.
        let outside = Here {
            walk: self,
            unit,
            elements: HashMap::new(),
        };
        let reaches: Vec<HashMap<Var, Rows>> = (0..cut.ranks())
            .map(|rank| outside.reach(cut.range(rank)))
            .collect();
        let is_known = |read: Var| {
            reaches
                .iter()
                .all(|reach| reach.get(&read).is_none_or(Option::is_some))
        };
        let known: Vec<bool> = accesses
            .iter()
            .map(|access| is_known(access.read))
            .collect();
        let of = |array: Var| {
            accesses
                .iter()
                .enumerate()
                .filter(move |(_, access)| access.array == array)
        };
        for &array in &cuts {
            if of(array).any(|(at, _)| known[at]) {
                let length = self.held_of(array).shape()[0];
                let wants = |reach: &HashMap<Var, Rows>| {
                    let rows = of(array)
                        .filter(|(at, _)| known[*at])
                        .filter_map(|(_, access)| reach.get(&access.read));
                    tidy(merged(rows.flatten().flatten().cloned().collect()), length)
                };
                let all: Vec<Vec<Range<usize>>> = reaches.iter().map(wants).collect();
                let held = self.held_of(array).cut().expect("an array that is cut");
                let window = Window::known(rank, held.rows(), |rank| all[rank].clone());
                sights.add(unit, array, all[rank].clone(), Some(all), window);
            }
        }
        // Then what the integers say that were read so.
        let own = &reaches[rank];
        let mut elements = HashMap::new();
        for (at, access) in accesses.iter().enumerate() {
            let ty = unit.func.ty(access.array).elem;
            if !known[at] || !ty.is_integer() || !unit.func.ty(access.read).is_scalar() {
                continue;
            }
            let rows = own.get(&access.read).cloned().flatten().unwrap_or_default();
            let seen = match sights.windows.get(&access.array).cloned() {
                Some(sight) => Some((self.look(access.array, &sight.wants)?, sight.start as usize)),
                None => None,
            };
            let mut ends: Option<(i128, i128)> = None;
            let view = match &seen {
                Some((seen, _)) => seen.view()?,
                None => self.held_of(access.array).view(self.turn)?,
            };
            let first = seen.as_ref().map_or(0, |&(_, first)| first);
            let length = self.held_of(access.array).shape()[0];
            for rows in rows {
                // Around the end, the first rows lie behind the last ones.
                let start = match rows.start < first {
                    true => rows.start + length - first,
                    false => rows.start - first,
                };
                integers(&view, start..start + rows.len(), &mut |value| {
                    let (low, high) = ends.unwrap_or((value, value));
                    ends = Some((low.min(value), high.max(value)));
                });
            }
            elements.extend(ends.map(|ends| (access.read, ends)));
        }
        let outside = Here {
            walk: self,
            unit,
            elements,
        };
        let own = outside.reach(cut.range(rank));
        // 0: known by now; 1: elements that this rank sees name the rows, far apart; 2: neither.
        let now = |read: Var| own.get(&read).is_none_or(Option::is_some);
        let size = |read: Var| {
            let rows = own.get(&read).and_then(Option::as_ref);
            rows.map_or(0, |rows| rows.iter().map(Range::len).sum::<usize>())
        };
        // From the least row that they name to the greatest, where that is not much more than what they name.
        let status = |access: &crate::plan::uses::Access| match access.through {
            Some(load) if now(load) && size(access.read) > FAR * size(load) => 1u8,
            _ if now(access.read) => 0,
            Some(load) if now(load) => 1,
            _ => 2,
        };
        let mine: Vec<u8> = accesses.iter().map(status).collect();
        let all = self.say("indices: what they depend on", None, |turn| {
            Ok(all_gather_equal(turn.comm, &mine)?)
        })?;
        let count = accesses.len().max(1);
        let status: Vec<u8> = (0..accesses.len())
            .map(|at| all.chunks(count).map(|one| one[at]).max().unwrap_or(0))
            .collect();
        // What became known on the way: the owners are asked.
        for &array in &cuts {
            let unknown = || of(array).filter(|(at, _)| !known[*at]);
            if unknown().next().is_none() {
                continue;
            }
            if unknown().any(|(at, _)| status[at] == 2) {
                sights.windows.remove(&array);
                of(array).for_each(|(at, _)| sights.modes[at] = Mode::Whole);
            } else if unknown().any(|(at, _)| status[at] == 0) {
                // Beside what elements name.
                let length = self.held_of(array).shape()[0];
                let rows = of(array)
                    .filter(|(at, _)| known[*at] || status[*at] == 0)
                    .filter_map(|(_, access)| own.get(&access.read));
                let rows = tidy(merged(rows.flatten().flatten().cloned().collect()), length);
                let window = self.ask(array, &rows)?;
                sights.add(unit, array, rows, None, window);
            }
        }
        // Last the rows that elements name: of columns that are seen by now.
        for &array in &cuts {
            let named = || of(array).filter(|(at, _)| !known[*at] && status[*at] > 0);
            if named().next().is_none() || of(array).any(|(at, _)| status[at] == 2 && !known[at]) {
                continue;
            }
            for (at, access) in named() {
                let load = access.through.expect("an index that is an element");
                let read = accesses.iter().position(|access| access.read == load);
                let column = accesses[read.expect("a read of the par")].array;
                sights.modes[at] = Mode::Named;
                if sights.named.contains_key(&(array, column)) {
                    continue;
                }
                if self.held_of(column).cut().is_none()
                    && !sights.slices.contains_key(&column)
                    && of(column).all(|(_, access)| now(access.read))
                {
                    // Of a column that every rank has, a part is looked at, if nothing else of it may be read.
                    let rows = of(column).filter_map(|(_, access)| own.get(&access.read));
                    let rows = merged(rows.flatten().flatten().cloned().collect());
                    let hull = match (rows.first(), rows.last()) {
                        (Some(first), Some(last)) => first.start..last.end,
                        _ => 0..0,
                    };
                    sights.slices.insert(column, hull);
                    of(column).for_each(|(at, _)| sights.modes[at] = Mode::Window);
                }
                let named = self.named(&sights, array, column)?;
                sights.named.insert((array, column), named);
            }
        }
        Ok(sights)
    }

    /// The rows of an array that the elements of a column name, as far as this rank sees it.
    fn named(&mut self, sights: &Sights, array: Var, column: Var) -> Result<Named, Failure> {
        let length = self.held_of(array).shape()[0] as i128;
        let (seen, slice) = match (
            sights.windows.get(&column).cloned(),
            sights.slices.get(&column),
        ) {
            (Some(sight), _) => (Some(self.look(column, &sight.wants)?), None),
            (None, slice) => (None, slice.cloned()),
        };
        let view = match (&seen, slice) {
            (Some(seen), _) => seen.view()?,
            (None, Some(slice)) => self.held_of(column).view(self.turn)?.rows(slice),
            (None, None) => self.held_of(column).view(self.turn)?,
        };
        let count = view.shape()[0];
        let mut rows: Vec<usize> = vec![];
        integers(&view, 0..count, &mut |value| {
            if (0..length).contains(&value) {
                rows.push(value as usize);
            }
        });
        rows.sort_unstable();
        rows.dedup();
        let stretches = merged(rows.iter().map(|&row| row..row + 1).collect());
        // By the number of the row, where its stretch begins and where that lies.
        let mut at = 0;
        let starts: Vec<(usize, usize)> = stretches
            .iter()
            .map(|stretch| {
                let start = (stretch.start, at);
                at += stretch.len();
                start
            })
            .collect();
        let place = |value: i128| {
            if !(0..length).contains(&value) {
                // Reading there fails, as it must.
                return u64::MAX;
            }
            let row = value as usize;
            let (start, at) = starts[starts.partition_point(|&(start, _)| start <= row) - 1];
            (at + row - start) as u64
        };
        let shape = view.shape().to_vec();
        let places = written::<()>(ScalarType::U64, &shape, |into| {
            let mut into = into.chunks_exact_mut(8);
            integers(&view, 0..count, &mut |value| {
                let into = into.next().expect("a place for each element");
                into.copy_from_slice(&place(value).to_ne_bytes());
            });
            Ok(())
        });
        let places = match places {
            Some(Ok(places)) => Seen::Stored(places.into()),
            _ => return Err(crate::array::cut::no_memory(ScalarType::U64, &shape)),
        };
        drop(seen);
        let window = self.ask(array, &stretches)?;
        let wants = Wants {
            mine: stretches,
            all: None,
            window,
        };
        Ok(Named {
            wants: Arc::new(wants),
            places,
        })
    }

    /// Asks the owners for rows.
    fn ask(&mut self, array: Var, rows: &[Range<usize>]) -> Result<Window, Failure> {
        let cut = self
            .held_of(array)
            .cut()
            .expect("an array that is cut")
            .clone();
        self.say("indices: who needs which rows", Some(array), |turn| {
            Ok(Window::asked(turn.comm, cut.rows(), rows)?)
        })
    }

    /// Brings rows that ranks want to see.
    pub fn look(&mut self, array: Var, wants: &Arc<Wants>) -> Result<Seen, Failure> {
        let cut = self
            .held_of(array)
            .cut()
            .expect("an array that is cut")
            .clone();
        let resident = self.resident();
        self.say(WHY_ROWS, Some(array), |turn| {
            cut.look(turn, wants, resident, &mut |_, _| ())
        })
    }
}

/// Why rows are sent.
pub const WHY_ROWS: &str = "rows that other ranks read";

impl Sights {
    fn add(
        &mut self,
        unit: &Unit,
        array: Var,
        mine: Vec<Range<usize>>,
        all: Option<Vec<Vec<Range<usize>>>>,
        window: Window,
    ) {
        let mode = match mine.len() {
            2 => Mode::Around,
            _ => Mode::Window,
        };
        for (mode_of, access) in self.modes.iter_mut().zip(&unit.uses.accesses) {
            if access.array == array {
                *mode_of = mode;
            }
        }
        let start = mine.first().map_or(0, |rows| rows.start) as u64;
        let wants = Arc::new(Wants { mine, all, window });
        self.windows.insert(array, Sight { wants, start });
    }
}

/// Stretches of rows as one that has them all; or as two, from some row to the end and from the beginning to another, where that is
/// much less.
fn tidy(rows: Vec<Range<usize>>, length: usize) -> Vec<Range<usize>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return vec![];
    };
    let gap = |pair: &&[Range<usize>]| pair[1].start - pair[0].end;
    if first.start == 0
        && last.end == length
        && let Some(widest) = rows.windows(2).max_by_key(gap)
        && gap(&widest) > length / 4
    {
        return vec![widest[1].start..length, 0..widest[0].end];
    }
    let all = first.start..last.end;
    vec![all]
}

/// Calls `each` with the integers in these rows.
fn integers(view: &ArrayView<'_>, rows: Range<usize>, each: &mut dyn FnMut(i128)) {
    let inside = view.clone().rows(rows);
    inside.iter().for_each(|value| each(number(value)));
}

fn number(value: Const) -> i128 {
    let unused = 64 - value.ty.bits();
    match value.ty.class() {
        Class::Signed => i128::from((value.bits << unused) as i64 >> unused),
        _ => value.bits.into(),
    }
}

/// What is known outside a par, on this rank.
struct Here<'w, 'p, 'v> {
    walk: &'w Walk<'p, 'v>,
    unit: &'w Unit,
    elements: HashMap<Var, (i128, i128)>,
}

impl Here<'_, '_, '_> {
    fn reach(&self, iterations: Range<usize>) -> HashMap<Var, Rows> {
        let iterations = iterations.start as u64..iterations.end as u64;
        let Unit { func, uses, .. } = self.unit;
        reach(func, self.unit.par(), &uses.relevant, self, iterations)
    }
}

impl Outside for Here<'_, '_, '_> {
    fn scalar(&self, var: Var) -> Const {
        self.walk.scalar_of(&self.unit.func, var)
    }

    fn element(&self, read: Var) -> Option<(i128, i128)> {
        self.elements.get(&read).copied()
    }
}
