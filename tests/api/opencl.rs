//! What devices add: arrays that stay there, memory that is limited and given back, calls that return before they are done.
//!
//! A device that works on the host's memory copies nothing by design, and its counters of bytes stay at zero. So what is
//! counted here is counted a second time with `CUPROUS_DEVICE_COPIES`, which has the device keep memory of its own.

use crate::first::heat;
use crate::{alone, is_alone};
use cuprous::Error;
use cuprous::prelude::*;
use cuprous_opencl::OpenCl;
use cuprous_opencl::device::{Device, Transfers};
use std::time::{Duration, Instant};

#[kernel]
fn axpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| a * x + y)
}

/// The sum of squares is needed by the second stage alone.
#[kernel]
fn normalised(x: &[f32]) -> Vec<f32> {
    let norm = x.map(|v| v * v).sum().sqrt();
    x.map(|v| v / norm)
}

#[kernel]
fn prefix(x: &[f32]) -> Vec<f32> {
    x.scan(0.0, |a, b| a + b)
}

#[kernel]
fn positive(x: &[f32]) -> Vec<f32> {
    x.filter(|v| v > 0.0)
}

#[kernel]
fn gathered(x: &[f32], idx: &[u32]) -> Vec<f32> {
    x.gather(idx)
}

#[kernel]
fn total(x: &[f32]) -> f32 {
    x.sum()
}

#[kernel]
fn ramp(n: usize) -> Vec<f32> {
    tabulate(n, |i| i as f32)
}

#[kernel]
fn transposed_sum(u: ArrayView2<'_, f64>, v: &[f64]) -> Vec<f64> {
    let (h, w) = u.dim();
    indices(h).map(|i| (0..w).map(|j| u[[i, j]] * v[j]).sum())
}

/// Fails in the round in which `x[k]` becomes 0; writes to its argument before.
#[kernel]
fn countdown(x: &mut [i32], rounds: usize) -> i32 {
    let mut s = 0;
    for _ in 0..rounds {
        s += x.map(|v| 100 / v).sum();
        for i in 0..x.len() {
            x[i] -= 1;
        }
    }
    s
}

/// Fails in a late round of a loop that carries an array.
#[kernel]
fn walk(x: &[i64], steps: usize) -> Vec<i64> {
    let mut y = x.to_vec();
    for k in 0..steps {
        y = y.map(|v| {
            assert!(v + k as i64 != 1_000, "{v} in round {k}");
            x[v as usize] + 1
        });
    }
    y
}

#[kernel]
fn slow(x: &[f64], rounds: usize) -> Vec<f64> {
    x.map(|v| {
        let mut s = v;
        for _ in 0..rounds {
            s = s * 0.999 + (s + 1.0).sqrt();
        }
        s
    })
}

/// The first device as a place and as what counts; none, loudly, where there is none.
fn device(test: &str) -> Option<(Place, Device)> {
    match Place::opencl() {
        Ok(place) => Some((place, OpenCl::open(None).unwrap().device().clone())),
        Err(error) => {
            println!("SKIPPED {test}: {error}");
            None
        }
    }
}

/// Runs a test in a process of its own, on a device that works on the host's memory where it can, and on one that does not. Its
/// counters are the whole process's.
fn both_ways(test: &str) -> bool {
    if is_alone() {
        return true;
    }
    for copies in [false, true] {
        let output = alone(test, |command| {
            if copies {
                command.env("CUPROUS_DEVICE_COPIES", "1");
            }
        });
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let skipped = text.lines().filter(|line| line.contains("SKIPPED"));
        skipped.for_each(|line| println!("{line}"));
        assert!(output.status.success(), "{test}, {copies}: {text}{errors}");
    }
    false
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn wave(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.37).sin()).collect()
}

/// The counter of bytes in either direction.
fn moved(transfers: Transfers) -> (u64, u64) {
    (transfers.bytes_in, transfers.bytes_out)
}

