//! Pars that memory bounds, over so many elements that rows are fetched ahead and blocks go side by side: the interpreter's
//! bits, and its errors.

use cuprous_cpu::Cpu;
use cuprous_interp::Interp;
use dsl_runtime::array::{Arg, Dense, Value};
use dsl_runtime::backend::Backend;
use dsl_runtime::cache::compile_func;
use dsl_runtime::ir::ScalarType;
use dsl_runtime::ir::parse::parse;
use std::sync::Arc;

/// Numbers of both signs whose sums round.
fn column(ty: ScalarType, n: usize, seed: u64) -> Dense {
    let bits = (0..n as u64).map(|k| {
        let hash = (k ^ seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let unit = hash as f64 / 4294967296.0 - 0.4;
        match ty {
            ScalarType::F32 => u64::from((unit as f32).to_bits()),
            ScalarType::F64 => unit.to_bits(),
            ty => (hash % 1000 + 1) & (u64::MAX >> (64 - ty.bits())),
        }
    });
    Dense::from_bits(ty, vec![n], bits).expect("memory")
}

/// What a place makes of a call: the bits of the results, or the error.
fn outcome(
    place: impl Backend + 'static,
    text: &str,
    args: &[Arg<'_>],
) -> Result<Vec<Vec<u64>>, String> {
    let module = parse(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let func = Arc::new(module.funcs[0].clone());
    let compiled = compile_func(func, &place).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let results = compiled.call(args).map_err(|error| error.to_string())?;
    let bits = results.iter().map(|value| match value {
        Value::Scalar(value) => vec![value.bits],
        Value::Array(array) => array.view().iter().map(|v| v.bits).collect(),
        Value::Stored(_) | Value::Written => unreachable!("it is in host memory of its own"),
    });
    Ok(bits.collect())
}

fn same(text: &str, args: &[Arg<'_>]) {
    let want = outcome(Interp, text, args);
    for threads in [1, 3] {
        let cpu = Cpu::with_threads(threads).expect("threads");
        let found = outcome(cpu, text, args);
        assert!(found == want, "{threads} threads differ\n{text}");
    }
}

/// `{body}` over two columns, with sinks.
fn text(ty: ScalarType, results: &str, types: &str, body: &str) -> String {
    format!(
        "func @f[%n](%x: [%n]{ty}, %y: [%n]{ty}) -> {types} {{\n  {results} = par (%i in 0..%n) {{\n    %v: {ty} = index %x[%i]\n{body}  }}\n  return {}\n}}\n",
        results
            .split(", ")
            .map(|result| result.split(':').next().unwrap_or_default())
            .collect::<Vec<_>>()
            .join(", ")
    )
}

#[test]
fn sums_and_scans() {
    for ty in [
        ScalarType::F32,
        ScalarType::F64,
        ScalarType::U8,
        ScalarType::I64,
    ] {
        let zero = if matches!(ty, ScalarType::F32 | ScalarType::F64) {
            "0.0"
        } else {
            "0"
        };
        let product = format!("    %w: {ty} = index %y[%i]\n    %p: {ty} = mul %v, %w\n");
        let texts = [
            text(
                ty,
                &format!("%s: {ty}"),
                &ty.to_string(),
                &format!("    reduce add {zero}, %v\n"),
            ),
            text(
                ty,
                &format!("%s: {ty}"),
                &ty.to_string(),
                &format!("{product}    reduce add {zero}, %p\n"),
            ),
            text(
                ty,
                &format!("%s: {ty}, %m: {ty}"),
                &format!("{ty}, {ty}"),
                &format!("{product}    reduce add {zero}, %p\n    reduce max {zero}, %v\n"),
            ),
            text(
                ty,
                &format!("%s: [%n]{ty}"),
                &format!("[%n]{ty}"),
                &format!("    scan add {zero}, %v\n"),
            ),
            text(
                ty,
                &format!("%s: [%n]{ty}, %t: {ty}"),
                &format!("[%n]{ty}, {ty}"),
                &format!("{product}    exscan add {zero}, %p\n    reduce add {zero}, %v\n"),
            ),
            // The first iteration alone differs: its group of lanes goes through the scalar form.
            text(
                ty,
                &format!("%s: {ty}"),
                &ty.to_string(),
                &format!(
                    "    %z: bool = eq %i, 9000\n    %p: {ty} = select %z, {zero}, %v\n    reduce add {zero}, %p\n"
                ),
            ),
        ];
        // As many bytes as are fetched ahead, and the places where blocks, pairs of blocks and chunks end.
        let mut sizes = vec![8191, 8192, 8193, 16384 + 7];
        if matches!(ty, ScalarType::F32 | ScalarType::F64) {
            // As many bytes as are fetched ahead, and what is left over.
            sizes.push((1 << 23) / ty.bytes() + 8192 + 4095);
        }
        for n in sizes {
            let (x, y) = (column(ty, n, 1), column(ty, n, 2));
            let args = [Arg::Array(x.view()), Arg::Array(y.view())];
            for text in &texts {
                same(text, &args);
            }
        }
    }
}

#[test]
fn the_first_error_is_reported() {
    let ty = ScalarType::I64;
    let body = "    %q: i64 = div 1000000, %v\n    reduce add 0, %q\n";
    let text = text(ty, "%s: i64", "i64", body);
    let n = (1 << 20) + 9000;
    let whole: Vec<u64> = column(ty, n, 2).view().iter().map(|v| v.bits).collect();
    let y = column(ty, n, 2);
    for zeros in [
        &[4097usize, 9000][..],
        &[1_040_000, 4095],
        &[(1 << 20) + 8999],
    ] {
        let holes = (0..n).map(|k| if zeros.contains(&k) { 0 } else { whole[k] });
        let x = Dense::from_bits(ty, vec![n], holes).expect("memory");
        same(&text, &[Arg::Array(x.view()), Arg::Array(y.view())]);
    }
}

/// A sparse matrix times a vector, the offsets read without a test.
const RAGGED: &str = "
func @f[%m, %e, %e.1, %c](%ptr: [%m]u64, %col: [%e]u32, %val: [%e.1]f64, %x: [%c]f64) -> [?]f64 {
  %some: bool = gt %m, 0
  check empty %some
  %n: u64 = sub %m, 1
  %y: [%n]f64 = par (%i in 0..%n) {
    %i1: u64 = add %i, 1
    %lo: u64 = index.in %ptr[%i]
    %hi: u64 = index.in %ptr[%i1]
    %up: bool = lt %lo, %hi
    %len: u64 = sub %hi, %lo
    %len.1: u64 = select %up, %len, 0
    %s: f64 = par.inner (%t in 0..%len.1) {
      %k: u64 = add %lo, %t
      %a: u32 = index %col[%k]
      %j: u64 = cast u64 %a
      %v: f64 = index %val[%k]
      %w: f64 = index %x[%j]
      %q: f64 = mul %v, %w
      reduce add 0.0, %q
    }
    collect %s
  }
  return %y
}
";

#[test]
fn ragged_rows() {
    let func = Arc::new(parse(RAGGED).expect("a text").funcs[0].clone());
    let code = compile_func(func, &Cpu::new()).expect("code").code();
    assert!(code.contains("ragged rows fetched ahead: 2"), "{code}");
    // As many bytes as are fetched ahead.
    let entries = (1 << 20) + 777;
    let values = column(ScalarType::F64, entries, 3);
    let columns = (0..entries as u64).map(|k| k * 7919 % 1000);
    let columns = Dense::from_bits(ScalarType::U32, vec![entries], columns).expect("memory");
    let x = column(ScalarType::F64, 1000, 4);
    // Short rows, empty ones, long ones, and offsets that fall back: such a row is empty, and the next begins there.
    let mut offsets = vec![0u64];
    while offsets.last().is_some_and(|&at| (at as usize) < entries) {
        let (row, at) = (offsets.len() as u64, offsets[offsets.len() - 1]);
        offsets.push(match row % 1000 {
            500 => at + 1500,
            700 => at.saturating_sub(90_000),
            701 => at + 90_000,
            _ => at + row * 31 % 11,
        });
    }
    let last = offsets.len() - 1;
    offsets[last] = entries as u64;
    let wrong = [entries as u64 + 1, u64::MAX];
    for end in [entries as u64].into_iter().chain(wrong) {
        offsets[last] = end;
        let ptr = offsets.iter().copied();
        let ptr = Dense::from_bits(ScalarType::U64, vec![offsets.len()], ptr).expect("memory");
        let args = [&ptr, &columns, &values, &x].map(|array| Arg::Array(array.view()));
        same(RAGGED, &args);
    }
}
