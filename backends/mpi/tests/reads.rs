//! Reads of arrays that are cut, in the ways that ranks tell apart: what is found out about them, and what lies where.

#[path = "cut/mod.rs"]
mod cut;
#[path = "same/mod.rs"]
mod same;
#[path = "watch/mod.rs"]
mod watch;

use cuprous_interp as _;
use dsl_runtime::place::Place;
use same::{EAGER, same};

fn all(text: &str, calls: &[&str]) {
    for ranks in [2, 3, 7] {
        same(text, ranks, EAGER, &Place::interp(), calls);
    }
}

/// The last rows and the first ones are seen as one stretch; what lies beyond the last is none of them.
#[test]
fn beyond_the_end_where_it_is_read_around() {
    let text = "func @f[%n](%x: [%n]f64, %few: u64) -> [%n]f64 {
  %y: [%n]f64 = par (%i in 0..%n) {
    %own: f64 = index %x[%i]
    %is: bool = lt %i, %few
    %v: f64 = if %is {
      %t: u64 = add %i, %n
      %at: u64 = sub %t, 3
      %w: f64 = index %x[%at]
      yield %w
    } else {
      yield %own
    }
    collect %v
  }
  return %y
}";
    all(
        text,
        &["@f(iota(100), 3)", "@f(iota(100), 4)", "@f(iota(100), 10)"],
    );
}

/// Rows that elements name, where the elements are read around the end.
#[test]
fn elements_that_are_read_around_the_end() {
    let text = "func @f[%n](%x: [%n]f64, %c: [%n]u64, %k: u64) -> [%n]f64 {
  %y: [%n]f64 = par (%i in 0..%n) {
    %t: u64 = add %i, %k
    %at: u64 = rem %t, %n
    %j: u64 = index %c[%at]
    %v: f64 = index %x[%j]
    collect %v
  }
  return %y
}";
    all(
        text,
        &[
            "@f(iota(100), below(100, 1, 100), 10)",
            "@f(iota(100), below(100, 1, 100), 97)",
            "@f(iota(100), below(101, 2, 100), 55)",
        ],
    );
}

/// Rows of a matrix in a compressed form; what is read of an entry is `%p`.
fn entries(read: &str) -> String {
    format!(
        "func @f[%m, %z, %c](%ptr: [%m]u64, %col: [%z]u64, %x: [%c]f64) -> [?]f64 {{
  %rows: u64 = sub %m, 1
  %y: [%rows]f64 = par (%i in 0..%rows) {{
    %i1: u64 = add %i, 1
    %lo: u64 = index %ptr[%i]
    %hi: u64 = index %ptr[%i1]
    %n: u64 = sub %hi, %lo
    %s: f64 = par.inner (%q in 0..%n) {{
      %k: u64 = add %lo, %q
      %j: u64 = index %col[%k]
      {read}
      reduce add 0.0, %p
    }}
    collect %s
  }}
  return %y
}}"
    )
}

/// Two entries a row.
fn matrix(far: usize) -> String {
    let ptr: Vec<String> = (0..=40).map(|row| (2 * row).to_string()).collect();
    let col: Vec<String> = (0..80).map(|k| (k * 7 % far).to_string()).collect();
    format!("@f([{}], [{}], iota(80))", ptr.join(", "), col.join(", "))
}

#[test]
fn rows_that_elements_name_beside_others() {
    let read = "%a: f64 = index %x[%k]
      %b: f64 = index %x[%j]
      %p: f64 = mul %a, %b";
    all(&entries(read), &[&matrix(80), &matrix(3), &matrix(81)]);
}

#[test]
fn elements_that_elements_name() {
    let read = "%jj: u64 = index %col[%j]
      %a: f64 = cast f64 %jj
      %b: f64 = index %x[%j]
      %p: f64 = mul %a, %b";
    all(&entries(read), &[&matrix(80), &matrix(3), &matrix(81)]);
    let read = "%jj: u64 = index %col[%j]
      %p: f64 = index %x[%jj]";
    all(&entries(read), &[&matrix(80), &matrix(3)]);
}

/// A cast that does not keep the value: the row is another one than the element says.
#[test]
fn elements_that_are_cast_to_a_narrow_type() {
    let read = "%few: u8 = cast u8 %j
      %at: u64 = cast u64 %few
      %p: f64 = index %x[%at]";
    let ptr: Vec<String> = (0..=40).map(|row| (2 * row).to_string()).collect();
    let col: Vec<String> = (0..80)
        .map(|k| (k * 7 % 80 + 256 * (k % 3)).to_string())
        .collect();
    let call = format!("@f([{}], [{}], iota(80))", ptr.join(", "), col.join(", "));
    all(&entries(read), &[&call]);
    let text = "func @f[%n, %c](%x: [%n]f64, %col: [%c]i64) -> [%c]f64 {
  %y: [%c]f64 = par (%i in 0..%c) {
    %j: i64 = index %col[%i]
    %few: u8 = cast u8 %j
    %at: u64 = cast u64 %few
    %p: f64 = index %x[%at]
    collect %p
  }
  return %y
}";
    all(
        text,
        &["@f(iota(4000), [300, 2, -1, 3000, 511, 77, 256, 0, 12])"],
    );
}

/// Few elements that name rows far apart: with some of them out of bounds, and negative.
#[test]
fn a_few_rows_far_apart() {
    let text = "func @f[%n, %c](%x: [%n]f64, %col: [%c]i32) -> [%c]f64 {
  %y: [%c]f64 = par (%i in 0..%c) {
    %j: i32 = index %col[%i]
    %at: u64 = cast u64 %j
    %p: f64 = index %x[%at]
    collect %p
  }
  return %y
}";
    all(
        text,
        &[
            "@f(iota(4000), [3999, 0, 17, 1024, 3999, 5, 2000])",
            "@f(iota(4000), [3999, 0, 17, 1024, 4000, 5, 2000])",
            "@f(iota(4000), [3999, 0, 17, -1, 399, 5, 2000])",
            "@f(iota(4000), [])",
            "@f([], [0])",
        ],
    );
}

#[test]
fn one_of_two_arrays() {
    let text = "func @f[%n](%x: [%n]f64, %y: [%n]f64, %k: u64) -> [%n]f64 {
  %r: [%n]f64 = par (%i in 0..%n) {
    %c: bool = lt %i, %k
    %z: [%n]f64 = if %c {
      yield %x
    } else {
      yield %y
    }
    %own: f64 = index %x[%i]
    %v: f64 = index %z[%i]
    %s: f64 = add %v, %own
    collect %s
  }
  return %r
}";
    all(
        text,
        &[
            "@f(iota(50), fill(7.0, 50), 20)",
            "@f(iota(50), fill(7.0, 50), 0)",
        ],
    );
}
