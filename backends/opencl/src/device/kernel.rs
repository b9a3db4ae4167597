//! Kernels, their parameters, and launches.

use super::api::{self, Answer, number, text};
use super::program::Program;
use super::{Buffer, Device, Stopped};
use dsl_runtime::ir::{Const, ScalarType};
use ocl::ffi;
use smallvec::SmallVec;

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A scalar. `bool` is passed as `uchar`.
    Scalar(Const),
    /// Memory of the device.
    Buffer(&'a Buffer),
    /// Local memory of this many bytes.
    Local(usize),
}

/// What a kernel takes in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// A scalar of a type of OpenCL C.
    Scalar(ScalarType),
    /// A value of another type, whose size OpenCL checks.
    Value,
    /// Global or constant memory.
    Memory,
    /// Local memory.
    Local,
    /// OpenCL does not tell.
    Unknown,
}

/// How OpenCL C names the scalar types, and what stands for a [`Parameter`] in a file.
const TYPES: &[(&str, ScalarType)] = &[
    ("char", ScalarType::I8),
    ("short", ScalarType::I16),
    ("int", ScalarType::I32),
    ("long", ScalarType::I64),
    ("uchar", ScalarType::U8),
    ("ushort", ScalarType::U16),
    ("uint", ScalarType::U32),
    ("ulong", ScalarType::U64),
    ("float", ScalarType::F32),
    ("double", ScalarType::F64),
];

impl Parameter {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::Scalar(ty) => {
                let row = TYPES.iter().find(|(_, of)| *of == ty);
                row.map_or("value", |(name, _)| name)
            }
            Parameter::Value => "value",
            Parameter::Memory => "buffer",
            Parameter::Local => "local",
            Parameter::Unknown => "unknown",
        }
    }

    /// The parameter of that name.
    pub fn parse(name: &str) -> Option<Parameter> {
        let plain = [
            Parameter::Value,
            Parameter::Memory,
            Parameter::Local,
            Parameter::Unknown,
        ];
        let plain = plain.into_iter().find(|parameter| parameter.name() == name);
        let scalar = TYPES.iter().find(|(of, _)| *of == name);
        plain.or(scalar.map(|&(_, ty)| Parameter::Scalar(ty)))
    }

    fn ask(kernel: &api::Kernel, index: u32) -> Answer<Parameter> {
        let address = kernel.parameter(index, ffi::CL_KERNEL_ARG_ADDRESS_QUALIFIER)?;
        Ok(match number(&address) as u32 {
            ffi::CL_KERNEL_ARG_ADDRESS_GLOBAL | ffi::CL_KERNEL_ARG_ADDRESS_CONSTANT => {
                Parameter::Memory
            }
            ffi::CL_KERNEL_ARG_ADDRESS_LOCAL => Parameter::Local,
            _ => {
                let name = text(kernel.parameter(index, ffi::CL_KERNEL_ARG_TYPE_NAME)?);
                let row = TYPES.iter().find(|(of, _)| *of == name);
                row.map_or(Parameter::Value, |&(_, ty)| Parameter::Scalar(ty))
            }
        })
    }

    /// What a kernel takes. Where OpenCL does not tell, all it says is how many.
    pub fn all(kernel: &api::Kernel) -> Answer<Vec<Parameter>> {
        let count = kernel.parameters()?;
        let ask = |index| Parameter::ask(kernel, index).unwrap_or(Parameter::Unknown);
        Ok((0..count).map(ask).collect())
    }

    fn takes(self, argument: &Argument<'_>) -> bool {
        match (self, argument) {
            (Parameter::Unknown, _) | (Parameter::Value, Argument::Scalar(_)) => true,
            // The same size is asked for, and integers for integers; signs are in the eye of the kernel.
            (Parameter::Scalar(ty), Argument::Scalar(value)) => {
                ty.bytes() == value.ty.bytes() && ty.is_float() == value.ty.is_float()
            }
            (Parameter::Memory, Argument::Buffer(_)) => true,
            (Parameter::Local, Argument::Local(_)) => true,
            _ => false,
        }
    }
}

impl Argument<'_> {
    fn name(&self) -> &'static str {
        match self {
            Argument::Scalar(value) => value.ty.name(),
            Argument::Buffer(_) => "buffer",
            Argument::Local(_) => "local",
        }
    }
}

/// What an argument was set to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Nothing,
    Scalar(Const),
    /// The number of a memory object, which none gets again: its address may come again.
    Buffer(u64),
    Local(usize),
}

