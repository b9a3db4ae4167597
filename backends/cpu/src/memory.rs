//! Memory of arrays during a run: buffers of the pool behind the reference-counted blocks that compiled code knows, and
//! borrowed memory of the caller's behind blocks that never count as unshared.

use crate::abi::{Block, Frame, Runtime};
use dsl_runtime::array::HostBuffer;
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

/// A block and what it stands on.
#[repr(C)]
struct Owned {
    /// First, so that the address of the block is that of the whole.
    head: Block,
    /// `None`: memory of the caller's.
    buffer: Option<HostBuffer>,
    /// Where it stands in a list of [`Live`].
    link: Link,
}

/// A place in a doubly linked list.
#[derive(Clone, Copy)]
struct Link {
    linked: bool,
    before: *mut Owned,
    next: *mut Owned,
}

const UNLINKED: Link = Link {
    linked: false,
    before: std::ptr::null_mut(),
    next: std::ptr::null_mut(),
};

/// A reference to a block. Not counted atomically: a run hands it from one thread to another only as a whole.
#[derive(Debug)]
pub struct Handle(NonNull<Owned>);

// SAFETY: a run owns its handles; workers see only addresses of elements.
unsafe impl Send for Handle {}

thread_local! {
    /// Blocks of buffers that this thread has asked for, for tests and profiles.
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
    /// Blocks of buffers that have ended on this thread.
    static ENDED: Cell<u64> = const { Cell::new(0) };
}

/// How many buffers this thread has taken from the pool since it began.
pub fn allocated() -> u64 {
    ALLOCATED.get()
}

/// How many blocks of buffers have ended on this thread since it began: their memory went to the pool or to a result.
pub fn ended() -> u64 {
    ENDED.get()
}

impl Handle {
    /// A block of `elements` scalars of `bytes` bytes, uninitialised; `None` if it cannot be had.
    pub fn uninit(elements: usize, bytes: usize) -> Option<Handle> {
        Some(Handle::of_buffer(HostBuffer::uninit(elements, bytes)?))
    }

    /// A block on a buffer.
    pub fn of_buffer(buffer: HostBuffer) -> Handle {
        ALLOCATED.set(ALLOCATED.get() + 1);
        Handle::of(buffer.as_ptr(), 1, Some(buffer))
    }

    /// Memory of the caller's, which outlives the run. It has a second reference, so that nobody works in place there.
    pub fn borrowed(data: *mut u8) -> Handle {
        Handle::of(data, 2, None)
    }

    fn of(data: *mut u8, refs: u64, buffer: Option<HostBuffer>) -> Handle {
        let head = Block { refs, data };
        Handle(NonNull::from(Box::leak(Box::new(Owned {
            head,
            buffer,
            link: UNLINKED,
        }))))
    }

    /// The number of bytes from the first one on; `None` for memory of the caller's.
    pub fn bytes(&self) -> Option<usize> {
        // SAFETY: the block lives as long as a handle to it.
        unsafe { self.0.as_ref().buffer.as_ref().map(HostBuffer::bytes) }
    }

    /// The first byte.
    pub fn data(&self) -> *mut u8 {
        // SAFETY: the block lives as long as a handle to it.
        unsafe { self.0.as_ref().head.data }
    }

    /// Whether nobody else has a reference.
    pub fn is_unique(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.0.as_ref().head.refs == 1 }
    }

    /// Gives back most of what lies beyond the first `bytes` bytes; the first byte may move.
    pub fn shrink(&mut self, bytes: usize) -> *mut u8 {
        if self.is_unique() {
            // SAFETY: nobody else has a reference to the block.
            let owned = unsafe { self.0.as_mut() };
            if let Some(buffer) = &mut owned.buffer {
                buffer.shrink(bytes);
                owned.head.data = buffer.as_ptr();
            }
        }
        self.data()
    }

    /// For compiled code, which shares the reference.
    pub fn block(&self) -> *mut Block {
        self.0.as_ptr().cast()
    }

    /// For compiled code, which takes the reference over.
    pub fn into_block(self) -> *mut Block {
        std::mem::ManuallyDrop::new(self).block()
    }

    /// Takes a reference over from compiled code.
    ///
    /// # Safety
    /// The block was made by this module, and a reference to it is the caller's.
    pub unsafe fn from_block(block: *mut Block) -> Option<Handle> {
        NonNull::new(block.cast()).map(Handle)
    }

    /// The buffer, if it is ours and nobody else's.
    pub fn into_buffer(self) -> Result<HostBuffer, Handle> {
        // SAFETY: the block lives as long as this handle.
        let owned = unsafe { &mut *self.0.as_ptr() };
        match (owned.head.refs, owned.buffer.take()) {
            (1, Some(buffer)) => {
                ENDED.set(ENDED.get() + 1);
                // SAFETY: the last handle to a block that was made by `of`; it is not dropped a second time.
                drop(unsafe { Box::from_raw(std::mem::ManuallyDrop::new(self).0.as_ptr()) });
                Ok(buffer)
            }
            (_, buffer) => {
                owned.buffer = buffer;
                Err(self)
            }
        }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        // SAFETY: the block lives as long as a handle to it; handles are not used by two threads at once.
        unsafe { (*self.0.as_ptr()).head.refs += 1 }
        Handle(self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: as above; borrowed memory has one reference beyond the handles, which the block's end gives up.
        unsafe {
            let owned = self.0.as_ptr();
            (*owned).head.refs -= 1;
            let ours = (*owned).buffer.is_some();
            if (*owned).head.refs == !ours as u64 {
                ENDED.set(ENDED.get() + ours as u64);
                drop(Box::from_raw(owned));
            }
        }
    }
}

