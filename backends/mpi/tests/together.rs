//! Ranks that do not do the same, and ranks that do several things at once.

#[path = "watch/mod.rs"]
mod watch;

use cuprous_interp as _;
use cuprous_mpi::{DistributedArray, Distribution, Policy, World};
use dsl_runtime::array::{Arg, Array, ArrayViewMut, Dense, Value};
use dsl_runtime::backend::{Backend, Caps, CompileError, Executable, Failure};
use dsl_runtime::cache::{Compiled, compile_func};
use dsl_runtime::error::Error;
use dsl_runtime::ir::Func;
use dsl_runtime::ir::ScalarType;
use dsl_runtime::ir::parse::parse;
use dsl_runtime::place::Place;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const EAGER: Policy = Policy {
    small: 0,
    blocks: false,
};

const SHIFT: &str = "
func @shift[%n](%x: [%n]u64) -> [%n]u64 {
  %y: [%n]u64 = par (%i in 0..%n) {
    %k: u64 = add %i, 1
    %j: u64 = rem %k, %n
    %v: u64 = index %x[%j]
    collect %v
  }
  return %y
}";

const SUM: &str = "
func @sum[%n](%x: [%n]u64) -> u64 {
  %s: u64 = par (%i in 0..%n) {
    %v: u64 = index %x[%i]
    reduce add 0, %v
  }
  return %s
}";

fn func(text: &str) -> Arc<Func> {
    let parsed = parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    Arc::new(parsed.funcs.into_iter().next().unwrap())
}

fn compiled(world: &World, text: &str) -> Compiled {
    let place = world.place(Place::interp());
    compile_func(func(text), &**place.backend().unwrap().unwrap()).unwrap()
}

fn numbers(result: Result<Vec<Value>, Error>) -> Result<Vec<u64>, Error> {
    let values = result?;
    let bits = match &values[0] {
        Value::Stored(stored) => stored
            .dense()
            .unwrap()
            .view()
            .iter()
            .map(|v| v.bits)
            .collect(),
        Value::Array(dense) => dense.view().iter().map(|v| v.bits).collect(),
        Value::Scalar(value) => vec![value.bits],
        Value::Written => vec![],
    };
    Ok(bits)
}

fn iota(n: usize) -> Dense {
    Dense::from_bits(ScalarType::U64, vec![n], 0..n as u64).unwrap()
}

/// Every rank gets CU0311, with what it does itself and what another one does.
fn disagree(what: &str, own: &[&str], body: impl Fn(&World) -> Result<(), Error> + Sync) {
    for ranks in [2, 3] {
        let errors = watch::run(what, ranks, |comm| {
            let world = World::with_policy(comm, EAGER);
            let error = body(&world).unwrap_err();
            // They can go on after that.
            let sum = compiled(&world, SUM);
            let x = world.from_fn(10, |i| i as u64).unwrap();
            let again = numbers(sum.call(&[Arg::Stored(&x.leaves()[0])]));
            assert_eq!(again.unwrap(), [45]);
            error
        });
        for (rank, error) in errors.iter().enumerate() {
            let text = error.message();
            assert_eq!(error.code(), "CU0311", "{what}: {text}");
            let found = own.iter().filter(|own| text.contains(**own)).count();
            assert_eq!(found, own.len(), "{what}, rank {rank}: {text}");
        }
    }
}

#[test]
fn another_kernel() {
    disagree("another kernel", &["kernel shift", "kernel sum"], |world| {
        let text = if world.rank() == 1 { SUM } else { SHIFT };
        let x = world.from_fn(10, |i| i as u64)?;
        compiled(world, text)
            .call(&[Arg::Stored(&x.leaves()[0])])
            .map(drop)
    });
}

#[test]
fn another_shape() {
    disagree("another shape", &["[10]", "[11]"], |world| {
        let n = if world.rank() == 1 { 11 } else { 10 };
        compiled(world, SUM)
            .call(&[Arg::Array(iota(n).view())])
            .map(drop)
    });
}

