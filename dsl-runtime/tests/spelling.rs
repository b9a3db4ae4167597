//! That kernel bodies, as users write them, mean the intended methods: ours on sequences, std's on iterators and ranges,
//! ndarray's own on arrays. Most of the test is that this file compiles without an annotation more than stands here.

// std has an unstable `erf`.
#![allow(unstable_name_collisions)]
// Every spelling is meant.
#![allow(clippy::needless_borrow, clippy::needless_option_take)]

use dsl_runtime::prelude::*;

fn saxpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| a * x + y)
}

fn spmv(rows: &[usize], cols: &[u32], vals: &[f64], x: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1).map(|r| {
        (rows[r]..rows[r + 1])
            .map(|k| vals[k] * x[cols[k] as usize])
            .sum()
    })
}

fn heat(u: &Array2<f64>, k: f64, steps: usize) -> Array2<f64> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..steps {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                g[[i, j]]
            } else {
                let around = g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]];
                g[[i, j]] + k * (around - 4.0 * g[[i, j]])
            }
        });
    }
    g
}

#[test]
fn the_kernels_of_the_introduction() {
    assert_eq!(saxpy(2.0, &[1.0, 2.0], &[0.5, 0.25]), [2.5, 4.25]);
    let y = spmv(
        &[0, 2, 2, 3],
        &[0, 2, 1],
        &[1.0, 2.0, 3.0],
        &[1.0, 10.0, 100.0],
    );
    assert_eq!(y, [201.0, 0.0, 30.0]);
    let mut spot = Array2::zeros((3, 3));
    spot[[1, 1]] = 1.0;
    assert_eq!(heat(&spot, 0.25, 1), Array2::<f64>::zeros((3, 3)));
}

#[test]
fn every_kind_of_receiver() {
    let slice: &[f32] = &[1.0, 2.0];
    let vec = vec![1.0f32, 2.0];
    let fixed = [1.0f32, 2.0];
    let mut other = [1.0f32, 2.0];
    let mutable: &mut [f32] = &mut other;
    let boxed: Box<[f32]> = Box::new(fixed);
    let nd = array![1.0f32, 2.0];
    let grid = array![[1.0f32, 9.0], [2.0, 9.0]];
    let want = [2.0f32, 1.0];
    assert_eq!(slice.rev(), want);
    assert_eq!((&slice).rev(), want);
    assert_eq!(vec.rev(), want);
    assert_eq!((&vec).rev(), want);
    assert_eq!(fixed.rev(), want);
    assert_eq!(mutable.rev(), want);
    assert_eq!(boxed.rev(), want);
    assert_eq!(nd.rev(), want);
    assert_eq!(nd.view().rev(), want);
    assert_eq!((&nd).rev(), want);
    assert_eq!(grid.column(0).rev(), want);
    assert_eq!(grid.slice(s![.., 0]).rev(), want);
    assert_eq!(vec![1.0f32, 2.0][..].rev(), want);
    assert_eq!(vec.rev().rev().rev(), want);
}

#[test]
fn every_kind_of_operand() {
    let x = [1, 2];
    let slice: &[f32] = &[3.0, 4.0];
    let vec = slice.to_vec();
    let mut other = [3.0f32, 4.0];
    let mutable: &mut [f32] = &mut other;
    let fixed = [3.0f32, 4.0];
    let nd = array![3.0f32, 4.0];
    let grid = array![[3.0f32, 9.0], [4.0, 9.0]];
    let want = [(1, 3.0f32), (2, 4.0)];
    assert_eq!(x.zip(slice), want);
    assert_eq!(x.zip(&slice), want);
    assert_eq!(x.zip(&vec), want);
    assert_eq!(x.zip(&&vec), want);
    assert_eq!(x.zip(vec.clone()), want);
    assert_eq!(x.zip(&vec[..]), want);
    assert_eq!(x.zip(fixed), want);
    assert_eq!(x.zip(&fixed), want);
    assert_eq!(x.zip(&&fixed), want);
    assert_eq!(x.zip(&mutable), want);
    assert_eq!(x.zip(&*mutable), want);
    assert_eq!(x.zip(mutable), want);
    assert_eq!(x.zip(&nd), want);
    assert_eq!(x.zip(&&nd), want);
    assert_eq!(x.zip(nd.view()), want);
    assert_eq!(x.zip(&*nd), want);
    assert_eq!(x.zip(nd), want);
    assert_eq!(x.zip(grid.column(0)), want);
    assert_eq!(x.zip(0..2), [(1, 0), (2, 1)]);
    assert_eq!(x.zip(0u64..=1), [(1, 0), (2, 1)]);
}

