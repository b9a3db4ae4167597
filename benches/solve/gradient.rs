//! Preconditioned conjugate gradients.

use super::case::{Case, Unit, compare, line};
use super::hand::{Machine, Solver};
use super::input::uniform;
use super::matrix::Csr;
use super::ours;
use super::product::first;
use cuprous::Array;
use std::rc::Rc;

/// The names of these lines.
pub const NAMES: &[&str] = &["steps", "converge"];

/// The lines of a name.
pub fn cases(name: &str) -> Vec<Case> {
    match name {
        "steps" => vec![solver(1024, 0.0, 50)],
        _ => vec![solver(128, 1e-10, 5000)],
    }
}

/// On an `m` by `m` grid, until the tolerance is reached or after so many steps.
fn solver(m: usize, tolerance: f64, limit: usize) -> Case {
    let matrix = Csr::diffusion(m);
    let b = uniform::<f64>(21, m * m, -1.0, 1.0);
    let machine = Machine::open().expect("there is a device");
    let prepare = || {
        let a = machine.csr((&matrix.rows, &matrix.cols, &matrix.vals), m * m)?;
        let b = machine.put(&b)?;
        Solver::new(&machine, a, b)
    };
    let solver = Rc::new(prepare().expect("the device has memory"));
    let ours_a = Rc::new(ours::Csr {
        rows: Array::from(matrix.rows.clone()),
        cols: Array::from(matrix.cols.clone()),
        vals: Array::from(matrix.vals.clone()),
    });
    let ours_b = Array::from(b.clone());
    let (again_a, again_b) = (ours_a.clone(), ours_b.clone());

    let steps = solver.solve(tolerance, limit).expect("it runs");
    let name = match tolerance > 0.0 {
        true => format!("PCG, {m} x {m} grid, {steps} steps to 1e-10"),
        false => format!("PCG, {m} x {m} grid, {steps} steps"),
    };
    // The product, two updates with a sum, and the direction.
    let entries = matrix.vals.len() * 12 + m * m * 4;
    let bytes = steps * (entries + m * m * 8 * (2 + 7 + 4));
    let seen = solver.clone();
    line(
        (&name, "f64"),
        (bytes as f64, Unit::Byte),
        move || {
            solver.solve(tolerance, limit).expect("it runs");
        },
        move |place| {
            let (x, _) = ours::solve(place, &ours_a, &ours_b, tolerance, limit)?;
            first::call(&x).on(place).run().map(drop)
        },
        move |place| {
            let (x, ours) = ours::solve(place, &again_a, &again_b, tolerance, limit)?;
            let x = x.to_vec();
            let rest = matrix.residual(&x, &b);
            if tolerance > 0.0 && rest > 100.0 * tolerance {
                return Ok(Some(format!("ours leaves a residual of {rest:e}")));
            }
            // Sums in different order: a step more or less.
            if steps.abs_diff(ours) > 1 + steps / 50 {
                return Ok(Some(format!("{steps} steps, ours {ours}")));
            }
            Ok(compare(&super::get(&seen.x.buffer), &x, 1e-8))
        },
    )
}
