//! OpenCL's entry points with their status as a `Result`, and what they create as values that are released on drop.
//!
//! The calls go through `ocl::ffi`. The functions of `ocl::core` above it panic at a status that they do not know (drivers
//! have their own) and where a release fails, and ask for the context's info at each buffer that is created.

use ocl::ffi::{self, c_void};
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

/// A call that failed: which, and with which status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub call: &'static str,
    pub status: i32,
}

/// What a call yields.
pub(super) type Answer<X> = Result<X, Failed>;

fn check(call: &'static str, status: i32) -> Answer<()> {
    match status {
        0 => Ok(()),
        status => Err(Failed { call, status }),
    }
}

macro_rules! statuses {
    ($($name:ident)*) => {
        /// A status as OpenCL names it.
        pub(super) fn status_name(status: i32) -> String {
            match status {
                $(ffi::$name => stringify!($name).into(),)*
                -1001 => "CL_PLATFORM_NOT_FOUND_KHR".into(),
                -9999 => "CL_NV_INVALID_MEM_ACCESS".into(),
                other => format!("status {other}"),
            }
        }
    };
}
statuses! {
    CL_DEVICE_NOT_FOUND CL_DEVICE_NOT_AVAILABLE CL_COMPILER_NOT_AVAILABLE CL_MEM_OBJECT_ALLOCATION_FAILURE
    CL_OUT_OF_RESOURCES CL_OUT_OF_HOST_MEMORY CL_MEM_COPY_OVERLAP CL_BUILD_PROGRAM_FAILURE CL_MAP_FAILURE
    CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST CL_KERNEL_ARG_INFO_NOT_AVAILABLE CL_INVALID_VALUE CL_INVALID_PLATFORM
    CL_INVALID_DEVICE CL_INVALID_CONTEXT CL_INVALID_COMMAND_QUEUE CL_INVALID_HOST_PTR CL_INVALID_MEM_OBJECT
    CL_INVALID_BINARY CL_INVALID_BUILD_OPTIONS CL_INVALID_PROGRAM CL_INVALID_PROGRAM_EXECUTABLE CL_INVALID_KERNEL_NAME
    CL_INVALID_KERNEL_DEFINITION CL_INVALID_KERNEL CL_INVALID_ARG_INDEX CL_INVALID_ARG_VALUE CL_INVALID_ARG_SIZE
    CL_INVALID_KERNEL_ARGS CL_INVALID_WORK_DIMENSION CL_INVALID_WORK_GROUP_SIZE CL_INVALID_WORK_ITEM_SIZE
    CL_INVALID_GLOBAL_OFFSET CL_INVALID_EVENT_WAIT_LIST CL_INVALID_EVENT CL_INVALID_OPERATION CL_INVALID_BUFFER_SIZE
    CL_INVALID_GLOBAL_WORK_SIZE
}

impl Failed {
    /// Whether memory was lacking. OpenCL allocates when it pleases: any command may say so.
    pub fn lacks_memory(self) -> bool {
        let lacking = [
            ffi::CL_MEM_OBJECT_ALLOCATION_FAILURE,
            ffi::CL_OUT_OF_RESOURCES,
            ffi::CL_OUT_OF_HOST_MEMORY,
        ];
        lacking.contains(&self.status)
    }
}

macro_rules! handles {
    ($($doc:literal $name:ident $release:ident;)*) => {$(
        #[doc = $doc]
        #[derive(Debug)]
        pub(super) struct $name(*mut c_void);

        // SAFETY: OpenCL's objects may be used by any thread; only the arguments of a kernel need exclusion, and to set
        // them takes `&mut`.
        unsafe impl Send for $name {}
        // SAFETY: as above.
        unsafe impl Sync for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: it was created by us and is released once. There is nothing to be done where that fails.
                let _ = unsafe { ffi::$release(self.0) };
            }
        }
    )*};
}
handles! {
    "A context." Context clReleaseContext;
    "A command queue." Queue clReleaseCommandQueue;
    "A memory object." Memory clReleaseMemObject;
    "A program." Program clReleaseProgram;
    "A kernel." Kernel clReleaseKernel;
}

