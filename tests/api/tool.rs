//! The tool: on files and standard input, and misused.

use cuprous::prelude::Place;
use std::io::Write;
use std::process::{Command, Stdio};

/// What the tool shows to whoever has no program yet.
const TEXT: &str = include_str!("../../src/tool/example.cup");

fn cuprous(args: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cuprous"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn works(args: &[&str]) -> String {
    let (code, out, errors) = cuprous(args, TEXT.as_bytes());
    assert_eq!(code, Some(0), "{args:?}: {out}{errors}");
    assert!(
        !out.is_empty() && errors.is_empty(),
        "{args:?}: {out}{errors}"
    );
    out
}

fn stops(code: i32, args: &[&str], input: &[u8]) -> String {
    let (found, out, errors) = cuprous(args, input);
    assert_eq!(found, Some(code), "{args:?}: {out}{errors}");
    assert!(out.is_empty() || code == 1, "{args:?}: {out}");
    assert!(
        !errors.is_empty() && !errors.contains("panicked"),
        "{args:?}: {errors}"
    );
    errors
}

#[test]
fn reads_files_and_standard_input() {
    let file = std::env::temp_dir().join(format!("cuprous-api-{}.cup", std::process::id()));
    std::fs::write(&file, TEXT).unwrap();
    for name in ["-", file.to_str().unwrap()] {
        assert!(works(&["opt", name]).contains("@double"));
        assert!(works(&["opt", name, "--passes", "simplify,dce"]).contains("par"));
        assert!(
            works(&["run", name, "@double", "[1.0, 2.0, 3.0]", "--place", "cpu"])
                .contains("[2.0, 4.0, 6.0]")
        );
        assert!(works(&["run", name, "@double", "[1.0]", "--place", "interp"]).contains("[2.0]"));
        assert!(works(&["run", name]).contains("ok"));
        assert!(works(&["explain", name, "--place", "cpu"]).contains("double"));
        assert!(works(&["code", name, "--place", "cpu"]).contains("function"));
    }
    std::fs::remove_file(file).unwrap();
    assert!(works(&["--help"]).contains("cuprous run"));
}

