//! Scalars: operators, casts, methods, constants.

use crate::harness::{doubles, ints, singles};
use cuprous::prelude::*;

/// One kernel from a slice of one type to a vector of another.
macro_rules! casts {
    ($($name:ident $from:ty => $($to:ty)*;)*) => {$(
        #[kernel]
        fn $name(x: &[$from]) -> ($(Vec<$to>,)*) {
            ($(x.map(|v| v as $to),)*)
        }
    )*};
}
casts! {
    cast_i8 i8 => i16 i32 i64 u8 u32 u64 f32 f64;
    cast_i16 i16 => i8 i32 isize u8 u16 u64 f32 f64;
    cast_i32 i32 => i8 i16 i64 u8 u16 u64 f32 f64;
    cast_i64 i64 => i8 i16 i32 u16 u32 u64 f32 f64;
    cast_isize isize => i8 i16 i32 i64 u32 usize f32 f64;
    cast_u8 u8 => i8 i16 i32 i64 u32 u64 f32 f64;
    cast_u16 u16 => i8 i16 i32 u8 u32 u64 f32 f64;
    cast_u32 u32 => i8 i16 i32 i64 u8 u64 f32 f64;
    cast_u64 u64 => i8 i32 i64 u8 u16 u32 f32 f64;
    cast_usize usize => i16 i32 isize u8 u32 u64 f32 f64;
    cast_f32_small f32 => i8 i16 u8 u16 f64;
    cast_f32 f32 => i32 i64 isize u32 u64 usize f64;
    cast_f64_small f64 => i8 i16 u8 u16 f32;
    cast_f64 f64 => i32 i64 isize u32 u64 usize f32;
    cast_bool bool => i8 i16 i32 i64 u8 u32 u64 usize;
}

