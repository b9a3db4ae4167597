//! From a plan and its units to a run: walks the steps, keeps the values, has the drivers run the pars.

mod filter;
mod par;
mod result;

use crate::abi::{self, EnvSlot, FaultRecord, Frame};
use crate::crew::Crew;
use crate::driver::Workspace;
use crate::memory::{Handle, Live, RUNTIME};
use crate::plan::{Action, ArrayInfo, Moves, Plan, Scalar, Slot, Source, Step, operations};
use crate::profile;
use crate::rate::Rate;
use crate::share::Share;
use crate::transfer;
use crate::unit::{ParUnit, Units};
use dsl_runtime::array::{Arg, ArrayViewMut, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Const, Place, op};
use std::sync::Arc;

/// A plan and its machine code.
pub struct Image {
    /// What to do.
    pub plan: Arc<Plan>,
    /// How.
    pub units: Units,
    /// Per par, how long an iteration takes.
    rates: Vec<Rate>,
    /// Per par and sink, which part of the iterations a filter keeps.
    shares: Vec<Vec<Share>>,
    /// Per par, where its environment comes from.
    pars: Vec<Vec<Fill>>,
    /// Per region, the same.
    regions: Vec<Vec<Fill>>,
}

/// Where a word of an environment comes from.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Scalar(u32),
    Data(u32),
    Block(u32),
    Stride(u32, usize),
}

impl Image {
    /// A plan and the units that were compiled for it.
    ///
    /// # Panics
    /// If a unit asks for a name that the plan has not.
    pub fn new(plan: Arc<Plan>, units: Units) -> Image {
        let fill = |slot: &EnvSlot| match (*slot, plan.slots[&slot.var()]) {
            (EnvSlot::Scalar(_), Slot::Scalar(slot)) => Fill::Scalar(slot),
            (EnvSlot::Data(_), Slot::Array(slot)) => Fill::Data(slot),
            (EnvSlot::Block(_), Slot::Array(slot)) => Fill::Block(slot),
            (EnvSlot::Stride(_, dim), Slot::Array(slot)) => Fill::Stride(slot, dim),
            (slot, at) => unreachable!("{slot:?} lives at {at:?}"),
        };
        let fills = |env: &Vec<EnvSlot>| env.iter().map(fill).collect();
        let shares = |unit: &ParUnit| unit.values.iter().map(|_| Share::default()).collect();
        Image {
            shares: units.pars.iter().map(shares).collect(),
            rates: plan
                .pars
                .iter()
                .map(|stmt| Rate::guess(operations(stmt)))
                .collect(),
            pars: units.pars.iter().map(|unit| fills(&unit.env)).collect(),
            regions: units.regions.iter().map(|unit| fills(&unit.env)).collect(),
            plan,
            units,
        }
    }
}

/// Why a run ends early.
#[derive(Debug)]
pub enum Stop {
    /// The program failed: another run says how.
    Fault,
    /// An exact run says how the program failed: the region, and what it recorded.
    Exact(usize, FaultRecord),
    /// The place failed.
    Failure(Failure),
}

impl Stop {
    /// Memory that cannot be had.
    fn memory(bytes: u128, place: Place) -> Stop {
        Stop::Failure(Failure::OutOfMemory { bytes, place })
    }
}

/// An array during a run.
#[derive(Clone, Debug)]
pub struct Held {
    /// Element 0.
    data: *mut u8,
    /// What keeps it alive; `None`: memory of the caller's, or constants of the program.
    handle: Option<Handle>,
    /// In bytes, where the elements are not contiguous.
    strides: Option<Box<[isize]>>,
}

/// The values of a run, and what it works with; kept from run to run, so that small runs allocate nothing.
#[derive(Debug, Default)]
pub struct Store {
    scalars: Vec<u64>,
    arrays: Vec<Option<Held>>,
    env: Vec<u64>,
    slots: Vec<*mut u8>,
    words: Vec<u64>,
    moved: Vec<Moved>,
    space: Workspace,
    operands: Vec<Const>,
}

// SAFETY: between runs a store holds no values; during a run it belongs to the thread that runs.
unsafe impl Send for Store {}

#[derive(Debug)]
enum Moved {
    Scalar(u64),
    Array(Option<Held>),
}

/// A run in progress.
struct Walk<'a, 'v> {
    image: &'a Image,
    crew: &'a Crew,
    store: &'a mut Store,
    into: &'a mut [Option<ArrayViewMut<'v>>],
    /// Per result, whether it was written to the caller's memory.
    written: u64,
    /// Whether the caller's memory may be written before the end.
    early: bool,
}

