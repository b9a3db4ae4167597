//! What an array can hold: types that fall apart into scalars at fixed places in memory, so that a slice of tuples can be
//! read where it lies, one strided view for each scalar in it.

use super::Dims;
use crate::call::{Output, Param};
use crate::ir::ScalarType;
use crate::syntax::Describe;
use crate::tuple::for_each_tuple;
use smallvec::SmallVec;
use std::mem::offset_of;

/// The leaves of an element, in the order of [`crate::elaborate::ty::Leaf`].
pub type Leaves = SmallVec<[LeafLayout; 1]>;

/// Where one scalar (or fixed array of scalars) of an element lies.
#[derive(Clone, Debug, PartialEq)]
pub struct LeafLayout {
    /// Its type.
    pub elem: ScalarType,
    /// The distance of the first one from the beginning of the element, in bytes.
    pub offset: usize,
    /// The lengths of the fixed arrays around it, outermost first.
    pub shape: Dims<usize>,
    /// Their strides, in bytes.
    pub strides: Dims<isize>,
}

/// A type that arrays can hold: scalars, tuples of up to twelve members, `[T; N]`, and these inside each other.
///
/// ```
/// use dsl_runtime::array::Element;
/// let leaves = <(f32, [u8; 3])>::leaves();
/// assert_eq!(leaves[1].shape[..], [3]);
/// ```
///
/// # Safety
/// The leaves lie inside the type, aligned and without overlap, agree with [`Describe::TYPE`], and cover it but for
/// padding: a value whose leaves are all written is initialised.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an element of an array",
    label = "not an element type",
    note = "scalars, tuples of up to twelve members and fixed arrays `[T; N]` of them can"
)]
pub unsafe trait Element:
    Describe + Copy + Send + Sync + 'static + Output<Device = Self> + for<'a> Param<'a>
{
    /// The scalar type, if it is one.
    const SCALAR: Option<ScalarType>;
    /// Where its scalars lie.
    fn leaves() -> Leaves;
}

macro_rules! scalars {
    ($($t:ty, $s:ident;)*) => {$(
        // SAFETY: a scalar is its own only leaf.
        unsafe impl Element for $t {
            const SCALAR: Option<ScalarType> = Some(ScalarType::$s);
            fn leaves() -> Leaves {
                SmallVec::from_buf([LeafLayout {
                    elem: ScalarType::$s,
                    offset: 0,
                    shape: Dims::new(),
                    strides: Dims::new(),
                }])
            }
        }
    )*};
}
scalars! {
    bool, Bool;
    i8, I8;
    i16, I16;
    i32, I32;
    i64, I64;
    isize, I64;
    u8, U8;
    u16, U16;
    u32, U32;
    u64, U64;
    usize, U64;
    f32, F32;
    f64, F64;
}

macro_rules! tuples {
    ($($($t:ident $o:ident $i:tt),+;)*) => {$(
        // SAFETY: the members of a tuple lie where `offset_of!` says, and each is covered by its own leaves.
        unsafe impl<$($t: Element),+> Element for ($($t,)+) {
            const SCALAR: Option<ScalarType> = None;
            fn leaves() -> Leaves {
                let mut all = Leaves::new();
                $(all.extend($t::leaves().into_iter().map(|mut leaf| {
                    leaf.offset += offset_of!(Self, $i);
                    leaf
                }));)+
                all
            }
        }
    )*};
}
for_each_tuple!(tuples);

// SAFETY: the members of an array lie one behind the other, each covered by the leaves of `T`.
unsafe impl<T: Element, const N: usize> Element for [T; N] {
    const SCALAR: Option<ScalarType> = None;
    fn leaves() -> Leaves {
        let mut leaves = T::leaves();
        for leaf in &mut leaves {
            leaf.shape.insert(0, N);
            leaf.strides.insert(0, size_of::<T>() as isize);
        }
        leaves
    }
}
