//! The opened device: its context, its queue, and which commands are done.
//!
//! Commands are numbered after they were enqueued. Whoever waits notes the last number first and waits then: what has a number
//! up to it is done. So memory that no unfinished command uses is read without asking OpenCL, and memory of the host is
//! given back when the last command that uses it is done.

use super::api::{Answer, Context, Queue};
use super::buffer::Store;
use super::{Buffer, Device, Kind, Stopped};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Dropped buffers of host memory that wait for commands: no more than this many.
const RETIRED: usize = 256;
/// The bytes of those: no more than this part of the device's memory.
const RETIRED_PART: usize = 8;

/// An opened device.
pub(super) struct Session {
    pub context: Context,
    pub queue: Queue,
    /// Whether kernels see what the host writes to wrapped memory, and the host what they write, once they are done.
    pub direct: bool,
    enqueued: AtomicU64,
    done: AtomicU64,
    retired: Mutex<Vec<Store>>,
}

impl Session {
    pub fn open(device: &Device) -> Result<Session, Stopped> {
        let inner = &device.0;
        let open = || -> Answer<Session> {
            let context = Context::new(inner.platform, inner.id)?;
            let queue = context.queue(inner.id)?;
            // What has memory of its own, or may have, is brought up to date by mapping.
            let direct = inner.info.unified
                && inner.info.kind == Kind::Cpu
                && is_direct(&context, &queue).unwrap_or(false);
            Ok(Session {
                context,
                queue,
                direct,
                enqueued: AtomicU64::new(0),
                done: AtomicU64::new(0),
                retired: Mutex::default(),
            })
        };
        open().map_err(|failed| device.stopped(failed))
    }

    /// Has new memory count as uninitialised with a checker.
    ///
    /// Oclgrind 21.10 (`plugins/Uninitialized.cpp`) keeps a shadow of each memory object, with the size and the place of what the
    /// host has written last; of memory that was given back, it is left to whatever gets its address. When a kernel begins,
    /// memory whose shadow is empty counts as uninitialised: which a write of nothing, an error elsewhere, makes of it.
    pub fn forget(&self, device: &Device, memory: &Store) -> Answer<()> {
        match device.info().checker {
            true => self.queue.write(&memory.memory, 0, &[]),
            false => Ok(()),
        }
    }

    /// Writes bytes, and waits for it. With a checker all of the memory is written, see [`Session::forget`], and filling and
    /// copying are such writes.
    fn put(&self, device: &Device, to: &Store, at: usize, bytes: &[u8]) -> Result<(), Stopped> {
        let mut all;
        let (mut first, mut written) = (at, bytes);
        if device.info().checker && bytes.len() < to.size {
            all = self.get(device, to, 0, to.size)?;
            all[at..at + bytes.len()].copy_from_slice(bytes);
            (first, written) = (0, &all);
        }
        self.blocking(device, |queue| queue.write(&to.memory, first, written))
    }

    /// Reads bytes, and waits for it.
    fn get(
        &self,
        device: &Device,
        from: &Store,
        at: usize,
        bytes: usize,
    ) -> Result<Vec<u8>, Stopped> {
        let mut all = vec![0; bytes];
        self.blocking(device, |queue| {
            // SAFETY: `all` has room for as many bytes.
            unsafe { queue.read(&from.memory, at, all.as_mut_ptr(), bytes) }
        })?;
        Ok(all)
    }

    /// Waits for all that was enqueued.
    pub fn wait(&self, device: &Device) -> Result<(), Stopped> {
        let last = self.enqueued.load(Ordering::Acquire);
        if self.done.load(Ordering::Acquire) < last {
            let finished = self.queue.finish();
            finished.map_err(|failed| device.stopped(failed))?;
            self.passed(last);
        }
        Ok(())
    }

    /// Waits for the commands that use the memory.
    pub fn wait_for(&self, device: &Device, store: &Store) -> Result<(), Stopped> {
        match self.is_idle(store) {
            true => Ok(()),
            false => self.wait(device),
        }
    }

    /// Whether no unfinished command uses the memory.
    fn is_idle(&self, store: &Store) -> bool {
        store.last.load(Ordering::Acquire) <= self.done.load(Ordering::Acquire)
    }

