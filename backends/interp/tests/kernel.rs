//! Kernels of every form of the language: the IR that they become is valid, and the interpreter computes what the function
//! as written computes.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]

// Generated code begins its paths with `::cuprous`.
extern crate dsl_runtime as cuprous;

#[macro_use]
mod agree;
#[path = "../../../tests/first/kernel.rs"]
mod first;

use cuprous::prelude::*;
use cuprous::{Place, kernel};
use cuprous_interp as _;
use first::{heat, saxpy, spmv};

#[test]
fn the_kernels_of_the_introduction() {
    let x: Vec<f32> = (0..100).map(|i| i as f32).collect();
    agree!(saxpy(2.0, &x, &x));
    fails!(saxpy(2.0, &x, &x[1..]), "sequences of lengths 100 and 99");
    agree!(spmv(
        &[0usize, 2, 2, 3],
        &[0u32, 2, 1],
        &[1.0, 2.0, 3.0],
        &[1.0, 10.0, 100.0]
    ));
    fails!(
        spmv(&[0usize, 1], &[9u32], &[1.0], &[1.0]),
        "index 9 is out of bounds for length 1"
    );
    let u = Array2::from_shape_fn((5, 7), |(i, j)| (i * 7 + j) as f64 * 0.5);
    agree!(heat(&u, 0.1, 3));
    agree!(heat(&u, 0.1, 0));
}

#[kernel]
fn early(x: &[f64], t: f64) -> f64 {
    if x.is_empty() {
        return -1.0;
    }
    let mut s = 0.0;
    for i in 0..x.len() {
        if x[i] < 0.0 {
            continue;
        }
        if x[i] > t {
            break;
        }
        if x[i] == 7.0 {
            return s * 100.0;
        }
        s += x[i];
    }
    s
}

#[kernel]
fn labelled(n: usize) -> (usize, usize) {
    let mut found = (0, 0);
    'outer: for i in 1..n {
        for j in 1..=i {
            if (i * j) % 3 == 1 {
                continue 'outer;
            }
            if i * j > 40 {
                found = (i, j);
                break 'outer;
            }
        }
    }
    let picked = 'a: {
        if found.0 > 100 {
            break 'a 5;
        }
        found.1
    };
    (found.0, picked)
}

#[kernel]
fn collatz(n: u64) -> (u64, u32) {
    let mut m = n;
    let mut steps = 0;
    let top = loop {
        if m == 1 {
            break steps + 1;
        }
        m = if m % 2 == 0 { m / 2 } else { 3 * m + 1 };
        steps += 1;
    };
    (m, top)
}

