//! What a launch costs: kernels on little data, ours against the bare commands; and a chain of calls.

use super::case::{Case, Unit, line};
use super::device::{Device, enqueue, kernel};
use super::input::uniform;
use super::{extra, kernel};
use cuprous::Array;
use std::rc::Rc;

/// Elements of the small kernels.
const FEW: usize = 1000;
/// Launches in a run that waits once.
const LAUNCHES: usize = 100;
/// Calls of a chain, each on the result of the one before.
const CHAIN: usize = 10;

/// The names of these lines.
pub const NAMES: &[&str] = &["launch", "answer", "chain"];

/// The lines of a name.
pub fn cases(device: &Rc<Device>, name: &str) -> Vec<Case> {
    match name {
        "launch" => vec![saxpy(device, FEW, LAUNCHES, false)],
        "answer" => vec![answer(device)],
        "chain" => vec![
            saxpy(device, FEW, CHAIN, true),
            saxpy(device, 1 << 20, CHAIN, true),
        ],
        _ => vec![],
    }
}

/// Several saxpy of `n` elements, then one wait. In a chain each reads the result of the one before.
fn saxpy(device: &Rc<Device>, n: usize, count: usize, chain: bool) -> Case {
    let (x, y) = (
        uniform::<f32>(1, n, -1.0, 1.0),
        uniform::<f32>(2, n, -1.0, 1.0),
    );
    let (hx, hy) = (device.put(&x), device.put(&y));
    let outs = [device.room::<f32>(n), device.room::<f32>(n)];
    // A width that divides the number of elements.
    let program = device.program::<f32>(include_str!("saxpy.cl"), 4, true);
    let group = if n == FEW { n / 4 } else { device.group() };
    let launches: Vec<_> = (0..count)
        .map(|i| {
            let (from, to) = (&outs[(i + 1) % 2], &outs[i % 2]);
            let from = if chain && i > 0 { from } else { &hx };
            let (x, y, out) = (&from.buffer, &hy.buffer, &to.buffer);
            kernel!(device, program, "saxpy", n / 4, group, &0.5f32, x, y, out)
        })
        .collect();
    let (x, y) = (Array::from(x), Array::from(y));
    let (x1, y1) = (x.clone(), y.clone());
    let own = device.clone();
    let name = match chain {
        true => format!("chain of {count} saxpy, {n} elements"),
        false => format!("launch of saxpy, {n} elements, one of {count}"),
    };
    let work = if chain { 1.0 } else { count as f64 };
    line(
        (&name, "f32"),
        (work, Unit::Item("launches")),
        move || {
            let _inputs = (&hx, &hy);
            launches.iter().for_each(enqueue);
            own.finish();
        },
        move |place| {
            let mut last = x.clone();
            for _ in 0..count {
                let from = if chain { &last } else { &x };
                last = kernel::single::saxpy::call(0.5, from, &y).on(place).run()?;
            }
            extra::single::first::call(&last).on(place).run().map(drop)
        },
        move |place| {
            let mut last = x1.clone();
            for _ in 0..if chain { count } else { 1 } {
                last = kernel::single::saxpy::call(0.5, &last, &y1)
                    .on(place)
                    .run()?;
            }
            let (hand, ours) = (outs[(count - 1) % 2].get(), last.to_vec());
            let off = hand
                .iter()
                .zip(&ours)
                .position(|(a, b)| (a - b).abs() > 1e-6);
            Ok(off.map(|i| format!("element {i}: {}, ours {}", hand[i], ours[i])))
        },
    )
}

/// The sum of few elements, until the host has it.
fn answer(device: &Rc<Device>) -> Case {
    let n = 1024;
    let x = uniform::<f32>(1, n, -1.0, 1.0);
    let (hx, part) = (device.put(&x), device.room::<f32>(1));
    let program = device.program::<f32>(include_str!("sum.cl"), 16, true);
    let k = kernel!(
        device,
        program,
        "sum",
        1,
        1,
        &hx.buffer,
        &part.buffer,
        &(n as u32)
    );
    let x = Array::from(x);
    let x1 = x.clone();
    let total = Rc::new(std::cell::Cell::new(0.0f32));
    let seen = total.clone();
    line(
        (&format!("sum of {n} elements, read back"), "f32"),
        (1.0, Unit::Item("launches")),
        move || {
            let _input = &hx;
            enqueue(&k);
            let mut sum = [0.0];
            part.read(&mut sum);
            total.set(sum[0]);
        },
        move |place| kernel::single::sum::call(&x).on(place).run().map(drop),
        move |place| {
            let ours = kernel::single::sum::call(&x1).on(place).run()?;
            let hand = seen.get();
            Ok(((hand - ours).abs() > 1e-3).then(|| format!("{hand}, ours {ours}")))
        },
    )
}
