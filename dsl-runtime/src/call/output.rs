//! Results: from the arrays and scalars of a run to what the kernel's signature says, and into the caller's memory.

use crate::array::element::Element;
use crate::array::erased::{Borrowed, BorrowedMut, from_const, from_leaves, into_elements};
use crate::array::{Array, Dense, Dims, Stored, Value, count};
use crate::backend::Failure;
use crate::place::Place;
use crate::tuple::for_each_tuple;
use ndarray::{ArrayBase, ArrayRef, DataMut, Dimension, Ix1, OwnedRepr};
use smallvec::SmallVec;

/// A result type of a kernel: scalars, tuples, fixed arrays, `Vec<T>` and ndarray arrays, and `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a kernel",
    label = "not a result type",
    note = "scalars, tuples, fixed arrays, `Vec<T>` and ndarray arrays of up to four dimensions can"
)]
pub trait Output: Sized {
    /// What it is at a place: arrays become [`Array`], everything else stays as it is.
    type Device;
    /// Takes its leaves.
    fn device(values: &mut Results) -> Result<Self::Device, Defect>;
    /// Takes its leaves, to host memory of the user's.
    fn host(values: &mut Results) -> Result<Self, Defect>;
    /// What the plain function returned, as an array at its place.
    fn send(self, place: &Place) -> Self::Device;
    /// Its parts, as [`Destination::targets`] counts them.
    fn parts<'s>(&'s self, parts: &mut Parts<'s>);
}

/// The parts of a result, to read.
pub type Parts<'s> = SmallVec<[Part<'s>; 2]>;
/// A part of a result, to read.
#[derive(Debug)]
pub struct Part<'s>(pub(crate) Borrowed<'s>);
/// The caller's memory for the parts of a result.
pub type Targets<'a> = SmallVec<[Target<'a>; 2]>;
/// The caller's memory for a part of a result.
#[derive(Debug)]
pub struct Target<'a>(pub(crate) BorrowedMut<'a>);

/// Why results cannot be taken.
#[derive(Debug)]
pub enum Defect {
    /// Memory of this many bytes cannot be had.
    Memory(u128),
    /// They cannot be fetched.
    Failure(Failure),
    /// A backend returned something else than the function's results.
    Backend(String),
}

impl From<Failure> for Defect {
    fn from(failure: Failure) -> Defect {
        Defect::Failure(failure)
    }
}

/// The results of a run, to be taken in order.
#[derive(Debug)]
pub struct Results {
    values: std::vec::IntoIter<Value>,
    place: Place,
}

impl Results {
    pub(crate) fn new(values: Vec<Value>, place: Place) -> Results {
        Results {
            values: values.into_iter(),
            place,
        }
    }

    pub(crate) fn value(&mut self) -> Result<Value, Defect> {
        let missing = || Defect::Backend("a result is missing".to_string());
        self.values.next().ok_or_else(missing)
    }

    pub(crate) fn dense(&mut self) -> Result<Dense, Defect> {
        in_host_memory(self.value()?)
    }

    /// What `take` makes of the array of each leaf of `T`, and the `rank` lengths that all have in front of the leaf's own.
    fn leaves<T: Element, X>(
        &mut self,
        rank: usize,
        take: impl Fn(Value) -> Result<X, Defect>,
    ) -> Result<(Dims<usize>, SmallVec<[X; 1]>), Defect> {
        let mut shape: Option<Dims<usize>> = None;
        let mut leaves = SmallVec::new();
        for leaf in &T::leaves() {
            let value = self.value()?;
            let (elem, found) = match &value {
                Value::Array(dense) => (dense.elem, &dense.shape[..]),
                Value::Stored(stored) => (stored.elem(), stored.shape()),
                Value::Scalar(_) | Value::Written => return Err(no_array(&value)),
            };
            let fits = elem == leaf.elem
                && found.len() == rank + leaf.shape.len()
                && found[rank..] == leaf.shape[..]
                && shape.as_deref().is_none_or(|shape| found[..rank] == *shape);
            if !fits {
                let text = format!("{elem:?} of {found:?} where {leaf:?} is due");
                return Err(Defect::Backend(text));
            }
            shape.get_or_insert_with(|| found[..rank].into());
            leaves.push(take(value)?);
        }
        Ok((shape.expect("an element has a leaf"), leaves))
    }