#[test]
fn cut_on_some_ranks_only() {
    disagree("cut or not", &["x: [10] cut", "x: [10]"], |world| {
        let sum = compiled(world, SUM);
        let x = world.from_fn(10, |i| i as u64)?;
        match world.rank() {
            0 => sum.call(&[Arg::Array(iota(10).view())]).map(drop),
            _ => sum.call(&[Arg::Stored(&x.leaves()[0])]).map(drop),
        }
    });
}

/// Two calls, in another order on one rank.
#[test]
fn another_order() {
    disagree("another order", &["kernel shift", "kernel sum"], |world| {
        let x = world.from_fn(10, |i| i as u64)?;
        let arg = [Arg::Stored(&x.leaves()[0])];
        let mut texts = [SUM, SHIFT];
        if world.rank() == 0 {
            texts.reverse();
        }
        let first = compiled(world, texts[0]).call(&arg).map(drop);
        let second = compiled(world, texts[1]).call(&arg).map(drop);
        assert!(first.is_err() && second.is_err());
        first
    });
}

/// One rank alone reads all elements, while the others call a kernel.
#[test]
fn elements_on_one_rank() {
    disagree(
        "elements on one rank",
        &["kernel sum", "all elements"],
        |world| {
            let x = world.from_fn(10, |i| i as u64)?;
            let leaf = &x.leaves()[0];
            match world.rank() {
                0 => leaf.dense().map(drop).map_err(|failure| {
                    Error::from_failure_at(failure, dsl_runtime::error::Site::default())
                }),
                _ => compiled(world, SUM).call(&[Arg::Stored(leaf)]).map(drop),
            }
        },
    );
}

#[test]
fn parts_on_one_rank() {
    disagree(
        "parts on one rank",
        &["kernel sum", "from_local"],
        |world| {
            let x = world.from_fn(10, |i| i as u64)?;
            match world.rank() {
                0 => world.from_local(vec![1u64]).map(drop),
                _ => compiled(world, SUM)
                    .call(&[Arg::Stored(&x.leaves()[0])])
                    .map(drop),
            }
        },
    );
}

#[test]
fn a_barrier_on_one_rank() {
    disagree(
        "a barrier on one rank",
        &["kernel sum", "barrier"],
        |world| {
            let x = world.from_fn(10, |i| i as u64)?;
            match world.rank() {
                0 => world.barrier(),
                _ => compiled(world, SUM)
                    .call(&[Arg::Stored(&x.leaves()[0])])
                    .map(drop),
            }
        },
    );
}

/// One rank brings its own memory for the result, which then has to be gathered; the others do not.
#[test]
fn memory_for_the_result_on_one_rank() {
    disagree(
        "memory on one rank",
        &["kernel shift", "result 0 goes to memory of [10]"],
        |world| {
            let place = world.place(Place::interp());
            let place = place.backend().unwrap().unwrap();
            let func = func(SHIFT);
            let run = place.compile(&func, &func).unwrap();
            let x = world.from_fn(10, |i| i as u64)?;
            let mut into = [0u64; 10];
            // SAFETY: ten numbers that nobody else has.
            let view = unsafe {
                ArrayViewMut::from_raw(ScalarType::U64, vec![10], vec![8], into.as_mut_ptr().cast())
            };
            let mut memory = vec![(world.rank() == 0).then_some(view)];
            let result = run.run(&[Arg::Stored(&x.leaves()[0])], &mut memory);
            result.map(drop).map_err(|failure| {
                Error::from_failure_at(failure, dsl_runtime::error::Site::default())
            })
        },
    );
}

