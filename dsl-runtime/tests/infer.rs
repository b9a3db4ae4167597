//! Inference over kernels as users write them: the types of their `let`s, and the mistakes that only types show.
#![allow(dead_code, unused, clippy::all)]

// Generated code begins its paths with `::cuprous`.
extern crate dsl_runtime as cuprous;

use dsl_runtime::elaborate::infer::{infer, spell};
use dsl_runtime::elaborate::ty::{GenericArg, Mistake, Ty, Typed};
use dsl_runtime::kernel;
use dsl_runtime::prelude::*;
use dsl_runtime::syntax::{self, Kernel, PatternKind, Stmt};

fn typed(kernel: &'static Kernel, generics: &[GenericArg]) -> Typed {
    match infer(kernel, generics) {
        Ok(typed) => typed,
        Err(mistake) => panic!(
            "{}: {} {} ({}) at {:?}: {}",
            kernel.name,
            mistake.code,
            mistake.text,
            mistake.remedy,
            mistake.span,
            mistake.source.line(mistake.span.line).trim()
        ),
    }
}

/// The types of the outermost `let`s with one name, and of the result, as one text.
fn lets(kernel: &'static Kernel, generics: &[GenericArg]) -> String {
    let typed = typed(kernel, generics);
    let mut all = vec![];
    for stmt in kernel.body.stmts {
        if let Stmt::Let { pattern, .. } = stmt
            && let PatternKind::Bind { name, .. } = pattern.kind
        {
            all.push(format!("{name}: {}", spell(typed.pattern(pattern))));
        }
    }
    all.push(format!("-> {}", spell(&typed.result)));
    all.join("; ")
}

fn scalar(scalar: syntax::Scalar) -> GenericArg {
    GenericArg::Type(Ty::Scalar(scalar))
}

macro_rules! check {
    ($($kernel:ident $([$($generic:expr),*])? => $expected:literal;)*) => {$(
        assert_eq!(lets($kernel::__cuprous_tree(), &[$($($generic),*)?]), $expected);
    )*};
}

#[kernel]
fn saxpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| a * x + y)
}

#[kernel]
fn spmv(rows: &[usize], cols: &[u32], vals: &[f64], x: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1).map(|r| {
        (rows[r]..rows[r + 1])
            .map(|k| vals[k] * x[cols[k] as usize])
            .sum()
    })
}

#[kernel]
fn heat(u: &Array2<f64>, k: f64, steps: usize) -> Array2<f64> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..steps {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                g[[i, j]]
            } else {
                g[[i, j]]
                    + k * (g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]]
                        - 4.0 * g[[i, j]])
            }
        });
    }
    g
}

#[test]
fn the_kernels_of_the_introduction() {
    check! {
        saxpy => "-> [f32]";
        spmv => "-> [f64]";
        heat => "g: Array2<f64>; -> Array2<f64>";
    }
}

#[kernel]
fn literals(x: &[f32], n: u8) -> f32 {
    let mut s = 0.0;
    for v in x {
        s += v;
    }
    let mut count = 0;
    for i in 0..x.len() {
        count += i;
    }
    let lone = 1;
    let pi = 3.5;
    let byte = n + 1;
    let index = 2;
    let at = x[index];
    let wide = 3_000_000_000 as u64;
    let mask = 1 << n;
    let masked = 1u64 << n;
    let minus = -1 as i8;
    s
}

#[kernel]
fn scalars(a: f64, i: i32, u: u64, b: bool) -> (f64, bool) {
    let root = a.sqrt().max(0.5).mul_add(2.0, a);
    let (s, c) = a.sin_cos();
    let bits = a.to_bits();
    let back = f64::from_bits(bits);
    let ones = u.count_ones();
    let turned = u.rotate_left(3).wrapping_add(1).pow(2);
    let signs = i.signum() * i.abs().pow(2) + i.rem_euclid(7);
    let diff = i.abs_diff(3);
    let checked = i.checked_add(1).unwrap_or(0);
    let (wrapped, over) = i.overflowing_mul(3);
    let longer = i64::from(i) + 1;
    let f = f64::from(i as f32);
    let into: f64 = (a as f32).into();
    let largest = f64::max(a, 1.0);
    let order = a.total_cmp(&f).is_lt();
    let some = b.then_some(a).unwrap_or(f64::EPSILON);
    let less = (1, 2.0) < (i, a);
    let clamped = i.clamp(0, 9) as usize as f32;
    let choice = if b { a } else { 0.0 };
    let powers = a.powi(2) + a.powf(0.5) + a.exp();
    (root + s + c + back, b && less | order)
}

