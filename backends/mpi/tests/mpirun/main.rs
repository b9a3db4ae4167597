//! Communicators under `mpirun`, of Open MPI and of MPICH, where these are installed. The program starts itself as the ranks:
//! a task as its argument says what they do (`rank`). Other arguments are parts of the names of tests to run.
//!
//! `CUPROUS_MPI_BIG=1` also sends a message of more than 2³¹ bytes, for which it takes 5 GB of memory. `CUPROUS_MPIRUN` names
//! further launchers, separated by commas, whose libraries the dynamic linker finds.

mod across;
#[path = "../checks/mod.rs"]
mod checks;
mod hosts;
mod job;
mod rank;

use hosts::Hosts;
use job::{Ended, Job};
use std::process::exit;
use std::time::Duration;

/// A test: its name, and what it does with a launcher.
type Test = (&'static str, fn(&str));

const TESTS: &[Test] = &[
    ("ranks_do_all_that_ranks_do", checks_pass),
    ("hosts_that_share_nothing_but_a_cable", two_hosts),
    ("a_big_message", big),
    ("a_caught_panic_is_none", caught_panic),
    ("a_panic_ends_the_job", panic_ends),
    (
        "a_panic_with_messages_under_way_ends_the_job",
        panic_under_way,
    ),
    ("an_exit_ends_the_job", exit_ends),
    ("an_error_of_main_ends_the_job", error_ends),
    ("an_abort_ends_the_job", abort_ends),
    ("an_abort_by_a_thread_ends_the_job", thread_abort_ends),
    ("a_killed_rank_ends_the_job", kill_ends),
    ("a_communicator_of_the_programs_own", own_communicator),
    ("mpi_that_the_program_initialised", theirs),
];

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [task, name] = &arguments[..]
        && task == rank::TASK
    {
        return rank::run(name);
    }
    let wanted = |name: &str| {
        let mut parts = arguments.iter().filter(|text| !text.starts_with('-'));
        arguments.iter().all(|text| text.starts_with('-')) || parts.any(|part| name.contains(part))
    };
    let mut failed = 0;
    let mut try_one = |name: &str, test: &dyn Fn()| {
        if !wanted(name) {
            return;
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
        println!(
            "test {name} ... {}",
            if result.is_ok() { "ok" } else { "FAILED" }
        );
        failed += u32::from(result.is_err());
    };
    try_one("alone", &alone);
    try_one("no_library", &no_library);
    let more = std::env::var("CUPROUS_MPIRUN").unwrap_or_default();
    let more = more.split(',').filter(|name| !name.is_empty());
    for launcher in ["mpirun.openmpi", "mpirun.mpich"].into_iter().chain(more) {
        if !job::installed(launcher) {
            println!("SKIPPED: {launcher} is not installed");
            continue;
        }
        for (name, test) in TESTS {
            try_one(&format!("{launcher}::{name}"), &|| test(launcher));
        }
    }
    match job::installed("mpirun.openmpi") {
        true => try_one("wrong_launcher", &wrong_launcher),
        false => println!("SKIPPED: wrong_launcher, as Open MPI is not installed"),
    }
    exit(i32::from(failed > 0));
}

/// Without a launcher there is one rank.
fn alone() {
    let ended = Job::alone("checks").run();
    ended.is(0);
    ended.says("1 ranks did it all");
    // A status other than 0 is passed on.
    Job::alone("exit").run().is(3);
}

/// A launcher, but no library: the error names all that were looked for. Those that are installed are hidden by files that are
/// none.
fn no_library() {
    let names = ["libmpi.so.12", "libmpich.so.12", "libmpi_abi.so.1"];
    let folder = std::env::temp_dir().join(format!("cuprous-mpi-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    for name in names {
        std::fs::write(folder.join(name), [b'-'; 4096]).unwrap();
    }
    let path = folder.to_str().unwrap();
    let job = Job::alone("checks").set("LD_LIBRARY_PATH", path);
    let ended = job.set("PMI_SIZE", "2").run();
    std::fs::remove_dir_all(&folder).unwrap();
    ended.is(101);
    ended.says("a launcher that speaks PMI (MPICH, Intel MPI, Slurm) started this program");
    for name in names {
        ended.says(name);
    }
}

/// Open MPI's variables, but not its launcher: every process would be alone.
fn wrong_launcher() {
    let ended = Job::alone("checks").set("OMPI_COMM_WORLD_SIZE", "4").run();
    ended.is(101);
    ended.says("says that it started 4 ranks, but Open MPI sees 1");
}

fn checks_pass(launcher: &str) {
    for ranks in [1, 2, 3, 4, 7] {
        let ended = Job::of(launcher, ranks, "checks").run();
        ended.is(0);
        ended.says(&format!("{ranks} ranks did it all"));
    }
}

/// Ranks on two hosts: what they send each other crosses the cable.
fn two_hosts(launcher: &str) {
    let hosts = match Hosts::new() {
        Ok(hosts) => hosts,
        Err(why) => {
            println!("SKIPPED: two hosts cannot be emulated: {why}");
            return;
        }
    };
    // MPICH before 4.2 may wait for ever in MPI_Finalize where ranks are joined by TCP and UCX: some of them are in a barrier
    // already that does not answer the others (pmodels/mpich#6596). So its jobs are aborted when all is checked.
    let (task, status) = match launcher.ends_with("mpich") {
        true => ("hosts_abort", 1),
        false => ("hosts", 0),
    };
    for ranks in [2, 4] {
        let before = hosts.crossed();
        let ended = hosts.job(launcher, ranks, task).run();
        let crossed = hosts.crossed() - before;
        ended.is(status);
        ended.says(&format!("{ranks} ranks did it all on 2 hosts"));
        let sent = ended.number_after("bytes to the other host: ");
        println!("    {ranks} ranks: {sent} bytes sent to the other host, {crossed} crossed");
        assert!(
            sent > 0 && crossed >= sent,
            "{sent} sent, {crossed} crossed"
        );
    }
}

/// A message that MPI cannot count.
fn big(launcher: &str) {
    if std::env::var("CUPROUS_MPI_BIG").is_err() {
        println!("SKIPPED: CUPROUS_MPI_BIG is not set");
        return;
    }
    let ended = Job::of(launcher, 2, "big").run();
    ended.is(0);
    ended.says("2 ranks have it");
}

fn caught_panic(launcher: &str) {
    let ended = Job::of(launcher, 2, "caught").run();
    ended.is(0);
    ended.says("2 ranks went on");
}

/// How long the others may go on.
const SOON: Duration = Duration::from_secs(2);

/// Ends with a status, and a text, soon after one rank has got to the point.
fn ends(launcher: &str, task: &str, status: Option<i32>, text: &str) -> Ended {
    let ended = Job::of(launcher, 3, task).run();
    match status {
        Some(status) => ended.is(status),
        None => assert_ne!(ended.status, Some(0), "{ended:?}"),
    }
    ended.says(text);
    let after = ended.after_now.expect("the rank has got there");
    assert!(after < SOON, "{after:?} later: {ended:?}");
    println!("    {task}: ended {after:?} later");
    ended
}

fn panic_ends(launcher: &str) {
    ends(launcher, "panic", Some(101), "no way on for rank 1");
}

fn panic_under_way(launcher: &str) {
    let ended = ends(launcher, "under_way", None, "no way on for rank 1");
    ended.says("leaves 1 messages under way");
}

fn exit_ends(launcher: &str) {
    ends(launcher, "exit", Some(3), "ends with status 3");
}

fn error_ends(launcher: &str) {
    ends(launcher, "error", Some(1), "ends with status 1");
}

fn abort_ends(launcher: &str) {
    ends(launcher, "abort", Some(1), "rank 1 aborts");
}

fn thread_abort_ends(launcher: &str) {
    ends(launcher, "thread_abort", None, "a thread of rank 1 aborts");
}

fn kill_ends(launcher: &str) {
    ends(launcher, "kill", None, "");
}

fn own_communicator(launcher: &str) {
    let ended = Job::of(launcher, 2, "own").run();
    ended.is(0);
    ended.says("2 ranks of its own");
}

fn theirs(launcher: &str) {
    let ended = Job::of(launcher, 2, "theirs").run();
    ended.is(0);
    ended.says("2 ranks of theirs");
}
