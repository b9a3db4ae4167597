//! Jobs of an example under a launcher, with a time limit, and their ranks' processes.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a job may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The launchers of this machine; says loudly which are missing.
pub fn launchers() -> Vec<&'static str> {
    let installed = |program: &&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        if !found {
            println!("SKIPPED: {program} is not installed");
        }
        found
    };
    ["mpirun.openmpi", "mpirun.mpich"]
        .into_iter()
        .filter(installed)
        .collect()
}

/// Whose turn it is: jobs of two tests at a time would take each other's processors.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program of an example, as cargo builds it for tests.
pub fn program(example: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet"]);
        for (example, _) in super::EXAMPLES {
            build.args(["--example", example]);
        }
        // The tests' own folder has the name of their profile.
        let own = std::env::current_exe().expect("the test's own path");
        let profile = own.ancestors().nth(2).expect("the profile's folder");
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let built = build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the examples are not built");
        profile.join("examples")
    });
    folder.join(example)
}

/// A folder of a test's own, empty.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("mpirun")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// Where examples put their pictures, by the name that the expected texts have for it.
pub fn pictures() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("mpirun")
}

/// A job that runs.
pub struct Job {
    launcher: Child,
    output: Text,
    errors: Text,
    start: Instant,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status of the launcher; none if it was killed.
    pub status: Option<i32>,
    /// What the ranks printed.
    pub output: String,
    /// What they and the launcher wrote to the standard error.
    pub errors: String,
}

impl Job {
    /// Starts an example on as many ranks; without a launcher on one.
    pub fn start(launcher: Option<&str>, ranks: usize, example: &str, arguments: &[&str]) -> Job {
        let program = program(example);
        let mut command = match launcher {
            None => Command::new(program),
            Some(launcher) => {
                let mut command = Command::new(launcher);
                command.args(["-n", &ranks.to_string()]).arg(program);
                command
            }
        };
        // The machines that run tests have few cores and one user.
        command
            .args(arguments)
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
            .env("OMPI_MCA_rmaps_base_oversubscribe", "1")
            // Else its launcher waits for a second, and at times for another one, before it ends the ranks that are left.
            .env("OMPI_MCA_odls_base_sigkill_timeout", "0")
            .env("OMPI_MCA_hwloc_base_binding_policy", "none")
            .env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
            .env("CARGO_TARGET_DIR", pictures())
            .env_remove("CUPROUS_PLACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut launcher = command.spawn().expect("the job starts");
        let output = Text::of(launcher.stdout.take().expect("a pipe"));
        let errors = Text::of(launcher.stderr.take().expect("a pipe"));
        Job {
            launcher,
            output,
            errors,
            start: Instant::now(),
        }
    }

    /// Waits for its end, within the limit.
    pub fn end(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.launcher.try_wait().expect("a child") {
                break status.code();
            }
            if self.start.elapsed() > LIMIT {
                println!("    it takes more than {LIMIT:?}");
                signal("-TERM", self.launcher.id());
                thread::sleep(Duration::from_secs(2));
                let _ = self.launcher.kill();
            }
            thread::sleep(Duration::from_millis(2));
        };
        Ended {
            status,
            output: self.output.all(),
            errors: self.errors.all(),
        }
    }

    /// Kills a rank, when it has begun to work, it is time, and this pause is over. Whether it was still there.
    pub fn kill(&mut self, rank: usize, pause: Duration, is_time: impl Fn() -> bool) -> bool {
        let mut process = None;
        while self.launcher.try_wait().expect("a child").is_none() {
            process = process.or_else(|| self.rank(rank));
            if let Some(process) = process
                && self.errors.so_far().contains("ranks: ")
                && is_time()
            {
                thread::sleep(pause);
                return signal("-KILL", process);
            }
            // It has not been started yet, or there is not yet what is waited for.
            thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// Waits until none of these ranks works any more, and says how long that took.
    pub fn gone(&self, processes: &[u32]) -> Duration {
        let start = Instant::now();
        while processes.iter().any(|&process| works(process)) && start.elapsed() < LIMIT {
            thread::sleep(Duration::from_millis(1));
        }
        start.elapsed()
    }

    /// The processes of the ranks that there are.
    pub fn ranks(&self, ranks: usize) -> Vec<u32> {
        (0..ranks).filter_map(|rank| self.rank(rank)).collect()
    }

    /// The process of a rank: one that descends from the launcher, and was told this number.
    fn rank(&self, rank: usize) -> Option<u32> {
        let told = [
            format!("OMPI_COMM_WORLD_RANK={rank}\0"),
            format!("PMI_RANK={rank}\0"),
        ];
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is = |&id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment);
            let ours = told.iter().any(|told| environment.contains(&told[..]));
            ours && descends(id, self.launcher.id())
        };
        ids.into_iter().find(is)
    }
}

/// Whether there is a process, and it has not ended.
fn works(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim().chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// Whether a process was started by another one, or by one that that one started.
fn descends(mut id: u32, from: u32) -> bool {
    while id > 1 {
        if id == from {
            return true;
        }
        // Behind the name, in parentheses, stand the state and the parent.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1));
        id = parent.and_then(|parent| parent.parse().ok()).unwrap_or(0);
    }
    false
}

fn signal(name: &str, process: u32) -> bool {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    sent.is_ok_and(|status| status.success())
}

/// What comes through a pipe.
struct Text {
    so_far: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Text {
    fn of(mut pipe: impl Read + Send + 'static) -> Text {
        let so_far = Arc::new(Mutex::new(vec![]));
        let into = so_far.clone();
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                into.lock().expect("nobody panics").extend(&bytes[..count]);
            }
        });
        Text { so_far, reader }
    }

    fn so_far(&self) -> String {
        let bytes = self.so_far.lock().expect("nobody panics");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn all(self) -> String {
        let so_far = self.so_far.clone();
        self.reader.join().expect("the pipe is read");
        let bytes = so_far.lock().expect("nobody panics");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
