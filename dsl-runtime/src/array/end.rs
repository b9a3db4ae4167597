//! What all elements of an array of integers are below: one pass over memory, as fast as that is read.

use super::Dense;
use crate::ir::types::Class;

/// The least number that all elements are below, if none is negative; 0 if there is no element. None of another type, and where
/// no `u64` is that number.
pub(super) fn end(dense: &Dense) -> Option<u64> {
    let digits = match dense.elem.class() {
        Class::Signed => dense.elem.bits() - 1,
        Class::Unsigned => dense.elem.bits(),
        Class::Bool | Class::Float => return None,
    };
    let view = dense.view();
    if view.elements() == 0 {
        return Some(0);
    }
    macro_rules! greatest {
        ($unsigned:ty) => {{
            // SAFETY: an array's elements, contiguous and initialised, for as long as it is borrowed; their type has the size and
            // alignment of this unsigned one.
            let elements = unsafe {
                std::slice::from_raw_parts(view.data().cast::<$unsigned>(), view.elements())
            };
            u64::from(greatest(elements))
        }};
    }
    let greatest = match dense.elem.bytes() {
        1 => greatest!(u8),
        2 => greatest!(u16),
        4 => greatest!(u32),
        _ => greatest!(u64),
    };
    // Read as unsigned, negative numbers are the greatest.
    match greatest <= u64::MAX >> (64 - digits) {
        true => greatest.checked_add(1),
        false => None,
    }
}

/// Several maxima at once: one alone would wait for each comparison.
fn greatest<T: Copy + Ord + Default>(elements: &[T]) -> T {
    const LANES: usize = 32;
    let mut lanes = [T::default(); LANES];
    let (blocks, rest) = elements.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &element) in lanes.iter_mut().zip(block) {
            *lane = element.max(*lane);
        }
    }
    let all = lanes.iter().chain(rest);
    all.copied().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::ScalarType;

    fn of(elem: ScalarType, bits: &[u64]) -> Option<u64> {
        end(&Dense::from_bits(elem, vec![bits.len()], bits.iter().copied()).expect("memory"))
    }

    #[test]
    fn every_integer_type() {
        for &elem in ScalarType::ALL {
            let want = elem.is_integer().then_some(43);
            let bits: Vec<u64> = (0..100).map(|k| if k == 77 { 42 } else { k % 3 }).collect();
            assert_eq!(of(elem, &bits[..]), want, "{elem}");
            assert_eq!(of(elem, &bits[..80]), want, "{elem}");
            assert_eq!(of(elem, &[]), elem.is_integer().then_some(0), "{elem}");
        }
    }

    #[test]
    fn negative_numbers_and_the_greatest() {
        assert_eq!(of(ScalarType::I8, &[0x80, 1]), None);
        assert_eq!(of(ScalarType::I32, &[1, 0xffff_ffff]), None);
        assert_eq!(of(ScalarType::I64, &[1, i64::MAX as u64]), Some(1 << 63));
        assert_eq!(of(ScalarType::U8, &[255, 0]), Some(256));
        assert_eq!(of(ScalarType::U64, &[u64::MAX]), None);
        assert_eq!(of(ScalarType::U64, &[u64::MAX - 1]), Some(u64::MAX));
    }
}
