//! The primitives: ordinary inputs, empty ones, ends, and their errors.

use crate::harness::{doubles, ints, singles};
use cuprous::prelude::*;

#[kernel]
fn making(n: usize, v: f32) -> (Vec<usize>, Vec<f32>, Vec<i32>, Vec<(i32, bool)>, Vec<u8>) {
    (
        indices(n).to_vec(),
        fill(n, v).to_vec(),
        tabulate(n, |i| i as i32 * 2 - 3).to_vec(),
        fill(n, (3, true)).to_vec(),
        vec![7u8; n / 2],
    )
}

#[kernel]
fn zips(
    x: &[i32],
    y: &[f64],
    z: &[bool],
) -> (
    Vec<(i32, f64)>,
    Vec<(i32, f64, bool)>,
    Vec<f64>,
    Vec<(usize, i32)>,
) {
    (
        x.zip(y),
        x.zip3(y, z),
        x.zip3(y, z).map(|(a, b, c)| if c { a as f64 } else { b }),
        x.enumerate(),
    )
}

#[kernel]
fn unzips(x: &[(i32, f64, bool)]) -> (Vec<i32>, Vec<f64>, Vec<bool>, f64) {
    let (a, b, c) = x.unzip();
    let (p, q) = a.zip(&b).unzip();
    (p, b, c, q.sum())
}

#[kernel]
fn reduces(x: &[i32]) -> (i32, i32, i32, i64, (i32, i32)) {
    (
        x.reduce(0, |a, b| a + b),
        x.reduce(i32::MIN, |a, b| a.max(b)),
        x.reduce(100, |a, b| a ^ b),
        x.map(|v| v as i64).reduce(1, |a, b| (a + b) % 1_000_003),
        x.map(|v| (v, v))
            .reduce((i32::MAX, i32::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1))),
    )
}

#[kernel]
fn not_associative(x: &[f64]) -> f64 {
    x.reduce(0.0, |a, b| a - b * 0.5)
}

#[kernel]
fn sums(x: &[f64], y: &[f32]) -> (f64, f64, f32, f32, usize) {
    (
        x.sum(),
        x.map(|v| 1.0 + v * 0.001).product(),
        y.sum(),
        y.map(|v| 1.0 + v * 0.001).product(),
        x.len(),
    )
}

#[kernel]
fn counts(x: &[i32]) -> (bool, bool, usize, bool, bool) {
    (
        x.any(|v| v > 90),
        x.all(|v| v > -200),
        x.count(|v| v % 2 == 0),
        x.all(|v| v > 0),
        x.any(|v| v > 500),
    )
}

#[kernel]
fn scans(x: &[i32]) -> (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>) {
    (
        x.scan(5, |a, b| a.wrapping_add(b)),
        x.exscan(5, |a, b| a.wrapping_add(b)),
        x.rscan(5, |a, b| a.max(b)),
        x.rexscan(5, |a, b| a ^ b),
    )
}

#[kernel]
fn float_scans(x: &[f64], y: &[f32]) -> (Vec<f64>, Vec<f64>, Vec<f32>, Vec<f32>, Vec<f64>) {
    (
        x.scan(0.0, |a, b| a + b),
        x.exscan(0.0, |a, b| a + b),
        y.rscan(0.0, |a, b| a + b),
        y.rexscan(f32::NEG_INFINITY, |a, b| a.max(b)),
        x.map(|v| v * 0.5).scan(1.0, |a, b| a + b),
    )
}

#[kernel]
fn odd_scan(x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    (
        x.scan(1.0, |a, b| a * 0.25 + b),
        x.rexscan(1.0, |a, b| a * 0.25 - b),
    )
}

#[kernel]
fn tuple_scan(x: &[(f64, f64)]) -> Vec<(f64, f64)> {
    x.scan((1.0, 0.0), |(a, b), (c, d)| (a * c, b * c + d))
}

#[kernel]
fn selections(x: &[i32]) -> (Vec<i32>, Vec<i32>, Vec<i32>, Vec<usize>, Vec<(usize, i32)>) {
    let (odd, even) = x.partition(|v| v % 2 != 0);
    (
        x.filter(|v| v > 0),
        odd,
        even,
        indices(x.len()).filter(|i| x[i] % 3 == 0),
        x.enumerate().filter(|(i, v)| v > i as i32),
    )
}

#[kernel]
fn filter_chain(x: &[f64]) -> (f64, usize, Vec<f64>) {
    let y = x.map(|v| v * 2.0).filter(|v| v > 3.0).map(|v| v + 1.0);
    (y.sum(), y.len(), y.filter(|v| v < 40.0))
}