#[test]
fn a_chain_of_ten_calls_transfers_nothing() {
    if !both_ways("opencl::a_chain_of_ten_calls_transfers_nothing") {
        return;
    }
    let Some((place, device)) = device("a chain") else {
        return;
    };
    let n = 100_000;
    let size = 4 * n as u64;
    // Whether bytes are copied at all.
    let once = |bytes: u64| if device.info().unified { 0 } else { bytes };
    let chain = |place: &Place, x: &Array<f32>, y: &Array<f32>| {
        let mut z = axpy::call(0.5, x, y).on(place).run().unwrap();
        for k in 0..3 {
            z = axpy::call(k as f32, &z, y).on(place).run().unwrap();
            z = normalised::call(&z).on(place).run().unwrap();
            z = prefix::call(&z).on(place).run().unwrap();
        }
        z
    };
    let (x, y) = (Array::from(wave(n)), Array::from(ramp(n)));
    let before = device.transfers();
    axpy::call(1.0, &x, &y).on(&place).run().unwrap();
    assert_eq!(moved(device.transfers() - before), (once(2 * size), 0));
    let before = device.transfers();
    let z = chain(&place, &x, &y);
    device.wait().unwrap();
    let done = device.transfers() - before;
    assert_eq!(moved(done), (0, 0), "{done:?}");
    assert!(done.launches >= 10, "{done:?}");
    // Each is fetched once, whoever asks, and sent once.
    let before = device.transfers();
    let clone = z.clone();
    let there = (z.to_vec(), clone.to_vec());
    assert_eq!(moved(device.transfers() - before), (0, once(size)));
    axpy::call(1.0, &z, &clone).on(&place).run().unwrap();
    assert_eq!(moved(device.transfers() - before), (0, once(size)));
    let here = chain(&Place::interp(), &x, &y).to_vec();
    assert_eq!(bits(&there.0), bits(&here));
    assert_eq!(bits(&there.1), bits(&here));
    // What has to be known here is a few words: a length, a result, whether all has gone well.
    let idx = Array::from((0..n as u32).rev().collect::<Vec<_>>());
    total::call(&x).on(&place).run().unwrap();
    gathered::call(&x, &idx).on(&place).run().unwrap();
    let before = device.transfers();
    for _ in 0..10 {
        let z = gathered::call(&x, &idx).on(&place).run().unwrap();
        let z = positive::call(&z).on(&place).run().unwrap();
        total::call(&z).on(&place).run().unwrap();
    }
    let done = device.transfers() - before;
    assert!(done.bytes_in == 0 && done.bytes_out < 10 * 1024, "{done:?}");
}

#[test]
fn arrays_are_coherent_between_places() {
    if !both_ways("opencl::arrays_are_coherent_between_places") {
        return;
    }
    let Some((place, device)) = device("coherence") else {
        return;
    };
    let n = 10_000;
    let size = 4 * n as u64;
    let once = |bytes: u64| if device.info().unified { 0 } else { bytes };
    let tour = |places: [&Place; 4]| -> Vec<f32> {
        let y = Array::from(wave(n));
        let mut z = y.clone();
        for place in places {
            z = prefix::call(&z).on(place).run().unwrap();
            z = axpy::call(0.25, &z, &y).on(place).run().unwrap();
            assert_eq!(z.place(), place);
        }
        z.into_vec()
    };
    let (cpu, interp, native) = (Place::cpu(), Place::interp(), Place::native());
    let want = bits(&tour([&interp; 4]));
    let before = device.transfers();
    let found = tour([&cpu, &place, &interp, &place]);
    assert_eq!(bits(&found), want);
    // In: the first intermediate and `y`, then the interpreter's result. Out: the result of each visit.
    let moves = (once(3 * size), once(2 * size));
    assert_eq!(moved(device.transfers() - before), moves);
    assert_eq!(bits(&tour([&place, &cpu, &place, &interp])), want);
    // The plain function reads what a device has, too.
    let z = prefix::call(&wave(n)).on(&place).run().unwrap();
    let sum = total::call(&z).on(&native).run().unwrap();
    assert_eq!(sum, total::plain(&z.to_vec()));
    let zeros = place.scope(|| Array::<f32>::zeros(&[3]));
    assert_eq!(positive::call(&zeros).on(&place).run().unwrap().len(), 0);
}

#[test]
fn many_threads_share_a_device() {
    let Some((place, device)) = device("threads") else {
        return;
    };
    let x = wave(30_000);
    let (want_sum, want_prefix) = (
        total::call(&x).on(&Place::interp()).run().unwrap(),
        prefix::call(&x).on(&Place::interp()).to_host().unwrap(),
    );
    let there = Array::from(x.clone());
    std::thread::scope(|s| {
        for t in 0..8 {
            let (x, there, place) = (&x, &there, &place);
            let (want_sum, want_prefix) = (&want_sum, &want_prefix);
            s.spawn(move || {
                for i in 0..20 {
                    match (t + i) % 4 {
                        // The same array, which one of the threads sends.
                        0 => assert_eq!(total::call(there).on(place).run().unwrap(), *want_sum),
                        1 => assert_eq!(total::call(x).on(place).run().unwrap(), *want_sum),
                        2 => {
                            let z = prefix::call(there).on(place).run().unwrap();
                            assert_eq!(bits(&z.to_vec()), bits(want_prefix));
                        }
                        _ => {
                            let n = 1000 + 100 * t + i;
                            let z = ramp::call(n).on(place).run().unwrap();
                            let z = positive::call(&z).on(place).to_host().unwrap();
                            assert_eq!((z.len(), z[0]), (n - 1, 1.0));
                        }
                    }
                    let error = gathered::call(there, &[30_000]).on(place).run();
                    assert_eq!(error.unwrap_err().code(), "CU0201");
                }
            });
        }
    });
    device.wait().unwrap();
}

