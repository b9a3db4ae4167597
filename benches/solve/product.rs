//! Sparse matrices times a vector, in CSR and in ELL.

use super::case::{Case, Unit, compare, line};
use super::hand::{Machine, Number};
use super::input::uniform;
use super::matrix::{Csr, Ell};
use super::ours;
use super::real::Real;
use cuprous::prelude::{Array, Array2, Element, kernel};
use std::rc::Rc;

/// The names of these lines.
pub const NAMES: &[&str] = &["csr", "skewed", "ell"];

/// The edge of the grid.
const GRID: usize = 2048;
/// The rows of the irregular matrix.
const ROWS: usize = 1 << 20;

/// An element, whose run waits for whatever makes the array.
#[kernel]
pub fn first<T: cuprous::prelude::Real>(x: &[T]) -> T {
    x[0]
}

/// A type of the matrices.
pub trait Entry: Number + Element + Real + cuprous::prelude::Real + Into<f64> {
    /// Its name in the table.
    const DTYPE: &'static str;
    /// How far sums in different orders may be apart.
    const TOLERANCE: f64;
}

impl Entry for f32 {
    const DTYPE: &'static str = "f32";
    const TOLERANCE: f64 = 1e-4;
}

impl Entry for f64 {
    const DTYPE: &'static str = "f64";
    const TOLERANCE: f64 = 1e-12;
}

/// The lines of a name.
pub fn cases(name: &str) -> Vec<Case> {
    match name {
        "ell" => vec![ell::<f32>(), ell::<f64>()],
        _ => vec![csr::<f32>(name), csr::<f64>(name)],
    }
}

/// In CSR, on either matrix.
fn csr<T: Entry>(name: &str) -> Case {
    let (name, matrix) = match name {
        "csr" => ("SpMV, CSR, 2048 x 2048 grid", Csr::<T>::laplacian(GRID)),
        _ => ("SpMV, CSR, rows of 1 to 65537", Csr::<T>::skewed(ROWS)),
    };
    let n = matrix.len();
    let x = uniform::<T>(1, n, -1.0, 1.0);
    let bytes = matrix.vals.len() * (size_of::<T>() + 4) + n * (2 * size_of::<T>() + 4);

    let machine = Machine::open().expect("there is a device");
    let upload = || {
        let a = machine.csr((&matrix.rows, &matrix.cols, &matrix.vals), n)?;
        ocl::Result::Ok((a, machine.put(&x)?, machine.room(n)?))
    };
    let (a, hx, out) = upload().expect("the device has memory");
    let out = Rc::new(out);
    let seen = out.clone();
    let Csr { rows, cols, vals } = matrix;
    let b = Rc::new(ours::Csr {
        rows: Array::from(rows),
        cols: Array::from(cols),
        vals: Array::from(vals),
    });
    let x = Array::from(x);
    let (b1, x1) = (b.clone(), x.clone());
    line(
        (name, T::DTYPE),
        (bytes as f64, Unit::Byte),
        move || {
            let done = machine.spmv_csr(&a, &hx, &out);
            done.expect("it runs");
        },
        move |place| {
            let call = ours::spmv_csr::call(&b.rows, &b.cols, &b.vals, &x);
            first::call(&call.on(place).run()?)
                .on(place)
                .run()
                .map(drop)
        },
        move |place| {
            let call = ours::spmv_csr::call(&b1.rows, &b1.cols, &b1.vals, &x1);
            let result: Vec<T> = call.on(place).to_host()?;
            Ok(compare(&super::get(&seen.buffer), &result, T::TOLERANCE))
        },
    )
}

/// In ELL.
fn ell<T: Entry>() -> Case {
    let n = GRID * GRID;
    let Ell { width, cols, vals } = Csr::<T>::laplacian(GRID).ell();
    let x = uniform::<T>(1, n, -1.0, 1.0);
    let bytes = vals.len() * (size_of::<T>() + 4) + 2 * n * size_of::<T>();

    let machine = Machine::open().expect("there is a device");
    let upload = || {
        let a = machine.ell(width, (&cols, &vals), n)?;
        ocl::Result::Ok((a, machine.put(&x)?, machine.room(n)?))
    };
    let (a, hx, out) = upload().expect("the device has memory");
    let out = Rc::new(out);
    let seen = out.clone();
    let cols = Array2::from_shape_vec((width, n), cols).expect("as many");
    let vals = Array2::from_shape_vec((width, n), vals).expect("as many");
    let (cols, vals) = (Array::from_ndarray(cols), Array::from_ndarray(vals));
    let x = Array::from(x);
    let (cols1, vals1, x1) = (cols.clone(), vals.clone(), x.clone());
    line(
        ("SpMV, ELL, 2048 x 2048 grid", T::DTYPE),
        (bytes as f64, Unit::Byte),
        move || {
            let done = machine.spmv_ell(&a, &hx, &out);
            done.expect("it runs");
        },
        move |place| {
            let call = ours::spmv_ell::call(&cols, &vals, &x);
            first::call(&call.on(place).run()?)
                .on(place)
                .run()
                .map(drop)
        },
        move |place| {
            let call = ours::spmv_ell::call(&cols1, &vals1, &x1);
            let result: Vec<T> = call.on(place).to_host()?;
            Ok(compare(&super::get(&seen.buffer), &result, T::TOLERANCE))
        },
    )
}
