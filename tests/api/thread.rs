//! Kernels called from many threads, and from inside rayon's.

use cuprous::prelude::*;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

#[kernel]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.zip(y).map(|(x, y)| x * y).sum()
}

#[kernel]
fn sums<T: Scalar>(x: &[T]) -> Vec<T> {
    x.scan(T::zero(), |a, b| a + b)
}

#[kernel]
fn evens(x: &[i64]) -> Vec<i64> {
    x.filter(|v| v % 2 == 0)
}

#[test]
fn many_threads_at_once() {
    let x: Vec<f64> = (0..60_000).map(|i| i as f64 * 0.1).collect();
    let want = dot::call(&x, &x).on(&Place::interp()).run().unwrap();
    std::thread::scope(|s| {
        for t in 0..8 {
            let x = &x;
            s.spawn(move || {
                for i in 0..20 {
                    let place = if (t + i) % 3 == 0 {
                        Place::cpu_threads(3)
                    } else {
                        Place::cpu()
                    };
                    assert_eq!(dot::call(x, x).on(&place).run().unwrap(), want);
                    let v: Vec<i64> = (0..5000 + t * 100 + i).collect();
                    assert_eq!(evens(&v).len() as i64, (v.len() as i64 + 1) / 2);
                    assert_eq!(sums(&v)[v.len() - 1], v.iter().sum::<i64>());
                }
            });
        }
    });
}

#[test]
fn inside_rayon() {
    let x: Vec<f64> = (0..50_000).map(|i| (i % 17) as f64).collect();
    let want = dot(&x, &x);
    let all: Vec<f64> = (0..64).into_par_iter().map(|_| dot(&x, &x)).collect();
    assert!(all.iter().all(|&v| v == want));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    pool.install(|| {
        let (a, b) = rayon::join(|| dot(&x, &x), || evens(&[1, 2, 4]));
        assert_eq!((a, b), (want, vec![2, 4]));
        assert_eq!(
            dot::call(&x, &x).on(&Place::cpu_threads(8)).run().unwrap(),
            want
        );
    });
}
