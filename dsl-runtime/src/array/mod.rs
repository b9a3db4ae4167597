//! Arrays at the boundary: what a run reads and writes. The typed [`Array`] of users stands on the same memory: a [`Stored`]
//! for each of its leaves.

use crate::backend::Failure;
use crate::ir::{Const, ScalarType};
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::sync::Arc;

pub mod element;
mod end;
pub(crate) mod erased;
pub mod memory;
mod stored;
mod strided;
mod typed;

pub use element::{Element, LeafLayout};
pub use memory::HostBuffer;
pub use stored::{Remote, Stored, new_owner};
pub use typed::Array;

/// Lengths or distances along dimensions: in place up to rank 4.
pub type Dims<T> = SmallVec<[T; 4]>;

/// The number of elements of an array of this shape: none where a length is 0, whatever the others multiply to. `None` if it
/// is more than any number.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len))
}

/// An argument of a run.
#[derive(Clone, Debug)]
pub enum Arg<'a> {
    /// A scalar.
    Scalar(Const),
    /// An array in host memory.
    Array(ArrayView<'a>),
    /// An array wherever it is: only for a backend that is [resident](crate::backend::Backend::resident).
    Stored(&'a Stored),
}

/// A result of a run.
#[derive(Clone, Debug)]
pub enum Value {
    /// A scalar.
    Scalar(Const),
    /// An array in fresh memory: contiguous, row-major.
    Array(Dense),
    /// An array wherever it is.
    Stored(Stored),
    /// The result was written to the caller's memory.
    Written,
}

impl<'a> Arg<'a> {
    /// The type of an element, or of the scalar.
    ///
    /// ```
    /// use dsl_runtime::{array::Arg, ir::{Const, ScalarType}};
    /// let arg = Arg::Scalar(Const::f32(2.0));
    /// assert_eq!((arg.elem(), arg.shape()), (ScalarType::F32, &[][..]));
    /// ```
    pub fn elem(&self) -> ScalarType {
        match self {
            Arg::Scalar(value) => value.ty,
            Arg::Array(view) => view.elem(),
            Arg::Stored(stored) => stored.elem(),
        }
    }

    /// The lengths; none of a scalar.
    ///
    /// ```
    /// use dsl_runtime::{array::{Arg, Dense}, ir::ScalarType};
    /// let x = Dense::from_bits(ScalarType::U8, vec![2, 1], [1, 2]).unwrap();
    /// assert_eq!(Arg::Array(x.view()).shape(), [2, 1]);
    /// ```
    pub fn shape(&self) -> &[usize] {
        match self {
            Arg::Scalar(_) => &[],
            Arg::Array(view) => view.shape(),
            Arg::Stored(stored) => stored.shape(),
        }
    }

    /// As a scalar or a view of host memory; an array that is only on a device is fetched.
    ///
    /// ```
    /// use dsl_runtime::{array::{Arg, Dense, Stored}, ir::ScalarType};
    /// let x = Stored::from(Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap());
    /// assert!(matches!(Arg::Stored(&x).on_host(), Ok(Arg::Array(view)) if view.get(&[1]).bits == 2));
    /// ```
    ///
    /// # Errors
    /// As [`Stored::dense`].
    pub fn on_host(&self) -> Result<Arg<'a>, Failure> {
        match *self {
            Arg::Stored(stored) => Ok(Arg::Array(stored.dense()?.view())),
            ref here => Ok(here.clone()),
        }
    }
}

impl Value {
    /// As a scalar or an array in host memory; an array that is only on a device is fetched.
    ///
    /// ```
    /// use dsl_runtime::{array::{Dense, Value}, ir::ScalarType};
    /// let x = Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap();
    /// let value = Value::Stored(x.into()).on_host().unwrap();
    /// assert!(matches!(value, Value::Array(x) if x.shape == [2]));
    /// ```
    ///
    /// # Errors
    /// As [`Stored::dense`].
    pub fn on_host(self) -> Result<Value, Failure> {
        match self {
            Value::Stored(stored) => Ok(Value::Array(stored.into_dense()?)),
            here => Ok(here),
        }
    }
}

/// An array in memory of ours: contiguous, row-major, shared. Made by [`Dense::from_buffer`] or [`Dense::from_bits`].
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    shape: Dims<usize>,
    strides: Dims<isize>,
    data: *const u8,
    life: PhantomData<&'a [u8]>,
}

