//! Compiled kernels against hand-written Rust, in one run, interleaved, as medians.
//!
//! `cargo bench` prints the table; `cargo bench -- --write README.md` puts it between the marks in that file;
//! `--size small|medium|large`, `--kernel NAME` (`call`: what a call costs besides its work), `--threads N` and `--seconds S`
//! (for each line) choose.
//! *tuned* is written by hand for the machine, *plain* is rayon's iterators and std's functions. Both are compiled for this
//! machine. Where `CUPROUS_PEER` names a program that measures the same kernels (`--kernel K --dtype T --size S
//! --threads N`, answering with a line of JSON that has `median_s`), its ratio is printed too.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]

mod call;
mod input;
mod kernel;
mod plain;
mod real;
mod tuned;

use input::{laplacian, room, uniform};
use ndarray::Array2;
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What is compared.
struct Case {
    kernel: &'static str,
    dtype: &'static str,
    /// Bytes that must move, or operations, and the unit of their rate.
    work: f64,
    unit: &'static str,
    /// Ours, tuned, plain.
    runs: [Box<dyn FnMut()>; 3],
    /// Whether the three results agree; called after all have run.
    agree: Box<dyn Fn() -> bool>,
}

/// The three sizes of each kernel.
#[derive(Clone, Copy)]
enum Size {
    Small,
    Medium,
    Large,
}

impl Size {
    fn of<T: Copy>(self, sizes: [T; 3]) -> T {
        sizes[self as usize]
    }

    fn name(self) -> &'static str {
        self.of(["small", "medium", "large"])
    }
}

/// A value that a run writes and the check reads.
type Shared<T> = Rc<RefCell<T>>;

