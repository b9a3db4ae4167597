//! Arguments as a call holds them: borrowed, their types forgotten. They become views of scalars for a backend, and what
//! they were for the plain function.

use super::param::Param;
use crate::array::element::Element;
use crate::array::erased::{Borrowed, BorrowedMut, Views};
use crate::array::{Arg, Array, Stored};
use crate::backend::Failure;
use crate::ir::Const;
use ndarray::{CowArray, Dimension};
use smallvec::SmallVec;
use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The scalars and arrays of a run.
pub(crate) type RunArgs<'v> = SmallVec<[Arg<'v>; 4]>;

/// An argument whose type is forgotten.
pub struct Passed<'a>(Kind<'a>);

enum Kind<'a> {
    /// A scalar; `bool`, `f32`, … tell its type.
    Scalar(Const),
    /// Elements to read; and the array itself, where it is one.
    Read(Borrowed<'a>, Option<&'a (dyn Any + Send + Sync)>),
    /// Elements to read and, when all has succeeded, to write.
    Write {
        /// Nobody ever waits for the lock: whoever takes it has the call's claim.
        elements: Mutex<BorrowedMut<'a>>,
        /// What the plain function has left there, until it is known that all has succeeded.
        pending: Mutex<Option<Box<dyn Own>>>,
    },
    /// A value that was moved here.
    Own(Box<dyn Own>),
    /// An array at a place, and the rank that the parameter wants.
    Placed {
        leaves: &'a [Stored],
        shape: &'a [usize],
        array: &'a (dyn Any + Send + Sync),
        rank: Option<usize>,
    },
    /// A tuple.
    Tuple(Vec<Passed<'a>>),
}

/// A value that the call owns.
pub(crate) trait Own: Send + Sync {
    /// Its elements.
    fn borrow(&self) -> Borrowed<'_>;
    /// Itself.
    fn any(&self) -> &(dyn Any + Send + Sync);
}

impl<'a> Passed<'a> {
    pub(crate) fn scalar(value: Const) -> Self {
        Passed(Kind::Scalar(value))
    }
    pub(crate) fn read(elements: Borrowed<'a>) -> Self {
        Passed(Kind::Read(elements, None))
    }
    pub(crate) fn read_whole(elements: Borrowed<'a>, whole: &'a (dyn Any + Send + Sync)) -> Self {
        Passed(Kind::Read(elements, Some(whole)))
    }
    pub(crate) fn write(elements: BorrowedMut<'a>) -> Self {
        Passed(Kind::Write {
            elements: Mutex::new(elements),
            pending: Mutex::new(None),
        })
    }
    pub(crate) fn own(value: impl Own + 'static) -> Self {
        Passed(Kind::Own(Box::new(value)))
    }
    pub(crate) fn placed<T: Element>(array: &'a Array<T>, rank: Option<usize>) -> Self {
        Passed(Kind::Placed {
            leaves: array.leaves(),
            shape: array.shape(),
            array,
            rank,
        })
    }
    pub(crate) fn tuple(members: Vec<Passed<'a>>) -> Self {
        Passed(Kind::Tuple(members))
    }

    /// What is wrong with its rank.
    pub(crate) fn misfit(&self) -> Option<String> {
        match &self.0 {
            Kind::Placed {
                shape,
                rank: Some(rank),
                ..
            } if shape.len() != *rank => Some(format!(
                "an array of {} dimensions where one of {rank} is wanted",
                shape.len()
            )),
            Kind::Tuple(members) => members.iter().find_map(Passed::misfit),
            _ => None,
        }
    }

    /// The number of scalars and arrays that it falls apart into.
    pub(crate) fn leaves(&self, open: &Guards<'_, 'a>) -> usize {
        let mut args = RunArgs::new();
        self.push(&mut open.iter(), &mut args);
        args.len()
    }

    /// Whether the call writes to it.
    pub(crate) fn writes(&self) -> bool {
        match &self.0 {
            Kind::Write { .. } => true,
            Kind::Tuple(members) => members.iter().any(Passed::writes),
            _ => false,
        }
    }

