//! The OpenCL backend: from scheduled functions to OpenCL C, run on any device. Places `opencl` (the first device, a GPU if
//! there is one) and `opencl:N`.

pub mod device;