fn shared<T>(value: T) -> Shared<T> {
    Rc::new(RefCell::new(value))
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

macro_rules! cases {
    ($function:ident, $module:ident, $t:ident, long $long:expr) => {
        fn $function(size: Size, only: Option<&str>) -> Vec<Case> {
            use kernel::$module as ours;
            const DTYPE: &str = stringify!($t);
            const BYTES: f64 = size_of::<$t>() as f64;
            let wanted = |name: &str| only.is_none_or(|only| only == name);
            let all_near = |a: &[$t], b: &[$t], tolerance: f64| {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|(&a, &b)| near(a as f64, b as f64, tolerance))
            };
            let rough = if DTYPE == "f32" { 2e-3 } else { 1e-9 };
            let n = size.of([1 << 14, 1 << 20, $long]);
            let mut cases = vec![];
            if wanted("saxpy") {
                let (x, y) = (
                    uniform::<$t>(1, n, -1.0, 1.0),
                    uniform::<$t>(2, n, -1.0, 1.0),
                );
                let (x, y) = (Rc::new(x), Rc::new(y));
                let outs = [(); 3].map(|()| shared(room::<$t>(n)));
                let [a, b, c] = outs.clone();
                let (x0, y0, x1, y1) = (x.clone(), y.clone(), x.clone(), y.clone());
                cases.push(Case {
                    kernel: "saxpy",
                    dtype: DTYPE,
                    work: 3.0 * BYTES * n as f64,
                    unit: "GB/s",
                    runs: [
                        Box::new(move || {
                            let call = ours::saxpy::call(2.5, &*x0, &*y0);
                            call.run_into(&mut *a.borrow_mut()).unwrap()
                        }),
                        Box::new(move || tuned::saxpy(2.5, &x1, &y1, &mut b.borrow_mut())),
                        Box::new(move || plain::saxpy(2.5, &x, &y, &mut c.borrow_mut())),
                    ],
                    agree: Box::new(move || {
                        let [a, b, c] = outs.each_ref().map(|out| out.borrow());
                        all_near(&a, &c, 1e-6) && all_near(&b, &c, 1e-6)
                    }),
                });
            }
            for kernel in ["dot", "sum"].into_iter().filter(|kernel| wanted(kernel)) {
                let dot = kernel == "dot";
                let x = Rc::new(uniform::<$t>(1, n, -1.0, 1.0));
                let y = Rc::new(if dot {
                    uniform::<$t>(2, n, -1.0, 1.0)
                } else {
                    vec![]
                });
                let outs = [(); 3].map(|()| shared(0.0f64));
                let [a, b, c] = outs.clone();
                let (x0, y0, x1, y1) = (x.clone(), y.clone(), x.clone(), y.clone());
                cases.push(Case {
                    kernel,
                    dtype: DTYPE,
                    work: if dot { 2.0 } else { 1.0 } * BYTES * n as f64,
                    unit: "GB/s",
                    runs: [
                        Box::new(move || {
                            *a.borrow_mut() = match dot {
                                true => ours::dot::call(&*x0, &*y0).run().unwrap() as f64,
                                false => ours::sum::call(&*x0).run().unwrap() as f64,
                            }
                        }),
                        Box::new(move || {
                            *b.borrow_mut() = match dot {
                                true => tuned::dot(&x1, &y1),
                                false => tuned::sum(&x1),
                            }
                        }),
                        Box::new(move || {
                            *c.borrow_mut() = match dot {
                                true => plain::dot(&x, &y),
                                false => plain::sum(&x),
                            }
                        }),
                    ],
                    agree: Box::new(move || {
                        let [a, b, c] = outs.each_ref().map(|out| *out.borrow());
                        let tolerance = n as f64 * if DTYPE == "f32" { 1e-6 } else { 1e-13 };
                        (a - b).abs() <= tolerance && (a - c).abs() <= tolerance
                    }),
                });
            }
            if wanted("scan") {
                let x = Rc::new(uniform::<$t>(1, n, -1.0, 1.0));
                let outs = [(); 3].map(|()| shared(room::<$t>(n)));
                let [a, b, c] = outs.clone();
                let (x0, x1) = (x.clone(), x.clone());
                cases.push(Case {
                    kernel: "scan",
                    dtype: DTYPE,
                    work: 2.0 * BYTES * n as f64,
                    unit: "GB/s",
                    runs: [
                        Box::new(move || {
                            ours::scan::call(&*x0)
                                .run_into(&mut *a.borrow_mut())
                                .unwrap()
                        }),
                        Box::new(move || tuned::scan(&x1, &mut b.borrow_mut())),
                        Box::new(move || plain::scan(&x, &mut c.borrow_mut())),
                    ],
                    agree: Box::new(move || {
                        let [a, b, c] = outs.each_ref().map(|out| out.borrow());
                        let bound = n as f64
                            * if DTYPE == "f32" {
                                2f64.powi(-24)
                            } else {
                                2f64.powi(-50)
                            };
                        let close = |x: &[$t]| {
                            x.iter()
                                .zip(&*c)
                                .all(|(x, c)| ((x - c) as f64).abs() <= bound)
                        };
                        close(&a) && close(&b)
                    }),
                });
            }
            if wanted("compact") {
                let x = Rc::new(uniform::<$t>(1, n, -1.0, 1.0));
                let tuned_out = shared((0usize, 0.0f64, room::<$t>(n)));
                let ours_out = shared(None);
                let plain_out = shared((vec![], 0.0));
                let (a, b, c) = (ours_out.clone(), tuned_out.clone(), plain_out.clone());
                let (x0, x1) = (x.clone(), x.clone());
                cases.push(Case {
                    kernel: "compact",
                    dtype: DTYPE,
                    work: 1.375 * BYTES * n as f64,
                    unit: "GB/s",
                    runs: [
                        Box::new(move || {
                            let mut a = a.borrow_mut();
                            *a = None;
                            *a = Some(ours::compact::call(&*x0, 0.25).run().unwrap());
                        }),
                        Box::new(move || {
                            let mut b = b.borrow_mut();
                            let (kept, sum) = tuned::compact(&x1, 0.25, &mut b.2);
                            (b.0, b.1) = (kept, sum);
                        }),
                        Box::new(move || *c.borrow_mut() = plain::compact(&x, 0.25)),
                    ],
                    agree: Box::new(move || {
                        let (a, b, c) = (ours_out.borrow(), tuned_out.borrow(), plain_out.borrow());
                        let Some((kept, sum)) = &*a else { return false };
                        let tolerance = if DTYPE == "f32" { 1e-4 } else { 1e-11 };
                        kept.to_vec() == c.0
                            && b.2[..b.0] == c.0
                            && near(*sum as f64, b.1, tolerance)
                    }),
                });
            }
            if wanted("heat2d") {
                let (n, steps) = size.of([(128, 100), (1024, 100), (4096, 20)]);
                let u = uniform::<$t>(1, n * n, 0.0, 1.0);
                let u = Rc::new(Array2::from_shape_vec((n, n), u).unwrap());
                let outs = [(); 2].map(|()| shared((room::<$t>(n * n), room::<$t>(n * n))));
                let ours_out = shared(None);
                let [b, c] = outs.clone();
                let (a, u0, u1) = (ours_out.clone(), u.clone(), u.clone());
                cases.push(Case {
                    kernel: "heat2d",
                    dtype: DTYPE,
                    work: 2.0 * BYTES * (n * n * steps) as f64,
                    unit: "GB/s",
                    runs: [
                        Box::new(move || {
                            let mut a = a.borrow_mut();
                            *a = None;
                            *a = Some(ours::heat::call(&*u0, steps).run().unwrap());
                        }),
                        Box::new(move || {
                            let (a, b) = &mut *b.borrow_mut();
                            tuned::heat(u1.as_slice().unwrap(), a, b, n, steps)
                        }),
                        Box::new(move || {
                            let (a, b) = &mut *c.borrow_mut();
                            plain::heat(u.as_slice().unwrap(), a, b, n, steps)
                        }),
                    ],
                    agree: Box::new(move || {
                        let [b, c] = outs.each_ref().map(|out| out.borrow());
                        let a = ours_out.borrow();
                        let a = a.as_ref().map_or(vec![], |a| a.to_vec());
                        all_near(&a, &c.0, 1e-5) && all_near(&b.0, &c.0, 1e-5)
                    }),
                });
            }
            if wanted("spmv_lap") {
                let m = size.of([128, 1024, 2048]);
                let matrix = Rc::new(laplacian::<$t>(m));
                let x = Rc::new(uniform::<$t>(1, m * m, -1.0, 1.0));
                let outs = [(); 3].map(|()| shared(room::<$t>(m * m)));
                let [a, b, c] = outs.clone();
                let (m0, x0, m1, x1) = (matrix.clone(), x.clone(), matrix.clone(), x.clone());
                let entries = matrix.values.len() as f64;
                cases.push(Case {
                    kernel: "spmv_lap",
                    dtype: DTYPE,
                    work: entries * (BYTES + 4.0) + (m * m) as f64 * (2.0 * BYTES + 4.0),
                    unit: "GB/s",
                    runs: [
                        Box::new(move || {
                            let call = ours::spmv::call(&*m0.rows, &*m0.cols, &*m0.values, &*x0);
                            call.run_into(&mut *a.borrow_mut()).unwrap()
                        }),
                        Box::new(move || tuned::spmv(&m1, &x1, &mut b.borrow_mut())),
                        Box::new(move || plain::spmv(&matrix, &x, &mut c.borrow_mut())),
                    ],
                    agree: Box::new(move || {
                        let [a, b, c] = outs.each_ref().map(|out| out.borrow());
                        all_near(&a, &c, 2e-5) && all_near(&b, &c, 2e-5)
                    }),
                });
            }
            if wanted("mandelbrot") {
                let n = size.of([128usize, 512, 2048]);
                let outs = [(); 2].map(|()| shared(room::<i32>(n * n)));
                let ours_out = shared(None);
                let [b, c] = outs.clone();
                let a = ours_out.clone();
                cases.push(Case {
                    kernel: "mandelbrot",
                    dtype: DTYPE,
                    work: (n * n) as f64,
                    unit: "Mpixel/s",
                    runs: [
                        Box::new(move || {
                            let mut a = a.borrow_mut();
                            *a = None;
                            *a = Some(ours::mandelbrot::call(n).run().unwrap());
                        }),
                        Box::new(move || tuned::mandelbrot::<$t>(n, &mut b.borrow_mut())),
                        Box::new(move || plain::mandelbrot::<$t>(n, &mut c.borrow_mut())),
                    ],
                    agree: Box::new(move || {
                        let [b, c] = outs.each_ref().map(|out| out.borrow());
                        let a = ours_out.borrow();
                        let a = a.as_ref().map_or(vec![], |a| a.to_vec());
                        let off = |x: &[i32]| x.iter().zip(&*c).filter(|(x, c)| x != c).count();
                        a.len() == c.len() && off(&a) <= n * n / 100 && off(&b) <= n * n / 100
                    }),
                });
            }
            if wanted("blackscholes") {
                let n = size.of([1 << 14, 1 << 20, 1 << 24]);
                let inputs = [(1, 8.0, 136.0), (2, 8.0, 136.0), (3, 0.25, 8.25)];
                let inputs = inputs.map(|(seed, low, high)| uniform::<$t>(seed, n, low, high));
                let inputs = Rc::new(inputs);
                let outs = [(); 3].map(|()| shared((room::<$t>(n), room::<$t>(n))));
                let [a, b, c] = outs.clone();
                let (i0, i1) = (inputs.clone(), inputs.clone());
                cases.push(Case {
                    kernel: "blackscholes",
                    dtype: DTYPE,
                    work: n as f64,
                    unit: "Moption/s",
                    runs: [
                        Box::new(move || {
                            let [s, k, t] = &*i0;
                            let (call, put) = &mut *a.borrow_mut();
                            let run = ours::black_scholes::call(s, k, t);
                            run.run_into((call, put)).unwrap()
                        }),
                        Box::new(move || {
                            let [s, k, t] = &*i1;
                            let (call, put) = &mut *b.borrow_mut();
                            tuned::black_scholes(s, k, t, call, put)
                        }),
                        Box::new(move || {
                            let [s, k, t] = &*inputs;
                            let (call, put) = &mut *c.borrow_mut();
                            plain::black_scholes(s, k, t, call, put)
                        }),
                    ],
                    agree: Box::new(move || {
                        let [a, b, c] = outs.each_ref().map(|out| out.borrow());
                        all_near(&a.0, &c.0, rough)
                            && all_near(&a.1, &c.1, rough)
                            && all_near(&b.0, &c.0, rough)
                            && all_near(&b.1, &c.1, rough)
                    }),
                });
            }
            cases
        }
    };
}
cases!(single, single, f32, long 1 << 26);
cases!(double, double, f64, long 1 << 25);

