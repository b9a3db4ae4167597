//! What a device says of itself.

use super::api::{self, Answer, Id, Platform, number, text};
use ocl::ffi;
use std::sync::Arc;

/// Has every device treated as one with memory of its own, where it is set.
const COPIES: &str = "CUPROUS_DEVICE_COPIES";

/// The kind of a device, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A graphics processor.
    Gpu,
    /// Another accelerator.
    Accelerator,
    /// The host's own cores.
    Cpu,
}

impl Kind {
    /// Its name: `gpu`, `accelerator`, `cpu`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Gpu => "gpu",
            Kind::Accelerator => "accelerator",
            Kind::Cpu => "cpu",
        }
    }
}

/// A device's name and limits. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct Info {
    /// Its name.
    pub name: Arc<str>,
    /// Who made it.
    pub vendor: String,
    /// The version of its driver.
    pub driver: String,
    /// The version of OpenCL that it offers, as it says: `OpenCL 1.2 …`.
    pub version: String,
    /// The platform's name and version: the same device may be offered by several.
    pub platform: String,
    /// GPU, accelerator or CPU.
    pub kind: Kind,
    /// Whether it computes with `double`.
    pub f64: bool,
    /// Whether it computes with `half`.
    pub f16: bool,
    /// Whether it is Oclgrind, which checks each access of memory: memory is new and has the size that was asked for
    /// there, and what the host writes is written in a way that it understands.
    pub checker: bool,
    /// Whether it works on the host's memory: buffers are host memory then.
    pub unified: bool,
    /// Whether it offers division and square roots of `float` that are rounded correctly.
    pub exact_division: bool,
    /// The number of its compute units.
    pub units: usize,
    /// Its memory.
    pub memory: usize,
    /// The largest buffer.
    pub largest: usize,
    /// The local memory of a group.
    pub local: usize,
    /// The most work-items in a group.
    pub group: usize,
    /// The elements that its vector registers hold, by the element's size: 1, 2, 4 and 8 bytes. See [`Info::lanes`].
    pub vector: [usize; 4],
    /// The bits of an address.
    pub address_bits: u32,
}

impl Info {
    /// The number of elements of this many bytes that it best computes with at once: the width of the registers for CPUs, 1 for
    /// devices that want scalar work-items.
    ///
    /// ```no_run
    /// # let device = &cuprous_opencl::device::Device::all()?[0];
    /// let float_lanes = device.info().lanes(4);
    /// # Ok::<(), String>(())
    /// ```
    pub fn lanes(&self, bytes: usize) -> usize {
        let row = bytes.max(1).trailing_zeros() as usize;
        self.vector.get(row).map_or(1, |&lanes| lanes.max(1))
    }

    pub(super) fn ask(platform: Platform, id: Id) -> Answer<Info> {
        let word = |what| api::device_info(id, what).map(|bytes| number(&bytes));
        let string = |what| api::device_info(id, what).map(text);
        let of_platform = |what| api::platform_info(platform, what).map(text);
        let types = word(ffi::CL_DEVICE_TYPE)?;
        let kind = match types {
            types if types & ffi::CL_DEVICE_TYPE_GPU != 0 => Kind::Gpu,
            types if types & ffi::CL_DEVICE_TYPE_CPU != 0 => Kind::Cpu,
            _ => Kind::Accelerator,
        };
        // Older drivers of devices without f64 do not know the question.
        let double = word(ffi::CL_DEVICE_DOUBLE_FP_CONFIG).unwrap_or(0) != 0;
        let single = word(ffi::CL_DEVICE_SINGLE_FP_CONFIG)?;
        let extensions = string(ffi::CL_DEVICE_EXTENSIONS)?;
        let has = |name: &str| extensions.split_whitespace().any(|word| word == name);
        let widths = match kind {
            Kind::Cpu => [
                ffi::CL_DEVICE_NATIVE_VECTOR_WIDTH_CHAR,
                ffi::CL_DEVICE_NATIVE_VECTOR_WIDTH_SHORT,
                ffi::CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT,
                ffi::CL_DEVICE_NATIVE_VECTOR_WIDTH_LONG,
            ],
            _ => [
                ffi::CL_DEVICE_PREFERRED_VECTOR_WIDTH_CHAR,
                ffi::CL_DEVICE_PREFERRED_VECTOR_WIDTH_SHORT,
                ffi::CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT,
                ffi::CL_DEVICE_PREFERRED_VECTOR_WIDTH_LONG,
            ],
        };
        let mut vector = [1; 4];
        for (lanes, what) in vector.iter_mut().zip(widths) {
            // OpenCL has vectors of up to 16 elements.
            *lanes = word(what)?.clamp(1, 16) as usize;
        }
        let name = string(ffi::CL_DEVICE_NAME)?;
        let platform = [ffi::CL_PLATFORM_NAME, ffi::CL_PLATFORM_VERSION];
        let platform = format!(
            "{}, {}",
            of_platform(platform[0])?,
            of_platform(platform[1])?
        );
        Ok(Info {
            name: name.into(),
            vendor: string(ffi::CL_DEVICE_VENDOR)?,
            driver: string(ffi::CL_DRIVER_VERSION)?,
            version: string(ffi::CL_DEVICE_VERSION)?,
            checker: platform.starts_with("Oclgrind"),
            platform,
            kind,
            f64: double || has("cl_khr_fp64"),
            f16: has("cl_khr_fp16"),
            unified: word(ffi::CL_DEVICE_HOST_UNIFIED_MEMORY).unwrap_or(0) != 0
                && std::env::var_os(COPIES).is_none(),
            exact_division: single & ffi::CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT != 0,
            units: word(ffi::CL_DEVICE_MAX_COMPUTE_UNITS)? as usize,
            memory: word(ffi::CL_DEVICE_GLOBAL_MEM_SIZE)? as usize,
            largest: word(ffi::CL_DEVICE_MAX_MEM_ALLOC_SIZE)? as usize,
            local: word(ffi::CL_DEVICE_LOCAL_MEM_SIZE)? as usize,
            group: word(ffi::CL_DEVICE_MAX_WORK_GROUP_SIZE)? as usize,
            vector,
            address_bits: word(ffi::CL_DEVICE_ADDRESS_BITS)? as u32,
        })
    }
}

/// Why a device cannot be used by us, if it cannot.
pub(super) fn unfit(id: Id) -> Answer<Option<&'static str>> {
    let no = |what| api::device_info(id, what).map(|bytes| number(&bytes) == 0);
    if no(ffi::CL_DEVICE_AVAILABLE)? {
        return Ok(Some("is not available"));
    }
    if no(ffi::CL_DEVICE_COMPILER_AVAILABLE)? {
        return Ok(Some("has no compiler"));
    }
    if no(ffi::CL_DEVICE_ENDIAN_LITTLE)? {
        return Ok(Some("is big-endian"));
    }
    if text(api::device_info(id, ffi::CL_DEVICE_PROFILE)?) != "FULL_PROFILE" {
        return Ok(Some("has the embedded profile alone"));
    }
    let version = text(api::device_info(id, ffi::CL_DEVICE_VERSION)?);
    let old = ["OpenCL 1.0", "OpenCL 1.1"];
    let old = old.iter().any(|old| version.starts_with(old));
    Ok(old.then_some("is older than OpenCL 1.2"))
}
