//! Strided memory: reading, writing and copying elements of any layout.

use super::Dims;
use crate::ir::{Const, ScalarType};
use std::ptr;

/// Reads one element.
///
/// # Safety
/// `at` is valid for reading a value of `elem`, aligned.
pub(super) unsafe fn read(elem: ScalarType, at: *const u8) -> Const {
    // SAFETY: as the caller vouches; the width is that of the type.
    let bits = unsafe {
        match elem.bytes() {
            1 => u64::from(*at),
            2 => u64::from(*at.cast::<u16>()),
            4 => u64::from(*at.cast::<u32>()),
            _ => *at.cast::<u64>(),
        }
    };
    Const { ty: elem, bits }
}

/// Writes one element.
///
/// # Safety
/// `at` is valid for writing a value of the constant's type, aligned.
pub(super) unsafe fn write(at: *mut u8, value: Const) {
    // SAFETY: as the caller vouches; the width is that of the type.
    unsafe {
        match value.ty.bytes() {
            1 => *at = value.bits as u8,
            2 => *at.cast::<u16>() = value.bits as u16,
            4 => *at.cast::<u32>() = value.bits as u32,
            _ => *at.cast::<u64>() = value.bits,
        }
    }
}

/// The distances, in bytes, of all elements from the first, in row-major order.
pub(super) fn offsets(shape: &[usize], strides: &[isize]) -> impl Iterator<Item = isize> {
    let (shape, strides) = (Dims::from(shape), Dims::from(strides));
    let mut index: Dims<usize> = Dims::from_elem(0, shape.len());
    let mut next = (!shape.contains(&0)).then_some(0isize);
    std::iter::from_fn(move || {
        let here = next?;
        let mut distance = here;
        next = None;
        for d in (0..shape.len()).rev() {
            index[d] += 1;
            distance += strides[d];
            if index[d] < shape[d] {
                next = Some(distance);
                break;
            }
            distance -= strides[d] * shape[d] as isize;
            index[d] = 0;
        }
        Some(here)
    })
}

/// Copies every element of `shape` from one layout (pointer, strides in bytes) to another.
///
/// # Safety
/// All elements that `shape` and the strides reach are valid for reading and writing `bytes` bytes, and aligned to
/// them; source and destination do not overlap.
pub(super) unsafe fn copy(
    bytes: usize,
    shape: &[usize],
    (from, from_strides): (*const u8, &[isize]),
    (to, to_strides): (*mut u8, &[isize]),
) {
    if shape.contains(&0) {
        return;
    }
    // The longest tail that is contiguous on both sides is moved at once.
    let mut run = bytes as isize;
    let mut outer = shape.len();
    while outer > 0 && from_strides[outer - 1] == run && to_strides[outer - 1] == run {
        outer -= 1;
        run *= shape[outer] as isize;
    }
    if run as usize > bytes || outer == 0 {
        let sources = offsets(&shape[..outer], &from_strides[..outer]);
        let targets = offsets(&shape[..outer], &to_strides[..outer]);
        for (source, target) in sources.zip(targets) {
            // SAFETY: `run` bytes from here are elements of both layouts.
            unsafe {
                ptr::copy_nonoverlapping(
                    from.wrapping_byte_offset(source),
                    to.wrapping_byte_offset(target),
                    run as usize,
                )
            }
        }
        return;
    }
    // Otherwise the innermost dimension is a loop of its own, with the width known.
    let inner = shape.len() - 1;
    let (n, from_step, to_step) = (shape[inner], from_strides[inner], to_strides[inner]);
    let sources = offsets(&shape[..inner], &from_strides[..inner]);
    let targets = offsets(&shape[..inner], &to_strides[..inner]);
    for (source, target) in sources.zip(targets) {
        let source = from.wrapping_byte_offset(source);
        let target = to.wrapping_byte_offset(target);
        // SAFETY: the row's elements belong to both layouts and are aligned to their width.
        unsafe {
            match bytes {
                1 => row::<u8>(n, source, from_step, target, to_step),
                2 => row::<u16>(n, source, from_step, target, to_step),
                4 => row::<u32>(n, source, from_step, target, to_step),
                _ => row::<u64>(n, source, from_step, target, to_step),
            }
        }
    }
}

/// Copies one row.
///
/// # Safety
/// As [`copy`], for `n` elements of type `T`.
unsafe fn row<T: Copy>(n: usize, from: *const u8, step: isize, to: *mut u8, to_step: isize) {
    for k in 0..n as isize {
        // SAFETY: as the caller vouches.
        unsafe {
            let value = from.wrapping_byte_offset(k * step).cast::<T>().read();
            to.wrapping_byte_offset(k * to_step)
                .cast::<T>()
                .write(value);
        }
    }
}
