//! reduce: compiled code leaves the total of each block; here they are joined by the canonical tree.
//!
//! The words of the sink: `k` for `e`, which become the result; `k` for each block.

use super::Sink;
use crate::abi::{self, CombineFn, Frame};
use std::ops::Range;

/// Words beside those of `e`.
pub(super) fn words(values: usize, blocks: usize) -> usize {
    values.saturating_mul(blocks)
}

/// Where the totals of the blocks begin.
pub(super) fn first_block(sink: &Sink) -> usize {
    sink.words.start + sink.values
}

/// Level by level, `t[2i] op t[2i + 1]`; an odd last one moves up as it is; then `e op total`.
///
/// # Safety
/// `combine` is alive, combines `k` words and finds what it needs in the frame.
pub(super) unsafe fn finish(frame: &Frame, combine: CombineFn, k: usize, words: &mut [u64]) -> u64 {
    let (result, totals) = words.split_at_mut(k);
    let word = |total: usize| -> Range<usize> { total * k..(total + 1) * k };
    let mut count = totals.len() / k;
    if count == 0 {
        return abi::OK;
    }
    while count > 1 {
        for pair in 0..count / 2 {
            let at = totals.as_mut_ptr();
            // SAFETY: totals `2 pair` and `2 pair + 1` exist; `pair` is one of them or was read before.
            let status = unsafe {
                combine(
                    frame,
                    at.add(pair * k),
                    at.add(2 * pair * k),
                    at.add((2 * pair + 1) * k),
                )
            };
            if status != abi::OK {
                return status;
            }
        }
        if count % 2 == 1 {
            totals.copy_within(word(count - 1), word(count / 2).start);
        }
        count = count.div_ceil(2);
    }
    let result = result.as_mut_ptr();
    // SAFETY: `k` words each; the result may be the left operand.
    unsafe { combine(frame, result, result, totals.as_ptr()) }
}
