//! Type inference: a kernel's surface tree and its generic arguments → [`Typed`], the type of every expression and
//! pattern.
//!
//! Hindley and Milner's unification in one walk over the tree. rustc has accepted the program already, so its types are
//! reconstructed rather than checked: references are erased, and a conversion that rustc makes by itself (`!` to anything,
//! a fixed or 1-D array to a sequence) is accepted wherever it can stand. What cannot be decided yet because a type is
//! still unknown (a method of it, a field, an index, an operator) waits as an `Obligation` and is tried
//! again whenever more is known. Number literals become `i32` and `f64` at the very end, as in Rust.

mod call;
mod describe;
mod expr;
mod instance;
mod method;
mod mistake;
mod operator;
mod pattern;
#[cfg(test)]
mod tests;
mod unify;
mod wait;

pub use describe::{describe, spell};
pub use mistake::Code;
use mistake::OWN;

use super::ty::{GenericArg, Mistake, Typed};
use crate::syntax::{Block, Expr, Kernel, Len, Pattern, Scalar, Span, Stmt, Type};
use unify::{Class, Id, Node, Types};
use wait::Obligation;

/// Types a kernel for one choice of its generic arguments, one for each of [`Kernel::generics`].
///
/// # Errors
/// A [`Mistake`] whose code is one of [`Code`]: what only types show to be outside the language, such as a method that
/// kernels do not have.
pub fn infer(kernel: &'static Kernel, generics: &[GenericArg]) -> Result<Typed, Mistake> {
    let mut infer = Infer::begin(kernel, generics);
    let mut params = vec![];
    for param in kernel.params {
        let ty = infer.written(&param.ty, param.span)?;
        infer.pattern(&param.pattern, ty)?;
        params.push(ty);
    }
    let result = infer.written(&kernel.result, kernel.body.span)?;
    infer.returns.push(result);
    let value = infer.block(&kernel.body, Some(result))?;
    let place = kernel.body.value.map_or(kernel.body.span, |v| v.span);
    infer.coerce(value, result, place)?;
    infer.settle_all()?;
    infer.finish(generics, &params, result)
}

