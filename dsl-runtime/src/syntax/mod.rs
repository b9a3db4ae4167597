//! The surface tree: what `#[kernel]` emits beside the function that it annotates.
//!
//! Untyped, immutable and `'static`: the macro writes it as one constant expression, so a kernel costs nothing until
//! it is first called. Every node carries its place in the user's source. [`crate::elaborate`] gives it types and
//! turns it into [`crate::ir`]; nothing behind that stage sees it.
//!
//! The tree is faithful to the source: no desugaring happens in the macro. `&`, `*` and parentheses on scalars are kept
//! (`Ref`, `Deref`) or dropped (parentheses) and mean nothing to the elaborator.

mod describe;
mod span;

pub use describe::{Constant, Describe, IntoConstant};
pub use span::{Source, Span};

/// One kernel as written.
#[derive(Debug)]
pub struct Kernel {
    /// The function's name.
    pub name: &'static str,
    /// The module that it stands in, as `module_path!()` says it.
    pub module: &'static str,
    /// The file, and the lines that the function covers.
    pub source: Source,
    /// Its type and const parameters, in order.
    pub generics: &'static [Generic],
    /// Its parameters, in order.
    pub params: &'static [Param],
    /// Its result type; `()` is an empty tuple.
    pub result: Type,
    /// The body.
    pub body: Block,
    /// `#[kernel(contract)]`: `a * b + c` is one rounding.
    pub contract: bool,
}

/// A generic parameter of a kernel.
#[derive(Debug)]
pub enum Generic {
    /// `T: Real`: the names of all its bounds, where-clauses included.
    Type {
        /// The parameter's name.
        name: &'static str,
        /// Last path segments of its bounds, such as `"Real"`.
        bounds: &'static [&'static str],
    },
    /// `const N: usize`.
    Const {
        /// The parameter's name.
        name: &'static str,
    },
}

/// A parameter of a kernel: a pattern (nearly always one name) and its type.
#[derive(Debug)]
pub struct Param {
    /// The pattern that it binds.
    pub pattern: Pattern,
    /// Its declared type.
    pub ty: Type,
    /// Its place in the source.
    pub span: Span,
}

/// A scalar type of the surface language. `isize` and `usize` are types of their own here; the IR has 64-bit ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Scalar {
    Bool,
    I8,
    I16,
    I32,
    I64,
    Isize,
    U8,
    U16,
    U32,
    U64,
    Usize,
    F32,
    F64,
}

