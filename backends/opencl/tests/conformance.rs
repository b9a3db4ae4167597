//! The suite of the repository, on every device.

use cuprous_opencl::OpenCl;
use cuprous_opencl::device::Device;
use dsl_runtime::conformance::check;

#[test]
fn conforms() {
    let devices = match Device::all() {
        Ok(devices) => devices,
        Err(why) => return println!("SKIPPED  conformance on OpenCL: {why}"),
    };
    for number in 0..devices.len() {
        check(&OpenCl::open(Some(number)).unwrap());
    }
}
