//! Inference over kernels as users write them: the types of their `let`s, and the mistakes that only types show.
#![allow(dead_code, unused, clippy::all)]

// Generated code begins its paths with `::cuprous`.
extern crate dsl_runtime as cuprous;

/// `check! { kernel [generics] => "let: type; -> result"; }`: what [`lets`] gives.
macro_rules! check {
    ($($kernel:ident $([$($generic:expr),*])? => $expected:literal;)*) => {$(
        assert_eq!(crate::lets($kernel::__cuprous_tree(), &[$($($generic),*)?]), $expected);
    )*};
}

#[path = "../../tests/first/kernel.rs"]
mod first;
#[path = "infer/generic.rs"]
mod generic;
#[path = "infer/iterator.rs"]
mod iterator;
#[path = "infer/matrix.rs"]
mod matrix;
#[path = "infer/mistake.rs"]
mod mistake;
#[path = "infer/primitive.rs"]
mod primitive;
#[path = "infer/program.rs"]
mod program;
#[path = "infer/scalar.rs"]
mod scalar;
#[path = "infer/statement.rs"]
mod statement;

use dsl_runtime::elaborate::infer::{infer, spell};
use dsl_runtime::elaborate::ty::{GenericArg, Ty, Typed};
use dsl_runtime::syntax::{self, Kernel, PatternKind, Stmt};

fn typed(kernel: &'static Kernel, generics: &[GenericArg]) -> Typed {
    match infer(kernel, generics) {
        Ok(typed) => typed,
        Err(mistake) => panic!(
            "{}: {} {} ({}) at {:?}: {}",
            kernel.name,
            mistake.code,
            mistake.text,
            mistake.remedy,
            mistake.span,
            mistake.source.line(mistake.span.line).trim()
        ),
    }
}

/// The types of the outermost `let`s with one name, and of the result, as one text.
fn lets(kernel: &'static Kernel, generics: &[GenericArg]) -> String {
    let typed = typed(kernel, generics);
    let mut all = vec![];
    for stmt in kernel.body.stmts {
        if let Stmt::Let { pattern, .. } = stmt
            && let PatternKind::Bind { name, .. } = pattern.kind
        {
            all.push(format!("{name}: {}", spell(typed.pattern(pattern))));
        }
    }
    all.push(format!("-> {}", spell(&typed.result)));
    all.join("; ")
}

fn scalar(scalar: syntax::Scalar) -> GenericArg {
    GenericArg::Type(Ty::Scalar(scalar))
}
