//! Calls: of closures, kernels, functions of the prelude, associated functions and methods. Signatures from the tables
//! of [`method`](crate::elaborate::method) are instantiated here.

use super::mistake::nearest;
use super::unify::{Class, Id, Node};
use super::wait::Obligation;
use super::{Checked, Code, Infer};
use crate::elaborate::method::signature::{Signature, Term};
use crate::elaborate::method::{self, Method, Receiver, assoc};
use crate::elaborate::ty::{Mistake, scalar};
use crate::ir::ScalarOp;
use crate::syntax::{Callee, Expr, ExprKind, Generic, Kernel, Scalar, Span, Type};

/// The types that the letters of a signature stand for in one call.
struct Letters {
    /// The receiver.
    own: Id,
    known: Vec<(u8, Id)>,
}

/// A signature for one call.
struct Instance {
    params: Vec<Id>,
    result: Id,
}

impl Infer {
    /// `callee(args)`.
    pub(super) fn call(
        &mut self,
        expr: &'static Expr,
        callee: Callee,
        turbofish: &'static [Type],
        args: &'static [Expr],
    ) -> Checked<Id> {
        let span = expr.span;
        match callee {
            Callee::Local(name) => {
                let function = self.local(name, span)?;
                let function = self.known(function)?;
                if let Node::Fn(params, result) = self.types.get(function) {
                    let (params, result) = (params.clone(), *result);
                    self.arguments(name, &params, args, span)?;
                    return Ok(result);
                }
                let params = args
                    .iter()
                    .map(|arg| self.expr(arg, None))
                    .collect::<Checked<_>>()?;
                let result = self.types.any();
                let called = self.add(Node::Fn(params, result));
                self.types.unify(function, called).map_err(|_| {
                    let text = format!(
                        "`{name}` is a `{}` and cannot be called",
                        self.types.spell(function)
                    );
                    self.mistake(
                        Code::Call,
                        span,
                        text,
                        "call a closure, a kernel or a function of the prelude",
                    )
                })?;
                Ok(result)
            }
            Callee::Kernel(kernel) => {
                let kernel = kernel();
                let Instance { params, result } = self.kernel(expr, kernel, turbofish)?;
                self.arguments(kernel.name, &params, args, span)?;
                Ok(result)
            }
            Callee::Prelude(name) => {
                let Instance { params, result } = self.prelude(name, span)?;
                self.arguments(name, &params, args, span)?;
                Ok(result)
            }
            Callee::Assoc(ty, name) => self.assoc_call(ty, name, turbofish, args, span),
        }
    }

    /// A function used as a value.
    pub(super) fn path(&mut self, expr: &'static Expr, callee: Callee) -> Checked<Id> {
        let span = expr.span;
        let Instance { params, result } = match callee {
            Callee::Local(name) => return self.local(name, span),
            Callee::Kernel(kernel) => self.kernel(expr, kernel(), &[])?,
            Callee::Prelude(name) => self.prelude(name, span)?,
            Callee::Assoc(ty, name) => {
                let own = self.written(&ty, span)?;
                let Some((kinds, of)) = self.types.kinds(own) else {
                    return Err(self.unknown(own, span));
                };
                if let Some((_, signature)) = assoc::lookup(kinds, name) {
                    self.instantiate(own, signature, span)?
                } else if let Some((method, signature)) = self.entry(kinds, of, name) {
                    let mut instance = self.method_instance(own, method, &signature, span)?;
                    instance.params.insert(0, own);
                    instance
                } else {
                    return Err(self.no_function(own, name, span));
                }
            }
        };
        Ok(self.add(Node::Fn(params, result)))
    }