/// All the operators and methods of integers of one type.
macro_rules! integers {
    ($($name:ident $t:ty;)*) => {$(
        mod $name {
            use cuprous::prelude::*;

            #[kernel]
            pub fn wrapping(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>) {
                (
                    x.zip(y).map(|(a, b)| a.wrapping_add(b)),
                    x.zip(y).map(|(a, b)| a.wrapping_sub(b)),
                    x.zip(y).map(|(a, b)| a.wrapping_mul(b)),
                    x.map(|a| a.wrapping_neg()),
                    x.zip(y).map(|(a, b)| a.wrapping_shl(b as u32)),
                    x.zip(y).map(|(a, b)| a.wrapping_shr(b as u32)),
                )
            }

            #[kernel]
            pub fn saturating(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<bool>, Vec<$t>) {
                (
                    x.zip(y).map(|(a, b)| a.saturating_add(b)),
                    x.zip(y).map(|(a, b)| a.saturating_sub(b)),
                    x.zip(y).map(|(a, b)| a.saturating_mul(b)),
                    x.zip(y).map(|(a, b)| a.checked_add(b).is_none() || a.checked_mul(b).is_some()),
                    x.zip(y).map(|(a, b)| a.overflowing_sub(b).0),
                )
            }

            #[kernel]
            pub fn bits(x: &[$t], y: &[$t]) -> (Vec<u32>, Vec<u32>, Vec<u32>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>) {
                (
                    x.map(|a| a.count_ones() * 100 + a.count_zeros()),
                    x.map(|a| a.leading_zeros() * 100 + a.leading_ones()),
                    x.map(|a| a.trailing_zeros() * 100 + a.trailing_ones()),
                    x.zip(y).map(|(a, b)| a.rotate_left(b as u32 % 8) ^ a.rotate_right(3)),
                    x.map(|a| a.swap_bytes().reverse_bits()),
                    x.zip(y).map(|(a, b)| (a & b) | (a ^ !b)),
                    x.map(|a| (a << 3) ^ (a >> 2)),
                )
            }

            #[kernel]
            pub fn dividing(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>) {
                let pairs = x.zip(y).map(|(a, b)| if b == 0 { (a, 3) } else { (a, b) });
                (
                    pairs.map(|(a, b)| a.wrapping_div(b)),
                    pairs.map(|(a, b)| a.wrapping_rem(b)),
                    pairs.map(|(a, b)| a.checked_div(b).unwrap_or(7)),
                    pairs.map(|(a, b)| (a / 3).div_euclid(b)),
                    pairs.map(|(a, b)| (a / 3).rem_euclid(b)),
                    x.map(|a| a / 7 + a % 7),
                )
            }

            #[kernel]
            pub fn comparing(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<bool>, Vec<bool>, Vec<i32>, Vec<bool>) {
                (
                    x.zip(y).map(|(a, b)| a.min(b)),
                    x.zip(y).map(|(a, b)| a.max(b).clamp(2, 90)),
                    x.zip(y).map(|(a, b)| a < b || a == b),
                    x.zip(y).map(|(a, b)| a >= b && a != 3),
                    x.zip(y).map(|(a, b)| {
                        let o = a.cmp(&b);
                        if o.is_lt() { -1 } else if o.is_gt() { 1 } else { 0 }
                    }),
                    x.zip(y).map(|(a, b)| a.abs_diff(b) > 5),
                )
            }

            #[kernel]
            pub fn powers(x: &[$t]) -> (Vec<$t>, Vec<$t>, $t, $t, $t) {
                (
                    x.map(|a| (a % 5).pow(2)),
                    x.map(|a| a.wrapping_pow(3)),
                    <$t>::MAX,
                    <$t>::MIN,
                    <$t>::BITS as $t,
                )
            }

            #[kernel]
            pub fn totals(x: &[$t]) -> ($t, $t, $t, $t, usize, usize, Vec<$t>) {
                let y = x.map(|v| v % 3);
                (y.sum(), y.map(|v| v | 1).product(), x.minimum(), x.maximum(), x.argmin(), x.argmax(), y.scan(0, |a, b| a.wrapping_add(b)))
            }

            #[kernel]
            pub fn divide(x: &[$t], y: &[$t]) -> Vec<$t> {
                x.zip(y).map(|(a, b)| a / b)
            }

            #[test]
            fn everything() {
                let mut x: Vec<$t> = (0..150u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7) as $t).collect();
                x.extend([0, 1, 2, <$t>::MAX, <$t>::MIN, <$t>::MAX - 1]);
                let mut y: Vec<$t> = x.iter().map(|v| v.wrapping_mul(77) >> 3).collect();
                y.reverse();
                agree!(wrapping(&x, &y));
                agree!(saturating(&x, &y));
                agree!(bits(&x, &y));
                agree!(dividing(&x, &y));
                agree!(comparing(&x, &y));
                agree!(powers(&x));
                let small: Vec<$t> = x.iter().map(|v| v % 30).take(12).collect();
                agree!(totals(&small));
                fails!(divide(&[1, 2, 3], &[1, 0, 0]), "CU0202", "division by zero");
                crate::harness::finish();
            }
        }
    )*};
}
integers! {
    of_i8 i8;
    of_i16 i16;
    of_i32 i32;
    of_i64 i64;
    of_isize isize;
    of_u8 u8;
    of_u16 u16;
    of_u32 u32;
    of_u64 u64;
    of_usize usize;
}

#[kernel]
fn signed(x: &[i32]) -> (Vec<i32>, Vec<i32>, Vec<bool>, Vec<u32>, Vec<i32>, Vec<i32>) {
    (
        x.map(|a| a.wrapping_abs()),
        x.map(|a| a.signum()),
        x.map(|a| a.is_negative() || a.is_positive()),
        x.map(|a| a.unsigned_abs()),
        x.map(|a| -(a / 2)),
        x.map(|a| (a / 2).abs()),
    )
}

