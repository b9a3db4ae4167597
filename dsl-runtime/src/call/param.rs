//! What may stand for a parameter of a kernel.

use super::passed::{Own, Passed, from_placed};
use crate::array::Array;
use crate::array::element::Element;
use crate::array::erased::{Borrowed, BorrowedMut, from_const, to_const};
use crate::tuple::for_each_tuple;
use ndarray::{
    ArrayBase, ArrayRef, CowArray, CowRepr, Dimension, Ix1, OwnedArcRepr, OwnedRepr, ViewRepr,
};
use std::any::Any;
use std::borrow::Cow;

/// A parameter that is given as its own type: scalars, tuples, fixed arrays, vectors, and references to some of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a kernel",
    label = "not a parameter type",
    note = "scalars, tuples, fixed arrays, slices, vectors and ndarray arrays of them can"
)]
pub trait Param<'a>: Sized {
    /// Forgets the type.
    fn pass(self) -> Passed<'a>;
    /// What was passed.
    fn restore(passed: &'a Passed<'_>) -> Self;
}

/// What may be given for a parameter `&[T]`: slices, fixed arrays, vectors, and one-dimensional arrays, by reference or as a
/// view.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for `&[{T}]`",
    label = "not a sequence of `{T}`",
    note = "give a `&[T]`, `&[T; N]`, `&Vec<T>`, `&Array1<T>`, `ArrayView1<T>` or `&Array<T>`"
)]
pub trait SliceArg<'a, T: Element>: Sized {
    /// Forgets the type.
    fn pass(self) -> Passed<'a>;
    /// As a slice: a copy if its elements do not lie like one.
    fn to_slice(self) -> Cow<'a, [T]>;
}

/// What may be given for a parameter that is an ndarray array or view: these of any strides, and arrays at a place.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for an array of `{T}` with this number of dimensions",
    label = "not such an array",
    note = "give a reference to an ndarray array, a view, or a `&Array<T>`"
)]
pub trait NdArg<'a, T: Element, D: Dimension>: Sized {
    /// Forgets the type.
    fn pass(self) -> Passed<'a>;
    /// As a view.
    fn to_view(self) -> CowArray<'a, T, D>;
    /// As a reference to an array: a copy unless it is one.
    fn to_array(self) -> Cow<'a, ndarray::Array<T, D>>;
}

// ---- by value ----

macro_rules! scalars {
    ($($t:ty)*) => {$(
        impl<'a> Param<'a> for $t {
            fn pass(self) -> Passed<'a> {
                Passed::scalar(to_const(self))
            }
            fn restore(passed: &'a Passed<'_>) -> $t {
                from_const(passed.to_const())
            }
        }
        impl<'a> Param<'a> for &'a $t {
            fn pass(self) -> Passed<'a> {
                Passed::read_whole(Borrowed::value(self), self)
            }
            fn restore(passed: &'a Passed<'_>) -> &'a $t {
                passed.whole().expect("the reference that it was")
            }
        }
    )*};
}
scalars! { bool i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 }

macro_rules! tuples {
    ($($($t:ident $o:ident $i:tt),+;)*) => {$(
        impl<'a, $($t: Param<'a>),+> Param<'a> for ($($t,)+) {
            fn pass(self) -> Passed<'a> {
                Passed::tuple(vec![$(self.$i.pass()),+])
            }
            fn restore(passed: &'a Passed<'_>) -> Self {
                let members = passed.members();
                ($($t::restore(&members[$i]),)+)
            }
        }
    )*};
}
for_each_tuple!(tuples);

/// A value of an element type.
struct One<T>(T);

impl<T: Element> Own for One<T> {
    fn borrow(&self) -> Borrowed<'_> {
        Borrowed::value(&self.0)
    }
    fn any(&self) -> &(dyn Any + Send + Sync) {
        &self.0
    }
}