    /// The types of a kernel's parameters and result for one call of it.
    fn kernel(
        &mut self,
        expr: &'static Expr,
        kernel: &'static Kernel,
        turbofish: &'static [Type],
    ) -> Checked<Instance> {
        let mut written = turbofish.iter();
        let mut generics = vec![];
        for generic in kernel.generics {
            generics.push(match generic {
                Generic::Const { .. } => self.types.any(),
                Generic::Type { bounds, .. } => match written.next() {
                    Some(ty) => self.written(ty, expr.span)?,
                    None if bounds
                        .iter()
                        .any(|b| matches!(*b, "Real" | "Float" | "FloatConst")) =>
                    {
                        self.types.var(Class::Float)
                    }
                    None if bounds.iter().any(|b| matches!(*b, "Int" | "PrimInt")) => {
                        self.types.var(Class::Int)
                    }
                    None => self.types.any(),
                },
            });
        }
        let mut params = vec![];
        for param in kernel.params {
            params.push(self.written_with(&param.ty, &generics, expr.span)?);
        }
        let result = self.written_with(&kernel.result, &generics, expr.span)?;
        self.instances.push((expr, kernel, generics));
        Ok(Instance { params, result })
    }

    fn prelude(&mut self, name: &'static str, span: Span) -> Checked<Instance> {
        let own = self.types.unit();
        match assoc::function(name) {
            Some(signature) => self.instantiate(own, signature, span),
            None => {
                let remedy = match nearest(name, assoc::functions()) {
                    Some(near) => format!("write `{near}`"),
                    None => "call a kernel, or a function of the prelude".to_string(),
                };
                Err(self.mistake(
                    Code::Function,
                    span,
                    format!("kernels have no function `{name}`"),
                    remedy,
                ))
            }
        }
    }

    /// `<ty>::name(args)`.
    fn assoc_call(
        &mut self,
        ty: Type,
        name: &'static str,
        turbofish: &'static [Type],
        args: &'static [Expr],
        span: Span,
    ) -> Checked<Id> {
        let own = self.written(&ty, span)?;
        if let Some((kinds, of)) = self.types.kinds(own) {
            if let (Some(of), true) = (of, args.is_empty())
                && let Some((result, _)) = assoc::value(of, name)
            {
                return Ok(self.types.scalar(result));
            }
            if let Some((_, signature)) = assoc::lookup(kinds, name) {
                let Instance { params, result } = self.instantiate(own, signature, span)?;
                self.arguments(name, &params, args, span)?;
                return Ok(if name == "from" && self.is_num_cast(&ty) {
                    self.add(Node::Option(result))
                } else {
                    result
                });
            }
            if let Some(remedy) = assoc::refused(kinds, name) {
                let text = format!(
                    "`{}::{name}` is not in the kernel language",
                    self.types.spell(own)
                );
                return Err(self.mistake(Code::Refused, span, text, remedy));
            }
        }
        let Some((receiver, args)) = args.split_first() else {
            return Err(self.no_function(own, name, span));
        };
        let found = self.expr(receiver, Some(own))?;
        // The method of a slice may be called on a fixed array, which stays one.
        if self.types.element(own).is_none() {
            self.unify(found, own, receiver.span)?;
        }
        let found = self.known(found)?;
        self.method_on(found, name, turbofish, args, span)
    }

    /// Whether `T::from` of a generic type is `num_traits::NumCast::from`, which returns an `Option`.
    fn is_num_cast(&self, ty: &Type) -> bool {
        let Type::Param(i) = ty else {
            return false;
        };
        match self.kernel.generics.get(*i) {
            Some(Generic::Type { bounds, .. }) => !bounds.contains(&"From"),
            _ => false,
        }
    }

    fn no_function(&self, own: Id, name: &str, span: Span) -> Mistake {
        let mut remedy = "call a kernel, a function of the prelude or a method".to_string();
        if let Some((kinds, of)) = self.types.kinds(own) {
            let known = assoc::names(kinds).chain(method::names(kinds, of));
            if let Some(near) = nearest(name, known) {
                remedy = format!("write `{near}`");
            }
        }
        let text = format!(
            "`{}` has no function `{name}` in kernels",
            self.types.spell(own)
        );
        self.mistake(Code::Function, span, text, remedy)
    }

