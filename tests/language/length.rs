//! Lengths and shapes that 64 bits do not hold.

use crate::harness::doubles;
use cuprous::prelude::*;

#[kernel]
fn element(u: &[f64], h: usize, w: usize, i: usize) -> f64 {
    let a = Array1::from_vec(u.to_vec())
        .into_shape_with_order((h, w))
        .unwrap();
    a[[i, 0]]
}

#[kernel]
fn row(u: &[f64], h: usize, w: usize, i: usize) -> Vec<f64> {
    let a = Array1::from_vec(u.to_vec())
        .into_shape_with_order((h, w))
        .unwrap();
    a.row(i).to_vec()
}

#[kernel]
fn whole(u: &[f64], h: usize, w: usize) -> Array2<f64> {
    Array2::from_shape_vec((h, w), u.to_vec()).unwrap()
}

#[kernel]
fn turned(u: &Array2<f64>) -> Array2<f64> {
    let (h, w) = u.dim();
    u.clone().into_shape_with_order((w, h)).unwrap()
}

#[kernel]
fn deep(u: &[f64], d: usize, h: usize, w: usize) -> f64 {
    let a = Array1::from_vec(u.to_vec())
        .into_shape_with_order((d, h, w))
        .unwrap();
    a[[0, 0, 0]]
}

#[kernel]
fn chained(n: usize, k: usize) -> Vec<f64> {
    fill(n, 0.0).chain(fill(k, 1.0)).map(|v| v)
}

#[kernel]
fn chained_length(n: usize, k: usize) -> usize {
    indices(n).chain(indices(k)).len()
}

#[kernel]
fn chained_iterators(n: usize, k: usize) -> usize {
    (0..n).chain(0..k).count()
}

#[kernel]
fn chained_rows(x: &[usize], k: usize) -> Vec<usize> {
    x.map(|n| indices(n).chain(indices(k)).len())
}

#[kernel]
fn interleaved(n: usize) -> usize {
    indices(n).interleave(indices(n)).len()
}

#[kernel]
fn replicated(n: usize, k: usize) -> usize {
    indices(n).replicate(k).len()
}

#[kernel]
fn uneven(x: &[usize]) -> Vec<f64> {
    x.flat_map(|k| fill(k, 1.5))
}

#[kernel]
fn even(n: usize, k: usize) -> Vec<usize> {
    indices(n).flat_map(|i| fill(k, i))
}

#[kernel]
fn pairs(n: usize) -> usize {
    indices(n).flat_map(|i| [i, i + 1]).len()
}

#[kernel]
fn endless(n: usize) -> (Vec<usize>, Vec<usize>) {
    (
        (0..).flat_map(|i| [i, i]).take(n).collect(),
        (0..3).chain(5..).take(n).collect(),
    )
}

#[kernel]
fn area(h: usize, w: usize) -> usize {
    Array2::from_shape_fn((h, w), |(i, j)| i + j).len()
}

#[kernel]
fn zeros(h: usize, w: usize) -> usize {
    Array2::<f64>::zeros((h, w)).len()
}

#[kernel]
fn table(h: usize, w: usize) -> Array2<usize> {
    tabulate2((h, w), |(i, j)| i + j)
}

#[kernel]
fn cube(d: usize, h: usize, w: usize) -> usize {
    tabulate3((d, h, w), |(i, j, k)| i + j + k).len()
}

#[kernel]
fn outer(u: &Array2<f64>, h: usize) -> usize {
    let (_, w) = u.dim();
    Array2::from_elem((h, w), 1.0).len()
}

#[kernel]
fn inclusive(a: usize, b: usize) -> usize {
    (a..=b).take(5).count()
}

#[kernel]
fn up_to(x: &[f64], a: usize, b: usize) -> Vec<f64> {
    x[a..=b].to_vec()
}

