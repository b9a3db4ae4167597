//! The tuned baseline: what somebody writes by hand over rayon who knows the machine: chunks that fit a cache, loops that
//! LLVM turns into wide vectors, enough independent sums, fused multiply-add, rough elementary functions.

use super::input::Csr;
use super::real::{LANES, Real};
use rayon::prelude::*;

/// Elements of a chunk.
const CHUNK: usize = 1 << 14;
/// Shorter inputs stay on one thread.
const SMALL: usize = 2 * CHUNK;
/// Independent sums.
const SUMS: usize = 128;

/// `out = a x + y`.
pub fn saxpy<T: Real>(a: T, x: &[T], y: &[T], out: &mut [T]) {
    let piece = |at: usize, out: &mut [T]| {
        let (x, y) = (&x[at..][..out.len()], &y[at..][..out.len()]);
        for i in 0..out.len() {
            out[i] = a.fused(x[i], y[i]);
        }
    };
    if out.len() <= SMALL {
        return piece(0, out);
    }
    out.par_chunks_mut(SMALL)
        .enumerate()
        .for_each(|(c, out)| piece(c * SMALL, out));
}

#[inline(always)]
fn total<T: Real>(x: &[T]) -> T {
    let mut sums = [T::default(); SUMS];
    let (wide, rest) = x.as_chunks::<SUMS>();
    for chunk in wide {
        for l in 0..SUMS {
            sums[l] += chunk[l];
        }
    }
    let mut all = T::default();
    rest.iter().chain(&sums).for_each(|&v| all += v);
    all
}

#[inline(always)]
fn product<T: Real>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::default(); SUMS];
    let ((xs, x), (ys, y)) = (x.as_chunks::<SUMS>(), y.as_chunks::<SUMS>());
    for (x, y) in xs.iter().zip(ys) {
        for l in 0..SUMS {
            sums[l] = x[l].fused(y[l], sums[l]);
        }
    }
    let mut all = T::default();
    sums.iter().for_each(|&v| all += v);
    x.iter().zip(y).for_each(|(&x, &y)| all += x * y);
    all
}

/// The sum.
pub fn sum<T: Real>(x: &[T]) -> f64 {
    if x.len() <= SMALL {
        return total(x).wide();
    }
    let parts: Vec<f64> = x.par_chunks(2 * SMALL).map(|x| total(x).wide()).collect();
    parts.iter().sum()
}

/// The sum of products.
pub fn dot<T: Real>(x: &[T], y: &[T]) -> f64 {
    if x.len() <= SMALL {
        return product(x, y).wide();
    }
    let pairs = x.par_chunks(2 * SMALL).zip(y.par_chunks(2 * SMALL));
    let parts: Vec<f64> = pairs.map(|(x, y)| product(x, y).wide()).collect();
    parts.iter().sum()
}

/// Four parts of the chunk advance together: four chains of additions overlap.
fn scan_chunk<T: Real>(x: &[T], out: &mut [T], carry: T) {
    let quarter = x.len() / 4;
    let mut carries = [carry; 4];
    for k in 1..4 {
        carries[k] = carries[k - 1] + total(&x[(k - 1) * quarter..k * quarter]);
    }
    let (x0, x1) = x.split_at(quarter);
    let (x1, x2) = x1.split_at(quarter);
    let (x2, x3) = x2.split_at(quarter);
    let (y0, y1) = out.split_at_mut(quarter);
    let (y1, y2) = y1.split_at_mut(quarter);
    let (y2, y3) = y2.split_at_mut(quarter);
    for i in 0..quarter {
        carries[0] += x0[i];
        carries[1] += x1[i];
        carries[2] += x2[i];
        carries[3] += x3[i];
        y0[i] = carries[0];
        y1[i] = carries[1];
        y2[i] = carries[2];
        y3[i] = carries[3];
    }
    for i in quarter..x3.len() {
        carries[3] += x3[i];
        y3[i] = carries[3];
    }
}

/// Inclusive prefix sums: totals of chunks, then the chunks.
pub fn scan<T: Real>(x: &[T], out: &mut [T]) {
    if x.len() <= SMALL {
        return scan_chunk(x, out, T::default());
    }
    let mut carries: Vec<T> = x.par_chunks(CHUNK).map(total).collect();
    let mut running = T::default();
    for carry in &mut carries {
        let next = running + *carry;
        *carry = running;
        running = next;
    }
    out.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .zip(carries)
        .for_each(|((out, x), carry)| scan_chunk(x, out, carry));
}

