//! Arrays in NumPy's format, `.npy`: one array a file, after a header that names its element type and its shape.
//!
//! The format is that of <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, versions 1.0, 2.0 and 3.0.
//! Elements of all scalar types are read, in either byte order and in C and in Fortran order; written are the machine's byte
//! order and C order, in the same bytes as by `numpy.save`. What stands after the array is not read: NumPy appends several arrays
//! to one file.
//!
//! Rows are those of the first dimension. An array without dimensions, as NumPy writes for a scalar, has one row of one element,
//! which belongs to the rank that the distribution gives it to.

mod dtype;
mod fortran;
mod header;
mod literal;
mod read;
mod write;

pub use header::Header;
pub use read::{header, read};
pub use write::write;

pub(super) use header::load;
pub(super) use write::{Stretch, fill};
