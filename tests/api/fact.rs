//! Arrays whose elements are indices: tested once an array. Nothing but speed may show it.

use crate::compiled;
use cuprous::Error;
use cuprous::prelude::*;

#[kernel]
fn spmv(rows: &[u32], cols: &[u32], vals: &[f64], x: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1).map(|r| {
        (rows[r] as usize..rows[r + 1] as usize)
            .map(|k| vals[k] * x[cols[k] as usize])
            .sum()
    })
}
macro_rules! picks {
    ($($name:ident $index:ty;)*) => {$(
        #[kernel]
        fn $name(x: &[f32], at: &[$index]) -> Vec<f32> {
            at.map(|i| x[i as usize])
        }
    )*};
}
picks! { pick_u8 u8; pick_u16 u16; pick_u32 u32; pick_u64 u64; pick_i64 i64; }
#[kernel]
fn gathered(x: &[f32], at: &[i64]) -> Vec<f32> {
    x.gather(at)
}
#[kernel]
fn gathered_u32(x: &[f32], at: &[u32]) -> Vec<f32> {
    x.gather(at)
}
#[kernel]
fn ell(cols: &Array2<u16>, vals: &Array2<f32>, x: &[f32]) -> Vec<f32> {
    let (width, n) = vals.dim();
    indices(n).map(|r| {
        (0..width)
            .map(|k| vals[[k, r]] * x[cols[[k, r]] as usize])
            .sum()
    })
}
#[kernel]
fn two(x: &[f32], y: &[f32], a: &[u32], b: &[i32], n: usize) -> Vec<f32> {
    indices(n).map(|i| x[a[i] as usize] - y[b[i] as usize])
}
#[kernel]
fn divided(x: &[i32], at: &[u32], by: i32) -> Vec<i32> {
    at.map(|i| x[i as usize] / by)
}
#[kernel]
fn written(x: &mut [f32], at: &[u32]) {
    x[at[0] as usize] += 1.0;
}
#[kernel]
fn grid(u: &Array2<f64>, at: &[(u8, i64)]) -> Vec<f64> {
    at.map(|(i, j)| u[[i as usize, j as usize]])
}
#[kernel]
fn untested(x: &[f32]) -> Vec<f32> {
    x.map(|v| v + 1.0)
}

/// What the plan says of code without the tests.
const USED: &str = "code for this is in use";
const UNUSED: &str = "code for this is made when it is needed";

fn plan(explained: Result<String, Error>) -> String {
    explained.expect("a plan")
}

/// The same text each time, whatever code runs.
fn fails<R: std::fmt::Debug>(want: &str, words: &str, run: impl Fn() -> Result<R, Error>) {
    for _ in 0..4 {
        let error = run().unwrap_err();
        assert_eq!(error.to_string(), want);
        assert!(want.contains("CU0201") && want.contains(words), "{want}");
    }
}