/// Two halves of a world work at once, each in its own order.
#[test]
fn halves_of_a_world() {
    for ranks in [2, 3, 7] {
        watch::run("halves", ranks, |comm| {
            let world = World::with_policy(comm, EAGER);
            let half = world.split(world.rank() as u64 % 2, 0).unwrap();
            assert_eq!(half.size(), (ranks + 1 - world.rank() % 2) / 2);
            let n = 50 + 13 * (world.rank() % 2);
            let (shift, sum) = (compiled(&half, SHIFT), compiled(&half, SUM));
            let x = half.from_fn(n, |i| i as u64).unwrap();
            let mut x = x.leaves()[0].clone();
            for round in 1..20 {
                let next = shift.call(&[Arg::Stored(&x)]).unwrap();
                let Value::Stored(next) = &next[0] else {
                    panic!("an array at the place")
                };
                x = next.clone();
                if round % (2 + world.rank() % 2) == 0 {
                    let all = numbers(sum.call(&[Arg::Stored(&x)])).unwrap();
                    assert_eq!(all, [(n * (n - 1) / 2) as u64]);
                }
            }
            let all: Vec<u64> = x.dense().unwrap().view().iter().map(|v| v.bits).collect();
            let want: Vec<u64> = (0..n).map(|i| ((i + 19) % n) as u64).collect();
            assert_eq!(all, want);
            // And all together again, also on what a half has.
            let sum = compiled(&world, SUM);
            let y = world.from_fn(30, |i| i as u64).unwrap();
            let all = numbers(sum.call(&[Arg::Stored(&y.leaves()[0])])).unwrap();
            assert_eq!(all, [435]);
        });
    }
}

/// Threads of one rank that call at once: the same kernel on the same arguments through one world, and each what it likes through a
/// world of its own.
#[test]
fn threads_of_a_rank() {
    watch::run("threads of a rank", 3, |comm| {
        let world = World::with_policy(comm, EAGER);
        let x = world.from_fn(100, |i| i as u64).unwrap();
        let shift = compiled(&world, SHIFT);
        let worlds: Vec<World> = (0..4).map(|_| world.split(0, 0).unwrap()).collect();
        std::thread::scope(|scope| {
            for (number, own) in worlds.iter().enumerate() {
                let (x, shift) = (&x, &shift);
                scope.spawn(move || {
                    for _ in 0..10 {
                        let y = shift.call(&[Arg::Stored(&x.leaves()[0])]).unwrap();
                        let Value::Stored(y) = &y[0] else {
                            panic!("an array at the place")
                        };
                        assert_eq!(y.shape(), [100]);
                    }
                    let n = 20 + number;
                    let sum = compiled(own, SUM);
                    let y = own.from_fn(n, |i| i as u64).unwrap();
                    for _ in 0..20 {
                        let all = numbers(sum.call(&[Arg::Stored(&y.leaves()[0])])).unwrap();
                        assert_eq!(all, [(n * (n - 1) / 2) as u64]);
                    }
                });
            }
        });
    });
}

/// A place inside that breaks at some run.
#[derive(Debug)]
struct Breaks {
    inside: Arc<dyn Backend>,
    left: Arc<AtomicUsize>,
}

struct BreaksRun(Arc<dyn Executable>, Arc<AtomicUsize>);

impl Backend for Breaks {
    fn name(&self) -> String {
        "breaks".into()
    }
    fn caps(&self) -> Caps {
        self.inside.caps()
    }
    fn target(&self) -> String {
        "breaks".into()
    }
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let inside = self.inside.compile(scheduled, typed)?;
        Ok(Arc::new(BreaksRun(inside, self.left.clone())))
    }
}

impl Executable for BreaksRun {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        if self.1.fetch_sub(1, Ordering::Relaxed) == 1 {
            let text = "it broke".to_string();
            return Err(Failure::Device { text });
        }
        self.0.run(args, into)
    }
    fn code(&self) -> String {
        self.0.code()
    }
}

/// Pars alone: a rank goes on with zeros until all talk.
const PARS: &str = "
func @f[%n](%x: [%n]u64) -> [%n]u64, u64 {
  %last: u64 = sub %n, 1
  %r: [%n]u64 = loop for %t in 0..3 (%g: [%n]u64 = %x) {
    %h: [%n]u64 = par (%i in 0..%n) {
      %k: u64 = add %i, 1
      %j: u64 = min %k, %last
      %v: u64 = index %g[%j]
      %w: u64 = add %v, 1
      collect %w
    }
    yield %h
  }
  %c: [%n]u64 = par (%p in 0..%n) {
    %e: u64 = index %r[%p]
    scan add 0, %e
  }
  %s: u64 = par (%q in 0..%n) {
    %d: u64 = index %c[%q]
    reduce max 0, %d
  }
  return %c, %s
}";