    /// `receiver.name(args)`.
    pub(super) fn method(
        &mut self,
        receiver: &'static Expr,
        name: &'static str,
        name_span: Span,
        turbofish: &'static [Type],
        args: &'static [Expr],
    ) -> Checked<Id> {
        let own = self.expr(receiver, None)?;
        let own = self.known(own)?;
        self.method_on(own, name, turbofish, args, name_span)
    }

    fn method_on(
        &mut self,
        own: Id,
        name: &'static str,
        turbofish: &'static [Type],
        args: &'static [Expr],
        span: Span,
    ) -> Checked<Id> {
        if self.types.is_never(own) {
            return Ok(own);
        }
        let Some((kinds, of)) = self.types.kinds(own) else {
            let mut types = vec![];
            for arg in in_order(args) {
                types.push((self.expr(&args[arg], None)?, arg));
            }
            types.sort_by_key(|(_, arg)| *arg);
            let result = self.types.any();
            self.waiting.push(Obligation::Method {
                receiver: own,
                name,
                turbofish,
                args: types
                    .into_iter()
                    .map(|(ty, arg)| (ty, args[arg].span))
                    .collect(),
                result,
                span,
            });
            return Ok(result);
        };
        let Some((method, signature)) = self.entry(kinds, of, name) else {
            return Err(self.no_method(own, kinds, of, name, span));
        };
        let Instance { params, result } = self.method_instance(own, method, &signature, span)?;
        self.turbofish(method, turbofish, result, span)?;
        if signature.open {
            return Ok(result);
        }
        self.arguments(name, &params, args, span)?;
        self.after(method, own, &params, result, span)?;
        Ok(result)
    }

    /// A method whose receiver was unknown when it was met: its arguments have types already.
    pub(super) fn method_later(
        &mut self,
        own: Id,
        name: &'static str,
        turbofish: &'static [Type],
        args: &[(Id, Span)],
        result: Id,
        span: Span,
    ) -> Checked<bool> {
        if self.types.is_never(own) {
            return Ok(true);
        }
        let Some((kinds, of)) = self.types.kinds(own) else {
            return Ok(false);
        };
        let Some((method, signature)) = self.entry(kinds, of, name) else {
            return Err(self.no_method(own, kinds, of, name, span));
        };
        let instance = self.method_instance(own, method, &signature, span)?;
        self.turbofish(method, turbofish, instance.result, span)?;
        self.unify(instance.result, result, span)?;
        if !signature.open {
            self.count(name, instance.params.len(), args.len(), span)?;
            for ((found, span), expected) in args.iter().zip(&instance.params) {
                self.coerce(*found, *expected, *span)?;
            }
            self.after(method, own, &instance.params, result, span)?;
        }
        Ok(true)
    }

    /// The method that a name means on these kinds of receivers.
    fn entry(
        &self,
        kinds: &[Receiver],
        of: Option<Scalar>,
        name: &str,
    ) -> Option<(Method, std::borrow::Cow<'static, Signature>)> {
        use std::borrow::Cow;
        if let Some(op) = of.and_then(|s| ScalarOp::method(name, scalar(s))) {
            return Some((Method::Op(op), Cow::Owned(method::of_op(op))));
        }
        method::lookup(kinds, name).map(|(method, signature)| (method, Cow::Borrowed(signature)))
    }

    fn no_method(
        &self,
        own: Id,
        kinds: &[Receiver],
        of: Option<Scalar>,
        name: &str,
        span: Span,
    ) -> Mistake {
        let receiver = self.types.spell(own);
        if let Some(remedy) = method::refused(kinds, name) {
            let text = format!("`{name}` on `{receiver}` is not in the kernel language");
            return self.mistake(Code::Refused, span, text, remedy);
        }
        let remedy = match nearest(name, method::names(kinds, of)) {
            Some(near) => format!("write `{near}`, or a kernel of your own that does it"),
            None => "write a kernel of your own that does it, and call it".to_string(),
        };
        let text = format!("`{receiver}` has no method `{name}` in kernels");
        self.mistake(Code::Method, span, text, remedy)
    }

