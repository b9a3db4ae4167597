//! The mathematical functions, elaborated and run by the interpreter: the same bits as the Rust functions that they are.

use cuprous_interp::Interp;
use dsl_runtime::array::{Arg, Value};
use dsl_runtime::backend::{Backend, Executable};
use dsl_runtime::ir::{Const, Func, ScalarOp, ScalarType, walk};
use dsl_runtime::math::{self, cos, erf, exp, ln, powf, powi, sin, tanh};
use std::sync::Arc;

/// Bits → a value of the range that matters: a third of any bits, a third moderate, a third from nearly nothing to 4.
fn argument(i: u64, ty: ScalarType) -> f64 {
    let bits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ i << 40;
    let unit = (bits >> 11) as f64 / (1u64 << 53) as f64;
    let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
    match i % 3 {
        0 if ty == ScalarType::F32 => f32::from_bits(bits as u32) as f64,
        0 => f64::from_bits(bits),
        1 => sign * unit * 200.0,
        _ => sign * 4.0 * unit.powi(9),
    }
}

const EDGES: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -3.0,
    0.5,
    1e-320,
    1e300,
    -1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1e-44,
];

fn executable(op: ScalarOp, ty: ScalarType) -> Arc<dyn Executable> {
    let func: Arc<Func> = Arc::new(math::function(op, ty).expect("a row").clone());
    Interp.compile(&func, &func).expect("a function compiles")
}

fn scalar(executable: &dyn Executable, args: &[Const]) -> u64 {
    let args: Vec<Arg> = args.iter().map(|&arg| Arg::Scalar(arg)).collect();
    match executable.run(&args, &mut [None]) {
        Ok(values) => match values[..] {
            [Value::Scalar(value)] => value.bits,
            _ => panic!("one scalar: {values:?}"),
        },
        Err(failure) => panic!("{failure:?}"),
    }
}

fn same_f64(got: u64, want: f64) -> bool {
    let got = f64::from_bits(got);
    got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan()
}

fn same_f32(got: u64, want: f32) -> bool {
    let got = f32::from_bits(got as u32);
    got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan()
}

fn unary(op: ScalarOp, single: fn(f32) -> f32, double: fn(f64) -> f64) {
    let (f32s, f64s) = (
        executable(op, ScalarType::F32),
        executable(op, ScalarType::F64),
    );
    for i in 0..10_000 {
        let edge = EDGES.get(i as usize).copied();
        let x = edge.unwrap_or_else(|| argument(i, ScalarType::F64));
        let got = scalar(&*f64s, &[Const::f64(x)]);
        assert!(
            same_f64(got, double(x)),
            "{op:?}({x:e}): {got:x}, plain {:e}",
            double(x)
        );
        let x = edge.unwrap_or_else(|| argument(i, ScalarType::F32)) as f32;
        let got = scalar(&*f32s, &[Const::f32(x)]);
        assert!(
            same_f32(got, single(x)),
            "{op:?}({x:e}f32): {got:x}, plain {:e}",
            single(x)
        );
    }
}

#[test]
fn exp_is_its_plain_form() {
    unary(ScalarOp::Exp, exp::exp_f32::plain, exp::exp_f64::plain);
}

#[test]
fn ln_is_its_plain_form() {
    unary(ScalarOp::Ln, ln::ln_f32::plain, ln::ln_f64::plain);
}

#[test]
fn sin_is_its_plain_form() {
    unary(ScalarOp::Sin, sin::sin_f32::plain, sin::sin_f64::plain);
}

#[test]
fn cos_is_its_plain_form() {
    unary(ScalarOp::Cos, cos::cos_f32::plain, cos::cos_f64::plain);
}

#[test]
fn tanh_is_its_plain_form() {
    unary(ScalarOp::Tanh, tanh::tanh_f32::plain, tanh::tanh_f64::plain);
}

#[test]
fn erf_is_its_plain_form() {
    unary(ScalarOp::Erf, erf::erf_f32::plain, erf::erf_f64::plain);
}

#[test]
fn powf_is_its_plain_form() {
    let f64s = executable(ScalarOp::Powf, ScalarType::F64);
    let f32s = executable(ScalarOp::Powf, ScalarType::F32);
    let check = |x: f64, y: f64| {
        let got = scalar(&*f64s, &[Const::f64(x), Const::f64(y)]);
        let want = powf::powf_f64::plain(x, y);
        assert!(
            same_f64(got, want),
            "powf({x:e}, {y:e}): {got:x}, plain {want:e}"
        );
        let (x, y) = (x as f32, y as f32);
        let got = scalar(&*f32s, &[Const::f32(x), Const::f32(y)]);
        let want = powf::powf_f32::plain(x, y);
        assert!(
            same_f32(got, want),
            "powf({x:e}f32, {y:e}): {got:x}, plain {want:e}"
        );
    };
    for x in EDGES {
        for y in EDGES {
            check(x, y);
        }
    }
    for i in 0..10_000 {
        check(
            argument(i, ScalarType::F64).abs(),
            argument(i * 7 + 1, ScalarType::F64),
        );
    }
}

#[test]
fn powi_is_its_plain_form() {
    let f64s = executable(ScalarOp::Powi, ScalarType::F64);
    let f32s = executable(ScalarOp::Powi, ScalarType::F32);
    for i in 0..10_000 {
        let x = argument(i, ScalarType::F64);
        let n = match i {
            0 => i32::MIN,
            1 => i32::MAX,
            _ => (i * i) as i32 % 300 - 150,
        };
        let power = [Const::f64(x), Const::from(n)];
        let want = powi::powi_f64::plain(x, n);
        assert!(same_f64(scalar(&*f64s, &power), want), "powi({x:e}, {n})");
        let power = [Const::f32(x as f32), Const::from(n)];
        let want = powi::powi_f32::plain(x as f32, n);
        assert!(
            same_f32(scalar(&*f32s, &power), want),
            "powi({x:e}f32, {n})"
        );
    }
}

/// What each function costs where it is inlined, as the documentation states it: (`f32`, `f64`).
#[test]
fn sizes_are_as_documented() {
    let document = include_str!("../../../docs/math.md");
    let missing: Vec<String> = [
        ScalarOp::Exp,
        ScalarOp::Ln,
        ScalarOp::Sin,
        ScalarOp::Cos,
        ScalarOp::Tanh,
        ScalarOp::Erf,
        ScalarOp::Powf,
        ScalarOp::Powi,
    ]
    .map(|op| {
        let [single, double] = [ScalarType::F32, ScalarType::F64].map(|ty| {
            let mut count = 0;
            let func = math::function(op, ty).expect("a row");
            walk::stmts(&func.body, &mut |_| count += 1);
            count
        });
        format!("| `{}` | {single} | {double} |", op.row().name)
    })
    .into_iter()
    .filter(|line| !document.contains(line))
    .collect();
    assert!(
        missing.is_empty(),
        "docs/math.md should say\n{}",
        missing.join("\n")
    );
}
