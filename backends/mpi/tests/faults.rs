//! Failures in the share of one rank: every rank gives the error that the interpreter gives, and nobody waits for ever.

#[path = "cut/mod.rs"]
mod cut;
#[path = "same/mod.rs"]
mod same;
#[path = "watch/mod.rs"]
mod watch;

use cuprous_cpu as _;
use cuprous_interp as _;
use dsl_runtime::place::Place;
use same::{EAGER, same};

fn interp() -> Place {
    Place::interp()
}

/// What an iteration `%i` of `%n` does to an element `%own` of `%x`, and how it fails at iteration `%p`: the name, the statements that
/// bind `%v`.
const WAYS: &[(&str, &str)] = &[
    (
        "index",
        "%far: u64 = add %n, 3
         %at: u64 = select %is, %far, %i
         %v: i64 = index %x[%at]",
    ),
    (
        "div",
        "%one: i64 = cast i64 %not
         %v: i64 = div %own, %one",
    ),
    (
        "check",
        "check empty %not
         %v: i64 = add %own, 1",
    ),
];

/// What becomes of the values.
const SINKS: &[(&str, &str, &str)] = &[
    ("collect", "%y: [%n]i64", "collect %v"),
    ("reduce", "%y: i64", "reduce add 0, %v"),
    ("scan", "%y: [%n]i64", "scan add 0, %v"),
    ("rexscan", "%y: [%n]i64", "rexscan add 0, %v"),
    (
        "filter",
        "%count: u64, %y: [%count]i64",
        "%keep: bool = gt %v, 3
         filter %keep, %v",
    ),
    ("scatter", "%y: [%n]i64", "scatter %z, %i, %v"),
];

/// A par that fails at iteration `%p`.
fn failing(way: &str, defs: &str, sink: &str) -> String {
    format!(
        "%last: u64 = sub %n, 1
  {defs} = par (%i in 0..%n) {{
    %own: i64 = index %x[%i]
    %is: bool = eq %i, %p
    %not: bool = ne %i, %p
    {way}
    {sink}
  }}"
    )
}

/// Where it fails: one for each rank, its first row or its last one, and nowhere.
fn places(ranks: usize, n: usize) -> Vec<usize> {
    let mut places = vec![0, n - 1, n];
    places.extend((1..ranks).map(|rank| rank * n / ranks + rank % 2 - 1));
    places
}

#[test]
fn at_the_end_and_in_the_middle() {
    for (name, way) in WAYS {
        for (sink, defs, values) in SINKS {
            let failing = failing(way, defs, values);
            let end = format!(
                "func @f[%n](%x: [%n]i64, %z: [%n]i64, %p: u64) -> {} {{
  {failing}
  return %y
}}",
                if *sink == "reduce" { "i64" } else { "[?]i64" }
            );
            let middle = format!(
                "func @f[%n](%x: [%n]i64, %z: [%n]i64, %p: u64) -> [%n]i64 {{
  {failing}
  %w: [%n]i64 = par (%k in 0..%n) {{
    %k1: u64 = add %k, 1
    %right: u64 = min %k1, %last
    %a: i64 = index %x[%right]
    %b: i64 = {}
    %c: i64 = add %a, %b
    collect %c
  }}
  return %w
}}",
                match *sink {
                    "reduce" => "add %y, 1",
                    "filter" => "cast i64 %count",
                    _ => "index %y[%right]",
                }
            );
            for text in [end, middle] {
                for (ranks, n) in [(2, 40), (3, 9000), (7, 40)] {
                    // The long ones, of many blocks, and those on many ranks, for some ways only.
                    if (n > 1000 || ranks > 3) && *name != "check" {
                        continue;
                    }
                    let at = places(ranks, n);
                    let calls = at
                        .iter()
                        .map(|p| format!("@f(hash(1, {n}), hash(2, {n}), {p})"));
                    let calls: Vec<String> = calls.collect();
                    let calls: Vec<&str> = calls.iter().map(|call| &**call).collect();
                    same(&text, ranks, EAGER, &interp(), &calls);
                }
            }
        }
    }
}

