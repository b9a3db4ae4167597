//! Host memory: buffers that are never zero-filled first, and the pool that they come from and return to.
//!
//! A buffer has the layout of a `Vec<T>` of its scalar type, so that a result becomes the user's `Vec` without a copy.
//! Buffers of [`SMALLEST`] bytes and more are kept when they are dropped, by size class, up to [`LIMIT`] bytes in all, and
//! reused as they are. When that is too much, those go that have waited longest: sizes that a program has ceased to use
//! make room for those that it uses now.

use super::Element;
use std::alloc::{Layout, alloc, dealloc, realloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The smallest buffer that the pool keeps, in bytes.
pub const SMALLEST: usize = 4096;
/// The most that the pool keeps, in bytes.
pub const LIMIT: usize = 512 << 20;
/// Classes between a power of two and the next: a buffer is at most an eighth larger than what was asked for.
const STEPS: usize = 8;
/// Sizes from 2^12 to 2^48 bytes.
const CLASSES: usize = (48 - 12) * STEPS;
/// Alignments 1, 2, 4, 8: an allocation must be freed with its own.
const ALIGNMENTS: usize = 4;
/// Fresh memory from this size on is asked for in huge pages.
const HUGE: usize = 4 << 20;

/// Memory for scalars, uninitialised at first.
#[derive(Debug)]
pub struct HostBuffer {
    data: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the buffer owns its memory; access goes through pointers whose users vouch for exclusion.
unsafe impl Send for HostBuffer {}
// SAFETY: as above.
unsafe impl Sync for HostBuffer {}

/// What the memory of arrays has cost so far, in all threads of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Buffers that were asked for.
    pub buffers: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them came from the system rather than from the pool.
    pub fresh: u64,
    /// Bytes that the pool keeps at the moment.
    pub pooled: u64,
}

static BUFFERS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static FRESH: AtomicU64 = AtomicU64::new(0);
static POOLED: AtomicUsize = AtomicUsize::new(0);

/// Reads the counters.
///
/// ```
/// use dsl_runtime::array::{HostBuffer, memory::usage};
/// let before = usage();
/// let buffer = HostBuffer::uninit(1000, 8).unwrap();
/// assert!(usage().bytes >= before.bytes + 8000);
/// ```
pub fn usage() -> Usage {
    Usage {
        buffers: BUFFERS.load(Ordering::Relaxed),
        bytes: BYTES.load(Ordering::Relaxed),
        fresh: FRESH.load(Ordering::Relaxed),
        pooled: POOLED.load(Ordering::Relaxed) as u64,
    }
}

/// The number of buffers that were ever put into the pool: the time by which they age.
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// A buffer of the pool, and when it was put there.
struct Kept(NonNull<u8>, Layout, u64);

// SAFETY: memory that nobody else knows of.
unsafe impl Send for Kept {}

struct Bin([Mutex<Vec<Kept>>; ALIGNMENTS]);

static POOL: [Bin; CLASSES] =
    [const { Bin([const { Mutex::new(Vec::new()) }; ALIGNMENTS]) }; CLASSES];

/// The class whose buffers have at least this size, and that size; `None` outside the pool's range.
fn class_above(size: usize) -> Option<(usize, usize)> {
    let (class, start) = class_below(size)?;
    if start == size {
        return Some((class, start));
    }
    let step = (1usize << size.ilog2()) / STEPS;
    (class + 1 < CLASSES).then_some((class + 1, start + step))
}

/// The class that a buffer of this size can serve, and the class's size.
fn class_below(size: usize) -> Option<(usize, usize)> {
    if size < SMALLEST {
        return None;
    }
    let power = size.ilog2() as usize;
    let step = (1usize << power) / STEPS;
    let within = (size - (1 << power)) / step;
    let class = (power - 12) * STEPS + within;
    (class < CLASSES).then_some((class, (1 << power) + within * step))
}

fn bin(class: usize, align: usize) -> Option<&'static Mutex<Vec<Kept>>> {
    POOL[class].0.get(align.trailing_zeros() as usize)
}

fn take(class: usize, align: usize) -> Option<Kept> {
    let mut kept = bin(class, align)?
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let buffer = kept.pop()?;
    POOLED.fetch_sub(buffer.1.size(), Ordering::Relaxed);
    Some(buffer)
}

/// Keeps a buffer.
fn put(class: usize, data: NonNull<u8>, layout: Layout) -> Option<()> {
    let bin = bin(class, layout.align()).filter(|_| layout.size() <= LIMIT)?;
    let kept = Kept(data, layout, CLOCK.fetch_add(1, Ordering::Relaxed));
    let pooled = POOLED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
    bin.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(kept);
    if pooled > LIMIT {
        // A good part at once, so that not every buffer has to look through the whole pool.
        release_until(LIMIT - LIMIT / 4);
    }
    Some(())
}

/// Gives the memory that the pool keeps back to the system.
pub fn trim() {
    release_until(0);
}

/// Gives back the buffers that have waited longest, until no more than `limit` bytes are kept.
fn release_until(limit: usize) {
    let bins = || {
        let bins = POOL.iter().flat_map(|bin| &bin.0);
        bins.map(|bin| bin.lock().unwrap_or_else(PoisonError::into_inner))
    };
    let mut ages: Vec<(u64, usize)> = vec![];
    bins().for_each(|bin| ages.extend(bin.iter().map(|kept| (kept.2, kept.1.size()))));
    ages.sort_unstable();
    let mut rest: usize = ages.iter().map(|&(_, size)| size).sum();
    let before = ages.iter().take_while(|&&(_, size)| {
        let over = rest > limit;
        rest -= if over { size } else { 0 };
        over
    });
    let Some(&(last, _)) = before.last() else {
        return;
    };
    for mut bin in bins() {
        for Kept(data, layout, _) in bin.extract_if(.., |kept| kept.2 <= last) {
            POOLED.fetch_sub(layout.size(), Ordering::Relaxed);
            // SAFETY: allocated with this layout; the pool owned it.
            unsafe { dealloc(data.as_ptr(), layout) }
        }
    }
}

