//! What the command line asks for, and the table in a file.

use std::time::Duration;

/// The command line.
pub struct Options {
    /// The only kernel to be measured.
    pub only: Option<String>,
    /// How long each line is measured.
    pub budget: Duration,
    /// The file that gets the table.
    pub file: Option<String>,
}

/// Reads the command line of a benchmark whose source is there.
pub fn options(source: &str) -> Options {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let (mut only, mut budget, mut file) = (None, Duration::from_secs(2), None);
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next()
                .unwrap_or_else(|| fail(&format!("{arg} needs a value")))
        };
        match arg.as_str() {
            "--only" => only = Some(value()),
            "--write" => file = Some(value()),
            "--seconds" => {
                let seconds = value().parse().ok();
                budget = seconds
                    .and_then(|s| Duration::try_from_secs_f64(s).ok())
                    .unwrap_or_else(|| fail("--seconds needs a number"));
            }
            other => fail(&format!("unknown option {other}; see the head of {source}")),
        }
    }
    Options { only, budget, file }
}

/// Ends the program where nothing has the name that was asked for.
pub fn known(only: Option<&str>, names: &[&str]) {
    if let Some(only) = only
        && !names.contains(&only)
    {
        fail(&format!(
            "nothing is called {only}; there are {}",
            names.join(", ")
        ));
    }
}

/// Puts a table between the marks of a benchmark in a file.
pub fn write(path: &str, name: &str, table: &str) -> Result<(), String> {
    let (begin, end) = (
        format!("<!-- {name} bench -->"),
        format!("<!-- /{name} bench -->"),
    );
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let parts = text.split_once(&begin);
    let parts = parts.and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = parts.ok_or(format!("{path} has no lines `{begin}` and `{end}`"))?;
    let text = format!("{head}{begin}\n{table}{end}{tail}");
    std::fs::write(path, text).map_err(|error| format!("{path}: {error}"))
}

/// Ends the program.
pub fn fail(text: &str) -> ! {
    eprintln!("{text}");
    std::process::exit(2)
}
