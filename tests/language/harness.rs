//! From a call and its plain function to failures: runs it at every place and compares.

use cuprous::prelude::*;
use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Equal to the bit, but for what a NaN carries; with a tolerance, relative to the greater of 1 and the expected value.
pub trait Same {
    /// Whether both are the same.
    fn same(&self, expected: &Self, tolerance: f64) -> bool;
}

macro_rules! floats {
    ($($t:ty)*) => {$(
        impl Same for $t {
            fn same(&self, expected: &$t, tolerance: f64) -> bool {
                let near = || ((self - expected).abs() as f64) <= tolerance * (expected.abs() as f64).max(1.0);
                self.to_bits() == expected.to_bits() || self.is_nan() && expected.is_nan() || tolerance > 0.0 && near()
            }
        }
    )*};
}
floats! { f32 f64 }

macro_rules! equal {
    ($($t:ty)*) => {$(
        impl Same for $t {
            fn same(&self, expected: &$t, _: f64) -> bool {
                self == expected
            }
        }
    )*};
}
equal! { () bool i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

impl<T: Same> Same for Vec<T> {
    fn same(&self, expected: &Self, tolerance: f64) -> bool {
        self.len() == expected.len() && self.iter().zip(expected).all(|(a, b)| a.same(b, tolerance))
    }
}

impl<T: Same, const N: usize> Same for [T; N] {
    fn same(&self, expected: &Self, tolerance: f64) -> bool {
        self.iter().zip(expected).all(|(a, b)| a.same(b, tolerance))
    }
}

impl<T: Same + Clone, D: ndarray::Dimension> Same for ndarray::Array<T, D> {
    fn same(&self, expected: &Self, tolerance: f64) -> bool {
        self.shape() == expected.shape()
            && self
                .iter()
                .zip(expected.iter())
                .all(|(a, b)| a.same(b, tolerance))
    }
}

macro_rules! tuples {
    ($($($t:ident $i:tt),*;)*) => {$(
        impl<$($t: Same),*> Same for ($($t,)*) {
            fn same(&self, expected: &Self, tolerance: f64) -> bool {
                $(self.$i.same(&expected.$i, tolerance))&&*
            }
        }
    )*};
}
tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

thread_local! {
    static FAILURES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn failure(text: String) {
    FAILURES.with_borrow_mut(|failures| failures.push(text));
}

/// Ends a test: all its failures at once.
pub fn finish() {
    let failures = FAILURES.take();
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n----\n")
    );
}

/// Every place with a compiler behind it, the interpreter first.
pub fn compiled() -> Vec<Place> {
    let threads = [1, 2, 3, 8].map(Place::cpu_threads);
    let mut places = vec![Place::interp()];
    places.extend(
        Place::available()
            .into_iter()
            .chain(threads)
            .filter(|place| *place != Place::native() && *place != Place::interp()),
    );
    places
}

type Outcome<R> = Result<Result<R, cuprous::Error>, String>;

fn attempt<R>(run: impl FnOnce() -> Result<R, cuprous::Error>) -> Outcome<R> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
            .unwrap_or_default()
    })
}