#[test]
fn iterators_keep_their_methods() {
    let (x, y) = (vec![3.0, 1.0, 2.0], [1.0, 1.0, 2.0]);
    let a: Vec<f64> = x.iter().zip(y).map(|(x, y)| 2.0 * x + y).collect();
    assert_eq!(a, [7.0, 3.0, 6.0]);
    let b: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    assert_eq!(b, 8.0);
    assert_eq!((1..4).map(|i| i * i).sum::<i32>(), 14);
    assert_eq!((1..4).rev().step_by(2).collect::<Vec<_>>(), [3, 1]);
    assert_eq!((0..9).filter(|i| i % 4 == 0).count(), 3);
    assert_eq!(x.iter().copied().fold(0.0, |a, b| a + b), 6.0);
    assert_eq!(x.iter().copied().reduce(f64::min), Some(1.0));
    assert_eq!(x.iter().skip(1).take(1).chain(&y).count(), 4);
    assert!(x.iter().any(|v| *v > 2.0) && x.iter().all(|&v| v > 0.0));
    assert_eq!(x.iter().position(|&v| v == 1.0), Some(1));
    assert_eq!(x.iter().copied().min_by(|a, b| a.total_cmp(b)), Some(1.0));
    let running: Vec<f64> = x
        .iter()
        .scan(0.0, |s, v| {
            *s += v;
            Some(*s)
        })
        .collect();
    assert_eq!(running, [3.0, 4.0, 6.0]);
    let (low, high): (Vec<f64>, Vec<f64>) = x.iter().partition(|v| **v < 2.5);
    assert_eq!((low.len(), high.len()), (2, 1));
    let (i, v): (Vec<usize>, Vec<f64>) = x.clone().into_iter().enumerate().unzip();
    assert_eq!((i, v), (vec![0, 1, 2], x.clone()));
    assert_eq!(x.windows(2).map(|w| w[0] - w[1]).sum::<f64>(), 1.0);
    assert_eq!(x.chunks_exact(3).map(|c| c.sum()).sum::<f64>(), 6.0);
    let mut lent = x.iter();
    assert_eq!(lent.by_ref().take(2).count(), 2);
    assert_eq!(lent.map(|v| v * 2.0).sum::<f64>(), 4.0);
    assert_eq!([1, 2].map(|v| v + 1), [2, 3]);
    assert_eq!(Some(1).map(|v| v + 1).zip(Some(2)), Some((2, 2)));
    assert_eq!(Some(3).take().filter(|v| *v > 2), Some(3));
}

#[test]
fn ndarray_keeps_its_words() {
    let u = array![[1.0, 2.0], [3.0, 4.0]];
    let row = u.row(1);
    assert_eq!(row.sum(), 7.0);
    assert_eq!(row.product(), 12.0);
    assert_eq!(row.map(|v| v + 1.0), array![4.0, 5.0]);
    assert_eq!(u.sum(), 10.0);
    assert_eq!(u.sum_axis(Axis(0)), array![4.0, 6.0]);
    assert_eq!(u.mapv(|v| v * 2.0).t().row(0), array![2.0, 6.0]);
    assert_eq!(u.column(0).minimum(), 1.0);
    assert_eq!(u.row(0).zip(u.column(0)), [(1.0, 1.0), (2.0, 3.0)]);
    let sums: Vec<f64> = u.rows().into_iter().map(|r| r.sum()).collect();
    assert_eq!(sums, [3.0, 7.0]);
    assert_eq!(
        tabulate2(u.dim(), |(i, j)| u[[i, j]] * u[[j, i]]),
        array![[1.0, 6.0], [6.0, 16.0]]
    );
    assert_eq!(u.row(1).windows_map(2, |w| w[1] - w[0]), [1.0]);
    assert_eq!(u.dot(&u.row(0)), array![5.0, 11.0]);
}

