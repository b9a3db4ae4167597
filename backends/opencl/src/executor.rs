//! From a plan and its kernels to a run: walks the steps, keeps the values, enqueues the kernels. It waits for the device
//! only where a number is needed here: a length, a condition, and at the end whether all has gone well.

mod par;

use crate::device::{Argument, Buffer, Kernel as Ready};
use crate::program::{Kernels, Program, number, word};
use crate::scalars;
use crate::style::Shape;
use crate::transfer::{self, OnDevice};
use crate::unit::{Kernel, Left, Param};
use dsl_runtime::array::{Arg, ArrayViewMut, Stored, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Const, Place, ScalarType, Var, op};
use dsl_runtime::plan::{Action, Move, Moves, Plan, Scalar, Slot, Source, Step};
use std::sync::Arc;

/// How a run ends.
#[derive(Debug)]
pub enum Outcome {
    /// With results.
    Results(Vec<Value>),
    /// The program failed: another run says how. Where a stack lacked memory besides, this may be for want of it alone: what came
    /// after has seen memory that nobody had written.
    Failed {
        /// Whether a stack lacked memory.
        stack: bool,
    },
    /// A work-item's stack lacked this many bytes.
    Stack(usize),
}

/// Why a run ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed,
    /// And a stack lacked memory.
    Both,
    Stack(usize),
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(failure)
    }
}

/// An array during a run.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub buffer: Arc<Memory>,
    /// The number of the first element.
    pub at: usize,
}

/// Memory during a run.
#[derive(Debug)]
pub(crate) struct Memory {
    pub buffer: Buffer,
    /// Whether this run has made it: else it is an argument.
    pub own: bool,
    /// Whether it is the caller's.
    pub lent: bool,
}

/// A run in progress.
pub struct Walk<'a> {
    pub(crate) program: &'a Program,
    kernels: &'a mut Kernels,
    pub(crate) shape: Shape,
    scalars: Vec<u64>,
    /// Per slot, whether `scalars` has what its word has.
    known: Vec<bool>,
    arrays: Vec<Option<Held>>,
    words: Option<Buffer>,
    /// Words behind those of the scalars.
    extra: Vec<u64>,
    /// The stack of the last kernel.
    stack: Option<Buffer>,
    /// The stack of a work-item, in bytes.
    pub(crate) room: usize,
    lent: bool,
}

