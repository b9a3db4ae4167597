//! Arrays: elements of any type fall apart into leaves and come back; memory is moved where it can be, and reused.

extern crate dsl_runtime as cuprous;

use cuprous::array::memory::{SMALLEST, trim, usage};
use cuprous::array::{ArrayView, Dense, HostBuffer};
use cuprous::ir::{Const, ScalarType};
use cuprous::{Array, Element};
use ndarray::{Array3, s};
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

/// The counters belong to the process: tests that read them run one after the other.
static COUNTERS: Mutex<()> = Mutex::new(());

fn back_and_forth<T: Element + PartialEq + Debug>(elements: Vec<T>) {
    let array = Array::from(elements.clone());
    assert_eq!(array.shape(), [elements.len()]);
    assert_eq!(array.to_vec(), elements);
    assert_eq!(array.clone().into_vec(), elements);
    assert_eq!(Vec::from(array), elements);
}

#[test]
fn elements_of_any_type_come_back() {
    back_and_forth(vec![1u8, 2, 3]);
    back_and_forth(vec![true, false]);
    back_and_forth(vec![-1isize, isize::MAX]);
    back_and_forth(Vec::<f64>::new());
    back_and_forth(Vec::<(u8, f64)>::new());
    back_and_forth(vec![(1u8, 2.5f64, -3i16), (4, 5.5, -6)]);
    back_and_forth(vec![[(1u8, 2u32); 3], [(3, 4), (5, 6), (7, 8)]]);
    back_and_forth(vec![([[1i8, 2], [3, 4]], (true, (2.0f32,)))]);
    back_and_forth(vec![(1u8, 2u16, 3u32, 4u64, 5i8, 6i16, 7i32, 8i64); 5]);
    back_and_forth(vec![[0u8; 0]; 4]);
}

#[test]
fn leaves_agree_with_the_rule_of_types() {
    let leaves = <([(f32, u8); 2], i64)>::leaves();
    let dims: Vec<&[usize]> = leaves.iter().map(|leaf| &leaf.shape[..]).collect();
    assert_eq!(dims, [&[2][..], &[2], &[]]);
    let types: Vec<ScalarType> = leaves.iter().map(|leaf| leaf.elem).collect();
    assert_eq!(types, [ScalarType::F32, ScalarType::U8, ScalarType::I64]);
}

#[test]
fn ndarray_of_any_strides_comes_back() {
    let cube = Array3::from_shape_fn((3, 4, 5), |(i, j, k)| (100 * i + 10 * j + k) as i32);
    let views = [
        cube.view(),
        cube.slice(s![..;-1, 1..3, ..;2]),
        cube.view().permuted_axes([2, 0, 1]),
        cube.slice(s![1..1, .., ..]),
    ];
    for view in views {
        let array = Array::from_ndarray(view);
        assert_eq!(array.shape(), view.shape());
        assert_eq!(array.to_ndarray(), view.into_dyn());
        assert_eq!(array.into_ndarray(), view.into_dyn());
    }
    let pairs = cube.mapv(|v| (v, v as f32));
    let slice = pairs.slice(s![.., ..;-2, 1]);
    assert_eq!(Array::from_ndarray(slice).to_ndarray(), slice.into_dyn());
    // An owned array whose memory begins in front of its first element.
    let mut tail = cube.clone();
    tail.slice_collapse(s![2.., .., ..]);
    assert_eq!(
        Array::from_ndarray(tail.clone()).into_ndarray(),
        tail.into_dyn()
    );
}

#[test]
fn zeros_have_every_type() {
    assert_eq!(
        Array::<(bool, f32)>::zeros(&[2]).to_vec(),
        [(false, 0.0); 2]
    );
    assert_eq!(Array::<u8>::zeros(&[0, 3]).len(), 0);
    assert_eq!(Array::<u8>::zeros(&[]).to_vec(), [0]);
}

