//! Our kernels at the OpenCL place against hand-written OpenCL C, in one run, interleaved, as medians.
//!
//! `cargo bench --bench opencl` prints the table; `-- --write README.md` puts it between the marks in that file; `--only NAME`
//! (`saxpy`, …, `launch`, `answer`, `chain`) and `--seconds S` (for each line) choose.
//!
//! The hand-written kernels, one file each, are for a processor: vectors of the width that the device prefers, few work-items
//! that go through large contiguous chunks. They may add up in any order, and contract multiplications with additions; where
//! arithmetic is the limit there is a line without contraction, in which both sides do the same operations, and a line with.
//! Arrays are on the device before the clock starts, and both sides wait for the end.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]
// Parts of what is shared with the other comparison.
#![allow(dead_code)]

mod arithmetic;
mod case;
mod device;
mod extra;
#[path = "../compare/input.rs"]
mod input;
#[path = "../compare/kernel.rs"]
mod kernel;
mod launch;
mod measure;
mod memory;
mod options;
#[path = "../compare/real.rs"]
mod real;

use case::{Case, Unit};
use cuprous::Place;
use device::{Device, enqueue};
use measure::{measure, seconds};
use options::{Options, fail, known, options, write};
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

/// Bytes per second that hand-written kernels reach: reading, and with one store for two loads.
fn bandwidth(device: &Device, budget: Duration) -> [f64; 2] {
    let (n, items, width) = (1 << 25, 1024, device.width::<f32>());
    let values = vec![1.0f32; n];
    let (x, y) = (device.put(&values), device.put(&values));
    let (out, parts) = (device.room::<f32>(n), device.room::<f32>(items));
    let read = device.program::<f32>(include_str!("sum.cl"), width, true);
    let triad = device.program::<f32>(include_str!("saxpy.cl"), width, true);
    let chunk = (n / items) as u32;
    let (bx, by, bo, bp) = (&x.buffer, &y.buffer, &out.buffer, &parts.buffer);
    let read = device::kernel!(device, read, "sum", items, 1, bx, bp, &chunk);
    let group = device.group();
    let triad = device::kernel!(
        device,
        triad,
        "saxpy",
        n / width,
        group,
        &2.5f32,
        bx,
        by,
        bo
    );
    let run = |kernel| {
        move || {
            enqueue(kernel);
            device.finish()
        }
    };
    let times = measure(&mut [&mut run(&read), &mut run(&triad)], budget);
    let bytes = (4 * n) as f64;
    [bytes / times[0], 3.0 * bytes / times[1]]
}

/// A line of the table; whether the results agree.
fn row(case: &mut Case, place: Option<&Place>, most: f64, budget: Duration) -> (String, bool) {
    (case.hand)();
    // Without an OpenCL place, another place of ours says what is right.
    let differs = (case.differs)(place.unwrap_or(&Place::cpu()));
    let (note, mut agree) = match differs {
        Ok(None) => (String::new(), true),
        Ok(Some(text)) => (format!("  results differ: {text}"), false),
        Err(error) => (format!("  ours fails: {error}"), false),
    };
    let mut failed = None;
    let (ours, hand) = (&mut case.ours, &mut case.hand);
    let times = match place {
        Some(place) => {
            let mut ours = || {
                if let Err(error) = ours(place) {
                    failed = Some(error);
                }
            };
            measure(&mut [&mut *hand, &mut ours], budget)
        }
        None => measure(&mut [&mut *hand], budget),
    };
    agree &= failed.is_none();
    let single = case.unit == Unit::Item("launches");
    // Of launches the time of one is shown, of everything else the time of all.
    let scale = if single { case.work } else { 1.0 };
    let times: Vec<_> = times.into_iter().map(|time| time / scale).collect();
    let best = *times.last().expect("something was measured");
    let rate = case.work / best / 1e9;
    let (work, rate, part) = match case.unit {
        Unit::Byte => (
            format!("{:.0} MB", case.work / 1e6),
            format!("{rate:.1} GB/s"),
            format!("{:.2}", rate * 1e9 / most),
        ),
        Unit::Item(_) if single => ("".into(), "".into(), "".into()),
        Unit::Item(what) => (
            format!("{:.1} M {what}", case.work / 1e6),
            format!("{rate:.3} G/s"),
            "".into(),
        ),
    };
    let (ours, ratio) = match times.get(1) {
        Some(&ours) => (seconds(ours), format!("{:.2}", times[0] / ours)),
        None => ("-".into(), "-".into()),
    };
    let text = format!(
        "| {} | {} | {work} | {} | {ours} | {ratio} | {rate} | {part} |",
        case.name,
        case.dtype,
        seconds(times[0])
    );
    println!("{text}{note}");
    (text, agree)
}

fn main() {
    // `cargo test --all-targets` starts benchmarks without this flag: they are no tests.
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("not measured: run `cargo bench`");
        return;
    }
    let Options { only, budget, file } = options("benches/opencl/main.rs");
    let groups: [(&[&str], fn(&Rc<Device>, &str) -> Vec<Case>); 5] = [
        (memory::NAMES, memory::single),
        (arithmetic::NAMES, arithmetic::single),
        (memory::NAMES, memory::double),
        (arithmetic::NAMES, arithmetic::double),
        (launch::NAMES, launch::cases),
    ];
    let names = groups.iter().flat_map(|(names, _)| names.iter());
    known(only.as_deref(), &names.copied().collect::<Vec<_>>());
    let Some(device) = Device::first() else {
        println!("not measured: there is no OpenCL device");
        return;
    };
    let device = Rc::new(device);
    let place = match Place::opencl() {
        Ok(place) => Some(place),
        Err(error) => {
            println!("only the hand-written side is measured: {error}\n");
            None
        }
    };
    let [read, triad] = bandwidth(&device, budget);
    let most = read.max(triad);
    let mut table = format!(
        "Device: {}. It reads {:.1} GB/s, and moves {:.1} GB/s with a store for two loads; the last column is the part of the\n\
         larger. Medians of interleaved runs in one process, arrays on the device; ratios above 1 mean that cuprous is faster.\n\n\
         | kernel | type | work | hand-written | cuprous | ratio | rate | of the bandwidth |\n|---|---|---:|---:|---:|---:|---:|---:|\n",
        device.name,
        read / 1e9,
        triad / 1e9,
    );
    print!("{table}");
    let mut right = true;
    for (names, make) in groups {
        let wanted = |name: &&&str| only.as_ref().is_none_or(|only| only == **name);
        for name in names.iter().filter(wanted) {
            for mut case in make(&device, name) {
                let (text, agree) = row(&mut case, place.as_ref(), most, budget);
                let _ = writeln!(table, "{text}");
                right &= agree;
            }
        }
    }
    if let Some(path) = file {
        write(&path, "opencl", &table).unwrap_or_else(|text| fail(&text));
    }
    if !right {
        std::process::exit(1);
    }
}
