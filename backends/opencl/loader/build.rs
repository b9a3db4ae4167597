//! Gives the linker an empty library where bindings to OpenCL name one: the symbols are in this crate.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // An archive without members, for linkers of Unix and of MinGW; that of MSVC looks for another name.
    for name in ["libOpenCL.a", "OpenCL.lib"] {
        fs::write(out.join(name), b"!<arch>\n").expect("OUT_DIR can be written");
    }
    println!("cargo:rustc-link-search=native={}", out.display());
}
