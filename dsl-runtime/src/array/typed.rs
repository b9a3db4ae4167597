//! `Array<T>`: the user's array at a place, one [`Dense`] for each leaf of `T`.

use super::erased::{into_leaves, vec_from_leaves};
use super::{Dense, Dims, Element, HostBuffer, count};
use crate::place::Place;
use ndarray::{ArrayBase, ArrayD, ArrayViewD, Data, Dimension, IxDyn};
use smallvec::SmallVec;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// An array that lives at a place: immutable, cheap to clone, of any rank.
///
/// The results of [`crate::Call::run`] are arrays, and the arguments of the next call may be: a chain of calls at one place
/// copies nothing.
///
/// ```
/// use dsl_runtime::Array;
/// let x = Array::from(vec![(1.0f32, 1i32), (2.0, 2)]);
/// assert_eq!((x.len(), x.shape()), (2, &[2][..]));
/// assert_eq!(x.clone().to_vec(), [(1.0, 1), (2.0, 2)]);
/// ```
pub struct Array<T> {
    inner: Arc<Inner>,
    element: PhantomData<T>,
}

struct Inner {
    shape: Dims<usize>,
    leaves: SmallVec<[Dense; 1]>,
    place: Place,
}

/// Whether ndarray has arrays of this shape.
fn fits_ndarray(shape: &[usize]) -> bool {
    let mut lengths = shape.iter().filter(|&&len| len != 0);
    let most = lengths.try_fold(1usize, |n, &len| n.checked_mul(len));
    most.is_some_and(|n| isize::try_from(n).is_ok())
}

/// What an array that cannot have its memory panics with, as a `Vec` does.
const NO_MEMORY: &str = "the memory for an array cannot be had";

impl<T: Element> Array<T> {
    /// An array of zeros (`false` for `bool`), one length a dimension.
    ///
    /// ```
    /// use dsl_runtime::Array;
    /// assert_eq!(Array::<i32>::zeros(&[2, 3]).to_vec(), [0; 6]);
    /// ```
    ///
    /// # Panics
    /// If the memory cannot be had, as `vec![0; n]` does.
    pub fn zeros(shape: &[usize]) -> Array<T> {
        // Even elements that take no memory are counted.
        count(shape).expect(NO_MEMORY);
        let leaves = T::leaves().into_iter().map(|leaf| {
            let shape: Vec<usize> = [shape, &leaf.shape].concat();
            let buffer = count(&shape).and_then(|n| HostBuffer::uninit(n, leaf.elem.bytes()));
            let buffer = buffer.expect(NO_MEMORY);
            // SAFETY: all bytes of the buffer are written; zeros are a value of every scalar type.
            unsafe {
                buffer.as_ptr().write_bytes(0, buffer.bytes());
                Dense::from_buffer(leaf.elem, shape, Arc::new(buffer))
            }
        });
        Array::from_leaves(shape.into(), leaves.collect(), Place::current())
    }

    /// Copies an ndarray array or view, of any strides.
    ///
    /// ```
    /// use dsl_runtime::Array;
    /// let x = ndarray::array![[1, 2], [3, 4]];
    /// assert_eq!(Array::from_ndarray(x.t().to_owned()).to_vec(), [1, 3, 2, 4]);
    /// ```
    pub fn from_ndarray<S: Data<Elem = T>, D: Dimension>(array: ArrayBase<S, D>) -> Array<T> {
        let shape = Dims::from(array.shape());
        let vec = if array.is_standard_layout() {
            let (vec, offset) = array.into_owned().into_raw_vec_and_offset();
            match offset {
                None | Some(0) if vec.len() == shape.iter().product() => vec,
                offset => {
                    let start = offset.unwrap_or(0);
                    vec[start..start + shape.iter().product::<usize>()].to_vec()
                }
            }
        } else {
            array.iter().copied().collect()
        };
        Array::of(vec, shape)
    }

    /// A copy of the elements, in row-major order.
    ///
    /// # Panics
    /// If the memory cannot be had, as a clone of a `Vec` does.
    pub fn to_vec(&self) -> Vec<T> {
        self.clone().into_vec()
    }

    /// A copy as an ndarray array of dynamic rank.
    ///
    /// ```
    /// use dsl_runtime::Array;
    /// let x = Array::from(vec![1, 2]).to_ndarray();
    /// assert_eq!(x, ndarray::arr1(&[1, 2]).into_dyn());
    /// ```
    ///
    /// # Panics
    /// As [`Array::into_ndarray`]; and if the memory cannot be had, as a clone of a `Vec` does.
    pub fn to_ndarray(&self) -> ArrayD<T> {
        self.clone().into_ndarray()
    }

