//! The plan and the executor by themselves: units written by hand for functions in text form.

use cuprous_cpu::abi::{EnvSlot, Frame, OK, SlotUse};
use cuprous_cpu::compile::Compiler;
use cuprous_cpu::crew::Crew;
use cuprous_cpu::executor::{Image, Stop, Store, run};
use cuprous_cpu::plan::{Action, Plan};
use cuprous_cpu::profile;
use cuprous_cpu::unit::{Mode, ParUnit};
use dsl_runtime::array::{Arg, ArrayView, ArrayViewMut, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::parse::parse;
use dsl_runtime::ir::{Const, Func, ScalarType, Var, VarSet};
use std::sync::Arc;

fn func(text: &str) -> Func {
    let module = parse(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    module.funcs.into_iter().next().unwrap()
}

fn named(func: &Func, name: &str) -> Var {
    let at = func.vars.iter().position(|var| var.name == name);
    Var(at.unwrap_or_else(|| panic!("no %{name}")) as u32)
}

fn view(x: &[f64]) -> Arg<'_> {
    strided(x, &[x.len()], &[8])
}

fn strided<'a>(x: &'a [f64], shape: &[usize], strides: &[isize]) -> Arg<'a> {
    let data = x.as_ptr().cast();
    // SAFETY: the tests give shapes that lie in the slice.
    Arg::Array(unsafe {
        ArrayView::from_raw(ScalarType::F64, shape.to_vec(), strides.to_vec(), data)
    })
}

fn size(n: u64) -> Arg<'static> {
    Arg::Scalar(Const::u64(n))
}

fn into(x: &mut [f64]) -> Option<ArrayViewMut<'_>> {
    let (len, data) = (x.len(), x.as_mut_ptr().cast());
    // SAFETY: a mutable slice.
    Some(unsafe { ArrayViewMut::from_raw(ScalarType::F64, vec![len], vec![8], data) })
}

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(dense) => {
            let len = dense.shape.iter().product();
            // SAFETY: an array of f64.
            unsafe { std::slice::from_raw_parts(dense.buffer.as_ptr().cast::<f64>(), len) }.to_vec()
        }
        other => panic!("{other:?}"),
    }
}

/// `y[i] = x[i] + 1`.
extern "C" fn add_one(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: the environment is the input, the slot the result.
    unsafe {
        let x = *(*frame).env as *const f64;
        let y = (*(*frame).slots).cast::<f64>();
        for i in lo as usize..hi as usize {
            *y.add(i) = *x.add(i) + 1.0;
        }
    }
    OK
}

/// Keeps what is positive.
extern "C" fn keep(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: the environment is the input, the slots number and values.
    unsafe {
        let x = *(*frame).env as *const f64;
        let kept = (*(*frame).slots).cast::<u64>();
        let y = (*(*frame).slots.add(1)).cast::<f64>();
        *kept = 0;
        for i in lo as usize..hi as usize {
            if *x.add(i) > 0.0 {
                *y.add(*kept as usize) = *x.add(i);
                *kept += 1;
            }
        }
    }
    OK
}

fn mapper(x: Var) -> ParUnit {
    ParUnit {
        env: vec![EnvSlot::Data(x)],
        slots: vec![(0, SlotUse::Result)],
        main: add_one,
        count: None,
        scan: None,
        combine: vec![None],
        sites: vec![],
        values: vec![1],
    }
}

fn image(func: &Func, pars: Vec<ParUnit>) -> Image {
    let plan = Arc::new(Plan::of(func).unwrap());
    let mut units = Compiler::new(func, Mode::Fast, &VarSet::new())
        .finish()
        .unwrap();
    units.pars = pars;
    Image::new(plan, units)
}

/// Held for writing while the counters of the process are compared.
static COUNTED: std::sync::RwLock<()> = std::sync::RwLock::new(());