    /// Collects the locks of what will be written.
    pub(crate) fn lock<'v>(&'v self, guards: &mut Guards<'v, 'a>) {
        match &self.0 {
            Kind::Write { elements, .. } => {
                guards.push(elements.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Kind::Tuple(members) => members.iter().for_each(|member| member.lock(guards)),
            _ => {}
        }
    }

    /// Appends its scalars and arrays; `open` are the locks of what will be written, in order.
    pub(crate) fn push<'v>(
        &'v self,
        open: &mut std::slice::Iter<'v, MutexGuard<'_, BorrowedMut<'a>>>,
        args: &mut RunArgs<'v>,
    ) {
        let append = |args: &mut RunArgs<'v>, views: Views<'v>| {
            args.extend(views.into_iter().map(|view| match view.shape().is_empty() {
                true => Arg::Scalar(view.get(&[])),
                false => Arg::Array(view),
            }))
        };
        match &self.0 {
            Kind::Scalar(value) => args.push(Arg::Scalar(*value)),
            Kind::Read(elements, _) => append(args, elements.views()),
            Kind::Write { .. } => {
                let elements = open.next().expect("a lock for each argument to write");
                append(args, elements.views())
            }
            Kind::Own(value) => append(args, value.borrow().views()),
            Kind::Placed { leaves, .. } => args.extend(leaves.iter().map(Arg::Stored)),
            Kind::Tuple(members) => members.iter().for_each(|member| member.push(open, args)),
        }
    }

    /// Brings it to host memory, for the plain function.
    pub(crate) fn fetch(&self) -> Result<(), Failure> {
        match &self.0 {
            Kind::Placed { leaves, .. } => {
                leaves.iter().try_for_each(|leaf| leaf.dense().map(drop))
            }
            Kind::Tuple(members) => members.iter().try_for_each(Passed::fetch),
            _ => Ok(()),
        }
    }

    /// The scalar that it was.
    pub(crate) fn to_const(&self) -> Const {
        match &self.0 {
            Kind::Scalar(value) => *value,
            _ => unreachable!("{FORGOTTEN}"),
        }
    }

    /// The members of the tuple that it was.
    pub(crate) fn members(&self) -> &[Passed<'a>] {
        match &self.0 {
            Kind::Tuple(members) => members,
            _ => unreachable!("{FORGOTTEN}"),
        }
    }

    /// The value that was moved here, or the whole array that was borrowed.
    pub(crate) fn whole<T: 'static>(&self) -> Option<&T> {
        match &self.0 {
            Kind::Own(value) => value.any().downcast_ref(),
            Kind::Read(_, whole) => (*whole)?.downcast_ref(),
            Kind::Placed { array, .. } => array.downcast_ref(),
            _ => None,
        }
    }

    /// The elements that were borrowed.
    pub(crate) fn elements(&self) -> Option<&Borrowed<'a>> {
        match &self.0 {
            Kind::Read(elements, _) => Some(elements),
            _ => None,
        }
    }
}

/// What restoring an argument to another type than its own panics with: generated code never does.
const FORGOTTEN: &str = "an argument is restored to the type that it had";

/// The locks of the arguments that will be written, in order.
pub(crate) type Guards<'v, 'a> = SmallVec<[MutexGuard<'v, BorrowedMut<'a>>; 1]>;

impl fmt::Debug for Passed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Scalar(value) => write!(f, "{value:?}"),
            Kind::Read(elements, _) => write!(f, "{:?}", elements.shape()),
            Kind::Write { .. } => write!(f, "&mut _"),
            Kind::Own(value) => write!(f, "{:?}", value.borrow().shape()),
            Kind::Placed { shape, .. } => write!(f, "{shape:?}"),
            Kind::Tuple(members) => f.debug_list().entries(members).finish(),
        }
    }
}

/// All arguments of a call, in the order of the parameters. Generated code makes them and, for the plain function, turns
/// them back into what they were.
#[derive(Debug, Default)]
pub struct Args<'a>(pub(crate) Few<Passed<'a>>);

/// A list whose first values stand in itself. Unlike `SmallVec` it has no destructor of its own, so that a call that nobody uses
/// any more may still be there where what it borrows is assigned to: `x = f::call(&x).run()?`.
#[derive(Debug)]
pub(crate) struct Few<T> {
    first: [Option<T>; 4],
    more: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Few {
            first: [const { None }; 4],
            more: Vec::new(),
        }
    }
}