    /// `collect::<Vec<_>>()`, `sum::<f64>()`: the type that is written is the result.
    fn turbofish(
        &mut self,
        method: Method,
        turbofish: &'static [Type],
        result: Id,
        span: Span,
    ) -> Checked<()> {
        if let (Method::Collect | Method::Sum | Method::Product, [ty]) = (method, turbofish) {
            let written = self.written(ty, span)?;
            self.unify(result, written, span)?;
        }
        Ok(())
    }

    /// Types the arguments of a call: closures after the others, as rustc does, so that they know more.
    fn arguments(
        &mut self,
        name: &str,
        params: &[Id],
        args: &'static [Expr],
        span: Span,
    ) -> Checked<()> {
        self.count(name, params.len(), args.len(), span)?;
        for i in in_order(args) {
            self.check(&args[i], params[i])?;
        }
        Ok(())
    }

    fn count(&mut self, name: &str, expected: usize, found: usize, span: Span) -> Checked<()> {
        if expected == found {
            return Ok(());
        }
        let text = format!("`{name}` takes {expected} arguments and is given {found}");
        Err(self.mistake(Code::Arguments, span, text, format!("give it {expected}")))
    }

    fn method_instance(
        &mut self,
        own: Id,
        method: Method,
        signature: &Signature,
        span: Span,
    ) -> Checked<Instance> {
        let scalar_fold = matches!(method, Method::MeanAxis | Method::SumAxis | Method::MapAxis);
        if scalar_fold && matches!(self.types.get(own), Node::Nd(1, _)) {
            let text = "the result would be an array without dimensions";
            return Err(self.mistake(
                Code::Refused,
                span,
                text,
                "write `sum()` or `fold` for an array of one dimension",
            ));
        }
        self.instantiate(own, signature, span)
    }

    /// A signature with types for its letters.
    fn instantiate(&mut self, own: Id, signature: &Signature, span: Span) -> Checked<Instance> {
        let mut letters = Letters { own, known: vec![] };
        if let Some(element) = self.types.element(own) {
            letters.known.push((b'T', element));
        }
        if let Node::Array(_, len) = self.types.get(own) {
            letters.known.push((b'N', *len));
        }
        let params = signature
            .params
            .iter()
            .map(|term| self.term(term, &mut letters, span))
            .collect::<Checked<_>>()?;
        let result = self.term(&signature.result, &mut letters, span)?;
        Ok(Instance { params, result })
    }

    fn term(&mut self, term: &Term, letters: &mut Letters, span: Span) -> Checked<Id> {
        let node = match term {
            Term::Own => return Ok(letters.own),
            Term::Var(letter) => {
                if let Some((_, id)) = letters.known.iter().find(|(l, _)| l == letter) {
                    return Ok(*id);
                }
                let id = self.types.any();
                letters.known.push((*letter, id));
                return Ok(id);
            }
            Term::Scalar(s) => Node::Scalar(*s),
            Term::Tuple(members) => Node::Tuple(self.terms(members, letters, span)?),
            Term::Seq(element) => Node::Seq(self.term(element, letters, span)?),
            Term::Array(element, len) => {
                let element = self.term(element, letters, span)?;
                Node::Array(element, self.term(len, letters, span)?)
            }
            Term::Len(n) => Node::Len(*n),
            Term::Iter(item) => Node::Iter(self.term(item, letters, span)?),
            Term::Option(of) => Node::Option(self.term(of, letters, span)?),
            Term::Ordering => Node::Ordering,
            Term::Fn(params, result) => {
                let params = self.terms(params, letters, span)?;
                Node::Fn(params, self.term(result, letters, span)?)
            }
            Term::SeqLike(element) => {
                let element = self.term(element, letters, span)?;
                let ty = self.types.any();
                self.waiting
                    .push(Obligation::Sequence { ty, element, span });
                return Ok(ty);
            }
            Term::IntoIter(item) => {
                let item = self.term(item, letters, span)?;
                let ty = self.types.any();
                self.waiting.push(Obligation::Iterate { ty, item, span });
                return Ok(ty);
            }
            Term::Int(of) => {
                let of = self.term(of, letters, span)?;
                self.shift_amount(of, span)?;
                return Ok(of);
            }
            Term::Unsigned(of) => Node::Scalar(self.resized(of, letters, unsigned)?),
            Term::Signed(of) => Node::Scalar(self.resized(of, letters, signed)?),
            Term::Nd(less, element) => {
                let rank = self.rank(letters.own).saturating_sub(*less);
                Node::Nd(rank, self.term(element, letters, span)?)
            }
            Term::Ranked(rank, element) => Node::Nd(*rank, self.term(element, letters, span)?),
            Term::Shape => match self.rank(letters.own) {
                1 => Node::Scalar(Scalar::Usize),
                rank => {
                    let members = (0..rank).map(|_| self.usize()).collect();
                    Node::Tuple(members)
                }
            },
            Term::Slice => Node::Var(Class::Any),
        };
        Ok(self.add(node))
    }

