//! The canonical order: which operations a reduction or a scan performs, on which operands, in which order. It is fixed by
//! the language, independent of machine, threads, vector width and ranks; only so can floats give the same bits
//! everywhere. Changing anything here is a breaking change.
//!
//! Let `v[0..n]` be the values, `op` the operation, `e` the start value. "Lanes" below are used only where the operation
//! is a row of the table with `laws.reduces` ([`super::Combine::Op`]); a [`super::Combine::Lambda`] always folds left.
//!
//! **Reduce** (`par`): the values are cut into blocks of [`BLOCK`]. In a block, `LANES` accumulators start with
//! `op.identity`; value `k` of the block goes to lane `k % LANES`: `acc = acc op v`. The lanes are joined by halves:
//! `acc[l] = acc[l] op acc[l + 8]` for l < 8, then 4, 2, 1. (Lambda: `t = v[0]; t = t op v[k]`.) The block totals are joined
//! by a binary tree over the block number: level by level, `t[2i] op t[2i + 1]`, an odd last one moves up as it is. The
//! result is `e op total`, or `e` where there are no values.
//!
//! **Reduce** (`par.inner`): with an `Op` and more than [`SHORT`] values, as one block of [`INNER_LANES`] lanes, joined by
//! halves, then `e op total`. Otherwise the left fold `acc = e; acc = acc op v[k]`.
//!
//! **Scan** (`par`): blocks of [`BLOCK`]. With an `Op`, a block is cut into groups of [`GROUP`]; in a group, for d = 1, 2, 4
//! in turn, every `s[i] = s[i - d] op s[i]` for i >= d (all from the values before that step). With the carry `c` of
//! the group, `y[i] = c op s[i]` (exscan: `y[i] = c op s[i - 1]`, `y[0] = c`); the next group's carry is
//! `c op s[last]`. The first carry of block b is `C[b]`: `C[0] = e`, `C[b + 1] = C[b] op T[b]`, where `T[b]` is the left
//! fold of the block's group totals `s[last]`, without a start value. (Lambda: `y = C[b] op v[0]`, `y = y op v[k]`;
//! `T[b] = v[0] op v[1] op …`, a left fold.)
//!
//! **Scan** (`par.inner`): the left fold `y = e op v[0]`, `y = y op v[k]`.
//!
//! **From the right** (`rscan`, `rexscan`): the same on the reversed sequence with `op'(a, b) = op(b, a)`; result `i` is
//! that of the reversed position.
//!
//! **scatter_with**: for each destination, `y = dest; y = y op v` over the iterations in ascending order.

/// Values in a block: also the grain of parallel work and of distribution.
pub const BLOCK: usize = 4096;
/// Interleaved accumulators of a block.
pub const LANES: usize = 16;
/// The largest number of values that an inner reduction folds from the left.
pub const SHORT: usize = 32;
/// Interleaved accumulators of a longer inner reduction.
pub const INNER_LANES: usize = 8;
/// Values in a group of a scan.
pub const GROUP: usize = 8;
