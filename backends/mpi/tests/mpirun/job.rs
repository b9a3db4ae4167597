//! A job under a launcher, with a time limit.

use super::rank::{NOW, TASK};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a job may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Whether a program can be started.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Path::new(program).is_file()
        || std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A job to be run.
pub struct Job(Command);

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status of the launcher; none if it was killed.
    pub status: Option<i32>,
    /// What it and the ranks wrote.
    text: String,
    /// How long it went on after a rank had said [`NOW`].
    pub after_now: Option<Duration>,
}

impl Job {
    /// Ranks of a launcher.
    pub fn of(launcher: &str, ranks: usize, task: &str) -> Job {
        Job::launched(Command::new(launcher), ranks, task)
    }

    /// Ranks of a launcher that has its options already.
    pub fn launched(mut command: Command, ranks: usize, task: &str) -> Job {
        command.args(["-n", &ranks.to_string()]);
        // The machines that run tests have few cores and one user.
        command
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
            .env("OMPI_MCA_rmaps_base_oversubscribe", "1")
            // Else its launcher waits for a second, and at times for another one, before it ends the ranks that are left.
            .env("OMPI_MCA_odls_base_sigkill_timeout", "0")
            .env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe");
        command.arg(std::env::current_exe().unwrap());
        Job(command).with(task)
    }

    /// One process without a launcher.
    pub fn alone(task: &str) -> Job {
        Job(Command::new(std::env::current_exe().unwrap())).with(task)
    }

    /// With a variable in the environment.
    pub fn set(mut self, name: &str, value: &str) -> Job {
        self.0.env(name, value);
        self
    }

    fn with(mut self, task: &str) -> Job {
        self.0.args([TASK, task]);
        self
    }

    /// Runs it.
    pub fn run(mut self) -> Ended {
        // A group of its own, so that a launcher below another command is killed with it.
        self.0
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.0.spawn().expect("the launcher starts");
        let output = read(child.stdout.take().unwrap());
        let errors = read(child.stderr.take().unwrap());
        let status = wait(&mut child);
        let end = Instant::now();
        let (output, now) = output.join().unwrap();
        let (errors, _) = errors.join().unwrap();
        Ended {
            status,
            text: output + &errors,
            after_now: now.map(|now| end - now),
        }
    }
}

impl Ended {
    /// It ended with a status.
    #[track_caller]
    pub fn is(&self, status: i32) {
        assert_eq!(self.status, Some(status), "{self:?}");
    }

    /// Somebody wrote a text.
    #[track_caller]
    pub fn says(&self, text: &str) {
        assert!(self.text.contains(text), "no {text:?} in {self:?}");
    }

    /// The number that somebody wrote after a text.
    #[track_caller]
    pub fn number_after(&self, text: &str) -> u64 {
        self.says(text);
        let rest = self.text.split(text).nth(1).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().unwrap()
    }
}

/// Waits, within the limit; kills it then.
fn wait(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if start.elapsed() > LIMIT {
            println!("    it takes more than {LIMIT:?}");
            let group = format!("-{}", child.id());
            let kill = Command::new("kill").args(["-9", "--", &group]).status();
            assert!(kill.unwrap().success());
            return child.wait().unwrap().code();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads all lines, and notes when [`NOW`] comes.
fn read(from: impl Read + Send + 'static) -> JoinHandle<(String, Option<Instant>)> {
    thread::spawn(move || {
        let (mut text, mut now) = (String::new(), None);
        let mut lines = BufReader::new(from);
        let mut line = Vec::new();
        while lines
            .read_until(b'\n', &mut line)
            .is_ok_and(|bytes| bytes > 0)
        {
            let written = String::from_utf8_lossy(&line);
            if written.contains(NOW) {
                now = Some(Instant::now());
            }
            text += &written;
            line.clear();
        }
        (text, now)
    })
}