    fn terms(&mut self, terms: &[Term], letters: &mut Letters, span: Span) -> Checked<Vec<Id>> {
        terms
            .iter()
            .map(|term| self.term(term, letters, span))
            .collect()
    }

    /// The scalar of the same width that a scalar receiver has beside it.
    fn resized(
        &mut self,
        term: &Term,
        letters: &mut Letters,
        to: fn(Scalar) -> Scalar,
    ) -> Checked<Scalar> {
        let id = self.term(term, letters, Span::default())?;
        Ok(match self.types.get(id) {
            Node::Scalar(s) => to(*s),
            _ => to(Scalar::I32),
        })
    }

    fn rank(&self, array: Id) -> usize {
        match self.types.get(array) {
            Node::Nd(rank, _) => *rank,
            _ => 1,
        }
    }

    /// What a signature cannot say of a method.
    fn after(
        &mut self,
        method: Method,
        receiver: Id,
        args: &[Id],
        result: Id,
        span: Span,
    ) -> Checked<()> {
        match method {
            Method::Collect
            | Method::Unzip
            | Method::Flatten
            | Method::Concat
            | Method::Slice
            | Method::Dot
            | Method::Reshape => self.require(Obligation::Special {
                method,
                receiver,
                args: args.to_vec(),
                result,
                span,
            }),
            _ => Ok(()),
        }
    }

    /// The result of such a method, as soon as it can be told.
    pub(super) fn special(
        &mut self,
        method: Method,
        receiver: Id,
        args: &[Id],
        result: Id,
        span: Span,
    ) -> Checked<bool> {
        let Some(element) = self.types.element(receiver) else {
            return Ok(true);
        };
        let value = match (method, self.types.get(element)) {
            (Method::Collect, _) => match self.types.get(result) {
                Node::Var(_) => return Ok(false),
                Node::Nd(1, _) => self.add(Node::Nd(1, element)),
                _ => self.seq(element),
            },
            (Method::Unzip | Method::Flatten | Method::Concat, Node::Var(_)) => return Ok(false),
            (Method::Unzip, Node::Tuple(members)) => {
                let members = members.clone();
                let sequences = members.into_iter().map(|member| self.seq(member)).collect();
                self.add(Node::Tuple(sequences))
            }
            (Method::Unzip, _) => {
                let text = format!("`unzip` of `{}`", self.types.spell(element));
                return Err(self.mistake(Code::Iterate, span, text, "unzip a sequence of tuples"));
            }
            (Method::Flatten, _) => {
                let item = self.types.any();
                self.require(Obligation::Iterate {
                    ty: element,
                    item,
                    span,
                })?;
                self.add(Node::Iter(item))
            }
            (Method::Concat, _) => {
                let item = self.types.any();
                self.require(Obligation::Sequence {
                    ty: element,
                    element: item,
                    span,
                })?;
                self.seq(item)
            }
            _ => return self.special_array(method, receiver, element, args, result, span),
        };
        self.unify(value, result, span)?;
        Ok(true)
    }

