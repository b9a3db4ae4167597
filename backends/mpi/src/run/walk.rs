//! A run: walks the steps of a plan, with scalars that all ranks have alike, and arrays that all have or that are cut among them.
//!
//! Nothing decides where a run goes but what all ranks have alike. A rank on which something fails goes on, with zeros, until
//! all talk about something that all will have: with that goes whether anybody has failed.

use crate::array::cut::Cut;
use crate::comm::collective::all_gather_of;
use crate::job::Turn;
use crate::plan::derive::{Local, Param};
use crate::run::held::Held;
use crate::run::ledger::Ledger;
use crate::run::program::Program;
use dsl_runtime::array::{Arg, Stored, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Const, Func, Var, op};
use dsl_runtime::plan::{Action, Moves, Scalar, Slot, Source, Step};
use std::sync::Arc;

/// Why a run ends early.
#[derive(Debug)]
pub enum Stop {
    /// All ranks know that the program, or the place of some rank, has failed.
    Known,
    /// This rank cannot go on, and others may not know.
    Alone(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Alone(failure)
    }
}

/// A run in progress.
pub struct Walk<'p, 'v> {
    pub(crate) program: &'p Program,
    pub(crate) turn: &'p Turn<'p>,
    pub(crate) scalars: Vec<u64>,
    pub(crate) arrays: Vec<Option<Held<'v>>>,
    /// Scalars of units that the program has no names for.
    pub(crate) extra: Vec<(Var, u64)>,
    /// What has failed on this rank.
    pub(crate) failed: Option<Failure>,
    /// Whether something may have failed on some rank since all said that nothing has: the same on all ranks.
    pub(crate) doubt: bool,
    pub(crate) ledger: Ledger,
}

/// What a function for the place inside is given, besides what the program's names stand for.
pub type Given<'s> = dyn Fn(&Param) -> Option<Result<Arg<'s>, Failure>> + 's;

