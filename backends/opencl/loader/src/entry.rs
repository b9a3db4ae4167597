//! The table of entry points: those of OpenCL 1.2 and of sharing with OpenGL, which bindings name too.

use super::{Answer, Argument, Bits, Entry, Int, Ptr, Size, Status, Word};
use std::ffi::CStr;

macro_rules! entry_points {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $answer:ty;)*) => {$(
        /// Forwards to the entry point of this name.
        ///
        /// # Safety
        /// As the standard says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $ty),*) -> $answer {
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => unreachable!(),
            };
            static ENTRY: Entry = Entry::new(NAME);
            let Some(address) = ENTRY.find() else {
                $($arg.tell();)*
                return <$answer>::missing();
            };
            // SAFETY: the entry point has these parameters, and the caller keeps to the standard.
            unsafe {
                let entry: unsafe extern "C" fn($($ty),*) -> $answer = std::mem::transmute(address);
                entry($($arg),*)
            }
        }
    )*};
}

entry_points! {
    clGetPlatformIDs(a: Word, b: Ptr, c: Ptr) -> Int;
    clGetPlatformInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clGetDeviceIDs(a: Ptr, b: Bits, c: Word, d: Ptr, e: Ptr) -> Int;
    clGetDeviceInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clCreateSubDevices(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr) -> Int;
    clRetainDevice(a: Ptr) -> Int;
    clReleaseDevice(a: Ptr) -> Int;
    clRetainContext(a: Ptr) -> Int;
    clReleaseContext(a: Ptr) -> Int;
    clGetContextInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clRetainCommandQueue(a: Ptr) -> Int;
    clReleaseCommandQueue(a: Ptr) -> Int;
    clGetCommandQueueInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clRetainMemObject(a: Ptr) -> Int;
    clReleaseMemObject(a: Ptr) -> Int;
    clGetSupportedImageFormats(a: Ptr, b: Bits, c: Word, d: Word, e: Ptr, f: Ptr) -> Int;
    clGetMemObjectInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clGetImageInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clSetMemObjectDestructorCallback(a: Ptr, b: Ptr, c: Ptr) -> Int;
    clRetainSampler(a: Ptr) -> Int;
    clReleaseSampler(a: Ptr) -> Int;
    clGetSamplerInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clRetainProgram(a: Ptr) -> Int;
    clReleaseProgram(a: Ptr) -> Int;
    clBuildProgram(a: Ptr, b: Word, c: Ptr, d: Ptr, e: Ptr, f: Ptr) -> Int;
    clUnloadCompiler() -> Int;
    clCompileProgram(a: Ptr, b: Word, c: Ptr, d: Ptr, e: Word, f: Ptr, g: Ptr, h: Ptr, i: Ptr) -> Int;
    clUnloadPlatformCompiler(a: Ptr) -> Int;
    clGetProgramInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clGetProgramBuildInfo(a: Ptr, b: Ptr, c: Word, d: Size, e: Ptr, f: Ptr) -> Int;
    clCreateKernelsInProgram(a: Ptr, b: Word, c: Ptr, d: Ptr) -> Int;
    clRetainKernel(a: Ptr) -> Int;
    clReleaseKernel(a: Ptr) -> Int;
    clSetKernelArg(a: Ptr, b: Word, c: Size, d: Ptr) -> Int;
    clGetKernelInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clGetKernelArgInfo(a: Ptr, b: Word, c: Word, d: Size, e: Ptr, f: Ptr) -> Int;
    clGetKernelWorkGroupInfo(a: Ptr, b: Ptr, c: Word, d: Size, e: Ptr, f: Ptr) -> Int;
    clWaitForEvents(a: Word, b: Ptr) -> Int;
    clGetEventInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clRetainEvent(a: Ptr) -> Int;
    clReleaseEvent(a: Ptr) -> Int;
    clSetUserEventStatus(a: Ptr, b: Int) -> Int;
    clSetEventCallback(a: Ptr, b: Int, c: Ptr, d: Ptr) -> Int;
    clGetEventProfilingInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clFlush(a: Ptr) -> Int;
    clFinish(a: Ptr) -> Int;
    clEnqueueReadBuffer(a: Ptr, b: Ptr, c: Word, d: Size, e: Size, f: Ptr, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueReadBufferRect(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr, f: Ptr, g: Size, h: Size, i: Size, j: Size, k: Ptr, l: Word, m: Ptr, n: Ptr) -> Int;
    clEnqueueWriteBuffer(a: Ptr, b: Ptr, c: Word, d: Size, e: Size, f: Ptr, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueWriteBufferRect(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr, f: Ptr, g: Size, h: Size, i: Size, j: Size, k: Ptr, l: Word, m: Ptr, n: Ptr) -> Int;
    clEnqueueFillBuffer(a: Ptr, b: Ptr, c: Ptr, d: Size, e: Size, f: Size, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueCopyBuffer(a: Ptr, b: Ptr, c: Ptr, d: Size, e: Size, f: Size, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueCopyBufferRect(a: Ptr, b: Ptr, c: Ptr, d: Ptr, e: Ptr, f: Ptr, g: Size, h: Size, i: Size, j: Size, k: Word, l: Ptr, m: Ptr) -> Int;
    clEnqueueReadImage(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr, f: Size, g: Size, h: Ptr, i: Word, j: Ptr, k: Ptr) -> Int;
    clEnqueueWriteImage(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr, f: Size, g: Size, h: Ptr, i: Word, j: Ptr, k: Ptr) -> Int;
    clEnqueueFillImage(a: Ptr, b: Ptr, c: Ptr, d: Ptr, e: Ptr, f: Word, g: Ptr, h: Ptr) -> Int;
    clEnqueueCopyImage(a: Ptr, b: Ptr, c: Ptr, d: Ptr, e: Ptr, f: Ptr, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueCopyImageToBuffer(a: Ptr, b: Ptr, c: Ptr, d: Ptr, e: Ptr, f: Size, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueCopyBufferToImage(a: Ptr, b: Ptr, c: Ptr, d: Size, e: Ptr, f: Ptr, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueUnmapMemObject(a: Ptr, b: Ptr, c: Ptr, d: Word, e: Ptr, f: Ptr) -> Int;
    clEnqueueMigrateMemObjects(a: Ptr, b: Word, c: Ptr, d: Bits, e: Word, f: Ptr, g: Ptr) -> Int;
    clEnqueueNDRangeKernel(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr, f: Ptr, g: Word, h: Ptr, i: Ptr) -> Int;
    clEnqueueTask(a: Ptr, b: Ptr, c: Word, d: Ptr, e: Ptr) -> Int;
    clEnqueueNativeKernel(a: Ptr, b: Ptr, c: Ptr, d: Size, e: Word, f: Ptr, g: Ptr, h: Word, i: Ptr, j: Ptr) -> Int;
    clEnqueueMarker(a: Ptr, b: Ptr) -> Int;
    clEnqueueMarkerWithWaitList(a: Ptr, b: Word, c: Ptr, d: Ptr) -> Int;
    clEnqueueWaitForEvents(a: Ptr, b: Word, c: Ptr) -> Int;
    clEnqueueBarrierWithWaitList(a: Ptr, b: Word, c: Ptr, d: Ptr) -> Int;
    clEnqueueBarrier(a: Ptr) -> Int;
    clGetGLObjectInfo(a: Ptr, b: Ptr, c: Ptr) -> Int;
    clGetGLTextureInfo(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clEnqueueAcquireGLObjects(a: Ptr, b: Word, c: Ptr, d: Word, e: Ptr, f: Ptr) -> Int;
    clEnqueueReleaseGLObjects(a: Ptr, b: Word, c: Ptr, d: Word, e: Ptr, f: Ptr) -> Int;
    clGetGLContextInfoKHR(a: Ptr, b: Word, c: Size, d: Ptr, e: Ptr) -> Int;
    clCreateContext(a: Ptr, b: Word, c: Ptr, d: Ptr, e: Ptr, status: Status) -> Ptr;
    clCreateContextFromType(a: Ptr, b: Bits, c: Ptr, d: Ptr, status: Status) -> Ptr;
    clCreateCommandQueue(a: Ptr, b: Ptr, c: Bits, status: Status) -> Ptr;
    clCreateBuffer(a: Ptr, b: Bits, c: Size, d: Ptr, status: Status) -> Ptr;
    clCreateSubBuffer(a: Ptr, b: Bits, c: Word, d: Ptr, status: Status) -> Ptr;
    clCreateImage2D(a: Ptr, b: Bits, c: Ptr, d: Size, e: Size, f: Size, g: Ptr, status: Status) -> Ptr;
    clCreateImage3D(a: Ptr, b: Bits, c: Ptr, d: Size, e: Size, f: Size, g: Size, h: Size, i: Ptr, status: Status) -> Ptr;
    clCreateImage(a: Ptr, b: Bits, c: Ptr, d: Ptr, e: Ptr, status: Status) -> Ptr;
    clCreateSampler(a: Ptr, b: Word, c: Word, d: Word, status: Status) -> Ptr;
    clCreateProgramWithSource(a: Ptr, b: Word, c: Ptr, d: Ptr, status: Status) -> Ptr;
    clCreateProgramWithBinary(a: Ptr, b: Word, c: Ptr, d: Ptr, e: Ptr, f: Ptr, status: Status) -> Ptr;
    clCreateProgramWithBuiltInKernels(a: Ptr, b: Word, c: Ptr, d: Ptr, status: Status) -> Ptr;
    clLinkProgram(a: Ptr, b: Word, c: Ptr, d: Ptr, e: Word, f: Ptr, g: Ptr, h: Ptr, status: Status) -> Ptr;
    clCreateKernel(a: Ptr, b: Ptr, status: Status) -> Ptr;
    clCreateUserEvent(a: Ptr, status: Status) -> Ptr;
    clEnqueueMapBuffer(a: Ptr, b: Ptr, c: Word, d: Bits, e: Size, f: Size, g: Word, h: Ptr, i: Ptr, status: Status) -> Ptr;
    clEnqueueMapImage(a: Ptr, b: Ptr, c: Word, d: Bits, e: Ptr, f: Ptr, g: Ptr, h: Ptr, i: Word, j: Ptr, k: Ptr, status: Status) -> Ptr;
    clCreateFromGLBuffer(a: Ptr, b: Bits, c: Word, status: Status) -> Ptr;
    clCreateFromGLTexture(a: Ptr, b: Bits, c: Word, d: Int, e: Word, status: Status) -> Ptr;
    clCreateFromGLRenderbuffer(a: Ptr, b: Bits, c: Word, status: Status) -> Ptr;
    clCreateFromGLTexture2D(a: Ptr, b: Bits, c: Word, d: Int, e: Word, status: Status) -> Ptr;
    clCreateFromGLTexture3D(a: Ptr, b: Bits, c: Word, d: Int, e: Word, status: Status) -> Ptr;
    clGetExtensionFunctionAddress(a: Ptr) -> Ptr;
    clGetExtensionFunctionAddressForPlatform(a: Ptr, b: Ptr) -> Ptr;
}
