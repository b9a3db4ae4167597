//! Kernels whose control flow is unusual: the ways to leave constructs, arrays in branches and loops, mistakes.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]

// Generated code begins its paths with `::cuprous`.
extern crate dsl_runtime as cuprous;

#[macro_use]
mod agree;

use cuprous::elaborate::lower::lower;
use cuprous::prelude::*;
use cuprous::{Place, kernel};
use cuprous_interp as _;

#[kernel]
fn find_pair(x: &[i32], sum: i32) -> (usize, usize) {
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            if x[i] + x[j] == sum {
                return (i, j);
            }
        }
    }
    (99, 99)
}

#[kernel]
fn first_long(x: &[f64], n: usize) -> Vec<f64> {
    let mut y = x.to_vec();
    loop {
        if y.len() >= n {
            return y.take(n);
        }
        if y.is_empty() {
            break;
        }
        y = y.chain(&y);
    }
    vec![-1.0]
}

#[kernel]
fn in_closures(x: &[i32]) -> Vec<i32> {
    x.map(|v| {
        let mut n = v;
        let mut steps = 0;
        while n != 1 {
            if steps > 50 || n <= 0 {
                return -1;
            }
            n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
            steps += 1;
        }
        steps
    })
}

#[kernel]
fn conditional_array(x: &[f64], flag: bool) -> (Vec<f64>, f64) {
    let mut y = x.to_vec();
    if flag {
        y = y.map(|v| v * 2.0);
        y[0] = -1.0;
    }
    let z = if flag {
        x.filter(|v| v > 1.0)
    } else {
        vec![7.0, 8.0]
    };
    (z, y[0] + y.sum())
}

#[kernel]
fn tuple_state(n: usize) -> (u64, [u64; 2], (i32, bool)) {
    let mut fib = (0u64, 1u64);
    let mut pair = [1u64, 1];
    let mut t = (0, false);
    for i in 0..n {
        fib = (fib.1, fib.0 + fib.1);
        pair[i % 2] += fib.0;
        t.0 += 1;
        t.1 = !t.1;
    }
    (fib.0, pair, t)
}

#[kernel]
fn matches(a: i32, b: Option2) -> i32 {
    match (a, b) {
        (0, _) => 0,
        (x, y) if x == y => 1,
        (1..=5, y @ 10..) => y,
        (_, 3 | 4) => 34,
        (x, y) => x - y,
    }
}
type Option2 = i32;

#[kernel]
fn bump(x: &mut [i32], by: i32) {
    for i in 0..x.len() {
        if x[i] == 0 {
            return;
        }
        x[i] += by;
    }
}

#[kernel]
fn bumps(x: &[i32]) -> Vec<i32> {
    let mut y = x.to_vec();
    bump(&mut y, 5);
    bump(&mut y, -1);
    y
}

#[kernel]
fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 {
        return a;
    }
    gcd(b, a % b)
}

#[kernel]
fn gcds(x: &[u64]) -> Vec<u64> {
    x.map(|v| gcd(v, 36))
}

#[kernel]
fn shadow(x: i32) -> i32 {
    let y = x + 1;
    let y = {
        let x = y * 2;
        let y = x + 1;
        y * x
    };
    for y in 0..3 {
        let _ = y;
    }
    y
}

#[kernel]
fn bisect(x: &[f64], target: f64) -> usize {
    let (mut lo, mut hi) = (0, x.len());
    while lo < hi {
        let mid = lo + (hi - lo) / 2;
        if x[mid] < target {
            lo = mid + 1
        } else {
            hi = mid
        }
    }
    lo
}

#[kernel]
fn outer_continue(n: i32) -> i32 {
    let mut s = 0;
    'a: for i in 0..n {
        let mut j = 0;
        loop {
            j += 1;
            if j > 4 {
                continue 'a;
            }
            if (i + j) % 5 == 0 {
                s += 100;
                if i > 6 {
                    break 'a;
                }
                break;
            }
            s += j;
        }
        s += 1000;
    }
    s
}

#[kernel]
fn asserts(x: &[i32], k: usize) -> i32 {
    assert!(
        x.len() > k,
        "no element {k}: the last is {}",
        x[x.len() - 1]
    );
    if x[k] < 0 {
        panic!("negative: {:?}", (x[k], 1.5f32));
    }
    x[k]
}

#[kernel]
fn mixed(x: &[i64]) -> i64 {
    let v = match x.first() {
        Some(v) if *v > 3 => *v,
        Some(_) => return -7,
        None => return -8,
    };
    let w = v + if v > 5 { return 50 } else { 1 };
    w * 2
}

#[kernel]
fn in_place(x: &[i32]) -> (Vec<i32>, [i32; 3]) {
    let mut y = x.to_vec();
    for (i, v) in y.iter_mut().enumerate() {
        if *v < 0 {
            continue;
        }
        *v += i as i32;
        if *v > 8 {
            break;
        }
        *v *= 2;
    }
    let mut z = [1, 2, 3];
    for v in z.iter_mut() {
        *v = *v * 10;
    }
    (y, z)
}

