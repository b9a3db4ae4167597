//! The five-point step on ranks of MPI, against the same by hand (`five_point.c`) and with mpi4py and NumPy (`five_point.py`): in one
//! run, interleaved, as medians; and whether all give the same bits.
//!
//! `benches/mpi/setup.sh` compiles the one and installs the others; `cargo bench --bench mpi` prints the table; `-- --write README.md`
//! puts it between the marks in that file; `--only f32` and `--seconds S` (for each line and program) choose. `MPIRUN` names another
//! launcher than `mpirun.openmpi`, and `RANKS` another number of ranks than 2.
//!
//! Each program is a job of its own, many times: a job repeats its steps three times, and the median of all counts.

mod kernel;
#[path = "../opencl/options.rs"]
mod options;
mod rank;

use options::{Options, fail, options, write};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The heights and widths of the grids, and the steps of a repetition.
const SIZES: &[(usize, usize)] = &[(1024, 100), (2048, 40), (4096, 10)];
const TYPES: &[&str] = &["f64", "f32"];
const REPETITIONS: usize = 3;

/// A job's answer.
struct Ended {
    seconds: Vec<f64>,
    checksum: String,
}

fn job(
    launcher: &str,
    ranks: &str,
    program: &Program,
    size: (usize, usize),
) -> Result<Ended, String> {
    let (height, steps) = size;
    let mut command = Command::new("timeout");
    command.arg("300").arg(launcher);
    // As root in a container, with as many ranks as are asked for.
    command
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    if launcher.contains("openmpi") {
        command.arg("--oversubscribe");
    }
    command.args(["-n", ranks]).args(&program.words);
    command.args([height, height, steps, REPETITIONS].map(|n| n.to_string()));
    command.args(&program.last);
    let output = command
        .output()
        .map_err(|error| format!("{launcher}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = |name: &str| {
        let lines = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect::<Vec<_>>();
        let named = lines.into_iter().filter(|(word, _)| *word == name);
        named
            .map(|(_, rest)| rest.trim().to_string())
            .collect::<Vec<_>>()
    };
    let seconds: Vec<f64> = words("seconds")
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect();
    match (output.status.success(), words("checksum").pop()) {
        (true, Some(checksum)) if !seconds.is_empty() => Ok(Ended { seconds, checksum }),
        _ => Err(format!(
            "{}\n{text}{}",
            program.words.join(" "),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A program: what stands before the numbers, and after them.
struct Program {
    words: Vec<String>,
    last: Vec<String>,
}

/// By hand, ours, and mpi4py's where it is installed.
fn programs(real: &str, target: &Path) -> Vec<Program> {
    let path = |path: PathBuf| path.display().to_string();
    let own = std::env::current_exe().unwrap_or_else(|error| fail(&error.to_string()));
    let program = |words: Vec<String>, last: &[&str]| Program {
        words,
        last: last.iter().map(|word| word.to_string()).collect(),
    };
    let hand = path(target.join(format!("mpi-bench/five_point_{real}")));
    let mut all = vec![program(vec![hand], &[]), program(vec![path(own)], &[real])];
    let python = target.join("mpi4py-venv/bin/python");
    if python.exists() {
        let words = vec![path(python), "benches/mpi/five_point.py".into()];
        all.push(program(words, &[real]));
    }
    all
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [numbers @ .., real] = &args[..]
        && let Ok(numbers) = numbers
            .iter()
            .map(|n| n.parse())
            .collect::<Result<Vec<usize>, _>>()
        && let [height, width, steps, repetitions] = numbers[..]
    {
        let size = rank::Size {
            height,
            width,
            steps,
            repetitions,
        };
        return rank::run(real, size);
    }
    // `cargo test --all-targets` starts benchmarks without this flag: they are no tests.
    if !args.iter().any(|arg| arg == "--bench") {
        println!("not measured: run `cargo bench`");
        return Ok(());
    }
    let Options { only, budget, file } = options("benches/mpi/main.rs");
    options::known(only.as_deref(), TYPES);
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_string());
    let (launcher, ranks) = (variable("MPIRUN", "mpirun.openmpi"), variable("RANKS", "2"));
    let target = PathBuf::from(variable("CARGO_TARGET_DIR", "target"));
    if !target.join("mpi-bench/five_point_f64").exists() {
        println!("not measured: run benches/mpi/setup.sh first");
        return Ok(());
    }
    let mut table = String::from(
        "| grid | type | by hand, a step | cuprous | ratio | mpi4py and NumPy | ratio |\n|---|---|---:|---:|---:|---:|---:|\n",
    );
    print!("{table}");
    let mut right = true;
    for real in TYPES
        .iter()
        .filter(|real| only.as_deref().is_none_or(|only| only == **real))
    {
        for &size in SIZES {
            let programs = programs(real, &target);
            let mut times: Vec<Vec<f64>> = vec![vec![]; programs.len()];
            let mut sums = vec![];
            let begin = Instant::now();
            let budget = (budget * programs.len() as u32).max(Duration::from_millis(1));
            while begin.elapsed() < budget
                || times.iter().any(|times| times.len() < 3 * REPETITIONS)
            {
                for (program, times) in programs.iter().zip(&mut times) {
                    let ended =
                        job(&launcher, &ranks, program, size).unwrap_or_else(|text| fail(&text));
                    times.extend(ended.seconds);
                    sums.push(ended.checksum);
                }
            }
            right &= sums.iter().all(|sum| *sum == sums[0]);
            let medians: Vec<f64> = times.into_iter().map(median).collect();
            let ms = |seconds: f64| format!("{:.2} ms", seconds * 1e3);
            let (hand, ours) = (medians[0], medians[1]);
            let python = match medians.get(2) {
                Some(&python) => format!("{} | {:.1}", ms(python), python / ours),
                None => "not installed | ".to_string(),
            };
            let line = format!(
                "| {0}² | {real} | {1} | {2} | {3:.2} | {python} |",
                size.0,
                ms(hand),
                ms(ours),
                hand / ours
            );
            println!("{line}");
            let _ = writeln!(table, "{line}");
        }
    }
    if let Some(path) = file {
        write(&path, "mpi", &table).unwrap_or_else(|text| fail(&text));
    }
    match right {
        true => Ok(()),
        false => Err("the programs give different bits".into()),
    }
}
