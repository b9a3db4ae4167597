//! One file for each sink: with operations and lambdas, whole and inner, over sizes around every lane, group and block.

use crate::op::{least, most};
use crate::order::Order;
use crate::scalar::{Scalar, below, expected, hash, list};

/// Sizes around lanes (16), groups (8), short inner reductions (32) and blocks (4096).
const SIZES: &[usize] = &[
    0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 4095, 4096, 4097, 8191, 8192, 8193, 12289, 20000,
];
/// Lengths of the rows of inner reductions.
const INNER: &[usize] = &[0, 1, 7, 8, 9, 31, 32, 33, 40, 100];

const KINDS: &[&str] = &["reduce", "scan", "exscan", "rscan", "rexscan"];

/// An operation or a lambda of one value.
struct Case<T> {
    name: &'static str,
    /// As the sink line writes it.
    combine: String,
    start: T,
    op: fn(T, T) -> T,
    identity: Option<T>,
}

fn result<T: Scalar>(kind: &str, case: &Case<T>, inner: bool, values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    let reversed = kind.starts_with('r') && kind != "reduce";

    let order = Order {
        op: case.op,
        identity: case.identity,
        inner,
    };
    if kind == "reduce" {
        return vec![order.reduce(case.start, &values)];
    }
    if !reversed {
        return order.scan(kind == "exscan", case.start, &values);
    }
    // From the right: reversed, each value with its operands exchanged.
    values.reverse();
    let flipped: Vec<Flip<T>> = values.iter().map(|&value| Flip(value, case.op)).collect();
    let order = Order {
        op: |a: Flip<T>, b: Flip<T>| Flip((a.1)(b.0, a.0), a.1),
        identity: case.identity.map(|identity| Flip(identity, case.op)),
        inner,
    };
    let start = Flip(case.start, case.op);
    let results = order.scan(kind == "rexscan", start, &flipped);
    results.iter().rev().map(|flip| flip.0).collect()
}

/// A value that combines the other way round.
#[derive(Clone, Copy)]
struct Flip<T>(T, fn(T, T) -> T);

fn functions<T: Scalar>(text: &mut String, kind: &str, case: &Case<T>) {
    let (ty, name, combine) = (T::NAME, case.name, &case.combine);
    let (result, rows) = match kind {
        "reduce" => (ty.to_string(), format!("[%m]{ty}")),
        _ => (format!("[%n]{ty}"), format!("[%m, %n]{ty}")),
    };
    *text += &format!(
        "func @{name}_{ty}[%n](%x: [%n]{ty}, %e: {ty}) -> {result} {{
  %y: {result} = par (%i in 0..%n) {{
    %v: {ty} = index %x[%i]
    {kind} {combine} %e, %v
  }}
  return %y
}}
func @{name}_{ty}_inner[%m, %n](%x: [%m, %n]{ty}, %e: {ty}) -> {rows} {{
  %y: {rows} = par (%i in 0..%m) {{
    %r: {result} = par.inner (%j in 0..%n) {{
      %v: {ty} = index %x[%i, %j]
      {kind} {combine} %e, %v
    }}
    collect %r
  }}
  return %y
}}
"
    );
}

fn case<T: Scalar>(text: &mut String, kind: &str, case: Case<T>) {
    functions(text, kind, &case);
    let (ty, name, e) = (T::NAME, case.name, case.start.text());
    for &n in SIZES {
        let results = result(kind, &case, false, &hash::<T>(n as u64, n));
        let results = match kind {
            "reduce" => results[0].text(),
            _ => expected(&results),
        };
        *text += &format!("; run: @{name}_{ty}(hash({n}, {n}), {e}) == {results}\n");
    }
    for &n in INNER {
        let all = hash::<T>(n as u64, 3 * n);
        let rows = (0..3).map(|row| result(kind, &case, true, &all[row * n..(row + 1) * n]));
        let rows: Vec<Vec<T>> = rows.collect();
        let flat = rows.concat();
        let results = match kind {
            "reduce" => list(&flat),
            _ if flat.is_empty() => format!("fill({e}, 3, 0)"),
            _ if flat.len() <= 40 => {
                let rows: Vec<String> = rows.iter().map(|row| list(row)).collect();
                format!("[{}]", rows.join(", "))
            }
            _ => expected(&flat),
        };
        *text += &format!("; run: @{name}_{ty}_inner(hash({n}, 3, {n}), {e}) == {results}\n");
    }
    text.push('\n');
}

