//! The suite of the repository, on every device, in the style of its kind and in that of GPUs.

use cuprous_opencl::device::Device;
use cuprous_opencl::{OpenCl, Style};
use dsl_runtime::conformance::check;

/// The number of devices; why there are none is printed.
fn devices() -> usize {
    match Device::all() {
        Ok(devices) => devices.len(),
        Err(why) => {
            println!("SKIPPED  conformance on OpenCL: {why}");
            0
        }
    }
}

#[test]
fn conforms() {
    (0..devices()).for_each(|number| check(&OpenCl::open(Some(number)).unwrap()));
}

/// The code that a GPU gets, in groups of as many work-items, whatever the device is.
#[test]
fn conforms_in_items() {
    (0..devices()).for_each(|number| check(&OpenCl::with_style(number, Style::Items).unwrap()));
}
