//! The hand-written side's device: the first one, programs with the prelude in front, arrays in its memory.

use cuprous_opencl_loader as loader;
use ocl::builders::{KernelBuilder, ProgramBuilder};
use ocl::enums::{DeviceInfo, DeviceInfoResult};
use ocl::{Buffer, Context, DeviceType, Kernel, MemFlags, OclPrm, Platform, Program, Queue};

/// The first device, a GPU if there is one, as `Place::opencl()` chooses.
pub struct Device {
    context: Context,
    device: ocl::Device,
    pub queue: Queue,
    /// Its name and its driver's.
    pub name: String,
    cpu: bool,
}

/// A type of the kernels.
pub trait Number: OclPrm {
    /// Whether it is `f64`.
    const DOUBLE: bool;
}
impl Number for f32 {
    const DOUBLE: bool = false;
}
impl Number for f64 {
    const DOUBLE: bool = true;
}

/// An array in the device's memory: on a CPU in huge pages of ours, where the system has them.
pub struct Room<T: OclPrm> {
    pub buffer: Buffer<T>,
    /// What the buffer lies in; it outlives the buffer.
    _memory: Vec<T>,
}

impl Device {
    /// `None` without a library, a platform or a device.
    pub fn first() -> Option<Device> {
        let mut count = 0u32;
        // SAFETY: asks for the number alone. (The bindings' own list waits and panics where there is none.)
        let status = unsafe {
            loader::entry::clGetPlatformIDs(0, std::ptr::null_mut(), (&raw mut count).cast())
        };
        if status != 0 || count == 0 {
            return None;
        }
        let kind = |device: &ocl::Device| match device.info(DeviceInfo::Type) {
            Ok(DeviceInfoResult::Type(kind)) => kind,
            _ => DeviceType::new(),
        };
        let all = || {
            Platform::list().into_iter().flat_map(|platform| {
                let devices = ocl::Device::list_all(platform).unwrap_or_default();
                devices.into_iter().map(move |device| (platform, device))
            })
        };
        let gpu = |(_, device): &(Platform, ocl::Device)| {
            kind(device).intersects(DeviceType::GPU) && !kind(device).intersects(DeviceType::CPU)
        };
        let (platform, device) = all().find(gpu).or_else(|| all().next())?;
        let mut context = Context::builder();
        let context = context.platform(platform).devices(device).build().ok()?;
        let queue = Queue::new(&context, device, None).ok()?;
        let driver = device.info(DeviceInfo::DriverVersion).ok()?;
        let name = format!("{}, driver {driver}", device.name().ok()?.trim());
        Some(Device {
            cpu: kind(&device).intersects(DeviceType::CPU),
            context,
            device,
            queue,
            name,
        })
    }

    /// The vector width that the device prefers, as far as there are vectors of it.
    pub fn width<T: Number>(&self) -> usize {
        let info = match T::DOUBLE {
            true => DeviceInfo::PreferredVectorWidthDouble,
            false => DeviceInfo::PreferredVectorWidthFloat,
        };
        let width = match self.device.info(info) {
            Ok(DeviceInfoResult::PreferredVectorWidthDouble(width)) => width,
            Ok(DeviceInfoResult::PreferredVectorWidthFloat(width)) => width,
            _ => 0,
        };
        (width as usize).clamp(4, 16)
    }

    /// The largest work-group of use.
    pub fn group(&self) -> usize {
        self.device.max_wg_size().unwrap_or(1).min(1024)
    }

    /// Builds a source with the prelude in front. Contraction and rough reciprocals are allowed where the rules are `free`.
    pub fn program<T: Number>(&self, source: &str, width: usize, free: bool) -> Program {
        let mut builder = ProgramBuilder::new();
        builder
            .src(concat!(include_str!("prelude.cl"), "\n").to_owned() + source)
            .cmplr_opt("-cl-std=CL1.2")
            .cmplr_def("DOUBLE", T::DOUBLE as i32)
            .cmplr_def("WIDTH", width as i32)
            .cmplr_def("FREE", free as i32);
        if free {
            builder.cmplr_opt("-cl-fast-relaxed-math");
        }
        builder.devices(self.device);
        builder
            .build(&self.context)
            .unwrap_or_else(|error| panic!("a hand-written kernel does not build: {error}"))
    }

    /// A kernel over that many work-items, in work-groups of that size.
    pub fn kernel<'p>(
        &self,
        program: &'p Program,
        name: &str,
        items: usize,
        group: usize,
    ) -> KernelBuilder<'p> {
        let mut builder = Kernel::builder();
        builder
            .program(program)
            .name(name)
            .queue(self.queue.clone())
            .global_work_size(items)
            .local_work_size(group);
        builder
    }

    /// An array of these elements.
    pub fn put<T: OclPrm>(&self, values: &[T]) -> Room<T> {
        let room = self.room(values.len());
        let write = room.buffer.write(values).enq();
        write.expect("the array is as long as the values");
        room
    }

    /// An array of zeros.
    pub fn room<T: OclPrm>(&self, n: usize) -> Room<T> {
        let builder = Buffer::builder().queue(self.queue.clone()).len(n);
        if !self.cpu {
            let buffer = builder.flags(MemFlags::new().read_write()).build();
            return Room {
                buffer: buffer.expect("the device has memory for it"),
                _memory: vec![],
            };
        }
        // Aligned to a page, for vectors and for devices that work in place.
        const PAGE: usize = 4096;
        let memory: Vec<T> = super::input::room(n + PAGE / size_of::<T>());
        let skip = memory.as_ptr().align_offset(PAGE);
        // SAFETY: the memory is the room's, which keeps it longer than the buffer; nobody else touches it.
        let buffer = unsafe { builder.use_host_slice(&memory[skip..][..n]) }.build();
        Room {
            buffer: buffer.expect("memory of ours can be a buffer"),
            _memory: memory,
        }
    }

    /// Waits for all that was enqueued.
    pub fn finish(&self) {
        self.queue.finish().expect("the device goes on");
    }
}

impl<T: OclPrm> Room<T> {
    /// The elements.
    pub fn get(&self) -> Vec<T> {
        let mut values = vec![T::default(); self.buffer.len()];
        self.read(&mut values);
        values
    }

    /// Copies the first elements to the host, and waits for that.
    pub fn read(&self, values: &mut [T]) {
        let read = self.buffer.read(values).enq();
        read.expect("the buffer is at least as long");
    }
}

/// Enqueues a kernel.
pub fn enqueue(kernel: &Kernel) {
    // SAFETY: the kernels of this benchmark stay inside the arrays that the cases give them.
    unsafe { kernel.enq() }.expect("a kernel can be enqueued");
}

/// A kernel with these arguments.
macro_rules! kernel {
    ($device:expr, $program:expr, $name:literal, $items:expr, $group:expr, $($arg:expr),+ $(,)?) => {
        $device.kernel(&$program, $name, $items, $group)$(.arg($arg))+.build().expect("the arguments fit")
    };
}
pub(crate) use kernel;
