//! The cases that arithmetic limits: each without contraction, where both sides do the same operations, and with.

use super::case::{Case, Unit, compare, line};
use super::device::{Device, Number, enqueue, kernel};
use super::extra::pixel;
use super::input::uniform;
use cuprous::{Array, Place};
use std::rc::Rc;

/// The kernels, in the order of the table.
pub const NAMES: &[&str] = &["blackscholes", "mandelbrot", "nbody"];

macro_rules! cases {
    ($function:ident, $module:ident, $t:ident) => {
        /// The lines of a kernel for this type.
        pub fn $function(device: &Rc<Device>, name: &str) -> Vec<Case> {
            use super::extra::$module as more;
            use super::kernel::$module as ours;
            type T = $t;
            const DTYPE: &str = stringify!($t);
            let rough = if T::DOUBLE { 1e-9 } else { 2e-3 };
            let (width, group) = (device.width::<T>(), device.group());
            let settle =
                |x: &Array<T>, place: &Place| more::first::call(x).on(place).run().map(drop);
            match name {
                "blackscholes" => [false, true]
                    .map(|free| {
                        let n = 1 << 23;
                        let inputs = [(1, 8.0, 136.0), (2, 8.0, 136.0), (3, 0.25, 8.25)];
                        let inputs =
                            inputs.map(|(seed, low, high)| uniform::<T>(seed, n, low, high));
                        let on_device = inputs.each_ref().map(|input| device.put(input));
                        let [call, put] = [(); 2].map(|()| device.room::<T>(n));
                        let program =
                            device.program::<T>(include_str!("black_scholes.cl"), width, free);
                        let [s, k, t] = on_device.each_ref().map(|room| &room.buffer);
                        let k = kernel!(
                            device,
                            program,
                            "black_scholes",
                            n / width,
                            group.min(256),
                            s,
                            k,
                            t,
                            &call.buffer,
                            &put.buffer
                        );
                        let (own, inputs) = (device.clone(), inputs.map(Array::from));
                        let again = inputs.clone();
                        line(
                            (&named(name, free), DTYPE),
                            (n as f64, Unit::Item("options")),
                            move || {
                                let _inputs = &on_device;
                                enqueue(&k);
                                own.finish();
                            },
                            move |place| {
                                let [s, k, t] = &inputs;
                                settle(
                                    &ours::black_scholes::call(s, k, t).on(place).run()?.0,
                                    place,
                                )
                            },
                            move |place| {
                                let [s, k, t] = &again;
                                let result =
                                    ours::black_scholes::call(s, k, t).on(place).to_host()?;
                                let calls = compare(&call.get(), &result.0, rough);
                                Ok(calls.or_else(|| compare(&put.get(), &result.1, rough)))
                            },
                        )
                    })
                    .into(),
                "mandelbrot" => [(512, false), (512, true), (2048, false), (2048, true)]
                    .map(|(n, free)| {
                        let out = device.room::<i32>(n * n);
                        let program =
                            device.program::<T>(include_str!("mandelbrot.cl"), width, free);
                        let k = kernel!(
                            device,
                            program,
                            "mandelbrot",
                            n * n / (4 * width),
                            32,
                            &out.buffer,
                            &(n as u32),
                            &((2.5 / n as f64) as T)
                        );
                        let own = device.clone();
                        line(
                            (&named(&format!("{name} {n}"), free), DTYPE),
                            ((n * n) as f64, Unit::Item("pixels")),
                            move || {
                                enqueue(&k);
                                own.finish();
                            },
                            move |place| {
                                let result = ours::mandelbrot::call(n).on(place).run()?;
                                pixel::call(&result).on(place).run().map(drop)
                            },
                            move |place| {
                                let result = ours::mandelbrot::call(n).on(place).run()?.to_vec();
                                let off = out
                                    .get()
                                    .iter()
                                    .zip(&result)
                                    .filter(|(a, b)| a != b)
                                    .count();
                                Ok((off > n * n / 100).then(|| format!("{off} pixels")))
                            },
                        )
                    })
                    .into(),
                "nbody" => [false, true]
                    .map(|free| {
                        const N: usize = 4096;
                        let inputs = [1, 2, 3, 4].map(|seed| {
                            uniform::<T>(seed, N, if seed < 4 { -1.0 } else { 0.0 }, 1.0)
                        });
                        let on_device = inputs.each_ref().map(|input| device.put(input));
                        let outs = [(); 3].map(|()| device.room::<T>(N));
                        let width = if free { width } else { width / 2 };
                        let program = device.program::<T>(include_str!("nbody.cl"), width, free);
                        let eps2 = (1.0 / 1024.0) as T;
                        let ([x, y, z, m], [ax, ay, az]) = (&on_device, &outs);
                        let k = kernel!(
                            device,
                            program,
                            "nbody",
                            N / width,
                            1,
                            &x.buffer,
                            &y.buffer,
                            &z.buffer,
                            &m.buffer,
                            &ax.buffer,
                            &ay.buffer,
                            &az.buffer,
                            &(N as u32),
                            &eps2
                        );
                        let (own, inputs) = (device.clone(), inputs.map(Array::from));
                        let again = inputs.clone();
                        line(
                            (&named(&format!("{name} {N}"), free), DTYPE),
                            ((N * N) as f64, Unit::Item("interactions")),
                            move || {
                                let _inputs = &on_device;
                                enqueue(&k);
                                own.finish();
                            },
                            move |place| {
                                let [x, y, z, m] = &inputs;
                                settle(
                                    &more::nbody::call(x, y, z, m, eps2).on(place).run()?.0,
                                    place,
                                )
                            },
                            move |place| {
                                let [x, y, z, m] = &again;
                                let (a, b, c) =
                                    more::nbody::call(x, y, z, m, eps2).on(place).to_host()?;
                                let largest = a
                                    .iter()
                                    .fold(0.0, |most: f64, &v| most.max((v as f64).abs()));
                                let tolerance = largest * if T::DOUBLE { 1e-11 } else { 2e-4 };
                                let pairs = outs.iter().zip([a, b, c]);
                                Ok(pairs
                                    .map(|(hand, ours)| compare(&hand.get(), &ours, tolerance))
                                    .find_map(|d| d))
                            },
                        )
                    })
                    .into(),
                _ => vec![],
            }
        }
    };
}
cases!(single, single, f32);
cases!(double, double, f64);

/// What a line is called under rules that allow contraction and rough reciprocals.
fn named(name: &str, free: bool) -> String {
    format!("{name}{}", if free { ", contracted" } else { "" })
}
