//! What a rank does of a par: which iterations, with which rows, into which memory.

use crate::Distribution;
use crate::array::cut::{Cut, Here, Seen, no_memory};
use crate::array::rows::Rows;
use crate::plan::derive::{Local, Mode, Param};
use crate::plan::sight::{Sights, WHY_ROWS};
use crate::plan::unit::{Kind, Unit};
use crate::run::walk::{Stop, Walk};
use dsl_runtime::array::{Arg, ArrayViewMut, Dense, Stored, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::order::BLOCK;
use dsl_runtime::ir::{Atom, Const, Func, ScalarType, SinkKind, Var};
use dsl_runtime::plan::SinkStep;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// What sinks begin with: by sink and number.
pub type Begins = HashMap<(usize, usize), Begin>;

/// What a sink begins with.
pub enum Begin {
    /// A scan.
    Scalar(Const),
    /// Values that are scattered.
    Array(Stored),
}

/// What a sink has made of a rank's iterations.
pub enum Made {
    /// Rows of an array, with the rows of the other ranks one that is cut.
    Array(Arc<Cut>),
    /// The totals of each piece.
    Totals(Vec<Vec<Const>>),
    /// How many were kept, and what.
    Kept(u64, Vec<Value>),
    /// The whole array into which this rank has scattered.
    Scattered(Dense),
}

/// What a rank sees of the arrays that a par reads.
#[derive(Default)]
struct Eyes {
    windows: BTreeMap<Var, (Seen, u64)>,
    named: BTreeMap<(Var, Var), Seen>,
}

impl Walk<'_, '_> {
    /// A par that is driven from here.
    pub(crate) fn par(
        &mut self,
        number: usize,
        extent: usize,
        sinks: &[SinkStep],
    ) -> Result<(), Stop> {
        let program = self.program;
        let unit = &program.units[number];
        if !self.is_shared(unit, extent, sinks) {
            let local = unit.everywhere(&*program.inner)?;
            let values = self.together(&unit.func, local, &|_| None)?;
            self.bind(&unit.stmt.defs, values);
            return Ok(());
        }
        match &unit.kind {
            Kind::Map => self.map(unit, extent, sinks)?,
            Kind::Scan(totals, blocks) => self.scan(unit, totals, *blocks, extent, sinks)?,
            Kind::Filter => self.filter(unit, extent, sinks)?,
            Kind::Scatter(values) => self.scatter(unit, values, extent, sinks)?,
        }
        self.doubt |= unit.can_fail;
        Ok(())
    }

    /// Whether ranks do parts of it; else all do all of it.
    fn is_shared(&self, unit: &Unit, extent: usize, sinks: &[SinkStep]) -> bool {
        if extent == 0 || self.ranks() == 1 || unit.single {
            return false;
        }
        let cut = |var: Var| self.held_of(var).cut().is_some();
        let dest = |slot: u32| self.held(slot).cut().is_some();
        unit.dear
            || extent > self.program.job.policy.small
            || unit.uses.arrays().into_iter().any(cut)
            || sinks
                .iter()
                .any(|sink| sink.dest.iter().any(|&(slot, _)| dest(slot)))
    }

    /// Where the iterations are cut.
    pub(crate) fn cut_of(&self, unit: &Unit, extent: usize) -> Distribution {
        let ranks = self.ranks();
        let sinks = &unit.par().sinks;
        let is = |kinds: &[SinkKind]| sinks.iter().any(|sink| kinds.contains(&sink.kind));
        if is(&[SinkKind::RScan, SinkKind::RExScan]) {
            return Distribution::blocks_from_the_right(extent, ranks);
        }
        let blocks = is(&[SinkKind::Reduce, SinkKind::Scan, SinkKind::ExScan]);
        let fits = |rows: &Distribution| {
            let whole = |rank| {
                let start = rows.range(rank).start;
                start.is_multiple_of(BLOCK) || start == extent
            };
            rows.rows() == extent && (!blocks || (0..ranks).all(whole))
        };
        let aligned = unit
            .aligned
            .iter()
            .filter_map(|&var| self.held_of(var).cut());
        if let Some(cut) = aligned.map(|cut| cut.rows()).find(|rows| fits(rows)) {
            return cut.clone();
        }
        let rows = unit
            .stmt
            .defs
            .iter()
            .any(|&def| unit.func.ty(def).rank() > 1);
        match blocks || self.program.job.policy.blocks && !unit.dear && !rows {
            true => Distribution::blocks(extent, ranks),
            false => Distribution::even(extent, ranks),
        }
    }

    /// The lengths of a type.
    pub(crate) fn lengths(&self, func: &Func, shape: &[Atom]) -> Vec<usize> {
        let length = |atom: &Atom| match *atom {
            Atom::Const(value) => value.bits as usize,
            Atom::Var(var) => self.scalar_of(func, var).bits as usize,
        };
        shape.iter().map(length).collect()
    }

    /// A rank's share: of these sinks, in these pieces, which are all of its iterations.
    pub(crate) fn share(
        &mut self,
        unit: &Unit,
        cut: &Distribution,
        wanted: &[usize],
        begins: &Begins,
        pieces: &[Range<u64>],
    ) -> Result<Vec<Made>, Stop> {
        if unit.uses.endless && self.doubt {
            self.sound()?;
        }
        let sights = self.sights(unit, cut)?;
        for &var in &unit.uses.wholes {
            self.gather(var)?;
        }
        for (access, &mode) in unit.uses.accesses.iter().zip(&sights.modes) {
            if mode == Mode::Whole {
                self.gather(access.array)?;
            }
        }
        let mut eyes = Eyes::default();
        for (&key, named) in &sights.named {
            eyes.named.insert(key, self.look(key.0, &named.wants)?);
        }
        let last = sights.interior.as_ref().map(|&(var, _)| var);
        for (&var, sight) in sights.windows.iter().filter(|(var, _)| Some(**var) != last) {
            eyes.windows
                .insert(var, (self.look(var, &sight.wants)?, sight.start));
        }
        let program = self.program;
        let local = unit.share(&*program.inner, &sights.modes, wanted)?;
        let mut making = Making::new(self, unit, cut, wanted, pieces.len() > 1 || last.is_some())?;
        let mut open: Vec<Range<u64>> = pieces
            .iter()
            .filter(|piece| !piece.is_empty())
            .cloned()
            .collect();
        let mut results = vec![];
        let mut failed = self.failed.take();
        if let Some((var, inside)) = &sights.interior {
            let sight = &sights.windows[var];
            let held = self
                .held_of(*var)
                .cut()
                .expect("an array that is cut")
                .clone();
            let resident = self.resident();
            // Only what is written row by row may be done in parts.
            let collects = |&sink: &usize| unit.sink(sink).kind == SinkKind::Collect;
            let early = !resident && wanted.iter().all(collects) && open.len() == 1;
            let walk = &*self;
            let before = walk.turn.comm.sent();
            let seen = held.look(walk.turn, &sight.wants, resident, &mut |seen, start| {
                if early && failed.is_none() {
                    eyes.windows.insert(*var, (seen.clone(), start as u64));
                    let outcome =
                        walk.piece(unit, &local, &sights, &eyes, begins, inside, &mut making);
                    failed = outcome.err();
                }
            })?;
            let sent = walk.turn.comm.sent() - before;
            self.note(WHY_ROWS, *var, sent);
            eyes.windows.insert(*var, (seen, sight.start));
            if early {
                let whole = open.remove(0);
                open = vec![whole.start..inside.start, inside.end..whole.end];
                open.retain(|piece| !piece.is_empty());
            }
        }
        for piece in &open {
            if failed.is_none() {
                match self.piece(unit, &local, &sights, &eyes, begins, piece, &mut making) {
                    Ok(values) => results.push(values),
                    Err(failure) => failed = Some(failure),
                }
            }
        }
        self.failed = failed;
        making.finish(self, unit, cut, wanted, results, pieces)
    }

    /// Some iterations.
    #[allow(clippy::too_many_arguments)]
    fn piece(
        &self,
        unit: &Unit,
        local: &Local,
        sights: &Sights,
        eyes: &Eyes,
        begins: &Begins,
        piece: &Range<u64>,
        making: &mut Making,
    ) -> Result<Vec<Value>, Failure> {
        let resident = self.resident();
        let number = |value: u64| Some(Ok(Arg::Scalar(Const::u64(value))));
        let slice = |var: &Var| sights.slices.get(var).cloned().unwrap_or(0..0);
        let given = |param: &Param| match param {
            Param::First => number(piece.start),
            Param::Count => number(piece.end - piece.start),
            Param::Window(var) => Some(match eyes.windows.get(var) {
                Some((seen, _)) => seen.arg(resident),
                None => self
                    .held_of(*var)
                    .view(self.turn)
                    .map(|view| Arg::Array(view.rows(slice(var)))),
            }),
            Param::Start(var) => number(match eyes.windows.get(var) {
                Some(&(_, start)) => start,
                None => slice(var).start as u64,
            }),
            Param::Named(array, column) => Some(eyes.named[&(*array, *column)].arg(resident)),
            Param::Places(array, column) => {
                Some(sights.named[&(*array, *column)].places.arg(resident))
            }
            Param::Begin(sink, at) => Some(match &begins[&(*sink, *at)] {
                Begin::Scalar(value) => Ok(Arg::Scalar(*value)),
                Begin::Array(stored) if resident => Ok(Arg::Stored(stored)),
                Begin::Array(stored) => stored.dense().map(|dense| Arg::Array(dense.view())),
            }),
            Param::Scalar(_) | Param::Whole(_) => None,
        };
        let mut into = making.into(piece);
        self.call(&unit.func, local, &given, &mut into)
    }

    fn note(&mut self, why: &'static str, var: Var, sent: crate::comm::Sent) {
        let vars = &self.program.scheduled.vars;
        let name = vars.get(var.0 as usize).map(|info| info.name.clone());
        self.ledger.note(why, name.as_deref(), sent);
    }
}

/// What the results of a share are written to.
struct Making {
    /// Per result, memory for it, where it is to be ours.
    rows: Vec<Option<Rows>>,
    own: Range<usize>,
}

impl Making {
    /// `parts`: whether it is written piece by piece.
    fn new(
        walk: &Walk<'_, '_>,
        unit: &Unit,
        cut: &Distribution,
        wanted: &[usize],
        parts: bool,
    ) -> Result<Making, Failure> {
        let own = cut.range(walk.rank());
        let mut rows = vec![];
        for &number in wanted {
            let sink = unit.sink(number);
            let margin = unit.margins[number].around(&own, cut.rows());
            let rowwise = !matches!(
                sink.kind,
                SinkKind::Reduce | SinkKind::Filter | SinkKind::ScatterWith
            );
            let ours = rowwise && !walk.resident() && !own.is_empty() && (parts || margin != own);
            if sink.kind == SinkKind::Reduce && sink.combine.as_ref().is_some_and(is_lambda) {
                rows.push(None);
            }
            for &def in unit.defs(number) {
                let ty = unit.func.ty(def);
                rows.push(match ours {
                    false => None,
                    true => {
                        let inner = walk.lengths(&unit.func, &ty.shape[1..]);
                        let fresh = Rows::new(ty.elem, &inner, own.clone(), margin.clone());
                        let mut shape = vec![own.len()];
                        shape.extend(inner);
                        Some(fresh.ok_or_else(|| no_memory(ty.elem, &shape))?)
                    }
                });
            }
        }
        Ok(Making { rows, own })
    }

    /// Where these iterations write their results.
    fn into(&mut self, piece: &Range<u64>) -> Vec<Option<ArrayViewMut<'_>>> {
        let rows = piece.start as usize..piece.end as usize;
        let each = self.rows.iter_mut();
        each.map(|one| one.as_mut().map(|one| one.write(rows.clone())))
            .collect()
    }

    /// What has been made: zeros where something has failed.
    fn finish(
        self,
        walk: &mut Walk<'_, '_>,
        unit: &Unit,
        cut: &Distribution,
        wanted: &[usize],
        results: Vec<Vec<Value>>,
        pieces: &[Range<u64>],
    ) -> Result<Vec<Made>, Stop> {
        let failed = walk.failed.is_some();
        let mut results: Vec<std::vec::IntoIter<Value>> =
            results.into_iter().map(Vec::into_iter).collect();
        let count = pieces.iter().filter(|piece| !piece.is_empty()).count();
        let mut rows = self.rows.into_iter();
        let mut made = vec![];
        for &number in wanted {
            let sink = unit.sink(number);
            let defs = unit.defs(number);
            match sink.kind {
                SinkKind::Reduce => {
                    if sink.combine.as_ref().is_some_and(is_lambda) {
                        rows.next();
                        results.iter_mut().for_each(|values| drop(values.next()));
                    }
                    let mut totals = vec![vec![]; count];
                    for &def in defs {
                        rows.next();
                        let ty = unit.func.ty(def).elem;
                        for (at, totals) in totals.iter_mut().enumerate() {
                            let value = results.get_mut(at).and_then(Iterator::next);
                            totals.push(match value {
                                Some(Value::Scalar(value)) if !failed => value,
                                _ => Const { ty, bits: 0 },
                            });
                        }
                    }
                    made.push(Made::Totals(totals));
                }
                SinkKind::Filter => {
                    let mut values: Vec<Value> = vec![];
                    for _ in defs {
                        rows.next();
                        values.extend(results.get_mut(0).and_then(Iterator::next));
                    }
                    let mut values = values.into_iter();
                    match values.next() {
                        Some(Value::Scalar(kept)) if !failed => {
                            made.push(Made::Kept(kept.bits, values.collect()))
                        }
                        _ => made.push(Made::Kept(0, vec![])),
                    }
                }
                SinkKind::ScatterWith => {
                    for &def in defs {
                        rows.next();
                        let ty = unit.func.ty(def);
                        let value = results.get_mut(0).and_then(Iterator::next);
                        made.push(Made::Scattered(match value.map(Value::on_host) {
                            Some(Ok(Value::Array(dense))) if !failed => dense,
                            _ => {
                                let shape = walk.lengths(&unit.func, &ty.shape);
                                zeros(ty.elem, shape[0], &shape)?
                            }
                        }));
                    }
                }
                _ => {
                    for &def in defs {
                        let ours = rows.next().flatten();
                        // What was written in pieces, each piece says so.
                        let mut values = results.iter_mut().map(Iterator::next);
                        let value = values.next().flatten();
                        values.for_each(drop);
                        let ty = unit.func.ty(def);
                        let shape = walk.lengths(&unit.func, &ty.shape);
                        let here = match (ours, value) {
                            (Some(mut ours), _) => {
                                if failed {
                                    ours.clear();
                                }
                                Here::Rows(Arc::new(ours))
                            }
                            (None, Some(Value::Array(dense))) if !failed => {
                                Here::Stored(dense.into())
                            }
                            (None, Some(Value::Stored(stored))) if !failed => Here::Stored(stored),
                            _ => Here::Stored(zeros(ty.elem, self.own.len(), &shape)?.into()),
                        };
                        let margin = unit.margins[number].clone();
                        let job = &walk.program.job;
                        let array = Cut::new(job, ty.elem, shape, cut.clone(), here, margin);
                        made.push(Made::Array(Arc::new(array)));
                    }
                }
            }
        }
        Ok(made)
    }
}

/// All of a rank's iterations, as one piece.
pub fn whole(own: &Range<usize>) -> Vec<Range<u64>> {
    let all = own.start as u64..own.end as u64;
    vec![all]
}

/// Whether a function combines, not an operation.
pub fn is_lambda(combine: &dsl_runtime::ir::Combine) -> bool {
    matches!(combine, dsl_runtime::ir::Combine::Lambda(_))
}

/// So many rows of zeros, like those of an array of this shape.
pub fn zeros(elem: ScalarType, rows: usize, shape: &[usize]) -> Result<Dense, Failure> {
    let mut local = shape.to_vec();
    local[0] = rows;
    match crate::array::rows::written::<()>(elem, &local, |_| Ok(())) {
        Some(Ok(dense)) => Ok(dense),
        _ => Err(no_memory(elem, &local)),
    }
}