fn fresh(layout: Layout) -> Option<NonNull<u8>> {
    // SAFETY: the layout has a size.
    let ask = || NonNull::new(unsafe { alloc(layout) });
    let data = ask().or_else(|| {
        trim();
        ask()
    })?;
    FRESH.fetch_add(1, Ordering::Relaxed);
    if layout.size() >= HUGE {
        advise(data, layout.size());
    }
    Some(data)
}

/// Asks for huge pages: fewer page faults and fewer misses of the translation buffer. A wish that may be ignored.
#[cfg(all(target_os = "linux", not(miri)))]
fn advise(data: NonNull<u8>, size: usize) {
    const PAGE: usize = 2 << 20;
    let skip = data.as_ptr().align_offset(PAGE);
    if let Some(whole) = size.checked_sub(skip).map(|rest| rest / PAGE * PAGE) {
        // SAFETY: whole pages inside the allocation; the advice changes no contents.
        unsafe { libc::madvise(data.as_ptr().add(skip).cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn advise(_data: NonNull<u8>, _size: usize) {}

impl HostBuffer {
    /// Uninitialised memory for `len` scalars of `bytes` bytes each (also their alignment), or `None` if it cannot be had.
    pub fn uninit(len: usize, bytes: usize) -> Option<HostBuffer> {
        let asked = Layout::from_size_align(len.checked_mul(bytes)?, bytes).ok()?;
        if asked.size() == 0 {
            return Some(HostBuffer {
                data: NonNull::without_provenance(bytes.try_into().ok()?),
                layout: asked,
            });
        }
        BUFFERS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(asked.size() as u64, Ordering::Relaxed);
        if let Some((class, size)) = class_above(asked.size()) {
            if let Some(Kept(data, layout, _)) = take(class, bytes) {
                return Some(HostBuffer { data, layout });
            }
            // Rounded up, so that it can serve the same request again.
            let layout = Layout::from_size_align(size, bytes).ok()?;
            let data = fresh(layout)?;
            return Some(HostBuffer { data, layout });
        }
        let data = fresh(asked)?;
        Some(HostBuffer {
            data,
            layout: asked,
        })
    }

    /// Gives back what lies beyond the first `bytes` bytes, where that is most of the buffer. What is kept does not change;
    /// large buffers are not copied where the system can do without.
    ///
    /// ```
    /// use dsl_runtime::array::HostBuffer;
    /// let mut buffer = HostBuffer::uninit(1 << 20, 8).unwrap();
    /// buffer.shrink(800);
    /// assert!(buffer.bytes() >= 800 && buffer.bytes() < 1 << 20);
    /// ```
    pub fn shrink(&mut self, bytes: usize) {
        let align = self.layout.align();
        let least = bytes.max(align).next_multiple_of(align);
        let size = class_above(least).map_or(least, |(_, size)| size);
        if size > self.layout.size() / 2 {
            return;
        }
        // SAFETY: allocated with this layout (of more than one element); the new size is not 0 and smaller.
        let data = unsafe { realloc(self.data.as_ptr(), self.layout, size) };
        let layout = Layout::from_size_align(size, align);
        if let (Some(data), Ok(layout)) = (NonNull::new(data), layout) {
            (self.data, self.layout) = (data, layout);
        }
    }

    /// Takes over a vector's memory.
    pub fn from_vec<T: Element>(vec: Vec<T>) -> HostBuffer {
        let mut vec = ManuallyDrop::new(vec);
        let layout = Layout::array::<T>(vec.capacity()).expect("a vector that exists has a layout");
        let data = NonNull::new(vec.as_mut_ptr()).expect("a vector's pointer is not null");
        HostBuffer {
            data: data.cast(),
            layout,
        }
    }

    /// Gives the memory to a vector of its first `len` elements; returns the buffer where its layout is not that of a `Vec<T>`.
    ///
    /// # Safety
    /// The buffer holds at least `len` initialised elements of type `T`.
    pub unsafe fn into_vec<T: Element>(self, len: usize) -> Result<Vec<T>, HostBuffer> {
        let size = size_of::<T>();
        if size == 0
            || self.layout.align() != align_of::<T>()
            || !self.layout.size().is_multiple_of(size)
        {
            return Err(self);
        }
        let (data, layout) = self.into_raw();
        // SAFETY: allocated by the global allocator with the layout of `[T; capacity]`; `len` elements are initialised.
        Ok(unsafe { Vec::from_raw_parts(data.cast(), len, layout.size() / size) })
    }

    /// The first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.data.as_ptr()
    }

    /// The number of bytes.
    pub fn bytes(&self) -> usize {
        self.layout.size()
    }

    /// Gives the memory away: pointer and layout, to be freed by the new owner.
    pub fn into_raw(self) -> (*mut u8, Layout) {
        let this = ManuallyDrop::new(self);
        (this.data.as_ptr(), this.layout)
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        let size = self.layout.size();
        if size == 0 {
            return;
        }
        let kept = class_below(size).and_then(|(class, _)| put(class, self.data, self.layout));
        if kept.is_none() {
            // SAFETY: allocated with this layout, and not given away.
            unsafe { dealloc(self.data.as_ptr(), self.layout) }
        }
    }
}