fn pi(size: Size) -> Case {
    let n = size.of([1 << 14, 1 << 20, 12_000_000usize]);
    let outs = [(); 3].map(|()| shared(0i64));
    let [a, b, c] = outs.clone();
    Case {
        kernel: "mcpi",
        dtype: "f32",
        work: n as f64,
        unit: "Msample/s",
        runs: [
            Box::new(move || *a.borrow_mut() = kernel::pi::call(n / 2).run().unwrap()),
            Box::new(move || *b.borrow_mut() = tuned::pi(n)),
            Box::new(move || *c.borrow_mut() = plain::pi(n)),
        ],
        agree: Box::new(move || {
            let [a, b, c] = outs.each_ref().map(|out| *out.borrow());
            a == c && (b - c).abs() <= 16
        }),
    }
}

/// The median.
fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let n = times.len();
    (times[n / 2] + times[(n - 1) / 2]) / 2.0
}

/// Medians of the three, in seconds, taken in turn; and the time of our first call, which compiles.
fn measure(case: &mut Case, budget: Duration) -> ([f64; 3], f64) {
    let time = |run: &mut Box<dyn FnMut()>, count: usize| {
        let begin = Instant::now();
        (0..count).for_each(|_| run());
        begin.elapsed().as_secs_f64()
    };
    let first = time(&mut case.runs[0], 1);
    // Enough calls for the clock.
    let counts = case.runs.each_mut().map(|run| {
        time(run, 1);
        let once = time(run, 1).max(1e-9);
        (4e-3 / once).ceil().clamp(1.0, 1e6) as usize
    });
    let mut times = [vec![], vec![], vec![]];
    let begin = Instant::now();
    while times[0].len() < 5 || (begin.elapsed() < budget && times[0].len() < 200) {
        for k in 0..3 {
            times[k].push(time(&mut case.runs[k], counts[k]) / counts[k] as f64);
        }
    }
    (times.each_mut().map(|times| median(times)), first)
}

