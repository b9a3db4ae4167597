//! Tests of the reader: what it accepts, and the one message for what it does not.

use super::*;
use syn::parse_quote;

fn messages(func: ItemFn) -> Vec<String> {
    match read(TokenStream::new(), &func) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(Error::to_string).collect(),
    }
}

fn reading(func: ItemFn) -> (String, String) {
    let reading = read(TokenStream::new(), &func).unwrap();
    let plain = reading.plain.to_token_stream().to_string();
    (
        reading.tree.to_string().replace(' ', ""),
        plain.replace(' ', ""),
    )
}

#[test]
fn one_mistake_gives_one_message() {
    let found = messages(parse_quote! {
        fn f(x: &[String], y: &mut u32) -> Vec<f64> {
            fn inner() { println!("{}", unsafe { 1 }) }
            let v = unsafe { async { g()? } };
            v.push(format!("{}", "text"));
            let s = "text";
            loop { }
        }
    });
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn kernels_are_called_by_their_plain_form_and_nothing_else_is() {
    let (tree, plain) = reading(parse_quote! {
        fn f(x: &[f64], g: impl Fn(f64) -> f64) -> f64 {
            let local = |v: f64| helper(v);
            assert!(helper(1.0) > 0.0, "{}", m::other(2.0));
            local(g(f64::max(1.0, T::of(x.len())))) + x.map(self::square).sum()
        }
    });
    assert_eq!(plain.matches("::plain").count(), 4);
    for name in ["helper", "other", "square"] {
        assert!(plain.contains(&format!("{name}::plain")), "{plain}");
        assert!(
            tree.contains(&format!("{name}::__cuprous_callee()")),
            "{tree}"
        );
    }
    assert!(tree.contains("Callee::Local(\"local\")"));
    assert!(tree.contains("Callee::Local(\"g\")"));
    assert!(
        tree.contains("Callee::Assoc(__cuprous::Type::Scalar(__cuprous::Scalar::F64),\"max\")")
    );
}

#[test]
fn upper_case_is_a_constant_where_a_pattern_may_fail() {
    let (tree, _) = reading(parse_quote! {
        fn f(A: f64, k: u32) -> f64 {
            let B = A;
            match k { LIMIT => A, n if n > 3 => B, -1 => 2.0, _ => C }
        }
    });
    assert!(tree.contains("Bind{name:\"A\""));
    assert!(tree.contains("Bind{name:\"B\""));
    assert!(tree.contains("Value(&__cuprous::Expr{kind:__cuprous::ExprKind::Constant(\"LIMIT\""));
    assert!(tree.contains("ExprKind::Constant(\"C\""));
    assert!(
        tree.contains(
            "Unary(__cuprous::Unary::Neg,&__cuprous::Expr{kind:__cuprous::ExprKind::Int(1,"
        )
    );
}

#[test]
fn a_constant_sees_the_constants_around_it() {
    let (tree, _) = reading(parse_quote! {
        fn f(x: [f64; 3]) -> usize {
            const A: usize = 2;
            {
                const B: usize = A + 1;
                let y = [0; B];
                B
            }
        }
    });
    let seen = "{#[allow(dead_code)]constA:usize=2;{#[allow(dead_code)]constB:usize=A+1;";
    assert_eq!(tree.matches(seen).count(), 2, "{tree}");
}

#[test]
fn shadowing_ends_with_its_block() {
    let (tree, _) = reading(parse_quote! {
        fn f(x: f64) -> f64 {
            let a = { let helper = |v: f64| v; helper(x) };
            helper(a)
        }
    });
    assert_eq!(tree.matches("Callee::Local(\"helper\")").count(), 1);
    assert_eq!(tree.matches("helper::__cuprous_callee()").count(), 1);
}

#[test]
fn types_are_read_or_left_to_rustc() {
    let (tree, _) = reading(parse_quote! {
        fn f<'a, T: Real, F, const N: usize>(
            a: &'a [[T; N]],
            b: ndarray::ArrayView2<'a, f32>,
            c: Metres,
            d: F,
            e: (Vec<u8>, Option<i64>),
            g: [f64; { SIZE * 2 }],
        ) -> Array3<T>
        where
            F: Fn(T, usize) -> bool,
        {
            loop {}
        }
    });
    for part in [
        "Type::Ref{to:&__cuprous::Type::Slice(&__cuprous::Type::Array{element:&__cuprous::Type::Param(0usize),len:__cuprous::Len::Param(2usize)}),mutable:false}",
        "Type::Nd{rank:2usize,element:&__cuprous::Type::Scalar(__cuprous::Scalar::F32)}",
        "Type::Known(&<Metresas::cuprous::__private::syntax::Describe>::TYPE)",
        "Type::Fn{params:&[__cuprous::Type::Param(0usize),__cuprous::Type::Scalar(__cuprous::Scalar::Usize)],result:&__cuprous::Type::Scalar(__cuprous::Scalar::Bool)}",
        "Len::Known(SIZE*2)",
        "result:__cuprous::Type::Nd{rank:3usize,element:&__cuprous::Type::Param(0usize)}",
        "Generic::Type{name:\"F\",bounds:&[\"Fn\"]}",
    ] {
        assert!(tree.contains(part), "{part}\n{tree}");
    }
}

#[test]
fn spans_count_from_one_and_end_behind_the_last_character() {
    let func: ItemFn = syn::parse_str("fn f(x: f64) -> f64 {\n    x + 10.5\n}").unwrap();
    let tree = read(TokenStream::new(), &func)
        .unwrap()
        .tree
        .to_string()
        .replace(' ', "");
    assert!(
        tree.contains("Span{line:2,column:5,end_line:2,end_column:13}"),
        "{tree}"
    );
    assert!(
        tree.contains("Span{line:2,column:9,end_line:2,end_column:13}"),
        "{tree}"
    );
}

#[test]
fn what_a_kernel_cannot_be_is_refused_once() {
    let refused: [ItemFn; 12] = [
        parse_quote!(
            const fn f() {}
        ),
        parse_quote!(
            async fn f() {}
        ),
        parse_quote!(
            unsafe fn f() {}
        ),
        parse_quote!(
            extern "C" fn f() {}
        ),
        parse_quote!(
            fn f<T>(x: &[T]) -> f64 {
                1.0
            }
        ),
        parse_quote!(
            fn f<const B: bool>() {}
        ),
        parse_quote!(
            fn f(x: &[f64]) -> &[f64] {
                x
            }
        ),
        parse_quote!(
            fn f(x: &[f64]) -> impl Iterator<Item = f64> {
                x
            }
        ),
        parse_quote!(
            fn f(x: Complex<f64>) {}
        ),
        parse_quote!(
            fn f(x: Box<dyn Fn(f64) -> f64>) {}
        ),
        parse_quote!(
            fn f(x: u128) {}
        ),
        parse_quote!(
            fn f() {
                let p = Point { x: 1.0 };
            }
        ),
    ];
    for func in refused {
        let text = func.to_token_stream().to_string();
        assert_eq!(messages(func).len(), 1, "{text}");
    }
}
