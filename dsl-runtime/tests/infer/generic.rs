//! Closures, and kernels that call kernels, generic ones among them.

use crate::{scalar, typed};
use dsl_runtime::elaborate::ty::{GenericArg, Ty};
use dsl_runtime::kernel;
use dsl_runtime::prelude::*;
use dsl_runtime::syntax;

#[kernel]
fn closures(x: &[f32], scale: f32) -> Vec<f32> {
    let double = |v| v * 2.0;
    let shifted = |v: f32| -> f32 {
        if v > 1.0 {
            return v;
        }
        v + scale
    };
    let two = double(scale);
    let twice = apply(double, 3.0);
    let named = x.map(shifted).map(square).map(f32::sqrt).map(|v| double(v));
    let pairs =
        x.enumerate().map(|(i, v)| (v, i)).reduce(
            (0.0, 0),
            |(a, i), (b, j)| if a < b { (b, j) } else { (a, i) },
        );
    let generic = square(2.0) + square(1.5f64);
    let len = total([1, 2, 3]) + total([4u8; 2]) as i32;
    named
}

#[kernel]
fn square<T: Real>(v: T) -> T {
    let two = T::one() + T::of(1.0) - T::epsilon() * T::zero();
    let exact = T::from(2).unwrap();
    v.powi(2) * two / T::of(2.0).max(v).sqrt()
}

#[kernel]
fn total<T: Scalar, const N: usize>(x: [T; N]) -> T {
    let n = N + 1;
    let copy = [x[0]; N];
    copy.sum()
}

#[kernel]
fn apply(f: impl Fn(f32) -> f32, v: f32) -> f32 {
    f(f(v))
}

#[kernel]
fn bits<T: Int>(x: &[T]) -> T {
    let low = x.map(|v| (v & T::one()) ^ (v >> 1)).sum();
    let zeros = x.iter().map(|v| v.count_ones()).sum::<u32>();
    low.min(T::max_value())
}

#[test]
fn closures_and_kernels() {
    check! {
        closures => "double: impl Fn(f32) -> f32; shifted: impl Fn(f32) -> f32; two: f32; twice: f32; named: [f32]; \
            pairs: (f32, usize); generic: f64; len: i32; -> [f32]";
        square [scalar(syntax::Scalar::F32)] => "two: f32; exact: f32; -> f32";
        total [scalar(syntax::Scalar::I16), GenericArg::Const(3)] => "n: usize; copy: [i16; 3]; -> i16";
        bits [scalar(syntax::Scalar::U64)] => "low: u64; zeros: u32; -> u64";
    }
    let instances = typed(closures::__cuprous_tree(), &[]).instances;
    let mut args: Vec<_> = instances
        .into_values()
        .map(|args| format!("{args:?}"))
        .collect();
    args.sort();
    assert_eq!(args.len(), 6);
    assert!(
        args[5].contains("I32") && args[5].contains("Const(3)")
            || args.iter().any(|a| a.contains("Const(3)"))
    );
}

#[kernel]
fn conversions<T: Real>(x: &[T], f: impl Fn(T) -> T) -> Vec<T> {
    let n = T::from_usize(x.len()).unwrap();
    let mean = x.iter().copied().sum::<T>() / n;
    let wide = mean.to_f64().unwrap().sqrt();
    let back = T::from(wide).unwrap() + T::of(0.5);
    let largest = x.iter().copied().fold(T::neg_infinity(), T::max);
    x.map(|v| f(v) - back)
}

#[kernel]
fn with<F: Fn(f64, usize) -> f64>(x: &[f64], f: F) -> Vec<f64> {
    x.enumerate().map(|(i, v)| f(v, i))
}

#[kernel]
fn calls(x: &[f64]) -> Vec<f64> {
    let k = 3.0;
    let y = with(x, |v, i| if i > 2 { v } else { k });
    conversions(&y, |v| v.abs())
}

#[test]
fn generic_conversions() {
    check! {
        conversions [scalar(syntax::Scalar::F32)] => "n: f32; mean: f32; wide: f64; back: f32; largest: f32; -> [f32]";
        with [GenericArg::Type(Ty::Tuple(vec![]))] => "-> [f64]";
        calls => "k: f64; y: [f64]; -> [f64]";
    }
}
