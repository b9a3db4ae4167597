//! A rank is killed in mid-run: the job ends soon, the launcher says why, and a restart from the checkpoint, on another number of
//! ranks, gives the bits of a run that nobody disturbed.

use super::job::{self, Job, launchers};
use std::fs;
use std::time::{Duration, Instant};

/// How long the others may go on.
const SOON: Duration = Duration::from_secs(2);

/// How many ranks are started; one of them is killed.
const RANKS: usize = 4;

const SIZE: &str = "160";
const STEPS: &str = "3000";
const EVERY: &str = "60";

/// The last line of what a run printed.
fn hash(output: &str) -> &str {
    let line = output.lines().find(|line| line.starts_with("hash: "));
    line.unwrap_or_else(|| panic!("no hash in {output:?}"))
}

/// Kills a rank in so many runs, each at another moment.
fn killed(launcher: &str, runs: u32, says: &str) {
    let _turn = job::turn();
    let folder = job::folder(&format!("crash-{launcher}"));
    let name = folder.display().to_string();
    let run = [SIZE, STEPS, "--checkpoint", &name, "--every", EVERY];
    let whole = Job::start(Some(launcher), RANKS, "heat_mpi", &run).end();
    assert_eq!(whole.status, Some(0), "{whole:?}");
    let begin = Instant::now();
    let mut saved = 0;
    for number in 0..runs {
        let _ = fs::remove_dir_all(&folder);
        let rank = number as usize * 3 % RANKS;
        let mut moment = whole.took * (2 * number + 1) / (2 * runs + 1);
        let ended = loop {
            let mut job = Job::start(Some(launcher), RANKS, "heat_mpi", &run);
            let was_there = job.kill(rank, moment);
            let kill = Instant::now();
            let ended = job.end();
            if was_there && ended.status != Some(0) {
                let after = kill.elapsed();
                assert!(after < SOON, "{after:?} later: {ended:?}");
                break ended;
            }
            // It was faster this time.
            let _ = fs::remove_dir_all(&folder);
            moment = moment * 2 / 3;
        };
        let text = ended.output + &ended.errors;
        assert!(text.contains(says), "rank {rank} at {moment:?}: {text}");
        saved += u32::from(folder.join("current").exists());
        let ranks = 1 + number as usize % 3;
        let again = [
            SIZE,
            STEPS,
            "--checkpoint",
            &name,
            "--every",
            STEPS,
            "--restart",
        ];
        let again = Job::start(Some(launcher), ranks, "heat_mpi", &again).end();
        assert_eq!(
            again.status,
            Some(0),
            "rank {rank} at {moment:?}: {again:?}"
        );
        assert_eq!(
            hash(&again.output),
            hash(&whole.output),
            "rank {rank} at {moment:?}"
        );
    }
    println!(
        "{launcher}: {runs} runs in {:?}, {saved} of them with a checkpoint; whole: {:?}",
        begin.elapsed(),
        whole.took
    );
    assert!(2 * saved >= runs, "{saved} of {runs} had a checkpoint");
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
