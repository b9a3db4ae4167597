//! From a compiled par and memory for its results to results: how chunks of iterations are run on the threads of a place.
//!
//! One file a sink, named as in the table of sinks (the four scans differ in compiled code only); this one runs the par that contains them. What a sink needs happens
//! at four times: [`Sink`]s are laid out before the run, bound before each chunk, collected after each chunk (some in the
//! order of the chunks), and finished after the run.

pub mod collect;
pub mod filter;
pub mod reduce;
pub mod room;
pub mod scan;
pub mod scatter;
pub mod scatter_with;

use crate::abi::{self, ChunkFn, CombineFn, FaultRecord, Frame, Runtime, SlotUse};
use crate::crew::{Crew, Shares, Tickets, Turn};
use crate::memory::Live;
use crate::rate::Rate;
use crate::unit::ParUnit;
use dsl_runtime::ir::order::BLOCK;
use dsl_runtime::ir::{ScalarType, SinkKind};
use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Memory for one array that a sink makes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Element 0.
    pub data: *mut u8,
    /// Bytes of what one iteration or one index owns: an element or a sub-array.
    pub bytes: usize,
    /// The type of an element.
    pub elem: ScalarType,
}

/// A sink of a par that is about to run.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Which.
    pub kind: SinkKind,
    /// The number of its combined or written values.
    pub values: usize,
    /// Its arrays, in [`Workspace::targets`].
    pub targets: Range<usize>,
    /// In [`Workspace::words`], its words; each kind says what they are.
    pub words: Range<usize>,
    /// scatter, scatter_with: the number of places in the destinations.
    pub len: u64,
}

/// What the sinks of one run stand on; kept from run to run, so that small runs allocate nothing.
#[derive(Debug, Default)]
pub struct Workspace {
    /// In the order of the par.
    pub sinks: Vec<Sink>,
    /// The arrays, in the order of the sinks. What filters keep goes to `rooms` instead.
    pub targets: Vec<Target>,
    /// For each filter, memory for what it keeps.
    pub rooms: Vec<room::Room>,
    /// Start values, totals of blocks, carries, results that are scalars.
    pub words: Vec<u64>,
    slots: Vec<*mut u8>,
}

/// What to run.
pub struct Job<'a> {
    /// The compiled par.
    pub unit: &'a ParUnit,
    /// Its environment.
    pub env: &'a [u64],
    /// The number of iterations.
    pub extent: u64,
    /// On which threads.
    pub crew: &'a Crew,
    /// How long an iteration takes: read, and corrected.
    pub rate: &'a Rate,
    /// What compiled code may call.
    pub runtime: &'a Runtime,
}

/// Why a run did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Some iteration or combination failed.
    Fault,
    /// Memory could not be had.
    Memory {
        /// How many bytes; `u64::MAX` if their number overflows.
        bytes: u64,
        /// Index into the unit's sites.
        site: u64,
    },
    /// There is no memory for what a filter keeps.
    Room {
        /// How many bytes.
        bytes: u128,
        /// Which sink.
        sink: usize,
    },
}

/// The most iterations of a chunk whose values are staged or chained: what it reads and writes stays in a core's cache.
const TICKET_BLOCKS: u64 = 4;
/// The most bytes that a chunk stages, if one block allows it.
pub(crate) const STAGE_BYTES: usize = 1 << 18;
/// Spare places behind staged values: with them compiled code compacts in whole vectors.
const SPARE: usize = 16;

impl Workspace {
    /// Forgets the sinks of the last run.
    pub fn clear(&mut self) {
        self.sinks.clear();
        self.targets.clear();
        self.rooms.clear();
        self.words.clear();
    }

