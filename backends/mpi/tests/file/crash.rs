//! A job that is killed while it saves: the program starts itself as the job.

use crate::folder::Folder;
use cuprous_mpi::Distribution;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::file::checkpoint::{Checkpoint, Entry};
use dsl_runtime::ir::{Const, FromConst, ScalarType};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Where the job saves.
const FOLDER: &str = "CUPROUS_TEST_CHECKPOINT";

const ROWS: usize = 10_000;

/// The job: saves one checkpoint after the other, all of whose elements are the number of the step.
#[test]
#[ignore = "what `a_killed_job` starts"]
fn job() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    run(2, |comm| {
        let rows = Distribution::even(ROWS, 2);
        let mut step = restored(&*comm, Path::new(&folder)).unwrap_or(0);
        loop {
            step += 1;
            let own = step.to_ne_bytes().repeat(rows.range(comm.rank()).len());
            let entry = |name| Entry {
                name,
                elem: ScalarType::U64,
                shape: &[ROWS],
                rows: &rows,
                own: &own,
            };
            let arrays = [entry("a"), entry("b")];
            let scalars = [("step", Const::u64(step))];
            Checkpoint::save(&*comm, &folder, &arrays, &scalars).unwrap();
        }
    });
}

/// The step of the checkpoint, all of whose elements are checked.
fn restored(comm: &dyn cuprous_mpi::comm::Communicator, folder: &Path) -> Option<u64> {
    let saved = Checkpoint::open(comm, folder).unwrap()?;
    let step = u64::from_const(saved.scalar("step").unwrap());
    let rows = Distribution::even(ROWS, comm.size());
    for name in ["a", "b"] {
        let own = saved.read(comm, name, &rows).unwrap();
        assert!(
            own.as_chunks()
                .0
                .iter()
                .all(|&it| u64::from_ne_bytes(it) == step)
        );
    }
    Some(step)
}

#[test]
fn a_killed_job() {
    let folder = Folder::new("killed");
    let mut last = 0;
    for round in 0..12 {
        let mut job = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::job", "--ignored"])
            .env(FOLDER, &*folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(40 + 17 * round));
        job.kill().unwrap();
        job.wait().unwrap();
        let steps = run(3, |comm| restored(&*comm, &folder));
        assert!(steps.iter().all(|step| *step == steps[0]));
        let step = steps[0].unwrap_or(0);
        assert!(step >= last, "{step} after {last}");
        last = step;
    }
    assert!(last > 0, "no checkpoint was ever complete");
}
