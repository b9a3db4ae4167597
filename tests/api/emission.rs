//! What the macro emits: visibility, documentation, attributes, generics; silent under `deny(warnings)`.

use cuprous::prelude::*;

mod helper {
    //! Kernels of a module, used by another.
    use cuprous::prelude::*;

    /// A constant of the module.
    pub const SCALE: f32 = 2.0;

    #[kernel]
    pub fn scale(x: f32) -> f32 {
        x * SCALE
    }

    #[kernel]
    pub(crate) fn all(x: &[f32]) -> Vec<f32> {
        x.map(|v| scale(v) + private(v))
    }

    #[kernel]
    fn private(x: f32) -> f32 {
        x + 1.0
    }

    pub mod deep {
        //! A module in a module.
        use super::private;
        use cuprous::prelude::*;

        #[kernel]
        pub(in crate::emission) fn both(x: &[f32]) -> f32 {
            x.map(|v| super::scale(v) * private(v) + self::own(v)).sum()
        }

        #[kernel]
        fn own(x: f32) -> f32 {
            -x
        }
    }
}

use helper::deep::both;
use helper::{all, scale as doubled};

#[kernel]
fn uses(x: &[f32]) -> Vec<f32> {
    all(x).map(|v| doubled(v) - helper::scale(0.5))
}

#[kernel]
fn here(x: &[f32]) -> f32 {
    uses(x).sum()
}

/// Only called through `call`.
#[kernel]
fn through_call(x: i32) -> i32 {
    x + 1
}

/// Only called by its own name.
#[kernel]
fn by_name(x: i32) -> i32 {
    x - 1
}

/// Only looked at.
#[kernel]
fn looked_at(x: i32) -> i32 {
    x
}

/// Documented, with attributes.
///
/// # Examples
/// None.
#[kernel]
#[inline]
#[must_use]
#[allow(clippy::too_many_arguments)]
fn attributed(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32, i: i32) -> i32 {
    a + b + c + d + e + f + g + h + i
}

#[kernel]
fn norm<T>(x: &[T], p: T) -> T
where
    T: Real,
{
    x.map(|v| v.abs().powf(p)).sum().powf(T::of(1.0) / p)
}

#[kernel]
fn horner<T: Scalar, const N: usize>(c: [T; N], x: T) -> T {
    let mut sum = c[N - 1];
    for i in 1..N {
        sum = sum * x + c[N - 1 - i];
    }
    sum
}

#[kernel]
fn bits<T: Int>(x: &[T]) -> u32 {
    x.map(|v| v.count_ones()).sum()
}

#[kernel]
fn apply<T: Scalar>(x: &[T], f: impl Fn(T) -> T) -> Vec<T> {
    x.map(|v| f(f(v)))
}

#[kernel]
fn applied(x: &[i32], k: i32) -> Vec<i32> {
    apply(x, |v| v * k + 1)
}

#[kernel]
fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[kernel]
#[allow(non_snake_case, unused_mut, unused_variables)]
fn Odd(mut x: i32, unused: f32, _: bool) -> i32 {
    let mut y = x;
    y
}

#[kernel]
fn map(x: &[i32]) -> Vec<i32> {
    x.map(|v| v + sum(v))
}

#[kernel]
fn sum(call: i32) -> i32 {
    let (kernel, plain) = (call, call);
    kernel + plain
}

macro_rules! shifts {
    ($($name:ident $by:literal)*) => {$(
        #[kernel]
        fn $name(x: &[i32]) -> Vec<i32> {
            x.map(|v| v + $by)
        }
    )*};
}
shifts! { up 1 down -1 }

#[kernel]
fn lifetimes<'a, 'b: 'a>(
    x: &'a [f32],
    y: ArrayView1<'b, f32>,
    z: &'b [f32; 2],
    v: &Vec<f32>,
) -> f32 {
    x.sum() + y[0] + z[1] + v.sum()
}

#[kernel]
fn by_value(
    x: Vec<i32>,
    a: Array1<i32>,
    mut k: i32,
    (p, q): (i32, i32),
    [r, s]: [i32; 2],
) -> ((i32, i32), [i32; 2]) {
    k += p;
    ((x.sum() + k, a[0] + q), [r, s])
}

#[kernel]
#[rustfmt::skip]
fn twelve(a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: u64, i: isize, j: usize, k: f32, l: f64)
    -> (i8, i16, i32, i64, u8, u16, u32, u64, isize, usize, f32, f64) {
    (a + 1, b + 1, c + 1, d + 1, e + 1, f + 1, g + 1, h + 1, i + 1, j + 1, k + 1.0, l + 1.0)
}