#[kernel]
fn flat(x: &[usize]) -> (Vec<usize>, Vec<i32>, Vec<f32>) {
    (
        x.flat_map(|n| indices(n).map(|k| k * n)),
        x.flat_map(|n| [n as i32, -(n as i32)]),
        x.flat_map(|n| fill(n % 3, n as f32)),
    )
}

#[kernel]
fn gathers(x: &[f64], idx: &[i32]) -> Vec<f64> {
    x.gather(idx)
}

#[kernel]
fn gathers_or(x: &[f64], idx: &[i64]) -> Vec<f64> {
    x.gather_or(idx, -1.0)
}

#[kernel]
fn scatters(dest: &[i32], idx: &[u32], v: &[i32]) -> Vec<i32> {
    dest.scatter(idx, v)
}

#[kernel]
fn permutes(x: &[f32], idx: &[usize]) -> Vec<f32> {
    x.permute(idx)
}

#[kernel]
fn accumulates(dest: &[f64], idx: &[i32], v: &[f64]) -> (Vec<f64>, Vec<f64>) {
    (
        dest.scatter_with(|a, b| a + b, idx, v),
        dest.scatter_with(|a, b| a * 0.5 + b, idx, v),
    )
}

#[kernel]
fn bins(x: &[i32]) -> Vec<u32> {
    fill(10, 0u32).scatter_with(
        |a, b| a + b,
        x.map(|v| v.rem_euclid(10)),
        fill(x.len(), 1u32),
    )
}

#[kernel]
fn shifts(x: &[i32], k: isize) -> (Vec<i32>, Vec<i32>) {
    (x.shift(k, 77), x.rotate(k))
}

#[kernel]
fn cuts(x: &[i32], k: usize) -> (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>) {
    (
        x.take(k).to_vec(),
        x.skip(k).to_vec(),
        x.replicate(k),
        x.rev().take(k).skip(1).to_vec(),
    )
}

#[kernel]
fn steps(x: &[i32], k: usize) -> Vec<i32> {
    x.step_by(k).to_vec()
}

#[kernel]
fn joins(x: &[i32], y: &[i32]) -> (Vec<i32>, Vec<i32>, usize) {
    (
        x.chain(y).to_vec(),
        x.rev().chain(&y.rev()).map(|v| v + 1),
        x.chain(y).len(),
    )
}

#[kernel]
fn interleaves(x: &[i32], y: &[i32]) -> Vec<i32> {
    x.interleave(y)
}

#[kernel]
fn windows(x: &[f64], k: usize) -> (Vec<f64>, Vec<f64>) {
    (
        x.windows_map(k, |w| w[0] - w[k - 1]),
        x.windows_map(k, |w| w.maximum()),
    )
}

#[kernel]
fn chunks(x: &[i32], k: usize) -> (Vec<i32>, Vec<usize>, Vec<i32>) {
    (
        x.chunks_map(k, |c| c.sum()),
        x.chunks_map(k, |c| c.len()),
        x.chunks_map(k, |c| c[c.len() - 1] * 2),
    )
}

#[kernel]
fn nested(n: usize, x: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<usize>) {
    (
        indices(n).map(|i| x.map(|v| v * i as f64).sum()),
        indices(n).map(|i| {
            let s = x.take(i).scan(0.0, |a, b| a + b);
            if s.is_empty() { -1.0 } else { s[s.len() - 1] }
        }),
        indices(n).map(|i| indices(i).filter(|j| i % (j + 1) == 0).len()),
    )
}

#[kernel]
fn shared(x: &[f64]) -> (Vec<f64>, f64, f64) {
    let y = x.map(|v| (v * 0.01).exp() + v.sqrt().max(0.0));
    let s = y.sum();
    let z = y.map(|v| v / s);
    let t = z.sum();
    (z, t, s)
}

#[kernel]
fn variance(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.sum() / n;
    (mean, x.map(|v| (v - mean) * (v - mean)).sum() / n)
}

#[kernel]
fn compressed(rows: &[usize], x: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<usize>) {
    (
        indices(rows.len() - 1).map(|r| x[rows[r]..rows[r + 1]].sum()),
        indices(rows.len() - 1).map(|r| {
            let row = &x[rows[r]..rows[r + 1]];
            row.iter().fold(0.0, |a, b| a * 0.5 + b)
        }),
        indices(rows.len() - 1).map(|r| rows[r + 1] - rows[r]),
    )
}

#[kernel]
fn two_stages(x: &[i32], i: &[usize]) -> i32 {
    let y = x.map(|v| 100 / v);
    let z = i.map(|k| y[k]);
    z.sum()
}

