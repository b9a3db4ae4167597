//! The tool: from a command line to what happens to a text of the IR.
//!
//! `cuprous opt FILE --passes fuse,dce`, `cuprous run FILE @f args… --place cpu`, `cuprous explain FILE`,
//! `cuprous code FILE --place cpu`, `cuprous places`, `cuprous passes`.

#[path = "../tool/args.rs"]
mod args;
#[path = "../tool/command.rs"]
mod command;
#[path = "../tool/file.rs"]
mod file;
#[path = "../tool/places.rs"]
mod places;

// The backends of this build register themselves; nothing else of the facade is needed.
use cuprous as _;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match command::run_line(&words) {
        Ok(text) => {
            let mut out = std::io::stdout();
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            match written {
                // Whoever reads may close the pipe early, as `head` does.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    let text = format!("cuprous: the result cannot be written: {error}\n");
                    let _ = std::io::stderr().write_all(text.as_bytes());
                    ExitCode::FAILURE
                }
                _ => ExitCode::SUCCESS,
            }
        }
        Err(command::Stop { text, code }) => {
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::from(code)
        }
    }
}
