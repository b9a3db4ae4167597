//! Elements whose Rust type is forgotten: a borrow of `&[T]`, `&mut [T]`, an ndarray view or one value, as views of its
//! leaves, and back to the type that it had.

use super::element::Element;
use super::{ArrayView, ArrayViewMut, Dense, Dims, HostBuffer, contiguous, count, strided};
use crate::ir::Const;
use ndarray::{Axis, Dimension, ShapeBuilder};
use smallvec::SmallVec;
use std::any::TypeId;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::Arc;

use super::element::LeafLayout;

/// One view for each leaf.
pub(crate) type Views<'a> = SmallVec<[ArrayView<'a>; 2]>;
/// One view for each leaf, to write.
pub(crate) type ViewsMut<'a> = SmallVec<[ArrayViewMut<'a>; 2]>;

/// Makes the views of elements whose type it knows.
type ViewsOf = for<'v> unsafe fn(&Elements, PhantomData<&'v ()>) -> Views<'v>;

/// Elements that are borrowed to be read, whose type is known only by its identity.
#[derive(Clone, Debug)]
pub(crate) struct Borrowed<'a> {
    elements: Elements,
    element: TypeId,
    views: ViewsOf,
    life: PhantomData<&'a ()>,
}

// SAFETY: a shared borrow of elements, which are `Sync`.
unsafe impl Send for Borrowed<'_> {}
// SAFETY: as above.
unsafe impl Sync for Borrowed<'_> {}

impl<'a> Borrowed<'a> {
    /// A slice.
    pub(crate) fn slice<T: Element>(slice: &'a [T]) -> Self {
        Self::elements::<T>(Elements::slice(slice.as_ptr(), slice.len()))
    }

    /// An ndarray view, of any strides.
    pub(crate) fn nd<T: Element, D: Dimension>(view: ndarray::ArrayView<'a, T, D>) -> Self {
        Self::elements::<T>(Elements::nd(view.as_ptr(), view.shape(), view.strides()))
    }

    /// One value.
    pub(crate) fn value<T: Element>(value: &'a T) -> Self {
        Self::elements::<T>(Elements::one(value))
    }

    fn elements<T: Element>(elements: Elements) -> Self {
        Borrowed {
            elements,
            element: TypeId::of::<T>(),
            views: Elements::views::<T>,
            life: PhantomData,
        }
    }

    /// A view for each leaf.
    pub(crate) fn views(&self) -> Views<'a> {
        // SAFETY: the function belongs to the element type, and the elements are borrowed for `'a`.
        unsafe { (self.views)(&self.elements, PhantomData) }
    }

    /// The lengths.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.elements.shape
    }

    fn assert<T: Element>(&self, rank: Option<usize>) {
        assert_eq!(self.element, TypeId::of::<T>(), "the type that it had");
        assert!(
            rank.is_none_or(|rank| rank == self.elements.shape.len()),
            "the rank that it had"
        );
    }

    /// As a slice: a copy if the elements do not lie like one.
    pub(crate) fn to_slice<T: Element>(&self) -> Cow<'a, [T]> {
        self.assert::<T>(Some(1));
        let Elements {
            data,
            shape,
            strides,
        } = &self.elements;
        if shape[0] <= 1 || strides[0] == size_of::<T>() as isize {
            // SAFETY: elements of type `T`, borrowed for `'a`, one behind the other.
            return Cow::Borrowed(unsafe {
                std::slice::from_raw_parts(data.cast::<T>(), shape[0])
            });
        }
        let elements = strided::offsets(shape, strides);
        // SAFETY: `offsets` yields these elements only.
        Cow::Owned(
            elements
                .map(|at| unsafe { data.wrapping_byte_offset(at).cast::<T>().read() })
                .collect(),
        )
    }

    /// As an ndarray view.
    pub(crate) fn to_nd<T: Element, D: Dimension>(&self) -> ndarray::ArrayView<'a, T, D> {
        self.assert::<T>(D::NDIM);
        let mut shape = D::zeros(self.elements.shape.len());
        shape.slice_mut().copy_from_slice(&self.elements.shape);
        let mut steps = shape.clone();
        let mut data = self.elements.data;
        let mut backwards = Dims::<usize>::new();
        for (axis, &stride) in self.elements.strides.iter().enumerate() {
            let len = self.elements.shape[axis];
            steps.slice_mut()[axis] = stride.unsigned_abs() / size_of::<T>().max(1);
            if stride < 0 {
                // ndarray wants the lowest address and turns the axis round itself.
                data = data.wrapping_byte_offset(stride * len.saturating_sub(1) as isize);
                backwards.push(axis);
            }
        }
        // SAFETY: the view that this was had these elements, from this lowest address on, borrowed for `'a`.
        let mut view =
            unsafe { ndarray::ArrayView::from_shape_ptr(shape.strides(steps), data.cast::<T>()) };
        for axis in backwards {
            view.invert_axis(Axis(axis));
        }
        view
    }
}