#[test]
fn literals_take_the_type_of_their_use() {
    check! {
        literals => "s: f32; count: usize; lone: i32; pi: f64; byte: u8; index: usize; at: f32; wide: u64; \
            mask: i32; masked: u64; minus: i8; -> f32";
        scalars => "root: f64; bits: u64; back: f64; ones: u32; turned: u64; signs: i32; diff: u32; checked: i32; \
            longer: i64; f: f64; into: f64; largest: f64; order: bool; some: f64; less: bool; clamped: f32; \
            choice: f64; powers: f64; -> (f64, bool)";
    }
}

#[kernel]
fn primitives(x: &[f64], y: &[f64], idx: &[u32], k: usize) -> Vec<f64> {
    let triples = x.zip3(y, 0..x.len()).map(|(a, b, i)| a * b + i as f64);
    let (left, right) = x.zip(y).unzip();
    let numbered = x.enumerate();
    let total = x.reduce(0.0, |a, b| a + b);
    let best = x
        .zip(indices(x.len()))
        .reduce((f64::INFINITY, 0), |a, b| if b.0 < a.0 { b } else { a });
    let peak = x.argmax();
    let any = x.any(|v| v > 1.0) || y.all(|v| v.is_nan());
    let count = x.count(|v| v < 0.0);
    let running = x.scan(0.0, |a, b| a + b);
    let before = x
        .exscan(1.0, |a, b| a * b)
        .rscan(0.0, f64::max)
        .rexscan(0.0, f64::min);
    let positive = x.filter(|v| v > 0.0);
    let (yes, no) = x.partition(|v| v > 0.0);
    let flat = x.flat_map(|v| [v, v + 1.0]);
    let taken = x.gather(idx).chain(&x.gather_or(idx, 0.0));
    let put = x
        .scatter(idx, y)
        .permute(idx)
        .scatter_with(|a, b| a + b, idx, y);
    let moved = x
        .shift(-1, 0.0)
        .rotate(1)
        .rev()
        .take(k)
        .skip(1)
        .step_by(2)
        .replicate(3)
        .interleave(y);
    let smooth = x.windows_map(3, |w| w.sum() / 3.0);
    let blocks = x.chunks_map(k, |c| c.maximum());
    let ragged = x.map(|v| fill(v as usize, v)).map(|row| row.sum());
    let filled = fill(k, 1u8).map(|b| b as f64);
    let table = tabulate(k, |i| i as f64 * 0.5);
    let grid = tabulate2((k, 3), |(i, j)| i * j);
    let draws = indices(k).map(|i| rng::uniform(7, i as u64));
    let words = rng::philox([1, 2], [3, 4, 5, 6]);
    running
}

#[test]
fn primitives_keep_and_change_elements() {
    check! {
        primitives => "triples: [f64]; numbered: [(usize, f64)]; total: f64; best: (f64, usize); peak: usize; any: bool; \
            count: usize; running: [f64]; before: [f64]; positive: [f64]; flat: [f64]; taken: [f64]; put: [f64]; \
            moved: [f64]; smooth: [f64]; blocks: [f64]; ragged: [f64]; filled: [f64]; table: [f64]; grid: Array2<usize>; \
            draws: [f64]; words: [u32; 4]; -> [f64]";
    }
}

