//! The speed of a device's memory.

use super::{Argument, Device, Kind, Refused, Stopped};
use dsl_runtime::ir::Const;
use std::time::Instant;

/// The bytes that each of the two arrays has at most.
const LARGEST: usize = 256 << 20;
/// The part of the device's memory that an array has at most.
const PART: usize = 16;
/// Runs, the first of which does not count.
const RUNS: usize = 8;

/// Each work-item of a GPU copies every `n`-th vector, so that neighbours copy neighbours; each of a CPU copies a stretch.
const SOURCE: &str = "
__kernel void strided(__global const uint4 *from, __global uint4 *to, ulong n) {
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) to[i] = from[i];
}
__kernel void stretch(__global const uint *from, __global uint *to, ulong n) {
    ulong each = n * 4 / get_global_size(0), begin = get_global_id(0) * each;
    for (ulong i = begin; i + 16 <= begin + each; i += 16) vstore16(vload16(0, from + i), 0, to + i);
}
";

pub(super) fn measure(device: &Device) -> Result<f64, Stopped> {
    let info = device.info();
    let room = device.0.pool.largest.min(info.memory / PART).min(LARGEST);
    let bytes = 1usize << room.max(1 << 16).ilog2();
    let array = || {
        device.buffer(bytes).map_err(|refused| match refused {
            Refused::Stopped(stopped) => stopped,
            other => device.internal(other.to_string()),
        })
    };
    let (from, to) = (array()?, array()?);
    let (name, groups, group) = match info.kind {
        Kind::Cpu => ("stretch", (info.units * 8).next_power_of_two(), 1),
        _ => ("strided", info.units * 32, info.group.min(256)),
    };
    let program = device.build(SOURCE);
    let program = program.map_err(|failure| device.internal(failure.to_string()))?;
    let mut kernel = program.kernel(name)?;
    device.fill(&from, 0, bytes, &1u32.to_le_bytes())?;
    let args = [
        Argument::Buffer(&from),
        Argument::Buffer(&to),
        Argument::Scalar(Const::u64(bytes as u64 / 16)),
    ];
    let mut times = vec![];
    for run in 0..RUNS {
        device.wait()?;
        let start = Instant::now();
        device.launch(&mut kernel, &args, groups, group)?;
        device.wait()?;
        if run > 0 {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(2.0 * bytes as f64 / times[times.len() / 2])
}