#[test]
fn the_third_call_with_the_same_arrays_runs_other_code_with_the_same_bits() {
    let n = 1000u32;
    let lengths = (0..n).map(|r| r * 7 % 13);
    let rows: Vec<u32> = std::iter::once(0)
        .chain(lengths.scan(0, |sum, length| {
            *sum += length;
            Some(*sum)
        }))
        .collect();
    let entries = rows[n as usize];
    let cols: Vec<u32> = (0..entries).map(|k| k * 31 % n).collect();
    let vals: Vec<f64> = (0..entries)
        .map(|k| f64::from(k % 17) * 0.3 - 1.1)
        .collect();
    let x: Vec<f64> = (0..n).map(|k| f64::from(k) * 0.1).collect();
    let want = spmv::plain(&rows, &cols, &vals, &x);
    let (a_rows, a_cols) = (Array::from(rows.clone()), Array::from(cols.clone()));
    let (a_vals, a_x) = (Array::from(vals.clone()), Array::from(x.clone()));
    for place in compiled() {
        let explain = || plan(spmv::kernel().explain(&place));
        let slices = || spmv::call(&rows, &cols, &vals, &x).on(&place).to_host();
        let first = slices().unwrap();
        assert!(first.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-9));
        for _ in 0..4 {
            assert_eq!(slices().unwrap(), first, "{place}");
            // What belongs to the caller is never looked through.
            assert!(!explain().contains(USED), "{place}");
        }
        for call in 0..5 {
            let y = spmv::call(&a_rows, &a_cols, &a_vals, &a_x);
            assert_eq!(y.on(&place).to_host().unwrap(), first, "{place}");
            let text = explain();
            match place == Place::interp() {
                true => assert!(!text.contains("tested once an array"), "{text}"),
                // The arrays are known at the second place from the first call on.
                false => assert!(text.contains(USED) || call < 2, "{place}: {text}"),
            }
        }
        if place != Place::interp() {
            let text = explain();
            for line in [
                "elements of %rows are at most %len_vals: index of %vals",
                "elements of %rows are at most %len_cols: index of %cols",
                "elements of %cols are less than %len_x: index of %x",
            ] {
                assert!(text.contains(line), "{text}");
            }
        }
        // With the other code there, arguments of all kinds.
        let shorter = Array::from(x[..999].to_vec());
        let wrong = || {
            let call = spmv::call(&rows, &cols, &vals, &x[..999]);
            call.on(&Place::interp()).run()
        };
        let text = wrong().unwrap_err().to_string();
        let words = "index 999 is out of bounds for length 999";
        fails(&text, words, || {
            let call = spmv::call(&a_rows, &a_cols, &a_vals, &shorter);
            call.on(&place).run()
        });
        fails(&text, words, || {
            let call = spmv::call(&a_rows, &a_cols, &a_vals, &x[..999]);
            call.on(&place).run()
        });
        assert_eq!(slices().unwrap(), first, "{place}");
        let y = spmv::call(&a_rows, &a_cols, &a_vals, &a_x).on(&place);
        assert_eq!(y.to_host().unwrap(), first, "{place}");
    }
}

#[test]
fn the_first_and_second_call_compile_nothing() {
    let (x, at) = (Array::from(vec![1.0f32, 2.0]), Array::from(vec![1u32, 0]));
    for place in compiled().filter(|place| *place != Place::interp()) {
        // Each place starts with arrays that nobody knows.
        let (x, at) = (Array::from(x.to_vec()), Array::from(at.to_vec()));
        for call in 1..=4 {
            let y = pick_u32::call(&x, &at).on(&place).to_host();
            assert_eq!(y.unwrap(), [2.0, 1.0]);
            let text = plan(pick_u32::kernel().explain(&place));
            assert!(
                text.contains(if call < 3 { UNUSED } else { USED }),
                "{call}: {text}"
            );
        }
    }
}

#[test]
fn arrays_that_are_used_once_are_not_looked_through() {
    for place in compiled().filter(|place| *place != Place::interp()) {
        for k in 0..6 {
            let (x, at) = (Array::from(vec![1.0f32; 8]), Array::from(vec![k as u16; 8]));
            let y = pick_u16::call(&x, &at).on(&place).to_host();
            assert_eq!(y.unwrap(), [1.0; 8]);
        }
        let text = plan(pick_u16::kernel().explain(&place));
        assert!(text.contains(UNUSED), "{text}");
    }
}

