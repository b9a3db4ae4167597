//! Arrays at the boundary: what a run reads and writes. The typed [`Array`] of users stands on the same buffers.

use crate::ir::{Const, ScalarType};
use std::marker::PhantomData;
use std::sync::Arc;

pub mod memory;

pub use memory::HostBuffer;

/// An argument of a run.
#[derive(Clone, Debug)]
pub enum Arg<'a> {
    /// A scalar.
    Scalar(Const),
    /// An array.
    Array(ArrayView<'a>),
}

/// A result of a run.
#[derive(Clone, Debug)]
pub enum Value {
    /// A scalar.
    Scalar(Const),
    /// An array in fresh memory: contiguous, row-major.
    Array(Dense),
    /// The result was written to the caller's memory.
    Written,
}

/// An array in memory of ours: contiguous, row-major, shared.
#[derive(Clone, Debug)]
pub struct Dense {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths.
    pub shape: Vec<usize>,
    /// The memory: exactly `product(shape) * elem.bytes()` bytes are meaningful, from its beginning.
    pub buffer: Arc<HostBuffer>,
}

/// An array to read in host memory. Any layout: element `(i, j, …)` lies at `data + i * strides[0] + j * strides[1] …` bytes.
#[derive(Clone, Debug)]
pub struct ArrayView<'a> {
    elem: ScalarType,
    shape: Vec<usize>,
    strides: Vec<isize>,
    data: *const u8,
    life: PhantomData<&'a [u8]>,
}

/// An array to write in host memory. Any layout without overlap.
#[derive(Debug)]
pub struct ArrayViewMut<'a> {
    elem: ScalarType,
    shape: Vec<usize>,
    strides: Vec<isize>,
    data: *mut u8,
    life: PhantomData<&'a mut [u8]>,
}

// SAFETY: a view is a shared borrow of plain scalars.
unsafe impl Send for ArrayView<'_> {}
// SAFETY: as above; it is only read.
unsafe impl Sync for ArrayView<'_> {}
// SAFETY: a mutable view is an exclusive borrow of plain scalars.
unsafe impl Send for ArrayViewMut<'_> {}

macro_rules! accessors {
    ($view:ident, $pointer:ty) => {
        impl<'a> $view<'a> {
            /// A view of memory that the caller vouches for.
            ///
            /// # Safety
            /// For `'a`, every element that `shape` and `strides` (in bytes) reach from `data` is valid for this kind of
            /// access, aligned for `elem`, and initialised.
            pub unsafe fn from_raw(
                elem: ScalarType,
                shape: Vec<usize>,
                strides: Vec<isize>,
                data: $pointer,
            ) -> Self {
                debug_assert_eq!(shape.len(), strides.len());
                $view {
                    elem,
                    shape,
                    strides,
                    data,
                    life: PhantomData,
                }
            }
            /// The type of an element.
            pub fn elem(&self) -> ScalarType {
                self.elem
            }
            /// The lengths.
            pub fn shape(&self) -> &[usize] {
                &self.shape
            }
            /// The distance of neighbours along each dimension, in bytes.
            pub fn strides(&self) -> &[isize] {
                &self.strides
            }
            /// The first element.
            pub fn data(&self) -> $pointer {
                self.data
            }
            /// The number of elements.
            pub fn elements(&self) -> usize {
                self.shape.iter().product()
            }
            /// Whether the elements lie contiguous in row-major order (strides of dimensions of length 1 do not count).
            pub fn is_contiguous(&self) -> bool {
                contiguous(&self.shape, self.elem.bytes())
                    .iter()
                    .zip(&self.strides)
                    .zip(&self.shape)
                    .all(|((want, have), &len)| len <= 1 || want == have)
                    || self.elements() == 0
            }
        }
    };
}
accessors!(ArrayView, *const u8);
accessors!(ArrayViewMut, *mut u8);

/// The strides, in bytes, of a contiguous row-major array.
pub fn contiguous(shape: &[usize], bytes: usize) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut step = bytes as isize;
    for (stride, &len) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul(len as isize);
    }
    strides
}

impl Dense {
    /// Reads it.
    pub fn view(&self) -> ArrayView<'_> {
        // SAFETY: the buffer holds the whole array, aligned for every scalar, for as long as `self` is borrowed.
        unsafe {
            ArrayView::from_raw(
                self.elem,
                self.shape.clone(),
                contiguous(&self.shape, self.elem.bytes()),
                self.buffer.as_ptr(),
            )
        }
    }
}