    /// Adds a sink, whose arrays are the targets from `from` on. `start`: the start values of reduce and scans; `len`: the
    /// length of the destinations of scatters. The error is the number of bytes that cannot be had for its words.
    pub fn add(
        &mut self,
        kind: SinkKind,
        values: usize,
        from: usize,
        start: impl Iterator<Item = u64>,
        len: u64,
        extent: u64,
    ) -> Result<(), u128> {
        let first = self.words.len();
        self.words.extend(start);
        let blocks = extent.div_ceil(BLOCK as u64) as usize;
        let more = match kind {
            SinkKind::Collect => 0,
            SinkKind::Reduce => reduce::words(values, blocks),
            SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan => {
                scan::words(values, blocks)
            }
            SinkKind::Filter => filter::WORDS,
            SinkKind::Scatter => scatter::words(len),
            SinkKind::ScatterWith => scatter_with::words(values),
        };
        if self.words.try_reserve(more).is_err() {
            return Err(more as u128 * size_of::<u64>() as u128);
        }
        self.words.resize(self.words.len() + more, 0);
        self.sinks.push(Sink {
            kind,
            values,
            targets: from..self.targets.len(),
            words: first..self.words.len(),
            len,
        });
        Ok(())
    }

    /// The scalars that a sink has computed: the values of a reduce, the number that a filter kept.
    pub fn scalars(&self, sink: usize) -> &[u64] {
        let Sink { values, words, .. } = &self.sinks[sink];
        match self.sinks[sink].kind {
            SinkKind::Reduce => &self.words[words.start..words.start + values],
            SinkKind::Filter => &self.words[words.start..words.start + 1],
            _ => &[],
        }
    }
}

/// A run in progress, as its workers see it.
struct Run<'a> {
    job: &'a Job<'a>,
    sinks: &'a [Sink],
    targets: &'a [Target],
    slots: &'a [*mut u8],
    words: *mut u64,
    stop: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
    /// Carries of scans pass from chunk to chunk.
    scan_turn: Turn,
    /// Where what filters keep belongs follows from chunk to chunk.
    chain: Mutex<filter::Chain>,
    rooms: *mut room::Room,
    /// Stretches of destinations pass from chunk to chunk.
    scatter_turns: Vec<Turn>,
    /// Whether several workers run.
    shared: bool,
}

// SAFETY: workers write through `words`, `slots`, `targets` and `rooms` only to what their chunk owns, or in their turn.
unsafe impl Sync for Run<'_> {}

/// A chunk: the iterations `[lo, hi)`, and its number among the chunks of a chained run.
#[derive(Clone, Copy)]
struct Chunk {
    lo: u64,
    hi: u64,
    ticket: u64,
}

/// What one worker keeps from run to run.
#[derive(Default)]
struct Worker {
    slots: Vec<*mut u8>,
    staging: Vec<u64>,
    order: Vec<u32>,
    /// Chunks whose kept values are not yet where they belong.
    pending: VecDeque<filter::Pending>,
    /// Staging memory of earlier chunks.
    spare: Vec<Vec<u64>>,
    /// Whether filters write to the staging memory.
    staged: bool,
    fault: FaultRecord,
}

thread_local! {
    /// Taken out while in use: a worker that waits inside rayon may start another run on the same thread.
    static WORKER: Cell<Option<Box<Worker>>> = const { Cell::new(None) };
}

type Stop = ();

