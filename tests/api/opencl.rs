//! Arrays at a device: they stay there, move once, and are the caller's memory where that can be; calls return before they are
//! done.
//!
//! A device that works on the host's memory copies nothing by design, and its counters of bytes stay at zero. So what is
//! counted here is counted a second time with `CUPROUS_DEVICE_COPIES`, which has the device keep memory of its own.

use crate::{alone, is_alone};
use cuprous::prelude::*;
use cuprous_opencl::OpenCl;
use cuprous_opencl::device::{Device, Transfers};
use std::time::{Duration, Instant};

#[kernel]
pub fn axpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| a * x + y)
}

/// The sum of squares is needed by the second stage alone.
#[kernel]
pub fn normalised(x: &[f32]) -> Vec<f32> {
    let norm = x.map(|v| v * v).sum().sqrt();
    x.map(|v| v / norm)
}

#[kernel]
pub fn prefix(x: &[f32]) -> Vec<f32> {
    x.scan(0.0, |a, b| a + b)
}

#[kernel]
pub fn positive(x: &[f32]) -> Vec<f32> {
    x.filter(|v| v > 0.0)
}

#[kernel]
pub fn gathered(x: &[f32], idx: &[u32]) -> Vec<f32> {
    x.gather(idx)
}

#[kernel]
pub fn total(x: &[f32]) -> f32 {
    x.sum()
}

#[kernel]
pub fn ramp(n: usize) -> Vec<f32> {
    tabulate(n, |i| i as f32)
}

#[kernel]
fn transposed_sum(u: ArrayView2<'_, f64>, v: &[f64]) -> Vec<f64> {
    let (h, w) = u.dim();
    indices(h).map(|i| (0..w).map(|j| u[[i, j]] * v[j]).sum())
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
pub fn device(test: &str) -> Option<(Place, Device)> {
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
pub fn both_ways(test: &str) -> bool {
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

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

pub fn wave(n: usize) -> Vec<f32> {
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

/// What people look at: which stage runs where, and its code.
#[test]
fn plan_and_code_are_to_be_read() {
    let Some((place, _)) = device("plan and code") else {
        return;
    };
    let plan = normalised::kernel().explain(&place).unwrap();
    for words in [
        "normalised at opencl\n2 stages\n",
        "-> reduce add",
        "-> collect",
        "on all work-items",
        "arrays made:\n  result",
    ] {
        assert!(plan.contains(words), "`{words}` is not in\n{plan}");
    }
    let same = normalised::kernel().explain(&Place::cpu()).unwrap();
    let stages = |plan: &str| plan.matches("stage ").count();
    assert_eq!(stages(&plan), stages(&same), "{plan}{same}");
    let code = normalised::kernel().code(&place).unwrap();
    for words in [
        "/* normalised */",
        "#pragma OPENCL FP_CONTRACT OFF",
        "__kernel void",
        "sqrt",
    ] {
        assert!(code.contains(words), "`{words}` is not in\n{code}");
    }
    assert!(code.lines().all(|line| line.len() < 400), "{code}");
}