/// Runs beside other tests, but not beside one that counts what the whole process allocates.
fn go(
    image: &Image,
    args: &[Arg<'_>],
    into: &mut [Option<ArrayViewMut<'_>>],
) -> Result<Vec<Value>, Stop> {
    let _shared = COUNTED.read();
    alone(image, args, into)
}

fn alone(
    image: &Image,
    args: &[Arg<'_>],
    into: &mut [Option<ArrayViewMut<'_>>],
) -> Result<Vec<Value>, Stop> {
    run(
        image,
        &Crew::of(2).unwrap(),
        &mut Store::default(),
        args,
        into,
        false,
    )
}

const LOOP: &str = "
func @steps[%n](%x: [%n]f64, %k: u64) -> [%n]f64 {
  %r: [%n]f64 = loop for %s in 0..%k (%g: [%n]f64 = %x) {
    %h: [%n]f64 = par (%i in 0..%n) {
      %v: f64 = index.in %g[%i]
      %w: f64 = add %v, 1.0
      collect %w
    }
    yield %h
  }
  return %r
}";

#[test]
fn a_loop_alternates_between_two_buffers() {
    let _counted = COUNTED.write();
    let func = func(LOOP);
    let image = image(&func, vec![mapper(named(&func, "g"))]);
    for n in [0, 1, 5, 100_000] {
        let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let before = dsl_runtime::array::memory::usage();
        let out = alone(&image, &[view(&x), size(20)], &mut [None]).unwrap();
        let fresh = dsl_runtime::array::memory::usage().fresh - before.fresh;
        assert!(fresh <= if n < 100_000 { 20 } else { 2 }, "{n}: {fresh}");
        let want: Vec<f64> = x.iter().map(|v| v + 20.0).collect();
        assert_eq!(floats(&out[0]), want);
        // No round at all: the argument itself, copied.
        assert_eq!(
            floats(&alone(&image, &[view(&x), size(0)], &mut [None]).unwrap()[0]),
            x
        );
    }
}

#[test]
fn a_layout_of_the_users_becomes_contiguous_where_a_loop_carries_it() {
    let func = func(LOOP);
    let image = image(&func, vec![mapper(named(&func, "g"))]);
    let x: Vec<f64> = (0..10).map(|i| i as f64).collect();
    let out = go(&image, &[strided(&x, &[5], &[16]), size(1)], &mut [None]).unwrap();
    assert_eq!(floats(&out[0]), [1.0, 3.0, 5.0, 7.0, 9.0]);
}

const MAP: &str = "
func @map[%n](%x: [%n]f64) -> [%n]f64 {
  %y: [%n]f64 = par (%i in 0..%n) {
    %v: f64 = index.in %x[%i]
    %w: f64 = add %v, 1.0
    collect %w
  }
  return %y
}";

#[test]
fn results_go_straight_to_the_callers_memory() {
    let func = func(MAP);
    let image = image(&func, vec![mapper(named(&func, "x"))]);
    let x = [1.0, 2.0, 3.0];
    let mut out = [0.0; 3];
    let before = profile::read();
    let values = go(&image, &[view(&x)], &mut [into(&mut out)]).unwrap();
    let after = profile::read();
    assert!(matches!(values[0], Value::Written));
    assert_eq!(out, [2.0, 3.0, 4.0]);
    assert_eq!(after.allocations, before.allocations);
    assert_eq!(after.launches, before.launches + 1);
}

#[test]
fn memory_of_another_shape_is_refused_and_untouched() {
    let func = func(MAP);
    let image = image(&func, vec![mapper(named(&func, "x"))]);
    let mut out = [0.0; 4];
    let stop = go(&image, &[view(&[1.0, 2.0])], &mut [into(&mut out)]).unwrap_err();
    match stop {
        Stop::Failure(Failure::ResultShape {
            expected, found, ..
        }) => {
            assert_eq!((expected, found), (vec![4], vec![2]));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(out, [0.0; 4]);
}

#[test]
fn a_check_after_the_par_keeps_results_out_of_the_callers_memory() {
    let text = MAP.replace(
        "  return",
        "  %l: f64 = index %y[0]\n  %c: bool = lt %l, 0.0\n  check assert \"positive\" %c\n  return",
    );
    let func = func(&text.replace("check assert \"positive\" %c", "check empty %c"));
    let image = image(&func, vec![mapper(named(&func, "x"))]);
    let mut out = [0.0; 2];
    let stop = go(&image, &[view(&[1.0, 2.0])], &mut [into(&mut out)]).unwrap_err();
    assert!(matches!(stop, Stop::Fault), "{stop:?}");
    assert_eq!(out, [0.0; 2]);
    go(&image, &[view(&[-3.0, 2.0])], &mut [into(&mut out)]).unwrap();
    assert_eq!(out, [-2.0, 3.0]);
}

#[test]
fn a_filter_gives_back_what_it_did_not_keep() {
    let func = func(
        "
func @keep[%n](%x: [%n]f64) -> [?]f64 {
  %m: u64, %y: [%m]f64 = par (%i in 0..%n) {
    %v: f64 = index.in %x[%i]
    %p: bool = gt %v, 0.0
    filter %p, %v
  }
  return %y
}",
    );
    let mut unit = mapper(named(&func, "x"));
    unit.main = keep;
    unit.slots = vec![(0, SlotUse::Kept), (0, SlotUse::Values)];
    let image = image(&func, vec![unit]);
    let x: Vec<f64> = (0..1_000_000)
        .map(|i| if i % 1000 == 7 { i as f64 } else { -1.0 })
        .collect();
    let out = go(&image, &[view(&x)], &mut [None]).unwrap();
    let want: Vec<f64> = x.iter().copied().filter(|&v| v > 0.0).collect();
    assert_eq!(floats(&out[0]), want);
    match &out[0] {
        Value::Array(dense) => assert!(dense.buffer.bytes() < 16 * want.len()),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        floats(&go(&image, &[view(&[])], &mut [None]).unwrap()[0]),
        []
    );
}

#[test]
fn memory_beyond_all_bounds_is_an_error() {
    let func = func(
        "
func @fill(%n: u64) -> [%n]f64 {
  %y: [%n]f64 = par (%i in 0..%n) {
    collect 1.0
  }
  return %y
}",
    );
    let mut unit = mapper(Var(0));
    unit.env.clear();
    let image = image(&func, vec![unit]);
    for n in [u64::MAX, u64::MAX / 8, 1 << 58] {
        match go(&image, &[size(n)], &mut [None]).unwrap_err() {
            Stop::Failure(Failure::OutOfMemory { bytes, .. }) => {
                assert_eq!(bytes, n as u128 * 8);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn rows_without_elements_are_not_walked() {
    let func = func(
        "
func @table(%h: u64, %w: u64) -> [%h, %w]f64 {
  %y: [%h, %w]f64 = par (%i in 0..%h) {
    %r: [%w]f64 = par.inner (%j in 0..%w) {
      collect 1.0
    }
    collect %r
  }
  return %y
}",
    );
    let mut unit = mapper(Var(0));
    unit.env.clear();
    let image = image(&func, vec![unit]);
    let out = go(&image, &[size(u64::MAX), size(0)], &mut [None]).unwrap();
    match &out[0] {
        Value::Array(dense) => assert_eq!(dense.shape, [u64::MAX as usize, 0]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn scalars_and_branches_stay_with_the_executor() {
    let func = func(
        "
func @small(%a: f64, %b: f64) -> f64 {
  %s: f64 = add %a, %b
  %c: bool = lt %s, 0.0
  %r: f64 = if %c {
    %t: f64 = neg %s
    yield %t
  } else {
    yield %s
  }
  return %r
}",
    );
    let image = image(&func, vec![]);
    assert!(image.plan.regions.is_empty());
    assert!(
        image
            .plan
            .steps
            .iter()
            .any(|step| matches!(step.action, Action::If { .. }))
    );
    let of = |a: f64, b: f64| {
        let args = [Arg::Scalar(Const::from(a)), Arg::Scalar(Const::from(b))];
        match go(&image, &args, &mut [None]).unwrap()[0] {
            Value::Scalar(value) => f64::from_bits(value.bits),
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!((of(1.0, 2.0), of(1.0, -4.0)), (3.0, 3.0));
}

#[test]
fn elements_beyond_the_end_are_a_fault() {
    let func = func(
        "
func @at[%n](%x: [%n]f64, %i: u64) -> f64 {
  %v: f64 = index %x[%i]
  return %v
}",
    );
    let image = image(&func, vec![]);
    let x = [1.0, 2.0, 3.0, 4.0];
    let at = |i| go(&image, &[strided(&x, &[2], &[16]), size(i)], &mut [None]);
    assert!(matches!(at(1).unwrap()[0], Value::Scalar(v) if f64::from_bits(v.bits) == 3.0));
    assert!(matches!(at(2).unwrap_err(), Stop::Fault));
}