impl Set {
    fn of(argument: &Argument<'_>) -> Set {
        match argument {
            Argument::Scalar(value) => Set::Scalar(*value),
            Argument::Buffer(buffer) => Set::Buffer(buffer.store().id),
            Argument::Local(bytes) => Set::Local(*bytes),
        }
    }
}

/// A kernel of a program, with the arguments that were set last. It may move between threads; each that launches at the same
/// time needs its own, see [`Program::kernel`].
pub struct Kernel {
    kernel: api::Kernel,
    name: String,
    device: Device,
    parameters: Vec<Parameter>,
    set: Vec<Set>,
    /// The largest group.
    group: usize,
    /// `Cell` is not `Sync`: nor is a kernel.
    _alone: std::marker::PhantomData<std::cell::Cell<()>>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kernel({}", self.name)?;
        for parameter in &self.parameters {
            write!(f, ", {}", parameter.name())?;
        }
        write!(f, ")")
    }
}

impl Kernel {
    pub(super) fn new(
        program: &Program,
        name: &str,
        parameters: &[Parameter],
        kernel: api::Kernel,
    ) -> Answer<Kernel> {
        let group = kernel.group(program.device().0.id)?;
        Ok(Kernel {
            kernel,
            name: name.into(),
            device: program.device().clone(),
            parameters: parameters.into(),
            set: vec![Set::Nothing; parameters.len()],
            group,
            _alone: std::marker::PhantomData,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of its parameters.
    pub fn parameters(&self) -> usize {
        self.parameters.len()
    }

    /// The most work-items that a group of it can have.
    pub fn largest_group(&self) -> usize {
        self.group
    }

    fn wrong(&self, text: String) -> Stopped {
        self.device
            .internal(format!("kernel `{}`: {text}", self.name))
    }

    fn set(&mut self, index: usize, argument: &Argument<'_>) -> Result<(), Stopped> {
        let now = Set::of(argument);
        if self.set[index] == now {
            return Ok(());
        }
        let parameter = self.parameters[index];
        if !parameter.takes(argument) {
            let (is, wants) = (argument.name(), parameter.name());
            return Err(self.wrong(format!("argument {index} is {is} instead of {wants}")));
        }
        self.set[index] = Set::Nothing;
        let (at, kernel) = (index as u32, &mut self.kernel);
        let answer = match argument {
            Argument::Scalar(value) => {
                kernel.set_scalar(at, &value.bits.to_le_bytes()[..value.ty.bytes()])
            }
            Argument::Buffer(buffer) => {
                buffer.check(&self.device)?;
                kernel.set_memory(at, &buffer.store().memory)
            }
            Argument::Local(bytes) => {
                let limit = self.device.info().local;
                if *bytes == 0 || *bytes > limit {
                    return Err(self.wrong(format!("{bytes} bytes of local memory of {limit}")));
                }
                kernel.set_local(at, *bytes)
            }
        };
        answer.map_err(|failed| self.device.stopped(failed))?;
        self.set[index] = now;
        Ok(())
    }
}

pub(super) fn launch(
    device: &Device,
    kernel: &mut Kernel,
    args: &[Argument<'_>],
    groups: usize,
    group_size: usize,
) -> Result<(), Stopped> {
    if device != &kernel.device {
        return Err(device.internal(format!("a kernel of {:?}", kernel.device)));
    }
    if args.len() != kernel.parameters.len() {
        let (given, wanted) = (args.len(), kernel.parameters.len());
        return Err(kernel.wrong(format!("{given} arguments instead of {wanted}")));
    }
    let items = groups.checked_mul(group_size);
    let Some(items) = items.filter(|_| (1..=kernel.group).contains(&group_size)) else {
        let limit = kernel.group;
        return Err(kernel.wrong(format!(
            "{groups} groups of {group_size}; the largest is {limit}"
        )));
    };
    for (index, argument) in args.iter().enumerate() {
        kernel.set(index, argument)?;
    }
    if items == 0 {
        return Ok(());
    }
    let uses: SmallVec<[&super::buffer::Store; 16]> = args
        .iter()
        .filter_map(|argument| match argument {
            Argument::Buffer(buffer) => Some(buffer.store()),
            _ => None,
        })
        .collect();
    let session = device.session()?;
    session.enqueue(device, uses.iter().copied(), |queue| {
        // SAFETY: all arguments are set, to what the kernel says that it takes. What it does with them is vouched for by its
        // source, which this crate renders with every access inside its buffer.
        unsafe { queue.launch(&kernel.kernel, items, group_size) }
    })?;
    device.0.counts.launches.add(1);
    Ok(())
}
