//! Primitives that make one value of a sequence.

use super::Sequence;
use super::fail::fail;
use crate::ir::Fault;
use crate::scalar::Ordered;
use num_traits::{One, Zero};

/// `reduce` and its named forms.
///
/// Here all of them go from left to right. Compiled, floats are added and multiplied in the canonical order of the
/// language, which rounds differently; the other results are the same.
pub trait Reduction: Sequence {
    /// `e op x[0] op x[1] op …`: `e` stands once, on the left, and is the result for an empty sequence.
    ///
    /// `op` is meant to be associative. It need not be commutative, and works on whatever the elements are.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].reduce(0, |a, b| a + b), 6);
    /// assert_eq!([2.0, 5.0, 3.0].reduce(f64::NEG_INFINITY, f64::max), 5.0);
    /// // (a, b) stands for the function a * t + b; joining two applies the left one first.
    /// let steps = [(2, 1), (3, 0), (1, 5)];
    /// assert_eq!(steps.reduce((1, 0), |f, g| (f.0 * g.0, f.1 * g.0 + g.1)), (6, 8));
    /// ```
    fn reduce(
        &self,
        e: Self::Item,
        op: impl Fn(Self::Item, Self::Item) -> Self::Item,
    ) -> Self::Item {
        self.elements().iter().cloned().fold(e, op)
    }

    /// The sum; 0 for an empty sequence. Integers wrap when compiled; here as rustc's overflow checks say.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([0.5, 1.5].sum(), 2.0);
    /// assert_eq!(indices(0).sum(), 0);
    /// ```
    #[track_caller]
    fn sum(&self) -> Self::Item
    where
        Self::Item: Zero,
    {
        let mut total = Self::Item::zero();
        for v in self.elements().iter() {
            total = total + v.clone();
        }
        total
    }

    /// The product; 1 for an empty sequence. Integers wrap when compiled; here as rustc's overflow checks say.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([2, 3, 4].product(), 24);
    /// assert_eq!(indices(0).product(), 1);
    /// ```
    #[track_caller]
    fn product(&self) -> Self::Item
    where
        Self::Item: One,
    {
        let mut total = Self::Item::one();
        for v in self.elements().iter() {
            total = total * v.clone();
        }
        total
    }

    /// The smallest element. A NaN is ignored (the result is a NaN only if there is nothing else), and -0.0 is below
    /// 0.0. Panics on an empty sequence.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([3.0, f64::NAN, 2.0].minimum(), 2.0);
    /// assert!([0.0f64, -0.0].minimum().is_sign_negative());
    /// ```
    /// ```should_panic
    /// # use dsl_runtime::prelude::*;
    /// indices(0).minimum(); // an empty sequence has no such element
    /// ```
    #[track_caller]
    fn minimum(&self) -> Self::Item
    where
        Self::Item: Ordered,
    {
        let x = self.elements();
        x[foremost(&x, |v, best| v.below(best))]
    }

    /// The largest element. A NaN is ignored (the result is a NaN only if there is nothing else), and 0.0 is above
    /// -0.0. Panics on an empty sequence.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([-3, 7, 2].maximum(), 7);
    /// ```
    #[track_caller]
    fn maximum(&self) -> Self::Item
    where
        Self::Item: Ordered,
    {
        let x = self.elements();
        x[foremost(&x, |v, best| best.below(v))]
    }

    /// The index of the first element equal to [`minimum`](Reduction::minimum); 0 if all are NaN. Panics on an empty
    /// sequence.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([3, 1, 1, 2].argmin(), 1);
    /// assert_eq!([f64::NAN, 0.0, -0.0].argmin(), 2);
    /// ```
    #[track_caller]
    fn argmin(&self) -> usize
    where
        Self::Item: Ordered,
    {
        foremost(&self.elements(), |v, best| v.below(best))
    }

    /// The index of the first element equal to [`maximum`](Reduction::maximum); 0 if all are NaN. Panics on an empty
    /// sequence.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([3, 7, 7, 2].argmax(), 1);
    /// ```
    #[track_caller]
    fn argmax(&self) -> usize
    where
        Self::Item: Ordered,
    {
        foremost(&self.elements(), |v, best| best.below(v))
    }

    /// Whether `p` holds for at least one element. `p` is evaluated for every one.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert!([1, 2].any(|v| v > 1));
    /// assert!(!indices(0).any(|_| true));
    /// ```
    fn any(&self, p: impl Fn(Self::Item) -> bool) -> bool {
        self.elements()
            .iter()
            .fold(false, |found, v| p(v.clone()) | found)
    }

    /// Whether `p` holds for each element. `p` is evaluated for every one.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert!([1, 2].all(|v| v > 0));
    /// assert!(indices(0).all(|_| false));
    /// ```
    fn all(&self, p: impl Fn(Self::Item) -> bool) -> bool {
        self.elements()
            .iter()
            .fold(true, |holds, v| p(v.clone()) & holds)
    }

    /// The number of elements for which `p` holds.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([0.2, 0.7, 0.9].count(|v| v > 0.5), 2);
    /// ```
    fn count(&self, p: impl Fn(Self::Item) -> bool) -> usize {
        self.elements().iter().filter(|v| p((*v).clone())).count()
    }
}

impl<S: Sequence + ?Sized> Reduction for S {}

/// The index of the first element that no other is ahead of, a NaN being behind every number.
#[track_caller]
fn foremost<T: Ordered>(x: &[T], ahead: impl Fn(T, T) -> bool) -> usize {
    if x.is_empty() {
        fail(Fault::Empty, &[]);
    }
    let mut best = 0;
    for (i, &v) in x.iter().enumerate() {
        if v.is_number() && (!x[best].is_number() || ahead(v, x[best])) {
            best = i;
        }
    }
    best
}