/// What a call of compiled code holds. Code that leaves at a failure lets nothing go; so what is still here when this is
/// dropped is given back, and what the code was lent counts as many references as before.
///
/// A frame points to it: it stays where it is while a call lasts.
#[derive(Debug)]
pub struct Live {
    first: Cell<*mut Owned>,
    /// What the code may take references to, and how many others hold.
    lent: RefCell<Vec<(NonNull<Owned>, u64)>>,
}

impl Default for Live {
    fn default() -> Live {
        Live {
            first: Cell::new(std::ptr::null_mut()),
            lent: RefCell::default(),
        }
    }
}

impl Live {
    /// For [`Frame::context`].
    pub fn context(&self) -> *mut u8 {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Code may take references to this block, and let them go again.
    pub fn lend(&self, handle: &Handle) {
        // SAFETY: the block lives as long as a handle to it.
        let refs = unsafe { handle.0.as_ref().head.refs };
        self.lent.borrow_mut().push((handle.0, refs));
    }

    /// Code takes over this reference, which was there when the block was lent.
    pub fn give(&self, handle: Handle) {
        let block = std::mem::ManuallyDrop::new(handle).0;
        for (lent, others) in self.lent.borrow_mut().iter_mut() {
            if *lent == block {
                *others -= 1;
                // SAFETY: the code has not begun: the block lives.
                if *others == 0 && unsafe { !block.as_ref().link.linked } {
                    self.link(block);
                }
            }
        }
    }

    /// The call has succeeded: whatever it holds is handed on as a reference.
    pub fn hand_on(&self) {
        while let Some(block) = NonNull::new(self.first.get()) {
            // SAFETY: what is linked lives.
            unsafe { self.unlink(block) }
        }
        self.lent.borrow_mut().clear();
    }

    fn link(&self, mut block: NonNull<Owned>) {
        let next = self.first.replace(block.as_ptr());
        // SAFETY: blocks in the list live, and so does this one.
        unsafe {
            block.as_mut().link = Link {
                linked: true,
                before: std::ptr::null_mut(),
                next,
            };
            if let Some(next) = next.as_mut() {
                next.link.before = block.as_ptr();
            }
        }
    }

    /// Takes a living block out of the list if it is there.
    unsafe fn unlink(&self, mut block: NonNull<Owned>) {
        // SAFETY: the block lives, and so do its neighbours in the list.
        unsafe {
            let link = std::mem::replace(&mut block.as_mut().link, UNLINKED);
            match link.before.as_mut() {
                Some(before) => before.link.next = link.next,
                None if link.linked => self.first.set(link.next),
                None => {}
            }
            if let Some(next) = link.next.as_mut() {
                next.link.before = link.before;
            }
        }
    }

    /// Gives a living block back that nobody else holds.
    unsafe fn end(&self, mut block: NonNull<Owned>) {
        // SAFETY: the caller's; the handle takes the block for one with a single reference.
        unsafe {
            self.unlink(block);
            block.as_mut().head.refs = 1;
        }
        drop(Handle(block));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for &(mut block, others) in self.lent.borrow().iter() {
            if others > 0 {
                // SAFETY: others hold it.
                unsafe { block.as_mut().head.refs = others }
            }
        }
        while let Some(block) = NonNull::new(self.first.get()) {
            // SAFETY: what is linked lives, and nobody but the code that has ended holds it.
            unsafe { self.end(block) }
        }
    }
}

/// What compiled code calls for memory.
pub static RUNTIME: Runtime = Runtime {
    alloc,
    free,
    copy,
    clear,
    fetch,
};

unsafe extern "C" fn alloc(
    frame: *const Frame,
    elements: u64,
    bytes: u64,
    site: u64,
) -> *mut Block {
    let block = usize::try_from(elements)
        .ok()
        .and_then(|elements| Handle::uninit(elements, bytes as usize));
    match block {
        Some(handle) => {
            // SAFETY: compiled code hands on the frame that it was given, whose context is a `Live` that outlives the call.
            let live = unsafe { &*(*frame).context.cast::<Live>() };
            live.link(handle.0);
            handle.into_block()
        }
        None => {
            // SAFETY: compiled code hands on the frame that it was given, whose record is the caller's alone.
            unsafe {
                let fault = &mut *(*frame).fault;
                fault.site = site;
                fault.operands[0] = elements.saturating_mul(bytes);
            }
            std::ptr::null_mut()
        }
    }
}

unsafe extern "C" fn free(frame: *const Frame, block: *mut Block) {
    if let Some(block) = NonNull::new(block.cast::<Owned>()) {
        // SAFETY: compiled code gives back a block whose last reference has gone, with the frame as in `alloc`.
        unsafe { (*(*frame).context.cast::<Live>()).end(block) }
    }
}

unsafe extern "C" fn copy(to: *mut u8, from: *const u8, bytes: u64) {
    // SAFETY: compiled code vouches for both stretches.
    unsafe { std::ptr::copy_nonoverlapping(from, to, bytes as usize) }
}

unsafe extern "C" fn clear(to: *mut u8, bytes: u64) {
    // SAFETY: compiled code vouches for the stretch.
    unsafe { std::ptr::write_bytes(to, 0, bytes as usize) }
}

/// Cache lines are no shorter than this.
const LINE: u64 = 64;

unsafe extern "C" fn fetch(from: *const u8, bytes: u64) {
    for line in (0..bytes).step_by(LINE as usize) {
        let at = from.wrapping_add(line as usize);
        // SAFETY: a hint: it reads nothing and does not fail, wherever it points.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(at.cast());
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(nostack, preserves_flags));
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of a frame as memory looks at.
    fn frame(fault: &mut crate::abi::FaultRecord, live: &Live) -> Frame {
        Frame {
            env: std::ptr::null(),
            slots: std::ptr::null(),
            runtime: &RUNTIME,
            fault,
            context: live.context(),
        }
    }

    #[test]
    fn references_are_counted() {
        let handle = Handle::uninit(4, 8).unwrap();
        assert!(handle.is_unique());
        let other = handle.clone();
        assert!(!handle.is_unique());
        let handle = handle.into_buffer().unwrap_err();
        drop(other);
        assert_eq!(handle.into_buffer().unwrap().bytes(), 32);
    }

    #[test]
    fn borrowed_memory_is_never_unique() {
        let mut word = 7u64;
        let handle = Handle::borrowed((&raw mut word).cast());
        assert!(!handle.is_unique());
        assert!(handle.clone().into_buffer().is_err());
        drop(handle);
        assert_eq!(word, 7);
    }

    #[test]
    fn memory_that_cannot_be_had() {
        assert!(Handle::uninit(usize::MAX / 4, 8).is_none());
        let (mut fault, live) = (crate::abi::FaultRecord::default(), Live::default());
        let frame = frame(&mut fault, &live);
        // SAFETY: the frame is complete as far as `alloc` looks at it.
        let block = unsafe { alloc(&frame, u64::MAX, 8, 3) };
        assert!(block.is_null());
        assert_eq!((fault.site, fault.operands[0]), (3, u64::MAX));
    }

    /// What compiled code does: asks for blocks, gives one back, and leaves.
    #[test]
    fn a_call_that_fails_gives_back_what_it_holds() {
        let before = (allocated(), ended());
        let (shared, dying) = (Handle::uninit(8, 1).unwrap(), Handle::uninit(8, 1).unwrap());
        {
            let live = Live::default();
            let mut fault = crate::abi::FaultRecord::default();
            let frame = frame(&mut fault, &live);
            let second = shared.clone();
            live.lend(&shared);
            live.lend(&dying);
            live.give(second);
            live.give(dying);
            // SAFETY: the frame is complete as far as these look at it; each block is given back once.
            unsafe {
                let blocks: Vec<_> = (1..6).map(|n| alloc(&frame, n, 8, 0)).collect();
                free(&frame, blocks[2]);
                free(&frame, blocks[4]);
                (*shared.block()).refs += 3;
            }
        }
        assert!(shared.is_unique());
        drop(shared);
        assert_eq!((allocated() - before.0, ended() - before.1), (7, 7));
    }

    #[test]
    fn a_call_that_succeeds_hands_on_what_it_holds() {
        let live = Live::default();
        let mut fault = crate::abi::FaultRecord::default();
        let frame = frame(&mut fault, &live);
        // SAFETY: the frame is complete as far as `alloc` looks at it.
        let block = unsafe { alloc(&frame, 4, 8, 0) };
        live.hand_on();
        drop(live);
        // SAFETY: a block of `alloc` with its one reference.
        let handle = unsafe { Handle::from_block(block) }.unwrap();
        assert_eq!(handle.into_buffer().unwrap().bytes(), 32);
    }
}