/// The elements above `bound` and their sum: a count of each chunk, then each chunk to its place.
pub fn compact<T: Real>(x: &[T], bound: T, out: &mut [T]) -> (usize, f64) {
    let count = |x: &[T]| x.iter().map(|&v| (v > bound) as u32).sum::<u32>() as usize;
    let chunk = if x.len() <= SMALL {
        x.len().max(1)
    } else {
        CHUNK
    };
    let counts: Vec<usize> = match x.len() <= SMALL {
        true => vec![count(x)],
        false => x.par_chunks(chunk).map(count).collect(),
    };
    let mut places = Vec::with_capacity(counts.len());
    let mut rest = out;
    for (x, &count) in x.chunks(chunk).zip(&counts) {
        let (place, behind) = rest.split_at_mut(count);
        places.push((x, place));
        rest = behind;
    }
    let room = || vec![T::default(); chunk + 4 * LANES];
    let fill = |room: &mut Vec<T>, (x, place): (&[T], &mut [T])| {
        let mut kept = 0;
        let (wide, rest) = x.as_chunks::<LANES>();
        for lanes in wide {
            kept += T::compact(lanes, bound, &mut room[kept..]);
        }
        for &v in rest.iter().filter(|&&v| v > bound) {
            room[kept] = v;
            kept += 1;
        }
        place.copy_from_slice(&room[..kept]);
        total(place).wide()
    };
    let sums: Vec<f64> = match places.len() {
        0 => vec![],
        1 => places
            .into_iter()
            .map(|place| fill(&mut room(), place))
            .collect(),
        _ => places.into_par_iter().map_init(room, fill).collect(),
    };
    (counts.iter().sum(), sums.iter().sum())
}

/// `steps` of the heat equation; the result is in `a`.
pub fn heat<T: Real>(u: &[T], a: &mut Vec<T>, b: &mut Vec<T>, n: usize, steps: usize) {
    a.copy_from_slice(u);
    // Edges stay: they are the same in both grids.
    b[..n].copy_from_slice(&u[..n]);
    b[n * (n - 1)..].copy_from_slice(&u[n * (n - 1)..]);
    for row in 1..n - 1 {
        b[row * n] = u[row * n];
        b[row * n + n - 1] = u[row * n + n - 1];
    }
    let rows = if n < 200 { n } else { (n / 8).min(64) };
    for _ in 0..steps {
        let old = &a[..];
        let step = |first: usize, new: &mut [T]| {
            for (k, new) in new.chunks_exact_mut(n).enumerate() {
                let i = first + k;
                if i == 0 || i + 1 == n {
                    continue;
                }
                let up = &old[(i - 1) * n + 1..][..n - 2];
                let down = &old[(i + 1) * n + 1..][..n - 2];
                let left = &old[i * n..][..n - 2];
                let right = &old[i * n + 2..][..n - 2];
                let new = &mut new[1..n - 1];
                for j in 0..new.len() {
                    new[j] = T::of(0.25) * ((up[j] + down[j]) + (left[j] + right[j]));
                }
            }
        };
        match rows == n {
            true => step(0, b),
            false => b
                .par_chunks_mut(rows * n)
                .enumerate()
                .for_each(|(c, new)| step(c * rows, new)),
        }
        std::mem::swap(a, b);
    }
}

/// `y = A x`, the rows divided by the number of their entries.
pub fn spmv<T: Real>(matrix: &Csr<T>, x: &[T], y: &mut [T]) {
    let Csr { rows, cols, values } = matrix;
    let row = |r: usize| {
        let range = rows[r] as usize..rows[r + 1] as usize;
        let (cols, values) = (&cols[range.clone()], &values[range]);
        let (wide_cols, cols) = cols.as_chunks::<8>();
        let (wide_values, values) = values.as_chunks::<8>();
        // SAFETY: of the accesses without test: the columns of the matrix are below the length of x.
        let at = |c: i32| unsafe { *x.get_unchecked(c as usize) };
        let mut sums = [T::default(); 8];
        for (cols, values) in wide_cols.iter().zip(wide_values) {
            for l in 0..8 {
                sums[l] = values[l].fused(at(cols[l]), sums[l]);
            }
        }
        let mut sum = match wide_cols.len() {
            0 => T::default(),
            _ => {
                ((sums[0] + sums[1]) + (sums[2] + sums[3]))
                    + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
            }
        };
        for (&c, &v) in cols.iter().zip(values) {
            sum = v.fused(at(c), sum);
        }
        sum
    };
    let (n, entries) = (y.len(), *rows.last().unwrap_or(&0) as usize);
    let parts = (entries / 65536).clamp(1, 64);
    let mut tasks = Vec::with_capacity(parts);
    let (mut rest, mut from) = (y, 0);
    for part in 1..=parts {
        let to = match part == parts {
            true => n,
            false => rows
                .partition_point(|&at| (at as usize) < entries * part / parts)
                .clamp(from, n),
        };
        let (own, behind) = rest.split_at_mut(to - from);
        tasks.push((from, own));
        (rest, from) = (behind, to);
    }
    let work = |(from, y): (usize, &mut [T])| {
        y.iter_mut()
            .enumerate()
            .for_each(|(k, y)| *y = row(from + k));
    };
    match parts {
        1 => tasks.into_iter().for_each(work),
        _ => tasks.into_par_iter().for_each(work),
    }
}

