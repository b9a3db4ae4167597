//! The primitives at their edges: nothing, one element, NaN, negative and huge operands, every failure's text and line.

use super::*;
use proptest::prelude::{any, prop_assert_eq, proptest};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// File, line and text of the last panic of a thread that expects one.
    static LAST: RefCell<Option<(String, u32, String)>> = const { RefCell::new(None) };
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// The text of the panic that `f` ends in, which must name `line` of this file.
fn failure<R>(line: u32, f: impl FnOnce() -> R) -> String {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match info.location() {
            Some(place) if EXPECTED.get() => {
                let text = info.payload_as_str().unwrap_or_default();
                let seen = (place.file().to_string(), place.line(), text.to_string());
                LAST.set(Some(seen));
            }
            _ => print(info),
        }));
    });
    EXPECTED.set(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    EXPECTED.set(false);
    assert!(result.is_err(), "line {line} does not fail");
    let (file, at, text) = LAST.take().unwrap();
    assert_eq!((file.as_str(), at), (file!(), line), "{text}");
    text
}

macro_rules! fails {
    ($($body:expr => $text:expr;)*) => {$(
        assert_eq!(failure(line!(), || $body), $text, "{}", stringify!($body));
    )*};
}

const NONE: [i32; 0] = [];

#[test]
fn failures_say_what_and_where() {
    let x = [10, 20, 30];
    fails! { x.zip([1]) => "sequences of lengths 3 and 1 are used together"; }
    fails! { x.zip3([1, 2, 3], [1, 2]) => "sequences of lengths 3 and 2 are used together"; }
    fails! { x.interleave(NONE) => "sequences of lengths 3 and 0 are used together"; }
    fails! { x.permute([0, 1]) => "sequences of lengths 3 and 2 are used together"; }
    fails! { x.scatter([0, 1], [1]) => "sequences of lengths 2 and 1 are used together"; }
    fails! { x.scatter_with(|a, _| a, [0], NONE) => "sequences of lengths 1 and 0 are used together"; }
    fails! { x.gather([0, 3, 9]) => "index 3 is out of bounds for length 3"; }
    fails! { x.gather([-1]) => "index -1 is out of bounds for length 3"; }
    fails! { x.gather([u64::MAX]) => "index 18446744073709551615 is out of bounds for length 3"; }
    fails! { NONE.gather([0u8]) => "index 0 is out of bounds for length 0"; }
    fails! { x.scatter([1i64, i64::MIN], [1, 2]) => "index -9223372036854775808 is out of bounds for length 3"; }
    fails! { x.scatter([1, 1, 9], [1, 2, 3]) => "index 1 occurs more than once"; }
    fails! { x.scatter([1, 9, 1], [1, 2, 3]) => "index 9 is out of bounds for length 3"; }
    fails! { x.scatter_with(|a, b| a + b, [0, 3], [1, 2]) => "index 3 is out of bounds for length 3"; }
    fails! { x.permute([2, 0, 2]) => "index 2 occurs more than once"; }
    fails! { x.permute([2, -5, 2]) => "index -5 is out of bounds for length 3"; }
    fails! { x.step_by(0) => "a step, window or chunk of length 0"; }
    fails! { x.windows_map(0, |w| w.len()) => "a step, window or chunk of length 0"; }
    fails! { NONE.chunks_map(0, |c| c.len()) => "a step, window or chunk of length 0"; }
    let empty = "an empty sequence has no such element";
    fails! { NONE.minimum() => empty; }
    fails! { NONE.maximum() => empty; }
    fails! { NONE.argmin() => empty; }
    fails! { NONE.argmax() => empty; }
    if cfg!(debug_assertions) {
        fails! { [i32::MAX, 1].sum() => "attempt to add with overflow"; }
        fails! { [i32::MAX, 2].product() => "attempt to multiply with overflow"; }
    }
}