#[test]
fn places_that_come_twice() {
    let text = "func @f[%n](%x: [%n]i64, %z: [%n]i64, %p: u64, %q: u64) -> [%n]i64 {
  %y: [%n]i64 = par (%i in 0..%n) {
    %own: i64 = index %x[%i]
    %is: bool = eq %i, %p
    %at: u64 = select %is, %q, %i
    scatter %z, %at, %own
  }
  return %y
}";
    for ranks in [2, 3, 7] {
        let calls: Vec<String> = [(3, 30), (30, 3), (39, 0), (5, 5), (20, 40), (0, 99)]
            .map(|(p, q)| format!("@f(hash(1, 40), hash(2, 40), {p}, {q})"))
            .to_vec();
        let calls: Vec<&str> = calls.iter().map(|call| &**call).collect();
        same(text, ranks, EAGER, &interp(), &calls);
    }
}

/// In one round of a loop, whose other rounds read neighbours.
#[test]
fn in_a_loop() {
    let text = "func @f[%n](%x: [%n]i64, %p: u64, %when: u64, %rounds: u64) -> [%n]i64 {
  %last: u64 = sub %n, 1
  %r: [%n]i64 = loop for %t in 0..%rounds (%g: [%n]i64 = %x) {
    %now: bool = eq %t, %when
    %h: [%n]i64 = par (%i in 0..%n) {
      %there: bool = eq %i, %p
      %is: bool = and %there, %now
      %not: bool = not %is
      check empty %not
      %i1: u64 = add %i, 1
      %right: u64 = min %i1, %last
      %a: i64 = index %g[%i]
      %b: i64 = index %g[%right]
      %v: i64 = sub %b, %a
      collect %v
    }
    yield %h
  }
  return %r
}";
    for ranks in [2, 3, 7] {
        for inside in [interp(), Place::cpu_threads(1)] {
            let calls = [(0, 0, 5), (39, 4, 5), (20, 2, 5), (13, 2, 5), (13, 9, 5)]
                .map(|(p, when, rounds)| format!("@f(hash(1, 40), {p}, {when}, {rounds})"));
            let calls: Vec<&str> = calls.iter().map(|call| &**call).collect();
            same(text, ranks, EAGER, &inside, &calls);
        }
    }
}

/// The condition of a loop is a reduction of what a failed rank has not computed.
#[test]
fn until_a_reduction_says_so() {
    let text = "func @f[%n](%x: [%n]i64, %p: u64) -> [%n]i64, u64 {
  %r: [%n]i64, %rounds: u64 = loop while (%g: [%n]i64 = %x, %t: u64 = 0) {
    %least: i64 = par (%j in 0..%n) {
      %e: i64 = index %g[%j]
      reduce min 1000, %e
    }
    %go: bool = lt %least, 20
    yield %go
  } {
    %h: [%n]i64 = par (%i in 0..%n) {
      %a: i64 = index %g[%i]
      %there: bool = eq %i, %p
      %late: bool = gt %t, 3
      %is: bool = and %there, %late
      %not: bool = not %is
      %one: i64 = cast i64 %not
      %b: i64 = div %a, %one
      %v: i64 = add %b, 1
      collect %v
    }
    %t1: u64 = add %t, 1
    yield %h, %t1
  }
  return %r, %rounds
}";
    for ranks in [2, 3, 7] {
        let calls = [0, 39, 20, 13, 40].map(|p| format!("@f(below(9, 1, 40), {p})"));
        let calls: Vec<&str> = calls.iter().map(|call| &**call).collect();
        same(text, ranks, EAGER, &interp(), &calls);
    }
}

