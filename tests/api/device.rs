//! The memory of devices, which is limited and given back, their errors, and many threads at one of them.

use crate::first::heat;
use crate::opencl::{
    axpy, bits, both_ways, device, gathered, normalised, positive, prefix, ramp, total, wave,
};
use crate::{alone, is_alone};
use cuprous::Error;
use cuprous::prelude::*;

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
                "device::what_does_not_fit_is_refused_and_the_place_goes_on",
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
    if !both_ways("device::all_is_given_back") {
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

#[kernel]
fn zeros(n: usize) -> Vec<u64> {
    fill(n, 0)
}

/// A first stage whose work-items need large stacks, and a second that would loop for ever on memory that nobody wrote.
#[kernel]
fn collatz_of_sums(x: &[u64], idx: &[u32], k: usize) -> Vec<u64> {
    let sums = x.map(|v| {
        let mut t = vec![1u64; k];
        for i in 1..k {
            t[i] = t[i - 1] + v;
        }
        t[k - 1]
    });
    sums.gather(idx).map(|v| {
        let mut n = v;
        let mut steps = 0u64;
        while n != 1 {
            n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
            steps += 1;
        }
        steps
    })
}

/// What comes after a stage that lacked stack does not run on what it has not written.
#[test]
fn stages_behind_one_that_lacks_stack_do_not_run() {
    if !is_alone() {
        let output = alone(
            "device::stages_behind_one_that_lacks_stack_do_not_run",
            |_| (),
        );
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        return;
    }
    let Some((place, _)) = device("stacks") else {
        return;
    };
    std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(60));
        eprintln!("it hangs");
        std::process::exit(3);
    });
    let x: Vec<u64> = (1..2_000).collect();
    let idx: Vec<u32> = (0..1_999).rev().collect();
    // Memory that is used again, and holds zeros, from which there is no way to one.
    let zeros = [(); 4].map(|()| zeros::call(x.len()).on(&place).run().unwrap());
    drop(zeros);
    let call = collatz_of_sums::call(&x, &idx, 3_000);
    let found = call.on(&place).to_host().unwrap();
    let call = collatz_of_sums::call(&x, &idx, 3_000);
    assert_eq!(found, call.to_host().unwrap());
}

/// PoCL offers as many devices as it is asked for. Each is a place with a memory of its own, and arrays go from one to the other.
#[test]
fn each_of_several_devices_is_a_place() {
    let Some((_, first)) = device("several devices") else {
        return;
    };
    if !first
        .info()
        .platform
        .contains("Portable Computing Language")
    {
        println!("SKIPPED several devices: only PoCL offers as many as it is asked for");
        return;
    }
    if !is_alone() {
        let output = alone("device::each_of_several_devices_is_a_place", |command| {
            command.env("POCL_DEVICES", "pthread pthread pthread");
        });
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        return;
    }
    let names = |places: Vec<Place>| -> Vec<String> {
        let names = places.iter().map(Place::to_string);
        names.filter(|name| name.starts_with("opencl")).collect()
    };
    assert_eq!(
        names(Place::available()),
        ["opencl", "opencl:1", "opencl:2"]
    );
    let devices = Place::opencl_devices();
    assert_eq!(devices.len(), 3);
    let x = wave(5_000);
    let want = prefix::call(&x).on(&Place::interp()).to_host().unwrap();
    let mut moved = Array::from(x.clone());
    for place in &devices {
        let result = prefix::call(&moved).on(place).run().unwrap();
        assert_eq!(bits(&result.to_vec()), bits(&want), "{place}");
        moved = axpy::call(0.0, &moved, &moved).on(place).run().unwrap();
        assert_eq!(moved.place(), place);
        assert_eq!(bits(&moved.to_vec()), bits(&x), "{place}");
    }
}
