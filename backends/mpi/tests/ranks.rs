//! Programs on ranks that are threads: what they give, and what they send.

use cuprous_cpu as _;
use cuprous_interp as _;
use cuprous_mpi::comm::threads;
use cuprous_mpi::{DistributedArray, Distribution, World};
use dsl_runtime::array::{Arg, Stored, Value};
use dsl_runtime::cache::{Compiled, compile_func};
use dsl_runtime::ir::parse::parse;
use dsl_runtime::place::Place;
use std::sync::Arc;

/// A function of a text, for the place that each rank of a world has.
fn compiled(world: &World, inside: &Place, text: &str) -> Compiled {
    let func = parse(text)
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .funcs
        .remove(0);
    let place = world.place(inside.clone());
    let backend = place.backend().unwrap().unwrap().clone();
    compile_func(Arc::new(func), &*backend).unwrap()
}

fn stored(value: &Value) -> &Stored {
    match value {
        Value::Stored(stored) => stored,
        other => panic!("{other:?}"),
    }
}

const FIVE_POINTS: &str = "
func @step[%h, %w](%g: [%h, %w]f64, %k: f64) -> [%h, %w]f64 {
  %y: [%h, %w]f64 = par (%i in 0..%h) {
    %row: [%w]f64 = par.inner (%j in 0..%w) {
      %hl: u64 = sub %h, 1
      %wl: u64 = sub %w, 1
      %a: bool = gt %i, 0
      %b: bool = lt %i, %hl
      %c: bool = gt %j, 0
      %d: bool = lt %j, %wl
      %ab: bool = and %a, %b
      %cd: bool = and %c, %d
      %in: bool = and %ab, %cd
      %own: f64 = index.in %g[%i, %j]
      %v: f64 = if %in {
        %iu: u64 = sub %i, 1
        %id: u64 = add %i, 1
        %jl: u64 = sub %j, 1
        %jr: u64 = add %j, 1
        %u: f64 = index.in %g[%iu, %j]
        %dn: f64 = index.in %g[%id, %j]
        %l: f64 = index.in %g[%i, %jl]
        %r: f64 = index.in %g[%i, %jr]
        %s1: f64 = add %u, %dn
        %s2: f64 = add %s1, %l
        %s3: f64 = add %s2, %r
        %f: f64 = mul %own, 4.0
        %s4: f64 = sub %s3, %f
        %ks: f64 = mul %k, %s4
        %new: f64 = add %own, %ks
        yield %new
      } else {
        yield %own
      }
      collect %v
    }
    collect %row
  }
  return %y
}";

/// A five-point step sends two rows a pair of neighbours, not the array.
#[test]
fn a_step_sends_its_halo() {
    for ranks in [1, 2, 3, 7] {
        for inside in [Place::interp(), Place::cpu_threads(1)] {
            let (h, w) = (64, 50);
            let value = |i: usize, j: usize| ((i * 31 + j * 17) % 101) as f64 / 101.0;
            let all = threads::run(ranks, |comm| {
                let world = World::of(comm);
                let step = compiled(&world, &inside, FIVE_POINTS);
                let g = world.from_fn2((h, w), |(i, j)| value(i, j)).unwrap();
                let k = Arg::Scalar(0.1f64.into());
                let mut g = g.leaves()[0].clone();
                for round in 0..4 {
                    let before = world.sent();
                    let next = step.call(&[Arg::Stored(&g), k.clone()]).unwrap();
                    let sent = world.sent() - before;
                    g = stored(&next[0]).clone();
                    let neighbours =
                        usize::from(world.rank() > 0) + usize::from(world.rank() + 1 < ranks);
                    // Beside the halo, a few bytes at the end that say that all went well, and what debug builds compare.
                    let rows = (neighbours * w * 8) as u64;
                    assert!(
                        sent.bytes >= rows && sent.bytes < rows + 400,
                        "round {round}: {sent:?}"
                    );
                }
                let text = step.explain();
                assert!(
                    ranks == 1 || text.contains("rows that other ranks read of %g"),
                    "{text}"
                );
                g.dense()
                    .unwrap()
                    .view()
                    .iter()
                    .map(|value| value.bits)
                    .collect::<Vec<_>>()
            });
            // The same by hand.
            let mut g: Vec<Vec<f64>> = (0..h)
                .map(|i| (0..w).map(|j| value(i, j)).collect())
                .collect();
            for _ in 0..4 {
                let old = g.clone();
                for i in 1..h - 1 {
                    for j in 1..w - 1 {
                        let sum = old[i - 1][j] + old[i + 1][j] + old[i][j - 1] + old[i][j + 1];
                        g[i][j] = old[i][j] + 0.1 * (sum - old[i][j] * 4.0);
                    }
                }
            }
            let want: Vec<u64> = g.iter().flatten().map(|value| value.to_bits()).collect();
            assert!(
                all.iter().all(|bits| *bits == want),
                "{ranks} ranks at {inside}"
            );
        }
    }
}