#[kernel]
fn unsigned(x: &[u32]) -> (Vec<bool>, Vec<u32>, Vec<u32>, Vec<u32>, Vec<u32>) {
    (
        x.map(|a| a.is_power_of_two()),
        x.map(|a| (a >> 2).next_power_of_two()),
        x.map(|a| a.div_ceil(7)),
        x.map(|a| a.isqrt()),
        x.map(|a| a.max(1).ilog2()),
    )
}

#[kernel]
fn overflow(a: i32, b: i32) -> i32 {
    a / b
}

#[kernel]
fn remainder(a: i64, b: i64) -> i64 {
    a % b
}

#[kernel]
fn shifts(a: i32, k: u32) -> (i32, i32, u8) {
    (a << (k % 32), a >> (k % 32), (a as u8) >> (k % 8))
}

macro_rules! reals {
    ($($name:ident $t:ty, $bits:ty;)*) => {$(
        mod $name {
            use cuprous::prelude::*;

            #[kernel]
            pub fn rounding(x: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>) {
                (
                    x.map(|v| v.floor()),
                    x.map(|v| v.ceil()),
                    x.map(|v| v.round()),
                    x.map(|v| v.trunc()),
                    x.map(|v| v.fract()),
                    x.map(|v| v.round_ties_even()),
                )
            }

            #[kernel]
            pub fn signs(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<bool>, Vec<bool>) {
                (
                    x.map(|v| v.abs()),
                    x.map(|v| v.signum()),
                    x.zip(y).map(|(a, b)| a.copysign(b)),
                    x.map(|v| -v),
                    x.map(|v| v.is_sign_negative() && !v.is_nan()),
                    x.map(|v| v.is_finite() || v.is_infinite() || v.is_nan() || v.is_normal()),
                )
            }

            #[kernel]
            pub fn arithmetic(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>) {
                (
                    x.zip(y).map(|(a, b)| a + b - a * b),
                    x.zip(y).map(|(a, b)| a / b),
                    x.zip(y).map(|(a, b)| a % b),
                    x.zip(y).map(|(a, b)| a.mul_add(b, a)),
                    x.map(|a| a.sqrt() + a.recip()),
                    x.zip(y).map(|(a, b)| a.rem_euclid(b)),
                    x.zip(y).map(|(a, b)| a.div_euclid(b)),
                )
            }

            #[kernel]
            pub fn ordering(x: &[$t], y: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<bool>, Vec<bool>, Vec<bool>, Vec<$t>) {
                (
                    x.zip(y).map(|(a, b)| a.min(b) + 0.0),
                    x.zip(y).map(|(a, b)| a.max(b) + 0.0),
                    x.zip(y).map(|(a, b)| a < b),
                    x.zip(y).map(|(a, b)| a >= b),
                    x.zip(y).map(|(a, b)| a != b),
                    x.map(|a| a.clamp(-1.5, 2.0)),
                )
            }

            #[kernel]
            pub fn as_bits(x: &[$t]) -> (Vec<$bits>, Vec<$t>) {
                let bits = x.map(|v| if v.is_nan() { 1 } else { v.to_bits() });
                (bits.map(|b| b ^ (b >> 1)), bits.map(|b| <$t>::from_bits(b)))
            }

            #[kernel]
            pub fn total(x: &[$t], y: &[$t]) -> (Vec<i32>, Vec<i32>) {
                (
                    x.zip(y).map(|(a, b)| {
                        let o = a.total_cmp(&b);
                        if o.is_lt() { -1 } else if o.is_gt() { 1 } else { 0 }
                    }),
                    x.zip(y).map(|(a, b)| a.partial_cmp(&b).map_or(5, |o| o.is_ge() as i32)),
                )
            }

            #[kernel]
            pub fn values() -> ($t, $t, $t, $t, $t, $t, bool) {
                (
                    <$t>::MAX,
                    <$t>::MIN,
                    <$t>::EPSILON,
                    <$t>::MIN_POSITIVE,
                    <$t>::INFINITY,
                    <$t>::NEG_INFINITY,
                    <$t>::NAN.is_nan(),
                )
            }

            #[kernel]
            pub fn powers(x: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>) {
                (x.map(|v| v.powi(3)), x.map(|v| v.powi(-2)), x.map(|v| v.to_radians() + v.to_degrees()))
            }

            #[kernel]
            pub fn mathematics(x: &[$t]) -> (Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>, Vec<$t>) {
                (
                    x.map(|v| v.exp()),
                    x.map(|v| v.abs().ln()),
                    x.map(|v| v.sin()),
                    x.map(|v| v.cos()),
                    x.map(|v| v.tanh()),
                    x.map(|v| v.abs().powf(1.7)),
                    x.map(|v| v.erf()),
                )
            }

            #[kernel]
            pub fn extremes(x: &[$t]) -> ($t, $t, usize, usize) {
                (x.minimum(), x.maximum(), x.argmin(), x.argmax())
            }

            #[test]
            fn everything() {
                let mut x: Vec<$t> = crate::harness::ints(200).iter().map(|v| *v as $t * 0.25).collect();
                let plenty = x.clone();
                x.extend([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e30, -1e30, 1e-30, 4503599627370497.5, 8388609.0]);
                x.extend([<$t>::MAX, <$t>::MIN_POSITIVE, <$t>::MIN_POSITIVE / 4.0, <$t>::INFINITY, <$t>::NEG_INFINITY, <$t>::NAN]);
                let mut y = x.clone();
                y.rotate_left(7);
                agree!(rounding(&x));
                agree!(signs(&x[..x.len() - 1], &y[..x.len() - 1]));
                agree!(arithmetic(&x, &y));
                agree!(ordering(&x, &y));
                agree!(as_bits(&x));
                agree!(total(&x[..x.len() - 1], &y[..x.len() - 1]));
                agree!(total(&[<$t>::NAN, 0.0], &[1.0, -0.0]));
                agree!(values());
                agree!(1e-6, powers(&plenty));
                let small: Vec<$t> = plenty.iter().map(|v| v * 0.3).collect();
                agree!(3e-7, mathematics(&small));
                for n in [1, 2, 5, 200] {
                    agree!(extremes(&plenty[..n]));
                }
                agree!(extremes(&[<$t>::NAN, 2.0, <$t>::NAN, 1.0]));
                agree!(extremes(&[<$t>::NAN, <$t>::NAN]));
                agree!(extremes(&[0.0, -0.0, 0.0, -0.0]));
                agree!(extremes(&[-0.0, 0.0]));
                fails!(extremes(&[][..]), "CU0206", "an empty sequence");
                crate::harness::finish();
            }
        }
    )*};
}
reals! {
    of_f32 f32, u32;
    of_f64 f64, u64;
}