/// A lambda that is neither associative nor commutative.
const HALVES: &str = "(%l: f64, %q: f64) {
    %h: f64 = mul %l, 0.5
    %s: f64 = add %h, %q
    yield %s
  }";

fn combining(kind: &str) -> String {
    let mut text = String::new();
    macro_rules! op {
        ($name:literal, $t:ident, $start:expr, $identity:expr, $op:expr) => {
            case::<$t>(
                &mut text,
                kind,
                Case {
                    name: $name,
                    combine: $name.into(),
                    start: $start,
                    op: $op,
                    identity: Some($identity),
                },
            )
        };
    }
    op!("add", f32, 0.5, -0.0, |a, b| a + b);
    op!("add", f64, 0.5, -0.0, |a, b| a + b);
    op!("add", i32, -3, 0, i32::wrapping_add);
    op!("add", u8, 250, 0, u8::wrapping_add);
    op!("mul", f32, 1e30, 1.0, |a, b| a * b);
    op!("mul", i64, 3, 1, i64::wrapping_mul);
    op!("min", f32, 0.25, f32::NAN, least);
    op!("max", f64, -1.0, f64::NAN, most);
    op!("max", i16, -30000, i16::MIN, i16::max);
    op!("min", u64, u64::MAX, u64::MAX, u64::min);
    op!("and", u32, u32::MAX, u32::MAX, |a, b| a & b);
    op!("or", bool, false, false, |a, b| a | b);
    op!("xor", u64, 5, 0, |a, b| a ^ b);
    let halves = Case::<f64> {
        name: "halves",
        combine: HALVES.into(),
        start: 1.0,
        op: |a, b| a * 0.5 + b,
        identity: None,
    };
    case(&mut text, kind, halves);
    if !kind.starts_with("rsc") && !kind.starts_with("rex") {
        pairs(&mut text, kind);
    }
    text
}

/// A lambda of two values: the composition of the maps `t -> a t + b`, which does not commute.
fn pairs(text: &mut String, kind: &str) {
    let result = if kind == "reduce" { "u32" } else { "[%n]u32" };
    *text += &format!(
        "func @affine[%n](%a: [%n]u32, %b: [%n]u32) -> {result}, {result} {{
  %c: {result}, %d: {result} = par (%i in 0..%n) {{
    %v: u32 = index %a[%i]
    %w: u32 = index %b[%i]
    {kind} (%a1: u32, %b1: u32, %a2: u32, %b2: u32) {{
      %a3: u32 = mul %a1, %a2
      %t: u32 = mul %a2, %b1
      %b3: u32 = add %t, %b2
      yield %a3, %b3
    }} 1, 0, %v, %w
  }}
  return %c, %d
}}
"
    );
    for &n in SIZES {
        let (a, b) = (hash::<u32>(1, n), hash::<u32>(2, n));
        let values: Vec<(u32, u32)> = a.into_iter().zip(b).collect();
        let order = Order::<(u32, u32)> {
            op: |l, r| {
                (
                    l.0.wrapping_mul(r.0),
                    r.0.wrapping_mul(l.1).wrapping_add(r.1),
                )
            },
            identity: None,
            inner: false,
        };
        let results = match kind {
            "reduce" => {
                let (a, b) = order.reduce((1, 0), &values);
                format!("{a}, {b}")
            }
            _ => {
                let results = order.scan(kind == "exscan", (1, 0), &values);
                let (a, b): (Vec<u32>, Vec<u32>) = results.into_iter().unzip();
                format!("{}, {}", expected(&a), expected(&b))
            }
        };
        *text += &format!("; run: @affine(hash(1, {n}), hash(2, {n})) == {results}\n");
    }
}

