//! What a call costs besides its work: a warm one on little data, and the first one, which elaborates and compiles.

use super::input::uniform;
use super::{kernel, median};
use std::fmt::Write;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

/// Elements of the warm call.
const FEW: usize = 1000;
/// Processes that each make one first call.
const PROCESSES: usize = 15;

/// Kernels whose first call is measured, by name.
const FIRST: &[(&str, fn())] = &[
    ("saxpy f32", || {
        black_box(kernel::single::saxpy(2.5, &[1.0], &[2.0]));
    }),
    ("blackscholes f64", || {
        black_box(kernel::double::black_scholes(&[50.0], &[40.0], &[1.0]));
    }),
];

/// Makes the first call of a kernel in this process and prints how many seconds it took.
pub fn first(name: &str) -> bool {
    let Some((_, call)) = FIRST.iter().find(|(known, _)| *known == name) else {
        return false;
    };
    let begin = Instant::now();
    call();
    println!("{}", begin.elapsed().as_secs_f64());
    true
}

/// The median of a first call over several processes, in seconds.
fn median_first(name: &str) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let once = || {
        let output = Command::new(&program)
            .args(["--bench", "--first", name])
            .output();
        String::from_utf8(output.ok()?.stdout)
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let times: Option<Vec<f64>> = (0..PROCESSES).map(|_| once()).collect();
    Some(median(&mut times?))
}

/// Medians of saxpy on few elements with a result of its own, ours and plain, in seconds, taken in turn.
fn warm() -> [f64; 2] {
    let (x, y) = (
        uniform::<f32>(1, FEW, -1.0, 1.0),
        uniform::<f32>(2, FEW, -1.0, 1.0),
    );
    let calls = 2000;
    let mut times = [vec![], vec![]];
    for _ in 0..101 {
        let begin = Instant::now();
        for _ in 0..calls {
            black_box(kernel::single::saxpy(2.5, black_box(&x), black_box(&y)));
        }
        times[0].push(begin.elapsed().as_secs_f64() / calls as f64);
        let begin = Instant::now();
        for _ in 0..calls {
            black_box(kernel::single::saxpy::plain(
                2.5,
                black_box(&x),
                black_box(&y),
            ));
        }
        times[1].push(begin.elapsed().as_secs_f64() / calls as f64);
    }
    times.each_mut().map(|times| median(times))
}

/// The lines of the report.
pub fn report() -> String {
    let [ours, plain] = warm();
    let mut text = format!(
        "\nA warm call of saxpy on {FEW} f32 takes {:.2} µs, the plain function {:.2} µs.",
        ours * 1e6,
        plain * 1e6
    );
    for (name, _) in FIRST {
        if let Some(seconds) = median_first(name) {
            let _ = write!(
                text,
                " The first call of {name} takes {:.2} ms.",
                seconds * 1e3
            );
        }
    }
    text.push('\n');
    text
}