#[kernel]
fn iterators(x: &[f64], y: &Vec<f32>, a: f64) -> Vec<f64> {
    let axpy: Vec<f64> = x
        .iter()
        .zip(y)
        .map(|(x, y)| a * x + f64::from(*y))
        .collect();
    let dot = x
        .iter()
        .zip(y.iter())
        .map(|(&x, &y)| x * y as f64)
        .sum::<f64>();
    let total: f64 = x.iter().sum();
    let squares = (0..x.len())
        .map(|i| i * i)
        .filter(|i| i % 2 == 0)
        .collect::<Vec<_>>();
    let firsts = x
        .iter()
        .enumerate()
        .filter_map(|(i, v)| if *v > 0.0 { Some(i) } else { None })
        .collect::<Vec<usize>>();
    let least = x.iter().copied().min_by(|a, b| a.total_cmp(b)).unwrap();
    let most = x.iter().cloned().fold(f64::NEG_INFINITY, f64::max);
    let longest = y.iter().map(|v| *v as i32).max().unwrap_or(0);
    let at = x.iter().position(|&v| v == 0.0).unwrap_or(x.len());
    let pairs: f64 = x.windows(2).map(|w| w[1] - w[0]).sum();
    let chunks = x.chunks_exact(4).map(|c| c.iter().sum::<f64>()).count();
    let all =
        x.iter().all(|v| v.is_finite()) && x.iter().rev().skip(1).step_by(2).any(|v| *v < 0.0);
    let flat: Vec<usize> = (0..3).flat_map(|i| (0..i).map(move |j| i + j)).collect();
    let acc = x.iter().fold((0.0, 0), |(s, n), v| (s + v, n + 1));
    let (even, odd): (Vec<f64>, Vec<f64>) = x.iter().partition(|v| **v > 1.0);
    let chained = x.iter().chain(&[1.0, 2.0]).take(3).last();
    let inferred = x.iter().map(|v| v * 2.0).collect();
    consume(inferred)
}

#[kernel]
fn consume(x: Vec<f64>) -> Vec<f64> {
    x
}

#[test]
fn iterators_are_std_s() {
    check! {
        iterators => "axpy: [f64]; dot: f64; total: f64; squares: [usize]; firsts: [usize]; least: f64; most: f64; \
            longest: i32; at: usize; pairs: f64; chunks: usize; all: bool; flat: [usize]; acc: (f64, i32); \
            chained: Option<f64>; inferred: [f64]; -> [f64]";
    }
}

#[kernel]
fn matrices(u: &Array2<f64>, m: ArrayView2<f64>, v: &Array1<f64>) -> Array1<f64> {
    let (h, w) = u.dim();
    let n = v.len() + u.nrows() * u.ncols() + v.dim();
    let s = u.shape()[0];
    let row = u.row(0);
    let product = u.dot(v);
    let square = u.dot(&m.t());
    let inner = v.dot(v);
    let part = u.slice(s![1..-1, ..;2]);
    let line = u.slice(s![h - 1, 1..]).to_vec();
    let scaled = u * 2.0 + &part - 1.0;
    let mapped = u.mapv(|x| x.sqrt());
    let floats = u.mapv(|x| x as f32);
    let flat = u.clone().into_shape_with_order(h * w).unwrap();
    let cube = v.clone().into_shape_with_order((2, 2, 3)).unwrap();
    let zeros = Array2::<f32>::zeros((h, w));
    let made = Array1::from_shape_fn(h, |i| u[[i, 0]] + v[i]);
    let given = Array2::from_shape_vec((h, w), vec![0u8; h * w]).unwrap();
    let mean = u.mean().unwrap();
    let rows: Vec<f64> = u.rows().into_iter().map(|r| r.sum()).collect();
    let total: f64 = u.iter().map(|x| x.abs()).sum();
    let high = v.iter().copied().fold(0.0, f64::max);
    let running = v.scan(0.0, |a, b| a + b);
    let minus = -u;
    for r in u.outer_iter() {
        let sum: f64 = r.sum();
    }
    product
}

#[test]
fn ndarray_has_its_own_words() {
    check! {
        matrices => "n: usize; s: usize; row: Array1<f64>; product: Array1<f64>; \
            square: Array2<f64>; inner: f64; part: Array2<f64>; line: [f64]; scaled: Array2<f64>; mapped: Array2<f64>; \
            floats: Array2<f32>; flat: Array1<f64>; cube: Array3<f64>; zeros: Array2<f32>; made: Array1<f64>; \
            given: Array2<u8>; mean: f64; rows: [f64]; total: f64; high: f64; running: [f64]; minus: Array2<f64>; \
            -> Array1<f64>";
    }
}

