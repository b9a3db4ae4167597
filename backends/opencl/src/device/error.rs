//! What can go wrong with a device, as typed errors whose text names the device and OpenCL's own error.

use super::api::{Failed, status_name};
use std::fmt;
use std::sync::Arc;

/// A command was not carried out. The device remains usable where [`Stopped::is_memory`] says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The device's name.
    pub device: Arc<str>,
    /// Why.
    pub cause: Cause,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Memory of the device was lacking, though all that the pool kept had been given back.
    Memory {
        /// OpenCL's function.
        call: &'static str,
        /// Its status.
        status: i32,
    },
    /// OpenCL refused.
    Refused {
        /// OpenCL's function.
        call: &'static str,
        /// Its status.
        status: i32,
    },
    /// An invariant of ours is broken: what was asked for makes no sense, and was not passed on to OpenCL.
    Internal(String),
}

impl Stopped {
    pub(super) fn new(device: &Arc<str>, failed: Failed) -> Stopped {
        let Failed { call, status } = failed;
        let cause = match failed.lacks_memory() {
            true => Cause::Memory { call, status },
            false => Cause::Refused { call, status },
        };
        Stopped {
            device: device.clone(),
            cause,
        }
    }

    pub(super) fn internal(device: &Arc<str>, text: impl Into<String>) -> Stopped {
        Stopped {
            device: device.clone(),
            cause: Cause::Internal(text.into()),
        }
    }

    /// Whether memory was lacking, and the device can go on.
    pub fn is_memory(&self) -> bool {
        matches!(self.cause, Cause::Memory { .. })
    }

    /// Whether an invariant of ours is broken.
    pub fn is_internal(&self) -> bool {
        matches!(self.cause, Cause::Internal(_))
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = &self.device;
        match &self.cause {
            Cause::Memory { call, status } => {
                let status = status_name(*status);
                write!(f, "{device} has no memory for this: {call} says {status}")
            }
            Cause::Refused { call, status } => {
                write!(f, "{device}: {call} says {}", status_name(*status))
            }
            Cause::Internal(text) => write!(f, "{device}: internal error: {text}"),
        }
    }
}

impl std::error::Error for Stopped {}

/// Memory could not be had. The device remains usable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// More than the device has, or allows in one piece, or has left.
    TooLarge {
        /// The device's name.
        device: Arc<str>,
        /// The bytes that were asked for.
        bytes: usize,
        /// The most that one buffer can have.
        limit: usize,
        /// The bytes that are left.
        free: usize,
    },
    /// The host has no memory of this many bytes.
    Host {
        /// The device's name.
        device: Arc<str>,
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// OpenCL refused.
    Stopped(Stopped),
}

impl Refused {
    /// Whether memory was lacking, on the device or the host.
    pub fn is_memory(&self) -> bool {
        match self {
            Refused::TooLarge { .. } | Refused::Host { .. } => true,
            Refused::Stopped(stopped) => stopped.is_memory(),
        }
    }
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Refused {
        Refused::Stopped(stopped)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::TooLarge {
                device,
                bytes,
                limit,
                free,
            } => write!(
                f,
                "{bytes} bytes do not fit on {device}: one array can have {limit} bytes there, and {free} bytes are free"
            ),
            Refused::Host { device, bytes } => {
                write!(f, "the host has no memory of {bytes} bytes for {device}")
            }
            Refused::Stopped(stopped) => stopped.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

/// A program was not built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildFailure {
    /// The device's name.
    pub device: Arc<str>,
    /// What its compiler said.
    pub log: String,
    /// The line of the source that the first error stands in, from 1.
    pub line: Option<u32>,
}

impl fmt::Display for BuildFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the compiler of {} refuses the program", self.device)?;
        if let Some(line) = self.line {
            write!(f, " at line {line}")?;
        }
        write!(f, ":\n{}", self.log)
    }
}

impl std::error::Error for BuildFailure {}

/// The line that a build log's first error names. Compilers write `FILE:LINE:COLUMN: error: …`, with or without the file.
pub(super) fn first_line(log: &str) -> Option<u32> {
    let mut errors = log.lines().filter(|line| line.contains("error"));
    errors.find_map(named_line)
}

fn named_line(text: &str) -> Option<u32> {
    let parts: Vec<Option<u32>> = text
        .split(':')
        .map(|part| part.trim().parse().ok())
        .collect();
    parts.windows(3).find_map(|three| match three {
        // The last two of several numbers: some compilers call the file by one.
        [line, Some(_), None] => *line,
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn logs_of_several_compilers() {
        let cases = [
            (
                "error: /tmp/a/b.cl:12:5: use of undeclared identifier 'y'",
                Some(12),
            ),
            (
                "<kernel>:3:9: warning: unused\n<kernel>:12:5: error: expected ';'",
                Some(12),
            ),
            ("1:12:5: error: expected ';'", Some(12)),
            ("C:\\a\\b.cl:12:5: error: expected ';'", Some(12)),
            ("error: out of registers", None),
            ("", None),
        ];
        for (log, line) in cases {
            assert_eq!(first_line(log), line, "{log}");
        }
    }
}
