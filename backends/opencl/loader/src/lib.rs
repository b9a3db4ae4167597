//! The entry points of OpenCL 1.2 as symbols of this program, which forward to the library that is found when it runs.
//!
//! Bindings to OpenCL name its library to the linker. So a program would neither build nor start where it is absent. With this
//! crate it does both: `build.rs` gives the linker an empty library of that name, the symbols are here, and the first call
//! looks for `libOpenCL.so`, then `libOpenCL.so.1` (with their names on other systems), or for the library that
//! `CUPROUS_OPENCL_LIBRARY` names. Without one, `clGetPlatformIDs` reports that there is no platform, as the loader of the
//! Khronos group does, and nobody gets further.
//!
//! Whoever links this crate has to name something of it, [`is_present`] for instance.

#![allow(non_snake_case)]

pub mod entry;

use std::ffi::{CStr, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A pointer or a handle.
type Ptr = *mut c_void;
/// `cl_uint`, and what is defined as one.
type Word = u32;
/// `cl_int`.
type Int = i32;
/// `size_t`.
type Size = usize;
/// `cl_bitfield`.
type Bits = u64;
/// Where a status is written; may be null.
type Status = *mut Int;

/// `CL_PLATFORM_NOT_FOUND_KHR`.
const NO_PLATFORM: Int = -1001;
/// `CL_INVALID_OPERATION`: the library that was found lacks the entry point.
const LACKING: Int = -59;

/// The library's names on this system.
const NAMES: &[&str] = if cfg!(target_os = "windows") {
    &["OpenCL.dll"]
} else if cfg!(target_os = "macos") {
    &["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
} else {
    &["libOpenCL.so", "libOpenCL.so.1"]
};

/// The variable of the environment that names the library to be taken instead, as a path or a name; read once.
pub const VARIABLE: &str = "CUPROUS_OPENCL_LIBRARY";

/// The names under which the library is looked for, in order.
///
/// ```
/// # use cuprous_opencl_loader as loader;
/// assert!(!loader::names().is_empty());
/// ```
pub fn names() -> Vec<String> {
    match std::env::var(VARIABLE) {
        Ok(name) if !name.is_empty() => vec![name],
        _ => NAMES.iter().map(|name| name.to_string()).collect(),
    }
}

fn library() -> Option<&'static libloading::Library> {
    static LIBRARY: OnceLock<Option<libloading::Library>> = OnceLock::new();
    let find = || {
        // SAFETY: the library of the system's OpenCL; what it does when it is loaded is up to it.
        names()
            .iter()
            .find_map(|name| unsafe { libloading::Library::new(name) }.ok())
    };
    LIBRARY.get_or_init(find).as_ref()
}

/// Whether there is an OpenCL library. It may still offer no platform.
///
/// ```
/// # use cuprous_opencl_loader as loader;
/// println!("OpenCL: {}", loader::is_present());
/// ```
pub fn is_present() -> bool {
    library().is_some()
}

/// The address of an entry point, looked up once.
struct Entry {
    name: &'static CStr,
    /// Null before the first call.
    address: AtomicPtr<c_void>,
}

/// The address that stands for an entry point that is not there.
fn nowhere() -> Ptr {
    static NOWHERE: u8 = 0;
    (&raw const NOWHERE).cast_mut().cast()
}

impl Entry {
    const fn new(name: &'static CStr) -> Entry {
        Entry {
            name,
            address: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    fn find(&self) -> Option<Ptr> {
        let mut address = self.address.load(Ordering::Acquire);
        if address.is_null() {
            let symbol = library().and_then(|library| {
                // SAFETY: the symbol is only taken for an address here.
                unsafe { library.get::<Ptr>(self.name.to_bytes_with_nul()) }.ok()
            });
            address = symbol.map_or_else(nowhere, |symbol| *symbol);
            self.address.store(address, Ordering::Release);
        }
        (address != nowhere()).then_some(address)
    }
}

/// A parameter of an entry point.
trait Argument: Copy {
    /// Reports that the entry point is not there, if this is where it reports.
    fn tell(self) {}
}

impl Argument for Ptr {}
impl Argument for Word {}
impl Argument for Int {}
impl Argument for Size {}
impl Argument for Bits {}
impl Argument for Status {
    fn tell(self) {
        // SAFETY: null, or the caller's to write to, by the standard.
        if let Some(status) = unsafe { self.as_mut() } {
            *status = Int::missing();
        }
    }
}

/// What an entry point returns.
trait Answer {
    /// Where it is not there.
    fn missing() -> Self;
}

impl Answer for Int {
    fn missing() -> Int {
        if is_present() { LACKING } else { NO_PLATFORM }
    }
}

impl Answer for Ptr {
    fn missing() -> Ptr {
        std::ptr::null_mut()
    }
}
