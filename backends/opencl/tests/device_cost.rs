//! What the device layer costs above OpenCL itself, on every device that there is.

use cuprous_opencl::device::{Argument, Device};
use dsl_runtime::array::HostBuffer;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Instant;

const SOURCE: &str = "__kernel void nothing(__global int *x) {}";

/// The nanoseconds of a run, on average over many.
fn nanos(mut run: impl FnMut()) -> f64 {
    const TIMES: usize = 300;
    let start = Instant::now();
    (0..TIMES).for_each(|_| run());
    start.elapsed().as_nanos() as f64 / TIMES as f64
}

/// What OpenCL itself takes for an empty kernel: a context, a queue and a kernel without anything of ours.
struct Bare {
    queue: ocl::core::CommandQueue,
    kernel: ocl::core::Kernel,
    buffer: ocl::core::Mem,
    context: ocl::core::Context,
}

impl Bare {
    fn new(name: &str) -> Bare {
        use ocl::core;
        let platforms = core::get_platform_ids().unwrap();
        let ids = platforms
            .iter()
            .flat_map(|platform| core::get_device_ids(platform, None, None).unwrap());
        let named = |id: &core::DeviceId| {
            let found = core::get_device_info(id, core::DeviceInfo::Name).unwrap();
            found.to_string().trim() == name
        };
        let id = ids.into_iter().find(named).unwrap();
        let context = core::create_context(None, &[id], None, None).unwrap();
        let queue = core::create_command_queue(&context, id, None).unwrap();
        let source = [std::ffi::CString::new(SOURCE).unwrap()];
        let program = core::create_program_with_source(&context, &source).unwrap();
        let options = std::ffi::CString::new("").unwrap();
        core::build_program(&program, Some(&[id]), &options, None, None).unwrap();
        let kernel = core::create_kernel(&program, "nothing").unwrap();
        let flags = core::MemFlags::new().read_write();
        // SAFETY: no host memory is named.
        let buffer = unsafe { core::create_buffer::<_, i32>(&context, flags, 1000, None) };
        let buffer = buffer.unwrap();
        core::set_kernel_arg(&kernel, 0, core::ArgVal::mem(&buffer)).unwrap();
        Bare {
            queue,
            kernel,
            buffer,
            context,
        }
    }

    fn launch(&self) {
        let one = [1, 1, 1];
        // SAFETY: the kernel does nothing.
        let launched = unsafe {
            let (queue, kernel) = (&self.queue, &self.kernel);
            let (wait, event) = (None::<()>, None::<()>);
            ocl::core::enqueue_kernel(queue, kernel, 1, None, &one, Some(one), wait, event)
        };
        launched.unwrap();
    }

    fn finish(&self) {
        ocl::core::finish(&self.queue).unwrap();
    }

    fn read(&self) {
        let mut into = [0u8; 8];
        // SAFETY: the call waits for the bytes.
        let answer = unsafe {
            let (wait, event) = (None::<()>, None::<()>);
            let into = &mut into;
            ocl::core::enqueue_read_buffer(&self.queue, &self.buffer, true, 0, into, wait, event)
        };
        answer.unwrap();
    }

    fn wrap(&self, memory: &mut [i32]) {
        let flags = ocl::core::MemFlags::new().read_write().use_host_ptr();
        let len = memory.len();
        // SAFETY: the object is released before the memory is.
        drop(unsafe { ocl::core::create_buffer(&self.context, flags, len, Some(memory)) });
    }
}

/// Runs that are compared, in turns: the least of their nanoseconds, which what else the machine does leaves alone.
fn least(runs: &mut [(&str, &mut dyn FnMut())]) -> Vec<f64> {
    let mut all = vec![vec![]; runs.len()];
    for _ in 0..15 {
        for ((_, run), times) in runs.iter_mut().zip(&mut all) {
            times.push(nanos(run));
        }
    }
    for ((name, _), times) in runs.iter().zip(&mut all) {
        times.sort_by(f64::total_cmp);
        let (least, median) = (times[0], times[times.len() / 2]);
        println!("{name}: {least:.0} ns, median {median:.0} ns");
    }
    all.into_iter().map(|times| times[0]).collect()
}

#[test]
fn a_launch_costs_little_above_that_of_opencl() {
    let devices = Device::all().unwrap_or_else(|lack| {
        println!("SKIPPED: {lack}");
        &[]
    });
    for device in devices {
        println!("{device:?}");
        let bare = Bare::new(&device.info().name);
        let built = device
            .build(SOURCE)
            .unwrap_or_else(|failure| panic!("{failure}"));
        let mut nothing = built.kernel("nothing").unwrap();
        let x = device.array(1000, 4).unwrap();
        let mut launch = || {
            let args = [Argument::Buffer(&x)];
            device.launch(&mut nothing, &args, 1, 1).unwrap();
        };
        launch();
        bare.launch();
        device.wait().unwrap();
        bare.finish();
        let times = least(&mut [
            ("launch and wait, bare", &mut || {
                bare.launch();
                bare.finish();
            }),
            ("launch and wait", &mut || {
                launch();
                device.wait().unwrap();
            }),
        ]);
        // Nothing is compiled, allocated or asked at a launch.
        assert!(times[1] <= times[0] + 10_000.0, "{times:?}");
        let memory = Arc::new(HostBuffer::from_vec(vec![0i32; 1000]));
        let mut vector = vec![0; 1000];
        least(&mut [
            ("read 8 bytes, bare", &mut || bare.read()),
            ("read 8 bytes that nothing writes", &mut || {
                let mut into = [MaybeUninit::uninit(); 8];
                device.read(&x, 0, &mut into).unwrap();
            }),
            ("buffer from the pool", &mut || drop(device.array(1000, 4))),
            ("host memory wrapped and released, bare", &mut || {
                bare.wrap(&mut vector)
            }),
            ("host memory adopted and released", &mut || {
                drop(device.adopt(memory.clone(), 4000));
            }),
            ("kernel of a program", &mut || drop(built.kernel("nothing"))),
        ]);
        println!("{:.1} GB/s", device.bandwidth().unwrap() / 1e9);
    }
}