const SCALE: f64 = 2.0 * std::f64::consts::PI;
static OFFSETS: [i32; 4] = [3, 1, 4, 1];
const PAIR: (usize, bool) = (5, true);
const GRID: [[f32; 3]; 2] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];

mod inner {
    pub const LIMIT: u32 = 12;
    pub mod deeper {
        pub static FACTOR: f32 = 1.5;
    }
}

#[kernel]
fn constants(x: &[usize]) -> (Vec<f64>, Vec<i32>, usize, Vec<f32>, u32, f32, f64) {
    (
        x.map(|v| v as f64 * SCALE),
        x.map(|v| OFFSETS[v % 4] * i32::MAX.count_ones() as i32),
        if PAIR.1 { PAIR.0 } else { 0 },
        x.map(|v| GRID[v % 2][v % 3]),
        inner::LIMIT + u32::MAX / 2,
        inner::deeper::FACTOR,
        std::f64::consts::E + core::f64::consts::SQRT_2,
    )
}

#[kernel]
fn literals() -> (u8, i64, u32, f32, f64, usize, i8, u64) {
    (
        b'a',
        -1_000_000_000_000,
        0xffff_0000,
        1e-3f32,
        2.5e10,
        0b1010,
        -128,
        0o17u64,
    )
}

#[kernel]
fn booleans(x: &[bool], y: &[bool]) -> (Vec<bool>, Vec<bool>, Vec<bool>, Vec<i32>, bool) {
    (
        x.zip(y).map(|(a, b)| a & b | !a),
        x.zip(y).map(|(a, b)| a ^ b),
        x.zip(y).map(|(a, b)| a == b || a > b),
        x.map(|a| if a { 1 } else { -1 }),
        x.reduce(true, |a, b| a && b),
    )
}

