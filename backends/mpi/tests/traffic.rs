//! What each primitive sends, as numbers: of every rank in a call, without what debug builds compare.

#[path = "watch/mod.rs"]
mod watch;

use cuprous_interp as _;
use cuprous_mpi::comm::collective::checks;
use cuprous_mpi::{DistributedArray, Distribution, Policy, World};
use dsl_runtime::array::{Arg, Stored};
use dsl_runtime::cache::compile_func;
use dsl_runtime::ir::Const;
use dsl_runtime::ir::parse::parse;
use dsl_runtime::place::Place;
use std::sync::Arc;

/// What is small is shared too, evenly.
const EAGER: Policy = Policy {
    small: 0,
    blocks: false,
};

/// How an argument is made.
#[derive(Clone)]
enum Given {
    /// A scalar.
    Scalar(Const),
    /// So many numbers, cut evenly.
    Even(Vec<u64>),
    /// The same, cut on blocks.
    Blocks(Vec<u64>),
}

fn iota(n: usize) -> Vec<u64> {
    (0..n as u64).collect()
}

/// The bytes that each rank sends in the first call and in the second one, and what the first rank says of the second.
fn sent(ranks: usize, policy: Policy, text: &str, args: &[Given]) -> (Vec<[u64; 2]>, String) {
    let func = parse(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let func = Arc::new(func.funcs.into_iter().next().unwrap());
    let mut all = watch::run("traffic", ranks, |comm| {
        let world = World::with_policy(comm, policy);
        let place = world.place(Place::interp());
        let run = compile_func(func.clone(), &**place.backend().unwrap().unwrap()).unwrap();
        let array = |numbers: &[u64], rows: &Distribution| -> Stored {
            let part = numbers[rows.range(world.rank())].to_vec();
            let array = world.from_local(part).unwrap();
            assert_eq!(array.distribution().as_ref(), Some(rows));
            array.leaves()[0].clone()
        };
        let held: Vec<Option<Stored>> = args
            .iter()
            .map(|given| match given {
                Given::Scalar(_) => None,
                Given::Even(n) => Some(array(n, &Distribution::even(n.len(), ranks))),
                Given::Blocks(n) => Some(array(n, &Distribution::blocks(n.len(), ranks))),
            })
            .collect();
        let args: Vec<Arg<'_>> = args
            .iter()
            .zip(&held)
            .map(|(given, held)| match (given, held) {
                (Given::Scalar(value), _) => Arg::Scalar(*value),
                (_, held) => Arg::Stored(held.as_ref().unwrap()),
            })
            .collect();
        let bytes = [(); 2].map(|()| {
            let before = world.sent();
            run.call(&args).unwrap();
            (world.sent() - before).bytes - u64::from(checks()) * 8 * (ranks as u64 - 1)
        });
        (bytes, run.explain())
    });
    let text = std::mem::take(&mut all[0].1);
    (all.into_iter().map(|(bytes, _)| bytes).collect(), text)
}

/// The word at the end that all is well.
fn word(ranks: usize) -> u64 {
    ranks as u64 - 1
}

const RANKS: [usize; 4] = [1, 2, 3, 7];

/// Elements of so many blocks that each of these has some.
const LONG: usize = 8 * 4096;

/// Each rank sends this and the word at the end in the first call; in the second one what was brought is there.
fn sends(
    policy: Policy,
    text: &str,
    args: &[Given],
    why: &str,
    bytes: impl Fn(usize, usize) -> u64,
) {
    for ranks in RANKS {
        let (found, explained) = sent(ranks, policy, text, args);
        for (rank, found) in found.iter().enumerate() {
            let all = [bytes(ranks, rank) + word(ranks), word(ranks)];
            assert_eq!(*found, all, "rank {rank} of {ranks}: {why}\n{explained}");
        }
        assert_eq!(explained.contains("whether all is well"), ranks > 1);
    }
}

/// A par over `%x` whose element `%i` is `%v`.
fn mapped(body: &str) -> String {
    format!(
        "func @f[%n](%x: [%n]u64, %k: u64) -> [%n]u64 {{
  %y: [%n]u64 = par (%i in 0..%n) {{
    {body}
    collect %v
  }}
  return %y
}}"
    )
}

fn k(k: u64) -> Given {
    Given::Scalar(k.into())
}

