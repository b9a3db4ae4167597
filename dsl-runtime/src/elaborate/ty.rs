//! The types of the surface language as inference sees them: references are erased (`&T` is `T`), slices, `Vec`s and
//! references to them are one `Seq`.

use crate::syntax::{self, Expr, Kernel, Pattern, Scalar};
use std::collections::HashMap;

/// A type without unknowns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// A scalar.
    Scalar(Scalar),
    /// A tuple; `()` is the empty one.
    Tuple(Vec<Ty>),
    /// `[T; N]`.
    Array(Box<Ty>, usize),
    /// `&[T]`, `&mut [T]`, `Vec<T>`: a one-dimensional sequence that the primitives work on.
    Seq(Box<Ty>),
    /// An ndarray array or view of this rank (1 to 4).
    Nd(usize, Box<Ty>),
    /// `a..b`, `a..=b`, `a..`: an iterator with a scalar item; also what indexes a sub-slice.
    Range(Scalar),
    /// `..`.
    FullRange,
    /// A std iterator with this item.
    Iter(Box<Ty>),
    /// `Option<T>`.
    Option(Box<Ty>),
    /// `std::cmp::Ordering`, the result of `total_cmp`, `cmp`, `partial_cmp().unwrap()`.
    Ordering,
    /// A closure expression, or a kernel or function used as a value: parameters and result.
    Fn(Vec<Ty>, Box<Ty>),
    /// `s![…]`: the rank that it leaves.
    Slice(usize),
    /// `!`: an expression that never has a value (`return`, `break`, `panic!`).
    Never,
}

/// What a generic parameter of a kernel stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GenericArg {
    /// A type parameter.
    Type(Ty),
    /// A const parameter.
    Const(usize),
}

/// A kernel with the type of every expression and of every pattern's binding, for one choice of its generic arguments.
///
/// Nodes of the surface tree are `'static`, so their address is their identity.
#[derive(Debug)]
pub struct Typed {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Its generic arguments, one for each of [`Kernel::generics`].
    pub generics: Vec<GenericArg>,
    /// The types of its parameters.
    pub params: Vec<Ty>,
    /// The type of its result.
    pub result: Ty,
    /// The type of each expression, by address. A number literal has the type that inference found for it.
    pub exprs: HashMap<*const Expr, Ty>,
    /// The type of what each pattern matches, by address.
    pub patterns: HashMap<*const Pattern, Ty>,
    /// For each call of a kernel (and each path to one): the callee's generic arguments.
    pub instances: HashMap<*const Expr, Vec<GenericArg>>,
}

// SAFETY-free: the pointers are only compared, never followed.
impl Typed {
    /// The type of an expression.
    pub fn ty(&self, expr: &'static Expr) -> &Ty {
        &self.exprs[&(expr as *const Expr)]
    }
    /// The type of what a pattern matches.
    pub fn pattern(&self, pattern: &'static Pattern) -> &Ty {
        &self.patterns[&(pattern as *const Pattern)]
    }
}

/// A mistake that only types show: what is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The code, such as `CU0101`.
    pub code: &'static str,
    /// What is wrong.
    pub text: String,
    /// What to write instead.
    pub remedy: String,
    /// The source that the span refers to.
    pub source: syntax::Source,
    /// Where.
    pub span: syntax::Span,
}

/// One scalar array (or scalar) of the IR that a value of the surface language falls apart into.
///
/// The rule, for arguments and results alike: a scalar is one leaf; a tuple is the leaves of its members in order; `[T; N]`
/// is the leaves of `T`, each with a further innermost dimension `N` behind those that stand outside it (`Fixed(N)`);
/// `Seq(T)` is the leaves of `T`, each with an outermost dimension of its own; `Nd(r, T)` the same with `r` dimensions. The lengths of
/// one sequence are the same sizes for all its leaves. A `&mut [T]` parameter is a parameter, and its final contents are
/// further results behind the declared ones, in the order of the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// The type of an element.
    pub elem: crate::ir::ScalarType,
    /// The dimensions, outermost first.
    pub dims: Vec<Dim>,
}

/// A dimension of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// A length that is known only when the kernel is called.
    Open,
    /// A length that is part of the type.
    Fixed(usize),
}

/// The scalar type of the IR for one of the surface.
pub fn scalar(ty: Scalar) -> crate::ir::ScalarType {
    use crate::ir::ScalarType as I;
    match ty {
        Scalar::Bool => I::Bool,
        Scalar::I8 => I::I8,
        Scalar::I16 => I::I16,
        Scalar::I32 => I::I32,
        Scalar::I64 | Scalar::Isize => I::I64,
        Scalar::U8 => I::U8,
        Scalar::U16 => I::U16,
        Scalar::U32 => I::U32,
        Scalar::U64 | Scalar::Usize => I::U64,
        Scalar::F32 => I::F32,
        Scalar::F64 => I::F64,
    }
}

impl Ty {
    /// The leaves of an argument or result of this type; `None` for a type that cannot be one.
    ///
    /// ```
    /// use dsl_runtime::{elaborate::ty::{Dim, Ty}, syntax::Scalar};
    /// let pairs = Ty::Seq(Box::new(Ty::Tuple(vec![Ty::Scalar(Scalar::F32), Ty::Array(Box::new(Ty::Scalar(Scalar::I8)), 3)])));
    /// let leaves = pairs.leaves().unwrap();
    /// assert_eq!(leaves[0].dims, [Dim::Open]);
    /// assert_eq!(leaves[1].dims, [Dim::Open, Dim::Fixed(3)]);
    /// ```
    pub fn leaves(&self) -> Option<Vec<Leaf>> {
        let with = |inner: &Ty, outer: Vec<Dim>| {
            let mut leaves = inner.leaves()?;
            for leaf in &mut leaves {
                leaf.dims.splice(0..0, outer.iter().copied());
            }
            Some(leaves)
        };
        match self {
            Ty::Scalar(s) => Some(vec![Leaf {
                elem: scalar(*s),
                dims: vec![],
            }]),
            Ty::Tuple(members) => {
                let mut all = vec![];
                for member in members {
                    all.extend(member.leaves()?);
                }
                Some(all)
            }
            Ty::Array(inner, n) => with(inner, vec![Dim::Fixed(*n)]),
            Ty::Seq(inner) => with(inner, vec![Dim::Open]),
            Ty::Nd(rank, inner) => with(inner, vec![Dim::Open; *rank]),
            _ => None,
        }
    }
}