/// Elements that are borrowed to be read and then written.
#[derive(Debug)]
pub(crate) struct BorrowedMut<'a> {
    elements: Elements,
    element: TypeId,
    views: ViewsOf,
    views_mut: for<'v> unsafe fn(&Elements, PhantomData<&'v ()>) -> ViewsMut<'v>,
    life: PhantomData<&'a mut ()>,
}

// SAFETY: an exclusive borrow of elements, which are `Send`.
unsafe impl Send for BorrowedMut<'_> {}
// SAFETY: through a shared reference it is only read, and elements are `Sync`.
unsafe impl Sync for BorrowedMut<'_> {}

impl<'a> BorrowedMut<'a> {
    /// A slice.
    pub(crate) fn slice<T: Element>(slice: &'a mut [T]) -> Self {
        Self::elements::<T>(Elements::slice(slice.as_mut_ptr(), slice.len()))
    }

    /// An ndarray view, of any strides.
    pub(crate) fn nd<T: Element, D: Dimension>(mut view: ndarray::ArrayViewMut<'a, T, D>) -> Self {
        let data = view.as_mut_ptr();
        Self::elements::<T>(Elements::nd(data, view.shape(), view.strides()))
    }

    /// One value.
    pub(crate) fn value<T: Element>(value: &'a mut T) -> Self {
        Self::elements::<T>(Elements::one((&raw mut *value).cast_const()))
    }

    fn elements<T: Element>(elements: Elements) -> Self {
        BorrowedMut {
            elements,
            element: TypeId::of::<T>(),
            views: Elements::views::<T>,
            views_mut: Elements::views_mut::<T>,
            life: PhantomData,
        }
    }

    /// The lengths.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.elements.shape
    }

    /// A view for each leaf, to read.
    pub(crate) fn views(&self) -> Views<'_> {
        // SAFETY: the function belongs to the element type; nothing writes while `self` is borrowed.
        unsafe { (self.views)(&self.elements, PhantomData) }
    }

    /// A view for each leaf, to write.
    pub(crate) fn views_mut(&mut self) -> ViewsMut<'_> {
        // SAFETY: the function belongs to the element type; the borrow is exclusive, and ndarray's mutable views and
        // slices do not overlap themselves.
        unsafe { (self.views_mut)(&self.elements, PhantomData) }
    }

    /// For reading, as it was.
    pub(crate) fn as_borrowed(&self) -> Borrowed<'_> {
        Borrowed {
            elements: self.elements.clone(),
            element: self.element,
            views: self.views,
            life: PhantomData,
        }
    }

    /// Writes the leaves, which have its types and shapes.
    pub(crate) fn write<'v>(&mut self, leaves: impl IntoIterator<Item = ArrayView<'v>>) {
        fill(&mut self.views_mut(), leaves);
    }
}

/// Elements of some type in memory, in any layout: what is left of `&[T]` or an ndarray view when its type is forgotten.
#[derive(Clone, Debug)]
struct Elements {
    /// The first element.
    data: *mut u8,
    /// The lengths.
    shape: Dims<usize>,
    /// The distances of neighbours, in bytes.
    strides: Dims<isize>,
}

impl Elements {
    /// Those of a slice.
    fn slice<T: Element>(data: *const T, len: usize) -> Elements {
        Elements {
            data: data.cast_mut().cast(),
            shape: SmallVec::from_slice(&[len]),
            strides: SmallVec::from_slice(&[size_of::<T>() as isize]),
        }
    }

    /// Those of an ndarray array, whose strides count elements.
    fn nd<T: Element>(data: *const T, shape: &[usize], strides: &[isize]) -> Elements {
        Elements {
            data: data.cast_mut().cast(),
            shape: shape.into(),
            strides: strides
                .iter()
                .map(|step| step * size_of::<T>() as isize)
                .collect(),
        }
    }

    /// One value.
    fn one<T: Element>(value: *const T) -> Elements {
        Elements {
            data: value.cast_mut().cast(),
            shape: Dims::new(),
            strides: Dims::new(),
        }
    }

    fn leaf(&self, leaf: &LeafLayout) -> (Dims<usize>, Dims<isize>, *mut u8) {
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.clone());
        shape.extend_from_slice(&leaf.shape);
        strides.extend_from_slice(&leaf.strides);
        (shape, strides, self.data.wrapping_add(leaf.offset))
    }

    /// One view for each leaf of `T`, to read.
    ///
    /// # Safety
    /// For `'v`, these are elements of type `T` that may be read.
    unsafe fn views<'v, T: Element>(&self, _: PhantomData<&'v ()>) -> Views<'v> {
        let view = |elem, (shape, strides, data): (Dims<usize>, Dims<isize>, *mut u8)| {
            // SAFETY: the leaf lies inside each element, aligned; the caller vouches for the elements.
            unsafe { ArrayView::from_raw(elem, shape, strides, data.cast_const()) }
        };
        if let Some(elem) = T::SCALAR {
            let all = (self.shape.clone(), self.strides.clone(), self.data);
            return SmallVec::from_iter([view(elem, all)]);
        }
        let leaves = T::leaves();
        leaves.iter().map(|l| view(l.elem, self.leaf(l))).collect()
    }

    /// One view for each leaf of `T`, to write.
    ///
    /// # Safety
    /// For `'v`, these are elements of type `T`, without overlap, that may be written and that nothing else reads.
    unsafe fn views_mut<'v, T: Element>(&self, _: PhantomData<&'v ()>) -> ViewsMut<'v> {
        let leaves = T::leaves();
        leaves
            .iter()
            .map(|l| {
                let (shape, strides, data) = self.leaf(l);
                // SAFETY: the leaf lies inside each element, aligned, and the leaves do not overlap.
                unsafe { ArrayViewMut::from_raw(l.elem, shape, strides, data) }
            })
            .collect()
    }
}