/// An array to write in host memory. Any layout without overlap.
#[derive(Debug)]
pub struct ArrayViewMut<'a> {
    elem: ScalarType,
    shape: Dims<usize>,
    strides: Dims<isize>,
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
                shape: impl Into<Dims<usize>>,
                strides: impl Into<Dims<isize>>,
                data: $pointer,
            ) -> Self {
                let (shape, strides) = (shape.into(), strides.into());
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
                count(&self.shape).expect("so many elements lie in memory")
            }
            /// The rows of these numbers, along the outermost dimension; panics where they are outside, as slices do.
            ///
            /// ```
            /// use dsl_runtime::{array::Dense, ir::{Const, ScalarType}};
            /// let x = Dense::from_bits(ScalarType::U8, vec![3, 2], 0..6).unwrap();
            /// let rows = x.view().rows(1..3);
            /// assert_eq!((rows.shape(), rows.get(&[0, 1])), (&[2, 2][..], Const::u8(3)));
            /// ```
            pub fn rows(self, rows: std::ops::Range<usize>) -> $view<'a> {
                let (start, end, len) = (rows.start, rows.end, self.shape[0]);
                assert!(start <= end && end <= len, "rows {start}..{end} of {len}");
                let mut shape = self.shape;
                shape[0] = end - start;
                let distance = start as isize * self.strides[0];
                $view {
                    shape,
                    data: self.data.wrapping_byte_offset(distance),
                    ..self
                }
            }
            /// Whether the elements lie contiguous in row-major order (strides of dimensions of length 1 do not count).
            pub fn is_contiguous(&self) -> bool {
                let mut step = self.elem.bytes() as isize;
                for (&len, &stride) in self.shape.iter().zip(&self.strides).rev() {
                    if len == 0 {
                        return true;
                    }
                    if len > 1 && stride != step {
                        return self.elements() == 0;
                    }
                    step = step.saturating_mul(len as isize);
                }
                true
            }
            /// Where element `indices` lies; panics where it is outside, as slices do.
            fn at(&self, indices: &[usize]) -> $pointer {
                assert_eq!(indices.len(), self.shape.len(), "one index a dimension");
                let mut distance = 0isize;
                for ((&index, &len), &stride) in indices.iter().zip(&self.shape).zip(&self.strides)
                {
                    assert!(
                        index < len,
                        "index {index} is out of bounds for length {len}"
                    );
                    distance += index as isize * stride;
                }
                self.data.wrapping_byte_offset(distance)
            }
            /// The element there; panics where it is outside, as slices do.
            pub fn get(&self, indices: &[usize]) -> Const {
                // SAFETY: `at` has checked the indices, and whoever made the view has vouched for its elements.
                unsafe { strided::read(self.elem, self.at(indices)) }
            }
            /// The elements in row-major order.
            pub fn iter(&self) -> impl Iterator<Item = Const> + '_ {
                strided::offsets(&self.shape, &self.strides).map(|distance| {
                    // SAFETY: `offsets` yields elements of this view only.
                    unsafe { strided::read(self.elem, self.data.wrapping_byte_offset(distance)) }
                })
            }
        }
    };
}
accessors!(ArrayView, *const u8);
accessors!(ArrayViewMut, *mut u8);

/// The strides, in bytes, of a contiguous row-major array.
pub fn contiguous(shape: &[usize], bytes: usize) -> Dims<isize> {
    let mut strides = Dims::from_elem(0, shape.len());
    let mut step = bytes as isize;
    for (stride, &len) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul(len as isize);
    }
    strides
}

impl<'a> ArrayView<'a> {
    /// The sub-array with this outermost index; panics where it is outside.
    pub fn sub(&self, index: usize) -> ArrayView<'a> {
        assert!(
            index < self.shape[0],
            "index {index} is out of bounds for length {}",
            self.shape[0]
        );
        ArrayView {
            elem: self.elem,
            shape: self.shape[1..].into(),
            strides: self.strides[1..].into(),
            data: self
                .data
                .wrapping_byte_offset(index as isize * self.strides[0]),
            life: PhantomData,
        }
    }

    /// A copy in memory of ours; `None` if that cannot be had.
    pub fn to_dense(&self) -> Option<Dense> {
        let buffer = HostBuffer::uninit(self.elements(), self.elem.bytes())?;
        // SAFETY: the buffer has room for every element, contiguous; `copy` initialises them all.
        unsafe {
            strided::copy(
                self.elem.bytes(),
                &self.shape,
                (self.data, &self.strides),
                (buffer.as_ptr(), &contiguous(&self.shape, self.elem.bytes())),
            );
            Some(Dense::from_buffer(
                self.elem,
                self.shape.to_vec(),
                Arc::new(buffer),
            ))
        }
    }
}