#[test]
fn sizes_beyond_memory_are_failures() {
    let huge = usize::MAX;
    fails! { indices(huge) => "18446744073709551615 is too large for a length"; }
    fails! { fill(huge / 8, 0u64) => "2305843009213693951 is too large for a length"; }
    fails! { tabulate(huge, |i| i as u8) => "18446744073709551615 is too large for a length"; }
    fails! { [1, 2].replicate(huge) => "36893488147419103230 is too large for a length"; }
    fails! { [1u64, 2].replicate(1 << 60) => "2305843009213693952 is too large for a length"; }
    fails! { [1u64].chain(0..u64::MAX) => "18446744073709551615 is too large for a length"; }
    fails! { tabulate2((1 << 32, 1 << 32), |_| 0u8) => "an array of shape (4294967296, 4294967296) is larger than any memory"; }
    fails! { tabulate2((huge, 0), |_| 0u8) => "an array of shape (18446744073709551615, 0) is larger than any memory"; }
    fails! { tabulate3((1 << 21, 1 << 21, 1 << 21), |_| 0u8) => "an array of shape (2097152, 2097152, 2097152) is larger than any memory"; }
    assert_eq!(NONE.replicate(huge), []);
    assert_eq!([1].take(huge).skip(huge), []);
    assert_eq!([1, 2, 3].step_by(huge), [1]);
    assert_eq!([1, 2, 3].chunks_map(huge, |c| c.len()), [3]);
    assert_eq!([1, 2, 3].windows_map(huge, |w| w.len()), []);
}

#[test]
fn nothing_at_all() {
    let none = NONE;
    assert_eq!(none.to_vec().map(|v| v), []);
    assert_eq!(none.zip(none), []);
    assert_eq!(none.zip(none).unzip(), (vec![], vec![]));
    assert_eq!(none.enumerate(), []);
    assert_eq!(none.reduce(7, |a, b| a + b), 7);
    assert_eq!((none.sum(), none.product()), (0, 1));
    assert_eq!(none.scan(7, |a, b| a + b), []);
    assert_eq!(none.exscan(7, |a, b| a + b), []);
    assert_eq!(none.rscan(7, |a, b| a + b), []);
    assert_eq!(none.rexscan(7, |a, b| a + b), []);
    assert_eq!(none.filter(|_| true), []);
    assert_eq!(none.partition(|_| true), (vec![], vec![]));
    assert_eq!(none.flat_map(|v| [v]), []);
    assert_eq!(none.gather(none), []);
    assert_eq!(none.gather_or([0], 4), [4]);
    assert_eq!(none.scatter(none, none), []);
    assert_eq!(none.permute(none), []);
    assert_eq!(none.shift(1, 0), []);
    assert_eq!(none.rotate(isize::MIN), []);
    assert_eq!(none.chain(none).rev().interleave(none), []);
    assert_eq!(none.step_by(1).windows_map(1, |w| w.len()), []);
    assert_eq!(none.chunks_map(1, |c| c.len()), []);
    assert_eq!(none.count(|_| true), 0);
    assert_eq!(
        (indices(0), fill(0, 1), tabulate(0, |i| i)),
        (vec![], vec![], vec![])
    );
    assert_eq!(tabulate2((0, 3), |(i, j)| i + j).dim(), (0, 3));
    assert_eq!(tabulate3((2, 0, 3), |(i, j, k)| i + j + k).dim(), (2, 0, 3));
}

#[test]
fn sum_of_no_floats_is_positive_zero() {
    let none: [f64; 0] = [];
    assert_eq!(none.sum().to_bits(), 0.0f64.to_bits());
}