impl<T: Element> Own for Vec<T> {
    fn borrow(&self) -> Borrowed<'_> {
        Borrowed::slice(self)
    }
    fn any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl<T: Element, D: Dimension + 'static> Own for ndarray::Array<T, D> {
    fn borrow(&self) -> Borrowed<'_> {
        Borrowed::nd(self.view())
    }
    fn any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl<'a, T: Element, const N: usize> Param<'a> for [T; N] {
    fn pass(self) -> Passed<'a> {
        Passed::own(One(self))
    }
    fn restore(passed: &'a Passed<'_>) -> Self {
        *passed.whole().expect("the array that it was")
    }
}

impl<'a, T: Element> Param<'a> for Vec<T> {
    fn pass(self) -> Passed<'a> {
        Passed::own(self)
    }
    fn restore(passed: &'a Passed<'_>) -> Self {
        passed
            .whole::<Self>()
            .expect("the vector that it was")
            .clone()
    }
}

impl<'a, T: Element, D: Dimension + 'static> Param<'a> for ndarray::Array<T, D> {
    fn pass(self) -> Passed<'a> {
        Passed::own(self)
    }
    fn restore(passed: &'a Passed<'_>) -> Self {
        passed
            .whole::<Self>()
            .expect("the array that it was")
            .clone()
    }
}

impl<'a, T: Element, D: Dimension> Param<'a> for ndarray::ArrayView<'a, T, D> {
    fn pass(self) -> Passed<'a> {
        Passed::read(Borrowed::nd(self))
    }
    fn restore(passed: &'a Passed<'_>) -> Self {
        passed.elements().expect("the view that it was").to_nd()
    }
}

// ---- by reference, as their own type ----

macro_rules! references {
    ($([$($generic:tt)*] $t:ty, $slf:ident => $borrowed:expr;)*) => {$(
        impl<'a, $($generic)*> Param<'a> for &'a $t {
            fn pass(self) -> Passed<'a> {
                let $slf = self;
                Passed::read_whole($borrowed, self)
            }
            fn restore(passed: &'a Passed<'_>) -> &'a $t {
                passed.whole().expect("the reference that it was")
            }
        }
    )*};
}
references! {
    [T: Element, const N: usize] [T; N], x => Borrowed::value(x);
    [T: Element] Vec<T>, x => Borrowed::slice(x);
    [T: Element, D: Dimension + 'static] ndarray::Array<T, D>, x => Borrowed::nd(x.view());
}

impl<'a, T: Element> Param<'a> for &'a [T] {
    fn pass(self) -> Passed<'a> {
        Passed::read(Borrowed::slice(self))
    }
    fn restore(passed: &'a Passed<'_>) -> &'a [T] {
        match passed.elements().expect("the slice that it was").to_slice() {
            Cow::Borrowed(slice) => slice,
            Cow::Owned(_) => unreachable!("a slice lies like one"),
        }
    }
}

/// A parameter `&mut [T]`.
pub fn pass_slice_mut<T: Element>(slice: &mut [T]) -> Passed<'_> {
    Passed::write(BorrowedMut::slice(slice))
}

/// A parameter that is a mutable reference to an ndarray array, or a mutable view.
pub fn pass_array_mut<T: Element, D: Dimension>(
    view: ndarray::ArrayViewMut<'_, T, D>,
) -> Passed<'_> {
    Passed::write(BorrowedMut::nd(view))
}

// ---- slices ----

macro_rules! slices {
    ($([$($generic:tt)*] $t:ty;)*) => {$(
        impl<'a, $($generic)* T: Element> SliceArg<'a, T> for $t {
            #[inline]
            fn pass(self) -> Passed<'a> {
                Passed::read(Borrowed::slice::<T>(self))
            }
            #[inline]
            fn to_slice(self) -> Cow<'a, [T]> {
                Cow::Borrowed(self)
            }
        }
    )*};
}
slices! {
    [] &'a [T];
    [] &'a mut [T];
    [] &'a Vec<T>;
    [] &'a mut Vec<T>;
    [] &'a Box<[T]>;
    [const N: usize,] &'a [T; N];
    [const N: usize,] &'a mut [T; N];
    ['b,] &'a &'b [T];
    ['b,] &'a &'b mut [T];
}

impl<'a, T: Element> SliceArg<'a, T> for &'a Array<T> {
    fn pass(self) -> Passed<'a> {
        Passed::placed(self, Some(1))
    }
    fn to_slice(self) -> Cow<'a, [T]> {
        match self.as_slice() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(self.to_vec()),
        }
    }
}

