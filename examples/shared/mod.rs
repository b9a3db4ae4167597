//! What the examples have in common: reading their data, writing pictures, small tables.
#![allow(dead_code)]

use cuprous::prelude::*;
use std::path::{Path, PathBuf};

/// A file of `examples/data`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/data")
        .join(name)
}

/// Where pictures go: `target/pictures`, made if it is missing.
pub fn picture(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let folder = target.join("pictures");
    std::fs::create_dir_all(&folder)
        .unwrap_or_else(|e| panic!("cannot make {}: {e}", folder.display()));
    folder.join(name)
}

/// The elevation model of the Jacksboro fault in metres, row 0 in the north.
pub fn elevation() -> Array2<f64> {
    let heights: Array2<i16> =
        ndarray_npy::read_npy(data("jacksboro_elevation.npy")).expect("the elevation model");
    heights.mapv(f64::from)
}

/// One slice of a head.
pub fn head() -> Array2<f64> {
    let samples: Array2<u16> = ndarray_npy::read_npy(data("mri_256.npy")).expect("the MRI slice");
    samples.mapv(f64::from)
}

/// The closing prices of 1047 trading days, adjusted for splits and dividends.
pub fn prices() -> Vec<f64> {
    let mut rows = csv::Reader::from_path(data("goog_daily.csv")).expect("the daily prices");
    rows.records()
        .map(|row| row.expect("a row")[6].parse().expect("a price"))
        .collect()
}

/// Writes a picture of grey levels; `low` becomes black, `high` white.
pub fn grey(path: &Path, values: &Array2<f64>, low: f64, high: f64) {
    let level = |&v: &f64| (255.0 * ((v - low) / (high - low)).clamp(0.0, 1.0)).round() as u8;
    write(
        path,
        values.dim(),
        png::ColorType::Grayscale,
        values.iter().map(level).collect(),
    );
}

/// Writes a picture of colours.
pub fn colour(path: &Path, values: &Array2<f64>, palette: impl Fn(f64) -> [u8; 3]) {
    write(
        path,
        values.dim(),
        png::ColorType::Rgb,
        values.iter().flat_map(|&v| palette(v)).collect(),
    );
}

fn write(path: &Path, (height, width): (usize, usize), kind: png::ColorType, bytes: Vec<u8>) {
    let file = std::fs::File::create(path)
        .unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width as u32, height as u32);
    encoder.set_color(kind);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&bytes))
        .expect("the picture is written");
    println!("wrote {} ({width} x {height})", path.display());
}

/// The devices of this machine in a line each; or that there is none, and why.
pub fn say_devices() {
    match Place::opencl() {
        Err(error) => println!("no OpenCL place: {}", error.message()),
        Ok(_) => {
            for place in Place::opencl_devices() {
                let backend = place.backend().ok().flatten();
                println!(
                    "{place}: {}",
                    backend.map_or_else(String::new, |b| b.target())
                );
            }
        }
    }
}

/// Says what was checked, and ends the program with an error if it does not hold.
pub fn check(what: &str, holds: bool) {
    println!("check: {what}: {}", if holds { "ok" } else { "FAILED" });
    if !holds {
        std::process::exit(1);
    }
}

/// The median of the seconds that several calls take.
pub fn median_seconds(mut call: impl FnMut()) -> f64 {
    call();
    let begin = std::time::Instant::now();
    let mut seconds: Vec<f64> = (0..15)
        .take_while(|&round| round < 3 || begin.elapsed().as_secs_f64() < 0.5)
        .map(|_| {
            let begin = std::time::Instant::now();
            call();
            begin.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