tests! {
    reshapes {
        let x = doubles(4);
        agree!(element(&x, 2, 2, 1));
        agree!(row(&x, 2, 2, 1));
        agree!(whole(&x, 1, 4));
        agree!(whole(&[][..], 0, 7));
        agree!(turned(&Array2::from_elem((3, 4), 0.5)));
        agree!(deep(&x, 1, 2, 2));
        fails!(
            element(&x, (1 << 62) + 1, 4, 1 << 40),
            "CU0205",
            "an array of 4 elements cannot have the shape (4611686018427387905, 4)"
        );
        fails!(row(&x, (1 << 62) + 1, 4, 1 << 40), "CU0205", "the shape (4611686018427387905, 4)");
        fails!(whole(&x, (1 << 62) + 1, 4), "CU0205", "the shape (4611686018427387905, 4)");
        fails!(whole(&[][..], 1 << 63, 2), "CU0205", "the shape (9223372036854775808, 2)");
        fails!(whole(&[][..], 1 << 32, 1 << 32), "CU0205", "the shape (4294967296, 4294967296)");
        fails!(deep(&x, 1 << 33, 1 << 31, 4), "CU0205", "(8589934592, 2147483648, 4)");
        // Beside a length of 0, too.
        fails!(whole(&[][..], 0, usize::MAX), "CU0205", "the shape (0, 18446744073709551615)");
        fails!(element(&[][..], usize::MAX, 0, 0), "CU0205", "the shape (18446744073709551615, 0)");
        fails!(deep(&[][..], 1 << 32, 0, 1 << 32), "CU0205", "(4294967296, 0, 4294967296)");
        fails!(deep(&[][..], 1 << 21, 1 << 21, 1 << 22), "CU0205", "(2097152, 2097152, 4194304)");
    }
    sums {
        agree!(chained(3, 2));
        agree!(chained(0, 2));
        agree!(chained_rows(&[1, 2, 3], 5));
        agree!(chained_iterators(3, 4));
        fails!(chained(3usize.wrapping_sub(8), 20), "CU0211", "18446744073709551611 is too large for a length");
        fails!(chained(usize::MAX, 2), "CU0211", "18446744073709551615 is too large for a length");
        fails!(chained(2, usize::MAX), "CU0211", "18446744073709551615 is too large for a length");
        fails!(chained_length(1 << 63, 1 << 63), "CU0211", "9223372036854775808 is too large");
        fails!(chained_iterators(1 << 63, 1 << 63), "CU0211", "9223372036854775808 is too large");
        fails!(chained_rows(&[1, 2, usize::MAX, 4], 5), "CU0211", "18446744073709551615 is too large");
        fails!(interleaved(1 << 63), "CU0211", "9223372036854775808 is too large");
        agree!(interleaved(1000));
    }
    products {
        agree!(uneven(&[2, 0, 3]));
        agree!(even(3, 2));
        agree!(pairs(7));
        agree!(endless(7));
        fails!(replicated(1 << 33, 1 << 32), "CU0211", "8589934592 is too large");
        fails!(uneven(&[3, usize::MAX]), "CU0211", "18446744073709551615 is too large for a length");
        fails!(uneven(&[1 << 63, 1 << 63]), "CU0211", "18446744073709551615 is too large for a length");
        fails!(even(1 << 20, 1 << 50), "CU0211", "1125899906842624 is too large for a length");
        fails!(pairs(1 << 63), "CU0211", "9223372036854775808 is too large for a length");
    }
    shapes {
        agree!(area(3, 4));
        agree!(area(0, 4));
        agree!(zeros(3, 0));
        agree!(cube(2, 3, 4));
        agree!(table(3, 5));
        agree!(outer(&Array2::from_elem((3, 4), 0.5), 7));
        fails!(area((1 << 62) + 1, 4), "CU0211", "an array of shape (4611686018427387905, 4) is larger");
        fails!(zeros(1 << 32, 1 << 32), "CU0211", "(4294967296, 4294967296)");
        fails!(cube(1 << 32, 1 << 32, 0), "CU0211", "(4294967296, 4294967296, 0)");
        fails!(table(0, usize::MAX), "CU0211", "tabulate2((h, w)");
        fails!(outer(&Array2::from_elem((3, 4), 0.5), 1 << 62), "CU0211", "(4611686018427387904, 4)");
    }
    inclusive_ends {
        agree!(inclusive(3, 5));
        agree!(inclusive(5, 3));
        agree!(inclusive(0, usize::MAX));
        agree!(inclusive(usize::MAX - 1, usize::MAX));
        agree!(up_to(&doubles(5), 1, 3));
        agree!(up_to(&doubles(5), 1, 0));
        fails!(up_to(&doubles(5), 1, 5), "CU0210", "range 1..6 does not fit length 5");
        fails!(up_to(&doubles(5), 0, usize::MAX), "CU0210", "range 0..18446744073709551615 does not fit length 5");
    }
}

#[kernel]
fn joined(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.chain(y.skip(1)).interleave(y.chain(x)).map(|v| v + 1.0)
}

#[kernel]
fn joined_parts(x: &[f64], a: usize, n: usize) -> Vec<f64> {
    x[a..].chain(fill(n, 0.0)).map(|v| v + 1.0)
}

/// Arguments stand in memory: the sum of their lengths needs no test.
#[test]
fn lengths_of_arguments_are_not_tested() {
    let text = |kernel: &'static Kernel| kernel.ir().unwrap();
    let joined = text(joined::kernel());
    assert!(!joined.contains("check size"), "{joined}");
    let parts = text(joined_parts::kernel());
    assert_eq!(parts.matches("check size").count(), 1, "{parts}");
}