/// The median of another program for the same kernel.
fn peer(case: &Case, size: Size, threads: usize) -> Option<f64> {
    let program = std::env::var_os("CUPROUS_PEER")?;
    let threads = threads.to_string();
    let output = std::process::Command::new(program)
        .args(["--kernel", case.kernel, "--dtype", case.dtype])
        .args(["--size", size.name(), "--threads", &threads])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (_, value) = text.split_once("\"median_s\":")?;
    value.split([',', '}']).next()?.trim().parse().ok()
}

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

fn main() {
    // `cargo test --all-targets` starts benchmarks without this flag: they are no tests.
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("not measured: run `cargo bench`");
        return;
    }
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let (mut size, mut only, mut threads, mut seconds) = (Size::Large, None, 2, 2.0);
    let mut write = None;
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next().unwrap_or_else(|| {
                eprintln!("{arg} needs a value");
                std::process::exit(2)
            })
        };
        match arg.as_str() {
            "--size" => {
                size = match value().as_str() {
                    "small" => Size::Small,
                    "medium" => Size::Medium,
                    "large" => Size::Large,
                    other => {
                        eprintln!("--size is small, medium or large, not {other}");
                        std::process::exit(2)
                    }
                }
            }
            "--kernel" => only = Some(value()),
            "--threads" => threads = value().parse().unwrap_or(2),
            "--seconds" => seconds = value().parse().unwrap_or(2.0),
            "--write" => write = Some(value()),
            "--first" => {
                let name = value();
                if !call::first(&name) {
                    eprintln!("no first call of {name} is measured");
                    std::process::exit(2)
                }
                return;
            }
            other => {
                eprintln!("unknown option {other}; see the head of benches/compare/main.rs");
                std::process::exit(2)
            }
        }
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global();
    pool.unwrap_or_else(|error| eprintln!("{error}"));
    let with_peer = std::env::var_os("CUPROUS_PEER").is_some();
    let mut table = format!(
        "Inputs of size {}, {threads} threads, medians of interleaved runs in one process; ratios above 1 mean that cuprous is faster.\n\
         *tuned* is hand-vectorised Rust (512-bit vectors where the machine has them; ours have 128 bits), *plain* is rayon's\n\
         iterators and std's functions compiled for the machine{}.\n\n",
        size.name(),
        if with_peer {
            ", *peer* a second hand-vectorised program that ran by itself"
        } else {
            ""
        }
    );
    let extra = if with_peer {
        (" against peer |", "---:|")
    } else {
        ("", "")
    };
    let _ = writeln!(
        table,
        "| kernel | type | cuprous | rate | against tuned | against plain |{}\n|---|---|---:|---:|---:|---:|{}",
        extra.0, extra.1
    );
    print!("{table}");
    let mut wrong = false;
    // The measuring loop runs on a thread of the pool: a parallel call then needs no hand-over.
    let mut rows = String::new();
    let mut line = |mut case: Case| {
        let ([ours, tuned, plain], first) = measure(&mut case, Duration::from_secs_f64(seconds));
        let agree = (case.agree)();
        wrong |= !agree;
        let rate = case.work / ours / if case.unit == "GB/s" { 1e9 } else { 1e6 };
        let mut row = format!(
            "| {} | {} | {:.3} ms | {rate:.1} {} | {:.2} | {:.2} |",
            case.kernel,
            case.dtype,
            ours * 1e3,
            case.unit,
            tuned / ours,
            plain / ours
        );
        if with_peer {
            match peer(&case, size, threads) {
                Some(other) => row += &format!(" {:.2} |", other / ours),
                None => row += " |",
            }
        }
        let note = if agree { "" } else { "  results differ" };
        println!("{row}{note}");
        eprintln!("  first call {:.2} ms", first * 1e3);
        rows += &row;
        rows.push('\n');
    };
    rayon::scope(|_| {
        for make in [single, double] {
            for name in [
                "saxpy",
                "dot",
                "sum",
                "scan",
                "compact",
                "heat2d",
                "spmv_lap",
                "mandelbrot",
                "blackscholes",
            ] {
                if only.as_deref().is_none_or(|only| only == name) {
                    make(size, Some(name)).into_iter().for_each(&mut line);
                }
            }
        }
        if only.as_deref().is_none_or(|only| only == "mcpi") {
            line(pi(size));
        }
    });
    table += &rows;
    if only.as_deref().is_none_or(|only| only == "call") {
        let text = call::report();
        println!("{text}");
        table += &text;
    }
    if let Some(path) = write {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let parts = text.split_once(BEGIN);
        let parts = parts.and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
        match parts {
            Some((head, tail)) => {
                let text = format!("{head}{BEGIN}\n{table}{END}{tail}");
                if let Err(error) = std::fs::write(&path, text) {
                    eprintln!("{path}: {error}");
                    wrong = true;
                }
            }
            None => {
                eprintln!("{path} has no lines `{BEGIN}` and `{END}`");
                wrong = true;
            }
        }
    }
    if wrong {
        std::process::exit(1);
    }
}
