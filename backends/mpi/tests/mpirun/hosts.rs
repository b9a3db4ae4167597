//! Two hosts on one machine: network namespaces, each with a name and an address of its own and a loopback of its own, joined by
//! a cable (a pair of `veth`s), which counts the bytes that cross it. A launcher starts ranks on them by a script that takes the
//! place of `ssh`.

use super::job::Job;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, id};
use std::thread::sleep;
use std::time::Duration;

/// What the hosts have for addresses. Nobody else sees these.
const ADDRESSES: [&str; 2] = ["10.9.0.1", "10.9.0.2"];

/// All of these.
const NETWORK: &str = "10.9.0.0/24";

/// The end of the cable, by the same name on both hosts.
const CABLE: &str = "cable";

/// The hosts, and a folder with the script. All that is left goes with this.
pub struct Hosts {
    folder: PathBuf,
}

impl Hosts {
    /// Sets them up, or says why that cannot be.
    pub fn new() -> Result<Hosts, String> {
        let folder = std::env::temp_dir().join(format!("cuprous-hosts-{}", id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // From here on, what has been made goes also where the rest fails.
        let hosts = Hosts { folder };
        for address in ADDRESSES {
            ip(&format!("netns add {}", space(address)))?;
            ip(&format!("-n {} link set lo up", space(address)))?;
        }
        let [one, other] = ADDRESSES.map(space);
        ip(&format!(
            "-n {one} link add {CABLE} type veth peer name {CABLE} netns {other}"
        ))?;
        for address in ADDRESSES {
            let space = space(address);
            ip(&format!("-n {space} addr add {address}/24 dev {CABLE}"))?;
            ip(&format!("-n {space} link set {CABLE} up"))?;
        }
        hosts.write_script();
        for address in ADDRESSES {
            hosts.wait_for_cable(address)?;
        }
        Ok(hosts)
    }

    /// The kernel says only after up to a second that a cable has two ends, and UCX (MPICH) takes no other.
    fn wait_for_cable(&self, address: &str) -> Result<(), String> {
        for _ in 0..100 {
            if self.of_cable(address, "operstate")? == "up" {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(format!("the cable at {address} does not come up"))
    }

    /// Ranks of a launcher in turn on the one and on the other. The launcher runs on the first.
    pub fn job(&self, launcher: &str, ranks: usize, task: &str) -> Job {
        let hosts = ADDRESSES
            .map(|address| format!("{address}:{ranks}"))
            .join(",");
        let script = self.script();
        let script = script.to_str().expect("a path of text");
        let mut command = self.on(ADDRESSES[0]);
        command.arg(launcher);
        if launcher.ends_with("mpich") {
            command.args(["-hosts", &ADDRESSES.join(",")]);
            command.args(["-launcher", "rsh", "-launcher-exec", script]);
            command.args(["-iface", CABLE]);
            // UCX knows that both hosts are the same machine, and would use its memory.
            command
                .env("UCX_TLS", "tcp,self")
                .env("UCX_NET_DEVICES", CABLE);
        } else {
            command.args(["--host", &hosts, "--map-by", "node"]);
            let settings = [
                ("plm_rsh_agent", script),
                ("oob_tcp_if_include", NETWORK),
                ("pml", "ob1"),
                ("btl", "tcp,self"),
                ("btl_tcp_if_include", NETWORK),
            ];
            for (name, value) in settings {
                command.args(["--mca", name, value]);
            }
        }
        Job::launched(command, ranks, task)
    }

    /// How many bytes have crossed the cable so far, both ways, with what the protocols add.
    pub fn crossed(&self) -> u64 {
        let count = |what: &str| {
            let text = self.of_cable(ADDRESSES[0], what).unwrap();
            text.parse::<u64>().unwrap()
        };
        count("statistics/rx_bytes") + count("statistics/tx_bytes")
    }

    /// What the kernel says of the cable on a host.
    fn of_cable(&self, address: &str, what: &str) -> Result<String, String> {
        let file = format!("/sys/class/net/{CABLE}/{what}");
        let text = checked(self.on(address).args(["cat", &file]))?;
        Ok(text.trim().to_string())
    }

    /// A command on a host: what it is and its arguments are still to be said.
    fn on(&self, address: &str) -> Command {
        let mut command = Command::new(self.script());
        command.arg(address);
        command
    }

    fn script(&self) -> PathBuf {
        self.folder.join("on-host")
    }

    /// As `ssh`: options, a host, and words that a shell of that host reads.
    fn write_script(&self) {
        let text = format!(
            r#"#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "{}" unshare --uts sh -c 'echo "$0" >/proc/sys/kernel/hostname; eval "$1"' "host${{host##*.}}" "$*"
"#,
            space("$host")
        );
        fs::write(self.script(), text).unwrap();
        fs::set_permissions(self.script(), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

impl Drop for Hosts {
    /// Also after a panic, and where only some of this has been made: what fails is not there.
    fn drop(&mut self) {
        for address in ADDRESSES {
            let space = space(address);
            // What a launcher has left, after a time limit say.
            for process in ip(&format!("netns pids {space}"))
                .unwrap_or_default()
                .lines()
            {
                let _ = Command::new("kill").args(["-9", process]).status();
            }
            // The cable goes with its ends.
            let _ = ip(&format!("netns del {space}"));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The name of the namespace of a host.
fn space(address: &str) -> String {
    format!("cuprous-{}-{address}", id())
}

/// What `ip` says.
fn ip(arguments: &str) -> Result<String, String> {
    checked(Command::new("ip").args(arguments.split(' ')))
}

/// What a command says, or how it failed.
fn checked(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let text = String::from_utf8_lossy(&output.stderr);
            Err(format!("{command:?}: {}", text.trim()))
        }
    }
}