/// A type as written, or as [`Describe`] tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// `_`, or no annotation.
    Infer,
    /// A scalar.
    Scalar(Scalar),
    /// A path that the macro cannot read (an alias, an associated type): rustc tells what it is.
    Known(&'static Type),
    /// The kernel's generic type parameter with this index into [`Kernel::generics`].
    Param(usize),
    /// `&T` or `&mut T`.
    Ref {
        /// The type referred to.
        to: &'static Type,
        /// Whether it is `&mut`.
        mutable: bool,
    },
    /// `[T]`.
    Slice(&'static Type),
    /// `Vec<T>`.
    Vec(&'static Type),
    /// ndarray's `Array1` to `Array4`, their views, and `ArrayD` with rank 0 for "any".
    Nd {
        /// The number of dimensions.
        rank: usize,
        /// The element type.
        element: &'static Type,
    },
    /// `[T; N]`.
    Array {
        /// The element type.
        element: &'static Type,
        /// The length.
        len: Len,
    },
    /// `(A, B, …)`; `()` is the empty one.
    Tuple(&'static [Type]),
    /// `Option<T>`.
    Option(&'static Type),
    /// `impl Fn(A, B) -> R`, or a type parameter bounded by it.
    Fn {
        /// The parameter types.
        params: &'static [Type],
        /// The result type.
        result: &'static Type,
    },
    /// `!`.
    Never,
}

/// The length of a fixed array type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Len {
    /// `_`.
    Infer,
    /// A constant expression that rustc evaluated.
    Known(usize),
    /// The kernel's const parameter with this index into [`Kernel::generics`].
    Param(usize),
}

/// `{ statements; value }`.
#[derive(Debug)]
pub struct Block {
    /// The statements, in order.
    pub stmts: &'static [Stmt],
    /// The value; none is `()`.
    pub value: Option<&'static Expr>,
    /// Its place in the source.
    pub span: Span,
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    /// `let pattern: ty = init else { … };`
    Let {
        /// What it binds.
        pattern: Pattern,
        /// The annotation, else [`Type::Infer`].
        ty: Type,
        /// The initialiser; a `let x;` has none.
        init: Option<&'static Expr>,
        /// The diverging block of a `let … else`.
        or_else: Option<&'static Block>,
        /// Its place in the source.
        span: Span,
    },
    /// An expression whose value is dropped.
    Expr(Expr),
}

/// A pattern.
#[derive(Debug)]
pub struct Pattern {
    /// What it matches.
    pub kind: PatternKind,
    /// Its place in the source.
    pub span: Span,
}

/// The forms of a pattern.
#[derive(Debug)]
pub enum PatternKind {
    /// `_`.
    Wild,
    /// `..` inside a tuple or array pattern.
    Rest,
    /// `name`, `mut name`, `ref name`, `name @ inner`.
    Bind {
        /// The name.
        name: &'static str,
        /// `mut`.
        mutable: bool,
        /// The pattern behind `@`.
        inner: Option<&'static Pattern>,
    },
    /// `(a, b, ..)`.
    Tuple(&'static [Pattern]),
    /// `[a, b, ..]`.
    Array(&'static [Pattern]),
    /// `&p`.
    Ref(&'static Pattern),
    /// A literal, or a path to a constant.
    Value(&'static Expr),
    /// `a..=b`, `a..b`, `a..`, `..=b`.
    Range {
        /// The lower end.
        low: Option<&'static Expr>,
        /// The upper end.
        high: Option<&'static Expr>,
        /// Whether the upper end belongs to it.
        inclusive: bool,
    },
    /// `a | b`.
    Or(&'static [Pattern]),
    /// `Some(p)`.
    Some(&'static Pattern),
    /// `None`.
    None,
}

/// An expression and its place in the source.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place in the source.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Debug)]
pub enum ExprKind {
    /// `12`, `12u8`: the value, and the suffix if there is one.
    Int(u128, Option<Scalar>),
    /// `1.5`, `1.5f32`: the digits as written without `_` and suffix (so that an `f32` is rounded once), and the suffix.
    Float(&'static str, Option<Scalar>),
    /// `true`, `false`.
    Bool(bool),
    /// A local variable, parameter or closure, resolved by scope.
    Local(&'static str),
    /// A constant or static of the surrounding crate or of std, read by rustc; the name is for messages.
    Constant(&'static str, fn() -> Constant),
    /// The kernel's const parameter with this index into [`Kernel::generics`].
    ConstParam(usize),
    /// `T::EPSILON`-like constants of a type parameter, `f32::MAX` of an alias …: a path `<ty>::name` that is no call.
    AssocConst(Type, &'static str),
    /// A unary operator.
    Unary(Unary, &'static Expr),
    /// A binary operator that is not lazy.
    Binary(Binary, &'static Expr, &'static Expr),
    /// `a && b`; either side may be a [`ExprKind::Let`] inside a condition.
    And(&'static Expr, &'static Expr),
    /// `a || b`.
    Or(&'static Expr, &'static Expr),
    /// `place = value`, also destructuring: `(a, b) = (b, a)`.
    Assign(&'static Expr, &'static Expr),
    /// `place op= value`.
    AssignOp(Binary, &'static Expr, &'static Expr),
    /// `_` on the left of an assignment.
    Underscore,
    /// `value as ty`.
    Cast(&'static Expr, Type),
    /// `x[i]`, `x[[i, j]]`, `x[a..b]`.
    Index(&'static Expr, &'static Expr),
    /// `x.0`, `x.name`.
    Field(&'static Expr, &'static str),
    /// `(a, b)`; `()` is the empty one.
    Tuple(&'static [Expr]),
    /// `[a, b, c]`.
    Array(&'static [Expr]),
    /// `[v; n]`.
    Repeat(&'static Expr, &'static Expr),
    /// `vec![a, b, c]`.
    Vec(&'static [Expr]),
    /// `vec![v; n]`.
    VecRepeat(&'static Expr, &'static Expr),
    /// `a..b`, `a..=b`, `a..`, `..b`, `..`.
    Range {
        /// The lower end.
        low: Option<&'static Expr>,
        /// The upper end.
        high: Option<&'static Expr>,
        /// Whether the upper end belongs to it.
        inclusive: bool,
    },
    /// `s![1..-1, ..;2, 3]`: one member a dimension.
    Slice(&'static [SliceDim]),
    /// `Some(v)`.
    Some(&'static Expr),
    /// `None`.
    None,
    /// `let pattern = value` inside the condition of an `if` or `while`.
    Let(&'static Pattern, &'static Expr),
    /// `if cond { } else { }`: the `else` is a block or another `if`.
    If {
        /// The condition.
        cond: &'static Expr,
        /// The first branch.
        then: Block,
        /// The other branch.
        or_else: Option<&'static Expr>,
    },
    /// `match value { arms }`.
    Match(&'static Expr, &'static [Arm]),
    /// `'label: for pattern in iter { }`.
    For {
        /// The label, without its tick.
        label: Option<&'static str>,
        /// What each round binds.
        pattern: Pattern,
        /// What it runs over.
        iter: &'static Expr,
        /// The body.
        body: Block,
    },
    /// `'label: while cond { }`.
    While {
        /// The label, without its tick.
        label: Option<&'static str>,
        /// The condition.
        cond: &'static Expr,
        /// The body.
        body: Block,
    },
    /// `'label: loop { }`.
    Loop {
        /// The label, without its tick.
        label: Option<&'static str>,
        /// The body.
        body: Block,
    },
    /// `break 'label value`.
    Break(Option<&'static str>, Option<&'static Expr>),
    /// `continue 'label`.
    Continue(Option<&'static str>),
    /// `return value`.
    Return(Option<&'static Expr>),
    /// `{ … }`, `'label: { … }`.
    Block(Option<&'static str>, Block),
    /// `|a, (b, c): (f32, f32)| -> T { … }`.
    Closure {
        /// Its parameters: a pattern and an annotation, else [`Type::Infer`].
        params: &'static [(Pattern, Type)],
        /// Its annotated result, else [`Type::Infer`].
        result: Type,
        /// Its body.
        body: &'static Expr,
    },
    /// A call; the turbofish, if any, then the arguments.
    Call(Callee, &'static [Type], &'static [Expr]),
    /// `receiver.name::<turbofish>(args)`.
    Method {
        /// The receiver.
        receiver: &'static Expr,
        /// The method's name.
        name: &'static str,
        /// The place of the name alone.
        name_span: Span,
        /// The types of the turbofish.
        turbofish: &'static [Type],
        /// The arguments.
        args: &'static [Expr],
    },
    /// A path to a function used as a value: `.map(square)`, `.reduce(0.0, f64::max)`.
    Path(Callee),
    /// `assert!(cond, …)`, `debug_assert!`; `assert_eq!` and `assert_ne!` are a comparison with its own text.
    Assert {
        /// What must hold.
        cond: &'static Expr,
        /// The message.
        message: Format,
    },
    /// `panic!(…)`, `unreachable!(…)`.
    Panic(Format),
}

/// What a call calls.
#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// A local closure or a parameter that is `impl Fn`.
    Local(&'static str),
    /// Another kernel, or this one.
    Kernel(fn() -> &'static Kernel),
    /// A function of our prelude by its name: `indices`, `fill`, `tabulate`, `tabulate2`, `rng::uniform`, `swap`
    /// (`std::mem::swap`, `mem::swap`).
    Prelude(&'static str),
    /// `<ty>::name(…)`: `f64::max`, `T::of`, `u32::from`, `Array2::from_shape_fn` (type [`Type::Nd`]), `Vec::from`.
    Assoc(Type, &'static str),
}

/// One arm of a `match`.
#[derive(Debug)]
pub struct Arm {
    /// The pattern.
    pub pattern: Pattern,
    /// The guard.
    pub guard: Option<&'static Expr>,
    /// The value.
    pub body: &'static Expr,
}

/// One dimension of ndarray's `s![…]`.
#[derive(Debug)]
pub enum SliceDim {
    /// A single index: the dimension disappears. Negative counts from the end.
    At(&'static Expr),
    /// `a..b;step`. Negative ends count from the end.
    Range {
        /// The lower end.
        low: Option<&'static Expr>,
        /// The upper end.
        high: Option<&'static Expr>,
        /// Whether the upper end belongs to it.
        inclusive: bool,
        /// The step.
        step: Option<&'static Expr>,
    },
}

/// A format string taken apart: captures like `{x}` are arguments here.
#[derive(Clone, Copy, Debug)]
pub struct Format(pub &'static [FormatPart]);

/// A piece of a format string.
#[derive(Clone, Copy, Debug)]
pub enum FormatPart {
    /// Text, with `{{` and `}}` undone.
    Text(&'static str),
    /// An argument, and what stands behind its colon (`".3"`, `"?"`, `""`).
    Arg(&'static Expr, &'static str),
}

/// A unary operator. `Ref`, `RefMut` and `Deref` mean nothing on scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Not,
    Ref,
    RefMut,
    Deref,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}