impl<T> Few<T> {
    #[inline]
    fn push(&mut self, value: T) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(value),
            None => self.more.push(value),
        }
    }

    /// The values in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().flatten().chain(&self.more)
    }
}

impl<T> std::ops::Index<usize> for Few<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        match self.first.get(at) {
            Some(value) => value.as_ref().expect("as many values as parameters"),
            None => &self.more[at - self.first.len()],
        }
    }
}

impl<'a> Args<'a> {
    /// Without an argument.
    pub fn new() -> Self {
        Args::default()
    }

    /// Appends one.
    #[inline]
    pub fn with(mut self, arg: Passed<'a>) -> Self {
        self.0.push(arg);
        self
    }

    /// Parameter `i`, of type `&[T]`.
    pub fn slice<T: Element>(&self, i: usize) -> Cow<'_, [T]> {
        let arg = &self.0[i];
        if let Some(elements) = arg.elements() {
            return elements.to_slice();
        }
        let array = arg.whole::<Array<T>>().expect(FORGOTTEN);
        match array.as_slice() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(array.to_vec()),
        }
    }

    /// Parameter `i`, an ndarray view.
    pub fn view<T: Element, D: Dimension>(&self, i: usize) -> CowArray<'_, T, D> {
        match self.0[i].elements() {
            Some(elements) => elements.to_nd().into(),
            None => from_placed(self.0[i].whole().expect(FORGOTTEN)).into(),
        }
    }

    /// Parameter `i`, a reference to an ndarray array.
    pub fn array<T: Element, D: Dimension + 'static>(
        &self,
        i: usize,
    ) -> Cow<'_, ndarray::Array<T, D>> {
        match self.0[i].whole() {
            Some(array) => Cow::Borrowed(array),
            None => Cow::Owned(self.view::<T, D>(i).into_owned()),
        }
    }

    /// Parameter `i`, of any other type.
    pub fn value<'s, T: Param<'s>>(&'s self, i: usize) -> T {
        T::restore(&self.0[i])
    }

    /// A copy of the contents of parameter `i`, of type `&mut [T]`.
    pub fn slice_mut<T: Element>(&self, i: usize) -> Vec<T> {
        self.with_mut(i, |elements| elements.as_borrowed().to_slice().into_owned())
    }

    /// A copy of the contents of parameter `i`, a mutable reference to an ndarray array.
    pub fn array_mut<T: Element, D: Dimension>(&self, i: usize) -> ndarray::Array<T, D> {
        self.with_mut(i, |elements| elements.as_borrowed().to_nd().into_owned())
    }

    /// Notes what parameter `i`, of type `&mut [T]`, will contain.
    pub fn write_slice<T: Element>(&self, i: usize, contents: Vec<T>) {
        self.hold(i, contents);
    }

    /// Notes what parameter `i`, a mutable reference to an ndarray array, will contain.
    pub fn write_array<T: Element, D: Dimension + 'static>(
        &self,
        i: usize,
        contents: ndarray::Array<T, D>,
    ) {
        self.hold(i, contents);
    }

    fn hold(&self, i: usize, contents: impl Own + 'static) {
        match &self.0[i].0 {
            Kind::Write { pending, .. } => {
                *pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(contents));
            }
            _ => unreachable!("{FORGOTTEN}"),
        }
    }

    /// Writes what was noted: the call has succeeded.
    pub(crate) fn commit(&self) {
        for arg in self.0.iter() {
            if let Kind::Write { elements, pending } = &arg.0
                && let Some(contents) = pending
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take()
            {
                let mut elements = elements.lock().unwrap_or_else(PoisonError::into_inner);
                elements.write(contents.borrow().views());
            }
        }
    }

    fn with_mut<X>(&self, i: usize, body: impl FnOnce(&mut BorrowedMut<'a>) -> X) -> X {
        match &self.0[i].0 {
            Kind::Write { elements, .. } => {
                body(&mut elements.lock().unwrap_or_else(PoisonError::into_inner))
            }
            _ => unreachable!("{FORGOTTEN}"),
        }
    }
}

/// An ndarray array of what lies at a place; its rank has been checked.
pub(super) fn from_placed<T: Element, D: Dimension>(array: &Array<T>) -> ndarray::Array<T, D> {
    let array = array.to_ndarray();
    array.into_dimensionality().expect("the rank was checked")
}
