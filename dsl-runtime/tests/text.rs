//! The text form: printing and parsing are inverse, and mistakes are reported where they stand.

use dsl_runtime::ir::parse::{MAX_DEPTH, parse};
use dsl_runtime::ir::print::{canonical, print};

/// Every construct once.
const ALL: &str = r#"func @all[%n, %m](%x: [%n]f64, %u: [%m, %n]f32, %k: i32) -> [%n]f64, f64, [?]f64, i32 {
  %c: bool = lt %n, 4
  %c.1: bool = eq 1.0:f32, 1.0:f32
  %z: f64 = select true, -0.0, nan
  %w: f64 = bits f64 -1:i64
  %w.1: f64 = add 0x7ff8000000000001, -inf
  %p: f64 = powi %w, 3
  check length %c, %n, 3
  check assert "a \"quoted\" {}\n\u{7}" %c, %k, -1:i32
  %d: [2, 2]i8 = data [2, 2]i8 {1, -128, 127, 0}
  %a: [3]f64 = array [%z, 1.5, 1e300]
  %e: f64 = index %a[2]
  %r: [%n]f32 = index.in %u[0]
  %b: [3]f64 = update %a[%n] = 0.1
  %f: [%n, 1]f64 = reshape %x [%n, 1]
  %o: u64, %v: [%o]f64 = if %c {
    %g: u64, %h: [%g]f64 = par (%i in 0..%n) {
      %t: f64 = index %x[%i]
      %q: bool = gt %t, 0.0
      filter %q, %t
    }
    yield %g, %h
  } else {
    yield %n, %x
  }
  %y: [%n]f64, %s: f64, %l: i32, %j: i32 = par.inner[threads simd] (%i.1 in 0..%n) {
    %t.1: f64 = index %x[%i.1]
    collect %t.1
    reduce add 0.0, %t.1
    reduce (%a1: i32, %a2: i32, %b1: i32, %b2: i32) {
      %m1: i32 = add %a1, %b1
      yield %m1, 7
    } %k, 0, 1, 2
  }
  %x2: [%n]f64 = par (%i.2 in 0..%m) {
    scatter %x, %i.2, 1.0
  }
  %x3: [%n]f64 = loop for %i.3 in 0..10 (%x4: [%n]f64 = %x) {
    yield %x4
  }
  %e2: f64 = loop while (%e3: f64 = 1.0) {
    %c2: bool = lt %e3, 100.0
    yield %c2
  } {
    %e4: f64 = add %e3, %e3
    yield %e4
  }
  %_: f32 = cast f32 %"strange name"
  return %y, %e2, %v, 3
}
"#;

#[test]
fn canonical_text_survives() {
    let text = ALL.replace("%\"strange name\"", "%e2");
    let module = parse(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(print(&module.funcs[0]), text);
    assert_eq!(canonical(&module.funcs[0]), module.funcs[0]);
}

#[test]
fn unknown_names_are_reported_once_each() {
    let errors = parse(&format!(
        "{ALL}\nfunc @b() {{\n  %x: f32 = frobnicate 1.0\n  %y: u8 = add 1, 256\n}}"
    ))
    .unwrap_err();
    let texts: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert_eq!(
        texts,
        [
            "48:22: nothing before this binds %strange name",
            "53:13: there is no operation `frobnicate`",
            "54:19: 256 is no value of type u8",
        ]
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| {
        let open = "if true {\n".repeat(depth);
        let close = "} else {\n}\n".repeat(depth);
        format!("func @f() {{\n{open}{close}}}\n")
    };
    assert!(parse(&nested(MAX_DEPTH - 1)).is_ok());
    let errors = parse(&nested(100_000)).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].message.contains("blocks in one another"));
}

#[test]
fn directives_have_their_lines() {
    let module = parse(
        "; run: @f() == [1]\n; a comment\nfunc @f() {\n} ; no: directive\n  ; error : x: y\n",
    )
    .unwrap();
    let seen: Vec<_> = module
        .directives
        .iter()
        .map(|d| (d.line, &*d.name, &*d.text))
        .collect();
    assert_eq!(seen, [(1, "run", "@f() == [1]"), (5, "error", "x: y")]);
}
