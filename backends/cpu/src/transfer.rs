//! Copies between layouts: elements of arrays with any strides to contiguous memory and back, on several threads where
//! they are many.

use crate::crew::{Crew, Shares};
use dsl_runtime::array::{Arg, ArrayViewMut, contiguous};

/// Fewer bytes are copied by the calling thread.
const LARGE: usize = 1 << 20;
/// What a worker takes at once.
const PIECE: usize = 1 << 18;

/// The scalar of `bytes` bytes at an address, zero-extended.
///
/// # Safety
/// It can be read.
pub unsafe fn load(at: *const u8, bytes: usize) -> u64 {
    // SAFETY: the caller's.
    unsafe {
        match bytes {
            1 => at.read() as u64,
            2 => at.cast::<u16>().read_unaligned() as u64,
            4 => at.cast::<u32>().read_unaligned() as u64,
            _ => at.cast::<u64>().read_unaligned(),
        }
    }
}

/// Whether the memory for results overlaps no argument.
pub fn disjoint(args: &[Arg<'_>], into: &[Option<ArrayViewMut<'_>>]) -> bool {
    let reach = |data: usize, shape: &[usize], strides: &[isize], bytes: usize| {
        let (mut low, mut high) = (data as i128, data as i128 + bytes as i128);
        for (&len, &stride) in shape.iter().zip(strides) {
            let step = stride as i128 * (len as i128 - 1).max(0);
            low += step.min(0);
            high += step.max(0);
        }
        low..high
    };
    into.iter().flatten().all(|view| {
        let bytes = view.elem().bytes();
        let mine = reach(view.data() as usize, view.shape(), view.strides(), bytes);
        args.iter().all(|arg| match arg {
            Arg::Scalar(_) | Arg::Stored(_) => true,
            Arg::Array(arg) => {
                let bytes = arg.elem().bytes();
                let other = reach(arg.data() as usize, arg.shape(), arg.strides(), bytes);
                arg.elements() == 0 || other.end <= mine.start || mine.end <= other.start
            }
        })
    })
}

/// Contiguous bytes, on several threads where they are many.
unsafe fn bytes(crew: &Crew, to: *mut u8, from: *const u8, count: usize) {
    let workers = crew.threads().min(count / PIECE);
    if count < LARGE || workers < 2 {
        // SAFETY: the caller's.
        return unsafe { std::ptr::copy_nonoverlapping(from, to, count) };
    }
    let shares = Shares::new(count.div_ceil(PIECE) as u32, workers);
    let (to, from) = (to.addr(), from.addr());
    crew.run(workers, |worker| {
        while let Some(piece) = shares.take(worker) {
            let at = piece as usize * PIECE;
            let length = PIECE.min(count - at);
            let (to, from) = (to as *mut u8, from as *const u8);
            // SAFETY: the pieces lie in both stretches and do not overlap.
            unsafe { std::ptr::copy_nonoverlapping(from.add(at), to.add(at), length) }
        }
    });
}

/// The elements of an array of any layout (`None`: contiguous) to contiguous memory.
///
/// # Safety
/// The array can be read, the memory written; they do not overlap.
pub unsafe fn gather(
    crew: &Crew,
    to: *mut u8,
    from: *const u8,
    shape: &[usize],
    strides: Option<&[isize]>,
    elem: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        match strides {
            None => bytes(crew, to, from, shape.iter().product::<usize>() * elem),
            Some(strides) => walk(
                shape,
                strides,
                &contiguous(shape, elem),
                &mut |from_at, to_at| {
                    std::ptr::copy_nonoverlapping(from.offset(from_at), to.offset(to_at), elem)
                },
            ),
        }
    }
}

/// An array of any layout (`None`: contiguous) to the caller's memory of the same shape.
///
/// # Safety
/// As that of [`gather`].
pub unsafe fn copy(crew: &Crew, to: &ArrayViewMut<'_>, from: *const u8, strides: Option<&[isize]>) {
    let (shape, elem, data) = (to.shape(), to.elem().bytes(), to.data());
    // SAFETY: the caller's.
    unsafe {
        if to.is_contiguous() {
            return gather(crew, data, from, shape, strides, elem);
        }
        let dense = contiguous(shape, elem);
        let strides = strides.unwrap_or(&dense);
        walk(shape, strides, to.strides(), &mut |from_at, to_at| {
            std::ptr::copy_nonoverlapping(from.offset(from_at), data.offset(to_at), elem)
        })
    }
}

/// Visits all elements of two layouts of one shape.
fn walk(shape: &[usize], a: &[isize], b: &[isize], f: &mut dyn FnMut(isize, isize)) {
    fn go(
        shape: &[usize],
        a: &[isize],
        b: &[isize],
        at: (isize, isize),
        f: &mut dyn FnMut(isize, isize),
    ) {
        let Some((&len, shape)) = shape.split_first() else {
            return f(at.0, at.1);
        };
        for i in 0..len as isize {
            go(
                shape,
                &a[1..],
                &b[1..],
                (at.0 + i * a[0], at.1 + i * b[0]),
                f,
            );
        }
    }
    go(shape, a, b, (0, 0), f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_a_transposed_array() {
        let from: Vec<u32> = (0..6).collect();
        let mut to = [0u32; 6];
        let crew = Crew::of(1).unwrap();
        // SAFETY: a 3 by 2 view of six elements.
        unsafe {
            gather(
                &crew,
                to.as_mut_ptr().cast(),
                from.as_ptr().cast(),
                &[3, 2],
                Some(&[4, 12]),
                4,
            )
        }
        assert_eq!(to, [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn copies_much_on_several_threads() {
        let from: Vec<u8> = (0..3_000_001).map(|i| (i % 251) as u8).collect();
        let mut to = vec![0u8; from.len()];
        let crew = Crew::of(3).unwrap();
        // SAFETY: both are as long.
        unsafe { bytes(&crew, to.as_mut_ptr(), from.as_ptr(), from.len()) }
        assert_eq!(from, to);
    }
}