fn collect() -> String {
    let mut text = String::new();
    macro_rules! each {
        ($($t:ident)*) => {$({
            let ty = <$t>::NAME;
            text += &format!("func @collect_{ty}[%n](%x: [%n]{ty}) -> [%n]{ty} {{
  %y: [%n]{ty} = par (%i in 0..%n) {{
    %up: u64 = add %i, 1
    %j: u64 = sub %n, %up
    %v: {ty} = index %x[%j]
    collect %v
  }}
  return %y
}}
");
            for &n in SIZES {
                let mut values = hash::<$t>(n as u64, n);
                values.reverse();
                text += &format!("; run: @collect_{ty}(hash({n}, {n})) == {}\n", expected(&values));
            }
        })*};
    }
    each!(bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);
    text += "
func @transposed[%h, %w](%x: [%h, %w]f32) -> [%w, %h]f32 {
  %y: [%w, %h]f32 = par (%i in 0..%w) {
    %row: [%h]f32 = par.inner (%j in 0..%h) {
      %v: f32 = index %x[%j, %i]
      collect %v
    }
    collect %row
  }
  return %y
}
";
    for (h, w) in [(1, 1), (2, 3), (5, 17), (64, 65), (300, 70)] {
        let values = hash::<f32>(9, h * w);
        let turned: Vec<f32> = (0..w * h).map(|k| values[k % h * w + k / h]).collect();
        let results = match turned.len() {
            0..=40 => {
                let rows: Vec<String> = turned.chunks(h).map(list).collect();
                format!("[{}]", rows.join(", "))
            }
            _ => expected(&turned),
        };
        text += &format!("; run: @transposed(hash(9, {h}, {w})) == {results}\n");
    }
    text += "; run: @transposed(fill(0, 0, 3)) == fill(0, 3, 0)\n; run: @transposed(fill(0, 3, 0)) == fill(0, 0, 3)\n";
    text
}

fn filter() -> String {
    let mut text = String::from(
        "func @filter[%n, %m](%x: [%n]f32, %y: [%n, %m]u8, %bound: f32) -> u64, [?]f32, [?, %m]u8 {
  %k: u64, %a: [%k]f32, %b: [%k, %m]u8 = par (%i in 0..%n) {
    %v: f32 = index %x[%i]
    %w: [%m]u8 = index %y[%i]
    %p: bool = lt %v, %bound
    filter %p, %v, %w
  }
  return %k, %a, %b
}
",
    );
    for &n in SIZES {
        for bound in ["-2.0", "-0.5", "2.0"] {
            let limit: f32 = bound.parse().expect("a number");
            let values = hash::<f32>(3, n);
            let bytes = hash::<u8>(4, n * 2);
            let kept: Vec<usize> = (0..n).filter(|&k| values[k] < limit).collect();
            let a: Vec<f32> = kept.iter().map(|&k| values[k]).collect();
            let b: Vec<u8> = kept
                .iter()
                .flat_map(|&k| [bytes[2 * k], bytes[2 * k + 1]])
                .collect();
            let rows: Vec<String> = b.chunks(2).map(list).collect();
            let b = match b.len() {
                0 => "fill(0, 0, 2)".into(),
                1..=40 => format!("[{}]", rows.join(", ")),
                _ => expected(&b),
            };
            text += &format!(
                "; run: @filter(hash(3, {n}), hash(4, {n}, 2), {bound}) == {}, {}, {b}\n",
                kept.len(),
                expected(&a)
            );
        }
    }
    text
}

