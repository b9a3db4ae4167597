//! What ranks have seen of an array, and keep.

#[path = "watch/mod.rs"]
mod watch;

use cuprous_interp as _;
use cuprous_mpi::{DistributedArray, Distribution, Policy, World};
use dsl_runtime::array::{Arg, Stored, Value};
use dsl_runtime::cache::{Compiled, compile_func};
use dsl_runtime::error::Error;
use dsl_runtime::ir::parse::parse;
use dsl_runtime::place::Place;
use std::sync::Arc;

const EAGER: Policy = Policy {
    small: 0,
    blocks: false,
};

fn compiled(world: &World, text: &str) -> Compiled {
    let func = parse(text)
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .funcs
        .remove(0);
    let place = world.place(Place::interp());
    compile_func(Arc::new(func), &**place.backend().unwrap().unwrap()).unwrap()
}

fn number(result: Result<Vec<Value>, Error>) -> u64 {
    match result.unwrap()[0] {
        Value::Scalar(value) => value.bits,
        ref other => panic!("{other:?}"),
    }
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// An array is not changed by what has been seen of it, however often and whatever: nor does it keep all of that.
#[test]
fn what_was_seen_is_not_kept_for_ever() {
    let text = "
func @rotate[%n](%x: [%n]u64, %k: u64) -> u64 {
  %s: u64 = par (%i in 0..%n) {
    %t: u64 = add %i, %k
    %j: u64 = rem %t, %n
    %v: u64 = index %x[%j]
    %w: u64 = mul %v, %i
    reduce add 0, %w
  }
  return %s
}";
    watch::run("rotations", 2, |comm| {
        let world = World::with_policy(comm, EAGER);
        let rotate = compiled(&world, text);
        let n = 30_000usize;
        let x = world.from_fn(n, |i| i as u64).unwrap();
        let even = x.redistribute(&Distribution::even(n, 2)).unwrap();
        let x: &Stored = &even.leaves()[0];
        let mut before = 0;
        for k in 0..300u64 {
            let all = number(rotate.call(&[Arg::Stored(x), Arg::Scalar((k * 4919).into())]));
            let want: u64 = (0..n as u64).map(|i| (i + k * 4919) % n as u64 * i).sum();
            assert_eq!(all, want);
            if k == 100 {
                world.barrier().unwrap();
                before = resident();
            }
        }
        // All of it were some 12 MB more.
        world.barrier().unwrap();
        let grown = resident().saturating_sub(before);
        assert!(grown < 4 << 20, "{grown} bytes more");
    });
}
