//! `Array<T>`: the user's array at a place, one [`Stored`] for each leaf of `T`.

use super::erased::{into_elements, into_leaves};
use super::{Dense, Dims, Element, HostBuffer, Stored, count};
use crate::backend::Failure;
use crate::error::{Error, Site};
use crate::ir;
use crate::place::Place;
use ndarray::{ArrayBase, ArrayD, ArrayViewD, Data, Dimension, IxDyn};
use smallvec::SmallVec;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// An array that lives at a place: immutable, cheap to clone, of any rank.
///
/// The results of [`crate::Call::run`] are arrays, and the arguments of the next call may be: a chain of calls at one place
/// copies nothing. Where it is used elsewhere, a copy is made there, once for all clones; that of a device is fetched to
/// host memory when it is first read here.
///
/// ```
/// use dsl_runtime::Array;
/// let x = Array::from(vec![(1.0f32, 1i32), (2.0, 2)]);
/// assert_eq!((x.len(), x.shape()), (2, &[2][..]));
/// assert_eq!(x.clone().to_vec(), [(1.0, 1), (2.0, 2)]);
/// ```
pub struct Array<T> {
    /// One at least, each with the lengths of the array in front of its own.
    leaves: SmallVec<[Stored; 1]>,
    rank: usize,
    place: Place,
    element: PhantomData<T>,
}

/// Whether ndarray has arrays of this shape.
fn fits_ndarray(shape: &[usize]) -> bool {
    let mut lengths = shape.iter().filter(|&&len| len != 0);
    let most = lengths.try_fold(1usize, |n, &len| n.checked_mul(len));
    most.is_some_and(|n| isize::try_from(n).is_ok())
}

/// What an array that cannot have its memory panics with, as a `Vec` does.
const NO_MEMORY: &str = "the memory for an array cannot be had";

/// Panics as an array whose elements cannot be had.
fn lost(failure: Failure) -> ! {
    panic!("{}", Error::from_failure_at(failure, Site::default()))
}

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
            let dense = unsafe {
                buffer.as_ptr().write_bytes(0, buffer.bytes());
                Dense::from_buffer(leaf.elem, shape, Arc::new(buffer))
            };
            dense.into()
        });
        Array::from_leaves(shape.len(), leaves.collect(), Place::current())
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
    /// If the memory cannot be had, as a clone of a `Vec` does; and with the text of the error, if a device that alone has them
    /// does not give them.
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
    /// As [`Array::into_ndarray`] and [`Array::to_vec`].
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
    /// As [`Array::to_vec`], but no memory is needed where nothing is copied.
    pub fn into_vec(self) -> Vec<T> {
        self.try_into_vec().unwrap_or_else(|failure| lost(failure))
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

    /// The elements where they lie in host memory, if `T` is a scalar.
    ///
    /// ```
    /// use dsl_runtime::Array;
    /// assert_eq!(Array::from(vec![1, 2]).as_slice(), Some(&[1, 2][..]));
    /// ```
    ///
    /// # Panics
    /// With the text of the error, if a device that alone has them does not give them.
    pub fn as_slice(&self) -> Option<&[T]> {
        self.try_as_slice().unwrap_or_else(|failure| lost(failure))
    }

    fn try_as_slice(&self) -> Result<Option<&[T]>, Failure> {
        if T::SCALAR.is_none() {
            return Ok(None);
        }
        let data = self.leaves[0].dense()?.buffer.as_ptr();
        // SAFETY: the only leaf of an array of scalars is its elements, contiguous, for as long as `self` is borrowed.
        Ok(Some(unsafe {
            std::slice::from_raw_parts(data.cast::<T>(), self.len())
        }))
    }

    fn try_into_vec(self) -> Result<Vec<T>, Failure> {
        let shape = Dims::from(self.shape());
        let leaves = self.leaves.into_iter().map(Stored::into_dense);
        let leaves = leaves.collect::<Result<_, _>>()?;
        into_elements(&shape, leaves).ok_or_else(|| Failure::OutOfMemory {
            bytes: count(&shape).map_or(u128::MAX, |n| n as u128 * size_of::<T>() as u128),
            place: ir::Place::default(),
        })
    }

    pub(crate) fn of(vec: Vec<T>, shape: Dims<usize>) -> Array<T> {
        let leaves = into_leaves(vec, &shape).expect(NO_MEMORY);
        let leaves = leaves.into_iter().map(Stored::from);
        Array::from_leaves(shape.len(), leaves.collect(), Place::current())
    }

    /// The same array at another place that reads the same memory.
    pub(crate) fn at(self, place: &Place) -> Array<T> {
        let place = place.clone();
        Array { place, ..self }
    }

    /// From its parts ([`Array::leaves`]): as many as `T` has, of their types, with the same `rank` lengths in front of their own.
    ///
    /// # Panics
    /// If there are more or fewer, or some are of another type or shape.
    pub fn from_parts(rank: usize, leaves: Vec<Stored>, place: Place) -> Array<T> {
        let wanted = T::leaves();
        assert_eq!(wanted.len(), leaves.len(), "a part for each scalar");
        for (leaf, wanted) in leaves.iter().zip(&wanted) {
            let own = leaf.shape().get(rank..);
            assert!(
                leaf.elem() == wanted.elem
                    && own == Some(&wanted.shape[..])
                    && leaf.shape()[..rank] == leaves[0].shape()[..rank],
                "a part of {} {:?}",
                leaf.elem(),
                leaf.shape()
            );
        }
        Array::from_leaves(rank, leaves.into(), place)
    }

    /// From the results of a run: as many leaves as `T` has, of their types, with the same `rank` lengths in front of their own.
    pub(crate) fn from_leaves(
        rank: usize,
        leaves: SmallVec<[Stored; 1]>,
        place: Place,
    ) -> Array<T> {
        Array {
            leaves,
            rank,
            place,
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
        &self.leaves[0].shape()[..self.rank]
    }

    /// Where it lives.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its parts, one for each scalar of `T`: what backends make arrays of. Each has the lengths of the array in front of those
    /// of the scalar (a fixed array in `T` has some).
    pub fn leaves(&self) -> &[Stored] {
        &self.leaves
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
            leaves: self.leaves.clone(),
            rank: self.rank,
            place: self.place.clone(),
            element: PhantomData,
        }
    }
}

impl<T: Element + fmt::Debug> fmt::Debug for Array<T> {
    /// As ndarray prints it, abbreviated where it is long; only the shape, if the elements cannot be had.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.shape();
        if let (Ok(Some(elements)), true) = (self.try_as_slice(), fits_ndarray(shape))
            && let Ok(view) = ArrayViewD::from_shape(IxDyn(shape), elements)
        {
            write!(f, "{view:?}")?;
        } else if let (Ok(elements), true) = (self.clone().try_into_vec(), fits_ndarray(shape))
            && let Ok(array) = ArrayD::from_shape_vec(IxDyn(shape), elements)
        {
            write!(f, "{array:?}")?;
        } else {
            // Where ndarray has no such array, or the elements cannot be had.
            write!(f, "Array, shape={shape:?}")?;
        }
        write!(f, " at {}", self.place())
    }
}