/// Runs the image.
///
/// `exact`: a failure of a region ends the run with what the region recorded.
pub fn run(
    image: &Image,
    crew: &Crew,
    store: &mut Store,
    args: &[Arg<'_>],
    into: &mut [Option<ArrayViewMut<'_>>],
    exact: bool,
) -> Result<Vec<Value>, Stop> {
    let early = transfer::disjoint(args, into);
    let mut walk = Walk {
        image,
        crew,
        store,
        into,
        written: 0,
        early,
    };
    walk.bind(args);
    let outcome = match walk.steps(&image.plan.steps) {
        Ok(()) => walk.results(),
        Err(Stop::Exact(region, record)) if exact => Err(Stop::Exact(region, record)),
        Err(Stop::Exact(..)) => Err(Stop::Fault),
        Err(stop) => Err(stop),
    };
    store.arrays.iter_mut().for_each(|array| *array = None);
    store.moved.clear();
    outcome
}

/// The number of elements of an array, and that of one of its rows; `None` if they are beyond all memory.
fn product(lengths: impl Iterator<Item = u64>) -> Option<usize> {
    let mut product = 1u128;
    for length in lengths {
        product = product.checked_mul(length as u128)?;
    }
    usize::try_from(product).ok()
}

impl Walk<'_, '_> {
    fn bind(&mut self, args: &[Arg<'_>]) {
        let plan = &*self.image.plan;
        let store = &mut *self.store;
        store.scalars.resize(plan.scalars, 0);
        store.arrays.resize_with(plan.arrays.len(), || None);
        for (param, arg) in plan.params.iter().zip(args) {
            match (param.slot, arg) {
                (Slot::Scalar(slot), Arg::Scalar(value)) => {
                    store.scalars[slot as usize] = value.bits;
                }
                (Slot::Array(slot), Arg::Array(view)) => {
                    for &(dim, size) in &param.sizes {
                        store.scalars[size as usize] = view.shape()[dim] as u64;
                    }
                    store.arrays[slot as usize] = Some(Held {
                        data: view.data().cast_mut(),
                        handle: None,
                        strides: (!view.is_contiguous()).then(|| view.strides().into()),
                    });
                }
                _ => unreachable!("the caller checks arguments against parameters"),
            }
        }
    }

    fn scalar(&self, scalar: Scalar) -> u64 {
        match scalar {
            Scalar::Bits(bits) => bits,
            Scalar::Slot(slot) => self.store.scalars[slot as usize],
        }
    }

    fn info(&self, slot: u32) -> &ArrayInfo {
        &self.image.plan.arrays[slot as usize]
    }

    fn held(&self, slot: u32) -> &Held {
        self.store.arrays[slot as usize]
            .as_ref()
            .expect("an array is used before its last use is over")
    }

    fn shape(&self, slot: u32) -> Vec<usize> {
        let shape = &self.image.plan.arrays[slot as usize].shape;
        shape.iter().map(|&len| self.scalar(len) as usize).collect()
    }

    /// Uninitialised memory of our own.
    fn fresh(&self, elements: Option<usize>, bytes: usize, place: Place) -> Result<Handle, Stop> {
        let handle = elements.and_then(|elements| Handle::uninit(elements, bytes));
        handle.ok_or_else(|| {
            let bytes = elements.map_or(u128::MAX, |elements| elements as u128 * bytes as u128);
            Stop::memory(bytes, place)
        })
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        for (number, step) in steps.iter().enumerate() {
            self.step(step, number)?;
            for &slot in &step.drops {
                self.store.arrays[slot as usize] = None;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, number: usize) -> Result<(), Stop> {
        match &step.action {
            Action::Op { op, operands, into } => {
                let mut values = std::mem::take(&mut self.store.operands);
                values.clear();
                values.extend(operands.iter().map(|&(scalar, ty)| Const {
                    ty,
                    bits: self.scalar(scalar),
                }));
                let value = op.eval(&values);
                self.store.operands = values;
                match value {
                    Some(Ok(value)) => self.store.scalars[*into as usize] = value.bits,
                    _ => return Err(Stop::Fault),
                }
            }
            Action::Cast { to, from, into } => {
                let (scalar, ty) = *from;
                let bits = self.scalar(scalar);
                self.store.scalars[*into as usize] = op::cast(*to, Const { ty, bits }).bits;
            }
            Action::Copy { from, into } => {
                self.store.scalars[*into as usize] = self.scalar(*from);
            }
            Action::Check(cond) => {
                if self.scalar(*cond) == 0 {
                    return Err(Stop::Fault);
                }
            }
            Action::Element {
                array,
                indices,
                into,
            } => {
                let at = self.address(*array, indices)?;
                // SAFETY: the indices were tested against the array's lengths.
                let bits = unsafe { transfer::load(at, self.info(*array).elem.bytes()) };
                self.store.scalars[*into as usize] = bits;
            }
            Action::View {
                array,
                indices,
                dense,
                into,
            } => {
                let data = self.address(*array, indices)?;
                let held = self.held(*array);
                let mut view = Held {
                    data,
                    handle: held.handle.clone(),
                    strides: held
                        .strides
                        .as_ref()
                        .map(|strides| strides[indices.len()..].into()),
                };
                if *dense && view.strides.is_some() {
                    view = self.densified(view, *array, step.place)?;
                }
                self.store.arrays[*into as usize] = Some(view);
            }
            Action::Data { data, into } => {
                self.store.arrays[*into as usize] = Some(Held {
                    data: data.as_ptr().cast_mut().cast(),
                    handle: None,
                    strides: None,
                });
            }
            Action::Par {
                unit,
                extent,
                sinks,
                only_collects,
            } => self.par(*unit, *extent, sinks, *only_collects, number)?,
            Action::Region { unit } => self.region(*unit)?,
            Action::Loop {
                counter,
                cond,
                enter,
                body,
                next,
                leave,
            } => {
                self.moves(enter, step.place)?;
                let rounds = counter.map_or(u64::MAX, |(_, extent)| self.scalar(extent));
                for round in 0..rounds {
                    if let Some((index, _)) = counter {
                        self.store.scalars[*index as usize] = round;
                    }
                    if let Some((steps, holds)) = cond {
                        self.inner(steps)?;
                        if self.scalar(*holds) == 0 {
                            break;
                        }
                    }
                    self.inner(body)?;
                    self.moves(next, step.place)?;
                }
                self.moves(leave, step.place)?;
            }
            Action::If { cond, then, other } => {
                let (steps, moves) = match self.scalar(*cond) {
                    0 => other,
                    _ => then,
                };
                self.inner(steps)?;
                self.moves(moves, step.place)?;
            }
        }
        Ok(())
    }

    /// The steps of a loop or branch, which never write to the caller's memory.
    fn inner(&mut self, steps: &[Step]) -> Result<(), Stop> {
        let early = std::mem::replace(&mut self.early, false);
        let outcome = self.steps(steps);
        self.early = early;
        outcome
    }

    /// The address of an element or sub-array; the indices are tested.
    fn address(&self, array: u32, indices: &[Scalar]) -> Result<*mut u8, Stop> {
        let info = self.info(array);
        let held = self.held(array);
        let mut offset = 0isize;
        for (dim, &index) in indices.iter().enumerate() {
            let index = self.scalar(index);
            if index >= self.scalar(info.shape[dim]) {
                return Err(Stop::Fault);
            }
            let stride = match &held.strides {
                Some(strides) => strides[dim],
                None => {
                    let inner = info.shape[dim + 1..].iter().map(|&len| self.scalar(len));
                    (inner.product::<u64>() as usize * info.elem.bytes()) as isize
                }
            };
            offset += index as isize * stride;
        }
        Ok(held.data.wrapping_offset(offset))
    }

    /// A contiguous copy.
    fn densified(&self, from: Held, slot: u32, place: Place) -> Result<Held, Stop> {
        let shape = self.shape(slot);
        let bytes = self.info(slot).elem.bytes();
        let elements = product(shape.iter().map(|&len| len as u64));
        let handle = self.fresh(elements, bytes, place)?;
        let strides = from.strides.as_deref();
        // SAFETY: the array has this shape; the memory is fresh and as large.
        unsafe { transfer::gather(self.crew, handle.data(), from.data, &shape, strides, bytes) };
        Ok(Held {
            data: handle.data(),
            handle: Some(handle),
            strides: None,
        })
    }

    fn moves(&mut self, moves: &Moves, place: Place) -> Result<(), Stop> {
        let mut moved = std::mem::take(&mut self.store.moved);
        moved.clear();
        for one in &moves.0 {
            moved.push(match one.from {
                Source::Scalar(scalar, _) => Moved::Scalar(self.scalar(scalar)),
                Source::Array(slot) => {
                    let mut held = match one.last {
                        true => self.store.arrays[slot as usize].take(),
                        false => self.store.arrays[slot as usize].clone(),
                    };
                    // Only parameters and their views have a layout of their own.
                    if let Some(strided) = held.take_if(|held| held.strides.is_some()) {
                        held = Some(self.densified(strided, slot, place)?);
                    }
                    Moved::Array(held)
                }
            });
        }
        for (one, value) in moves.0.iter().zip(moved.drain(..)) {
            match (one.into, value) {
                (Slot::Scalar(slot), Moved::Scalar(bits)) => {
                    self.store.scalars[slot as usize] = bits;
                }
                (Slot::Array(slot), Moved::Array(held)) => {
                    self.store.arrays[slot as usize] = held;
                }
                _ => unreachable!("a value keeps its kind"),
            }
        }
        self.store.moved = moved;
        Ok(())
    }

    /// Fills the environment of a unit.
    fn environment(&mut self, fills: &[Fill]) {
        let Store {
            env,
            scalars,
            arrays,
            ..
        } = &mut *self.store;
        env.clear();
        let held = "an array is used before its last use is over";
        for fill in fills {
            env.push(match *fill {
                Fill::Scalar(slot) => scalars[slot as usize],
                Fill::Data(slot) => arrays[slot as usize].as_ref().expect(held).data as u64,
                Fill::Block(slot) => {
                    let held = arrays[slot as usize].as_mut().expect(held);
                    let data = held.data;
                    let handle = held.handle.get_or_insert_with(|| Handle::borrowed(data));
                    handle.block() as u64
                }
                Fill::Stride(slot, dim) => {
                    let held = arrays[slot as usize].as_ref().expect(held);
                    held.strides.as_ref().map_or(0, |strides| strides[dim]) as u64
                }
            });
        }
    }

    fn region(&mut self, number: usize) -> Result<(), Stop> {
        profile::launch();
        let image = self.image;
        let unit = &image.units.regions[number];
        self.environment(&image.regions[number]);
        let Store {
            words,
            slots,
            arrays,
            env,
            ..
        } = &mut *self.store;
        words.clear();
        words.resize(2 * unit.results.len(), 0);
        slots.clear();
        slots.extend((0..unit.results.len()).map(|k| (&raw mut words[2 * k]).cast::<u8>()));
        // References to what dies become the region's. Borrowed memory keeps one here: it is never unshared.
        let (mut given, mut kept) = (vec![], vec![]);
        for var in &image.plan.regions[number].dying {
            let Slot::Array(slot) = image.plan.slots[var] else {
                continue;
            };
            if !unit.env.contains(&EnvSlot::Block(*var)) {
                continue;
            }
            if let Some(handle) = arrays[slot as usize].take().and_then(|held| held.handle) {
                if handle.bytes().is_none() {
                    kept.push(handle.clone());
                }
                given.push(handle);
            }
        }
        let live = Live::default();
        for fill in &image.regions[number] {
            if let Fill::Block(slot) = *fill
                && let Some(held) = &arrays[slot as usize]
            {
                held.handle.iter().for_each(|handle| live.lend(handle));
            }
        }
        given.iter().for_each(|handle| live.lend(handle));
        given.into_iter().for_each(|handle| live.give(handle));
        let mut fault = FaultRecord::default();
        let frame = Frame {
            env: env.as_ptr(),
            slots: slots.as_ptr(),
            runtime: &RUNTIME,
            fault: &mut fault,
            context: live.context(),
        };
        // SAFETY: the code lives as long as the image; the environment and the slots are what it asks for.
        let status = unsafe { (unit.main)(&frame) };
        match status {
            abi::OK => live.hand_on(),
            abi::MEMORY => {
                let place = unit.sites[fault.site as usize].place;
                return Err(Stop::memory(bytes_of(fault.operands[0]), place));
            }
            _ => return Err(Stop::Exact(number, fault)),
        }
        for (k, var) in unit.results.iter().enumerate() {
            match image.plan.slots[var] {
                Slot::Scalar(slot) => self.store.scalars[slot as usize] = self.store.words[2 * k],
                Slot::Array(slot) => {
                    let data = self.store.words[2 * k] as *mut u8;
                    let block = self.store.words[2 * k + 1] as *mut abi::Block;
                    // SAFETY: the region gives its results with a reference each.
                    let handle = unsafe { Handle::from_block(block) };
                    self.store.arrays[slot as usize] = Some(Held {
                        data,
                        handle,
                        strides: None,
                    });
                }
            }
        }
        drop(kept);
        Ok(())
    }
}

fn bytes_of(word: u64) -> u128 {
    match word {
        u64::MAX => u128::MAX,
        bytes => bytes as u128,
    }
}
