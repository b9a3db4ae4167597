//! What each primitive sends and takes on the ranks that this program is started with: counted and measured, beside what
//! `docs/cost-of-distribution.md` says.
//!
//! ```text
//! cargo build --release -p cuprous-mpi --example primitives
//! mpirun -n 4 target/release/examples/primitives
//! ```
//!
//! Counted is the rank that sends most; measured the slowest one, as a median.

use cuprous_cpu as _;
use cuprous_mpi::comm::Sent;
use cuprous_mpi::{DistributedArray, World};
use dsl_runtime::array::{Arg, Value};
use dsl_runtime::cache::compile_func;
use dsl_runtime::ir::parse::parse;
use dsl_runtime::place::Place;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Elements of the arrays, and the side of the grid.
const N: usize = 1 << 22;
const SIDE: usize = 1 << 11;
const ROUNDS: usize = 15;

/// A primitive: its name, its function of one array `x` (and of one of indices, where it has two), and what a rank sends by the model:
/// of ranks, messages and bytes.
type Row = (&'static str, &'static str, fn(f64) -> (f64, f64));

const ROWS: &[Row] = &[
    (
        "map",
        "func @f[%n](%x: [%n]f64) -> [%n]f64 {
           %y: [%n]f64 = par (%i in 0..%n) { %v: f64 = index.in %x[%i]
             %w: f64 = mul %v, 2.0
             collect %w }
           return %y }",
        |_| (0.0, 0.0),
    ),
    (
        "shift by one",
        "func @f[%n](%x: [%n]f64) -> [%n]f64 {
           %y: [%n]f64 = par (%i in 0..%n) { %j: u64 = add %i, 1
             %in: bool = lt %j, %n
             %w: f64 = if %in { %v: f64 = index.in %x[%j]
               yield %v } else { yield 0.0 }
             collect %w }
           return %y }",
        |_| (1.0, 8.0),
    ),
    (
        "rows above and below",
        "func @g[%h, %w](%x: [%h, %w]f64) -> [%h, %w]f64 {
           %last: u64 = sub %h, 1
           %y: [%h, %w]f64 = par (%i in 0..%h) {
             %row: [%w]f64 = par.inner (%j in 0..%w) { %u: u64 = sub %i, 1
               %d: u64 = add %i, 1
               %up: bool = gt %i, 0
               %down: bool = lt %i, %last
               %in: bool = and %up, %down
               %own: f64 = index.in %x[%i, %j]
               %s: f64 = if %in { %a: f64 = index.in %x[%u, %j]
                 %b: f64 = index.in %x[%d, %j]
                 %ab: f64 = add %a, %b
                 %v: f64 = add %own, %ab
                 yield %v } else { yield %own }
               collect %s }
             collect %row }
           return %y }",
        |_| (2.0, 2.0 * 8.0 * SIDE as f64),
    ),
    (
        "reduce",
        "func @f[%n](%x: [%n]f64) -> f64 {
           %s: f64 = par (%i in 0..%n) { %v: f64 = index.in %x[%i]
             reduce add 0.0, %v }
           return %s }",
        |p| {
            (
                p.log2().ceil(),
                (p - 1.0) * (1.0 + 16.0 * (N as f64 / 4096.0 / p).log2()),
            )
        },
    ),
    (
        "scan",
        "func @f[%n](%x: [%n]f64) -> [%n]f64 {
           %s: [%n]f64 = par (%i in 0..%n) { %v: f64 = index.in %x[%i]
             scan add 0.0, %v }
           return %s }",
        |p| {
            (
                p.log2().ceil(),
                (p - 1.0) * (1.0 + 8.0 * (N as f64 / 4096.0 / p).ceil()),
            )
        },
    ),
    (
        "filter",
        "func @f[%n](%x: [%n]f64) -> [?]f64 {
           %k: u64, %y: [%k]f64 = par (%i in 0..%n) { %v: f64 = index.in %x[%i]
             %p: bool = gt %v, 0.5
             filter %p, %v }
           return %y }",
        |p| (p.log2().ceil(), (p - 1.0) * 9.0),
    ),
    (
        "gather at random, the same indices again",
        "func @i[%n, %m](%x: [%n]f64, %at: [%m]u64) -> [%m]f64 {
           %y: [%m]f64 = par (%i in 0..%m) { %j: u64 = index.in %at[%i]
             %v: f64 = index %x[%j]
             collect %v }
           return %y }",
        // At most: an element that is wanted more than once is sent once.
        |p| (p - 1.0, (p - 1.0) / p * 8.0 * N as f64),
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let world = World::init()?;
    let place = world.place(Place::cpu());
    let backend = place.backend()?.ok_or("ranks have a backend")?.clone();
    let value = |i: usize| (i * 7919 % 10_007) as f64 / 10_007.0;
    let line = world.from_fn(N, value)?;
    let grid = world.from_fn2((SIDE, SIDE), |(i, j)| value(i * SIDE + j))?;
    let at = world.from_fn(N, |i| {
        (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % N as u64
    })?;
    let ranks = world.size() as f64;
    if world.rank() == 0 {
        println!("{ranks} ranks, {N} values, a grid of {SIDE} x {SIDE}");
        println!(
            "primitive                                   seconds    messages   model       bytes       model"
        );
    }
    for (name, text, model) in ROWS {
        let func = parse(text)
            .map_err(|errors| format!("{errors:?}"))?
            .funcs
            .remove(0);
        let two = func.params.len() == 2;
        let x = if func.name == "g" { &grid } else { &line };
        let compiled = compile_func(Arc::new(func), &*backend)?;
        let (mut seconds, mut sent) = (vec![], Sent::default());
        // What is read is another array each time: nobody has seen its rows yet.
        let mut now = x.clone();
        for round in 0..ROUNDS + 2 {
            now = world
                .from_local(now.local()?)?
                .redistribute(&x.distribution().ok_or("it is cut")?)?;
            let mut args = vec![Arg::Stored(&now.leaves()[0])];
            if two {
                args.push(Arg::Stored(&at.leaves()[0]));
            }
            world.barrier()?;
            let (before, start) = (world.sent(), Instant::now());
            let results: Vec<Value> = compiled.call(&args)?;
            let took = start.elapsed().as_secs_f64();
            sent = world.sent() - before;
            drop(results);
            if round >= 2 {
                seconds.push(took);
            }
        }
        seconds.sort_by(f64::total_cmp);
        let mine = vec![seconds[ROUNDS / 2], sent.messages as f64, sent.bytes as f64];
        let all = world.from_local(mine)?.to_vec();
        let most = |at: usize| all.chunks(3).map(|one| one[at]).fold(0.0, f64::max);
        // The last word of every call, whether all is well, is not the primitive's.
        let levels = ranks.log2().ceil();
        let (messages, bytes) = if ranks > 1.0 {
            model(ranks)
        } else {
            (0.0, 0.0)
        };
        if world.rank() == 0 {
            println!(
                "{name:<42} {:>8.3} ms {:>8} {messages:>7} {:>11} {bytes:>11.0}",
                most(0) * 1e3,
                most(1) - levels,
                most(2) - (ranks - 1.0),
            );
        }
    }
    Ok(())
}