#[test]
fn literals_and_closures_need_no_annotation() {
    let x = [1.5f32, 0.5];
    assert_eq!(x.reduce(0.0, |a, b| a + b), 2.0);
    assert_eq!(x.reduce(f32::NEG_INFINITY, f32::max), 1.5);
    assert_eq!(x.scan(0.0, |a, b| a + b.sqrt().floor()), [1.0, 1.0]);
    assert_eq!(x.gather_or([0, -1], 7.0), [1.5, 7.0]);
    assert_eq!(x.shift(1, 0.0).chain([9.0]), [0.5, 0.0, 9.0]);
    assert_eq!(x.scatter([0], [3.0]), [3.0, 0.5]);
    assert_eq!(
        x.scatter_with(|a, b| a.max(b), [0, 0], [3.0, 2.0]),
        [3.0, 0.5]
    );
    assert_eq!(x.map(|v| v > 1.0).zip(x).filter(|(p, _)| p).len(), 1);
    assert_eq!(
        x.zip3(indices(2), fill(2, 1))
            .map(|(v, i, n)| v * (i + n) as f32),
        [1.5, 1.0]
    );
    let ((a, b), c) = (x.zip([1, 2]).unzip(), x.enumerate().unzip().0);
    assert_eq!((a, b, c), (vec![1.5, 0.5], vec![1, 2], vec![0, 1]));
    assert_eq!(x.flat_map(|v| [v, -v]), [1.5, -1.5, 0.5, -0.5]);
    assert_eq!(x.chunks_map(1, |c| c.rev()).map(|c| c.sum()), [1.5, 0.5]);
    let nested = indices(3).map(|n| fill(n, 1.0)).map(|row| row.sum());
    assert_eq!(nested, [0.0, 1.0, 2.0]);
    let square = |v| v * v;
    assert_eq!(x.map(square), [2.25, 0.25]);
    let total: f32 = x.to_vec().map(|v| v.erf()).sum();
    assert!((total - 1.486_605).abs() < 1e-6);
    let empty: &[f32] = &[][..];
    assert_eq!(empty.sum() + empty.len() as f32, 0.0);
}

fn normalise<T: Real>(x: &[T]) -> Vec<T> {
    let n = T::from_usize(x.len()).unwrap();
    let mean = x.sum() / n;
    let spread = (x.map(|v| (v - mean) * (v - mean)).sum() / n).sqrt();
    let floor = T::of(1e-3).max(T::epsilon()).min(T::PI());
    x.map(|v| {
        if spread > floor {
            (v - mean) / spread
        } else {
            T::zero()
        }
    })
}

fn by_iterator<T: Real>(a: T, x: &[T], y: &[T]) -> T {
    let products: T = x.iter().zip(y).map(|(&x, y)| a * x + y).sum();
    let mut last = x.iter().copied().sum::<T>() + x.iter().sum::<T>();
    last += products;
    last * T::of(0.5).erf().signum().abs().min(T::one())
}

fn largest<T: Scalar>(x: &[T], y: &[T]) -> (T, usize) {
    let z = x.zip(y).map(|(x, y)| if x < y { y } else { x });
    (z.maximum(), z.argmax())
}

fn hash<T: Int>(x: &[T]) -> T {
    let low = x.map(|v| v & T::one()).sum().min(T::one());
    x.reduce(low, |h, v| {
        h.wrapping_mul(&v).wrapping_add(&(v >> 1)).rotate_left(1)
    })
}

fn twice<const N: usize>(x: [f64; N], f: impl Fn(f64) -> f64) -> f64 {
    x.map(&f).map(f).sum()
}

#[test]
fn generic_kernels() {
    assert_eq!(normalise(&[1.0f32, 3.0]), [-1.0, 1.0]);
    assert_eq!(normalise(&[1.0f64, 1.0]), [0.0, 0.0]);
    assert_eq!(by_iterator(2.0f64, &[1.0, 2.0], &[1.0, 1.0]), 14.0);
    assert_eq!(largest(&[1, 5], &[4, 2]), (5, 1));
    assert_eq!(largest(&[1.0, 0.5], &[0.0, -0.5]), (1.0, 0));
    // 1 * 255 + 127 = 126, doubled 252; 252 * 2 + 1 = 249, rotated 243.
    assert_eq!(hash(&[255u8, 2]), 243);
    assert_eq!(twice([1.0, 2.0], |v| v * 3.0), 27.0);
}

/// Any sequence, where a function wants to say so.
fn spread<S: Sequence<Item = f64> + ?Sized>(x: &S) -> f64 {
    x.maximum() - x.minimum()
}

#[test]
fn sequences_as_a_bound() {
    assert_eq!(spread(&[1.0, 4.0][..]), 3.0);
    assert_eq!(spread(&*array![1.0, 4.0]), 3.0);
}