#[test]
fn extremes_of_floats() {
    let nan = f32::NAN;
    assert!([nan].minimum().is_nan() && [nan, nan].maximum().is_nan());
    assert_eq!(([nan, nan].argmin(), [nan, nan].argmax()), (0, 0));
    assert_eq!([nan, 2.0, nan, 1.0].minimum(), 1.0);
    assert_eq!([nan, 1.0, nan, 2.0].maximum(), 2.0);
    assert_eq!([nan, 1.0, 2.0, 1.0, 2.0].argmin(), 1);
    assert_eq!([nan, 1.0, 2.0, 1.0, 2.0].argmax(), 2);
    assert_eq!([nan, f32::INFINITY].argmin(), 1);
    assert_eq!([nan, f32::NEG_INFINITY].maximum(), f32::NEG_INFINITY);
    assert_eq!([0.0f32, -0.0, 0.0].minimum().to_bits(), (-0.0f32).to_bits());
    assert_eq!([-0.0f32, 0.0, -0.0].maximum().to_bits(), 0);
    assert_eq!([-0.0f32, 0.0, -0.0, 0.0].argmax(), 1);
    assert_eq!([0.0f32, -0.0, -0.0].argmin(), 1);
}

#[test]
fn extremes_of_integers() {
    assert_eq!([3u8, 0, 255, 0, 255].argmin(), 1);
    assert_eq!([3u8, 0, 255, 0, 255].argmax(), 2);
    assert_eq!([i64::MIN, i64::MAX].minimum(), i64::MIN);
}

