//! What a call allocates: its results, and nothing of their order besides.

use crate::first::{heat, saxpy};
use crate::{alone, is_alone};
use cuprous::prelude::*;

#[kernel]
fn positive(x: &[f32]) -> Vec<f32> {
    x.filter(|v| v > 0.0)
}

#[kernel]
fn prefix(x: &[f32]) -> Vec<f32> {
    x.scan(0.0, |a, b| a + b)
}

#[kernel]
fn chain(x: &[f32], y: &[f32]) -> f32 {
    let a = x.zip(y).map(|(x, y)| x * y);
    let b = a.map(|v| v + 1.0);
    let c = b.map(|v| v.abs());
    let d = c.map(|v| v * 0.5);
    let e = d.map(|v| v.sqrt());
    e.sum()
}

/// In a process of its own: the counters are the whole process's.
#[test]
fn results_and_nothing_besides() {
    if is_alone() {
        return count();
    }
    let output = alone("memory::results_and_nothing_besides", |_| ());
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What is counted is fresh memory, the pool being emptied before: an array whose memory is used again costs nothing.
fn count() {
    use cuprous::array::memory::{trim, usage};
    let n = 1 << 20;
    let (x, y) = (vec![1.0f32; n], vec![-2.0f32; n]);
    let size = (4 * n) as u64;
    let u = Array2::from_elem((512, 512), 1.0);
    let grid = 8 * 512 * 512;
    let out = std::cell::RefCell::new(vec![0.0; n]);
    for place in [Place::cpu(), Place::cpu_threads(1), Place::cpu_threads(3)] {
        // What the pool keeps afterwards, and what the result holds, is all that was asked of the system.
        let used =
            |what: &str, result: u64, most: u64, run: &dyn Fn() -> Box<dyn std::any::Any>| {
                drop(run());
                trim();
                let before = usage();
                let kept = run();
                let after = usage();
                let bytes = after.pooled - before.pooled + result;
                assert!(
                    bytes <= most + most / 6 + size / 50,
                    "{what} at {place}: {bytes} bytes, of {most}"
                );
                if result == 0 && most == 0 {
                    assert!(
                        after.bytes - before.bytes < size / 50,
                        "{what} at {place}: {before:?} {after:?}"
                    );
                }
                drop(kept);
            };
        used("saxpy", size, size, &|| {
            Box::new(saxpy::call(2.0, &x, &y).on(&place).to_host().unwrap())
        });
        used("filter", size, size, &|| {
            Box::new(positive::call(&x).on(&place).to_host().unwrap())
        });
        used("scan", size, size, &|| {
            Box::new(prefix::call(&x).on(&place).to_host().unwrap())
        });
        used("heat", grid, 2 * grid, &|| {
            Box::new(heat::call(&u, 0.1, 9).on(&place).to_host().unwrap())
        });
        used("chain", 0, 0, &|| {
            Box::new(chain::call(&x, &y).on(&place).run().unwrap())
        });
        used("saxpy into", 0, 0, &|| {
            Box::new(
                saxpy::call(2.0, &x, &y)
                    .on(&place)
                    .run_into(&mut *out.borrow_mut()),
            )
        });
        used("scan into", 0, 0, &|| {
            Box::new(prefix::call(&x).on(&place).run_into(&mut *out.borrow_mut()))
        });
        let there = Array::from(x.clone());
        used("calls", size, 2 * size, &|| {
            let z = saxpy::call(2.0, &there, &there).on(&place).run().unwrap();
            Box::new(saxpy::call(2.0, &z, &there).on(&place).run().unwrap())
        });
    }
}

#[test]
fn a_chain_is_one_stage() {
    let plan = chain::kernel().explain(&Place::cpu()).unwrap();
    assert!(
        plan.contains("\n1 stage\n") && plan.contains("arrays made: none"),
        "{plan}"
    );
}