#[test]
fn what_does_not_fit_is_refused_and_the_place_goes_on() {
    if !is_alone() {
        for copies in [false, true] {
            let output = alone(
                "opencl::what_does_not_fit_is_refused_and_the_place_goes_on",
                |command| {
                    command.env("CUPROUS_DEVICE_MEMORY", "10000000");
                    if copies {
                        command.env("CUPROUS_DEVICE_COPIES", "1");
                    }
                },
            );
            let text = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{copies}: {text}{errors}");
        }
        return;
    }
    let Some((place, device)) = device("limited memory") else {
        return;
    };
    let name = device.info().name.to_string();
    let large = vec![1.0; 4_000_000];
    let kept = Array::from(vec![1.0f32; 1_000_000]);
    let refused = |error: Error, words: &[&str]| {
        let text = error.to_string();
        assert_eq!(error.code(), "CU0308", "{text}");
        for word in words.iter().chain(&[&name[..]]) {
            assert!(text.contains(word), "`{word}` is not in\n{text}");
        }
    };
    ramp::call(10).on(&place).run().unwrap();
    device.wait().unwrap();
    let before = device.in_use();
    for _ in 0..3 {
        // A result, a borrowed argument, an array; then one that does not fit beside what is there.
        let all = ["15.3 MiB of arrays", "9.5 MiB are free", "at most 9.5 MiB"];
        refused(ramp::call(4_000_000).on(&place).run().unwrap_err(), &all);
        refused(total::call(&large).on(&place).run().unwrap_err(), &all);
        let whole = Array::from(large.clone());
        refused(total::call(&whole).on(&place).run().unwrap_err(), &all);
        let there = ramp::call(1_500_000).on(&place).run().unwrap();
        let beside = axpy::call(1.0, &kept, &kept).on(&place).run().unwrap_err();
        refused(beside, &["3.8 MiB of arrays", "at most 9.5 MiB"]);
        // It goes on: with what it has, and with all that was given back.
        assert_eq!(total::call(&[1.0, 2.0]).on(&place).run().unwrap(), 3.0);
        assert_eq!(there.to_vec()[1_499_999], 1_499_999.0);
        drop(there);
        let all = ramp::call(2_200_000).on(&place).run().unwrap();
        assert_eq!(all.as_slice().unwrap()[2_199_999], 2_199_999.0);
    }
    drop(kept);
    device.wait().unwrap();
    assert_eq!(device.in_use(), before);
}

/// The same error as elsewhere, at the same line, and nothing written. `tests/api/failure.rs` has every way to fail.
#[test]
fn errors_of_loops_and_of_arguments_that_are_written() {
    let Some((place, _)) = device("errors") else {
        return;
    };
    let mut x: Vec<i64> = (0..5_000).map(|i| i % 4_999).collect();
    x[4_998] = 600;
    let run = |place: &Place| walk::call(&x, 2_000).on(place).run();
    let text = run(&Place::interp()).unwrap_err().to_string();
    assert!(text.contains("CU0209"), "{text}");
    assert_eq!(run(&place).unwrap_err().to_string(), text);
    assert_eq!(run(&Place::cpu()).unwrap_err().to_string(), text);
    // Out of bounds in the second round.
    let run = |place: &Place| walk::call(&[1, 2, 3], 5).on(place).run();
    let text = run(&Place::interp()).unwrap_err().to_string();
    assert!(text.contains("CU0201"), "{text}");
    assert_eq!(run(&place).unwrap_err().to_string(), text);
    let start: Vec<i32> = (0..3_000).map(|i| 4 + i % 7).collect();
    let mut want = String::new();
    for place in [&Place::interp(), &Place::cpu(), &place] {
        let mut x = start.clone();
        let sum = countdown::call(&mut x, 4).on(place).run().unwrap();
        assert!(sum > 0 && x[0] == 0, "{place}");
        let mut x = start.clone();
        let error = countdown::call(&mut x, 6).on(place).run().unwrap_err();
        assert_eq!((error.code(), &x), ("CU0202", &start), "{place}");
        let text = error.to_string();
        assert!(want.is_empty() || want == text, "{place}: {text}\n{want}");
        want = text;
    }
    // What a failed run had is given back, and the next one is right.
    assert_eq!(walk::call(&[0, 0], 1).on(&place).to_host().unwrap(), [1, 1]);
}

