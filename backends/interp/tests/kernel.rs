//! Kernels of every form of the language: the IR that they become is valid, and the interpreter computes what the function
//! as written computes.

// Generated code begins its paths with `::cuprous`.
extern crate dsl_runtime as cuprous;

use cuprous::elaborate::lower::lower;
use cuprous::ir::verify::{Stage, verify};
use cuprous::prelude::*;
use cuprous::syntax;
use cuprous::{Place, kernel};
use cuprous_interp as _;

/// The IR of a kernel, which must be valid.
fn ir(kernel: &'static syntax::Kernel) -> cuprous::ir::Func {
    let func = match lower(kernel, &[]) {
        Ok(func) => func,
        Err(mistake) => panic!(
            "{}: {} {} ({})\n{}: {}",
            kernel.name,
            mistake.code,
            mistake.text,
            mistake.remedy,
            mistake.span.line,
            mistake.source.line(mistake.span.line)
        ),
    };
    if let Err(violations) = verify(&func, Stage::Typed) {
        panic!("{}: {violations:#?}\n{func}", kernel.name);
    }
    func
}

/// The kernel at the interpreter gives what its plain form gives.
macro_rules! agree {
    ($kernel:ident($($arg:expr),* $(,)?)) => {{
        let func = ir($kernel::__cuprous_tree());
        let call = $kernel::call($($arg),*).on(&Place::interp());
        let found = call.to_host().unwrap_or_else(|error| panic!("{error}\n{func}"));
        let expected = $kernel::plain($($arg),*);
        assert_eq!(found, expected, "{func}");
    }};
}

/// The kernel at the interpreter fails, and the text says this.
macro_rules! fails {
    ($kernel:ident($($arg:expr),* $(,)?), $text:literal) => {{
        let func = ir($kernel::__cuprous_tree());
        let call = $kernel::call($($arg),*).on(&Place::interp());
        let error = call.to_host().expect_err("the kernel fails").to_string();
        assert!(error.contains($text), "{error}\n{func}");
    }};
}

#[kernel]
fn saxpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    x.zip(y).map(|(x, y)| a * x + y)
}

#[kernel]
fn spmv(rows: &[usize], cols: &[u32], vals: &[f64], x: &[f64]) -> Vec<f64> {
    indices(rows.len() - 1)
        .map(|r| (rows[r]..rows[r + 1]).map(|k| vals[k] * x[cols[k] as usize]).sum())
}

#[kernel]
fn heat(u: &Array2<f64>, k: f64, steps: usize) -> Array2<f64> {
    let (h, w) = u.dim();
    let mut g = u.clone();
    for _ in 0..steps {
        g = Array2::from_shape_fn((h, w), |(i, j)| {
            if i == 0 || j == 0 || i + 1 == h || j + 1 == w {
                g[[i, j]]
            } else {
                g[[i, j]] + k * (g[[i - 1, j]] + g[[i + 1, j]] + g[[i, j - 1]] + g[[i, j + 1]] - 4.0 * g[[i, j]])
            }
        });
    }
    g
}

#[test]
fn the_kernels_of_the_introduction() {
    let x: Vec<f32> = (0..100).map(|i| i as f32).collect();
    agree!(saxpy(2.0, &x, &x));
    fails!(saxpy(2.0, &x, &x[1..]), "sequences of lengths 100 and 99");
    agree!(spmv(
        &[0usize, 2, 2, 3],
        &[0u32, 2, 1],
        &[1.0, 2.0, 3.0],
        &[1.0, 10.0, 100.0]
    ));
    fails!(spmv(&[0usize, 1], &[9u32], &[1.0], &[1.0]), "index 9 is out of bounds for length 1");
    let u = Array2::from_shape_fn((5, 7), |(i, j)| (i * 7 + j) as f64 * 0.5);
    agree!(heat(&u, 0.1, 3));
    agree!(heat(&u, 0.1, 0));
}