/// Runs the par; afterwards its arrays are written and [`Workspace::scalars`] can be read.
///
/// # Safety
/// The unit's code is alive; `env` holds what the unit asks for; the targets have room for the results of `extent` iterations
/// (those of scatters hold the destinations' values) and are used by nobody else.
pub unsafe fn run(job: &Job<'_>, space: &mut Workspace) -> Result<(), Trouble> {
    let has = |test: fn(SinkKind) -> bool| space.sinks.iter().any(|sink| test(sink.kind));
    let scans = has(is_scan);
    let filters = has(|kind| kind == SinkKind::Filter);
    let scatters = has(|kind| matches!(kind, SinkKind::Scatter | SinkKind::ScatterWith));
    let combines = has(|kind| kind == SinkKind::ScatterWith);
    let blocked = scans || has(|kind| kind == SinkKind::Reduce);
    let fused = scans && job.unit.scan.is_some_and(|scan| scan.finish.is_none());
    let chained = fused || filters || combines;

    space.lay_slots(job.unit);
    let workers = workers(job);
    let run = Run {
        job,
        sinks: &space.sinks,
        targets: &space.targets,
        slots: &space.slots,
        words: space.words.as_mut_ptr(),
        stop: AtomicBool::new(false),
        trouble: Mutex::new(None),
        scan_turn: Turn::default(),
        chain: Mutex::default(),
        rooms: space.rooms.as_mut_ptr(),
        scatter_turns: match combines && workers > 1 {
            true => (0..2 * workers).map(|_| Turn::default()).collect(),
            false => vec![],
        },
        shared: workers > 1,
    };
    let cut = Cut {
        blocked,
        chained,
        staged: filters || scatters,
    };
    // SAFETY: as this function's.
    unsafe {
        run.sweep(workers, &cut, true, |worker, chunk| {
            if fused {
                run.scan_totals(worker, chunk)?;
            }
            run.main(worker, chunk)
        });
        if scans && !fused {
            let cut = Cut {
                blocked: true,
                chained: true,
                staged: false,
            };
            run.sweep(workers, &cut, false, |worker, chunk| {
                run.scan_totals(worker, chunk)?;
                run.scan_finish(worker, chunk)
            });
        }
        if let Some(trouble) = run.trouble.lock().map_or(None, |trouble| *trouble) {
            return Err(trouble);
        }
        run.finish()
    }
}

fn is_scan(kind: SinkKind) -> bool {
    matches!(
        kind,
        SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan
    )
}

/// How the iterations are cut into chunks.
struct Cut {
    /// At multiples of [`BLOCK`].
    blocked: bool,
    /// In ascending order, small enough to stay in a core's cache.
    chained: bool,
    /// Values are staged, which bounds the length.
    staged: bool,
}

/// How many threads are worth it.
fn workers(job: &Job<'_>) -> usize {
    match job.rate.worth(job.extent) {
        1 => 1,
        worth => worth.min(job.crew.threads()),
    }
}

impl Workspace {
    /// The addresses that are the same for all chunks.
    fn lay_slots(&mut self, unit: &ParUnit) {
        self.slots.clear();
        let mut result = (usize::MAX, 0);
        for &(sink, what) in &unit.slots {
            let at = &self.sinks[sink];
            if result.0 != sink {
                result = (sink, 0);
            }
            self.slots.push(match what {
                SlotUse::Result => {
                    result.1 += 1;
                    self.targets[at.targets.start + result.1 - 1].data
                }
                SlotUse::Partial | SlotUse::Carry => {
                    let first = match what {
                        SlotUse::Partial => reduce::first_block(at),
                        _ => scan::first_block(at),
                    };
                    // SAFETY: `add` has made room for the words of all blocks.
                    unsafe { self.words.as_mut_ptr().add(first).cast() }
                }
                SlotUse::Kept | SlotUse::Values | SlotUse::Index => std::ptr::null_mut(),
            });
        }
    }
}

