//! Every row of the table and every cast, over more elements than any vector has lanes, against the row's own meaning:
//! with operands that all differ, with one that is the same for all lanes, and under a mask.

use cuprous_cpu::Cpu;
use dsl_runtime::array::{Arg, Dense, Value};
use dsl_runtime::cache::compile_func;
use dsl_runtime::ir::op::{self, Meaning, Signature, TABLE};
use dsl_runtime::ir::parse::parse;
use dsl_runtime::ir::{Const, ScalarOp, ScalarType};
use std::sync::Arc;

const COUNT: usize = 75;

/// Bits that meet the edges: zeros, ones, the sign, NaN, infinities, small and large numbers.
fn bits(ty: ScalarType, seed: u64, k: usize) -> u64 {
    let edges = [
        Const::f32(-0.0).bits,
        Const::f32(f32::NAN).bits,
        Const::f32(f32::INFINITY).bits,
        Const::f32(0.5).bits,
        Const::f32(-2.5).bits,
        Const::f32(3.0e9).bits,
        Const::f64(-0.0).bits,
        Const::f64(f64::NAN).bits,
        Const::f64(-1.5).bits,
        Const::f64(1.0e19).bits,
        Const::f64(-3.0e9).bits,
        Const::f64(200.7).bits,
        0,
        1,
        u64::MAX,
        1 << (ty.bits() - 1),
    ];
    let mut hash = (seed << 32 ^ k as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^= hash >> 32;
    let raw = if hash.is_multiple_of(3) {
        edges[(hash >> 8) as usize % edges.len()]
    } else {
        hash
    };
    match ty {
        ScalarType::Bool => raw & 1,
        ty => raw & (u64::MAX >> (64 - ty.bits())),
    }
}

fn column(ty: ScalarType, seed: u64) -> Vec<Const> {
    (0..COUNT)
        .map(|k| Const {
            ty,
            bits: bits(ty, seed, k),
        })
        .collect()
}

fn dense(ty: ScalarType, values: &[Const]) -> Dense {
    Dense::from_bits(ty, vec![values.len()], values.iter().map(|v| v.bits)).expect("memory")
}

fn agree(a: Const, b: Const) -> bool {
    let nan = |v: Const| match v.ty {
        ScalarType::F32 => f32::from_bits(v.bits as u32).is_nan(),
        ScalarType::F64 => f64::from_bits(v.bits).is_nan(),
        _ => false,
    };
    a == b || nan(a) && nan(b)
}

/// Runs a text on columns and scalars and compares what it collects.
fn compare(text: &str, args: &[Arg<'_>], want: &[Const]) {
    let module = parse(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let func = Arc::new(module.funcs[0].clone());
    let cpu = Cpu::with_threads(1).expect("one thread");
    let compiled = compile_func(func, &cpu).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let results = compiled
        .call(args)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let [Value::Array(found)] = &results[..] else {
        panic!("one array\n{text}");
    };
    let found = found.view();
    for (k, (found, &want)) in found.iter().zip(want).enumerate() {
        assert!(
            agree(found, want),
            "element {k}: {found:?}, not {want:?}\n{text}"
        );
    }
}

#[test]
fn casts() {
    for &from in ScalarType::ALL {
        for &to in ScalarType::ALL {
            if to == ScalarType::Bool && from != ScalarType::Bool {
                continue;
            }
            let values = column(from, 1);
            let array = dense(from, &values);
            let text = format!(
                "func @f[%n](%x: [%n]{from}) -> [%n]{to} {{\n  %y: [%n]{to} = par (%i in 0..%n) {{\n    %v: {from} = index %x[%i]\n    %w: {to} = cast {to} %v\n    collect %w\n  }}\n  return %y\n}}\n"
            );
            let want: Vec<Const> = values.iter().map(|&v| op::cast(to, v)).collect();
            compare(&text, &[Arg::Array(array.view())], &want);
        }
    }
}

/// The types of the operands of a row at `ty`.
fn operands(op: ScalarOp, ty: ScalarType) -> Vec<ScalarType> {
    match op.row().signature {
        Signature::Select => vec![ScalarType::Bool, ty, ty],
        Signature::WithI32(_) => vec![ty, ScalarType::I32],
        _ => vec![ty; op.arity()],
    }
}

/// Operands that do not fail.
fn tame(op: ScalarOp, ty: ScalarType, columns: &mut [Vec<Const>]) {
    if !op.can_fail(ty) {
        return;
    }
    for divisor in &mut columns[1] {
        if divisor.bits == 0 || divisor.bits == u64::MAX >> (64 - ty.bits()) {
            divisor.bits = 3;
        }
    }
}

#[test]
fn rows() {
    for row in TABLE {
        let Meaning::Native(_) = row.meaning else {
            continue;
        };
        for &ty in ScalarType::ALL {
            if !row.signature.admits(ty) {
                continue;
            }
            let types = operands(row.op, ty);
            // Bit k: operand k is the same for all lanes.
            for same in 0..1usize << types.len() {
                let mut columns: Vec<Vec<Const>> = types
                    .iter()
                    .enumerate()
                    .map(|(k, &t)| column(t, 7 + k as u64))
                    .collect();
                tame(row.op, ty, &mut columns);
                for (k, column) in columns.iter_mut().enumerate() {
                    if same >> k & 1 == 1 {
                        *column = vec![column[5]; COUNT];
                    }
                }
                one_row(row.op, &types, same, &columns);
            }
        }
    }
}

fn one_row(op: ScalarOp, types: &[ScalarType], same: usize, columns: &[Vec<Const>]) {
    let to = op.result(types).expect("the row admits the type");
    let arrays: Vec<Dense> = types
        .iter()
        .zip(columns)
        .map(|(&t, c)| dense(t, c))
        .collect();
    let keep = dense(ScalarType::Bool, &column(ScalarType::Bool, 99));
    let mut params = "%m: [%n]bool".to_owned();
    let mut loads = String::new();
    let mut names = vec![];
    let mut args = vec![Arg::Array(keep.view())];
    for (k, ty) in types.iter().enumerate() {
        if same >> k & 1 == 1 {
            params += &format!(", %v{k}: {ty}");
            args.push(Arg::Scalar(columns[k][0]));
        } else {
            params += &format!(", %x{k}: [%n]{ty}");
            loads += &format!("    %v{k}: {ty} = index %x{k}[%i]\n");
            args.push(Arg::Array(arrays[k].view()));
        }
        names.push(format!("%v{k}"));
    }
    let (name, names) = (op.name(), names.join(", "));
    let want: Vec<Const> = (0..COUNT)
        .map(|k| {
            let operands: Vec<Const> = columns.iter().map(|c| c[k]).collect();
            op.eval(&operands)
                .expect("a native row")
                .expect("tame operands")
        })
        .collect();
    let plain = format!(
        "func @f[%n]({params}) -> [%n]{to} {{\n  %y: [%n]{to} = par (%i in 0..%n) {{\n{loads}    %r: {to} = {name} {names}\n    collect %r\n  }}\n  return %y\n}}\n"
    );
    compare(&plain, &args, &want);
    let zero = Const { ty: to, bits: 0 };
    let masked = format!(
        "func @f[%n]({params}) -> [%n]{to} {{\n  %y: [%n]{to} = par (%i in 0..%n) {{\n    %k: bool = index %m[%i]\n{loads}    %s: {to} = if %k {{\n      %r: {to} = {name} {names}\n      yield %r\n    }} else {{\n      %z: {to} = cast {to} 0:u8\n      yield %z\n    }}\n    collect %s\n  }}\n  return %y\n}}\n"
    );
    let masked = if to == ScalarType::Bool {
        masked.replace("%z: bool = cast bool 0:u8", "%z: bool = ne 0:u8, 0:u8")
    } else {
        masked
    };
    let kept = column(ScalarType::Bool, 99);
    let want: Vec<Const> = want
        .iter()
        .zip(&kept)
        .map(|(&w, k)| if k.bits == 1 { w } else { zero })
        .collect();
    compare(&masked, &args, &want);
}