// ---- ndarray ----

/// Storages of ndarray arrays that may be given: the macro writes the traits for a reference to each of them.
macro_rules! storages {
    ($([$($generic:tt)*] $t:ty, $whole:ident;)*) => {$(
        impl<'a, $($generic)* T: Element> SliceArg<'a, T> for &'a ArrayBase<$t, Ix1> {
            fn pass(self) -> Passed<'a> {
                Passed::read(Borrowed::nd(self.view()))
            }
            fn to_slice(self) -> Cow<'a, [T]> {
                slice_of(self.view())
            }
        }
        impl<'a, $($generic)* T: Element, D: Dimension + 'static> NdArg<'a, T, D> for &'a ArrayBase<$t, D> {
            #[inline]
            fn pass(self) -> Passed<'a> {
                storages!(@pass $whole self)
            }
            fn to_view(self) -> CowArray<'a, T, D> {
                self.view().into()
            }
            fn to_array(self) -> Cow<'a, ndarray::Array<T, D>> {
                storages!(@array $whole self)
            }
        }
    )*};
    (@pass whole $slf:ident) => { Passed::read_whole(Borrowed::nd($slf.view()), $slf) };
    (@pass part $slf:ident) => { Passed::read(Borrowed::nd($slf.view())) };
    (@array whole $slf:ident) => { Cow::Borrowed($slf) };
    (@array part $slf:ident) => { Cow::Owned($slf.to_owned()) };
}
storages! {
    [] OwnedRepr<T>, whole;
    ['b,] ViewRepr<&'b T>, part;
    ['b,] ViewRepr<&'b mut T>, part;
    ['b,] CowRepr<'b, T>, part;
    [] OwnedArcRepr<T>, part;
}

fn slice_of<T: Element>(view: ndarray::ArrayView1<'_, T>) -> Cow<'_, [T]> {
    Borrowed::nd(view).to_slice()
}

impl<'a, T: Element> SliceArg<'a, T> for ndarray::ArrayView1<'a, T> {
    fn pass(self) -> Passed<'a> {
        Passed::read(Borrowed::nd(self))
    }
    fn to_slice(self) -> Cow<'a, [T]> {
        slice_of(self)
    }
}

impl<'a, T: Element> SliceArg<'a, T> for &'a ArrayRef<T, Ix1> {
    fn pass(self) -> Passed<'a> {
        Passed::read(Borrowed::nd(self.view()))
    }
    fn to_slice(self) -> Cow<'a, [T]> {
        slice_of(self.view())
    }
}

impl<'a, T: Element, D: Dimension + 'static> NdArg<'a, T, D> for ndarray::ArrayView<'a, T, D> {
    fn pass(self) -> Passed<'a> {
        Passed::read(Borrowed::nd(self))
    }
    fn to_view(self) -> CowArray<'a, T, D> {
        self.into()
    }
    fn to_array(self) -> Cow<'a, ndarray::Array<T, D>> {
        Cow::Owned(self.to_owned())
    }
}

impl<'a, T: Element, D: Dimension + 'static> NdArg<'a, T, D> for &'a ArrayRef<T, D> {
    fn pass(self) -> Passed<'a> {
        Passed::read(Borrowed::nd(self.view()))
    }
    fn to_view(self) -> CowArray<'a, T, D> {
        self.view().into()
    }
    fn to_array(self) -> Cow<'a, ndarray::Array<T, D>> {
        Cow::Owned(self.to_owned())
    }
}

impl<'a, T: Element, D: Dimension + 'static> NdArg<'a, T, D> for &'a Array<T> {
    fn pass(self) -> Passed<'a> {
        Passed::placed(self, D::NDIM)
    }
    fn to_view(self) -> CowArray<'a, T, D> {
        from_placed(self).into()
    }
    fn to_array(self) -> Cow<'a, ndarray::Array<T, D>> {
        Cow::Owned(from_placed(self))
    }
}