impl Run<'_> {
    /// Runs all chunks.
    unsafe fn sweep(
        &self,
        workers: usize,
        cut: &Cut,
        timed: bool,
        chunk: impl Fn(&mut Worker, Chunk) -> Result<(), Stop> + Sync,
    ) {
        let extent = self.job.extent;
        if extent == 0 {
            return;
        }
        let grain = self.grain(workers, cut);
        let grains = extent.div_ceil(grain);
        let workers = workers.min(grains as usize);
        let shares = (!cut.chained && workers > 1).then(|| Shares::new(grains as u32, workers));
        let tickets = Tickets::default();
        self.job.crew.run(workers, |worker| {
            let mut state = WORKER.take().unwrap_or_default();
            let begin = (timed && worker == 0 && self.job.rate.measures(extent)).then(Instant::now);
            let mut done = 0;
            while !self.stop.load(Ordering::Relaxed) {
                let ticket = match &shares {
                    Some(shares) => match shares.take(worker) {
                        Some(grain) => grain as u64,
                        None => break,
                    },
                    None => tickets.take(),
                };
                if ticket >= grains {
                    break;
                }
                let lo = ticket * grain;
                let hi = extent.min(lo + grain);
                if chunk(&mut state, Chunk { lo, hi, ticket }).is_err() {
                    break;
                }
                done += hi - lo;
            }
            // An error here has stopped the run.
            let _ = self.filter_settle(&mut state, 0);
            if let Some(begin) = begin {
                // Workers of a chained run wait for each other.
                let chain = if cut.chained { workers as u64 } else { 1 };
                self.job.rate.note(begin.elapsed() / chain as u32, done);
            }
            WORKER.set(Some(state));
        });
    }

    /// Iterations of a chunk.
    fn grain(&self, workers: usize, cut: &Cut) -> u64 {
        let Job { extent, rate, .. } = *self.job;
        let block = BLOCK as u64;
        let mut grain = if workers == 1 {
            extent
        } else {
            rate.grain(extent, workers)
        };
        if cut.chained || cut.staged {
            grain = grain.min(TICKET_BLOCKS * block);
        }
        if cut.staged {
            let bytes = self.stage_bytes().max(1);
            grain = grain.min((STAGE_BYTES / bytes) as u64);
        }
        if cut.blocked {
            grain = grain.max(1).next_multiple_of(block);
        } else if grain > 64 {
            grain = grain.next_multiple_of(64);
        }
        grain.max(1).max(extent.div_ceil(u32::MAX as u64 / 2))
    }

    /// Bytes that one iteration stages.
    fn stage_bytes(&self) -> usize {
        let staged = |sink: &&Sink| {
            matches!(
                sink.kind,
                SinkKind::Filter | SinkKind::Scatter | SinkKind::ScatterWith
            )
        };
        self.sinks
            .iter()
            .filter(staged)
            .map(|sink| {
                let values = &self.targets[sink.targets.clone()];
                8 + values.iter().map(|target| target.bytes).sum::<usize>()
            })
            .sum()
    }

    /// Ends the run.
    fn fail(&self, status: u64, fault: &FaultRecord) -> Result<(), Stop> {
        self.end(match status {
            abi::MEMORY => Trouble::Memory {
                bytes: fault.operands[0],
                site: fault.site,
            },
            _ => Trouble::Fault,
        })
    }

    /// Ends the run for this reason.
    fn end(&self, trouble: Trouble) -> Result<(), Stop> {
        self.stop.store(true, Ordering::Relaxed);
        if let Ok(mut first) = self.trouble.lock() {
            // Of both kinds, the fault is kept: the exact run that follows says which comes first.
            if *first != Some(Trouble::Fault) {
                *first = Some(trouble);
            }
        }
        Err(())
    }

    /// The frame of a call; it borrows what it points to.
    fn frame(&self, slots: &[*mut u8], fault: &mut FaultRecord, live: &Live) -> Frame {
        Frame {
            env: self.job.env.as_ptr(),
            slots: slots.as_ptr(),
            runtime: self.job.runtime,
            fault,
            context: live.context(),
        }
    }

    /// Calls compiled code on a chunk.
    unsafe fn call(
        &self,
        code: ChunkFn,
        slots: &[*mut u8],
        fault: &mut FaultRecord,
        chunk: Chunk,
    ) -> Result<(), Stop> {
        let live = Live::default();
        let frame = self.frame(slots, fault, &live);
        // SAFETY: the caller of `run` vouches for the code and its environment; the slots were bound.
        match unsafe { code(&frame, chunk.lo, chunk.hi) } {
            abi::OK => Ok(()),
            status => self.fail(status, fault),
        }
    }

    /// Runs the body on a chunk and gives what is staged to the sinks.
    unsafe fn main(&self, worker: &mut Worker, chunk: Chunk) -> Result<(), Stop> {
        worker.slots.clear();
        worker.slots.extend_from_slice(self.slots);
        // SAFETY: as `run`'s; binding makes room for the chunk.
        unsafe {
            self.bind(worker, chunk);
            let Worker { slots, fault, .. } = worker;
            self.call(self.job.unit.main, slots, fault, chunk)?;
            self.filter_collect(worker, chunk)?;
            for (number, sink) in self.sinks.iter().enumerate() {
                match sink.kind {
                    SinkKind::Scatter => self.scatter_collect(worker, number, chunk)?,
                    SinkKind::ScatterWith => self.scatter_with_collect(worker, number, chunk)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Puts the addresses that belong to the chunk into the worker's slots.
    unsafe fn bind(&self, worker: &mut Worker, chunk: Chunk) {
        let length = (chunk.hi - chunk.lo) as usize + SPARE;
        let mut need = 0;
        // First the offsets in the staging memory; when it is large enough, the addresses.
        self.each_staged(|slot, what, bytes| {
            worker.slots[slot] = std::ptr::without_provenance_mut(need);
            need += match what {
                SlotUse::Kept => 1,
                _ => (length * bytes).div_ceil(8),
            };
        });
        if need == 0 {
            return;
        }
        if worker.staging.is_empty() {
            worker.staging = worker.spare.pop().unwrap_or_default();
        }
        if worker.staging.len() < need {
            worker.staging.resize(need, 0);
        }
        let staging = worker.staging.as_mut_ptr();
        self.each_staged(|slot, what, _| {
            let offset = worker.slots[slot].addr();
            // SAFETY: the staging memory has at least `need` words.
            let at = unsafe { staging.add(offset) };
            worker.slots[slot] = at.cast();
            if what == SlotUse::Kept {
                // SAFETY: as above.
                unsafe { at.write(length as u64) }
            }
        });
        if !self.shared {
            // SAFETY: the only worker.
            unsafe { self.filter_direct(worker, chunk) }
        }
    }

    /// The slots that belong to a chunk: number, use, bytes of an element.
    fn each_staged(&self, mut f: impl FnMut(usize, SlotUse, usize)) {
        let mut value = (usize::MAX, 0);
        for (slot, &(number, what)) in self.job.unit.slots.iter().enumerate() {
            if value.0 != number {
                value = (number, 0);
            }
            match what {
                SlotUse::Kept | SlotUse::Index => f(slot, what, 8),
                SlotUse::Values => {
                    let target = self.sinks[number].targets.start + value.1;
                    value.1 += 1;
                    f(slot, what, self.targets[target].bytes);
                }
                SlotUse::Result | SlotUse::Partial | SlotUse::Carry => {}
            }
        }
    }

    /// The first slot of a sink.
    fn first_slot(&self, sink: usize) -> usize {
        let slots = &self.job.unit.slots;
        slots.partition_point(|&(number, _)| number < sink)
    }

    /// The words of a sink.
    ///
    /// # Safety
    /// Nobody else uses them while the slice lives: the caller is the only worker, has its turn, or the run has ended.
    #[allow(clippy::mut_from_ref)]
    unsafe fn words(&self, range: Range<usize>) -> &mut [u64] {
        // SAFETY: the range lies in the words, which live as long as the run.
        unsafe { std::slice::from_raw_parts_mut(self.words.add(range.start), range.len()) }
    }

    /// The combining function of a sink.
    fn combine(&self, sink: usize) -> CombineFn {
        self.job.unit.combine[sink].expect("a sink that combines has a combining function")
    }

    /// After the last chunk.
    unsafe fn finish(&self) -> Result<(), Trouble> {
        let (mut fault, live) = (FaultRecord::default(), Live::default());
        for (number, sink) in self.sinks.iter().enumerate() {
            if sink.kind == SinkKind::Reduce {
                let frame = self.frame(self.slots, &mut fault, &live);
                // SAFETY: the run has ended; nobody else uses the words.
                let words = unsafe { self.words(sink.words.clone()) };
                // SAFETY: as above.
                let status =
                    unsafe { reduce::finish(&frame, self.combine(number), sink.values, words) };
                if status != abi::OK {
                    return Err(Trouble::Fault);
                }
            }
        }
        Ok(())
    }
}
