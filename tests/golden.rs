//! Every example runs and finds its own answer right.

use cuprous::prelude::Place;
use std::path::Path;
use std::process::Command;

fn run(example: &str, args: &[&str], expect: &[&str]) {
    let device = match Place::opencl() {
        Ok(_) => "opencl",
        Err(error) => {
            println!("SKIPPED {example} at a device: {error}");
            "check"
        }
    };
    finds(example, args, &[expect, &[device]].concat());
}

/// It runs, finds its answer right, and prints these lines.
fn finds(example: &str, args: &[&str], expect: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--example", example, "--"])
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{example} failed\n{text}\n{errors}"
    );
    assert!(text.contains("check: "), "{example} checks nothing\n{text}");
    assert!(!text.contains("FAILED"), "{example}\n{text}");
    for line in expect {
        assert!(
            text.contains(line),
            "{example} does not print `{line}`\n{text}"
        );
    }
}

#[test]
fn tour() {
    let same = "all places but the plain function give the same bits: ok";
    run(
        "tour",
        &[],
        &["1047 trading days", "hillshade", "wrote", same],
    );
}

#[test]
fn pi() {
    // 20,000 samples of the key that the benchmark definitions name: the count is part of the language.
    run("pi", &["20000"], &["every place counts the same hits: ok"]);
}

#[test]
fn black_scholes() {
    run(
        "black_scholes",
        &[],
        &["put-call parity", "calls grow with the maturity: ok"],
    );
}

#[test]
fn mandelbrot() {
    run(
        "mandelbrot",
        &["400"],
        &["the area is right to two per cent: ok"],
    );
}

#[test]
fn conjugate_gradient() {
    run(
        "conjugate_gradient",
        &["64"],
        &[
            "the residual is below 1e-10: ok",
            "cpu gives the same bits: ok",
            "interp gives the interpreter's bits: ok",
        ],
    );
}

#[test]
fn terrain() {
    run(
        "terrain",
        &[],
        &[
            "344 x 403 cells",
            "a slope that faces the light is fully lit: ok",
        ],
    );
}

#[test]
fn pi_mpi() {
    finds("pi_mpi", &[], &["    12000000      9424297    3.1414323"]);
}

#[test]
fn heat_mpi() {
    finds("heat_mpi", &[], &["hash: 165284411be3d271"]);
}

#[test]
fn conjugate_gradient_mpi() {
    finds(
        "conjugate_gradient_mpi",
        &[],
        &["|b - A x| is below 1e-9 |b|: ok", "hash: e622ecfd01e14a7f"],
    );
}

#[test]
fn terrain_mpi() {
    finds(
        "terrain_mpi",
        &[],
        &[
            "the file has what one rank computes: ok",
            "hash: cb1475c60008ca44",
        ],
    );
}