/// A platform: a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Platform(*mut c_void);

/// A device of a platform; lives as long as the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(*mut c_void);

// SAFETY: names of things that the driver owns and never frees.
unsafe impl Send for Platform {}
// SAFETY: as above.
unsafe impl Sync for Platform {}
// SAFETY: as above.
unsafe impl Send for Id {}
// SAFETY: as above.
unsafe impl Sync for Id {}

/// Asks for a list whose length is asked first.
fn list(
    call: &'static str,
    ask: impl Fn(u32, *mut *mut c_void, *mut u32) -> i32,
) -> Answer<Vec<*mut c_void>> {
    let mut count = 0;
    check(call, ask(0, null_mut(), &mut count))?;
    let mut all = vec![null_mut(); count as usize];
    if count > 0 {
        check(call, ask(count, all.as_mut_ptr(), &mut count))?;
        all.truncate(count as usize);
    }
    Ok(all)
}

/// Asks for a value of any size, as bytes.
fn value(
    call: &'static str,
    ask: impl Fn(usize, *mut c_void, *mut usize) -> i32,
) -> Answer<Vec<u8>> {
    let mut size = 0;
    check(call, ask(0, null_mut(), &mut size))?;
    let mut bytes = vec![0u8; size];
    if size > 0 {
        check(call, ask(size, bytes.as_mut_ptr().cast(), &mut size))?;
        bytes.truncate(size);
    }
    Ok(bytes)
}

/// The text that the bytes are, without the final zero.
pub(super) fn text(bytes: Vec<u8>) -> String {
    let text = String::from_utf8_lossy(&bytes);
    text.trim_matches(['\0', ' ', '\n']).to_string()
}

/// The number that the bytes are; 0 if there are none.
pub(super) fn number(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    let count = bytes.len().min(8);
    word[..count].copy_from_slice(&bytes[..count]);
    u64::from_le_bytes(word)
}

/// All platforms. None is no error.
pub(super) fn platforms() -> Answer<Vec<Platform>> {
    const NONE: i32 = -1001;
    // SAFETY: `list` asks for the number first and then has room for it.
    let all = list("clGetPlatformIDs", |room, to, count| unsafe {
        ffi::clGetPlatformIDs(room, to, count)
    });
    match all {
        Ok(all) => Ok(all.into_iter().map(Platform).collect()),
        Err(Failed { status: NONE, .. }) => Ok(vec![]),
        Err(failed) => Err(failed),
    }
}

/// The devices of a platform. None is no error.
pub(super) fn devices(platform: Platform) -> Answer<Vec<Id>> {
    // SAFETY: as for `platforms`.
    let all = list("clGetDeviceIDs", |room, to, count| unsafe {
        ffi::clGetDeviceIDs(platform.0, ffi::CL_DEVICE_TYPE_ALL, room, to, count)
    });
    match all {
        Ok(all) => Ok(all.into_iter().map(Id).collect()),
        Err(failed) if failed.status == ffi::CL_DEVICE_NOT_FOUND => Ok(vec![]),
        Err(failed) => Err(failed),
    }
}

/// What a platform says of itself.
pub(super) fn platform_info(platform: Platform, what: u32) -> Answer<Vec<u8>> {
    // SAFETY: `value` has room for the size that it was told.
    value("clGetPlatformInfo", |room, to, size| unsafe {
        ffi::clGetPlatformInfo(platform.0, what, room, to, size)
    })
}

/// What a device says of itself.
pub(super) fn device_info(id: Id, what: u32) -> Answer<Vec<u8>> {
    // SAFETY: as for `platform_info`.
    value("clGetDeviceInfo", |room, to, size| unsafe {
        ffi::clGetDeviceInfo(id.0, what, room, to, size)
    })
}

/// What is created, if the status says so.
fn made(call: &'static str, object: *mut c_void, status: i32) -> Answer<*mut c_void> {
    check(call, status)?;
    match object.is_null() {
        // A driver that says neither yes nor no.
        true => check(call, ffi::CL_OUT_OF_RESOURCES).map(|()| object),
        false => Ok(object),
    }
}