    /// The elements, in row-major order: without a copy if this is the only clone and `T` is a scalar.
    ///
    /// ```
    /// use dsl_runtime::Array;
    /// let x = vec![1, 2, 3];
    /// let memory = x.as_ptr();
    /// assert_eq!(Array::from(x).into_vec().as_ptr(), memory);
    /// ```
    ///
    /// # Panics
    /// If it must be copied and the memory cannot be had, as a clone of a `Vec` does.
    pub fn into_vec(self) -> Vec<T> {
        self.try_into_vec().expect(NO_MEMORY)
    }

    /// As an ndarray array of dynamic rank: without a copy if this is the only clone and `T` is a scalar.
    ///
    /// # Panics
    /// If ndarray has no such array: one without an element whose other lengths multiply to more than `isize::MAX`. And as
    /// [`Array::into_vec`].
    pub fn into_ndarray(self) -> ArrayD<T> {
        let shape = Dims::from(self.shape());
        assert!(
            fits_ndarray(&shape),
            "an array of shape {shape:?} cannot be one of ndarray's, whose lengths multiply to at most isize::MAX, those of 0 aside"
        );
        ArrayD::from_shape_vec(IxDyn(&shape), self.into_vec())
            .expect("as many elements as the shape says")
    }

    /// The elements where they lie, if `T` is a scalar.
    ///
    /// ```
    /// use dsl_runtime::Array;
    /// assert_eq!(Array::from(vec![1, 2]).as_slice(), Some(&[1, 2][..]));
    /// ```
    pub fn as_slice(&self) -> Option<&[T]> {
        T::SCALAR?;
        let data = self.inner.leaves.first()?.buffer.as_ptr();
        // SAFETY: the only leaf of an array of scalars is its elements, contiguous, for as long as `self` is borrowed.
        Some(unsafe { std::slice::from_raw_parts(data.cast::<T>(), self.len()) })
    }

    pub(crate) fn try_into_vec(self) -> Option<Vec<T>> {
        let (shape, len) = (self.inner.shape.clone(), self.len());
        let leaves = match Arc::try_unwrap(self.inner) {
            Err(shared) => shared.leaves.clone(),
            Ok(mut own) if T::SCALAR.is_some() => {
                // SAFETY: the only leaf of an array of scalars holds its elements, of the scalar type of `T`.
                match unsafe { own.leaves.remove(0).into_vec(len) } {
                    Ok(vec) => return Some(vec),
                    Err(dense) => SmallVec::from_buf([dense]),
                }
            }
            Ok(own) => own.leaves,
        };
        vec_from_leaves(&shape, leaves.iter().map(Dense::view))
    }

    pub(crate) fn of(vec: Vec<T>, shape: Dims<usize>) -> Array<T> {
        let leaves = into_leaves(vec, &shape).expect(NO_MEMORY);
        Array::from_leaves(shape, leaves, Place::current())
    }

    /// The same array at another place that reads the same memory.
    pub(crate) fn at(mut self, place: &Place) -> Array<T> {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.place = place.clone();
        }
        self
    }

    /// From the results of a run: as many leaves as `T` has, of their types, with `shape` in front of their own.
    pub(crate) fn from_leaves(
        shape: Dims<usize>,
        leaves: SmallVec<[Dense; 1]>,
        place: Place,
    ) -> Array<T> {
        Array {
            inner: Arc::new(Inner {
                shape,
                leaves,
                place,
            }),
            element: PhantomData,
        }
    }
}

impl<T> Array<T> {
    /// The number of elements, in all dimensions together.
    pub fn len(&self) -> usize {
        count(self.shape()).unwrap_or(usize::MAX)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.shape().contains(&0)
    }

    /// The lengths, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.inner.shape
    }

    /// Where it lives.
    pub fn place(&self) -> &Place {
        &self.inner.place
    }

    pub(crate) fn leaves(&self) -> &[Dense] {
        &self.inner.leaves
    }
}

impl<T: Element> From<Array<T>> for Vec<T> {
    fn from(array: Array<T>) -> Vec<T> {
        array.into_vec()
    }
}

impl<T: Element> From<Vec<T>> for Array<T> {
    fn from(vec: Vec<T>) -> Array<T> {
        let shape = SmallVec::from_slice(&[vec.len()]);
        Array::of(vec, shape)
    }
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Array<T> {
        Array {
            inner: self.inner.clone(),
            element: PhantomData,
        }
    }
}

impl<T: Element + fmt::Debug> fmt::Debug for Array<T> {
    /// As ndarray prints it, abbreviated where it is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.shape();
        if let (Some(elements), true) = (self.as_slice(), fits_ndarray(shape))
            && let Ok(view) = ArrayViewD::from_shape(IxDyn(shape), elements)
        {
            write!(f, "{view:?}")?;
        } else if let (Some(elements), true) = (self.clone().try_into_vec(), fits_ndarray(shape))
            && let Ok(array) = ArrayD::from_shape_vec(IxDyn(shape), elements)
        {
            write!(f, "{array:?}")?;
        } else {
            // Where ndarray has no such array, or a copy cannot be had.
            write!(f, "Array, shape={shape:?}")?;
        }
        write!(f, " at {}", self.place())
    }
}