#[kernel]
fn unused_failure(x: &[i32], i: &[usize]) -> usize {
    let _y = i.map(|k| x[k]);
    x.len()
}

#[kernel]
fn empty_minimum(x: &[i32]) -> i32 {
    x.filter(|v| v > 1000).minimum()
}

#[kernel]
fn binary_search(x: &[i32], keys: &[i32]) -> Vec<usize> {
    keys.map(|k| {
        let (mut lo, mut hi) = (0, x.len());
        while lo < hi {
            let mid = (lo + hi) / 2;
            if x[mid] < k { lo = mid + 1 } else { hi = mid }
        }
        lo
    })
}

#[kernel]
fn radix_pass(x: &[u32], bit: u32) -> Vec<u32> {
    let flags = x.map(|v| (v >> bit) & 1);
    let zeros = flags.exscan(0, |a, b| a + (1 - b));
    let ones = flags.exscan(0, |a, b| a + b);
    let total = x.len() as u32 - flags.sum();
    let to = indices(x.len()).map(|i| {
        if flags[i] == 0 {
            i as u32 - ones[i]
        } else {
            total + ones[i]
        }
    });
    assert!(zeros.len() == x.len());
    x.permute(&indices(x.len())).scatter(&to, x)
}

#[kernel]
fn large_total(n: usize) -> (f64, f32, u64) {
    (
        indices(n).map(|i| (i as f64).sqrt()).sum(),
        indices(n).map(|i| 1.0 / (i as f32 + 1.0)).sum(),
        indices(n)
            .map(|i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
            .sum(),
    )
}

#[kernel]
fn negative_index(x: &[i32], i: i32) -> i32 {
    x[i as usize]
}

#[kernel]
fn pairs_of_vectors(x: &[f64]) -> Vec<(f64, f64)> {
    let a = x.rev();
    let b = x.rotate(1);
    a.zip(&b).map(|(p, q)| (p.max(q), p.min(q))).to_vec()
}

tests! {
    creation {
        for n in [0, 1, 2, 7, 1000] {
            agree!(making(n, 2.5));
        }
    }
    elementwise {
        for n in [0, 1, 9, 3000] {
            let (x, y) = (ints(n), doubles(n));
            let z: Vec<bool> = x.iter().map(|v| v % 2 == 0).collect();
            agree!(zips(&x, &y, &z));
            let all: Vec<_> = x.iter().zip(&y).zip(&z).map(|((a, b), c)| (*a, *b, *c)).collect();
            agree!(1e-12, unzips(&all));
            agree!(pairs_of_vectors(&y));
        }
        fails!(zips(&[1, 2], &[1.0], &[true, true]), "CU0204", "lengths 2 and 1");
        fails!(zips(&[1, 2], &[1.0, 2.0], &[true]), "CU0204", "lengths 2 and 1");
    }
    reductions {
        for n in [0, 1, 3, 17, 1000, 5000] {
            let (x, y, z) = (ints(n), doubles(n), singles(n));
            agree!(1e-3, reduces(&x));
            agree!(1e-4, sums(&y, &z));
            agree!(counts(&x));
            if n > 0 {
                agree!(1e-9, shared(&y.iter().map(|v| v.abs()).collect::<Vec<_>>()));
                agree!(1e-9, variance(&y));
            }
        }
        for n in [0, 1, 5, 1000] {
            agree!(1e9, not_associative(&doubles(n)));
        }
        agree!(1e-3, large_total(300_000));
        fails!(empty_minimum(&ints(100)), "CU0206", "an empty sequence");
    }
    prefix_sums {
        for n in [0, 1, 3, 17, 1000, 5000, 40_000] {
            agree!(scans(&ints(n)));
            let exact: Vec<f32> = ints(n).iter().map(|v| *v as f32 * 0.25).collect();
            agree!(1e-9, float_scans(&doubles(n), &exact));
            agree!(1e9, odd_scan(&doubles(n)));
            let pairs: Vec<(f64, f64)> = doubles(n).iter().map(|v| (0.9 + v * 0.001, *v)).collect();
            agree!(1e-9, tuple_scan(&pairs));
        }
    }
    selection {
        for n in [0, 1, 3, 17, 1000, 40_000] {
            agree!(selections(&ints(n)));
            agree!(1e-12, filter_chain(&doubles(n)));
        }
        agree!(flat(&[3usize, 0, 2, 5, 1]));
        agree!(flat(&[][..]));
        agree!(flat(&(0..60).collect::<Vec<usize>>()));
    }
    indexing {
        let x = doubles(100);
        agree!(gathers(&x, &[0, 99, 5, 5]));
        agree!(gathers(&x, &[][..]));
        fails!(gathers(&x, &[0, 100, -1]), "CU0201", "index 100 is out of bounds for length 100");
        fails!(gathers(&x, &[0, -1, 100]), "CU0201", "index -1 is out of bounds for length 100");
        agree!(gathers_or(&x, &[0, -1, 100, i64::MIN, i64::MAX, 99]));
        agree!(scatters(&ints(10), &[3, 0, 9], &[100, 200, 300]));
        agree!(scatters(&ints(10), &[][..], &[][..]));
        fails!(scatters(&ints(10), &[3, 0, 3], &[1, 2, 3]), "CU0207", "index 3 occurs more than once");
        fails!(scatters(&ints(10), &[3, 10, 3], &[1, 2, 3]), "CU0201", "index 10 is out of bounds for length 10");
        fails!(scatters(&ints(10), &[3, 4], &[1, 2, 3]), "CU0204", "2 and 3");
        let n = 5000;
        let back: Vec<u32> = (0..n).rev().collect();
        agree!(scatters(&ints(5000), &back, &ints(5000)));
        let idx: Vec<usize> = (0..5000).map(|i| (i * 7 + 3) % 5000).collect();
        agree!(permutes(&singles(5000), &idx));
        fails!(permutes(&[1.0, 2.0], &[0usize, 0]), "CU0207", "index 0 occurs more than once");
        fails!(permutes(&[1.0, 2.0], &[0usize]), "CU0204", "lengths");
        agree!(1e-9, accumulates(&doubles(10), &[1, 1, 3, 9, 1], &[1.0, 2.0, 3.0, 4.0, 5.0]));
        let many: Vec<i32> = ints(20_000).iter().map(|v| v.rem_euclid(50)).collect();
        agree!(1e12, accumulates(&doubles(50), &many, &doubles(20_000)));
        fails!(accumulates(&[1.0], &[0, -3], &[1.0, 2.0]), "CU0201", "index -3 is out of bounds for length 1");
        agree!(bins(&ints(10_000)));
        agree!(bins(&[][..]));
        for bit in [0, 3] {
            agree!(radix_pass(&ints(3000).iter().map(|v| *v as u32).collect::<Vec<_>>(), bit));
        }
        agree!(binary_search(&(0..500).map(|i| i * 3).collect::<Vec<i32>>(), &ints(200)));
        fails!(negative_index(&[1, 2], -1), "CU0201", "out of bounds for length 2");
        fails!(two_stages(&[1, 0, 3], &[0usize, 9]), "CU0202", "division by zero");
        fails!(two_stages(&[1, 2, 3], &[0usize, 9]), "CU0201", "index 9 is out of bounds for length 3");
        fails!(unused_failure(&[1, 2, 3], &[0usize, 9]), "CU0201", "index 9 is out of bounds for length 3");
    }
    arrangement {
        for n in [0, 1, 5, 1000] {
            let x = ints(n);
            for k in [0, 1, -1, 3, -7, 1000, -1000, 5000, isize::MAX, isize::MIN] {
                agree!(shifts(&x, k));
            }
            for k in [0, 1, 3, 1000, 2000] {
                if n < 1000 || k < 10 {
                    agree!(cuts(&x, k));
                }
            }
            for k in [1, 2, 7, 5000, usize::MAX] {
                agree!(steps(&x, k));
            }
            fails!(steps(&x, 0), "CU0208", "of length 0");
            agree!(joins(&x, &ints(3)));
            agree!(joins(&[][..], &x));
            agree!(interleaves(&x, &x));
        }
        fails!(interleaves(&[1], &[1, 2]), "CU0204", "lengths 1 and 2");
    }
    neighbourhoods {
        for n in [0, 1, 5, 1000] {
            for k in [1, 2, 5, 6, 2000] {
                agree!(windows(&doubles(n), k));
                agree!(chunks(&ints(n), k));
            }
            fails!(windows(&doubles(n), 0), "CU0208", "of length 0");
            fails!(chunks(&ints(n), 0), "CU0208", "of length 0");
        }
    }
    nesting {
        for n in [0, 1, 5, 60] {
            agree!(1e-9, nested(n, &doubles(100)));
        }
        agree!(1e-9, nested(5, &[][..]));
        agree!(1e-5, compressed(&[0, 3, 3, 10, 50], &singles(50)));
        fails!(compressed(&[0, 3, 3, 10, 51], &singles(50)), "CU0210", "range 10..51 does not fit length 50");
    }
}