impl Context {
    /// A context of one device.
    pub fn new(platform: Platform, id: Id) -> Answer<Context> {
        let properties = [ffi::CL_CONTEXT_PLATFORM as isize, platform.0 as isize, 0];
        let mut status = 0;
        // SAFETY: the list of properties ends with 0; one device is given.
        let context = unsafe {
            let status = &mut status;
            ffi::clCreateContext(properties.as_ptr(), 1, &id.0, None, null_mut(), status)
        };
        made("clCreateContext", context, status).map(Context)
    }

    /// An in-order queue.
    pub fn queue(&self, id: Id) -> Answer<Queue> {
        let mut status = 0;
        // SAFETY: the device is the context's.
        let queue = unsafe { ffi::clCreateCommandQueue(self.0, id.0, 0, &mut status) };
        made("clCreateCommandQueue", queue, status).map(Queue)
    }

    /// Uninitialised memory that the driver allocates.
    pub fn memory(&self, bytes: usize) -> Answer<Memory> {
        let mut status = 0;
        let flags = ffi::CL_MEM_READ_WRITE;
        // SAFETY: no host memory is named.
        let memory = unsafe { ffi::clCreateBuffer(self.0, flags, bytes, null_mut(), &mut status) };
        made("clCreateBuffer", memory, status).map(Memory)
    }

    /// Host memory as a memory object.
    ///
    /// # Safety
    /// `data` is valid for `bytes` bytes for as long as commands that use the object may run; for writes too, if one writes.
    pub unsafe fn wrap(&self, data: *mut u8, bytes: usize) -> Answer<Memory> {
        let mut status = 0;
        let flags = ffi::CL_MEM_READ_WRITE | ffi::CL_MEM_USE_HOST_PTR;
        // SAFETY: the caller vouches for the memory.
        let memory = unsafe { ffi::clCreateBuffer(self.0, flags, bytes, data.cast(), &mut status) };
        made("clCreateBuffer", memory, status).map(Memory)
    }

    /// A program of this source, not built yet.
    pub fn source(&self, source: &str) -> Answer<Program> {
        let mut status = 0;
        let (text, length) = (source.as_ptr().cast(), source.len());
        // SAFETY: one text of that length.
        let program =
            unsafe { ffi::clCreateProgramWithSource(self.0, 1, &text, &length, &mut status) };
        made("clCreateProgramWithSource", program, status).map(Program)
    }

    /// A program of this binary, not built yet.
    pub fn binary(&self, id: Id, binary: &[u8]) -> Answer<Program> {
        let (mut status, mut accepted) = (0, 0);
        let (data, length) = (binary.as_ptr(), binary.len());
        // SAFETY: one binary of that length for one device.
        let program = unsafe {
            let answers = (&mut accepted, &mut status);
            ffi::clCreateProgramWithBinary(self.0, 1, &id.0, &length, &data, answers.0, answers.1)
        };
        let program = made("clCreateProgramWithBinary", program, status).map(Program)?;
        check("clCreateProgramWithBinary", accepted)?;
        Ok(program)
    }
}

impl Program {
    /// Builds it.
    pub fn build(&self, id: Id, options: &CStr) -> Answer<()> {
        // SAFETY: one device; no callback.
        let status =
            unsafe { ffi::clBuildProgram(self.0, 1, &id.0, options.as_ptr(), None, null_mut()) };
        check("clBuildProgram", status)
    }

    /// What the compiler said.
    pub fn log(&self, id: Id) -> Answer<String> {
        let what = ffi::CL_PROGRAM_BUILD_LOG;
        // SAFETY: `value` has room for the size that it was told.
        let log = value("clGetProgramBuildInfo", |room, to, size| unsafe {
            ffi::clGetProgramBuildInfo(self.0, id.0, what, room, to, size)
        });
        log.map(text)
    }

    fn info(&self, what: u32) -> Answer<Vec<u8>> {
        // SAFETY: as above.
        value("clGetProgramInfo", |room, to, size| unsafe {
            ffi::clGetProgramInfo(self.0, what, room, to, size)
        })
    }

