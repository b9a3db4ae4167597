//! Kernels called from many threads, and from inside rayon's.

use crate::{alone, compiled, is_alone};
use cuprous::prelude::*;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

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

/// Long enough for the threads to wait for each other, and it writes to its argument.
#[kernel]
fn count(x: &mut [i64], n: usize) -> f64 {
    let s = indices(n)
        .map(|i| ((i as f64).sin() + (i as f64).exp()).cos())
        .sum();
    for i in 0..x.len() {
        x[i] += 1;
    }
    s
}

/// A worker that waits inside a run may be given another run of the same call: with few workers, and many runs, it soon is.
#[test]
fn one_call_in_many_jobs() {
    if !is_alone() {
        for threads in ["2", "3"] {
            let output = alone("thread::one_call_in_many_jobs", |command| {
                command.env("RAYON_NUM_THREADS", threads);
            });
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{threads} workers: {text}");
        }
        return;
    }
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(200));
        eprintln!("it hangs");
        std::process::exit(3);
    });
    for place in compiled().chain([Place::cpu_threads(2), Place::native()]) {
        let n = if place == Place::interp() {
            100
        } else {
            20_000
        };
        let mut x = [0; 4];
        let done = AtomicI64::new(0);
        let call = count::call(&mut x, n).on(&place);
        call.run().unwrap();
        rayon::scope(|scope| {
            for k in 0..400 {
                let (call, done) = (&call, &done);
                scope.spawn(move |_| match call.run() {
                    Ok(_) => {
                        done.fetch_add(1, Relaxed);
                    }
                    Err(error) => {
                        assert_eq!(error.code(), "CU0307", "{error}");
                        assert!(error.to_string().contains("argument `x`"), "{error}");
                    }
                });
                if k % 5 == 0 {
                    std::thread::sleep(Duration::from_micros(k * 37 % 900));
                }
            }
        });
        call.run().unwrap();
        drop(call);
        assert_eq!(x, [done.into_inner() + 2; 4], "{place}");
    }
}

#[kernel]
fn up_to_three(x: &mut [i64]) {
    x[0] += 1;
    assert!(x[0] <= 3, "enough");
}

/// What a run has claimed it gives back, whether it succeeds or fails.
#[test]
fn a_call_that_failed_runs_again() {
    for place in compiled().chain([Place::native()]) {
        let mut x = [0];
        let call = up_to_three::call(&mut x).on(&place);
        for _ in 0..3 {
            call.run_into(()).unwrap();
        }
        for _ in 0..3 {
            let error = call.to_host().unwrap_err();
            assert!(error.to_string().contains("enough"), "{place}: {error}");
        }
        drop(call);
        assert_eq!(x, [3], "{place}");
    }
}
