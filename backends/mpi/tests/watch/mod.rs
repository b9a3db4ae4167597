//! Ranks that do not wait for ever: a test that hangs ends its process, and says which it is.

use cuprous_mpi::comm::{Communicator, threads};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// [`threads::run`], for three minutes at most, or as many seconds as `CUPROUS_PATIENCE` says.
///
/// # Panics
/// As `threads::run`; the process aborts when the time is up.
pub fn run<T: Send>(
    what: &str,
    ranks: usize,
    body: impl Fn(Box<dyn Communicator>) -> T + Sync,
) -> Vec<T> {
    let (done, wait) = channel::<()>();
    let text = format!("{what}: {ranks} ranks hang");
    let seconds = std::env::var("CUPROUS_PATIENCE").map_or(180, |seconds| seconds.parse().unwrap());
    let watch = std::thread::spawn(move || {
        if wait.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            // Not through `eprintln`, which the test harness holds back.
            let _ =
                std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
            std::process::abort();
        }
    });
    let results = threads::run(ranks, body);
    drop(done);
    watch.join().unwrap();
    results
}