    fn array<T: Element>(&mut self, rank: usize) -> Result<Array<T>, Defect> {
        let (_, leaves) = self.leaves::<T, _>(rank, wherever)?;
        Ok(Array::from_leaves(rank, leaves, self.place.clone()))
    }

    fn vec<T: Element>(&mut self, rank: usize) -> Result<(Vec<T>, Dims<usize>), Defect> {
        let (shape, leaves) = self.leaves::<T, _>(rank, in_host_memory)?;
        let bytes = || count(&shape).unwrap_or(usize::MAX) as u128 * size_of::<T>() as u128;
        let vec = into_elements(&shape, leaves).ok_or_else(|| Defect::Memory(bytes()))?;
        Ok((vec, shape))
    }
}

fn in_host_memory(value: Value) -> Result<Dense, Defect> {
    match value {
        Value::Array(dense) => Ok(dense),
        Value::Stored(stored) => Ok(stored.into_dense()?),
        other => Err(no_array(&other)),
    }
}

fn wherever(value: Value) -> Result<Stored, Defect> {
    match value {
        Value::Array(dense) => Ok(dense.into()),
        Value::Stored(stored) => Ok(stored),
        other => Err(no_array(&other)),
    }
}

fn no_array(value: &Value) -> Defect {
    Defect::Backend(format!("{value:?} where an array is due"))
}

macro_rules! scalars {
    ($($t:ty)*) => {$(
        impl Output for $t {
            type Device = $t;
            fn device(values: &mut Results) -> Result<$t, Defect> {
                match values.value()? {
                    Value::Scalar(value) if Some(value.ty) == <$t as Element>::SCALAR => Ok(from_const(value)),
                    other => Err(Defect::Backend(format!("{other:?} where a scalar is due"))),
                }
            }
            fn host(values: &mut Results) -> Result<$t, Defect> {
                Self::device(values)
            }
            fn send(self, _: &Place) -> $t {
                self
            }
            fn parts<'s>(&'s self, parts: &mut Parts<'s>) {
                parts.push(Part(Borrowed::value(self)));
            }
        }
        impl<'a> Destination<'a, $t> for &'a mut $t {
            fn targets(self, targets: &mut Targets<'a>) {
                targets.push(Target(BorrowedMut::value(self)));
            }
        }
    )*};
}
scalars! { bool i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 }

macro_rules! tuples {
    ($($($t:ident $o:ident $i:tt),*;)*) => {$(
        impl<$($t: Output),*> Output for ($($t,)*) {
            type Device = ($($t::Device,)*);
            #[allow(unused_variables, clippy::unused_unit)]
            fn device(values: &mut Results) -> Result<Self::Device, Defect> {
                Ok(($($t::device(values)?,)*))
            }
            #[allow(unused_variables)]
            fn host(values: &mut Results) -> Result<Self, Defect> {
                Ok(($($t::host(values)?,)*))
            }
            #[allow(unused_variables, clippy::unused_unit)]
            fn send(self, place: &Place) -> Self::Device {
                ($(self.$i.send(place),)*)
            }
            #[allow(unused_variables)]
            fn parts<'s>(&'s self, parts: &mut Parts<'s>) {
                $(self.$i.parts(parts);)*
            }
        }
        impl<'a, $($t,)* $($o: Destination<'a, $t>),*> Destination<'a, ($($t,)*)> for ($($o,)*) {
            #[allow(unused_variables)]
            fn targets(self, targets: &mut Targets<'a>) {
                $(self.$i.targets(targets);)*
            }
        }
    )*};
}
tuples! { ; }
for_each_tuple!(tuples);

impl<T: Element, const N: usize> Output for [T; N] {
    type Device = [T; N];
    fn device(values: &mut Results) -> Result<[T; N], Defect> {
        let (_, leaves) = values.leaves::<[T; N], _>(0, in_host_memory)?;
        Ok(from_leaves(leaves.iter().map(Dense::view)))
    }
    fn host(values: &mut Results) -> Result<[T; N], Defect> {
        Self::device(values)
    }
    fn send(self, _: &Place) -> [T; N] {
        self
    }
    fn parts<'s>(&'s self, parts: &mut Parts<'s>) {
        parts.push(Part(Borrowed::value(self)));
    }
}

