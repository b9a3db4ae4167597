//! The pool of host memory when it is full. One test, alone in its process: the counters are the whole process's.

use dsl_runtime::array::HostBuffer;
use dsl_runtime::array::memory::{LIMIT, trim, usage};

#[test]
fn a_full_pool_keeps_what_was_used_last() {
    // Four sizes of an earlier time fill the pool.
    (1..=4).for_each(|k| drop(HostBuffer::uninit((100 + 10 * k) << 20, 1)));
    // Two buffers of the present, of which each is dropped while the other lives, as the grids of a time loop.
    let mut grid = HostBuffer::uninit(64 << 20, 2).unwrap();
    let fresh = usage().fresh;
    for _ in 0..10 {
        let next = HostBuffer::uninit(64 << 20, 2).unwrap();
        drop(std::mem::replace(&mut grid, next));
    }
    assert_eq!(usage().fresh - fresh, 1);
    drop(grid);
    let pooled = usage().pooled;
    assert!(0 < pooled && pooled <= LIMIT as u64);
    // What is larger than the pool does not empty it.
    drop(HostBuffer::uninit(LIMIT + 1, 1));
    assert_eq!(usage().pooled, pooled);
    trim();
    assert_eq!(usage().pooled, 0);
}
