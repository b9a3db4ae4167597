//! The device layer, on every device that there is.

use cuprous_opencl::device::{Argument, Buffer, Device, Kernel, Program, Refused};
use dsl_runtime::array::HostBuffer;
use dsl_runtime::ir::Const;
use std::mem::MaybeUninit;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SOURCE: &str = "#pragma OPENCL FP_CONTRACT OFF
__kernel void nothing(__global int *x) {}
__kernel void add(__global int *x, int by, ulong n) {
    ulong i = get_global_id(0);
    if (i < n) x[i] += by;
}
__kernel void group_sum(__global const int *x, __global int *sums, __local int *part) {
    size_t i = get_local_id(0), n = get_local_size(0);
    part[i] = x[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i == 0) {
        int sum = 0;
        for (size_t k = 0; k < n; k++) sum += part[k];
        sums[get_group_id(0)] = sum;
    }
}
__kernel void scale(__global float *x, float by) { x[get_global_id(0)] *= by; }
";

/// Runs the test on each device; says so loudly where there is none.
fn each(test: impl Fn(&Device)) {
    match Device::all() {
        Ok(devices) => devices.iter().for_each(test),
        Err(lack) => println!("SKIPPED: {lack}"),
    }
}

fn program(device: &Device) -> Program {
    device
        .build(SOURCE)
        .unwrap_or_else(|failure| panic!("{failure}"))
}

fn kernel(device: &Device, name: &str) -> Kernel {
    program(device).kernel(name).unwrap()
}

