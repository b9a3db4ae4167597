//! Each code of a mistake, provoked by a tree that rustc would not let through: inference answers it with a mistake too.

use super::{Code, infer};
use crate::elaborate::ty::{GenericArg, Mistake, Ty, Typed};
use crate::syntax::*;

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn all<T>(values: Vec<T>) -> &'static [T] {
    Box::leak(values.into_boxed_slice())
}

fn e(kind: ExprKind) -> &'static Expr {
    leak(Expr {
        kind,
        span: Span::default(),
    })
}

fn own(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn int() -> ExprKind {
    ExprKind::Int(1, None)
}

fn float() -> ExprKind {
    ExprKind::Float("1.5", None)
}

fn x() -> ExprKind {
    ExprKind::Local("x")
}

fn pattern(kind: PatternKind) -> Pattern {
    Pattern {
        kind,
        span: Span::default(),
    }
}

fn bind(name: &'static str) -> Pattern {
    pattern(PatternKind::Bind {
        name,
        mutable: false,
        inner: None,
    })
}

fn block(stmts: Vec<Stmt>, value: Option<ExprKind>) -> Block {
    Block {
        stmts: all(stmts),
        value: value.map(e),
        span: Span::default(),
    }
}

fn method(receiver: ExprKind, name: &'static str, args: Vec<ExprKind>) -> ExprKind {
    ExprKind::Method {
        receiver: e(receiver),
        name,
        name_span: Span::default(),
        turbofish: &[],
        args: all(args.into_iter().map(own).collect()),
    }
}

/// `fn k(x: param) -> f32 { body }`.
fn kernel(param: Type, body: Block) -> &'static Kernel {
    leak(Kernel {
        name: "k",
        module: "test",
        source: Source {
            file: "k.rs",
            first_line: 1,
            text: "",
        },
        generics: &[],
        params: all(vec![Param {
            pattern: bind("x"),
            ty: param,
            span: Span::default(),
        }]),
        result: Type::Scalar(Scalar::F32),
        body,
        contract: false,
    })
}

fn run(param: Type, body: ExprKind) -> Result<Typed, Mistake> {
    infer(kernel(param, block(vec![], Some(body))), &[])
}

const SLICE: Type = Type::Slice(&Type::Scalar(Scalar::F32));
const PAIR: Type = Type::Tuple(&[Type::Scalar(Scalar::F32), Type::Scalar(Scalar::Bool)]);

#[test]
fn every_code_has_its_mistake() {
    let statement = |kind| ExprKind::Block(None, block(vec![Stmt::Expr(own(kind))], Some(float())));
    let cases: Vec<(Code, Type, ExprKind)> = vec![
        (Code::Mismatch, SLICE, int()),
        (Code::Method, SLICE, method(x(), "argmean", vec![])),
        (Code::Arguments, SLICE, method(x(), "sum", vec![int()])),
        (Code::Field, PAIR, ExprKind::Field(e(x()), "2")),
        (Code::Unknown, SLICE, statement(ExprKind::None)),
        (
            Code::Unknown,
            SLICE,
            statement(ExprKind::Field(e(ExprKind::Underscore), "0")),
        ),
        (Code::Index, PAIR, ExprKind::Index(e(x()), e(int()))),
        (Code::Index, SLICE, ExprKind::Index(e(x()), e(float()))),
        (
            Code::Function,
            SLICE,
            ExprKind::Call(Callee::Prelude("random"), &[], &[]),
        ),
        (
            Code::Function,
            SLICE,
            ExprKind::AssocConst(Type::Scalar(Scalar::F32), "HALF"),
        ),
        (Code::Refused, SLICE, statement(method(x(), "pop", vec![]))),
        (
            Code::Iterate,
            PAIR,
            statement(ExprKind::For {
                label: None,
                pattern: pattern(PatternKind::Wild),
                iter: e(x()),
                body: block(vec![], None),
            }),
        ),
        (
            Code::Call,
            SLICE,
            ExprKind::Call(Callee::Local("x"), &[], &[]),
        ),
        (
            Code::Length,
            SLICE,
            statement(ExprKind::Repeat(e(float()), e(method(x(), "len", vec![])))),
        ),
        (
            Code::Unsupported,
            Type::Nd {
                rank: 0,
                element: &Type::Scalar(Scalar::F32),
            },
            float(),
        ),
        (Code::Refused, SLICE, ExprKind::Local("y")),
        (Code::Refused, SLICE, statement(ExprKind::Continue(None))),
        (
            Code::Operator,
            SLICE,
            statement(ExprKind::Binary(Binary::Add, e(x()), e(x()))),
        ),
        (
            Code::Operator,
            SLICE,
            ExprKind::Binary(Binary::BitAnd, e(float()), e(float())),
        ),
        (
            Code::Cast,
            SLICE,
            ExprKind::Cast(e(x()), Type::Scalar(Scalar::F32)),
        ),
    ];
    for code in Code::ALL {
        assert!(
            cases.iter().any(|(c, ..)| c == code),
            "no case for {code:?}"
        );
    }
    for (code, param, body) in cases {
        let shown = format!("{body:?}");
        let mistake = run(param, body).expect_err(&shown);
        assert_eq!(mistake.code, code.code(), "{shown}: {}", mistake.text);
        assert!(!mistake.remedy.is_empty());
        for text in [&mistake.text, &mistake.remedy] {
            assert!(!text.ends_with('.'), "{text}");
            assert!(
                text.chars().next().is_some_and(|c| !c.is_uppercase()),
                "{text}"
            );
        }
    }
}

#[test]
fn a_missing_generic_argument_is_no_panic() {
    let mistake = run(Type::Param(0), x()).expect("the parameter is taken from its use");
    assert_eq!(mistake.params, [Ty::Scalar(Scalar::F32)]);
    let generics = [GenericArg::Const(3)];
    let kernel = kernel(Type::Param(0), block(vec![], Some(x())));
    assert!(infer(kernel, &generics).is_err());
}

#[test]
fn types_may_be_found_out_late() {
    // let f = |a| a.0.sqrt(); f((x[0], true))
    let body = method(
        ExprKind::Field(e(ExprKind::Local("a")), "0"),
        "sqrt",
        vec![],
    );
    let closure = ExprKind::Closure {
        params: all(vec![(bind("a"), Type::Infer)]),
        result: Type::Infer,
        body: e(body),
    };
    let arg = ExprKind::Tuple(all(vec![
        own(ExprKind::Index(e(x()), e(ExprKind::Int(0, None)))),
        own(ExprKind::Bool(true)),
    ]));
    let call = ExprKind::Call(Callee::Local("f"), &[], all(vec![own(arg)]));
    let stmts = vec![Stmt::Let {
        pattern: bind("f"),
        ty: Type::Infer,
        init: Some(e(closure)),
        or_else: None,
        span: Span::default(),
    }];
    let typed = infer(kernel(SLICE, block(stmts, Some(call))), &[]).unwrap();
    let index = typed
        .exprs
        .iter()
        .filter(|(_, ty)| **ty == Ty::Scalar(Scalar::Usize));
    assert_eq!(index.count(), 1);
}