#[test]
fn predicates_see_every_element() {
    let seen = RefCell::new(vec![]);
    let note = |v: i32, verdict: bool| {
        seen.borrow_mut().push(v);
        verdict
    };
    assert!([1, 2, 3].any(|v| note(v, v == 1)));
    assert!(![4, 5, 6].all(|v| note(v, v == 5)));
    assert_eq!(seen.into_inner(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn operators_without_laws_show_the_order() {
    let x = ["a", "b", "c"].map(String::from);
    let join = |a: String, b: String| format!("({a}{b})");
    let e = || String::from("e");
    assert_eq!(x.reduce(e(), join), "(((ea)b)c)");
    assert_eq!(x.scan(e(), join), ["(ea)", "((ea)b)", "(((ea)b)c)"]);
    assert_eq!(x.exscan(e(), join), ["e", "(ea)", "((ea)b)"]);
    assert_eq!(x.rscan(e(), join), ["(a(b(ce)))", "(b(ce))", "(ce)"]);
    assert_eq!(x.rexscan(e(), join), ["(b(ce))", "(ce)", "e"]);
    let old = [e(), e()];
    assert_eq!(old.scatter_with(join, [1, 0, 1], &x), ["(eb)", "((ea)c)"]);
}

#[test]
fn every_integer_type_is_an_index() {
    macro_rules! gather {
        ($($t:ty),*) => {$( assert_eq!([5, 6].gather([1 as $t, 0]), [6, 5]); )*};
    }
    gather!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);
}

#[test]
fn views_of_any_stride() {
    let u = array![[1, 2, 3], [4, 5, 6]];
    assert_eq!(u.slice(s![1, ..;-1]).scan(0, |a, b| a + b), [6, 11, 15]);
    assert_eq!(u.slice(s![0, ..;2]).chain(u.column(2)), [1, 3, 3, 6]);
    assert_eq!(u.t().row(1).gather(u.slice(s![0, ..1])), [5]);
}

#[test]
fn unzip_of_more_than_pairs() {
    let x = [(1, 'a', 0.5, true), (2, 'b', 1.5, false)];
    let (a, b, c, d) = x.unzip();
    assert_eq!((a, b), (vec![1, 2], vec!['a', 'b']));
    assert_eq!((c, d), (vec![0.5, 1.5], vec![true, false]));
    assert_eq!([1].zip3([2], [3]).unzip(), (vec![1], vec![2], vec![3]));
}

#[test]
fn shifts_and_rotations_of_any_distance() {
    let x = [1, 2, 3];
    for k in [isize::MIN, isize::MIN + 1, -4, -3, 3, 4, isize::MAX] {
        assert_eq!(x.shift(k, 0), [0, 0, 0]);
    }
    assert_eq!(
        x.rotate(isize::MAX),
        x.rotate((isize::MAX % 3) as i8 as isize)
    );
    assert_eq!(x.rotate(isize::MIN), x.rotate(isize::MIN + 3 * 7));
    assert_eq!([9].rotate(isize::MIN), [9]);
}

proptest! {
    /// The formula of each primitive, index by index.
    #[test]
    fn formulas(x in proptest::collection::vec(any::<i32>(), 0..20), k in -30isize..30, e in any::<i32>()) {
        let n = x.len();
        let at = |i: isize| (0..n as isize).contains(&i).then(|| x[i as usize]);
        let op = |a: i32, b: i32| a.wrapping_mul(3).wrapping_sub(b);
        let (shift, rotate, rev) = (x.shift(k, e), x.rotate(k), x.rev());
        let (scan, exscan) = (x.scan(e, op), x.exscan(e, op));
        let (rscan, rexscan) = (x.rscan(e, op), x.rexscan(e, op));
        for i in 0..n {
            prop_assert_eq!(shift[i], at(i as isize + k).unwrap_or(e));
            prop_assert_eq!(Some(rotate[i]), at((i as isize + k).rem_euclid(n as isize)));
            prop_assert_eq!(rev[i], x[n - 1 - i]);
            prop_assert_eq!(exscan[i], if i == 0 { e } else { scan[i - 1] });
            prop_assert_eq!(scan[i], op(exscan[i], x[i]));
            prop_assert_eq!(rexscan[i], if i + 1 == n { e } else { rscan[i + 1] });
            prop_assert_eq!(rscan[i], op(x[i], rexscan[i]));
        }
        let step = k.unsigned_abs() + 1;
        let every = x.step_by(step);
        prop_assert_eq!(every.len(), n.div_ceil(step));
        prop_assert_eq!(every, indices(n).filter(|i| i % step == 0).map(|i| x[i]));
        prop_assert_eq!(x.take(step).chain(x.skip(step)), x.clone());
        prop_assert_eq!(x.interleave(&rev).step_by(2), x.clone());
        prop_assert_eq!(x.interleave(&rev).skip(1).step_by(2), rev);
        prop_assert_eq!(x.chunks_map(step, |c| c.to_vec()).flat_map(|c| c), x.clone());
        let windows = x.windows_map(step, |w| w.to_vec());
        prop_assert_eq!(windows.len(), (n + 1).saturating_sub(step));
        for (i, w) in windows.iter().enumerate() {
            prop_assert_eq!(&w[..], &x[i..i + step]);
        }
        let turn = indices(n).rotate(k);
        prop_assert_eq!(x.permute(&turn).gather(&turn), x.clone());
        prop_assert_eq!(fill(n, 0).scatter(&turn, &x), x.permute(&turn));
        let (kept, rest) = x.partition(|v| v > e);
        prop_assert_eq!(kept.len(), x.count(|v| v > e));
        prop_assert_eq!(kept, x.filter(|v| v > e));
        prop_assert_eq!(rest, x.filter(|v| v <= e));
        prop_assert_eq!(x.replicate(3), x.chain(&x).chain(&x));
    }
}

#[test]
fn the_reference_lists_every_primitive() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/primitives.md");
    let reference = std::fs::read_to_string(path).unwrap();
    let source = [
        include_str!("create.rs"),
        include_str!("elementwise.rs"),
        include_str!("reduction.rs"),
        include_str!("scan.rs"),
        include_str!("selection.rs"),
        include_str!("indexing.rs"),
        include_str!("arrangement.rs"),
        include_str!("neighbourhood.rs"),
        include_str!("../rng.rs"),
    ];
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let primitives: Vec<&str> = source
        .iter()
        .flat_map(|file| file.split("#[cfg(test)]").take(1))
        .flat_map(|file| file.lines())
        .filter_map(|line| {
            line.strip_prefix("    fn ")
                .or(line.strip_prefix("pub fn "))
        })
        .filter_map(|rest| rest.split(|c| !is_name(c)).next())
        .collect();
    assert!(primitives.len() > 40, "{primitives:?}");
    for name in primitives {
        assert!(
            reference.contains(&format!("{name}(")),
            "`{name}` is missing in {path}"
        );
    }
}