#[kernel]
fn control(x: &[i64], n: usize, flag: bool) -> i64 {
    let late;
    if flag {
        late = 1i64;
    } else {
        late = 2;
    }
    let chosen = match n {
        0 => 0.5f32,
        1 | 2 => 1.5,
        3..=9 if flag => 2.5,
        _ => return -1,
    };
    let found = loop {
        if n > 3 {
            break Some(x[0]);
        }
        if flag {
            break None;
        }
    };
    let Some(value) = found else {
        return 0;
    };
    let labelled = 'a: {
        if flag {
            break 'a 3u8;
        }
        4
    };
    let mut steps = 0;
    let mut m = n;
    'outer: while m != 1 {
        m = if m % 2 == 0 { m / 2 } else { 3 * m + 1 };
        for _ in (0..m).rev().step_by(2) {
            steps += 1;
            if steps > 100 {
                break 'outer;
            }
            continue 'outer;
        }
    }
    let (mut a, mut b) = (0, 1u16);
    (a, b) = (b, a);
    let [p, q, r] = [1u8, 2, 3];
    let (first, .., last) = (1i8, 2.0, false, 4u32);
    let pair = (first, last);
    if let Some(i) = x.first()
        && *i > 0
    {
        let j: i64 = *i;
    }
    while let Some(i) = x.get(steps) {
        break;
    }
    let unit = {
        assert!(n > 0, "n is {n} and {:?}", flag);
    };
    let never_used = if flag { panic!("no") } else { 3u32 };
    value + steps as i64
}

#[kernel]
fn closures(x: &[f32], scale: f32) -> Vec<f32> {
    let double = |v| v * 2.0;
    let shifted = |v: f32| -> f32 {
        if v > 1.0 {
            return v;
        }
        v + scale
    };
    let two = double(scale);
    let twice = apply(double, 3.0);
    let named = x.map(shifted).map(square).map(f32::sqrt).map(|v| double(v));
    let pairs =
        x.enumerate().map(|(i, v)| (v, i)).reduce(
            (0.0, 0),
            |(a, i), (b, j)| if a < b { (b, j) } else { (a, i) },
        );
    let generic = square(2.0) + square(1.5f64);
    let len = total([1, 2, 3]) + total([4u8; 2]) as i32;
    named
}

#[kernel]
fn square<T: Real>(v: T) -> T {
    let two = T::one() + T::of(1.0) - T::epsilon() * T::zero();
    let exact = T::from(2).unwrap();
    v.powi(2) * two / T::of(2.0).max(v).sqrt()
}

#[kernel]
fn total<T: Scalar, const N: usize>(x: [T; N]) -> T {
    let n = N + 1;
    let copy = [x[0]; N];
    copy.sum()
}

#[kernel]
fn apply(f: impl Fn(f32) -> f32, v: f32) -> f32 {
    f(f(v))
}

#[kernel]
fn bits<T: Int>(x: &[T]) -> T {
    let low = x.map(|v| (v & T::one()) ^ (v >> 1)).sum();
    let zeros = x.iter().map(|v| v.count_ones()).sum::<u32>();
    low.min(T::max_value())
}

#[test]
fn control_flow() {
    check! {
        control => "late: i64; chosen: f32; found: Option<i64>; labelled: u8; steps: usize; m: usize; pair: (i8, u32); \
            unit: (); never_used: u32; -> i64";
    }
}

#[test]
fn closures_and_kernels() {
    check! {
        closures => "double: impl Fn(f32) -> f32; shifted: impl Fn(f32) -> f32; two: f32; twice: f32; named: [f32]; \
            pairs: (f32, usize); generic: f64; len: i32; -> [f32]";
        square [scalar(syntax::Scalar::F32)] => "two: f32; exact: f32; -> f32";
        total [scalar(syntax::Scalar::I16), GenericArg::Const(3)] => "n: usize; copy: [i16; 3]; -> i16";
        bits [scalar(syntax::Scalar::U64)] => "low: u64; zeros: u32; -> u64";
    }
    let instances = typed(closures::__cuprous_tree(), &[]).instances;
    let mut args: Vec<_> = instances
        .into_values()
        .map(|args| format!("{args:?}"))
        .collect();
    args.sort();
    assert_eq!(args.len(), 6);
    assert!(
        args[5].contains("I32") && args[5].contains("Const(3)")
            || args.iter().any(|a| a.contains("Const(3)"))
    );
}

