//! A machine without OpenCL: everything else works.

use crate::{alone, is_alone};
use cuprous::prelude::*;
use std::process::Command;
use std::time::{Duration, Instant};

#[kernel]
fn twice(x: &[f32]) -> Vec<f32> {
    x.map(|v| v + v)
}

/// Without a library, and with one that offers no platform.
#[test]
fn without_opencl_the_rest_works() {
    if is_alone() {
        return without();
    }
    for (library, vendors) in [
        (Some("/nowhere/libOpenCL.so"), ""),
        (Some("/nowhere/libOpenCL.so"), "/nowhere"),
        (None, "/nowhere"),
    ] {
        for default in [None, Some("opencl")] {
            let output = alone("absent::without_opencl_the_rest_works", |command| {
                command.env_remove("CUPROUS_PLACE");
                command.envs(library.map(|name| ("CUPROUS_OPENCL_LIBRARY", name)));
                command.env("OCL_ICD_VENDORS", vendors);
                command.envs(default.map(|name| ("CUPROUS_PLACE", name)));
            });
            let text = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{library:?}: {text}{errors}");
            // A library may know of platforms without its vendors' folder.
            assert!(
                text.contains("<without>") || library.is_none(),
                "{text}{errors}"
            );
        }
    }
}

/// The tool lists the rest, and says why this is missing.
#[test]
fn the_tool_says_what_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_cuprous"))
        .arg("places")
        .env("CUPROUS_OPENCL_LIBRARY", "/nowhere/libOpenCL.so")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let mut lines = text.lines().skip_while(|line| *line != "opencl").skip(1);
    let line = lines.next().unwrap();
    assert!(
        line.contains("cannot be used") && line.contains("unsupported"),
        "{text}"
    );
    for name in ["native", "interp", "cpu"] {
        assert!(text.lines().any(|line| line == name), "{text}");
    }
}

fn without() {
    let start = Instant::now();
    let error = match Place::opencl() {
        Err(error) => error,
        Ok(place) => {
            return println!(
                "SKIPPED without OpenCL: {place} is there, whatever its library is told"
            );
        }
    };
    assert_eq!(error.code(), "CU0304");
    let text = error.to_string();
    for word in ["unsupported", "OpenCL", "install", "driver"] {
        assert!(text.contains(word), "`{word}` is not in {text}");
    }
    assert!(Place::opencl_devices().is_empty());
    let names: Vec<String> = Place::available().iter().map(Place::to_string).collect();
    assert_eq!(names, ["native", "interp", "cpu"]);
    assert!(start.elapsed() < Duration::from_secs(1));
    for place in Place::available() {
        let there = twice::call(&[1.0, 2.0]).on(&place).run().unwrap();
        assert_eq!(
            twice::call(&there).on(&place).to_host().unwrap(),
            [4.0, 8.0]
        );
    }
    // The default place is an error where a kernel is called, and not before.
    let called = twice::call(&[1.0]).to_host();
    match std::env::var_os("CUPROUS_PLACE") {
        None => assert_eq!(called.unwrap(), [2.0]),
        Some(_) => assert_eq!(called.unwrap_err().to_string(), text),
    }
    println!("<without>");
}