#[test]
fn a_map_sends_nothing() {
    let text = mapped("%e: u64 = index %x[%i]\n%v: u64 = add %e, %k");
    for args in [Given::Even(iota(100)), Given::Blocks(iota(LONG))] {
        for policy in [EAGER, Policy::default()] {
            sends(policy, &text, &[args.clone(), k(3)], "a map", |_, _| 0);
        }
    }
}

/// As many rows as it is rotated by, to the rank before.
#[test]
fn a_rotation_sends_its_distance() {
    let text = mapped("%t: u64 = add %i, %k\n%j: u64 = rem %t, %n\n%v: u64 = index %x[%j]");
    for distance in [1, 5] {
        let bytes = |ranks: usize, _: usize| if ranks == 1 { 0 } else { distance * 8 };
        let args = [Given::Even(iota(700)), k(distance)];
        sends(EAGER, &text, &args, "a rotation", bytes);
        let args = [Given::Blocks(iota(LONG)), k(distance)];
        sends(Policy::default(), &text, &args, "a rotation", bytes);
    }
}

/// The same, but from the first rank nothing.
#[test]
fn a_shift_sends_its_distance() {
    let text = mapped(
        "%t: u64 = add %i, %k
    %inside: bool = lt %t, %n
    %v: u64 = if %inside {
      %e: u64 = index %x[%t]
      yield %e
    } else {
      yield 7
    }",
    );
    for distance in [1, 5] {
        let bytes = |_: usize, rank: usize| if rank == 0 { 0 } else { distance * 8 };
        let args = [Given::Even(iota(700)), k(distance)];
        sends(EAGER, &text, &args, "a shift", bytes);
        let args = [Given::Blocks(iota(LONG)), k(distance)];
        sends(Policy::default(), &text, &args, "a shift", bytes);
    }
}

/// Windows of `k`: all but one of them from the next rank.
#[test]
fn windows_send_what_overlaps() {
    let text = "func @f[%n](%x: [%n]u64, %k: u64) -> [?]u64 {
  %n1: u64 = add %n, 1
  %m: u64 = sub %n1, %k
  %y: [%m]u64 = par (%i in 0..%m) {
    %s: u64 = par.inner (%j in 0..%k) {
      %at: u64 = add %i, %j
      %e: u64 = index %x[%at]
      reduce add 0, %e
    }
    collect %s
  }
  return %y
}";
    for ranks in RANKS {
        let (found, explained) = sent(ranks, EAGER, text, &[Given::Even(iota(700)), k(4)]);
        let all: u64 = found.iter().map(|bytes| bytes[0]).sum();
        let boundaries = ranks as u64 - 1;
        let words = word(ranks) * ranks as u64;
        assert_eq!(
            all,
            boundaries * 3 * 8 + words,
            "{ranks} ranks\n{explained}"
        );
    }
}

/// A three-point stencil, ten rounds in one kernel: an element to each neighbour a round.
#[test]
fn a_stencil_sends_its_halo_each_round() {
    let text = "func @f[%n](%x: [%n]u64, %rounds: u64) -> [%n]u64 {
  %last: u64 = sub %n, 1
  %r: [%n]u64 = loop for %t in 0..%rounds (%g: [%n]u64 = %x) {
    %h: [%n]u64 = par (%i in 0..%n) {
      %some: u64 = max %i, 1
      %l: u64 = sub %some, 1
      %i1: u64 = add %i, 1
      %right: u64 = min %i1, %last
      %a: u64 = index %g[%l]
      %b: u64 = index %g[%i]
      %c: u64 = index %g[%right]
      %ab: u64 = add %a, %b
      %abc: u64 = add %ab, %c
      collect %abc
    }
    yield %h
  }
  return %r
}";
    for n in [700, 1400] {
        for ranks in RANKS {
            let (found, explained) = sent(ranks, EAGER, text, &[Given::Even(iota(n)), k(10)]);
            for (rank, found) in found.iter().enumerate() {
                let neighbours = u64::from(rank > 0) + u64::from(rank + 1 < ranks);
                let word = word(ranks);
                // What the first round reads of the argument is known in the second call.
                let all = [10 * neighbours * 8 + word, 9 * neighbours * 8 + word];
                assert_eq!(*found, all, "rank {rank} of {ranks}\n{explained}");
            }
            assert!(
                ranks == 1 || explained.contains("rows that other ranks read of %g (9 times)"),
                "{explained}"
            );
        }
    }
}

