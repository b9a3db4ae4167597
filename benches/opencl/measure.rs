//! Medians of runs that are taken in turn.

use std::time::{Duration, Instant};

/// The median.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let n = times.len();
    (times[n / 2] + times[(n - 1) / 2]) / 2.0
}

/// Medians in seconds, of runs taken in turn.
pub fn measure(runs: &mut [&mut dyn FnMut()], budget: Duration) -> Vec<f64> {
    let time = |run: &mut dyn FnMut(), count: usize| {
        let begin = Instant::now();
        (0..count).for_each(|_| run());
        begin.elapsed().as_secs_f64() / count as f64
    };
    // Enough runs for the clock.
    let count = |run: &mut &mut dyn FnMut()| {
        time(run, 1);
        (2e-3 / time(run, 1).max(1e-9)).ceil().clamp(1.0, 1e6) as usize
    };
    let counts: Vec<_> = runs.iter_mut().map(count).collect();
    let mut times = vec![vec![]; runs.len()];
    let begin = Instant::now();
    while times[0].len() < 5 || (begin.elapsed() < budget && times[0].len() < 1000) {
        for ((run, times), &count) in runs.iter_mut().zip(&mut times).zip(&counts) {
            times.push(time(run, count));
        }
    }
    times.into_iter().map(median).collect()
}

/// A time in a unit that suits it.
pub fn seconds(time: f64) -> String {
    match time {
        t if t < 1e-3 => format!("{:.2} µs", t * 1e6),
        t => format!("{:.3} ms", t * 1e3),
    }
}
