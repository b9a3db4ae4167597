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
pub mod flat;
pub mod program;
mod prologue;
pub mod remote;
pub mod render;
pub mod scalars;
pub mod sink;
pub mod split;
pub mod style;
pub mod transfer;
pub mod unit;

// A place that tells failures is always there.
use cuprous_interp as _;
use device::Device;
use dsl_runtime::array::new_owner;
use dsl_runtime::backend::{BACKENDS, Backend, Caps, CompileError, Executable, Registration};
use dsl_runtime::ir::Func;
use program::Program;
use std::sync::{Arc, OnceLock};
pub use style::Style;
use style::{Shape, Wrong};

/// The place `opencl` or `opencl:N`.
#[derive(Clone, Debug)]
pub struct OpenCl {
    device: Device,
    name: String,
    owner: u64,
    shape: Shape,
    /// What the device does not compute as the language asks.
    wrong: Vec<Wrong>,
}

/// The numbers of the devices' memories.
fn owners() -> &'static [u64] {
    static OWNERS: OnceLock<Vec<u64>> = OnceLock::new();
    OWNERS.get_or_init(|| {
        let devices = Device::all().map_or(0, |devices| devices.len());
        (0..devices).map(|_| new_owner()).collect()
    })
}

/// The device with this number, and the number of its memory.
fn find(number: usize) -> Result<(&'static Device, u64), String> {
    let devices = Device::all()?;
    let count = devices.len();
    let device = devices.get(number);
    let device =
        device.ok_or_else(|| format!("unsupported: there is no device {number}, of {count}"))?;
    Ok((device, owners()[number]))
}

fn refusal(device: &Device, what: &str) -> String {
    let name = &device.info().name;
    format!("unsupported: {name} does not compute as the language asks: {what}")
}

impl OpenCl {
    /// The device with this number, or the first that computes as the language asks.
    ///
    /// The error says what is missing, for people; it contains "unsupported".
    pub fn open(number: Option<usize>) -> Result<OpenCl, String> {
        let kept = |device: &Device| device.contract().map_err(|what| refusal(device, &what));
        let at = match number {
            Some(at) => at,
            None => {
                let first = Device::all()?
                    .iter()
                    .position(|device| kept(device).is_ok());
                first.unwrap_or(0)
            }
        };
        let (device, owner) = find(at)?;
        kept(device)?;
        Ok(OpenCl {
            device: device.clone(),
            name: match number {
                None => "opencl".into(),
                Some(number) => format!("opencl:{number}"),
            },
            owner,
            shape: Shape::of(device.info(), Style::of(device.info().kind)),
            wrong: vec![],
        })
    }

    /// For tests: the device with this number, with code in a style that need not be the best one for it. A device with single
    /// conversions that are not the language's is opened all the same; functions that use them are unsupported then.
    pub fn with_style(number: usize, style: Style) -> Result<OpenCl, String> {
        let (device, owner) = find(number)?;
        let deviations = device.deviations().map_err(|refused| refused.to_string())?;
        Ok(OpenCl {
            device: device.clone(),
            name: format!("opencl:{number} {style:?}").to_lowercase(),
            owner,
            shape: Shape::of(device.info(), style),
            wrong: Wrong::of(deviations).map_err(|what| refusal(device, &what))?,
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
            levels: self.shape.style.levels(),
            optimise: true,
        }
    }

    fn target(&self) -> String {
        let info = self.device.info();
        let style = self.shape.style;
        format!("{} {} {} {style:?}", info.platform, info.name, info.driver)
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        describe::describe(&self.device)
    }

    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        Wrong::refuse(&self.wrong, scheduled)?;
        let program = Program::new(&self.device, self.shape, self.owner, scheduled, typed)?;
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
