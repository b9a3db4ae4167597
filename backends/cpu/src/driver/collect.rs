//! collect: compiled code writes iteration `i` of the result itself, at `i` times the bytes of an element or sub-array.
//! Chunks may have any length, and come in any order: nothing remains for the driver but the memory.

/// The bytes of the whole result: `extent` iterations of `bytes` bytes each; `None` if no memory can hold it.
pub fn bytes(extent: u64, bytes: usize) -> Option<usize> {
    usize::try_from(extent)
        .ok()?
        .checked_mul(bytes)
        .filter(|&total| total <= isize::MAX as usize)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_that_no_memory_holds() {
        assert_eq!(super::bytes(3, 8), Some(24));
        assert_eq!(super::bytes(u64::MAX, 8), None);
        assert_eq!(super::bytes(1 << 62, 2), None);
    }
}