/// Every place has a line of its own, and below it what there is to know; of devices that may cost a second.
#[test]
fn places() {
    let text = works(&["places"]);
    let block = |name: &str| -> Option<Vec<(String, String)>> {
        let mut lines = text.lines().skip_while(|line| *line != name);
        lines.next()?;
        let rows = lines.take_while(|line| line.starts_with("    "));
        Some(
            rows.map(|row| {
                let (what, value) = row.trim_start().split_at(15);
                (what.trim().to_string(), value.trim().to_string())
            })
            .collect(),
        )
    };
    for name in ["native", "interp", "cpu"] {
        let rows = block(name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
        assert!(!rows.is_empty(), "{text}");
    }
    let rows = |name: &str| block(name).unwrap_or_default();
    let value = |name: &str, what: &str| -> String {
        let row = rows(name).into_iter().find(|row| row.0 == what);
        row.unwrap_or_else(|| panic!("no {what} of {name} in\n{text}"))
            .1
    };
    assert!(value("cpu", "bandwidth").ends_with(" GB/s"), "{text}");
    assert!(value("cpu", "threads").parse::<usize>().unwrap() > 0);
    let devices = Place::opencl_devices();
    if devices.is_empty() {
        println!("SKIPPED the descriptions of devices: there is none");
        assert!(value("opencl", "cannot be used").contains("unsupported"));
        return;
    }
    assert_eq!(value("opencl", "stands for"), devices[0].to_string());
    for device in &devices {
        let value = |what: &str| value(&device.to_string(), what);
        for what in [
            "device", "vendor", "platform", "driver", "memory", "vectors",
        ] {
            assert!(!value(what).is_empty(), "{what}\n{text}");
        }
        assert!(["cpu", "gpu", "accelerator"].contains(&&value("kind")[..]));
        assert!(value("version").starts_with("OpenCL "), "{text}");
        assert!(value("largest array").ends_with("iB"), "{text}");
        assert!(value("compute units").parse::<usize>().unwrap() > 0);
        assert!(["yes", "no"].contains(&&value("f64")[..]), "{text}");
        assert!(value("arithmetic").contains("to the bit"), "{text}");
        let rate = value("bandwidth");
        let rate: f64 = rate.strip_suffix(" GB/s").unwrap().parse().unwrap();
        assert!(rate > 0.0, "{text}");
    }
}

#[test]
fn misuse() {
    let good = TEXT.as_bytes();
    assert!(stops(2, &[], b"").contains("cuprous opt"));
    assert!(stops(2, &["fly"], b"").contains("fly"));
    assert!(stops(2, &["opt"], b"").contains("FILE"));
    for command in ["opt", "run", "explain", "code"] {
        assert!(stops(2, &[command, "/no/such/file.cup"], b"").contains("/no/such/file.cup"));
    }
    assert!(stops(2, &["opt", "-", "--passes", "nonsense"], good).contains("simplify"));
    assert!(stops(2, &["run", "-", "@nobody", "1"], good).contains("@double"));
    assert!(stops(2, &["run", "-", "--place", "moon"], good).contains("moon"));
    assert!(stops(2, &["opt", "-", "--sideways"], good).contains("--sideways"));
    assert!(stops(2, &["opt", "-", "--passes"], good).contains("--passes"));
    assert!(stops(2, &["places", "more"], b"").contains("places"));
    stops(2, &["run", "-", "@double", "[1.0"], good);
    let arity = cuprous(&["run", "-", "@double"], good);
    assert_ne!(arity.0, Some(0), "{arity:?}");
    for bad in [
        "",
        "func",
        "func @f( {",
        "func @f() -> f64 { return %x }",
        "\u{0}\u{1}é",
        "func @f[%n](%x: [%n]f64) -> f64 { return %x }",
    ] {
        for command in ["opt", "run", "explain", "code"] {
            let (code, _, errors) = cuprous(&[command, "-"], bad.as_bytes());
            assert!(
                matches!(code, Some(1 | 2)) && !errors.is_empty() && !errors.contains("panicked"),
                "{command} {bad:?}: {code:?} {errors}"
            );
        }
    }
    let (code, _, errors) = cuprous(&["opt", "-"], &[0xff, 0xfe, 0x00]);
    assert!(
        code == Some(2) && !errors.contains("panicked"),
        "{code:?} {errors}"
    );
}

/// What is wrong with the arguments of `run` says with which; where two functions have a name, both are named.
#[test]
fn mistakes_say_where() {
    let two = b"func @f(%x: f32, %y: [2]i32) -> f32 {\n  return %x\n}\n";
    for (args, text) in [
        (["1.0", "[1, 2"], "argument 2: "),
        (["1.0 2.0", "[1, 2]"], "argument 1: "),
        (["1.0", "[1, 2.5]"], "argument 2 (%y): "),
        (["[1.0]", "[1, 2]"], "argument 1 (%x): "),
        (["1.0", "iota(1, 2)"], "argument 2 (%y): "),
    ] {
        let found = stops(2, &["run", "-", "@f", args[0], args[1]], two);
        assert!(found.contains(text), "{args:?}: {found}");
    }
    stops(2, &["run", "-", "@f", "1.0"], two);
    let twice =
        b"func @f(%x: f32) -> f32 {\n  return %x\n}\n\nfunc @f(%y: f32) -> f32 {\n  return %y\n}\n";
    for command in ["opt", "run", "explain", "code"] {
        let found = stops(1, &[command, "-"], twice);
        assert!(
            found.contains("<stdin>:5:6: @f is a function already, on line 1"),
            "{found}"
        );
    }
}

/// A place that is none is the command's mistake, wherever it is named.
#[test]
fn place_of_the_environment() {
    for (place, code) in [("moon", 2), ("cpu:0", 2), ("native", 2), ("interp", 0)] {
        for command in ["opt", "explain", "code", "run"] {
            let child = Command::new(env!("CARGO_BIN_EXE_cuprous"))
                .args([command, "-"])
                .env("CUPROUS_PLACE", place)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            let mut child = child.unwrap();
            let _ = child.stdin.take().unwrap().write_all(TEXT.as_bytes());
            let output = child.wait_with_output().unwrap();
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                output.status.code(),
                Some(code),
                "{command} {place}: {errors}"
            );
            assert!(code == 0 || errors.contains(place), "{command}: {errors}");
        }
    }
}

/// A result that cannot be written is no success, but that of a reader who has seen enough.
#[cfg(target_os = "linux")]
#[test]
fn results_that_nobody_takes() {
    let run = |out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cuprous"));
        let output = command
            .arg("help")
            .stdout(out)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let (code, errors) = run(full.into());
    assert_eq!(code, Some(1), "{errors}");
    assert!(
        errors.contains("cannot be written") && !errors.contains("panicked"),
        "{errors}"
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run(writer.into()), (Some(0), String::new()));
}