fn bytes(values: &[i32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn numbers(bytes: &[u8]) -> Vec<i32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|word| i32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

fn read(device: &Device, buffer: &Buffer) -> Vec<i32> {
    let mut into = vec![MaybeUninit::uninit(); buffer.bytes()];
    device.read(buffer, 0, &mut into).unwrap();
    // SAFETY: a successful read initialises all of it.
    let into = into.into_iter().map(|byte| unsafe { byte.assume_init() });
    numbers(&into.collect::<Vec<u8>>())
}

/// A buffer of the host's with these numbers, as a vector of them has it.
fn host(values: &[i32]) -> Arc<HostBuffer> {
    Arc::new(HostBuffer::from_vec(values.to_vec()))
}

fn look(host: &HostBuffer, len: usize) -> Vec<i32> {
    assert!(host.bytes() >= len * 4);
    // SAFETY: the tests look at memory that is initialised and that no command writes to.
    unsafe { std::slice::from_raw_parts(host.as_ptr().cast(), len) }.to_vec()
}

/// Adds a number to the first `n` elements.
fn add(device: &Device, kernel: &mut Kernel, x: &Buffer, by: i32, n: usize) {
    let args = [
        Argument::Buffer(x),
        Argument::Scalar(Const::i32(by)),
        Argument::Scalar(Const::u64(n as u64)),
    ];
    device
        .launch(kernel, &args, n.div_ceil(64).max(1), 64)
        .unwrap();
}

#[test]
fn what_is_written_is_read() {
    each(|device| {
        println!("{:#?}", device.info());
        let values: Vec<i32> = (0..1000).collect();
        let before = device.transfers();
        let array = || device.array(1000, 4).unwrap();
        let (x, y) = (array(), array());
        device.write(&x, 0, &bytes(&values)).unwrap();
        device.copy(&x, 0, &y, 0, 4000).unwrap();
        device.fill(&y, 40, 80, &7i32.to_le_bytes()).unwrap();
        add(device, &mut kernel(device, "add"), &y, 1, 1000);
        let found = read(device, &y);
        let plus: Vec<i32> = values.iter().map(|value| value + 1).collect();
        assert_eq!(found[..10], plus[..10]);
        assert_eq!(found[10..30], [8; 20]);
        assert_eq!(found[30..], plus[30..]);
        let moved = device.transfers() - before;
        assert!(moved.bytes_in >= 4000 && moved.bytes_out >= 4000);
        assert_eq!(read(device, &device.buffer(0).unwrap()), []);
        // Outside of the buffer, though inside of its memory.
        let one = device.buffer(4).unwrap();
        let mut four = [MaybeUninit::uninit(); 4];
        let wrong = [
            device.write(&one, 4, &[0]),
            device.read(&one, 1, &mut four),
            device.fill(&x, 0, 12, &[0; 8]),
            device.fill(&x, 0, 12, &[0; 3]),
            device.copy(&x, 0, &y, usize::MAX, 2),
        ];
        for answer in wrong {
            assert!(answer.unwrap_err().is_internal());
        }
    });
}

#[test]
fn memory_is_used_again() {
    each(|device| {
        // A size that no other test uses.
        let array = || device.array(77_777, 4).unwrap();
        let mut kernel = kernel(device, "add");
        let x = array();
        let first = x.host().unwrap().as_ptr();
        device.fill(&x, 0, 77_777 * 4, &[0; 4]).unwrap();
        add(device, &mut kernel, &x, 3, 77_777);
        // Dropped while the command may still run; whoever gets the memory comes after it.
        drop(x);
        let x = array();
        add(device, &mut kernel, &x, 4, 77_777);
        let y = array();
        if device.info().unified {
            assert_eq!(x.host().unwrap().as_ptr(), first);
            assert_ne!(y.host().unwrap().as_ptr(), first);
            assert_eq!(read(device, &x), vec![7; 77_777]);
        }
        // What somebody looks at is not used again.
        let seen = x.host().unwrap();
        drop(x);
        let z = array();
        device.fill(&z, 0, 77_777 * 4, &[1; 4]).unwrap();
        device.wait().unwrap();
        if device.info().unified {
            assert_ne!(z.host().unwrap().as_ptr(), seen.as_ptr());
            assert_eq!(look(&seen, 77_777), vec![7; 77_777]);
        }
    });
}

#[test]
fn host_memory_is_neither_copied_in_nor_out() {
    each(|device| {
        let values: Vec<i32> = (0..5000).collect();
        let mut kernel = kernel(device, "add");
        let given = host(&values);
        let at = given.as_ptr();
        let before = device.transfers();
        let x = device.adopt(given, 20_000).unwrap();
        add(device, &mut kernel, &x, 1, 5000);
        let out = device.array(5000, 4).unwrap();
        device.copy(&x, 0, &out, 0, 20_000).unwrap();
        let back = x.take_host().unwrap();
        let plus: Vec<i32> = values.iter().map(|value| value + 1).collect();
        assert_eq!(look(&back, 5000), plus);
        // What was computed becomes a vector.
        let result = Arc::try_unwrap(out.take_host().unwrap()).unwrap();
        let result_at = result.as_ptr();
        // SAFETY: 5000 elements were written.
        let vec = unsafe { result.into_vec::<i32>(5000) }.unwrap();
        assert_eq!(vec, plus);
        // Lent memory is only read, even at an odd place.
        // SAFETY: the buffer is dropped, and waited for, before the vector is.
        let lent = unsafe { device.lend(vec[1..].as_ptr().cast(), 4999 * 4) }.unwrap();
        let copy = device.array(4999, 4).unwrap();
        device.copy(&lent, 0, &copy, 0, 4999 * 4).unwrap();
        drop(lent);
        device.wait().unwrap();
        let moved = device.transfers() - before;
        assert_eq!(look(&copy.host().unwrap(), 4999), plus[1..]);
        if device.info().unified {
            assert_eq!(back.as_ptr(), at);
            assert_eq!(vec.as_ptr().cast(), result_at);
            assert_eq!((moved.bytes_in, moved.bytes_out), (0, 0));
        } else {
            assert_eq!((moved.bytes_in, moved.bytes_out), (39_996, 40_000));
        }
    });
}

#[test]
fn vectors_of_every_scalar() {
    each(|device| {
        let take = |len: usize, size: usize| {
            let buffer = device.array(len, size).unwrap();
            device.fill(&buffer, 0, len * size, &[0]).unwrap();
            Arc::try_unwrap(buffer.take_host().unwrap()).unwrap()
        };
        for len in [0, 1, 7, 1000, 100_000] {
            // SAFETY: all elements are 0.
            unsafe {
                assert_eq!(take(len, 1).into_vec::<u8>(len).unwrap(), vec![0u8; len]);
                assert_eq!(take(len, 2).into_vec::<i16>(len).unwrap(), vec![0i16; len]);
                assert_eq!(take(len, 4).into_vec::<f32>(len).unwrap(), vec![0f32; len]);
                assert_eq!(take(len, 8).into_vec::<f64>(len).unwrap(), vec![0f64; len]);
            }
        }
        assert!(device.array(1, 3).is_err());
    });
}

#[test]
fn a_build_error_names_its_line() {
    each(|device| {
        let failure = device
            .build("__kernel void f(__global int *x) {\n  int fine;\n  x[0] = y;\n}\n")
            .unwrap_err();
        println!("{failure}");
        assert_eq!(failure.line, Some(3), "{failure}");
        assert!(failure.to_string().contains(&*device.info().name));
        assert!(device.build("nonsense").is_err());
        // The device goes on.
        assert_eq!(kernel(device, "add").parameters(), 3);
    });
}

#[test]
fn wrong_arguments_are_refused() {
    each(|device| {
        let x = device.array(64, 4).unwrap();
        device.fill(&x, 0, 256, &[0; 4]).unwrap();
        let mut add = kernel(device, "add");
        let (by, n) = (Const::i32(1), Const::u64(64));
        let scalars = |a, b| (Argument::Scalar(a), Argument::Scalar(b));
        let (buffer, (good_by, good_n)) = (Argument::Buffer(&x), scalars(by, n));
        let mut refused = |args: &[Argument<'_>], groups, size| {
            let error = device.launch(&mut add, args, groups, size).unwrap_err();
            println!("{error}");
            assert!(error.is_internal(), "{error}");
        };
        refused(&[buffer, good_by], 1, 64);
        refused(&[good_by, buffer, good_n], 1, 64);
        refused(&[buffer, scalars(Const::u64(1), n).0, good_n], 1, 64);
        refused(&[buffer, scalars(Const::f32(1.0), n).0, good_n], 1, 64);
        refused(&[buffer, buffer, good_n], 1, 64);
        refused(&[Argument::Local(4), good_by, good_n], 1, 64);
        refused(&[buffer, good_by, good_n], 1, 0);
        refused(&[buffer, good_by, good_n], 1, usize::MAX);
        refused(&[buffer, good_by, good_n], usize::MAX, 64);
        let args = [buffer, good_by, good_n];
        device.launch(&mut add, &args, 1, 64).unwrap();
        device.launch(&mut add, &args, 0, 64).unwrap();
        assert_eq!(read(device, &x), [1; 64]);
        assert!(program(device).kernel("absent").is_err());
        let sums = device.array(2, 4).unwrap();
        let mut sum = kernel(device, "group_sum");
        let args = |local| [buffer, Argument::Buffer(&sums), Argument::Local(local)];
        for wrong in [0, device.info().local + 1] {
            assert!(device.launch(&mut sum, &args(wrong), 2, 32).is_err());
        }
        device.launch(&mut sum, &args(32 * 4), 2, 32).unwrap();
        assert_eq!(read(device, &sums), [32, 32]);
        if let Some(other) = Device::all().unwrap().iter().find(|other| *other != device) {
            let far = other.array(64, 4).unwrap();
            let args = [Argument::Buffer(&far), good_by, good_n];
            assert!(
                device
                    .launch(&mut add, &args, 1, 64)
                    .unwrap_err()
                    .is_internal()
            );
        }
    });
}

#[test]
fn arguments_are_set_again_where_memory_has_changed() {
    each(|device| {
        let mut kernel = kernel(device, "add");
        for round in 0..50 {
            // The address of the object of a buffer that is gone tends to come again.
            let x = device.adopt(host(&[round; 64]), 256).unwrap();
            add(device, &mut kernel, &x, 1, 64);
            assert_eq!(look(&x.host().unwrap(), 64), [round + 1; 64]);
        }
    });
}

#[test]
fn threads_share_a_device() {
    each(|device| {
        let program = program(device);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (program, device) = (program.clone(), device.clone());
                scope.spawn(move || {
                    let mut kernel = program.kernel("add").unwrap();
                    for round in 0..100 {
                        let n = 100 + thread * 37 + round as usize;
                        let x = device.array(n, 4).unwrap();
                        let zero = thread as i32;
                        device.fill(&x, 0, n * 4, &zero.to_le_bytes()).unwrap();
                        for _ in 0..5 {
                            add(&device, &mut kernel, &x, round, n);
                        }
                        let y = device.array(n, 4).unwrap();
                        device.copy(&x, 0, &y, 0, n * 4).unwrap();
                        drop(x);
                        assert_eq!(read(&device, &y), vec![zero + 5 * round; n]);
                    }
                    kernel
                });
            }
        });
    });
}