#[kernel]
fn mandelbrot(w: usize, h: usize, limit: u32) -> Array2<u32> {
    tabulate2((h, w), |(i, j)| {
        let cx = j as f32 / w as f32 * 3.0 - 2.0;
        let cy = i as f32 / h as f32 * 2.0 - 1.0;
        let (mut x, mut y, mut n) = (0.0f32, 0.0f32, 0);
        while n < limit && x * x + y * y <= 4.0 {
            (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
            n += 1;
        }
        n
    })
}

#[kernel]
fn classify(x: &[i32]) -> Vec<i32> {
    x.map(|v| match v {
        0 => 100,
        1 | 2 => 200,
        3..=9 => v * 2,
        n if n < 0 => {
            let m = -n;
            m * m
        }
        _ => -1,
    })
}

#[kernel]
fn growing(x: &[f32], n: usize) -> Vec<f32> {
    let mut g = x.to_vec();
    for k in 0..n {
        g = g.chain(&g.map(|v| v + k as f32));
    }
    if n > 2 { g.take(3) } else { g }
}

#[kernel]
fn doubled(v: f64) -> f64 {
    v + v
}

#[kernel]
fn power(x: f64, n: u32, acc: f64) -> f64 {
    if n == 0 {
        acc
    } else {
        power(x, n - 1, acc * x)
    }
}

#[kernel]
fn mapped(x: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
    x.map(|v| f(v))
}

#[kernel]
fn composed(x: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let k = 3.0;
    (mapped(x, |v| v * k), x.map(doubled), power(2.0, 10, 1.0))
}

#[kernel]
fn local_arrays(x: &[i32]) -> (Vec<i32>, [i32; 3]) {
    let mut count = [0; 3];
    let mut y = x.to_vec();
    for i in 0..x.len() {
        count[(x[i] % 3) as usize] += 1;
        y[i] = count[0] * 10 + y[i];
    }
    if y.len() > 1 {
        y.swap(0, 1);
    }
    let mut small = [1, 2, 3];
    small[1] = count[1];
    (y, small)
}

#[kernel]
fn sorted3(a: f32, b: f32, c: f32) -> [f32; 3] {
    let (mut a, mut b, mut c) = (a, b, c);
    if a > b {
        std::mem::swap(&mut a, &mut b);
    }
    if b > c {
        (b, c) = (c, b);
    }
    if a > b {
        let t = a;
        a = b;
        b = t;
    }
    [a, b, c]
}

#[kernel]
fn scale(x: &mut [f64], k: f64) -> f64 {
    let mut s = 0.0;
    for i in 0..x.len() {
        x[i] *= k;
        s += x[i];
    }
    s
}

#[test]
fn control_flow() {
    for x in [
        &[][..],
        &[1.0, -2.0, 3.0],
        &[1.0, 7.0, 3.0],
        &[1.0, 9.0, 3.0],
    ] {
        agree!(early(x, 8.0));
    }
    for n in [0, 1, 5, 9, 30] {
        agree!(labelled(n));
    }
    agree!(collatz(27));
    agree!(mandelbrot(12, 9, 30));
    agree!(classify(&[0, 1, 2, 5, 9, 10, -4]));
    for n in 0..5 {
        agree!(growing(&[1.0, 2.0], n));
    }
    agree!(composed(&[1.0, 2.5]));
    agree!(local_arrays(&[1, 5, 9, 3, 4]));
    agree!(local_arrays(&[1]));
    agree!(sorted3(3.0, 1.0, 2.0));
    agree!(sorted3(1.0, 3.0, 2.0));
    let mut x = [1.0, 2.0, 3.0];
    agree::ir(scale::__cuprous_tree());
    let s = scale::call(&mut x, 2.0)
        .on(&Place::interp())
        .to_host()
        .unwrap();
    assert_eq!(s, 12.0);
    assert_eq!(x, [2.0, 4.0, 6.0]);
}

#[kernel]
fn reductions(x: &[f64]) -> (f64, f64, f64, usize, usize, bool, usize) {
    (
        x.sum(),
        x.minimum(),
        x.reduce(f64::NEG_INFINITY, f64::max),
        x.argmin(),
        x.argmax(),
        x.any(|v| v > 3.0) && x.all(|v| v < 100.0),
        x.count(|v| v > 1.0),
    )
}

#[kernel]
fn pairs(x: &[(f32, i32)]) -> ((f32, i32), Vec<f32>, Vec<i32>) {
    let s = x.reduce((0.0, 0), |(a, b), (c, d)| (a + c, b + d));
    let (u, v) = x.unzip();
    (s, u.rev(), v.map(|i| i << 1))
}

#[kernel]
fn scans(x: &[i32]) -> (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>) {
    (
        x.scan(0, |a, b| a + b),
        x.exscan(10, |a, b| a.max(b)),
        x.rscan(1, |a, b| a * b),
        x.rexscan(0, |a, b| a * 2 + b),
    )
}

#[kernel]
fn selections(x: &[i32]) -> (Vec<i32>, Vec<i32>, Vec<i32>) {
    let (even, odd) = x.partition(|v| v % 2 == 0);
    (x.filter(|v| v > 2), even, odd)
}

#[kernel]
fn indexing(x: &[f32], idx: &[i32]) -> (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>) {
    (
        x.gather(idx),
        x.gather_or(&idx.map(|i| i - 1), -1.0),
        x.permute(&indices(x.len()).map(|i| x.len() - 1 - i)),
        fill(4, 0.0).scatter_with(|a, b| a + b, idx, &idx.map(|i| i as f32)),
    )
}

#[kernel]
fn views(x: &[i32]) -> (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>) {
    (
        x.shift(-1, 0),
        x.rotate(2),
        x.step_by(2),
        x.take(2).replicate(3),
        x.skip(1).interleave(&x.take(x.len() - 1)),
        x[1..3].to_vec(),
    )
}

#[kernel]
fn windows(x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    (
        x.windows_map(2, |w| w[0] + w[1]),
        x.chunks_map(2, |c| c.sum()),
    )
}

#[kernel]
fn matrix(u: &Array2<f64>) -> (Array2<f64>, Vec<f64>, f64) {
    let t = u.t().mapv(|v| v * 2.0);
    let rows = indices(u.nrows()).map(|i| u.row(i).sum());
    (t, rows, u[[0, 1]])
}

#[test]
fn primitives() {
    agree!(reductions(&[3.0, 1.0, 4.0, 1.0, 5.0]));
    fails!(reductions(&[][..]), "an empty sequence");
    agree!(pairs(&[(1.0, 2), (3.0, 4)]));
    agree!(scans(&[3, 1, 2]));
    agree!(selections(&[3, 1, 4, 1, 5, 9, 2, 6]));
    agree!(indexing(&[1.0, 2.0, 3.0, 4.0], &[3, 0, 0, 1]));
    fails!(
        indexing(&[1.0], &[-1]),
        "index -1 is out of bounds for length 1"
    );
    agree!(views(&[1, 2, 3, 4, 5]));
    agree!(windows(&[1.0, 2.0, 3.0, 4.0, 5.0]));
    let u = Array2::from_shape_fn((2, 3), |(i, j)| (i + 10 * j) as f64);
    agree!(matrix(&u));
}

#[kernel]
fn iterators(x: &[f64], y: &[f64]) -> (Vec<f64>, f64, f64, usize, usize) {
    (
        x.iter().zip(y).map(|(a, b)| a * b).collect(),
        x.iter().filter(|v| **v > 1.0).map(|v| v * v).sum(),
        x.iter().fold(1.0, |a, b| a / 2.0 + b),
        x.iter().filter(|&&v| v > 1.0).count(),
        x.iter().position(|&v| v == 4.0).unwrap_or(99),
    )
}

#[kernel]
fn more_iterators(x: &[i32]) -> (i32, i32, Vec<i32>, Vec<i32>, bool, Vec<usize>) {
    let squares: Vec<i32> = x
        .iter()
        .copied()
        .filter_map(|v| if v > 0 { Some(v * v) } else { None })
        .collect();
    let flat: Vec<i32> = x
        .iter()
        .flat_map(|&v| (0..v.max(0)).map(move |k| k * v))
        .collect();
    let (mut largest, mut total) = (0, 0);
    for (i, v) in x.iter().enumerate().skip(1).step_by(2) {
        total += *v * i as i32;
    }
    for i in (0..x.len()).rev() {
        largest = largest.max(x[i]);
    }
    let all = x.windows(2).all(|w| w[0] != w[1]);
    let chunks: Vec<usize> = x.chunks_exact(2).map(|c| c.len() + c[1] as usize).collect();
    (largest, total, squares, flat, all, chunks)
}

#[kernel]
fn extremes(x: &[f64], y: &[i32]) -> (f64, f64, i32, i32, f64) {
    (
        x.iter().copied().min_by(|a, b| a.total_cmp(b)).unwrap(),
        *x.iter().max_by(|a, b| a.total_cmp(b)).unwrap(),
        y.iter().copied().max().unwrap_or(-1),
        *y.iter().min_by_key(|v| (**v - 3).abs()).unwrap(),
        x.iter().copied().fold(f64::INFINITY, f64::min),
    )
}

#[test]
fn the_iterator_spelling() {
    agree!(iterators(&[1.0, 2.0, 4.0], &[3.0, 0.5]));
    agree!(more_iterators(&[3, 1, 4, 1, 5, 9, 2, 6]));
    agree!(extremes(&[2.0, -1.0, 7.5], &[5, 1, 4, 3, 2]));
    fails!(extremes(&[][..], &[1]), "the `Option` is `None`");
}

#[kernel]
fn integers(a: i32, b: i32, s: u32) -> ((i32, i32, i32, u32), i32, i32, i32, (i32, bool), u32) {
    (
        (
            a.wrapping_add(b),
            a.rem_euclid(7),
            a.div_euclid(-3),
            a.abs_diff(b),
        ),
        a.saturating_mul(b),
        a.pow(s % 3),
        a.checked_sub(b).unwrap_or(77),
        a.overflowing_add(b),
        a.leading_zeros()
            + s.rotate_right(3) % 5
            + (a as u32).swap_bytes() % 7
            + s.next_power_of_two(),
    )
}

#[kernel]
fn floats(a: f64, b: f64) -> (f64, f64, f64, bool, f64, f64, u64, bool) {
    (
        a.mul_add(b, 1.0).abs().sqrt(),
        a.clamp(-1.0, 1.0) + a.signum(),
        a.rem_euclid(b),
        a.is_nan() || a.is_finite(),
        a.to_degrees(),
        a.fract() + b.recip(),
        a.to_bits() >> 3,
        a.total_cmp(&b).is_lt(),
    )
}

const TABLE: [f32; 6] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5];
const WEIGHTS: &[(i32, f32)] = &[(1, 0.25), (2, 0.5), (3, 1.0)];

