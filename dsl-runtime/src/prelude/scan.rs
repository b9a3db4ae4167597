//! Primitives that combine every prefix or suffix.

use super::Sequence;
use super::fail::room;

/// `scan` and its exclusive and leftward forms.
///
/// `op` is meant to be associative; it need not be commutative. Here all of them go from one end to the other. Compiled,
/// floats are combined in the canonical order of the language, which rounds differently.
pub trait Scan: Sequence {
    /// `y[i] = e op x[0] op … op x[i]`.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].scan(10, |a, b| a + b), [11, 13, 16]);
    /// ```
    #[track_caller]
    fn scan(
        &self,
        e: Self::Item,
        op: impl Fn(Self::Item, Self::Item) -> Self::Item,
    ) -> Vec<Self::Item> {
        let x = self.elements();
        let (mut y, mut total) = (room(x.len()), e);
        for v in x.iter() {
            total = op(total, v.clone());
            y.push(total.clone());
        }
        y
    }

    /// `y[0] = e`, `y[i] = e op x[0] op … op x[i - 1]`: without the element itself.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].exscan(10, |a, b| a + b), [10, 11, 13]);
    /// ```
    #[track_caller]
    fn exscan(
        &self,
        e: Self::Item,
        op: impl Fn(Self::Item, Self::Item) -> Self::Item,
    ) -> Vec<Self::Item> {
        let x = self.elements();
        let (mut y, mut total) = (room(x.len()), e);
        for v in x.iter() {
            let next = op(total.clone(), v.clone());
            y.push(std::mem::replace(&mut total, next));
        }
        y
    }

    /// `y[n - 1] = x[n - 1] op e`, `y[i] = x[i] op y[i + 1]`: from the right.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].rscan(10, |a, b| a - b), [-8, 9, -7]);
    /// ```
    #[track_caller]
    fn rscan(
        &self,
        e: Self::Item,
        op: impl Fn(Self::Item, Self::Item) -> Self::Item,
    ) -> Vec<Self::Item> {
        let x = self.elements();
        let (mut y, mut total) = (room(x.len()), e);
        for v in x.iter().rev() {
            total = op(v.clone(), total);
            y.push(total.clone());
        }
        y.reverse();
        y
    }

    /// `y[n - 1] = e`, `y[i] = x[i + 1] op y[i + 1]`: from the right, without the element itself.
    ///
    /// ```
    /// # use dsl_runtime::prelude::*;
    /// assert_eq!([1, 2, 3].rexscan(10, |a, b| a + b), [15, 13, 10]);
    /// ```
    #[track_caller]
    fn rexscan(
        &self,
        e: Self::Item,
        op: impl Fn(Self::Item, Self::Item) -> Self::Item,
    ) -> Vec<Self::Item> {
        let x = self.elements();
        let (mut y, mut total) = (room(x.len()), e);
        for v in x.iter().rev() {
            let next = op(v.clone(), total.clone());
            y.push(std::mem::replace(&mut total, next));
        }
        y.reverse();
        y
    }
}

impl<S: Sequence + ?Sized> Scan for S {}