#[test]
fn what_does_not_fit_is_refused_and_the_device_goes_on() {
    each(|device| {
        let info = device.info();
        for bytes in [info.largest + 1, usize::MAX, usize::MAX / 2] {
            let refused = device.buffer(bytes).unwrap_err();
            assert!(refused.is_memory());
            assert!(refused.to_string().contains(&*info.name), "{refused}");
            match refused {
                Refused::TooLarge {
                    bytes: asked,
                    limit,
                    ..
                } => assert!(asked == bytes && limit <= info.largest),
                other => panic!("{other}"),
            }
        }
        assert!(device.array(usize::MAX, 8).is_err());
        let x = device.adopt(host(&[1; 64]), 256).unwrap();
        add(device, &mut kernel(device, "add"), &x, 1, 64);
        assert_eq!(read(device, &x), [2; 64]);
    });
}

#[test]
fn arithmetic_is_that_of_rust() {
    each(|device| {
        let start = Instant::now();
        let contract = device.contract();
        println!("{device:?}: {contract:?} in {:?}", start.elapsed());
        assert_eq!(contract.is_ok(), device.deviations().unwrap().is_empty());
        // Others may deviate, and say so.
        if device
            .info()
            .platform
            .starts_with("Portable Computing Language")
        {
            contract.unwrap();
        }
    });
}