    /// Notes that the commands up to this one are done.
    fn passed(&self, last: u64) {
        self.done.fetch_max(last, Ordering::AcqRel);
        let idle: Vec<Store> = self
            .retired()
            .extract_if(.., |store| self.is_idle(store))
            .collect();
        drop(idle);
    }

    fn retired(&self) -> std::sync::MutexGuard<'_, Vec<Store>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives memory back when no command uses it any more. OpenCL sees to that for memory of its own.
    pub fn retire(&self, device: &Device, store: Store) {
        if !store.wrapped || self.is_idle(&store) {
            return;
        }
        let (count, bytes) = {
            let mut retired = self.retired();
            retired.push(store);
            let bytes: usize = retired.iter().map(|store| store.size).sum();
            (retired.len(), bytes)
        };
        if count > RETIRED || bytes > device.info().memory / RETIRED_PART {
            // Where the wait fails the memory stays: it may still be in use.
            let _ = self.wait(device);
        }
    }

    /// Gives back all memory that is kept for later.
    pub fn relieve(&self, device: &Device) -> Result<(), Stopped> {
        self.wait(device)?;
        for store in device.0.pool.drain() {
            self.retire(device, store);
        }
        Ok(())
    }

    /// Enqueues a command that uses this memory, and has the device start. Where memory is lacking, what is kept for later is given
    /// back first.
    pub fn enqueue<'a>(
        &self,
        device: &Device,
        uses: impl Iterator<Item = &'a Store>,
        mut command: impl FnMut(&Queue) -> Answer<()>,
    ) -> Result<(), Stopped> {
        let mut answer = command(&self.queue);
        if matches!(answer, Err(failed) if failed.lacks_memory()) {
            self.relieve(device)?;
            answer = command(&self.queue);
        }
        answer.map_err(|failed| device.stopped(failed))?;
        let number = self.enqueued.fetch_add(1, Ordering::AcqRel) + 1;
        uses.for_each(|store| {
            store.last.fetch_max(number, Ordering::AcqRel);
        });
        let flushed = self.queue.flush();
        flushed.map_err(|failed| device.stopped(failed))
    }

    /// Runs a command that waits for itself, and so for all before it.
    fn blocking(
        &self,
        device: &Device,
        mut command: impl FnMut(&Queue) -> Answer<()>,
    ) -> Result<(), Stopped> {
        let last = self.enqueued.load(Ordering::Acquire);
        let mut answer = command(&self.queue);
        if matches!(answer, Err(failed) if failed.lacks_memory()) {
            self.relieve(device)?;
            answer = command(&self.queue);
        }
        answer.map_err(|failed| device.stopped(failed))?;
        self.passed(last);
        Ok(())
    }

    /// Waits until host memory that is wrapped holds what the commands wrote there.
    pub fn settle(&self, device: &Device, store: &Store) -> Result<(), Stopped> {
        match self.direct {
            true => self.wait_for(device, store),
            false => self.blocking(device, |queue| queue.settle(&store.memory, store.size)),
        }
    }
}

/// Whether wrapped memory is what commands work on: both ways, for memory as unaligned as a vector may be.
fn is_direct(context: &Context, queue: &Queue) -> Answer<bool> {
    const WORDS: usize = 515;
    let mut from = vec![1u64; WORDS + 1];
    let mut to = vec![2u64; WORDS + 1];
    let bytes = WORDS * 8;
    let (from_at, to_at) = (from.as_mut_ptr(), to.as_mut_ptr());
    // SAFETY: both vectors outlive the objects, which have the bytes behind their first elements.
    let objects = unsafe {
        (
            context.wrap(from_at.wrapping_add(1).cast(), bytes)?,
            context.wrap(to_at.wrapping_add(1).cast(), bytes)?,
        )
    };
    // SAFETY: in bounds; OpenCL runs no command on the vectors at this time.
    let put = |value| unsafe {
        (1..=WORDS).for_each(|at| from_at.add(at).write_volatile(value));
    };
    let mut same = true;
    for value in [3u64, 4] {
        put(value);
        queue.copy(&objects.0, 0, &objects.1, 0, bytes)?;
        queue.finish()?;
        // SAFETY: as above.
        same &= (1..=WORDS).all(|at| unsafe { to_at.add(at).read_volatile() } == value);
    }
    drop(objects);
    Ok(same)
}