impl ArrayViewMut<'_> {
    /// Writes one element; panics where it is outside, as slices do.
    pub fn set(&mut self, indices: &[usize], value: Const) {
        assert_eq!(value.ty, self.elem, "a value of another type");
        // SAFETY: `at` has checked the indices, and whoever made the view has vouched for its elements.
        unsafe { strided::write(self.at(indices), value) }
    }

    /// Writes all elements; type and shape must agree.
    pub fn copy_from(&mut self, from: &ArrayView<'_>) {
        assert_eq!(self.elem, from.elem, "values of another type");
        assert_eq!(self.shape, from.shape, "values of another shape");
        // SAFETY: both views reach these elements; one is an exclusive borrow, so they do not overlap.
        unsafe {
            strided::copy(
                self.elem.bytes(),
                &self.shape,
                (from.data, &from.strides),
                (self.data, &self.strides),
            )
        }
    }
}

impl Dense {
    /// An array in this memory.
    ///
    /// # Safety
    /// The first `product(shape) * elem.bytes()` bytes of the buffer exist, are initialised with values of `elem`, and
    /// are not written as long as this value or a clone of it lives.
    pub unsafe fn from_buffer(
        elem: ScalarType,
        shape: Vec<usize>,
        buffer: Arc<HostBuffer>,
    ) -> Dense {
        debug_assert!(count(&shape).is_some_and(|n| n * elem.bytes() <= buffer.bytes()));
        Dense {
            elem,
            shape,
            buffer,
        }
    }

    /// An array of the elements with these bits (zero-extended), row-major; `None` if memory cannot be had.
    ///
    /// ```
    /// use dsl_runtime::{array::Dense, ir::{Const, ScalarType}};
    /// let x = Dense::from_bits(ScalarType::U8, vec![2, 2], [1, 2, 3, 4]).unwrap();
    /// assert_eq!(x.view().get(&[1, 0]), Const::u8(3));
    /// ```
    ///
    /// # Panics
    /// If there are fewer elements than the shape says.
    pub fn from_bits(
        elem: ScalarType,
        shape: Vec<usize>,
        bits: impl IntoIterator<Item = u64>,
    ) -> Option<Dense> {
        let len = count(&shape)?;
        let buffer = HostBuffer::uninit(len, elem.bytes())?;
        let mut bits = bits.into_iter();
        for k in 0..len {
            let bits = bits.next().expect("an element for each place of the shape");
            let value = Const { ty: elem, bits };
            // SAFETY: element k of len lies inside, aligned.
            unsafe { strided::write(buffer.as_ptr().add(k * elem.bytes()), value) }
        }
        // SAFETY: all elements were written just now.
        Some(unsafe { Dense::from_buffer(elem, shape, Arc::new(buffer)) })
    }

    /// Gives its memory to a vector, if nobody shares it and it fits.
    ///
    /// # Safety
    /// It has `len` elements, and `T` is a scalar type of its element type.
    pub(crate) unsafe fn into_vec<T: Element>(self, len: usize) -> Result<Vec<T>, Dense> {
        let Dense {
            elem,
            shape,
            buffer,
        } = self;
        let buffer = Arc::try_unwrap(buffer).and_then(|buffer| {
            // SAFETY: the buffer's first elements are initialised, as for every `Dense`.
            match unsafe { buffer.into_vec::<T>(len) } {
                Ok(vec) => Ok(vec),
                Err(buffer) => Err(Arc::new(buffer)),
            }
        });
        buffer.map_err(|buffer| Dense {
            elem,
            shape,
            buffer,
        })
    }

    /// Reads it.
    pub fn view(&self) -> ArrayView<'_> {
        // SAFETY: the buffer holds the whole array, aligned for every scalar, for as long as `self` is borrowed.
        unsafe {
            ArrayView::from_raw(
                self.elem,
                self.shape.as_slice(),
                contiguous(&self.shape, self.elem.bytes()),
                self.buffer.as_ptr().cast_const(),
            )
        }
    }
}