/// Work that every rank does, on what all have, between reads of neighbours.
const EVERYWHERE: &str = "
func @f[%n](%x: [%n]u64, %z: [%n]u64) -> [%n]u64 {
  %last: u64 = sub %n, 1
  %r: [%n]u64, %w: [%n]u64 = loop for %t in 0..3 (%g: [%n]u64 = %x, %a: [%n]u64 = %z) {
    %b: [%n]u64 = loop for %q in 0..%last (%c: [%n]u64 = %a) {
      %q1: u64 = add %q, 1
      %d: u64 = index %c[%q]
      %e: u64 = add %d, 3
      %u: [%n]u64 = update %c[%q1] = %e
      yield %u
    }
    %h: [%n]u64 = par (%i in 0..%n) {
      %k: u64 = add %i, 1
      %j: u64 = min %k, %last
      %v: u64 = index %g[%j]
      %o: u64 = index %b[%i]
      %s: u64 = add %v, %o
      collect %s
    }
    yield %h, %b
  }
  return %r
}";

/// The device of one rank breaks in the first, second, … piece of work: all ranks say so.
fn breaks(text: &str, arrays: usize) {
    for ranks in [2, 3] {
        for broken in 0..ranks {
            for number in 1.. {
                let found = watch::run(&format!("work {number} of rank {broken}"), ranks, |comm| {
                    let world = World::with_policy(comm, EAGER);
                    let left = match world.rank() == broken {
                        true => number,
                        false => usize::MAX,
                    };
                    let inside = Place::interp().backend().unwrap().unwrap().clone();
                    let left = Arc::new(AtomicUsize::new(left));
                    let inside = Place::from_backend(Arc::new(Breaks { inside, left }));
                    let place = world.place(inside);
                    let run =
                        compile_func(func(text), &**place.backend().unwrap().unwrap()).unwrap();
                    let x = world.from_fn(30, |i| i as u64).unwrap();
                    let z = iota(30);
                    let args = [Arg::Stored(&x.leaves()[0]), Arg::Array(z.view())];
                    let once = numbers(run.call(&args[..arrays]));
                    if once.is_err() {
                        numbers(run.call(&args[..arrays])).unwrap();
                    }
                    once
                });
                if found.iter().all(Result::is_ok) {
                    assert!(number > 3, "it never broke");
                    break;
                }
                for error in &found {
                    let error = error.as_ref().unwrap_err();
                    assert_eq!(error.code(), "CU0309", "{}", error.message());
                    assert!(
                        error.message().contains(&format!("rank {broken}")),
                        "{}",
                        error.message()
                    );
                }
            }
        }
    }
}

#[test]
fn a_device_that_breaks() {
    breaks(PARS, 1);
}

/// It stops alone, and what it says next to the others is no answer to what they ask.
#[test]
fn a_device_that_breaks_in_work_that_all_do() {
    breaks(EVERYWHERE, 2);
}

/// Arrays of no rows, and of rows of no elements.
#[test]
fn nothing_to_cut() {
    for ranks in [1, 2, 3, 7] {
        watch::run("nothing", ranks, |comm| {
            let world = World::with_policy(comm, EAGER);
            let x = world.from_fn(0, |i| i as u64).unwrap();
            assert_eq!(
                numbers(compiled(&world, SUM).call(&[Arg::Stored(&x.leaves()[0])])).unwrap(),
                [0]
            );
            let y: Array<u64> = world.from_fn2((5, 0), |_| 1u64).unwrap();
            assert_eq!(y.to_vec(), []);
            assert_eq!(
                y.redistribute(&Distribution::of_parts(
                    (0..ranks).map(|rank| if rank == 0 { 5 } else { 0 })
                ))
                .unwrap()
                .shape(),
                [5, 0]
            );
        });
    }
}