fn short(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    if text.len() > 1500 {
        let end = (0..1500)
            .rev()
            .find(|i| text.is_char_boundary(*i))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Every place gives the plain function's result.
pub fn agree<R: Same + Debug>(
    what: &str,
    tolerance: f64,
    run: impl Fn(&Place) -> Result<R, cuprous::Error>,
    plain: impl FnOnce() -> R,
) {
    let Ok(expected) = catch_unwind(AssertUnwindSafe(plain)) else {
        return failure(format!("{what}: the plain function panics"));
    };
    let mut first: Option<R> = None;
    for place in compiled() {
        match attempt(|| run(&place)) {
            Err(panic) => failure(format!("{what} at {place} panics: {panic}")),
            Ok(Err(error)) if first.is_none() => {
                return failure(format!("{what} at {place}: {error}"));
            }
            Ok(Err(error)) => failure(format!("{what} at {place}: {error}")),
            Ok(Ok(found)) => match &first {
                None if !found.same(&expected, tolerance) => {
                    let (found, expected) = (short(&found), short(&expected));
                    failure(format!(
                        "{what} at {place}:\n   found {found}\nexpected {expected}"
                    ));
                    return;
                }
                None => first = Some(found),
                Some(first) if !found.same(first, 0.0) => {
                    let (found, first) = (short(&found), short(first));
                    failure(format!(
                        "{what} at {place}:\n   found {found}\n  interp {first}"
                    ));
                }
                Some(_) => {}
            },
        }
    }
    match attempt(|| run(&Place::native())) {
        Ok(Ok(found)) if found.same(&expected, 0.0) => {}
        other => failure(format!("{what} at native: {}", short(&other))),
    }
}

/// Every place fails with this code, and all compiled ones with the same text, which has this in it.
pub fn fails<R: Debug>(
    what: &str,
    code: &str,
    text: &str,
    run: impl Fn(&Place) -> Result<R, cuprous::Error>,
) {
    let mut first: Option<String> = None;
    for place in compiled() {
        match attempt(|| run(&place)) {
            Err(panic) => failure(format!("{what} at {place} panics: {panic}")),
            Ok(Ok(found)) => failure(format!("{what} at {place} gives {}", short(&found))),
            Ok(Err(error)) => {
                let full = error.to_string();
                if error.code() != code || !full.contains(text) {
                    failure(format!(
                        "{what} at {place}: {full}\nexpected {code}: {text}"
                    ));
                    break;
                }
                match &first {
                    None => first = Some(full),
                    Some(first) if *first != full => {
                        failure(format!("{what} at {place}: {full}\ninterp: {first}"))
                    }
                    Some(_) => {}
                }
            }
        }
    }
    match attempt(|| run(&Place::native())) {
        Ok(Err(_)) => {}
        Ok(Ok(found)) => failure(format!("{what} at native gives {}", short(&found))),
        Err(panic) => failure(format!("{what} at native lets a panic through: {panic}")),
    }
}

/// `agree!(f(x, y))`: every place gives what `f::plain(x, y)` gives; `agree!(1e-12, f(x, y))` within a tolerance.
macro_rules! agree {
    ($f:ident($($arg:expr),* $(,)?)) => { agree!(0.0, $f($($arg),*)) };
    ($tolerance:expr, $f:ident($($arg:expr),* $(,)?)) => {
        crate::harness::agree(
            concat!(file!(), ":", line!(), ": ", stringify!($f($($arg),*))),
            $tolerance,
            |place| $f::call($($arg),*).on(place).to_host(),
            || $f::plain($($arg),*),
        )
    };
}

/// `fails!(f(x), "CU0201", "index 3")`: every place fails with that code and text.
macro_rules! fails {
    ($f:ident($($arg:expr),* $(,)?), $code:literal, $text:literal) => {
        crate::harness::fails(
            concat!(file!(), ":", line!(), ": ", stringify!($f($($arg),*))),
            $code,
            $text,
            |place| $f::call($($arg),*).on(place).to_host(),
        )
    };
}

/// Tests that report all their failures.
macro_rules! tests {
    ($($name:ident { $($body:tt)* })*) => {$(
        #[test]
        fn $name() {
            $($body)*
            crate::harness::finish();
        }
    )*};
}

/// Some integers, small and of both signs.
pub fn ints(n: usize) -> Vec<i32> {
    (0..n as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as i32 % 201 - 100)
        .collect()
}

/// Some numbers with fractions.
pub fn doubles(n: usize) -> Vec<f64> {
    ints(n).iter().map(|v| *v as f64 * 0.37).collect()
}

/// Some numbers with fractions.
pub fn singles(n: usize) -> Vec<f32> {
    ints(n).iter().map(|v| *v as f32 * 0.37).collect()
}