/// The condition of a loop is an element that a rank which has not failed has made of zeros.
#[test]
fn until_an_element_says_so() {
    let text = "func @f[%n](%x: [%n]f64) -> [%n]f64 {
  %last: u64 = sub %n, 1
  %y: [%n]f64 = par (%i in 0..%n) {
    %own: f64 = index %x[%i]
    %u: u64 = cast u64 %own
    %q: u64 = div 100, %u
    %f: f64 = cast f64 %q
    collect %f
  }
  %r: [%n]f64 = loop while (%g: [%n]f64 = %y) {
    %first: f64 = index %g[0]
    %go: bool = lt %first, 50.0
    yield %go
  } {
    %h: [%n]f64 = par (%j in 0..%n) {
      %j1: u64 = add %j, 1
      %right: u64 = min %j1, %last
      %v: f64 = index %g[%right]
      collect %v
    }
    yield %h
  }
  return %r
}";
    let mut x = ["1000.0"; 30];
    x[25] = "2.0";
    let good = format!("@f([{}])", x.join(", "));
    x[26] = "0.0";
    let bad = format!("@f([{}])", x.join(", "));
    for ranks in [2, 3, 7] {
        same(text, ranks, EAGER, &interp(), &[&good, &bad, &good]);
    }
}

/// Iterations that never end on zeros, which a neighbour has that failed: a loop with a condition, and one with a number of rounds.
#[test]
fn iterations_that_wait_for_a_value() {
    let while_ = "%w: f64 = loop while (%g: f64 = %v) {
      %go: bool = lt %g, 50.0
      yield %go
    } {
      %h: f64 = add %g, %g
      yield %h
    }";
    let counted = "%u: u64 = cast u64 %v
    %rounds: u64 = sub %u, 1
    %w: f64 = loop for %t in 0..%rounds (%g: f64 = %v) {
      %h: f64 = mul %g, 1.5
      yield %h
    }";
    for looped in [while_, counted] {
        let text = format!(
            "func @f[%n](%x: [%n]f64) -> [%n]f64 {{
  %last: u64 = sub %n, 1
  %y: [%n]f64 = par (%i in 0..%n) {{
    %own: f64 = index %x[%i]
    %ok: bool = gt %own, 0.0
    check empty %ok
    collect %own
  }}
  %s: [%n]f64 = par (%k in 0..%n) {{
    %mirror: u64 = sub %last, %k
    %m: f64 = index %y[%mirror]
    collect %m
  }}
  %r: [%n]f64 = par (%j in 0..%n) {{
    %v: f64 = index %s[%j]
    {looped}
    collect %w
  }}
  return %r
}}"
        );
        let mut x = ["3.0"; 30];
        let good = format!("@f([{}])", x.join(", "));
        x[25] = "-2.0";
        let bad = format!("@f([{}])", x.join(", "));
        for ranks in [2, 3, 7] {
            same(&text, ranks, EAGER, &interp(), &[&good, &bad, &good]);
        }
    }
}

/// A length that comes of zeros is no memory that cannot be had.
#[test]
fn a_length_of_what_failed() {
    let text = "func @f[%n](%x: [%n]u64) -> [?]f64 {
  %y: [%n]u64 = par (%i in 0..%n) {
    %own: u64 = index %x[%i]
    %ok: bool = gt %own, 0
    check empty %ok
    collect %own
  }
  %z: [%n]u64 = par (%j in 0..%n) {
    %last: u64 = sub %n, 1
    %k: u64 = sub %last, %j
    %v: u64 = index %y[%k]
    collect %v
  }
  %e: u64 = index %z[0]
  %l: u64 = sub %e, 1
  %r: [%l]f64 = par (%q in 0..%l) {
    collect 1.0
  }
  return %r
}";
    for ranks in [2, 3, 7] {
        let bad = "@f([3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0])";
        same(text, ranks, EAGER, &interp(), &["@f(fill(3, 12))", bad]);
    }
}