impl<'p, 'v> Walk<'p, 'v> {
    /// At the beginning, with these arguments.
    pub fn new(program: &'p Program, turn: &'p Turn<'p>, args: &[Arg<'v>]) -> Walk<'p, 'v> {
        let plan = &program.plan;
        let mut walk = Walk {
            program,
            turn,
            scalars: vec![0; plan.scalars],
            arrays: vec![None; plan.arrays.len()],
            extra: vec![],
            failed: None,
            doubt: false,
            ledger: Ledger::default(),
        };
        for (param, arg) in plan.params.iter().zip(args) {
            match (param.slot, arg) {
                (Slot::Scalar(slot), Arg::Scalar(value)) => {
                    walk.scalars[slot as usize] = value.bits
                }
                (Slot::Array(slot), arg) => {
                    for &(dim, size) in &param.sizes {
                        walk.scalars[size as usize] = arg.shape()[dim] as u64;
                    }
                    walk.arrays[slot as usize] = Held::of(arg, &program.job);
                }
                _ => unreachable!("the caller checks arguments against parameters"),
            }
        }
        walk
    }

    pub(crate) fn rank(&self) -> usize {
        self.turn.comm.rank()
    }

    pub(crate) fn ranks(&self) -> usize {
        self.turn.comm.size()
    }

    pub(crate) fn resident(&self) -> bool {
        self.program.inner.resident()
    }

    /// The value of a scalar of the plan's.
    pub(crate) fn scalar(&self, scalar: Scalar) -> u64 {
        match scalar {
            Scalar::Bits(bits) => bits,
            Scalar::Slot(slot) => self.scalars[slot as usize],
        }
    }

    /// Whether a name stands for a scalar here.
    pub(crate) fn knows(&self, var: Var) -> bool {
        self.extra.iter().any(|&(known, _)| known == var)
            || matches!(self.program.plan.slots.get(&var), Some(Slot::Scalar(_)))
    }

    /// What a name stands for.
    ///
    /// # Panics
    /// If it is none of a scalar.
    pub(crate) fn scalar_of(&self, func: &Func, var: Var) -> Const {
        let ty = func.ty(var).elem;
        let extra = self.extra.iter().rfind(|&&(known, _)| known == var);
        let bits = match (extra, self.program.plan.slots.get(&var)) {
            (Some(&(_, bits)), _) => bits,
            (None, Some(Slot::Scalar(slot))) => self.scalars[*slot as usize],
            _ => unreachable!("%{} is a scalar", func.vars[var.0 as usize].name),
        };
        Const { ty, bits }
    }

    /// What a name stands for.
    ///
    /// # Panics
    /// If it is none of an array that there is.
    pub(crate) fn held_of(&self, var: Var) -> &Held<'v> {
        match self.program.plan.slots.get(&var) {
            Some(&Slot::Array(slot)) => self.held(slot),
            _ => unreachable!("an array of the program's"),
        }
    }

    pub(crate) fn held(&self, slot: u32) -> &Held<'v> {
        let held = self.arrays[slot as usize].as_ref();
        held.expect("an array is used before its last use is over")
    }

    pub(crate) fn shape(&self, slot: u32) -> Vec<usize> {
        let shape = &self.program.plan.arrays[slot as usize].shape;
        shape.iter().map(|&len| self.scalar(len) as usize).collect()
    }

    /// Talks, and notes what that was for.
    pub(crate) fn say<T>(
        &mut self,
        why: &'static str,
        array: Option<Var>,
        talk: impl FnOnce(&Turn<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let before = self.turn.comm.sent();
        let outcome = talk(self.turn);
        let sent = self.turn.comm.sent() - before;
        let vars = &self.program.scheduled.vars;
        let name = array
            .and_then(|var| vars.get(var.0 as usize))
            .map(|info| &*info.name);
        self.ledger.note(why, name, sent);
        outcome
    }

    /// Gives every rank what each has, of lengths that all know; with it goes whether somebody has failed.
    pub(crate) fn share_all(
        &mut self,
        why: &'static str,
        array: Option<Var>,
        mine: &[u8],
        length: impl Fn(usize) -> usize,
    ) -> Result<Vec<Vec<u8>>, Stop> {
        let mut text = vec![u8::from(self.failed.is_some())];
        text.extend_from_slice(mine);
        let lengths: Vec<usize> = (0..self.ranks()).map(|rank| 1 + length(rank)).collect();
        let all = self.say(why, array, |turn| {
            Ok(all_gather_of(turn.comm, &text, &lengths)?)
        })?;
        if all.iter().any(|text| text[0] != 0) {
            return Err(Stop::Known);
        }
        self.doubt = false;
        Ok(all.into_iter().map(|mut text| text.split_off(1)).collect())
    }

    /// Makes sure that nobody has failed.
    pub(crate) fn sound(&mut self) -> Result<(), Stop> {
        self.share_all("whether all is well", None, &[], |_| 0)
            .map(drop)
    }

    /// Brings an array to every rank, if it is cut.
    pub(crate) fn gather(&mut self, var: Var) -> Result<(), Stop> {
        if let Some(cut) = self.held_of(var).cut().cloned() {
            self.sound()?;
            self.say("arrays that every rank reads", Some(var), |turn| {
                cut.whole(turn).map(drop)
            })?;
        }
        Ok(())
    }

    /// Runs a function of the place inside. What the program's names do not stand for, `given` gives.
    pub(crate) fn call(
        &self,
        func: &Func,
        local: &Local,
        given: &Given<'_>,
        into: &mut [Option<dsl_runtime::array::ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let resident = self.resident();
        let mut args = vec![];
        for param in &local.params {
            args.push(match (given(param), param) {
                (Some(arg), _) => arg?,
                (None, Param::Scalar(var)) => Arg::Scalar(self.scalar_of(func, *var)),
                (None, Param::Whole(var)) => self.held_of(*var).arg(self.turn, resident)?,
                (None, other) => unreachable!("nobody gives {other:?}"),
            });
        }
        let results = local.func.body.results.len();
        let mut none: Vec<Option<dsl_runtime::array::ArrayViewMut<'_>>> = vec![];
        let into = match into.is_empty() {
            true => {
                none.resize_with(results, || None);
                &mut none[..]
            }
            false => into,
        };
        local.run.run(&args, into)
    }

    /// Runs a function that every rank runs alike. The program fails everywhere or nowhere, but the place of one rank may fail alone
    /// (it has no more memory), and what comes of it may decide where the run goes: so all say whether all is well.
    pub(crate) fn together(
        &mut self,
        func: &Func,
        local: &Local,
        given: &Given<'_>,
    ) -> Result<Vec<Value>, Stop> {
        for param in &local.params {
            if let Param::Whole(var) = param
                && given(param).is_none()
            {
                self.gather(*var)?;
            }
        }
        let outcome = self.call(func, local, given, &mut []);
        let values = outcome.map_err(|failure| self.failed.get_or_insert(failure).clone());
        if self.ranks() > 1 {
            self.sound()?;
        }
        values.map_err(|_| Stop::Known)
    }

    /// What a result of the place inside is in a run.
    pub(crate) fn whole(value: Value) -> Held<'v> {
        match value {
            Value::Array(dense) => Held::Whole(dense.into()),
            Value::Stored(stored) => Held::Whole(stored),
            Value::Scalar(_) | Value::Written => unreachable!("an array"),
        }
    }

    /// Lets names stand for results.
    pub(crate) fn bind(&mut self, vars: &[Var], values: Vec<Value>) {
        for (var, value) in vars.iter().zip(values) {
            match (self.program.plan.slots[var], value) {
                (Slot::Scalar(slot), Value::Scalar(value)) => {
                    self.scalars[slot as usize] = value.bits
                }
                (Slot::Array(slot), value) => self.arrays[slot as usize] = Some(Self::whole(value)),
                (Slot::Scalar(_), value) => unreachable!("{value:?} for a scalar"),
            }
        }
    }

    /// Walks steps.
    pub fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        for step in steps {
            self.step(step)?;
            for &slot in &step.drops {
                self.arrays[slot as usize] = None;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match &step.action {
            Action::Op { op, operands, into } => {
                let values: Vec<Const> = operands
                    .iter()
                    .map(|&(scalar, ty)| Const {
                        ty,
                        bits: self.scalar(scalar),
                    })
                    .collect();
                match op.eval(&values) {
                    Some(Ok(value)) => self.scalars[*into as usize] = value.bits,
                    _ => return Err(Stop::Known),
                }
            }
            Action::Cast { to, from, into } => {
                let (scalar, ty) = *from;
                let bits = self.scalar(scalar);
                self.scalars[*into as usize] = op::cast(*to, Const { ty, bits }).bits;
            }
            Action::Copy { from, into } => self.scalars[*into as usize] = self.scalar(*from),
            Action::Check(cond) => {
                if self.scalar(*cond) == 0 {
                    return Err(Stop::Known);
                }
            }
            Action::Element {
                array,
                indices,
                into,
            } => self.scalars[*into as usize] = self.element(*array, indices)?,
            Action::View {
                array,
                indices,
                into,
                ..
            } => {
                let view = match indices.is_empty() {
                    true => self.reshape(*array, *into)?,
                    false => self.sub_array(*array, indices, *into)?,
                };
                self.arrays[*into as usize] = Some(view);
            }
            Action::Data { into, .. } => {
                let var = self.program.plan.arrays[*into as usize].var;
                self.arrays[*into as usize] = Some(Held::Whole(self.program.data(var)?));
            }
            Action::Par {
                unit,
                extent,
                sinks,
                ..
            } => self.par(*unit, self.scalar(*extent) as usize, sinks)?,
            Action::Region { unit } => {
                let program = self.program;
                let region = program.region(*unit)?;
                let values = self.together(&program.scheduled, region, &|_| None)?;
                self.bind(&program.plan.regions[*unit].results, values);
            }
            Action::Loop {
                counter,
                cond,
                enter,
                body,
                next,
                leave,
            } => {
                self.moves(enter);
                let rounds = counter.map_or(u64::MAX, |(_, extent)| self.scalar(extent));
                for round in 0..rounds {
                    if let Some((index, _)) = counter {
                        self.scalars[*index as usize] = round;
                    }
                    if let Some((steps, holds)) = cond {
                        self.steps(steps)?;
                        if self.scalar(*holds) == 0 {
                            break;
                        }
                    }
                    self.steps(body)?;
                    self.moves(next);
                }
                self.moves(leave);
            }
            Action::If { cond, then, other } => {
                let (steps, moves) = match self.scalar(*cond) {
                    0 => other,
                    _ => then,
                };
                self.steps(steps)?;
                self.moves(moves);
            }
        }
        Ok(())
    }

    fn moves(&mut self, moves: &Moves) {
        let mut moved: Vec<(u64, Option<Held<'v>>)> = vec![];
        for one in &moves.0 {
            moved.push(match one.from {
                Source::Scalar(scalar, _) => (self.scalar(scalar), None),
                Source::Array(slot) if one.last => (0, self.arrays[slot as usize].take()),
                Source::Array(slot) => (0, self.arrays[slot as usize].clone()),
            });
        }
        for (one, (bits, held)) in moves.0.iter().zip(moved) {
            match one.into {
                Slot::Scalar(slot) => self.scalars[slot as usize] = bits,
                Slot::Array(slot) => self.arrays[slot as usize] = held,
            }
        }
    }

    /// The indices, if they are inside.
    fn inside(&self, array: u32, indices: &[Scalar]) -> Result<Vec<usize>, Stop> {
        let shape = self.held(array).shape();
        let indices: Vec<usize> = indices
            .iter()
            .map(|&index| self.scalar(index) as usize)
            .collect();
        match indices.iter().zip(shape).all(|(index, len)| index < len) {
            true => Ok(indices),
            false => Err(Stop::Known),
        }
    }

    /// An element of an array, for every rank.
    fn element(&mut self, array: u32, indices: &[Scalar]) -> Result<u64, Stop> {
        let indices = self.inside(array, indices)?;
        let Held::Cut(cut) = self.held(array) else {
            return Ok(self.held(array).view(self.turn)?.get(&indices).bits);
        };
        let cut = cut.clone();
        let bytes = self.rows_of(&cut, array, indices[0])?;
        let mut shape = cut.shape().to_vec();
        shape[0] = 1;
        let row = crate::array::cut::dense(cut.elem(), &shape, &bytes)?;
        let mut at = indices;
        at[0] = 0;
        Ok(row.view().get(&at).bits)
    }

    /// A row of an array that is cut, for every rank. Where a run goes may depend on it: so all ranks say whether all is well,
    /// not its owner alone, who may have made it of what another one lacks.
    fn rows_of(&mut self, cut: &Arc<Cut>, slot: u32, row: usize) -> Result<Vec<u8>, Stop> {
        let owner = cut.rows().owner(row);
        let mine = match owner == self.rank() {
            true => &cut.bytes()?[(row - cut.own().start) * cut.row()..][..cut.row()],
            false => &[],
        };
        let var = self.program.plan.arrays[slot as usize].var;
        let length = |rank: usize| if rank == owner { cut.row() } else { 0 };
        let mut all = self.share_all("a row that every rank reads", Some(var), mine, length)?;
        Ok(all.swap_remove(owner))
    }

    /// A sub-array, for every rank.
    fn sub_array(&mut self, array: u32, indices: &[Scalar], into: u32) -> Result<Held<'v>, Stop> {
        let indices = self.inside(array, indices)?;
        let shape = self.shape(into);
        if let Held::View(view) = self.held(array) {
            let view = indices
                .iter()
                .fold(view.clone(), |view, &index| view.sub(index));
            return Ok(Held::View(view));
        }
        let dense = match self.held(array) {
            Held::Cut(cut) => {
                let cut = cut.clone();
                let row = self.rows_of(&cut, array, indices[0])?;
                let row = crate::array::cut::dense(cut.elem(), &cut.shape()[1..], &row)?;
                let view = row.view();
                indices[1..]
                    .iter()
                    .fold(view, |view, &index| view.sub(index))
                    .to_dense()
            }
            held => {
                let view = held.view(self.turn)?;
                indices
                    .iter()
                    .fold(view, |view, &index| view.sub(index))
                    .to_dense()
            }
        };
        let elem = self.program.plan.arrays[into as usize].elem;
        let dense = dense.ok_or_else(|| crate::array::cut::no_memory(elem, &shape))?;
        Ok(Held::Whole(dense.into()))
    }

    /// The same elements under another shape.
    fn reshape(&mut self, array: u32, into: u32) -> Result<Held<'v>, Stop> {
        let shape = self.shape(into);
        if let Held::Cut(cut) = self.held(array) {
            if let Some(reshaped) = cut.reshaped(&shape) {
                return Ok(Held::Cut(Arc::new(reshaped?)));
            }
            let var = self.program.plan.arrays[array as usize].var;
            self.gather(var)?;
        }
        let view = self.held(array).view(self.turn)?;
        let elem = view.elem();
        let dense = view
            .to_dense()
            .ok_or_else(|| crate::array::cut::no_memory(elem, &shape))?;
        Ok(Held::Whole(reshaped(dense, shape)))
    }
}

/// The same elements under another shape.
fn reshaped(mut dense: dsl_runtime::array::Dense, shape: Vec<usize>) -> Stored {
    debug_assert_eq!(
        dense.shape.iter().product::<usize>(),
        shape.iter().product::<usize>()
    );
    dense.shape = shape;
    dense.into()
}
