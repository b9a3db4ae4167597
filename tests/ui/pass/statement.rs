//! Every form of statement, pattern and expression of the language.
#![deny(warnings)]

use cuprous::prelude::*;

const LIMIT: u32 = 7;
const TABLE: [f64; 3] = [1.0, 2.0, 3.0];

#[kernel]
fn pattern(x: &[f64], k: u32, pair: (f64, (i32, bool))) -> f64 {
    const SIZE: usize = 4;
    const LAST: usize = SIZE - 1;
    let (a, (b, _)) = pair;
    let [first, .., last] = [1.0, 2.0, 3.0];
    let (head, ..) = (1u8, 2u16, 3u32);
    let q @ 1..=9 = k else { return a };
    let weight = match (k, b) {
        (0, _) => 0.5,
        (1 | 2, -1) => 1.0,
        (LIMIT, n) if n > 3 => 2.0,
        (n @ 3..=5, ..) => f64::from(n),
        (u32::MAX, _) | (_, i32::MIN) => -1.5,
        (10.., 0) => 3.0,
        _ => TABLE[1],
    };
    let found = if let Some(v) = x.iter().copied().find(|&v| v > 1.0)
        && v < 9.0
    {
        v
    } else {
        f64::EPSILON
    };
    let mut local = [0.0; SIZE];
    local[LAST] = found;
    let (mut c, mut d) = (f64::from(head), last);
    (c, d) = (d, c);
    (c, _) = (c + 1.0, d);
    std::mem::swap(&mut c, &mut d);
    let e;
    e = c - d;
    let small = matches!(q, 1..=3 if e > 0.0);
    a + weight + local[LAST] + first + e + f64::from(u8::from(small)) + std::f64::consts::PI
}

#[kernel]
fn control(n: usize) -> u64 {
    let mut total = 0u64;
    'outer: for i in (0..n).rev() {
        for j in (0..n).step_by(2) {
            if i * j > 50 {
                continue 'outer;
            }
            if i + j == 0 {
                break 'outer;
            }
            total += (i * j) as u64;
        }
    }
    let mut k = 1;
    while k < 100 && total % k != 3 {
        k <<= 1;
    }
    let found = loop {
        k -= 1;
        if k == 0 {
            break 1;
        }
        if k % 7 == 0 {
            break k;
        }
    };
    let block = 'done: {
        if found > 3 {
            break 'done 2;
        }
        1
    };
    assert!(total < 1_000_000, "{total} of {n:>4} {} {{}} {0:?}", k + 1);
    assert_eq!(block, block);
    debug_assert_ne!(total, u64::MAX, "at {}", n);
    if n > 1 << 20 {
        panic!("{n} is too large")
    }
    if n > 1 << 21 {
        unreachable!()
    }
    total + found + block
}

#[kernel]
fn closure(x: &[f64], y: &[f64]) -> (Vec<f64>, f64) {
    let twice = |v: f64| -> f64 { v * 2.0 };
    let add = move |a, b| a + b;
    let z: Vec<f64> = x.iter().zip(y).map(|(&a, b)| add(twice(a), *b)).collect::<Vec<_>>();
    let best = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = z[1..].iter().sum::<f64>();
    let w = vec![1.0; z.len()];
    let v = if w.is_empty() { vec![] } else { vec![w[0], sum] };
    (v, best)
}

#[kernel]
fn rows(u: &Array2<f64>) -> f64 {
    let part = u.slice(s![1..-1, ..;2]);
    part.sum() + u[[0, 0]]
}

fn main() {
    assert_eq!(control::plain(0), 126 + 2);
    assert_eq!(closure::plain(&[1.0, 2.0], &[3.0, 4.0]).1, 8.0);
    assert!(pattern::plain(&[2.0], 3, (1.0, (2, true))).is_finite());
    assert_eq!(rows::plain(&Array2::ones((3, 3))), 3.0);
}