#[kernel]
fn idioms(
    x: &[f64],
    n: usize,
    u: &Array2<f32>,
    pts: &[(f32, u8)],
    w: &mut [f64],
) -> (Vec<f64>, Vec<usize>) {
    let mut out = vec![0.0; n];
    let mut hist = vec![0; 16];
    for (i, v) in x.iter().enumerate() {
        out[i] = v * 2.0;
        hist[i % 16] += 1;
    }
    let mut grid = vec![vec![0.0; n]; n];
    grid[1][2] = u[[0, 1]];
    for row in u.rows() {
        for v in row.iter() {
            grid[0][0] += v;
        }
    }
    let (best, at) = x
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.partial_cmp(b).unwrap())
        .map(|(i, v)| (*v, i))
        .unwrap_or((0.0, 0));
    let reds = pts
        .iter()
        .map(|&(v, c)| v * c as f32)
        .fold(0.0, |a, b| a + b);
    let inside = (0.0..=1.0).contains(&best) && (2..n).contains(&at);
    let head = &x[..n / 2];
    let tail = x[n / 2..]
        .iter()
        .rev()
        .map(|v| v - head[0])
        .collect::<Vec<_>>();
    let small: [f32; 3] = std::array::from_fn(|i| pts[i].0);
    let matrix = [[0.0f32; 3]; 2];
    let cell = matrix[1]
        .iter()
        .zip(&small)
        .map(|(a, b)| a * b)
        .sum::<f32>();
    let pairs = x
        .chunks(2)
        .zip(x.windows(2))
        .map(|(a, b)| a[0] + b[1])
        .count();
    let none = x.iter().find(|v| **v > 3.0).copied().unwrap_or_default();
    let least = std::cmp::min(n, 7).max(1);
    let (mut p, mut q) = (vec![1.0], x.to_vec());
    for _ in 0..3 {
        std::mem::swap(&mut p, &mut q);
    }
    let short = if n > 1 { &x[1..] } else { &[] };
    let hash = x.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, v| {
        (h ^ v.to_bits()).wrapping_mul(0x100_0000_01b3)
    });
    assert_eq!(hash, 0xcbf2_9ce4_8422_2325, "hash {hash:x}");
    let (lo, hi) = x.split_at(n / 2);
    let quarter = |v: &[f64]| v.iter().sum::<f64>() / 4.0;
    let both = quarter(lo) + quarter(&hi[1..]);
    let sum_of_rows = (0..n)
        .map(|i| (0..i).map(|j| grid[i][j]).sum::<f32>())
        .fold(0.0, f32::max);
    let wide = u8::MAX as u32 + u32::from(pts[0].1);
    let sign = if x[0] < 0.0 { -1 } else { 1 };
    let scaled = x[0] * sign as f64;
    for i in 0..w.len() {
        w[i] += scaled;
    }
    (out, hist)
}

#[kernel]
fn collatz(n: u64) -> u32 {
    if n <= 1 {
        0
    } else if n % 2 == 0 {
        1 + collatz(n / 2)
    } else {
        1 + collatz(3 * n + 1)
    }
}