/// A total of each part goes around: as many bytes for any number of elements.
#[test]
fn a_reduction_sends_totals() {
    let text = "func @f[%n](%x: [%n]u64, %k: u64) -> u64 {
  %s: u64 = par (%i in 0..%n) {
    %e: u64 = index %x[%i]
    reduce add 0, %e
  }
  return %s
}";
    for n in [16 * 4096, 32 * 4096] {
        for ranks in [1, 2, 4] {
            let (found, explained) = sent(ranks, EAGER, text, &[Given::Blocks(iota(n)), k(0)]);
            for (rank, found) in found.iter().enumerate() {
                // A total and whether all is well; and the word at the end.
                let others = ranks as u64 - 1;
                let all = others * (1 + 8) + word(ranks);
                assert_eq!(*found, [all, all], "rank {rank} of {ranks}\n{explained}");
            }
            assert_eq!(
                ranks > 1,
                explained.contains("partial results of reductions")
            );
        }
    }
}

/// A scan sends a total a block.
#[test]
fn a_scan_sends_a_total_a_block() {
    let text = "func @f[%n](%x: [%n]u64, %k: u64) -> [%n]u64 {
  %s: [%n]u64 = par (%i in 0..%n) {
    %e: u64 = index %x[%i]
    scan add 0, %e
  }
  return %s
}";
    for blocks in [4u64, 8] {
        let n = blocks as usize * 4096;
        for ranks in [1, 2, 4] {
            let (found, explained) = sent(ranks, EAGER, text, &[Given::Blocks(iota(n)), k(0)]);
            for (rank, found) in found.iter().enumerate() {
                let others = ranks as u64 - 1;
                let totals = blocks / ranks as u64 * others * 8;
                let all = others + totals + word(ranks);
                assert_eq!(*found, [all, all], "rank {rank} of {ranks}\n{explained}");
            }
            assert_eq!(ranks > 1, explained.contains("totals of a scan's blocks"));
        }
    }
}

/// What is kept stays where it is.
#[test]
fn a_filter_sends_counts() {
    let text = "func @f[%n](%x: [%n]u64, %k: u64) -> [?]u64 {
  %count: u64, %y: [%count]u64 = par (%i in 0..%n) {
    %e: u64 = index %x[%i]
    %keep: bool = gt %e, %k
    filter %keep, %e
  }
  return %y
}";
    for n in [700, 1400] {
        for ranks in RANKS {
            let (found, explained) = sent(ranks, EAGER, text, &[Given::Even(iota(n)), k(50)]);
            for (rank, found) in found.iter().enumerate() {
                let others = ranks as u64 - 1;
                let all = others * (1 + 8) + word(ranks);
                assert_eq!(*found, [all, all], "rank {rank} of {ranks}\n{explained}");
            }
            assert_eq!(ranks > 1, explained.contains("how many each rank keeps"));
        }
    }
}

/// Only the rows that indices name, once: the owners are asked in the first call.
#[test]
fn a_gather_sends_what_is_named() {
    let text = "func @f[%n, %m](%x: [%n]u64, %c: [%m]u64) -> [%m]u64 {
  %y: [%m]u64 = par (%i in 0..%m) {
    %j: u64 = index %c[%i]
    %v: u64 = index %x[%j]
    collect %v
  }
  return %y
}";
    // Each of 70 elements names one, far apart.
    let places: Vec<u64> = (0..70).map(|i| i * 619 % 7000).collect();
    for ranks in RANKS {
        let args = [Given::Even(iota(7000)), Given::Even(places.clone())];
        let (found, explained) = sent(ranks, EAGER, text, &args);
        let first: u64 = found.iter().map(|bytes| bytes[0]).sum();
        let second: u64 = found.iter().map(|bytes| bytes[1]).sum();
        // 8 bytes a row and 16 for the question, where it is another rank's, and the questions' lengths.
        let all = [(1, 0), (2, 862), (3, 1194), (7, 2046)];
        assert!(
            all.contains(&(ranks, first)),
            "{ranks} ranks: {first}\n{explained}"
        );
        assert_eq!(second, word(ranks) * ranks as u64, "{explained}");
    }
}