fn scatter() -> String {
    let mut text = String::from(
        "func @scatter[%n, %m](%dest: [%n]f64, %index: [%m]u64, %x: [%m]f64) -> [%n]f64 {
  %y: [%n]f64 = par (%i in 0..%m) {
    %at: u64 = index %index[%i]
    %v: f64 = index %x[%i]
    scatter %dest, %at, %v
  }
  return %y
}
; run: @scatter([1.0, 2.0, 3.0], [2, 0], [5.0, 6.0]) == [6.0, 2.0, 5.0]
; run: @scatter([1.0, 2.0], [], []) == [1.0, 2.0]
; run: @scatter([], [], []) == []
; run: @scatter([], [0], [1.0]) error CU0201: index 0 is out of bounds for length 0
; run: @scatter([1.0, 2.0], [0, 2, 0], [1.0, 1.0, 1.0]) error CU0201: index 2 is out of bounds for length 2
; run: @scatter([1.0, 2.0], [1, 1, 9], [1.0, 1.0, 1.0]) error CU0207: index 1 occurs more than once

func @reversed[%n, %m](%dest: [%n, %m]u16, %x: [%n, %m]u16) -> [%n, %m]u16 {
  %y: [%n, %m]u16 = par (%i in 0..%n) {
    %up: u64 = add %i, 1
    %j: u64 = sub %n, %up
    %v: [%m]u16 = index %x[%i]
    scatter %dest, %j, %v
  }
  return %y
}
",
    );
    for &n in &SIZES[1..] {
        let values = hash::<u16>(5, n * 3);
        let turned: Vec<u16> = values.chunks(3).rev().flatten().copied().collect();
        let rows: Vec<String> = turned.chunks(3).map(list).collect();
        let result = match turned.len() {
            0..=40 => format!("[{}]", rows.join(", ")),
            _ => expected(&turned),
        };
        text += &format!("; run: @reversed(fill(7, {n}, 3), hash(5, {n}, 3)) == {result}\n");
    }
    text
}

fn scatter_with() -> String {
    let mut text = String::new();
    let function = |name: &str, ty: &str, combine: &str| {
        format!(
            "func @{name}_{ty}[%n, %m](%dest: [%n]{ty}, %index: [%m]u64, %x: [%m]{ty}) -> [%n]{ty} {{
  %y: [%n]{ty} = par (%i in 0..%m) {{
    %at: u64 = index %index[%i]
    %v: {ty} = index %x[%i]
    scatter_with {combine} %dest, %at, %v
  }}
  return %y
}}
"
        )
    };
    macro_rules! case {
        ($name:literal, $combine:expr, $t:ident, $start:expr, $op:expr) => {{
            text += &function($name, <$t>::NAME, $combine);
            let op: fn($t, $t) -> $t = $op;
            for &n in SIZES {
                for bins in [1usize, 5, 300] {
                    let start: $t = $start;
                    let mut dest = vec![start; bins];
                    let values = hash::<$t>(6, n);
                    for (at, value) in below(bins as u64, 8, n).into_iter().zip(values) {
                        dest[at as usize] = op(dest[at as usize], value);
                    }
                    text += &format!(
                        "; run: @{}_{}(fill({}, {bins}), below({bins}, 8, {n}), hash(6, {n})) == {}\n",
                        $name,
                        <$t>::NAME,
                        start.text(),
                        expected(&dest)
                    );
                }
            }
        }};
    }
    case!("add", "add", f32, 0.0, |a, b| a + b);
    case!("add", "add", u32, 1, u32::wrapping_add);
    case!("max", "max", i64, i64::MIN, i64::max);
    case!("halves", HALVES, f64, 1.0, |a, b| a * 0.5 + b);
    text += "; run: @add_u32([1, 2], [1, 2, 0], [1, 1, 1]) error CU0201: index 2 is out of bounds for length 2\n";
    text
}

/// Names and texts of all files.
pub fn files() -> Vec<(String, String)> {
    let mut files = vec![
        ("sink/collect.cup".to_string(), collect()),
        ("sink/filter.cup".to_string(), filter()),
        ("sink/scatter.cup".to_string(), scatter()),
        ("sink/scatter_with.cup".to_string(), scatter_with()),
    ];
    for kind in KINDS {
        files.push((format!("sink/{kind}.cup"), combining(kind)));
    }
    files
}