/// Checks that a stretch lies inside a buffer of this device.
fn within(device: &Device, buffer: &Buffer, at: usize, bytes: usize) -> Result<(), Stopped> {
    buffer.check(device)?;
    let end = at.checked_add(bytes);
    if end.is_none_or(|end| end > buffer.bytes()) {
        let size = buffer.bytes();
        return Err(device.internal(format!("{bytes} bytes at {at} of a buffer of {size} bytes")));
    }
    Ok(())
}

pub(super) fn write(device: &Device, to: &Buffer, at: usize, bytes: &[u8]) -> Result<(), Stopped> {
    within(device, to, at, bytes.len())?;
    if bytes.is_empty() {
        return Ok(());
    }
    let session = device.session()?;
    let store = to.store();
    match store.host.as_ref().filter(|_| session.direct) {
        Some(host) => {
            session.wait_for(device, store)?;
            // SAFETY: in bounds, checked above; no command uses the memory.
            unsafe { host.as_ptr().add(at).copy_from(bytes.as_ptr(), bytes.len()) };
        }
        None if store.wrapped && store.host.is_none() => {
            return Err(device.internal("writing to memory that is lent"));
        }
        None => session.put(device, store, at, bytes)?,
    }
    device.0.counts.bytes_in.add(bytes.len() as u64);
    Ok(())
}

pub(super) fn read(
    device: &Device,
    from: &Buffer,
    at: usize,
    into: &mut [MaybeUninit<u8>],
) -> Result<(), Stopped> {
    let (to, bytes) = (into.as_mut_ptr().cast::<u8>(), into.len());
    within(device, from, at, bytes)?;
    if bytes == 0 {
        return Ok(());
    }
    let session = device.session()?;
    let store = from.store();
    match store.host.as_ref().filter(|_| session.direct) {
        Some(host) => {
            session.wait_for(device, store)?;
            // SAFETY: in bounds, checked above; no command uses the memory. The bytes need not be initialised to be moved.
            unsafe {
                let from = host.as_ptr().add(at).cast::<MaybeUninit<u8>>();
                into.as_mut_ptr().copy_from(from, bytes);
            }
        }
        None => session.blocking(device, |queue| {
            // SAFETY: `into` has room for as many bytes.
            unsafe { queue.read(&store.memory, at, to, bytes) }
        })?,
    }
    device.0.counts.bytes_out.add(bytes as u64);
    Ok(())
}

pub(super) fn copy(
    device: &Device,
    from: &Buffer,
    at: usize,
    to: &Buffer,
    to_at: usize,
    bytes: usize,
) -> Result<(), Stopped> {
    within(device, from, at, bytes)?;
    within(device, to, to_at, bytes)?;
    if bytes == 0 {
        return Ok(());
    }
    let (from, to) = (from.store(), to.store());
    let session = device.session()?;
    if device.info().checker {
        let moved = session.get(device, from, at, bytes)?;
        return session.put(device, to, to_at, &moved);
    }
    session.enqueue(device, [from, to].into_iter(), |queue| {
        queue.copy(&from.memory, at, &to.memory, to_at, bytes)
    })
}

pub(super) fn fill(
    device: &Device,
    to: &Buffer,
    at: usize,
    bytes: usize,
    pattern: &[u8],
) -> Result<(), Stopped> {
    within(device, to, at, bytes)?;
    let size = pattern.len();
    let whole = size.is_power_of_two() && size <= 128;
    if !whole || !at.is_multiple_of(size) || !bytes.is_multiple_of(size) {
        let text = format!("filling {bytes} bytes at {at} with a pattern of {size}");
        return Err(device.internal(text));
    }
    if bytes == 0 {
        return Ok(());
    }
    let (session, store) = (device.session()?, to.store());
    if device.info().checker {
        return session.put(device, store, at, &pattern.repeat(bytes / size));
    }
    session.enqueue(device, [store].into_iter(), |queue| {
        queue.fill(&store.memory, at, bytes, pattern)
    })
}