#[test]
fn an_index_outside_is_told_the_same_each_time() {
    let x = vec![1.0f32; 10];
    let good = Array::from(vec![9i64; 5000]);
    let mut bad = vec![3i64; 5000];
    bad[4321] = 10;
    bad[4444] = -1;
    let mut negative = vec![3i64; 5000];
    negative[17] = -2;
    let placed = Array::from(x.clone());
    for place in compiled() {
        for _ in 0..4 {
            let y = gathered::call(&placed, &good).on(&place).to_host();
            assert_eq!(y.unwrap(), [1.0; 5000]);
            let y = pick_i64::call(&placed, &good).on(&place).to_host();
            assert_eq!(y.unwrap(), [1.0; 5000]);
        }
        for (at, index) in [(&bad, "10"), (&negative, "-2")] {
            let told = gathered::call(&x, at).on(&Place::interp()).run();
            let text = told.unwrap_err().to_string();
            let words = format!("index {index} is out of bounds for length 10");
            let stored = Array::from(at.clone());
            fails(&text, &words, || {
                gathered::call(&placed, &stored).on(&place).run()
            });
            fails(&text, &words, || gathered::call(&x, at).on(&place).run());
            let told = pick_i64::call(&x, at).on(&Place::interp()).run();
            let text = told.unwrap_err().to_string();
            fails(&text, "is out of bounds for length 10", || {
                pick_i64::call(&placed, &stored).on(&place).run()
            });
        }
        // Still the other code for those that it is for.
        let y = pick_i64::call(&placed, &good).on(&place).to_host();
        assert_eq!(y.unwrap(), [1.0; 5000]);
    }
}

#[test]
fn empty_arrays_and_small_types() {
    let x: Vec<f32> = (0..256).map(|k| k as f32).collect();
    let all: Vec<u8> = (0..=255).rev().collect();
    let (long, short) = (Array::from(x.clone()), Array::from(x[..255].to_vec()));
    let (at, nothing) = (Array::from(all.clone()), Array::from(Vec::<u8>::new()));
    let (none, zero) = (Array::from(Vec::<f32>::new()), Array::from(vec![0u8]));
    for place in compiled() {
        let on = |x: &Array<f32>, at: &Array<u8>| pick_u8::call(x, at).on(&place).to_host();
        let text = pick_u8::call(&x[..255], &all).on(&Place::interp()).run();
        let text = text.unwrap_err().to_string();
        for _ in 0..4 {
            let y = on(&long, &at).unwrap();
            assert!(y.iter().rev().eq(&x), "{place}");
            assert_eq!(on(&none, &nothing).unwrap(), []);
            assert_eq!(on(&long, &nothing).unwrap(), []);
            assert_eq!(on(&long, &zero).unwrap(), [0.0]);
            let words = "index 0 is out of bounds for length 0";
            let error = on(&none, &zero).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            fails(&text, "index 255 is out of bounds for length 255", || {
                on(&short, &at)
            });
        }
    }
}

#[test]
fn several_arrays_must_all_fit() {
    let (x, y) = (Array::from(vec![1.0f32, 2.0]), Array::from(vec![0.5f32; 3]));
    let (a, b) = (Array::from(vec![1u32, 0]), Array::from(vec![2i32, 0]));
    let (a2, b2) = (Array::from(vec![2u32, 0]), Array::from(vec![0i32, -1]));
    for place in compiled() {
        let on = |a: &Array<u32>, b: &Array<i32>| two::call(&x, &y, a, b, 2).on(&place).to_host();
        for _ in 0..4 {
            assert_eq!(on(&a, &b).unwrap(), [1.5, 0.5]);
        }
        for _ in 0..4 {
            let outside = on(&a2, &b).unwrap_err().to_string();
            assert!(
                outside.contains("index 2 is out of bounds for length 2"),
                "{outside}"
            );
            let negative = on(&a, &b2).unwrap_err();
            assert_eq!(negative.code(), "CU0201");
            // Here the first of both failures counts.
            let both = on(&a2, &b2).unwrap_err().to_string();
            assert_eq!(both, outside);
        }
        // What is not about elements is tested as ever.
        let longer = two::call(&x, &y, &a, &b, 3).on(&place).run().unwrap_err();
        assert_eq!(longer.code(), "CU0201");
        assert_eq!(on(&a, &b).unwrap(), [1.5, 0.5]);
    }
}

