//! Host memory: buffers that are never zero-filled first, and the pool that they come from and return to.
//!
//! A buffer has the layout of a `Vec<T>` of its scalar type, so that a result becomes the user's `Vec` without a copy.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

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

impl HostBuffer {
    /// Uninitialised memory for `len` scalars of `bytes` bytes each (also their alignment), or `None` if it cannot be had.
    pub fn uninit(len: usize, bytes: usize) -> Option<HostBuffer> {
        let layout = Layout::from_size_align(len.checked_mul(bytes)?, bytes).ok()?;
        if layout.size() == 0 {
            return Some(HostBuffer {
                data: NonNull::without_provenance(layout.align().try_into().ok()?),
                layout,
            });
        }
        // SAFETY: the layout has a size.
        let data = NonNull::new(unsafe { alloc(layout) })?;
        Some(HostBuffer { data, layout })
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
        let this = std::mem::ManuallyDrop::new(self);
        (this.data.as_ptr(), this.layout)
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated above with this layout, and not given away.
            unsafe { dealloc(self.data.as_ptr(), self.layout) }
        }
    }
}