/// Iterations of each pixel; thirty-two pixels go on together until the last has left.
pub fn mandelbrot<T: Real>(n: usize, out: &mut [i32]) {
    const WIDE: usize = 32;
    let h = T::of(2.5 / n as f64);
    out.par_chunks_mut(n).enumerate().for_each(|(row, out)| {
        let ci = T::of(-1.25) + T::of(row as f64) * h;
        for (block, out) in out.as_chunks_mut::<WIDE>().0.iter_mut().enumerate() {
            let cr: [T; WIDE] =
                std::array::from_fn(|l| T::of(-2.0) + T::of((block * WIDE + l) as f64) * h);
            let (mut zr, mut zi) = ([T::default(); WIDE], [T::default(); WIDE]);
            let (mut count, mut live) = ([0i32; WIDE], [-1i32; WIDE]);
            for round in 0..256 {
                for l in 0..WIDE {
                    let (rr, ii) = (zr[l] * zr[l], zi[l] * zi[l]);
                    live[l] &= -((rr + ii <= T::of(4.0)) as i32);
                    count[l] -= live[l];
                    zi[l] = (zr[l] + zr[l]).fused(zi[l], ci);
                    zr[l] = rr - ii + cr[l];
                }
                if round % 4 == 3 && live.iter().fold(0, |any, &l| any | l) == 0 {
                    break;
                }
            }
            *out = count;
        }
    });
}

#[inline(always)]
fn normal<T: Real>(d: T) -> T {
    let c = T::of;
    let q = c(1.0) / d.magnitude().fused(c(0.231_641_9), c(1.0));
    let p = q.fused(c(1.330_274_429), c(-1.821_255_978));
    let p = q.fused(p, c(1.781_477_937));
    let p = q.fused(p, c(-0.356_563_782));
    let p = q * q.fused(p, c(0.319_381_53));
    let w = c(0.398_942_280_401_432_7) * (c(-0.5) * d * d).fast_exp() * p;
    if d > c(0.0) { c(1.0) - w } else { w }
}

/// Prices of European calls and puts.
pub fn black_scholes<T: Real>(s: &[T], k: &[T], t: &[T], call: &mut [T], put: &mut [T]) {
    const PIECE: usize = 4096;
    let c = T::of;
    let (r, v) = (c(0.02), c(0.3));
    call.par_chunks_mut(PIECE)
        .zip(put.par_chunks_mut(PIECE))
        .enumerate()
        .for_each(|(piece, (call, put))| {
            let range = piece * PIECE..piece * PIECE + call.len();
            let (s, k, t) = (&s[range.clone()], &k[range.clone()], &t[range]);
            let put = &mut put[..call.len()];
            for i in 0..call.len() {
                let q = t[i].root();
                let d1 = ((s[i] / k[i]).fast_ln() + (r + c(0.5) * v * v) * t[i]) / (v * q);
                let d2 = d1 - v * q;
                let e = k[i] * (-r * t[i]).fast_exp();
                let (n1, n2) = (normal(d1), normal(d2));
                call[i] = s[i] * n1 - e * n2;
                put[i] = e * (c(1.0) - n2) - s[i] * (c(1.0) - n1);
            }
        });
}

#[inline(always)]
pub(super) fn philox(counter: u32) -> [u32; 4] {
    let mut c = [counter, 0, 0, 0];
    let mut key = [0xA511_E9B3u32, 0x0123_4567];
    for _ in 0..10 {
        let a = 0xD251_1F53u64 * c[0] as u64;
        let b = 0xCD9E_8D57u64 * c[2] as u64;
        c = [
            (b >> 32) as u32 ^ c[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ c[3] ^ key[1],
            a as u32,
        ];
        key = [
            key[0].wrapping_add(0x9E37_79B9),
            key[1].wrapping_add(0xBB67_AE85),
        ];
    }
    c
}

/// Points of `n` that lie in the quarter of a circle.
pub fn pi(n: usize) -> i64 {
    let block = |range: std::ops::Range<usize>| {
        let mut hits = 0i32;
        for i in range {
            let unit = philox(i as u32).map(|w| (w >> 8) as i32 as f32 * (1.0 / 16_777_216.0));
            hits += (unit[0] * unit[0] + unit[1] * unit[1] < 1.0) as i32;
            hits += (unit[2] * unit[2] + unit[3] * unit[3] < 1.0) as i32;
        }
        hits as i64
    };
    let half = n / 2;
    let step = (half / 64).max(4096);
    (0..half.div_ceil(step))
        .into_par_iter()
        .map(|k| block(k * step..half.min((k + 1) * step)))
        .sum()
}