#[kernel]
fn mandelbrot(w: usize, h: usize, limit: u32) -> Array2<u32> {
    tabulate2((h, w), |(i, j)| {
        let (cx, cy) = (
            j as f32 / w as f32 * 3.0 - 2.0,
            i as f32 / h as f32 * 2.0 - 1.0,
        );
        let (mut x, mut y, mut n) = (0.0, 0.0, 0);
        while x * x + y * y <= 4.0 && n < limit {
            (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
            n += 1;
        }
        n
    })
}

#[test]
fn idioms_of_rust() {
    check! {
        idioms => "out: [f64]; hist: [usize]; grid: [[f32]]; reds: f32; inside: bool; head: [f64]; tail: [f64]; \
            small: [f32; 3]; matrix: [[f32; 3]; 2]; cell: f32; pairs: usize; none: f64; least: usize; short: [f64]; hash: u64; \
            quarter: impl Fn([f64]) -> f64; both: f64; sum_of_rows: f32; wide: u32; sign: i32; scaled: f64; \
            -> ([f64], [usize])";
        collatz => "-> u32";
        mandelbrot => "-> Array2<u32>";
    }
}

#[kernel]
fn refused_method(x: &[f64]) -> Vec<f64> {
    x.iter().scan(0.0, |s, v| Some(*v)).collect()
}

#[kernel]
fn refused_function(n: usize) -> Vec<f64> {
    let empty: Vec<f64> = Vec::new();
    empty
}

#[kernel]
fn missing_method(x: &[f64]) -> usize {
    x.iter()
        .copied()
        .map(f64::abs)
        .rposition(|v| v > 0.5)
        .unwrap_or(0)
}

#[kernel]
fn missing_scalar(x: f64) -> f64 {
    x.next_up()
}

#[kernel]
fn missing_constant(x: &Array2<f64>) -> Array2<f64> {
    x.exp()
}

#[test]
fn mistakes_say_what_to_write() {
    let of = |kernel| match infer(kernel, &[]) {
        Ok(_) => panic!("no mistake"),
        Err(mistake) => mistake,
    };
    let cases: [(&'static Kernel, &str, &str, &str, &str); 5] = [
        (
            refused_method::__cuprous_tree(),
            "CU0108",
            "`scan` on `impl Iterator<Item = f64>`",
            "on the sequence",
            "scan",
        ),
        (
            refused_function::__cuprous_tree(),
            "CU0108",
            "`[_]::new`",
            "vec![v; n]",
            "Vec::new()",
        ),
        (
            missing_method::__cuprous_tree(),
            "CU0102",
            "no method `rposition`",
            "write `position`",
            "rposition",
        ),
        (
            missing_scalar::__cuprous_tree(),
            "CU0102",
            "`f64` has no method `next_up`",
            "a kernel of your own",
            "next_up",
        ),
        (
            missing_constant::__cuprous_tree(),
            "CU0108",
            "`exp` on `Array2<f64>`",
            "mapv",
            "exp",
        ),
    ];
    for (kernel, code, text, remedy, underlined) in cases {
        let mistake = of(kernel);
        assert_eq!(mistake.code, code, "{}", mistake.text);
        assert!(mistake.text.contains(text), "{}", mistake.text);
        assert!(mistake.remedy.contains(remedy), "{}", mistake.remedy);
        let line: Vec<char> = mistake.source.line(mistake.span.line).chars().collect();
        let part = &line[mistake.span.column as usize - 1..mistake.span.end_column as usize - 1];
        assert_eq!(part.iter().collect::<String>(), underlined);
    }
}

#[kernel]
fn axes(u: &Array2<f64>, c: &Array3<f32>) -> Array1<f64> {
    let sums = u.sum_axis(Axis(0));
    let norms = u.map_axis(Axis(1), |r| r.dot(&r).sqrt());
    let means = u.mean_axis(Axis(0)).unwrap();
    let planes = c.sum_axis(Axis(2));
    let layer = c.index_axis(Axis(0), 1).to_owned();
    let (d, h, w) = c.dim();
    let shift = Array3::from_shape_fn((d, h, w), |(i, j, k)| c[[i, j, k]] - c[(i, 0, k)]);
    let diagonal = u.diag().sum();
    let count = u.len_of(Axis(1));
    let copy = Array2::from_elem(u.raw_dim(), 1i8);
    let steps = Array1::linspace(0.0, 1.0, 11);
    let total: f64 = u.axis_iter(Axis(0)).map(|r| r.sum()).sum();
    sums + norms
}

#[kernel]
fn in_place(x: &mut [f64], by: f64) {
    for i in 0..x.len() {
        x[i] = x[i] * by + i as f64;
    }
    x.swap(0, 1);
    x[2..].fill(0.0);
}

#[kernel]
fn conversions<T: Real>(x: &[T], f: impl Fn(T) -> T) -> Vec<T> {
    let n = T::from_usize(x.len()).unwrap();
    let mean = x.iter().copied().sum::<T>() / n;
    let wide = mean.to_f64().unwrap().sqrt();
    let back = T::from(wide).unwrap() + T::of(0.5);
    let largest = x.iter().copied().fold(T::neg_infinity(), T::max);
    x.map(|v| f(v) - back)
}

#[kernel]
fn with<F: Fn(f64, usize) -> f64>(x: &[f64], f: F) -> Vec<f64> {
    x.enumerate().map(|(i, v)| f(v, i))
}

#[kernel]
fn calls(x: &[f64]) -> Vec<f64> {
    let k = 3.0;
    let y = with(x, |v, i| if i > 2 { v } else { k });
    conversions(&y, |v| v.abs())
}

#[test]
fn arrays_of_more_dimensions() {
    check! {
        axes => "sums: Array1<f64>; norms: Array1<f64>; means: Array1<f64>; planes: Array2<f32>; layer: Array2<f32>; \
            shift: Array3<f32>; diagonal: f64; count: usize; copy: Array2<i8>; steps: Array1<f64>; total: f64; \
            -> Array1<f64>";
        in_place => "-> ()";
    }
}

#[test]
fn generic_conversions() {
    check! {
        conversions [scalar(syntax::Scalar::F32)] => "n: f32; mean: f32; wide: f64; back: f32; largest: f32; -> [f32]";
        with [GenericArg::Type(Ty::Tuple(vec![]))] => "-> [f64]";
        calls => "k: f64; y: [f64]; -> [f64]";
    }
}
