//! The suite of the repository in both styles of code, for `tests/oclgrind`, which has a simulator look for data races,
//! uninitialised values and accesses outside of buffers. One test a process, by its name: the simulator
//! wants one thread of the host.
//! Without Oclgrind there is nothing to do: `conformance.rs` runs on every other device.

use cuprous_opencl::device::{Argument, Device};
use cuprous_opencl::{OpenCl, Style};
use dsl_runtime::conformance::check;

fn simulators() -> impl Iterator<Item = (usize, &'static Device)> {
    let devices = Device::all().unwrap_or_default().iter().enumerate();
    devices.filter(|(_, device)| device.info().checker)
}

fn conforms(style: Style) {
    let under = std::env::var_os("OCLGRIND_LOG").is_some();
    assert!(!under || simulators().next().is_some(), "no simulator");
    for (number, _) in simulators() {
        check(&OpenCl::with_style(number, style).unwrap());
    }
}

#[test]
fn items() {
    conforms(Style::Items);
}

#[test]
fn lanes() {
    conforms(Style::Lanes);
}

/// A kernel that reads memory that was used before and is new now: `tests/oclgrind --self-test` looks whether that is reported.
#[test]
#[ignore = "for tests/oclgrind"]
fn stale() {
    let (_, device) = simulators().next().expect("run this by tests/oclgrind");
    let source = "kernel void k(global int *x, global int *y) { y[0] = x[1]; }";
    let mut kernel = device.build(source).unwrap().kernel("k").unwrap();
    let result = device.buffer(4).unwrap();
    for _ in 0..2 {
        let memory = device.buffer(8).unwrap();
        device.fill(&memory, 0, 8, &[1]).unwrap();
    }
    let memory = device.buffer(8).unwrap();
    let args = [Argument::Buffer(&memory), Argument::Buffer(&result)];
    device.launch(&mut kernel, &args, 1, 1).unwrap();
    device.wait().unwrap();
}