/// Runs one of the tests below in a process of its own, with these variables set or removed.
fn child(test: &str, variables: &[(&str, Option<&str>)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--include-ignored"]);
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.env("CUPROUS_CHILD", "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

/// Whether the process is one that a test has started.
fn is_child() -> bool {
    std::env::var_os("CUPROUS_CHILD").is_some()
}

#[test]
fn without_a_library_there_is_an_answer() {
    for library in ["/nowhere/libOpenCL.so", "libc.so.6"] {
        let start = Instant::now();
        let text = child("child_lists", &[("CUPROUS_OPENCL_LIBRARY", Some(library))]);
        println!("{text}");
        assert!(text.contains("Err(\"unsupported: "), "{text}");
        assert!(start.elapsed() < Duration::from_secs(1));
    }
    let text = child("child_lists", &[("OCL_ICD_VENDORS", Some("/nowhere"))]);
    println!("{text}");
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_lists() {
    if is_child() {
        println!("{:?}", Device::all());
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cuprous-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[test]
fn programs_are_kept_on_the_disk() {
    if let Err(lack) = Device::all() {
        println!("SKIPPED: {lack}");
        return;
    }
    let folder = scratch("cache");
    let run = || {
        let variables = [("CUPROUS_CACHE_DIR", folder.to_str())];
        let text = child("child_builds", &variables);
        let lines = text.lines().filter(|line| line.contains("builds,"));
        let lines: Vec<String> = lines.map(str::to_string).collect();
        println!("{}", lines.join("\n"));
        lines
    };
    let all = |lines: Vec<String>, word: &str| {
        assert!(
            !lines.is_empty() && lines.iter().all(|line| line.contains(word)),
            "{lines:?}"
        );
    };
    let (built, kept) = ("1 builds, 0 hits", "0 builds, 1 hits");
    all(run(), built);
    all(run(), kept);
    for damage in [&b"rubbish"[..], b""] {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            std::fs::write(entry.path(), damage).unwrap();
        }
        all(run(), built);
        all(run(), kept);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    all(run(), built);
    std::fs::remove_dir_all(&folder).unwrap();
    let none = [("CUPROUS_CACHE_DIR", Some(""))];
    for _ in 0..2 {
        assert!(child("child_builds", &none).contains(built));
    }
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_builds() {
    if !is_child() {
        return;
    }
    each(|device| {
        device.wait().unwrap();
        let start = Instant::now();
        let before = device.transfers();
        let mut kernel = kernel(device, "add");
        let made = device.transfers() - before;
        let time = start.elapsed();
        let x = device.adopt(host(&[1; 64]), 256).unwrap();
        add(device, &mut kernel, &x, 1, 64);
        assert_eq!(read(device, &x), [2; 64]);
        let (builds, hits) = (made.builds, made.cache_hits);
        println!("{builds} builds, {hits} hits, {time:?}");
    });
}

#[test]
fn memory_is_limited() {
    child(
        "child_fills",
        &[("CUPROUS_DEVICE_MEMORY", Some("10000000"))],
    );
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_fills() {
    if !is_child() {
        return;
    }
    each(|device| {
        let mut all = vec![];
        let refused = loop {
            match device.buffer(1 << 20) {
                Ok(buffer) => all.push(buffer),
                Err(refused) => break refused,
            }
            assert!(all.len() < 100);
        };
        println!("{refused}");
        assert_eq!(all.len(), 9);
        assert_eq!(device.in_use(), 9 << 20);
        assert!(matches!(
            refused,
            Refused::TooLarge {
                bytes: 0x10_0000,
                limit: 10_000_000,
                free: 562_816,
                ..
            }
        ));
        let elsewhere = host(&[5; 200_000]);
        assert!(
            device
                .adopt(elsewhere.clone(), 800_000)
                .unwrap_err()
                .is_memory()
        );
        let small = device.array(100_000, 4).unwrap();
        drop(all);
        // What the pool keeps makes room for what is asked for.
        let x = device.adopt(elsewhere, 800_000).unwrap();
        let large = device.buffer(8_000_000).unwrap();
        add(device, &mut kernel(device, "add"), &x, 1, 200_000);
        assert_eq!(read(device, &x), vec![6; 200_000]);
        drop((x, large, small));
        assert_eq!(device.in_use(), 0);
        device.trim().unwrap();
        assert_eq!(device.buffer(9_999_000).unwrap().bytes(), 9_999_000);
    });
}

#[test]
fn the_process_may_end_while_a_command_runs() {
    child("child_leaves", &[]);
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_leaves() {
    if !is_child() {
        return;
    }
    each(|device| {
        let mut kernel = kernel(device, "add");
        let x = device.array(1 << 22, 4).unwrap();
        for _ in 0..20 {
            add(device, &mut kernel, &x, 1, 1 << 22);
        }
    });
}