const SPMV: &str = "
func @spmv[%m, %nnz, %c](%ptr: [%m]u64, %col: [%nnz]u64, %val: [%nnz]f64, %x: [%c]f64) -> [?]f64 {
  %rows: u64 = sub %m, 1
  %y: [%rows]f64 = par (%i in 0..%rows) {
    %i1: u64 = add %i, 1
    %lo: u64 = index %ptr[%i]
    %hi: u64 = index %ptr[%i1]
    %n: u64 = sub %hi, %lo
    %s: f64 = par.inner (%q in 0..%n) {
      %k: u64 = add %lo, %q
      %j: u64 = index %col[%k]
      %v: f64 = index %val[%k]
      %xj: f64 = index %x[%j]
      %p: f64 = mul %v, %xj
      reduce add 0.0, %p
    }
    collect %s
  }
  return %y
}";

/// A matrix whose rows are cut, with a vector that is cut: only the elements that rows name are sent, and the indices once.
#[test]
fn a_sparse_product_sends_what_its_rows_name() {
    for ranks in [1, 2, 3, 7] {
        for inside in [Place::interp(), Place::cpu_threads(1)] {
            let n = 1000usize;
            // Neighbours, and one far away.
            let columns = |i: usize| {
                let mut columns = vec![i, (i + 1) % n, (i * 7 + 13) % n];
                columns.sort_unstable();
                columns.dedup();
                columns
            };
            let (mut ptr, mut col, mut val) = (vec![0u64], vec![], vec![]);
            for i in 0..n {
                for j in columns(i) {
                    col.push(j as u64);
                    val.push(1.0 / (1 + i + j) as f64);
                }
                ptr.push(col.len() as u64);
            }
            let results = threads::run(ranks, |comm| {
                let world = World::of(comm);
                let spmv = compiled(&world, &inside, SPMV);
                let even = |rows: usize| Distribution::even(rows, ranks);
                let ptr = world
                    .scatter(ptr.clone())
                    .unwrap()
                    .redistribute(&even(n + 1))
                    .unwrap();
                let col = world
                    .scatter(col.clone())
                    .unwrap()
                    .redistribute(&even(col.len()))
                    .unwrap();
                let val = world
                    .scatter(val.clone())
                    .unwrap()
                    .redistribute(&even(val.len()))
                    .unwrap();
                let mut x = world
                    .from_fn(n, |i| (i as f64).sqrt())
                    .unwrap()
                    .redistribute(&even(n))
                    .unwrap()
                    .leaves()[0]
                    .clone();
                let mut sent = vec![];
                for _ in 0..3 {
                    let args = [
                        Arg::Stored(&ptr.leaves()[0]),
                        Arg::Stored(&col.leaves()[0]),
                        Arg::Stored(&val.leaves()[0]),
                        Arg::Stored(&x),
                    ];
                    let before = world.sent();
                    let y = spmv.call(&args).unwrap();
                    sent.push(world.sent() - before);
                    x = stored(&y[0]).clone();
                }
                // Later calls ask nothing: each element is sent to a rank at most once.
                assert!(ranks == 1 || sent[1].bytes < sent[0].bytes, "{sent:?}");
                assert!(sent[2].bytes <= (n * 8 + 400) as u64, "{sent:?}");
                assert_eq!(sent[1], sent[2]);
                x.dense()
                    .unwrap()
                    .view()
                    .iter()
                    .map(|value| value.bits)
                    .collect::<Vec<_>>()
            });
            let mut x: Vec<f64> = (0..n).map(|i| (i as f64).sqrt()).collect();
            for _ in 0..3 {
                x = (0..n)
                    .map(|i| {
                        (ptr[i]..ptr[i + 1])
                            .map(|k| val[k as usize] * x[col[k as usize] as usize])
                            .fold(0.0, |a, b| a + b)
                    })
                    .collect();
            }
            let want: Vec<u64> = x.iter().map(|value| value.to_bits()).collect();
            assert!(
                results.iter().all(|bits| *bits == want),
                "{ranks} ranks at {inside}"
            );
        }
    }
}