impl<T: Element> Output for Vec<T> {
    type Device = Array<T>;
    fn device(values: &mut Results) -> Result<Array<T>, Defect> {
        values.array(1)
    }
    fn host(values: &mut Results) -> Result<Vec<T>, Defect> {
        Ok(values.vec(1)?.0)
    }
    fn send(self, place: &Place) -> Array<T> {
        Array::from(self).at(place)
    }
    fn parts<'s>(&'s self, parts: &mut Parts<'s>) {
        parts.push(Part(Borrowed::slice(self)));
    }
}

impl<T: Element, D: Dimension> Output for ArrayBase<OwnedRepr<T>, D> {
    type Device = Array<T>;
    fn device(values: &mut Results) -> Result<Array<T>, Defect> {
        values.array(rank::<D>()?)
    }
    fn host(values: &mut Results) -> Result<Self, Defect> {
        let (vec, shape) = values.vec(rank::<D>()?)?;
        let mut dim = D::zeros(shape.len());
        dim.slice_mut().copy_from_slice(&shape);
        // Without an element, the other lengths may still multiply to more than ndarray counts to.
        let known = vec.len();
        ArrayBase::from_shape_vec(dim, vec).map_err(|error| match known {
            0 => Defect::Memory(u128::MAX),
            _ => Defect::Backend(error.to_string()),
        })
    }
    fn send(self, place: &Place) -> Array<T> {
        Array::from_ndarray(self).at(place)
    }
    fn parts<'s>(&'s self, parts: &mut Parts<'s>) {
        parts.push(Part(Borrowed::nd(self.view())));
    }
}

fn rank<D: Dimension>() -> Result<usize, Defect> {
    D::NDIM.ok_or_else(|| Defect::Backend("a result of dynamic rank".to_string()))
}

/// Memory of the caller's for a result of type `R`: `&mut [T]`, `&mut Vec<T>` or `&mut [T; N]` for a `Vec<T>`, `&mut` an
/// ndarray array or view for an array, `&mut T` for a scalar or a fixed array, and tuples of these for tuples.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no memory for a result of type `{R}`",
    label = "not memory for `{R}`",
    note = "give a `&mut` slice, vector, array or scalar; for a tuple, a tuple of them"
)]
pub trait Destination<'a, R> {
    /// Appends the memory for each part.
    fn targets(self, targets: &mut Targets<'a>);
}

macro_rules! slices {
    ($([$($generic:tt)*] $t:ty;)*) => {$(
        impl<'a, $($generic)* T: Element> Destination<'a, Vec<T>> for &'a mut $t {
            fn targets(self, targets: &mut Targets<'a>) {
                targets.push(Target(BorrowedMut::slice::<T>(self)));
            }
        }
    )*};
}
slices! {
    [] [T];
    [] Vec<T>;
    [] Box<[T]>;
    ['b,] &'b mut [T];
    [const N: usize,] [T; N];
}

impl<'a, T: Element, S: DataMut<Elem = T>> Destination<'a, Vec<T>> for &'a mut ArrayBase<S, Ix1> {
    fn targets(self, targets: &mut Targets<'a>) {
        targets.push(Target(BorrowedMut::nd(self.view_mut())));
    }
}

impl<'a, T: Element> Destination<'a, Vec<T>> for ndarray::ArrayViewMut1<'a, T> {
    fn targets(self, targets: &mut Targets<'a>) {
        targets.push(Target(BorrowedMut::nd(self)));
    }
}

impl<'a, T: Element, S: DataMut<Elem = T>, D: Dimension> Destination<'a, ndarray::Array<T, D>>
    for &'a mut ArrayBase<S, D>
{
    fn targets(self, targets: &mut Targets<'a>) {
        targets.push(Target(BorrowedMut::nd(self.view_mut())));
    }
}

impl<'a, T: Element, D: Dimension> Destination<'a, ndarray::Array<T, D>>
    for &'a mut ArrayRef<T, D>
{
    fn targets(self, targets: &mut Targets<'a>) {
        targets.push(Target(BorrowedMut::nd(self.view_mut())));
    }
}

impl<'a, T: Element, D: Dimension> Destination<'a, ndarray::Array<T, D>>
    for ndarray::ArrayViewMut<'a, T, D>
{
    fn targets(self, targets: &mut Targets<'a>) {
        targets.push(Target(BorrowedMut::nd(self)));
    }
}

impl<'a, T: Element, const N: usize> Destination<'a, [T; N]> for &'a mut [T; N] {
    fn targets(self, targets: &mut Targets<'a>) {
        targets.push(Target(BorrowedMut::value(self)));
    }
}