    /// The methods of ndarray whose result's rank depends on their argument.
    fn special_array(
        &mut self,
        method: Method,
        receiver: Id,
        element: Id,
        args: &[Id],
        result: Id,
        span: Span,
    ) -> Checked<bool> {
        let Some(arg) = args.first().copied() else {
            return Ok(true);
        };
        let rank = self.rank(receiver);
        let value = match (method, self.types.get(arg)) {
            (_, Node::Var(Class::Any)) => return Ok(false),
            (Method::Slice, Node::Slice(0)) => {
                let text = "a slice without dimensions";
                return Err(self.mistake(
                    Code::Refused,
                    span,
                    text,
                    "write `u[[i, j]]` for one element",
                ));
            }
            (Method::Slice, Node::Slice(left)) if *left <= rank => {
                let left = *left;
                self.add(Node::Nd(left, element))
            }
            (Method::Dot, Node::Nd(other, x)) => {
                let (other, x) = (*other, *x);
                self.unify(x, element, span)?;
                match (rank, other) {
                    (1, 1) => element,
                    (2, 2) => self.add(Node::Nd(2, element)),
                    (1, 2) | (2, 1) => self.add(Node::Nd(1, element)),
                    _ => return Err(self.no_shape(method, receiver, arg, span)),
                }
            }
            (Method::Reshape, shape) => {
                let dims = match shape {
                    Node::Tuple(dims) => dims.clone(),
                    Node::Array(dim, len) => match self.types.len(*len) {
                        Some(len) => vec![*dim; len],
                        None => return Ok(false),
                    },
                    _ => vec![arg],
                };
                let usize = self.usize();
                for dim in &dims {
                    self.unify(*dim, usize, span)?;
                }
                if !(1..=4).contains(&dims.len()) {
                    return Err(self.no_shape(method, receiver, arg, span));
                }
                let array = self.add(Node::Nd(dims.len(), element));
                self.add(Node::Option(array))
            }
            _ => return Err(self.no_shape(method, receiver, arg, span)),
        };
        self.unify(value, result, span)?;
        Ok(true)
    }

    fn no_shape(&self, method: Method, receiver: Id, arg: Id, span: Span) -> Mistake {
        let (receiver, arg) = (self.types.spell(receiver), self.types.spell(arg));
        let remedy = match method {
            Method::Dot => "`dot` multiplies vectors and matrices: Array1 and Array2",
            Method::Slice => "give `s![…]` one member for each dimension",
            _ => "give one to four lengths: `(h, w)`",
        };
        self.mistake(
            Code::Mismatch,
            span,
            format!("`{receiver}` does not take `{arg}` here"),
            remedy,
        )
    }
}

/// The order in which arguments are typed: closures last.
fn in_order(args: &[Expr]) -> impl Iterator<Item = usize> + use<> {
    let is_closure: Vec<bool> = args
        .iter()
        .map(|arg| matches!(arg.kind, ExprKind::Closure { .. }))
        .collect();
    let mut order: Vec<usize> = (0..is_closure.len()).collect();
    order.sort_by_key(|i| is_closure[*i]);
    order.into_iter()
}

fn unsigned(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::I8 => Scalar::U8,
        Scalar::I16 => Scalar::U16,
        Scalar::I32 | Scalar::F32 => Scalar::U32,
        Scalar::I64 | Scalar::F64 => Scalar::U64,
        Scalar::Isize => Scalar::Usize,
        other => other,
    }
}

fn signed(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::U8 => Scalar::I8,
        Scalar::U16 => Scalar::I16,
        Scalar::U32 => Scalar::I32,
        Scalar::U64 => Scalar::I64,
        Scalar::Usize => Scalar::Isize,
        other => other,
    }
}