#[test]
fn ways_out() {
    agree!(find_pair(&[1, 5, 9, 4], 13));
    agree!(find_pair(&[1, 5, 9, 4], 2));
    for n in [0, 2, 3, 9] {
        agree!(first_long(&[1.0, 2.0], n));
    }
    agree!(first_long(&[], 3));
    agree!(in_closures(&[1, 7, 27, 0, -3]));
    agree!(outer_continue(5));
    agree!(outer_continue(15));
    agree!(in_place(&[1, -1, 3, 6, 7]));
    agree!(mixed(&[4]));
    agree!(mixed(&[9]));
    agree!(mixed(&[1]));
    agree!(mixed(&[]));
}

#[test]
fn state() {
    agree!(conditional_array(&[1.0, 2.0, 3.0], true));
    agree!(conditional_array(&[1.0, 2.0, 3.0], false));
    for n in [0, 1, 10] {
        agree!(tuple_state(n));
    }
    for (a, b) in [(0, 1), (2, 2), (3, 12), (9, 4), (9, 5), (1, 3)] {
        agree!(matches(a, b));
    }
    agree!(bumps(&[1, 2, 0, 3]));
    agree!(gcds(&[12, 7, 0, 90]));
    agree!(shadow(4));
    agree!(bisect(&[1.0, 2.0, 4.0, 8.0], 3.0));
    agree!(asserts(&[1, 2], 1));
    fails!(asserts(&[1, 2], 2), "no element 2: the last is 2");
    fails!(asserts(&[1, -2], 1), "negative: (-2, 1.5)");
}

#[kernel]
fn rows_by_map(x: &[usize]) -> Vec<usize> {
    x.iter().flat_map(|&n| indices(n).map(|k| k * k)).collect()
}

#[kernel]
fn adaptors(x: &[i32]) -> (Vec<i32>, Vec<i32>, i32, i32, Vec<(usize, i32)>, i32) {
    (
        x.iter().copied().take_while(|v| *v < 5).collect(),
        x.iter().copied().skip_while(|v| *v < 5).collect(),
        x.iter().copied().reduce(|a, b| a.max(b) - 1).unwrap_or(0),
        x.iter().copied().find(|v| v % 2 == 0).unwrap_or(-1),
        x.iter()
            .copied()
            .filter(|v| v % 2 == 1)
            .enumerate()
            .collect(),
        x.iter().rev().zip(1..).map(|(a, b)| a * b).sum(),
    )
}

#[kernel]
fn pairs_best(x: &[(f64, u32)]) -> ((f64, u32), (f64, u32), usize, usize) {
    let best = x
        .iter()
        .copied()
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap();
    let least = x
        .iter()
        .copied()
        .min_by(|a, b| a.0.partial_cmp(&b.0).unwrap().then(b.1.cmp(&a.1)))
        .unwrap();
    let keys = x.map(|p| p.0);
    (best, least, keys.argmin(), keys.argmax())
}

#[test]
fn adaptors_of_iterators() {
    agree!(rows_by_map(&[3usize, 0, 4]));
    agree!(adaptors(&[1, 3, 8, 5, 2]));
    agree!(adaptors(&[]));
    agree!(pairs_best(&[
        (1.0, 2),
        (3.0, 4),
        (3.0, 5),
        (-1.0, 6),
        (-1.0, 7)
    ]));
}

#[kernel]
fn bad_recursion(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        bad_recursion(n - 1) + bad_recursion(n - 2)
    }
}

#[kernel]
fn bad_rows(x: &[usize]) -> usize {
    let mut rows = x.map(|n| indices(n).map(|k| k));
    for _ in 0..x.len() {
        rows = rows.rev();
    }
    rows.map(|row| row.sum()).sum()
}

#[kernel]
fn ragged(x: &[usize], y: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let rows = x.map(|n| indices(n).map(|k| y[k]));
    let scanned: Vec<Vec<usize>> = x.iter().map(|&n| (0..n).collect()).collect();
    (rows.map(|row| row.sum()), scanned.map(|row| row.len()))
}

#[kernel]
fn parts(x: &[i32]) -> Vec<i32> {
    let mut y = x.to_vec();
    y[1..3].fill(0);
    y[3..].copy_from_slice(&x[..2]);
    y[..2].reverse();
    y
}

#[kernel]
fn bad_closure(x: &[f64]) -> f64 {
    let mut s = 0.0;
    let mut add = |v: f64| s += v;
    add(x[0]);
    add(x[1]);
    s
}

#[test]
fn parts_and_ragged_rows() {
    agree!(ragged(&[2usize, 0, 3], &[1.0, 2.0, 4.0]));
    fails!(
        ragged(&[2usize, 4], &[1.0, 2.0, 4.0]),
        "index 3 is out of bounds for length 3"
    );
    agree!(parts(&[1, 2, 3, 4, 5]));
    fails!(parts(&[1, 2, 3, 4]), "sequences of lengths 1 and 2");
    fails!(parts(&[1, 2]), "range 1..3 does not fit length 2");
}

#[test]
fn mistakes() {
    for (kernel, code, line) in [
        (
            bad_recursion::__cuprous_tree(),
            "CU0146",
            "bad_recursion(n - 1)",
        ),
        (bad_rows::__cuprous_tree(), "CU0140", "let mut rows"),
        (bad_closure::__cuprous_tree(), "CU0145", "s += v"),
    ] {
        let mistake = lower(kernel, &[]).expect_err("a mistake");
        assert_eq!(mistake.code, code, "{mistake:?}");
        assert!(
            mistake.source.line(mistake.span.line).contains(line),
            "{mistake:?}"
        );
    }
}