impl<'a> Walk<'a> {
    /// A run that has not begun, whose work-items have stacks of so many bytes.
    pub fn new(program: &'a Program, kernels: &'a mut Kernels, room: usize) -> Walk<'a> {
        Walk {
            program,
            kernels,
            shape: program.shape,
            scalars: vec![0; program.plan.scalars],
            known: vec![false; program.plan.scalars],
            arrays: vec![None; program.plan.arrays.len()],
            words: None,
            extra: vec![],
            stack: None,
            room,
            lent: false,
        }
    }

    /// Runs.
    pub fn run(
        &mut self,
        args: &[Arg<'_>],
        into: &[Option<ArrayViewMut<'_>>],
    ) -> Result<Outcome, Failure> {
        let outcome = self.all(args, into);
        match outcome {
            Ok(values) => Ok(Outcome::Results(values)),
            Err(Stop::Failed) => Ok(Outcome::Failed { stack: false }),
            Err(Stop::Both) => Ok(Outcome::Failed { stack: true }),
            Err(Stop::Stack(bytes)) => Ok(Outcome::Stack(bytes)),
            Err(Stop::Failure(failure)) => Err(failure),
        }
    }

    /// Lets go of everything; whether memory of the caller's may still be in use.
    pub fn finish(&mut self) -> bool {
        self.arrays.clear();
        self.lent
    }

    fn all(
        &mut self,
        args: &[Arg<'_>],
        into: &[Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Stop> {
        let program = self.program;
        self.bind(args)?;
        self.steps(&program.plan.steps)?;
        if program.tested && self.words.is_some() {
            self.fetch()?;
        }
        self.results(into)
    }

    fn bind(&mut self, args: &[Arg<'_>]) -> Result<(), Stop> {
        let program = self.program;
        for (param, arg) in program.plan.params.iter().zip(args) {
            match param.slot {
                Slot::Scalar(slot) => {
                    let Arg::Scalar(value) = arg else {
                        unreachable!("the caller checks arguments against parameters")
                    };
                    self.set(slot, value.bits)?;
                }
                Slot::Array(slot) => {
                    for &(dim, size) in &param.sizes {
                        self.set(size, arg.shape()[dim] as u64)?;
                    }
                    let sent = transfer::send_arg(&program.device, program.owner, arg)?;
                    let sent = sent.expect("the caller checks arguments against parameters");
                    self.lent |= sent.lent;
                    self.arrays[slot as usize] = Some(Held {
                        buffer: Arc::new(Memory {
                            buffer: sent.buffer,
                            own: false,
                            lent: sent.lent,
                        }),
                        at: 0,
                    });
                }
            }
        }
        Ok(())
    }

    /// The words of the run: all zero at first.
    pub(crate) fn words(&mut self) -> Result<Buffer, Stop> {
        if let Some(words) = &self.words {
            return Ok(words.clone());
        }
        let bytes = self.program.words * 8;
        let device = &self.program.device;
        let words = device
            .buffer(bytes)
            .map_err(|refused| transfer::failure(refused, Place::default()))?;
        device
            .fill(&words, 0, bytes, &[0; 8])
            .map_err(transfer::stop)?;
        self.words = Some(words.clone());
        Ok(words)
    }

    /// Gives a scalar its value, which the host knows.
    fn set(&mut self, slot: u32, bits: u64) -> Result<(), Stop> {
        self.scalars[slot as usize] = bits;
        self.known[slot as usize] = true;
        if self.program.places.is_remote(slot) {
            let words = self.words()?;
            let device = &self.program.device;
            device
                .fill(&words, word(slot) * 8, 8, &bits.to_ne_bytes())
                .map_err(transfer::stop)?;
        }
        Ok(())
    }

    /// A device has made this scalar.
    pub(crate) fn forget(&mut self, slot: u32) {
        self.known[slot as usize] = false;
    }

    /// Reads all words; a run that has failed ends.
    fn fetch(&mut self) -> Result<(), Stop> {
        let words = self.words()?;
        let all = transfer::words(&self.program.device, &words, self.program.words)?;
        let word = |at: usize| all[at];
        let (failed, missing) = halves(word(0));
        match (failed, missing) {
            (0, 0) => {}
            (0, _) => return Err(Stop::Stack(missing as usize * 1024)),
            (_, 0) => return Err(Stop::Failed),
            _ => return Err(Stop::Both),
        }
        for slot in 0..self.scalars.len() {
            if !self.known[slot] && self.program.places.is_remote(slot as u32) {
                self.scalars[slot] = word(crate::program::word(slot as u32));
                self.known[slot] = true;
            }
        }
        self.extra = (self.program.plan.scalars + crate::unit::STATE..self.program.words)
            .map(word)
            .collect();
        Ok(())
    }

    /// The bits of a scalar; waits for the device where it makes it.
    pub(crate) fn scalar(&mut self, scalar: Scalar) -> Result<u64, Stop> {
        match scalar {
            Scalar::Bits(bits) => Ok(bits),
            Scalar::Slot(slot) => {
                if !self.known[slot as usize] && self.program.places.is_remote(slot) {
                    self.fetch()?;
                }
                Ok(self.scalars[slot as usize])
            }
        }
    }

    pub(crate) fn lengths(&mut self, slot: u32) -> Result<Vec<usize>, Stop> {
        let program = self.program;
        let shape = &program.plan.arrays[slot as usize].shape;
        let mut lengths = vec![];
        for &length in shape {
            lengths.push(self.scalar(length)? as usize);
        }
        Ok(lengths)
    }

    pub(crate) fn held(&self, slot: u32) -> &Held {
        self.arrays[slot as usize]
            .as_ref()
            .expect("an array is used before its last use is over")
    }

    pub(crate) fn keep(&mut self, slot: u32, held: Held) {
        self.arrays[slot as usize] = Some(held);
    }

    pub(crate) fn take(&mut self, slot: u32) -> Option<Held> {
        self.arrays[slot as usize].take()
    }

    /// Uninitialised memory for so many elements.
    pub(crate) fn fresh(
        &self,
        lengths: &[usize],
        elem: ScalarType,
        place: Place,
    ) -> Result<Buffer, Stop> {
        let count = match lengths.contains(&0) {
            true => Some(0),
            false => lengths
                .iter()
                .try_fold(1usize, |n, &len| n.checked_mul(len)),
        };
        let fits = count.filter(|count| count.checked_mul(elem.bytes()).is_some());
        let count = fits.ok_or(Failure::OutOfMemory {
            bytes: u128::MAX,
            place,
        })?;
        let buffer = self.program.device.array(count, elem.bytes());
        Ok(buffer.map_err(|refused| transfer::failure(refused, place))?)
    }

    /// A new array in a slot.
    pub(crate) fn room(&mut self, slot: u32, place: Place) -> Result<Buffer, Stop> {
        let lengths = self.lengths(slot)?;
        let elem = self.program.plan.arrays[slot as usize].elem;
        let buffer = self.fresh(&lengths, elem, place)?;
        self.own(slot, buffer.clone());
        Ok(buffer)
    }

    pub(crate) fn own(&mut self, slot: u32, buffer: Buffer) {
        let memory = Memory {
            buffer,
            own: true,
            lent: false,
        };
        self.arrays[slot as usize] = Some(Held {
            buffer: Arc::new(memory),
            at: 0,
        });
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        for step in steps {
            self.step(step)?;
            for &slot in &step.drops {
                self.arrays[slot as usize] = None;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let program = self.program;
        if let Some((into, _)) = scalars::remote(&program.places, step) {
            return self.on_device(into);
        }
        match &step.action {
            Action::Op { op, operands, into } => {
                let mut values = vec![];
                for &(scalar, ty) in operands {
                    values.push(Const {
                        ty,
                        bits: self.scalar(scalar)?,
                    });
                }
                match op.eval(&values) {
                    Some(Ok(value)) => self.set(*into, value.bits)?,
                    _ => return Err(Stop::Failed),
                }
            }
            Action::Cast { to, from, into } => {
                let (scalar, ty) = *from;
                let bits = self.scalar(scalar)?;
                self.set(*into, op::cast(*to, Const { ty, bits }).bits)?;
            }
            Action::Copy { from, into } => {
                let bits = self.scalar(*from)?;
                self.set(*into, bits)?;
            }
            Action::Check(cond) => {
                if self.scalar(*cond)? == 0 {
                    return Err(Stop::Failed);
                }
            }
            Action::Element {
                array,
                indices,
                into,
            } => {
                let at = self.address(*array, indices)?;
                let elem = program.plan.arrays[*array as usize].elem.bytes();
                let words = self.words()?;
                let from = self.held(*array).buffer.buffer.clone();
                program
                    .device
                    .copy(&from, at * elem, &words, little(*into, elem), elem)
                    .map_err(transfer::stop)?;
                self.forget(*into);
            }
            Action::View {
                array,
                indices,
                into,
                ..
            } => {
                let at = self.address(*array, indices)?;
                let buffer = self.held(*array).buffer.clone();
                self.keep(*into, Held { buffer, at });
            }
            Action::Data { into, .. } => {
                let var = program.plan.arrays[*into as usize].var;
                let memory = Memory {
                    buffer: program.data[&var].clone(),
                    own: false,
                    lent: false,
                };
                self.keep(
                    *into,
                    Held {
                        buffer: Arc::new(memory),
                        at: 0,
                    },
                );
            }
            Action::Par {
                unit,
                extent,
                sinks,
                only_collects,
            } => self.par(*unit, *extent, sinks, *only_collects, step.place)?,
            Action::Region { unit } => self.region(*unit, step.place)?,
            Action::Loop {
                counter,
                cond,
                enter,
                body,
                next,
                leave,
            } => {
                self.moves(enter)?;
                let rounds = match counter {
                    Some((_, extent)) => self.scalar(*extent)?,
                    None => u64::MAX,
                };
                for round in 0..rounds {
                    if let Some((index, _)) = counter {
                        self.set(*index, round)?;
                    }
                    if let Some((steps, holds)) = cond {
                        self.steps(steps)?;
                        if self.scalar(*holds)? == 0 {
                            break;
                        }
                    }
                    self.steps(body)?;
                    self.moves(next)?;
                }
                self.moves(leave)?;
            }
            Action::If { cond, then, other } => {
                let (steps, moves) = match self.scalar(*cond)? {
                    0 => other,
                    _ => then,
                };
                self.steps(steps)?;
                self.moves(moves)?;
            }
        }
        Ok(())
    }

    /// The number of an element, or of the first of a sub-array; the indices are tested.
    fn address(&mut self, array: u32, indices: &[Scalar]) -> Result<usize, Stop> {
        let lengths = self.lengths(array)?;
        let mut at = 0;
        for (&index, &length) in indices.iter().zip(&lengths) {
            let index = self.scalar(index)? as usize;
            if index >= length {
                return Err(Stop::Failed);
            }
            at = at * length + index;
        }
        let row: usize = lengths[indices.len()..].iter().product();
        Ok(self.held(array).at + at * row)
    }

    fn on_device(&mut self, into: u32) -> Result<(), Stop> {
        let program = self.program;
        self.forget(into);
        match program.scalars.kernels.get(&into) {
            Some(kernel) => self.launch(kernel, &Context::default(), 1),
            None => {
                debug_assert!(program.scalars.along.contains(&into));
                Ok(())
            }
        }
    }

    fn moves(&mut self, moves: &Moves) -> Result<(), Stop> {
        enum Moved {
            Bits(u64),
            Word(usize),
            Array(Option<Held>),
        }
        let mut moved = vec![];
        let mut aside = 0;
        for one in &moves.0 {
            let value = match one.from {
                Source::Scalar(Scalar::Slot(from), _)
                    if self.program.places.is_remote(from)
                        && matches!(one.into, Slot::Scalar(into) if self.program.places.is_remote(into)) =>
                {
                    let into_it = |other: &Move| other.into == Slot::Scalar(from);
                    if !moves.0.iter().any(into_it) {
                        moved.push(Moved::Word(word(from)));
                        continue;
                    }
                    // From word to word, by way of others: all move at once.
                    let words = self.words()?;
                    let to = self.program.words - self.program.aside + aside;
                    aside += 1;
                    self.program
                        .device
                        .copy(&words, word(from) * 8, &words, to * 8, 8)
                        .map_err(transfer::stop)?;
                    Moved::Word(to)
                }
                Source::Scalar(scalar, _) => Moved::Bits(self.scalar(scalar)?),
                Source::Array(slot) => Moved::Array(match one.last {
                    true => self.take(slot),
                    false => self.arrays[slot as usize].clone(),
                }),
            };
            moved.push(value);
        }
        for (one, value) in moves.0.iter().zip(moved) {
            match (one.into, value) {
                (Slot::Scalar(into), Moved::Bits(bits)) => self.set(into, bits)?,
                (Slot::Scalar(into), Moved::Word(from)) => {
                    let words = self.words()?;
                    self.program
                        .device
                        .copy(&words, from * 8, &words, word(into) * 8, 8)
                        .map_err(transfer::stop)?;
                    self.forget(into);
                }
                (Slot::Array(into), Moved::Array(held)) => self.arrays[into as usize] = held,
                _ => unreachable!("the verifier has seen the types"),
            }
        }
        Ok(())
    }

    fn region(&mut self, number: usize, place: Place) -> Result<(), Stop> {
        let program = self.program;
        let unit = &program.regions[number];
        let vars = &program.plan.regions[number].results;
        let mut context = Context::default();
        for (k, (var, left)) in vars.iter().zip(&unit.results).enumerate() {
            if let (Left::Buffer, Slot::Array(slot)) = (left, program.plan.slots[var]) {
                let buffer = self.room(slot, place)?;
                context.buffers.push((
                    Param::Out(k, program.plan.arrays[slot as usize].elem),
                    buffer,
                ));
            }
        }
        self.launch(&unit.main, &context, 1)?;
        for var in vars {
            if let Slot::Scalar(slot) = program.plan.slots[var] {
                self.forget(slot);
            }
        }
        let stack = self.stack.take();
        for (var, left) in vars.iter().zip(&unit.results) {
            let (Left::Stack(at), Slot::Array(slot)) = (left, program.plan.slots[var]) else {
                continue;
            };
            self.fetch()?;
            let first = self.extra[at - crate::unit::STATE - program.plan.scalars] as usize;
            let buffer = self.room(slot, place)?;
            let from = stack
                .as_ref()
                .expect("a region that leaves arrays there has a stack");
            program
                .device
                .copy(from, first, &buffer, 0, buffer.bytes())
                .map_err(transfer::stop)?;
        }
        Ok(())
    }

    /// Enqueues a kernel.
    pub(crate) fn launch(
        &mut self,
        kernel: &Kernel,
        context: &Context,
        items: usize,
    ) -> Result<(), Stop> {
        let program = self.program;
        if items == 0 {
            return Ok(());
        }
        let words = match kernel.params.contains(&Param::Words) {
            true => Some(self.words()?),
            false => None,
        };
        let group = if items == 1 { 1 } else { self.shape.group };
        let groups = items.div_ceil(group);
        let stack = match kernel.stack {
            true => {
                let room = self.room;
                let bytes = room
                    .checked_mul(groups * group)
                    .ok_or(Failure::OutOfMemory {
                        bytes: u128::MAX,
                        place: Place::default(),
                    })?;
                let stack = program
                    .device
                    .buffer(bytes)
                    .map_err(|refused| transfer::failure(refused, Place::default()))?;
                Some((stack, room))
            }
            false => None,
        };
        // Arrays are looked up first: their buffers live as long as the list of arguments.
        let mut held: Vec<(Buffer, usize)> = vec![];
        for param in &kernel.params {
            if let Param::Array(var) = param {
                held.push(match program.plan.slots.get(var) {
                    Some(&Slot::Array(slot)) if !program.data.contains_key(var) => {
                        let array = self.held(slot);
                        (array.buffer.buffer.clone(), array.at)
                    }
                    _ => (program.data[var].clone(), 0),
                });
            }
        }
        let mut arrays = held.iter();
        let mut args: Vec<Argument<'_>> = Vec::with_capacity(kernel.params.len() + held.len());
        for param in &kernel.params {
            match param {
                Param::Scalar(var) => {
                    let bits = self.scalar_of(*var)?;
                    let ty = program.elem(*var);
                    args.push(Argument::Scalar(plain(ty, bits)));
                }
                Param::Slot(slot, ty) => {
                    let bits = self.scalar(Scalar::Slot(*slot))?;
                    args.push(Argument::Scalar(plain(*ty, bits)));
                }
                Param::Array(_) => {
                    let (buffer, at) = arrays.next().expect("looked up above");
                    args.push(Argument::Buffer(buffer));
                    args.push(Argument::Scalar(number(*at)));
                }
                Param::Words => {
                    let words = words.as_ref().expect("a kernel with words");
                    args.push(Argument::Buffer(words));
                }
                Param::Stack => {
                    let (stack, room) = stack.as_ref().expect("a kernel with a stack");
                    args.push(Argument::Buffer(stack));
                    args.push(Argument::Scalar(number(*room)));
                }
                Param::Extent => args.push(Argument::Scalar(number(context.extent))),
                Param::Tile => args.push(Argument::Scalar(number(context.tile))),
                Param::Blocks => args.push(Argument::Scalar(number(context.blocks))),
                Param::Tiles => args.push(Argument::Scalar(number(context.tiles))),
                Param::Span => {
                    args.push(Argument::Scalar(number(context.shares)));
                    args.push(Argument::Scalar(number(context.span)));
                }
                other => {
                    let found = context.buffers.iter().find(|(param, _)| param == other);
                    let (_, buffer) = found.unwrap_or_else(|| unreachable!("{other:?} has memory"));
                    args.push(Argument::Buffer(buffer));
                }
            }
        }
        let ready: &mut Ready = match self.kernels.contains_key(&kernel.name) {
            true => self.kernels.get_mut(&kernel.name).expect("it is there"),
            false => {
                let made = program.kernel(&kernel.name)?;
                self.kernels.entry(kernel.name.clone()).or_insert(made)
            }
        };
        program
            .device
            .launch(ready, &args, groups, group)
            .map_err(transfer::stop)?;
        drop(args);
        self.stack = stack.map(|(stack, _)| stack);
        Ok(())
    }

    fn scalar_of(&mut self, var: Var) -> Result<u64, Stop> {
        match self.program.plan.slots.get(&var) {
            Some(&Slot::Scalar(slot)) => self.scalar(Scalar::Slot(slot)),
            _ => unreachable!("a kernel's scalars are the plan's"),
        }
    }

    fn results(&mut self, into: &[Option<ArrayViewMut<'_>>]) -> Result<Vec<Value>, Stop> {
        let program = self.program;
        let plan: &Plan = &program.plan;
        let mut values = vec![];
        for (number, &source) in plan.results.iter().enumerate() {
            let slot = match source {
                Source::Scalar(scalar, ty) => {
                    let bits = self.scalar(scalar)?;
                    values.push(Value::Scalar(Const { ty, bits }));
                    continue;
                }
                Source::Array(slot) => slot,
            };
            let lengths = self.lengths(slot)?;
            if let Some(Some(memory)) = into.get(number)
                && memory.shape() != lengths
            {
                return Err(Stop::Failure(Failure::ResultShape {
                    result: number,
                    expected: memory.shape().to_vec(),
                    found: lengths,
                }));
            }
            let elem = plan.arrays[slot as usize].elem;
            let bytes = lengths.iter().product::<usize>() * elem.bytes();
            let held = self.held(slot).clone();
            let whole = held.at == 0 && held.buffer.buffer.bytes() == bytes && !held.buffer.lent;
            let buffer = match whole {
                true => held.buffer.buffer.clone(),
                false => {
                    let copy = self.fresh(&lengths, elem, Place::default())?;
                    program
                        .device
                        .copy(&held.buffer.buffer, held.at * elem.bytes(), &copy, 0, bytes)
                        .map_err(transfer::stop)?;
                    copy
                }
            };
            let there = OnDevice {
                buffer,
                elem,
                shape: lengths.clone(),
            };
            let stored = Stored::from_remote(elem, &lengths[..], program.owner, Arc::new(there));
            values.push(Value::Stored(stored));
        }
        Ok(values)
    }
}

/// What a launch needs besides the program's own values.
#[derive(Debug, Default)]
pub(crate) struct Context {
    pub extent: usize,
    pub tile: usize,
    pub blocks: usize,
    pub tiles: usize,
    pub shares: usize,
    pub span: usize,
    pub buffers: Vec<(Param, Buffer)>,
}

/// A scalar as kernels take it: `bool` is a byte.
fn plain(ty: ScalarType, bits: u64) -> Const {
    match ty {
        ScalarType::Bool => Const::u8(bits as u8),
        ty => Const { ty, bits },
    }
}

/// The two halves of a word, the one in front first.
fn halves(word: u64) -> (u32, u32) {
    let bytes = word.to_ne_bytes();
    let half =
        |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    (half(0), half(4))
}

/// The byte of a slot's word that a value of so many bytes begins at.
fn little(slot: u32, bytes: usize) -> usize {
    let first = if cfg!(target_endian = "big") {
        8 - bytes
    } else {
        0
    };
    word(slot) * 8 + first
}
