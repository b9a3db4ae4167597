//! Literals and methods of scalars.

use dsl_runtime::kernel;
use dsl_runtime::prelude::*;

#[kernel]
fn literals(x: &[f32], n: u8) -> f32 {
    let mut s = 0.0;
    for v in x {
        s += v;
    }
    let mut count = 0;
    for i in 0..x.len() {
        count += i;
    }
    let lone = 1;
    let pi = 3.5;
    let byte = n + 1;
    let index = 2;
    let at = x[index];
    let wide = 3_000_000_000 as u64;
    let mask = 1 << n;
    let masked = 1u64 << n;
    let minus = -1 as i8;
    s
}

#[kernel]
fn scalars(a: f64, i: i32, u: u64, b: bool) -> (f64, bool) {
    let root = a.sqrt().max(0.5).mul_add(2.0, a);
    let (s, c) = a.sin_cos();
    let bits = a.to_bits();
    let back = f64::from_bits(bits);
    let ones = u.count_ones();
    let turned = u.rotate_left(3).wrapping_add(1).pow(2);
    let signs = i.signum() * i.abs().pow(2) + i.rem_euclid(7);
    let diff = i.abs_diff(3);
    let checked = i.checked_add(1).unwrap_or(0);
    let (wrapped, over) = i.overflowing_mul(3);
    let longer = i64::from(i) + 1;
    let f = f64::from(i as f32);
    let into: f64 = (a as f32).into();
    let largest = f64::max(a, 1.0);
    let order = a.total_cmp(&f).is_lt();
    let some = b.then_some(a).unwrap_or(f64::EPSILON);
    let less = (1, 2.0) < (i, a);
    let clamped = i.clamp(0, 9) as usize as f32;
    let choice = if b { a } else { 0.0 };
    let powers = a.powi(2) + a.powf(0.5) + a.exp();
    (root + s + c + back, b && less | order)
}

#[test]
fn literals_take_the_type_of_their_use() {
    check! {
        literals => "s: f32; count: usize; lone: i32; pi: f64; byte: u8; index: usize; at: f32; wide: u64; \
            mask: i32; masked: u64; minus: i8; -> f32";
        scalars => "root: f64; bits: u64; back: f64; ones: u32; turned: u64; signs: i32; diff: u32; checked: i32; \
            longer: i64; f: f64; into: f64; largest: f64; order: bool; some: f64; less: bool; clamped: f32; \
            choice: f64; powers: f64; -> (f64, bool)";
    }
}
