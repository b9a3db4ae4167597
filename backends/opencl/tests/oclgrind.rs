//! The suite of the repository in both styles of code, for `tests/oclgrind`, which has a simulator look for data races,
//! uninitialised values and accesses outside of buffers. One test: the simulator wants one thread of the host. Without
//! Oclgrind there is nothing to do: `conformance.rs` runs on every other device.

use cuprous_opencl::device::Device;
use cuprous_opencl::{OpenCl, Style};
use dsl_runtime::conformance::check;

#[test]
fn conforms() {
    let devices = Device::all().unwrap_or_default();
    let simulators = devices
        .iter()
        .enumerate()
        .filter(|(_, device)| device.info().checker);
    for (number, _) in simulators {
        for style in [Style::Items, Style::Lanes] {
            check(&OpenCl::with_style(number, style).unwrap());
        }
    }
}