#[kernel]
fn constants(x: &[usize]) -> Vec<f32> {
    x.map(|i| TABLE[i] * WEIGHTS[i % 3].1 + WEIGHTS.len() as f32)
}

#[kernel]
fn checked(x: &[i32], d: i32) -> Vec<i32> {
    assert!(d != 3, "d is {d}, of {} {{x}}", x.len());
    x.map(|v| v / d)
}

#[test]
fn scalars() {
    for (a, b) in [(7, 3), (-7, 3), (i32::MAX, 5), (i32::MIN + 1, -2), (0, 0)] {
        agree!(integers(a, b, 12345));
    }
    for (a, b) in [(0.5, 2.0), (-3.25, 1.5), (1e10, -2.5)] {
        agree!(floats(a, b));
    }
    agree!(constants(&[0usize, 5, 3]));
    fails!(
        constants(&[6usize]),
        "index 6 is out of bounds for length 6"
    );
    agree!(checked(&[4, 9], 2));
    fails!(checked(&[4, 9], 0), "division by zero");
    fails!(checked(&[4, 9], 3), "d is 3, of 2 {x}");
}

#[kernel]
fn uneven(x: &[usize]) -> (Vec<usize>, Vec<usize>, usize) {
    let a: Vec<usize> = x.flat_map(|n| indices(n).map(|k| k + n));
    let b: Vec<usize> = x.iter().flat_map(|&n| [n, n + 1]).collect();
    (
        a,
        b,
        x.iter()
            .map(|&n| (0..n).filter(|k| k % 2 == 1).sum::<usize>())
            .max()
            .unwrap_or(0),
    )
}

