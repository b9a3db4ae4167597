//! From a device to what people ask of it: its limits, whether its arithmetic is that of the language, the speed of its memory.

use crate::device::{Device, Kind};
use dsl_runtime::error::readable;

/// What `cuprous places` shows.
pub fn describe(device: &Device) -> Vec<(&'static str, String)> {
    let info = device.info();
    let yes = |holds: bool| if holds { "yes" } else { "no" }.to_string();
    let width = |bytes: usize, name: &str| format!("{} {name}", info.lanes(bytes));
    let mut widths = vec![width(1, "i8"), width(2, "i16"), width(4, "f32")];
    if info.f64 {
        widths.push(width(8, "f64"));
    }
    let memory = match info.unified {
        true => "the host's: nothing is copied",
        false => "of its own",
    };
    let limit = match device.limit() {
        limit if limit < info.memory => format!(", of which {} may be used", bytes(limit)),
        _ => String::new(),
    };
    let bandwidth = match device.bandwidth() {
        Ok(rate) => format!("{:.1} GB/s", rate / 1e9),
        Err(stopped) => stopped.to_string(),
    };
    vec![
        ("device", info.name.to_string()),
        ("kind", info.kind.name().into()),
        ("vendor", info.vendor.clone()),
        ("platform", info.platform.clone()),
        ("driver", info.driver.clone()),
        ("version", info.version.clone()),
        ("memory", format!("{}{limit}, {memory}", bytes(info.memory))),
        ("largest array", bytes(info.largest.min(device.limit()))),
        ("compute units", info.units.to_string()),
        (
            "vectors",
            match info.kind {
                Kind::Cpu => widths.join(", "),
                Kind::Gpu | Kind::Accelerator => "none: one number for each work-item".into(),
            },
        ),
        ("f64", yes(info.f64)),
        (
            "arithmetic",
            match device.contract() {
                Ok(()) => "the language's, to the bit".into(),
                Err(what) => what,
            },
        ),
        ("bandwidth", bandwidth),
    ]
}

fn bytes(count: usize) -> String {
    readable(count as u128)
}