    /// The names of its kernels.
    pub fn kernels(&self) -> Answer<Vec<String>> {
        let names = text(self.info(ffi::CL_PROGRAM_KERNEL_NAMES)?);
        let names = names.split(';').filter(|name| !name.is_empty());
        Ok(names.map(str::to_string).collect())
    }

    /// The binary that was built; empty if the driver gives none.
    pub fn to_binary(&self) -> Answer<Vec<u8>> {
        let size = number(&self.info(ffi::CL_PROGRAM_BINARY_SIZES)?) as usize;
        let mut binary = vec![0u8; size];
        let mut pointer = binary.as_mut_ptr();
        // SAFETY: the program has one device: one pointer, to as many bytes as it says.
        let status = unsafe {
            let (room, to) = (size_of::<*mut u8>(), (&raw mut pointer).cast());
            ffi::clGetProgramInfo(self.0, ffi::CL_PROGRAM_BINARIES, room, to, null_mut())
        };
        check("clGetProgramInfo", status).map(|()| binary)
    }

    /// A kernel by name.
    pub fn kernel(&self, name: &str) -> Answer<Kernel> {
        let call = "clCreateKernel";
        let status = ffi::CL_INVALID_KERNEL_NAME;
        let name = CString::new(name).map_err(|_| Failed { call, status })?;
        let mut status = 0;
        // SAFETY: a text that ends with 0.
        let kernel = unsafe { ffi::clCreateKernel(self.0, name.as_ptr(), &mut status) };
        made(call, kernel, status).map(Kernel)
    }
}

impl Kernel {
    /// The number of its parameters.
    pub fn parameters(&self) -> Answer<u32> {
        let what = ffi::CL_KERNEL_NUM_ARGS;
        // SAFETY: `value` has room for the size that it was told.
        let count = value("clGetKernelInfo", |room, to, size| unsafe {
            ffi::clGetKernelInfo(self.0, what, room, to, size)
        });
        count.map(|count| number(&count) as u32)
    }

    /// What is known of a parameter.
    pub fn parameter(&self, index: u32, what: u32) -> Answer<Vec<u8>> {
        // SAFETY: as above.
        value("clGetKernelArgInfo", |room, to, size| unsafe {
            ffi::clGetKernelArgInfo(self.0, index, what, room, to, size)
        })
    }

    /// The largest group that it can run in.
    pub fn group(&self, id: Id) -> Answer<usize> {
        let what = ffi::CL_KERNEL_WORK_GROUP_SIZE;
        // SAFETY: as above.
        let size = value("clGetKernelWorkGroupInfo", |room, to, size| unsafe {
            ffi::clGetKernelWorkGroupInfo(self.0, id.0, what, room, to, size)
        });
        size.map(|size| number(&size) as usize)
    }

    /// Sets a scalar: its bytes.
    pub fn set_scalar(&mut self, index: u32, bytes: &[u8]) -> Answer<()> {
        // SAFETY: `bytes` is what it says; the driver compares its length with the parameter's.
        let status =
            unsafe { ffi::clSetKernelArg(self.0, index, bytes.len(), bytes.as_ptr().cast()) };
        check("clSetKernelArg", status)
    }

    /// Sets a memory object, which must live until the kernel was launched or the argument is set again.
    pub fn set_memory(&mut self, index: u32, memory: &Memory) -> Answer<()> {
        let (size, value) = (size_of::<*mut c_void>(), (&raw const memory.0).cast());
        // SAFETY: a live memory object.
        let status = unsafe { ffi::clSetKernelArg(self.0, index, size, value) };
        check("clSetKernelArg", status)
    }

    /// Sets the size of local memory.
    pub fn set_local(&mut self, index: u32, bytes: usize) -> Answer<()> {
        // SAFETY: local memory has a size and no value.
        let status = unsafe { ffi::clSetKernelArg(self.0, index, bytes, null()) };
        check("clSetKernelArg", status)
    }
}