#[kernel]
fn nested_rows(x: &[f64], n: usize) -> Vec<f64> {
    indices(n).map(|i| {
        let row = x.map(|v| v * i as f64);
        let s = row.scan(0.0, |a, b| a + b);
        s[s.len() - 1] + row.maximum()
    })
}

#[kernel]
fn closures(x: &[f64], k: f64) -> Vec<f64> {
    let square = |v: f64| v * v;
    let both = |v: f64| {
        if v < 0.0 {
            return 0.0;
        }
        square(v) + k
    };
    x.map(both)
}

#[kernel]
fn lets(x: &[i32]) -> i32 {
    let (a, .., c) = (1, 2, 3);
    let [p, q] = [a, c];
    let x = if let Some(v) = x.first() { *v } else { -1 };
    let y = match x {
        v @ (1 | 2) => v * 10,
        v => v,
    };
    let Some(z) = Some(y).filter(|v| *v > 5) else {
        return p + q;
    };
    let mut w;
    if z > 15 {
        w = 1;
    } else {
        w = 2;
    }
    w += z;
    w
}

#[kernel]
fn fails_unused(x: &[f64], i: usize) -> f64 {
    let _unused = x[i];
    let _also = x.map(|v| v);
    1.0
}

#[kernel]
fn lazily(x: &[i32], d: &[i32]) -> (bool, i32) {
    let any = x.iter().zip(d).any(|(a, b)| a / b == 2);
    let s = if any && x.len() > 1 { x[1] / d[0] } else { -5 };
    (any, s)
}

