//! The devices that there are.

use super::api::{self, Failed, status_name};
use super::info::{Info, unfit};
use super::{Device, Inner};
use cuprous_opencl_loader as loader;
use ocl::ffi;
use std::sync::OnceLock;

/// All devices, found once: GPUs, then accelerators, then CPUs. They are opened when they are first used.
pub(super) fn all() -> Result<&'static [Device], String> {
    static ALL: OnceLock<Result<Vec<Device>, String>> = OnceLock::new();
    let all = ALL.get_or_init(|| find().map_err(|lack| format!("unsupported: {lack}")));
    all.as_deref().map_err(String::clone)
}

fn find() -> Result<Vec<Device>, String> {
    if !loader::is_present() {
        return Err(format!(
            "no OpenCL library was found ({}); install OpenCL's loader and a driver, or name the library in {}",
            loader::names().join(", "),
            loader::VARIABLE
        ));
    }
    let told = |failed: Failed| format!("{} says {}", failed.call, status_name(failed.status));
    let platforms = api::platforms().map_err(told)?;
    if platforms.is_empty() {
        return Err("the OpenCL library offers no platform; install a driver".into());
    }
    let (mut devices, mut lacks) = (vec![], vec![]);
    for &platform in &platforms {
        let name = api::platform_info(platform, ffi::CL_PLATFORM_NAME)
            .map_or_else(|_| "?".into(), api::text);
        let ids = match api::devices(platform) {
            Ok(ids) => ids,
            Err(failed) => {
                lacks.push(format!("{name}: {}", told(failed)));
                continue;
            }
        };
        if ids.is_empty() {
            lacks.push(format!("{name} offers no device"));
        }
        for id in ids {
            let info = unfit(id).and_then(|lack| Ok((Info::ask(platform, id)?, lack)));
            match info {
                Ok((info, None)) => devices.push(Device::new(Inner::new(platform, id, info))),
                Ok((info, Some(lack))) => lacks.push(format!("{} {lack}", info.name)),
                Err(failed) => lacks.push(format!("{name}: {}", told(failed))),
            }
        }
    }
    if devices.is_empty() {
        // PoCL says so when it cannot write.
        let hint = "a driver that compiles for CPUs needs a folder that it can write to, see POCL_CACHE_DIR";
        return Err(format!(
            "OpenCL offers no device: {} ({hint})",
            lacks.join("; ")
        ));
    }
    devices.sort_by_key(|device| device.info().kind);
    Ok(devices)
}