#[kernel]
fn r#match(r#type: &[i32]) -> i32 {
    r#type.sum()
}

#[kernel]
fn wheres<T, U>(x: &[T], y: &[U]) -> Vec<(T, U)>
where
    T: Scalar + Send + 'static,
    U: Int + PartialOrd<U>,
{
    x.zip(y)
        .map(|(a, b)| if b > U::one() { (a, b) } else { (T::zero(), b) })
}

#[kernel]
fn whoami(x: &[f64]) -> f64 {
    x.iter()
        .zip(&x[1..])
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |a: f64, b| a.max(b))
}

macro_rules! everywhere {
    ($want:expr, $f:ident($($arg:expr),*)) => {
        assert_eq!($f::plain($($arg),*), $want);
        for place in Place::available() {
            assert_eq!($f::call($($arg),*).on(&place).to_host().unwrap(), $want, "{place}");
        }
    };
}

#[test]
fn kernels_of_other_modules() {
    everywhere!(vec![7.0, 13.0], uses(&[1.0, 2.0]));
    everywhere!(2.0 * 2.0 - 1.0 + 4.0 * 3.0 - 2.0, both(&[1.0, 2.0]));
    everywhere!(vec![4.0], all(&[1.0]));
    assert_eq!(doubled(4.0), 8.0);
    assert_eq!(helper::scale::kernel().name(), "scale");
}

#[test]
fn names_and_attributes() {
    assert_eq!(through_call::call(1).run().unwrap(), 2);
    assert_eq!(by_name(1), 0);
    assert_eq!(looked_at::kernel().name(), "looked_at");
    everywhere!(45, attributed(1, 2, 3, 4, 5, 6, 7, 8, 9));
    everywhere!(4, Odd(4, 0.0, true));
    everywhere!(vec![3, 6], map(&[1, 2]));
    everywhere!(vec![2], up(&[1]));
    everywhere!(vec![0], down(&[1]));
    everywhere!(
        15.0,
        lifetimes(
            &[1.0],
            Array1::from(vec![2.0]).view(),
            &[3.0, 4.0],
            &vec![8.0]
        )
    );
    everywhere!(
        ((9, 4), [5, 6]),
        by_value(vec![1, 2], Array1::from(vec![0]), 3, (3, 4), [5, 6])
    );
    everywhere!(
        (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.0, 13.0),
        twelve(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.0, 12.0)
    );
    everywhere!(3, r#match(&[1, 2]));
    everywhere!(vec![(0.0, 1u8), (2.0, 2)], wheres(&[1.0, 2.0], &[1u8, 2]));
    everywhere!(4.0, whoami(&[1.0, 2.0, 6.0]));
}

#[test]
fn generics() {
    for place in Place::available() {
        assert_eq!(
            norm::call(&[3.0f32, 4.0], 2.0).on(&place).run().unwrap(),
            5.0,
            "{place}"
        );
        assert_eq!(
            norm::call(&[3.0f64, -4.0], 2.0).on(&place).run().unwrap(),
            5.0,
            "{place}"
        );
    }
    everywhere!(17, horner([1, 2, 3], 2));
    everywhere!(2.5f32, horner([1.0, 3.0], 0.5));
    everywhere!(9, horner([9], 100u8));
    everywhere!(5, bits(&[3u8, 7]));
    everywhere!(63, bits(&[i64::MAX]));
    everywhere!(vec![7, 15], applied(&[1, 3], 2));
    everywhere!(6, gcd(54, 24));
    assert_eq!(norm::kernel::<f32>().name(), "norm");
    assert!(norm::kernel::<f64>().ir().unwrap().contains("f64"));
    assert!(!norm::kernel::<f32>().ir().unwrap().contains("f64"));
    assert!(horner::kernel::<i32, 3>().ir().is_ok());
}

#[test]
fn plain_inside_plain() {
    assert_eq!(Place::native().scope(|| here(&[1.0, 2.0])), 20.0);
    everywhere!(20.0, here(&[1.0, 2.0]));
}

#[test]
fn everything_can_be_looked_at() {
    let kernels = [
        uses::kernel(),
        both::kernel(),
        applied::kernel(),
        gcd::kernel(),
        whoami::kernel(),
        attributed::kernel(),
    ];
    for kernel in kernels {
        let ir = kernel.ir().unwrap();
        assert!(ir.contains(&format!("@{}", kernel.name())), "{ir}");
        for place in super::compiled() {
            assert!(!kernel.explain(&place).unwrap().is_empty());
            assert!(!kernel.code(&place).unwrap().is_empty(), "{place}");
        }
        assert!(format!("{kernel:?}").contains(kernel.name()));
    }
}