/// The state of one inference.
struct Infer {
    kernel: &'static Kernel,
    types: Types,
    /// The kernel's generic arguments.
    generics: Vec<Id>,
    /// The names in scope, innermost last.
    scope: Vec<(&'static str, Id)>,
    /// The loops and labelled blocks around the current expression, innermost last.
    frames: Vec<Frame>,
    /// The result types of the kernel and of the closures around the current expression.
    returns: Vec<Id>,
    /// What waits for a type to become known, in the order of the source.
    waiting: Vec<Obligation>,
    /// Whether the current statement cannot be reached.
    diverges: bool,
    exprs: Vec<(&'static Expr, Id)>,
    patterns: Vec<(&'static Pattern, Id)>,
    instances: Vec<(&'static Expr, &'static Kernel, Vec<Id>)>,
    casts: Vec<(&'static Expr, Id, Id)>,
}

/// A loop or a labelled block.
struct Frame {
    label: Option<&'static str>,
    /// Whether a `break` without a label means it.
    is_loop: bool,
    /// The type of what `break` carries.
    result: Id,
    /// Whether some `break` leaves it.
    left: bool,
}

type Checked<T> = Result<T, Mistake>;

impl Infer {
    fn begin(kernel: &'static Kernel, generics: &[GenericArg]) -> Infer {
        let mut types = Types::default();
        let generics = generics.iter().map(|arg| types.generic(arg)).collect();
        Infer {
            kernel,
            types,
            generics,
            scope: vec![],
            frames: vec![],
            returns: vec![],
            waiting: vec![],
            diverges: false,
            exprs: vec![],
            patterns: vec![],
            instances: vec![],
            casts: vec![],
        }
    }

    fn mistake(
        &self,
        code: Code,
        span: Span,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Mistake {
        code.mistake(self.kernel.source, span, text, remedy)
    }

    fn add(&mut self, node: Node) -> Id {
        self.types.add(node)
    }

    fn seq(&mut self, element: Id) -> Id {
        self.add(Node::Seq(element))
    }

    fn fixed(&mut self, element: Id, len: usize) -> Id {
        let len = self.add(Node::Len(len));
        self.add(Node::Array(element, len))
    }

    fn usize(&mut self) -> Id {
        self.types.scalar(Scalar::Usize)
    }

    fn bool(&mut self) -> Id {
        self.types.scalar(Scalar::Bool)
    }

    fn never(&mut self) -> Id {
        self.add(Node::Never)
    }

    /// A type as written in this kernel; `_` is an unknown.
    fn written(&mut self, ty: &Type, span: Span) -> Checked<Id> {
        let generics = self.generics.clone();
        self.written_with(ty, &generics, span)
    }

    /// A type as written in a kernel with these generic arguments.
    fn written_with(&mut self, ty: &Type, generics: &[Id], span: Span) -> Checked<Id> {
        let node = match ty {
            Type::Infer => Node::Var(Class::Any),
            Type::Scalar(s) => Node::Scalar(*s),
            Type::Known(ty) => return self.written_with(ty, generics, span),
            Type::Param(i) => return Ok(self.generic(*i, generics)),
            Type::Ref { to, .. } => return self.written_with(to, generics, span),
            Type::Slice(element) | Type::Vec(element) => {
                Node::Seq(self.written_with(element, generics, span)?)
            }
            Type::Nd { rank: 0, .. } => {
                return Err(self.mistake(
                    Code::Unsupported,
                    span,
                    "an array with an open number of dimensions",
                    "write `Array1`, `Array2`, … or a view of it",
                ));
            }
            Type::Nd { rank, element } => {
                Node::Nd(*rank, self.written_with(element, generics, span)?)
            }
            Type::Array { element, len } => {
                let element = self.written_with(element, generics, span)?;
                let len = match len {
                    Len::Infer => self.types.any(),
                    Len::Known(n) => self.add(Node::Len(*n)),
                    Len::Param(i) => self.generic(*i, generics),
                };
                Node::Array(element, len)
            }
            Type::Tuple(members) => Node::Tuple(self.all_written(members, generics, span)?),
            Type::Option(of) => Node::Option(self.written_with(of, generics, span)?),
            Type::Fn { params, result } => {
                let params = self.all_written(params, generics, span)?;
                Node::Fn(params, self.written_with(result, generics, span)?)
            }
            Type::Never => Node::Never,
        };
        Ok(self.add(node))
    }

    fn all_written(&mut self, types: &[Type], generics: &[Id], span: Span) -> Checked<Vec<Id>> {
        types
            .iter()
            .map(|ty| self.written_with(ty, generics, span))
            .collect()
    }

    fn generic(&mut self, index: usize, generics: &[Id]) -> Id {
        match generics.get(index) {
            Some(id) => *id,
            None => self.types.any(),
        }
    }

    /// Makes two types the same.
    fn unify(&mut self, found: Id, expected: Id, span: Span) -> Checked<()> {
        self.types
            .unify(found, expected)
            .map_err(|_| self.mismatch(found, expected, span))
    }

    fn mismatch(&self, found: Id, expected: Id, span: Span) -> Mistake {
        let (f, e) = (self.types.spell(found), self.types.spell(expected));
        let remedy = if self.types.is_scalar(found) && self.types.is_scalar(expected) {
            format!("convert it with `as {e}`, or give both the same type")
        } else {
            format!("give both the same type{OWN}")
        };
        self.mistake(
            Code::Mismatch,
            span,
            format!("expected `{e}`, found `{f}`"),
            remedy,
        )
    }

    /// Lets a value of one type stand where another is expected: the same type, or one that rustc or the calling
    /// convention converts.
    fn coerce(&mut self, found: Id, expected: Id, span: Span) -> Checked<()> {
        let elements = match (self.types.get(found), self.types.get(expected)) {
            (Node::Never, _) => return Ok(()),
            (Node::Array(x, _) | Node::Nd(1, x), Node::Seq(y)) => vec![(*x, *y)],
            (Node::Array(x, n), Node::Tuple(members))
                if self.types.len(*n) == Some(members.len()) =>
            {
                members.iter().map(|member| (*x, *member)).collect()
            }
            (Node::Tuple(xs), Node::Tuple(ys)) if xs.len() == ys.len() => {
                xs.iter().copied().zip(ys.iter().copied()).collect()
            }
            _ => return self.unify(found, expected, span),
        };
        for (x, y) in elements {
            self.coerce(x, y, span)
                .map_err(|_| self.mismatch(found, expected, span))?;
        }
        Ok(())
    }

    /// The common type of the branches so far and one more.
    fn join(&mut self, so_far: Option<Id>, branch: Id, span: Span) -> Checked<Id> {
        let Some(so_far) = so_far else {
            return Ok(branch);
        };
        match (self.types.get(so_far), self.types.get(branch)) {
            (Node::Never, _) => Ok(branch),
            (_, Node::Never) => Ok(so_far),
            (Node::Array(x, n), Node::Array(y, m)) if matches!((self.types.len(*n), self.types.len(*m)), (Some(n), Some(m)) if n != m) =>
            {
                let (x, y) = (*x, *y);
                self.unify(y, x, span)?;
                Ok(self.seq(x))
            }
            (Node::Array(..) | Node::Nd(1, _), Node::Seq(_)) => {
                self.coerce(so_far, branch, span)?;
                Ok(branch)
            }
            _ => {
                self.coerce(branch, so_far, span)?;
                Ok(so_far)
            }
        }
    }

    /// Types a block and what it binds.
    fn block(&mut self, block: &'static Block, want: Option<Id>) -> Checked<Id> {
        let mark = self.scope.len();
        let before = std::mem::replace(&mut self.diverges, false);
        for stmt in block.stmts {
            self.stmt(stmt)?;
        }
        let value = match block.value {
            Some(value) => self.expr(value, want)?,
            None if self.diverges => self.never(),
            None => self.types.unit(),
        };
        self.scope.truncate(mark);
        self.diverges |= before;
        Ok(value)
    }

    fn stmt(&mut self, stmt: &'static Stmt) -> Checked<()> {
        match stmt {
            Stmt::Expr(expr) => {
                self.expr(expr, None)?;
            }
            Stmt::Let {
                pattern,
                ty,
                init,
                or_else,
                span,
            } => {
                let mut expected = self.written(ty, *span)?;
                if let Some(init) = init {
                    let value = self.expr(init, Some(expected))?;
                    match ty {
                        Type::Infer if !self.types.is_never(value) => expected = value,
                        _ => self.coerce(value, expected, init.span)?,
                    }
                }
                if let Some(or_else) = or_else {
                    let before = self.diverges;
                    self.block(or_else, None)?;
                    self.diverges = before;
                }
                self.pattern(pattern, expected)?;
            }
        }
        Ok(())
    }

    /// The finished types of everything.
    fn finish(self, generics: &[GenericArg], params: &[Id], result: Id) -> Checked<Typed> {
        let unknown = |span: Span, id: Id| {
            self.mistake(
                Code::Unknown,
                span,
                format!(
                    "the type here cannot be inferred: `{}`",
                    self.types.spell(id)
                ),
                "write the type: `let x: T = …`, `|x: T| -> T { … }` or `::<T>`",
            )
        };
        let export = |span: Span, id: Id| self.types.export(id).ok_or_else(|| unknown(span, id));
        let mut typed = Typed {
            kernel: self.kernel,
            generics: generics.to_vec(),
            params: vec![],
            result: export(self.kernel.body.span, result)?,
            exprs: Default::default(),
            patterns: Default::default(),
            instances: Default::default(),
        };
        for (param, id) in self.kernel.params.iter().zip(params) {
            typed.params.push(export(param.span, *id)?);
        }
        for (pattern, id) in &self.patterns {
            typed
                .patterns
                .insert(*pattern as *const Pattern, export(pattern.span, *id)?);
        }
        for (expr, id) in &self.exprs {
            let ty = export(expr.span, *id)?;
            let before = typed.exprs.insert(*expr as *const Expr, ty.clone());
            if before.is_some_and(|before| before != ty) {
                return Err(self.ambiguous(expr.span));
            }
        }
        for (expr, callee, args) in &self.instances {
            let args = self.instance(expr.span, callee, args, &unknown)?;
            typed.instances.insert(*expr as *const Expr, args);
        }
        for (expr, from, to) in &self.casts {
            self.check_cast(expr.span, *from, *to)?;
        }
        Ok(typed)
    }

    /// The compiler keeps equal constants once. Two expressions of a macro that are equal, place included, are then one
    /// node, which can have one type only.
    fn ambiguous(&self, span: Span) -> Mistake {
        self.mistake(
            Code::Unknown,
            span,
            "a macro writes this expression twice, with different types",
            "give the literals in it their types: `1u8`, `1.0f32`",
        )
    }

    /// The generic arguments of a call. One that stands for a closure's type is fixed by nothing but the closure, which
    /// is inlined: it is `()`.
    fn instance(
        &self,
        span: Span,
        callee: &'static Kernel,
        args: &[Id],
        unknown: &dyn Fn(Span, Id) -> Mistake,
    ) -> Checked<Vec<GenericArg>> {
        use super::ty::Ty;
        use crate::syntax::Generic;
        let arg = |(generic, id): (&Generic, &Id)| match generic {
            Generic::Type { bounds, .. }
                if bounds
                    .iter()
                    .any(|b| matches!(*b, "Fn" | "FnMut" | "FnOnce")) =>
            {
                Ok(GenericArg::Type(Ty::Tuple(vec![])))
            }
            _ => self
                .types
                .export_generic(*id)
                .ok_or_else(|| unknown(span, *id)),
        };
        callee.generics.iter().zip(args).map(arg).collect()
    }
}
