//! From the threads of a place to what people ask of it: its instructions, and the speed of its memory.

use crate::crew::Crew;
use crate::isa;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The elements of each of the two arrays: 128 MiB.
const LENGTH: usize = 16 << 20;
/// The elements that a thread copies at once.
const PIECE: usize = 1 << 17;
/// Runs, the first of which does not count.
const RUNS: usize = 6;

/// What `cuprous places` shows.
pub fn describe(crew: &Crew) -> Vec<(&'static str, String)> {
    let target = isa::target();
    let mut features = target.split('+');
    let triple = features.next().unwrap_or_default().to_string();
    let features: Vec<&str> = features
        .map(|name| name.trim_start_matches("has_"))
        .collect();
    vec![
        ("code for", triple),
        ("instructions", features.join(" ")),
        ("registers", "vectors of 128 bits".into()),
        ("threads", crew.threads().to_string()),
        ("bandwidth", format!("{:.1} GB/s", bandwidth(crew) / 1e9)),
    ]
}

/// The bytes per second that the threads read and write when they copy a large array: the median of several runs.
fn bandwidth(crew: &Crew) -> f64 {
    let (from, mut to) = (vec![1u64; LENGTH], vec![0u64; LENGTH]);
    let mut times = vec![];
    for run in 0..RUNS {
        let pieces = Mutex::new(to.chunks_mut(PIECE).zip(from.chunks(PIECE)));
        let next = || {
            let mut pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
            pieces.next()
        };
        let start = Instant::now();
        crew.run(crew.threads(), |_| {
            while let Some((to, from)) = next() {
                to.copy_from_slice(from);
            }
        });
        if run > 0 {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    2.0 * size_of_val(&from[..]) as f64 / times[times.len() / 2]
}
