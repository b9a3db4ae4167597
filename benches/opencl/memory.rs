//! The cases that memory limits.

use super::case::{Case, Unit, compare, line};
use super::device::{Device, Number, Room, enqueue, kernel};
use super::input::{laplacian, uniform};
use cuprous::{Array, Place};
use std::cell::Cell;
use std::rc::Rc;

/// The kernels, in the order of the table.
pub const NAMES: &[&str] = &[
    "saxpy", "sum", "dot", "scan", "filter", "compact", "heat2d", "spmv",
];

/// Work-items that go through chunks: enough for a fair division of labour, and chunks that stay in a cache.
const ITEMS: usize = 1024;
/// Steps of the heat equation in a run.
const STEPS: usize = 10;

macro_rules! cases {
    ($function:ident, $module:ident, $t:ident, long $long:expr) => {
        /// The lines of a kernel for this type.
        pub fn $function(device: &Rc<Device>, name: &str) -> Vec<Case> {
            use super::extra::$module as more;
            use super::kernel::$module as ours;
            type T = $t;
            const DTYPE: &str = stringify!($t);
            const BYTES: f64 = size_of::<T>() as f64;
            let (width, group, n) = (device.width::<T>(), device.group(), $long);
            let own = device.clone();
            let symmetric = |seed| uniform::<T>(seed, n, -1.0, 1.0);
            let settle =
                |x: &Array<T>, place: &Place| more::first::call(x).on(place).run().map(drop);
            match name {
                "saxpy" => {
                    let (x, y) = (symmetric(1), symmetric(2));
                    let [hx, hy, out] = [device.put(&x), device.put(&y), device.room::<T>(n)];
                    let program = device.program::<T>(include_str!("saxpy.cl"), width, true);
                    let k = kernel!(
                        device,
                        program,
                        "saxpy",
                        n / width,
                        group,
                        &(2.5 as T),
                        &hx.buffer,
                        &hy.buffer,
                        &out.buffer
                    );
                    let (x, y) = (Array::from(x), Array::from(y));
                    let (x1, y1) = (x.clone(), y.clone());
                    vec![line(
                        (name, DTYPE),
                        (3.0 * BYTES * n as f64, Unit::Byte),
                        move || {
                            let _inputs = (&hx, &hy);
                            enqueue(&k);
                            own.finish();
                        },
                        move |place| {
                            settle(&ours::saxpy::call(2.5, &x, &y).on(place).run()?, place)
                        },
                        move |place| {
                            let result = ours::saxpy::call(2.5, &x1, &y1).on(place).to_host()?;
                            Ok(compare(&out.get(), &result, 1e-6))
                        },
                    )]
                }
                "sum" | "dot" => {
                    let dot = name == "dot";
                    let (x, y) = (symmetric(1), symmetric(2));
                    let [hx, hy, parts] = [device.put(&x), device.put(&y), device.room::<T>(ITEMS)];
                    let chunk = (n / ITEMS) as u32;
                    let k = if dot {
                        let program = device.program::<T>(include_str!("dot.cl"), width, true);
                        kernel!(
                            device,
                            program,
                            "dot_",
                            ITEMS,
                            1,
                            &hx.buffer,
                            &hy.buffer,
                            &parts.buffer,
                            &chunk
                        )
                    } else {
                        let program = device.program::<T>(include_str!("sum.cl"), width, true);
                        kernel!(
                            device,
                            program,
                            "sum",
                            ITEMS,
                            1,
                            &hx.buffer,
                            &parts.buffer,
                            &chunk
                        )
                    };
                    let total = Rc::new(Cell::new(0.0));
                    let seen = total.clone();
                    let mut host = vec![T::default(); ITEMS];
                    let arrays = (Array::from(x), Array::from(y));
                    let call = move |place: &Place| match dot {
                        true => ours::dot::call(&arrays.0, &arrays.1).on(place).run(),
                        false => ours::sum::call(&arrays.0).on(place).run(),
                    };
                    let call = Rc::new(call);
                    let again = call.clone();
                    let bytes = if dot { 2.0 } else { 1.0 } * BYTES * n as f64;
                    vec![line(
                        (name, DTYPE),
                        (bytes, Unit::Byte),
                        move || {
                            let _inputs = (&hx, &hy);
                            enqueue(&k);
                            parts.read(&mut host);
                            total.set(host.iter().map(|&v| v as f64).sum::<f64>());
                        },
                        move |place| call(place).map(drop),
                        move |place| {
                            let tolerance = n as f64 * if T::DOUBLE { 1e-13 } else { 1e-6 };
                            let (a, b) = (seen.get(), again(place)? as f64);
                            Ok(((a - b).abs() > tolerance).then(|| format!("{a}, ours {b}")))
                        },
                    )]
                }
                "scan" => {
                    let x = symmetric(1);
                    let [hx, parts, out] =
                        [device.put(&x), device.room::<T>(ITEMS), device.room::<T>(n)];
                    let program = device.program::<T>(include_str!("scan.cl"), width, true);
                    let chunk = (n / ITEMS) as u32;
                    let steps = [
                        kernel!(
                            device,
                            program,
                            "totals",
                            ITEMS,
                            1,
                            &hx.buffer,
                            &parts.buffer,
                            &chunk
                        ),
                        kernel!(
                            device,
                            program,
                            "prefix",
                            1,
                            1,
                            &parts.buffer,
                            &(ITEMS as u32)
                        ),
                        kernel!(
                            device,
                            program,
                            "place",
                            ITEMS,
                            1,
                            &hx.buffer,
                            &parts.buffer,
                            &out.buffer,
                            &chunk
                        ),
                    ];
                    let x = Array::from(x);
                    let x1 = x.clone();
                    vec![line(
                        (name, DTYPE),
                        (2.0 * BYTES * n as f64, Unit::Byte),
                        move || {
                            let _inputs = (&hx, &parts);
                            steps.iter().for_each(enqueue);
                            own.finish();
                        },
                        move |place| settle(&ours::scan::call(&x).on(place).run()?, place),
                        move |place| {
                            let bound = n as f64
                                * if T::DOUBLE {
                                    2f64.powi(-50)
                                } else {
                                    2f64.powi(-24)
                                };
                            Ok(compare(
                                &out.get(),
                                &ours::scan::call(&x1).on(place).to_host()?,
                                bound,
                            ))
                        },
                    )]
                }
                // By hand both are the same: the sum costs nothing there. Ours has one order, that of the kept elements.
                "filter" | "compact" => {
                    let summed = name == "compact";
                    let x = symmetric(1);
                    let [hx, sums, out] =
                        [device.put(&x), device.room::<T>(ITEMS), device.room::<T>(n)];
                    let parts = device.room::<u32>(ITEMS + 1);
                    let program = device.program::<T>(include_str!("compact.cl"), width, true);
                    let (chunk, bound) = ((n / ITEMS) as u32, 0.25 as T);
                    let steps = [
                        kernel!(
                            device,
                            program,
                            "counts",
                            ITEMS,
                            1,
                            &hx.buffer,
                            &bound,
                            &parts.buffer,
                            &sums.buffer,
                            &chunk
                        ),
                        kernel!(
                            device,
                            program,
                            "prefix",
                            1,
                            1,
                            &parts.buffer,
                            &(ITEMS as u32)
                        ),
                        kernel!(
                            device,
                            program,
                            "place",
                            ITEMS,
                            1,
                            &hx.buffer,
                            &bound,
                            &parts.buffer,
                            &out.buffer,
                            &chunk
                        ),
                    ];
                    let found = Rc::new(Cell::new((0, 0.0)));
                    let seen = found.clone();
                    let x = Array::from(x);
                    let x1 = x.clone();
                    let kept = x1.to_vec().iter().filter(|&&v| v > 0.25).count();
                    let (mut counts, mut totals) = (vec![0; ITEMS + 1], vec![T::default(); ITEMS]);
                    vec![line(
                        (name, DTYPE),
                        (BYTES * (n + kept) as f64, Unit::Byte),
                        move || {
                            let _input = &hx;
                            steps.iter().for_each(enqueue);
                            parts.read(&mut counts);
                            sums.read(&mut totals);
                            found.set((
                                counts[ITEMS] as usize,
                                totals.iter().map(|&v| v as f64).sum(),
                            ));
                        },
                        move |place| {
                            let kept = match summed {
                                true => ours::compact::call(&x, 0.25).on(place).run()?.0,
                                false => more::keep::call(&x, 0.25).on(place).run()?,
                            };
                            settle(&kept, place)
                        },
                        move |place| {
                            let (kept, sum) = ours::compact::call(&x1, 0.25).on(place).to_host()?;
                            let mut hand = out.get();
                            hand.truncate(seen.get().0);
                            let sums = compare(
                                &[seen.get().1],
                                &[sum as f64],
                                if T::DOUBLE { 1e-11 } else { 1e-4 },
                            );
                            Ok(compare(&hand, &kept, 0.0).or(sums))
                        },
                    )]
                }
                "heat2d" => {
                    const N: usize = 4096;
                    let u = uniform::<T>(1, N * N, 0.0, 1.0);
                    let [hu, a, b] = [
                        device.put(&u),
                        device.room::<T>(N * N),
                        device.room::<T>(N * N),
                    ];
                    let program = device.program::<T>(include_str!("heat.cl"), width, true);
                    let step = |from: &Room<T>, to: &Room<T>| {
                        kernel!(
                            device,
                            program,
                            "heat",
                            N / 4,
                            1,
                            &from.buffer,
                            &to.buffer,
                            &(N as u32)
                        )
                    };
                    let steps: Vec<_> = (0..STEPS)
                        .map(|k| match k {
                            0 => step(&hu, &b),
                            k if k % 2 == 0 => step(&a, &b),
                            _ => step(&b, &a),
                        })
                        .collect();
                    let u = Array::from_ndarray(
                        ndarray::Array2::from_shape_vec((N, N), u).expect("the shape fits"),
                    );
                    let u1 = u.clone();
                    vec![line(
                        (name, DTYPE),
                        (2.0 * BYTES * (N * N * STEPS) as f64, Unit::Byte),
                        move || {
                            let _inputs = (&hu, &b);
                            steps.iter().for_each(enqueue);
                            own.finish();
                        },
                        move |place| {
                            let result = ours::heat::call(&u, STEPS).on(place).run()?;
                            more::corner::call(&result).on(place).run().map(drop)
                        },
                        move |place| {
                            let result = ours::heat::call(&u1, STEPS).on(place).run()?.to_vec();
                            Ok(compare(&a.get(), &result, 1e-5))
                        },
                    )]
                }
                "spmv" => {
                    const M: usize = 2048;
                    let matrix = laplacian::<T>(M);
                    let x = uniform::<T>(1, M * M, -1.0, 1.0);
                    let entries = matrix.values.len() as f64;
                    let [rows, cols] = [device.put(&matrix.rows), device.put(&matrix.cols)];
                    let [values, hx, out] = [
                        device.put(&matrix.values),
                        device.put(&x),
                        device.room::<T>(M * M),
                    ];
                    let program = device.program::<T>(include_str!("spmv.cl"), width, true);
                    let k = kernel!(
                        device,
                        program,
                        "spmv",
                        ITEMS,
                        1,
                        &rows.buffer,
                        &cols.buffer,
                        &values.buffer,
                        &hx.buffer,
                        &out.buffer,
                        &((M * M / ITEMS) as u32)
                    );
                    let (r, c) = (Array::from(matrix.rows), Array::from(matrix.cols));
                    let (v, x) = (Array::from(matrix.values), Array::from(x));
                    let (r1, c1, v1, x1) = (r.clone(), c.clone(), v.clone(), x.clone());
                    let bytes = entries * (BYTES + 4.0) + (M * M) as f64 * (2.0 * BYTES + 4.0);
                    vec![line(
                        (name, DTYPE),
                        (bytes, Unit::Byte),
                        move || {
                            let _inputs = (&rows, &cols, &values, &hx);
                            enqueue(&k);
                            own.finish();
                        },
                        move |place| {
                            settle(&ours::spmv::call(&r, &c, &v, &x).on(place).run()?, place)
                        },
                        move |place| {
                            let result =
                                ours::spmv::call(&r1, &c1, &v1, &x1).on(place).to_host()?;
                            Ok(compare(&out.get(), &result, 2e-5))
                        },
                    )]
                }
                _ => vec![],
            }
        }
    };
}
// As many bytes of each type.
cases!(single, single, f32, long 1 << 25);
cases!(double, double, f64, long 1 << 24);
