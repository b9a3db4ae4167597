//! Kernels for `tests/oclgrind --self-test`: one without a fault, and one for each kind of fault that Oclgrind must report.
//! These tests always pass: the script looks at what was reported.

use cuprous_opencl_loader as loader;
use ocl::{Buffer, Context, Device, Kernel, Platform, Program, Queue};

/// Elements of the array, and work-items.
const N: usize = 16;

/// Runs `void k(global int *x, local int *room)` in one work-group.
fn run(body: &str) {
    assert!(loader::is_present(), "there is no OpenCL library");
    let platform = Platform::first().expect("there is a platform");
    let name = platform.name().expect("it has a name");
    assert_eq!(name, "Oclgrind", "run this by tests/oclgrind");
    let device = Device::first(platform).expect("there is a device");
    let mut context = Context::builder();
    let context = context.platform(platform).devices(device).build();
    let context = context.expect("there is a context");
    let queue = Queue::new(&context, device, None).expect("there is a queue");
    let source = format!(
        "kernel void k(global int *x, local int *room) {{ int i = get_global_id(0); {body} }}"
    );
    let mut program = Program::builder();
    let program = program.src(source).cmplr_opt("-cl-std=CL1.2");
    let program = program.devices(device).build(&context);
    let program = program.unwrap_or_else(|error| panic!("{error}"));
    let ones = [1; N];
    let buffer: Buffer<i32> = Buffer::builder()
        .queue(queue.clone())
        .len(N)
        .copy_host_slice(&ones)
        .build()
        .expect("there is memory");
    let mut kernel = Kernel::builder();
    let kernel = kernel.program(&program).name("k").queue(queue.clone());
    let kernel = kernel.global_work_size(N).local_work_size(N);
    let kernel = kernel.arg(&buffer).arg_local::<i32>(N).build();
    // SAFETY: Oclgrind simulates the kernel, and carries out no access outside of the buffer.
    unsafe { kernel.expect("the arguments fit").enq() }.expect("it runs");
    queue.finish().expect("it ends");
}

#[test]
#[ignore = "for tests/oclgrind"]
fn clean() {
    run("room[i] = x[i]; barrier(CLK_LOCAL_MEM_FENCE); x[i] = room[get_local_size(0) - 1 - i];");
}

#[test]
#[ignore = "for tests/oclgrind"]
fn race() {
    run("x[0] = i;");
}

#[test]
#[ignore = "for tests/oclgrind"]
fn uninitialised() {
    run("x[i] = room[i];");
}

#[test]
#[ignore = "for tests/oclgrind"]
fn outside() {
    run("x[i + 1] = i;");
}