#[test]
fn memory_moves_when_nobody_shares_it() {
    let vec = vec![1.0f64; 10];
    let at = vec.as_ptr();
    let array = Array::from(vec);
    assert_eq!(array.as_slice().unwrap().as_ptr(), at);
    let shared = array.clone();
    let copied = array.into_vec();
    assert_ne!(copied.as_ptr(), at);
    let moved = shared.into_vec();
    assert_eq!(moved.as_ptr(), at);
    // A vector with room to spare keeps it.
    let mut roomy = Vec::with_capacity(100);
    roomy.extend([1u16, 2]);
    assert_eq!(Array::from(roomy).into_vec().capacity(), 100);
}

#[test]
fn views_read_what_they_reach() {
    let dense = Dense::from_bits(ScalarType::U8, vec![2, 3], 0..6).unwrap();
    let view = dense.view();
    assert_eq!(view.sub(1).get(&[2]), Const::u8(5));
    assert!(view.is_contiguous());
    // SAFETY: the same memory, its columns first.
    let turned = unsafe {
        ArrayView::from_raw(
            ScalarType::U8,
            [3, 2].as_slice(),
            [1, 3].as_slice(),
            view.data(),
        )
    };
    assert!(!turned.is_contiguous());
    let bits: Vec<u64> = turned.iter().map(|value| value.bits).collect();
    assert_eq!(bits, [0, 3, 1, 4, 2, 5]);
    let copy = turned.to_dense().unwrap();
    assert_eq!(
        copy.view()
            .iter()
            .map(|value| value.bits)
            .collect::<Vec<_>>(),
        bits
    );
}

#[test]
#[should_panic(expected = "index 3 is out of bounds for length 3")]
fn views_end_where_they_end() {
    let dense = Dense::from_bits(ScalarType::I64, vec![3], 0..3).unwrap();
    dense.view().get(&[3]);
}

#[test]
fn freed_memory_is_reused() {
    let _alone = COUNTERS.lock().unwrap_or_else(PoisonError::into_inner);
    // A size that no other test of this process uses.
    let len = 123_456;
    let first = HostBuffer::uninit(len, 4).unwrap();
    let at = first.as_ptr();
    drop(first);
    assert!(usage().pooled >= 4 * len as u64);
    let second = HostBuffer::uninit(len, 4).unwrap();
    assert_eq!(second.as_ptr(), at);
    drop(second);
    // Not for another alignment, of which the allocator would have to know.
    let other = HostBuffer::uninit(len / 2, 8).unwrap();
    assert_ne!(other.as_ptr(), at);
}

#[test]
fn the_counters_count() {
    let _alone = COUNTERS.lock().unwrap_or_else(PoisonError::into_inner);
    let before = usage();
    let kept: Vec<HostBuffer> = (0..10)
        .map(|_| HostBuffer::uninit(1000, 8).unwrap())
        .collect();
    let after = usage();
    assert!(after.buffers >= before.buffers + 10);
    assert!(after.bytes >= before.bytes + 80_000);
    drop(kept);
    trim();
}

#[test]
fn sizes_of_every_kind_are_served() {
    for len in [
        0,
        1,
        SMALLEST - 1,
        SMALLEST,
        SMALLEST + 1,
        5000,
        65_537,
        1 << 20,
    ] {
        for bytes in [1, 2, 4, 8] {
            let buffer = HostBuffer::uninit(len, bytes).unwrap();
            assert!(buffer.bytes() >= len * bytes);
            assert!(buffer.bytes() <= len * bytes + len * bytes / 8 + 8);
            assert_eq!(buffer.as_ptr().addr() % bytes, 0);
            assert_eq!(buffer.bytes() % bytes, 0);
        }
    }
}

#[test]
fn memory_that_cannot_be_had_is_no_abort() {
    assert!(HostBuffer::uninit(usize::MAX, 8).is_none());
    assert!(HostBuffer::uninit(usize::MAX / 16, 8).is_none());
    assert!(Dense::from_bits(ScalarType::U8, vec![usize::MAX, 2], []).is_none());
}

#[test]
fn buffers_go_between_threads() {
    let threads: Vec<_> = (0..4)
        .map(|k| {
            std::thread::spawn(move || {
                for round in 0..200 {
                    let value = (k * 1000 + round) as u32;
                    let array = Array::from(vec![value; 2000]);
                    let copy = Array::from_ndarray(array.to_ndarray());
                    assert!(copy.to_vec().iter().all(|&v| v == value));
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}
