//! The device layer: what the backend asks of OpenCL, and the only part that speaks to it.
