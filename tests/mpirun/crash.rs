//! A rank is killed in mid-run: the job ends soon, the launcher says why, and a restart from the checkpoint, on another number of
//! ranks, gives the bits of a run that nobody disturbed.

use super::job::{self, Job, launchers};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the others may go on, and the launcher.
const SOON: Duration = Duration::from_secs(2);

/// How many ranks are started; one of them is killed.
const RANKS: usize = 4;

const SIZE: &str = "160";
const STEPS: usize = 1200;
const EVERY: usize = 24;

/// The last line of what a run printed.
fn hash(output: &str) -> &str {
    let line = output.lines().find(|line| line.starts_with("hash: "));
    line.unwrap_or_else(|| panic!("no hash in {output:?}"))
}

/// How many checkpoints have been saved in a folder.
fn saved(folder: &Path) -> usize {
    let current = fs::read_to_string(folder.join("current")).unwrap_or_default();
    current.trim().parse().unwrap_or(0)
}

/// Kills a rank in so many runs, each at another moment: the first before there is a checkpoint.
fn killed(launcher: &str, runs: usize, says: &str) {
    let _turn = job::turn();
    let folder = job::folder(&format!("crash-{launcher}"));
    let name = folder.display().to_string();
    let (steps, every) = (STEPS.to_string(), EVERY.to_string());
    let run = [SIZE, &steps, "--checkpoint", &name, "--every", &every];
    let again = [
        SIZE,
        &steps,
        "--checkpoint",
        &name,
        "--every",
        &steps,
        "--restart",
    ];
    let whole = Job::start(Some(launcher), RANKS, "heat_mpi", &run).end();
    assert_eq!(whole.status, Some(0), "{whole:?}");
    let mut longest = (Duration::ZERO, Duration::ZERO);
    for number in 0..runs {
        let rank = number * 3 % RANKS;
        let mut checkpoints = STEPS / EVERY * 8 / 10 * number / runs;
        let pause = Duration::from_micros(number as u64 % 7 * 700);
        let ended = loop {
            let _ = fs::remove_dir_all(&folder);
            let mut job = Job::start(Some(launcher), RANKS, "heat_mpi", &run);
            let there = job.kill(rank, pause, || saved(&folder) >= checkpoints);
            let kill = Instant::now();
            let ranks = job.gone(&job.ranks(RANKS));
            let ended = job.end();
            if there && ended.status != Some(0) {
                longest = (longest.0.max(ranks), longest.1.max(kill.elapsed()));
                break ended;
            }
            // It was through before the signal came.
            assert_eq!(ended.status, Some(0), "{launcher}, rank {rank}: {ended:?}");
            checkpoints /= 2;
        };
        let what = format!("{launcher}, rank {rank} after {checkpoints} checkpoints");
        assert!(
            longest.0 < SOON,
            "{what}: ranks: {longest:?} later: {ended:?}"
        );
        assert!(longest.1 < SOON, "{what}: {longest:?} later: {ended:?}");
        let text = ended.output + &ended.errors;
        assert!(text.contains(says), "{what}: {text}");

        let ranks = 1 + number % 3;
        // One rank needs no launcher.
        let by = (ranks > 1).then_some(launcher);
        let again = Job::start(by, ranks, "heat_mpi", &again).end();
        assert_eq!(again.status, Some(0), "{what}: {again:?}");
        assert_eq!(hash(&again.output), hash(&whole.output), "{what}");
        let went_on = again.errors.contains("it goes on at step ");
        assert_eq!(
            went_on,
            checkpoints > 0 || saved(&folder) > 1,
            "{what}: {again:?}"
        );
    }
    let (ranks, launcher_too) = longest;
    println!(
        "{launcher}: {runs} ranks killed; others ended at most {ranks:?} later, launchers {launcher_too:?}"
    );
}

#[test]
fn open_mpi_goes_on_after_a_crash() {
    if launchers().contains(&"mpirun.openmpi") {
        killed("mpirun.openmpi", 20, "signal 9");
    }
}

#[test]
fn mpich_goes_on_after_a_crash() {
    if launchers().contains(&"mpirun.mpich") {
        killed("mpirun.mpich", 6, "signal 9");
    }
}
