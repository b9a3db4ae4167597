//! Mistakes: their codes, what they say, and the words that they underline.

use dsl_runtime::elaborate::infer::infer;
use dsl_runtime::kernel;
use dsl_runtime::prelude::*;
use dsl_runtime::syntax::Kernel;

#[kernel]
fn refused_method(x: &[f64]) -> Vec<f64> {
    x.iter().scan(0.0, |s, v| Some(*v)).collect()
}

#[kernel]
fn refused_function(n: usize) -> Vec<f64> {
    let empty: Vec<f64> = Vec::new();
    empty
}

#[kernel]
fn missing_method(x: &[f64]) -> usize {
    x.iter()
        .copied()
        .map(f64::abs)
        .rposition(|v| v > 0.5)
        .unwrap_or(0)
}

#[kernel]
fn missing_scalar(x: f64) -> f64 {
    x.next_up()
}

#[kernel]
fn missing_constant(x: &Array2<f64>) -> Array2<f64> {
    x.exp()
}

#[test]
fn mistakes_say_what_to_write() {
    let of = |kernel| match infer(kernel, &[]) {
        Ok(_) => panic!("no mistake"),
        Err(mistake) => mistake,
    };
    let cases: [(&'static Kernel, &str, &str, &str, &str); 5] = [
        (
            refused_method::__cuprous_tree(),
            "CU0108",
            "`scan` on `impl Iterator<Item = f64>`",
            "on the sequence",
            "scan",
        ),
        (
            refused_function::__cuprous_tree(),
            "CU0108",
            "`[_]::new`",
            "vec![v; n]",
            "Vec::new()",
        ),
        (
            missing_method::__cuprous_tree(),
            "CU0102",
            "no method `rposition`",
            "write `position`",
            "rposition",
        ),
        (
            missing_scalar::__cuprous_tree(),
            "CU0102",
            "`f64` has no method `next_up`",
            "a kernel of your own",
            "next_up",
        ),
        (
            missing_constant::__cuprous_tree(),
            "CU0108",
            "`exp` on `Array2<f64>`",
            "mapv",
            "exp",
        ),
    ];
    for (kernel, code, text, remedy, underlined) in cases {
        let mistake = of(kernel);
        assert_eq!(mistake.code, code, "{}", mistake.text);
        assert!(mistake.text.contains(text), "{}", mistake.text);
        assert!(mistake.remedy.contains(remedy), "{}", mistake.remedy);
        let line: Vec<char> = mistake.source.line(mistake.span.line).chars().collect();
        let part = &line[mistake.span.column as usize - 1..mistake.span.end_column as usize - 1];
        assert_eq!(part.iter().collect::<String>(), underlined);
    }
}