#[kernel]
fn while_let(x: &[i32]) -> (usize, i32) {
    let mut i = 0;
    let mut total = 0;
    while let Some(v) = x.get(i) {
        if *v < 0 {
            break;
        }
        total += v;
        i += 1;
    }
    (i, total)
}

#[kernel]
fn generic<T: Real, const N: usize>(x: &[T], w: [T; N]) -> Vec<T> {
    x.map(|v| {
        let mut s = T::of(0.0);
        for k in 0..N {
            s = s + w[k] * v.sqrt();
        }
        s
    })
}

#[kernel]
fn calls_generic(x: &[f32]) -> Vec<f32> {
    generic(x, [1.0, 2.0, 3.0])
}

#[kernel(contract)]
fn contracted(a: f64, b: f64, c: f64) -> (f64, f64) {
    let mut s = a;
    s += b * c;
    (a * b + c, s)
}

#[kernel]
fn empties(n: usize) -> (Vec<f32>, usize, Vec<(i32, f32)>) {
    let v = vec![1.5f32; n];
    let pairs: Vec<(i32, f32)> = (0..n as i32).map(|i| (i, v[i as usize])).collect();
    (v.filter(|x| x > 2.0), v.skip(3).len(), pairs)
}

#[kernel]
fn nd(u: &Array2<f64>, v: &[f64]) -> (Array2<f64>, Array1<f64>, f64, Array1<f64>) {
    let w = u.slice(s![1.., ..;2]).to_owned();
    let mut g = u.clone();
    g[[0, 0]] = 5.0;
    g[[1, 1]] += 1.0;
    let lines = u.sum_axis(Axis(0));
    let d = u.dot(&Array1::from(v.to_vec()));
    (
        &g * 2.0 + &u.mapv(|x| x.abs()),
        d,
        w.sum() + g.row(0).sum(),
        lines,
    )
}

#[test]
fn odds_and_ends() {
    agree!(uneven(&[3usize, 0, 2, 5]));
    agree!(nested_rows(&[1.0, -2.0, 3.0], 4));
    agree!(closures(&[1.0, -1.0, 2.0], 0.5));
    for x in [&[1][..], &[2], &[7], &[0], &[]] {
        agree!(lets(x));
    }
    fails!(
        fails_unused(&[1.0], 1),
        "index 1 is out of bounds for length 1"
    );
    agree!(lazily(&[4, 6], &[2, 0]));
    fails!(lazily(&[4, 6], &[0, 1]), "division by zero");
    agree!(while_let(&[1, 2, 3]));
    agree!(while_let(&[1, -2, 3]));
    agree!(calls_generic(&[4.0, 9.0]));
    let (x, y) = contracted::call(0.1, 10.0, -1.0)
        .on(&Place::interp())
        .to_host()
        .unwrap();
    assert_eq!(
        (x, y),
        (0.1f64.mul_add(10.0, -1.0), 10.0f64.mul_add(-1.0, 0.1))
    );
    agree!(empties(0));
    agree!(empties(5));
    let u = Array2::from_shape_fn((3, 4), |(i, j)| i as f64 - j as f64 * 0.5);
    agree!(nd(&u, &[1.0, 2.0, 3.0, 4.0]));
}

#[kernel]
fn random(n: usize, seed: u64) -> (Vec<f64>, Vec<[u32; 4]>) {
    (
        indices(n).map(|i| rng::uniform(seed, i as u64)),
        indices(n).map(|i| rng::philox([seed as u32, 7], [i as u32, 0, 0, 1])),
    )
}

#[kernel]
fn pi(n: usize) -> usize {
    indices(n).count(|i| {
        let x = rng::uniform(1, 2 * i as u64);
        let y = rng::uniform(1, 2 * i as u64 + 1);
        x * x + y * y <= 1.0
    })
}

#[test]
fn random_numbers() {
    agree!(random(5, 0x1234_5678_9abc));
    agree!(pi(1000));
}