#[test]
fn all_is_given_back() {
    if !both_ways("opencl::all_is_given_back") {
        return;
    }
    let Some((place, device)) = device("memory") else {
        return;
    };
    let x = wave(50_000);
    let u = Array2::from_elem((60, 60), 1.0);
    let work = || {
        let there = Array::from(x.clone());
        let idx = vec![99_999u32; 10];
        for k in 0..3 {
            let z = axpy::call(k as f32, &there, &there).on(&place).run();
            let z = normalised::call(&z.unwrap()).on(&place).run().unwrap();
            let y = positive::call(&z).on(&place).run().unwrap();
            gathered::call(&y, &idx).on(&place).run().unwrap_err();
            heat::call(&u, 0.1, 5).on(&place).to_host().unwrap();
            total::call(&x).on(&place).run().unwrap();
            drop(y.into_vec());
        }
    };
    work();
    device.wait().unwrap();
    let before = device.in_use();
    for _ in 0..20 {
        work();
    }
    device.wait().unwrap();
    assert_eq!(device.in_use(), before);
    // The host's copies are not the device's.
    let z = normalised::call(&x).on(&place).run().unwrap();
    assert!(device.in_use() > before);
    let kept = z.into_vec();
    device.wait().unwrap();
    assert_eq!((device.in_use(), kept.len()), (before, x.len()));
}

/// A call that cannot fail, with arrays that are there, only enqueues. What it takes on its own decides: a call that waited
/// would take the whole time each time.
#[test]
fn calls_return_before_they_are_done() {
    let Some((place, device)) = device("asynchronous calls") else {
        return;
    };
    let x = Array::from(vec![1.0; 4_096]);
    let mut rounds = 1_000;
    slow::call(&x, rounds).on(&place).run().unwrap();
    let mut times = vec![];
    for _ in 0..20 {
        device.wait().unwrap();
        let start = Instant::now();
        let z = slow::call(&x, rounds).on(&place).run().unwrap();
        let returned = start.elapsed();
        let value = z.to_vec()[0];
        let done = start.elapsed();
        assert!(value > 1.0);
        if done < Duration::from_millis(50) {
            rounds *= 2;
        } else if returned < done / 4 {
            return;
        }
        times.push((returned, done));
    }
    panic!("no call returned early: {times:?}");
}

#[test]
fn borrowed_arguments_and_memory_of_the_callers() {
    if !both_ways("opencl::borrowed_arguments_and_memory_of_the_callers") {
        return;
    }
    let Some((place, device)) = device("borrowed arguments") else {
        return;
    };
    let x = wave(9_001);
    // A part of a slice, whose first element lies anywhere.
    for from in 0..4 {
        let part = &x[from..];
        let want = prefix::call(part).on(&Place::interp()).to_host().unwrap();
        let found = prefix::call(part).on(&place).to_host().unwrap();
        assert_eq!(bits(&found), bits(&want));
        let mut into = vec![0.0; part.len()];
        prefix::call(part).on(&place).run_into(&mut into).unwrap();
        assert_eq!(bits(&into), bits(&want));
        let mut wide = Array1::<f32>::zeros(3 * part.len());
        let every = wide.slice_mut(s![..;-3]);
        prefix::call(part).on(&place).run_into(every).unwrap();
        assert_eq!(bits(&wide.slice(s![..;-3]).to_vec()), bits(&want));
        assert!(wide.iter().filter(|&&v| v != 0.0).count() <= part.len());
    }
    let u = Array2::from_shape_fn((40, 30), |(i, j)| (i * 31 + j) as f64 * 0.125);
    let views = [
        u.view(),
        u.slice(s![1..;3, ..]),
        u.slice(s![..;-1, ..;-2]),
        u.t(),
    ];
    for view in views {
        let v: Vec<f64> = (0..view.ncols()).map(|i| 1.0 / (i + 1) as f64).collect();
        let want = transposed_sum::call(view, &v).on(&Place::interp());
        let want = want.to_host().unwrap();
        let found = transposed_sum::call(view, &v).on(&place).to_host().unwrap();
        assert_eq!(found, want);
    }
    // Memory of another shape is refused, and not written.
    let mut short = [7.0; 3];
    let error = prefix::call(&x).on(&place).run_into(&mut short);
    assert_eq!((error.unwrap_err().code(), short), ("CU0302", [7.0; 3]));
    // The memory that the result was computed in becomes the user's `Vec`.
    let z = prefix::call(&x).on(&place).run().unwrap();
    let memory = z.as_slice().unwrap().as_ptr();
    let z = z.into_vec();
    assert_eq!(z.as_ptr(), memory);
    let before = device.transfers();
    prefix::call(&x).on(&place).to_host().unwrap();
    let size = if device.info().unified {
        0
    } else {
        4 * x.len() as u64
    };
    assert_eq!(moved(device.transfers() - before), (size, size));
}
