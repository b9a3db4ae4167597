//! The OpenCL backend: from scheduled functions to OpenCL C, run on any device. Places `opencl` (the first device that computes
//! as the language asks, a GPU if there is one) and `opencl:N`.
//!
//! Two halves. [`render`] makes OpenCL C of statements, [`driver`] has one file a sink, [`mod@unit`] puts kernels together.
//! [`executor`] walks a function's plan and enqueues them; [`remote`] says which scalars never leave the device, [`transfer`]
//! moves arrays, and [`device`] is the only part that speaks to OpenCL.

mod describe;
pub mod device;
pub mod driver;
pub mod executor;
pub mod program;
pub mod remote;
pub mod render;
pub mod scalars;
pub mod sink;
pub mod split;
pub mod transfer;
pub mod unit;

// A place that tells failures is always there.
use cuprous_interp as _;
use device::{Device, Kind};
use dsl_runtime::array::new_owner;
use dsl_runtime::backend::{BACKENDS, Backend, Caps, CompileError, Executable, Registration};
use dsl_runtime::ir::{Func, Level};
use program::Program;
use std::sync::{Arc, OnceLock};

/// The place `opencl` or `opencl:N`.
#[derive(Clone, Debug)]
pub struct OpenCl {
    device: Device,
    name: String,
    owner: u64,
}

/// The numbers of the devices' memories.
fn owners() -> &'static [u64] {
    static OWNERS: OnceLock<Vec<u64>> = OnceLock::new();
    OWNERS.get_or_init(|| {
        let devices = Device::all().map_or(0, |devices| devices.len());
        (0..devices).map(|_| new_owner()).collect()
    })
}

impl OpenCl {
    /// The device with this number, or the first that computes as the language asks.
    ///
    /// The error says what is missing, for people; it contains "unsupported".
    pub fn open(number: Option<usize>) -> Result<OpenCl, String> {
        let devices = Device::all()?;
        let kept = |device: &Device| {
            device
                .contract()
                .map_err(|what| format!("unsupported: {what}"))
        };
        let at = match number {
            Some(at) => at,
            None => {
                let first = devices.iter().position(|device| kept(device).is_ok());
                first.unwrap_or(0)
            }
        };
        let Some(device) = devices.get(at) else {
            let count = devices.len();
            return Err(format!("unsupported: there is no device {at}, of {count}"));
        };
        kept(device)?;
        Ok(OpenCl {
            device: device.clone(),
            name: match number {
                None => "opencl".into(),
                Some(number) => format!("opencl:{number}"),
            },
            owner: owners()[at],
        })
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl Backend for OpenCl {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn caps(&self) -> Caps {
        Caps {
            op: render::op::native,
            sink: |_| true,
            levels: match self.device.info().kind {
                Kind::Cpu => vec![Level::Grid, Level::Simd, Level::Seq],
                Kind::Gpu | Kind::Accelerator => vec![Level::Grid, Level::Seq],
            },
            optimise: true,
        }
    }

    fn target(&self) -> String {
        let info = self.device.info();
        format!("{} {} {}", info.platform, info.name, info.driver)
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        describe::describe(&self.device)
    }

    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        let program = Program::new(&self.device, self.owner, scheduled, typed)?;
        Ok(Arc::new(program))
    }

    fn resident(&self) -> bool {
        true
    }
}

#[linkme::distributed_slice(BACKENDS)]
static OPENCL: Registration = Registration {
    name: "opencl",
    open: |number| {
        let number = match number {
            None => None,
            Some(text) => match text.parse::<usize>() {
                Ok(number) if number.to_string() == text => Some(number),
                _ => {
                    return Err(format!(
                        "`{text}` is no number of a device: write `opencl` or, say, `opencl:1`"
                    ));
                }
            },
        };
        Ok(Arc::new(OpenCl::open(number)?))
    },
    devices: || Device::all().map_or(0, <[Device]>::len),
    rank: 3,
};