#[test]
fn other_failures_stay() {
    let (x, at) = (Array::from(vec![6, 4]), Array::from(vec![1u32, 0, 1]));
    let bad = Array::from(vec![1u32, 2]);
    for place in compiled() {
        for _ in 0..4 {
            let y = divided::call(&x, &at, 2).on(&place).to_host();
            assert_eq!(y.unwrap(), [2, 3, 2]);
            let zero = divided::call(&x, &at, 0).on(&place).to_host();
            assert_eq!(zero.unwrap_err().code(), "CU0202");
            let first = divided::call(&x, &bad, 0).on(&place).to_host();
            assert_eq!(first.unwrap_err().code(), "CU0202");
            let then = divided::call(&x, &bad, 1).on(&place).to_host();
            assert_eq!(then.unwrap_err().code(), "CU0201");
        }
    }
}

#[test]
fn matrices_tuples_and_memory_that_is_written() {
    let cols = Array2::from_shape_fn((3, 50), |(k, r)| ((k * 7 + r) % 50) as u16);
    let vals = Array2::from_shape_fn((3, 50), |(k, r)| (k + r) as f32);
    let x: Vec<f32> = (0..50).map(|k| k as f32 * 0.5).collect();
    let want = ell::plain(&cols, &vals, &x);
    let (cols, vals, x) = (
        Array::from_ndarray(cols),
        Array::from_ndarray(vals),
        Array::from(x),
    );
    let u = Array::from_ndarray(Array2::from_shape_fn((4, 5), |(i, j)| (10 * i + j) as f64));
    let at = Array::from(vec![(3u8, 4i64), (0, 0), (2, 1)]);
    let bad = Array::from(vec![(3u8, 4i64), (0, -1)]);
    let first = Array::from(vec![1u32]);
    for place in compiled() {
        for _ in 0..4 {
            assert_eq!(
                ell::call(&cols, &vals, &x).on(&place).to_host().unwrap(),
                want
            );
            let y = grid::call(&u, &at).on(&place).to_host().unwrap();
            assert_eq!(y, [34.0, 0.0, 21.0]);
            let error = grid::call(&u, &bad).on(&place).run().unwrap_err();
            assert_eq!(error.code(), "CU0201");
            let mut z = [0.0f32, 1.0];
            written::call(&mut z, &first).on(&place).run().unwrap();
            assert_eq!(z, [0.0, 2.0]);
            let error = written::call(&mut z[..1], &first)
                .on(&place)
                .run()
                .unwrap_err();
            assert_eq!(error.code(), "CU0201");
            assert_eq!(z, [0.0, 2.0]);
        }
    }
}

/// Indices that a kernel has made are found out about once they are in host memory.
#[test]
fn indices_that_were_computed() {
    for place in compiled() {
        let at = counted::call(100).on(&place).run().unwrap();
        let x = Array::from((0..100).map(|k| k as f32).collect::<Vec<_>>());
        let short = Array::from(vec![0.0f32; 99]);
        for round in 0..6 {
            let y = gathered_u32::call(&x, &at).on(&place).to_host().unwrap();
            assert_eq!(y[1], 99.0);
            let error = gathered_u32::call(&short, &at).on(&place).run();
            assert_eq!(error.unwrap_err().code(), "CU0201");
            if round == 2 {
                assert_eq!(at.to_vec()[1], 99);
            }
        }
    }
}
#[kernel]
fn counted(n: usize) -> Vec<u32> {
    indices(n).map(|i| ((n - i) % n) as u32)
}

#[test]
fn threads_share_what_is_found_out() {
    let x = Array::from((0..64).map(|k| k as f32).collect::<Vec<_>>());
    let at = Array::from((0..64u64).rev().collect::<Vec<_>>());
    for place in compiled() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (place, x, at) = (place.clone(), x.clone(), at.clone());
                scope.spawn(move || {
                    for _ in 0..20 {
                        let y = pick_u64::call(&x, &at).on(&place).to_host().unwrap();
                        assert_eq!((y[0], y[63]), (63.0, 0.0));
                    }
                });
            }
        });
    }
}

#[test]
fn kernels_without_such_indices_say_nothing() {
    let text = plan(untested::kernel().explain(&Place::cpu()));
    assert!(!text.contains("once an array"), "{text}");
}
