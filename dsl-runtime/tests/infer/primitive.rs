//! The primitives on sequences.

use dsl_runtime::kernel;
use dsl_runtime::prelude::*;

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