#[kernel]
fn precedence(a: i32, b: i32) -> (i32, bool, i32, i32) {
    (
        a + b * 3 - a / 2 % 4,
        a < b && b < 100 || a == 5,
        -a * b,
        a & 7 | b << 2 ^ 5,
    )
}

tests! {
    casts {
        let wide: Vec<i64> = ints(60).iter().map(|v| *v as i64 * 0x0123_4567_89ab).chain([i64::MAX, i64::MIN, 0, -1]).collect();
        agree!(cast_i8(&wide.iter().map(|v| *v as i8).collect::<Vec<_>>()));
        agree!(cast_i16(&wide.iter().map(|v| *v as i16).collect::<Vec<_>>()));
        agree!(cast_i32(&wide.iter().map(|v| *v as i32).collect::<Vec<_>>()));
        agree!(cast_i64(&wide));
        agree!(cast_isize(&wide.iter().map(|v| *v as isize).collect::<Vec<_>>()));
        agree!(cast_u8(&wide.iter().map(|v| *v as u8).collect::<Vec<_>>()));
        agree!(cast_u16(&wide.iter().map(|v| *v as u16).collect::<Vec<_>>()));
        agree!(cast_u32(&wide.iter().map(|v| *v as u32).collect::<Vec<_>>()));
        agree!(cast_u64(&wide.iter().map(|v| *v as u64).collect::<Vec<_>>()));
        agree!(cast_usize(&wide.iter().map(|v| *v as usize).collect::<Vec<_>>()));
        let special = [0.0, -0.0, 0.9, -0.9, 127.5, 128.0, 255.9, 256.0, -129.0, 32767.9, 65536.0, 2147483647.0, 2147483648.0, -2147483649.0, 4294967295.0, 4294967296.0, 9.3e18, -9.3e18, 1.9e19, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 16777217.0, 0.1];
        let single: Vec<f32> = special.iter().map(|v| *v as f32).collect();
        agree!(cast_f64(&special));
        agree!(cast_f64_small(&special));
        agree!(cast_f32(&single));
        agree!(cast_f32_small(&single));
        agree!(cast_bool(&[true, false, true]));
    }
    integers {
        let mut x = ints(100);
        x.extend([i32::MIN, i32::MAX, 0]);
        agree!(signed(&x));
        agree!(unsigned(&x.iter().map(|v| *v as u32).collect::<Vec<_>>()));
        agree!(overflow(7, -2));
        fails!(overflow(7, 0), "CU0202", "division by zero");
        fails!(overflow(i32::MIN, -1), "CU0203", "-2147483648 / -1");
        fails!(remainder(7, 0), "CU0202", "division by zero");
        fails!(remainder(i64::MIN, -1), "CU0203", "-9223372036854775808 % -1");
        for k in 0..40 {
            agree!(shifts(-123_456_789, k));
        }
        agree!(precedence(5, 9));
        agree!(precedence(-3, -8));
    }
    constant_values {
        agree!(constants(&[0usize, 1, 2, 3, 10]));
        agree!(literals());
        agree!(booleans(&[true, true, false, false], &[true, false, true, false]));
    }
    data {
        assert_eq!(doubles(3).len() + singles(3).len(), 6);
    }
}