impl Queue {
    /// Starts what is enqueued.
    pub fn flush(&self) -> Answer<()> {
        // SAFETY: a live queue.
        check("clFlush", unsafe { ffi::clFlush(self.0) })
    }

    /// Waits for all that is enqueued.
    pub fn finish(&self) -> Answer<()> {
        // SAFETY: a live queue.
        check("clFinish", unsafe { ffi::clFinish(self.0) })
    }

    /// Enqueues a kernel, one-dimensional.
    ///
    /// # Safety
    /// Its arguments are set to what it expects, and its accesses stay inside the memory objects.
    pub unsafe fn launch(&self, kernel: &Kernel, items: usize, group: usize) -> Answer<()> {
        // SAFETY: one dimension; the caller vouches for what the kernel does.
        let status = unsafe {
            let (none, event) = (null(), null_mut());
            ffi::clEnqueueNDRangeKernel(self.0, kernel.0, 1, none, &items, &group, 0, null(), event)
        };
        check("clEnqueueNDRangeKernel", status)
    }

    /// Copies from a memory object and waits for it.
    ///
    /// # Safety
    /// `to` is valid for writes of `bytes` bytes.
    pub unsafe fn read(&self, from: &Memory, at: usize, to: *mut u8, bytes: usize) -> Answer<()> {
        // SAFETY: the command is over when the call returns.
        let status = unsafe {
            let (wait, event) = (null(), null_mut());
            ffi::clEnqueueReadBuffer(self.0, from.0, 1, at, bytes, to.cast(), 0, wait, event)
        };
        check("clEnqueueReadBuffer", status)
    }

    /// Copies into a memory object and waits for it.
    pub fn write(&self, to: &Memory, at: usize, bytes: &[u8]) -> Answer<()> {
        let (from, count) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: the command is over when the call returns.
        let status = unsafe {
            let (wait, event) = (null(), null_mut());
            ffi::clEnqueueWriteBuffer(self.0, to.0, 1, at, count, from, 0, wait, event)
        };
        check("clEnqueueWriteBuffer", status)
    }

    /// Enqueues a copy between memory objects.
    pub fn copy(
        &self,
        from: &Memory,
        at: usize,
        to: &Memory,
        to_at: usize,
        bytes: usize,
    ) -> Answer<()> {
        // SAFETY: the driver compares the stretches with the objects.
        let status = unsafe {
            let (wait, event) = (null(), null_mut());
            ffi::clEnqueueCopyBuffer(self.0, from.0, to.0, at, to_at, bytes, 0, wait, event)
        };
        check("clEnqueueCopyBuffer", status)
    }

    /// Enqueues filling with a pattern of 1, 2, 4, … 128 bytes.
    pub fn fill(&self, to: &Memory, at: usize, bytes: usize, pattern: &[u8]) -> Answer<()> {
        let (data, size) = (pattern.as_ptr().cast(), pattern.len());
        // SAFETY: the driver copies the pattern before it returns, and compares the stretch with the object.
        let status = unsafe {
            let (wait, event) = (null(), null_mut());
            ffi::clEnqueueFillBuffer(self.0, to.0, data, size, at, bytes, 0, wait, event)
        };
        check("clEnqueueFillBuffer", status)
    }

    /// Brings a memory object of host memory up to date there, and waits for it.
    pub fn settle(&self, memory: &Memory, bytes: usize) -> Answer<()> {
        let mut status = 0;
        // SAFETY: the driver compares the stretch with the object; nobody reads through the mapping.
        let at = unsafe {
            let (wait, event, status) = (null(), null_mut(), &mut status);
            let flags = ffi::CL_MAP_READ;
            ffi::clEnqueueMapBuffer(self.0, memory.0, 1, flags, 0, bytes, 0, wait, event, status)
        };
        let at = made("clEnqueueMapBuffer", at, status)?;
        // SAFETY: mapped above.
        let status =
            unsafe { ffi::clEnqueueUnmapMemObject(self.0, memory.0, at, 0, null(), null_mut()) };
        check("clEnqueueUnmapMemObject", status)?;
        self.finish()
    }
}