/// The scalar that a value of a scalar type is.
pub(crate) fn to_const<T: Element>(value: T) -> Const {
    let elem = T::SCALAR.expect("a scalar type");
    // SAFETY: a value of a scalar type is its bits.
    unsafe { strided::read(elem, (&raw const value).cast()) }
}

/// The value of a scalar type that a scalar is.
pub(crate) fn from_const<T: Element>(value: Const) -> T {
    assert_eq!(T::SCALAR, Some(value.ty), "a scalar of this type");
    let mut typed = MaybeUninit::<T>::uninit();
    // SAFETY: a scalar type has the size and alignment of its element type; all its bits are written.
    unsafe {
        strided::write(typed.as_mut_ptr().cast(), value);
        typed.assume_init()
    }
}

/// One value from its leaves, which have the types and the fixed shapes of `T`'s.
pub(crate) fn from_leaves<'v, T: Element>(leaves: impl IntoIterator<Item = ArrayView<'v>>) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    let one = Elements::one(value.as_mut_ptr());
    // SAFETY: memory for one value, which nothing else sees.
    fill(&mut unsafe { one.views_mut::<T>(PhantomData) }, leaves);
    // SAFETY: all leaves have been written, and they cover the type.
    unsafe { value.assume_init() }
}

/// The elements whose leaves these are, `shape` of them: without a copy where a scalar's memory belongs to nobody else; `None` if
/// memory cannot be had. The inverse of [`into_leaves`].
pub(crate) fn into_elements<T: Element>(
    shape: &[usize],
    mut leaves: SmallVec<[Dense; 1]>,
) -> Option<Vec<T>> {
    if T::SCALAR.is_some()
        && let Some(dense) = leaves.pop()
    {
        // SAFETY: the only leaf of scalars is their array, of the scalar type of `T`.
        match unsafe { dense.into_vec(count(shape)?) } {
            Ok(vec) => return Some(vec),
            Err(dense) => leaves.push(dense),
        }
    }
    vec_from_leaves(shape, leaves.iter().map(Dense::view))
}

/// Vector of elements from their leaves, each with `len` (of any shape) in front; `None` if memory cannot be had.
pub(crate) fn vec_from_leaves<'v, T: Element>(
    shape: &[usize],
    leaves: impl IntoIterator<Item = ArrayView<'v>>,
) -> Option<Vec<T>> {
    let len = count(shape)?;
    let mut vec: Vec<T> = Vec::new();
    vec.try_reserve_exact(len).ok()?;
    let all = Elements {
        data: vec.as_mut_ptr().cast(),
        shape: shape.into(),
        strides: contiguous(shape, size_of::<T>()),
    };
    // SAFETY: the vector has room for the elements.
    fill(&mut unsafe { all.views_mut::<T>(PhantomData) }, leaves);
    // SAFETY: all leaves of `len` elements have been written.
    unsafe { vec.set_len(len) };
    Some(vec)
}

fn fill<'v>(targets: &mut [ArrayViewMut<'_>], leaves: impl IntoIterator<Item = ArrayView<'v>>) {
    let mut leaves = leaves.into_iter();
    for target in targets {
        target.copy_from(&leaves.next().expect("a value for each leaf"));
    }
}

/// One array for each leaf of the elements of a vector: of scalars, the vector's own memory.
pub(crate) fn into_leaves<T: Element>(
    vec: Vec<T>,
    shape: &[usize],
) -> Option<SmallVec<[Dense; 1]>> {
    debug_assert_eq!(Some(vec.len()), count(shape));
    if let Some(elem) = T::SCALAR {
        let buffer = Arc::new(HostBuffer::from_vec(vec));
        // SAFETY: the vector's elements are initialised and now belong to the buffer.
        let dense = unsafe { Dense::from_buffer(elem, shape.to_vec(), buffer) };
        return Some(SmallVec::from_buf([dense]));
    }
    let all = Elements {
        data: vec.as_ptr().cast_mut().cast(),
        shape: shape.into(),
        strides: contiguous(shape, size_of::<T>()),
    };
    // SAFETY: the vector's elements, which live until the end of this function.
    let views = unsafe { all.views::<T>(PhantomData) };
    views.iter().map(ArrayView::to_dense).collect()
}
