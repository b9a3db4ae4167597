//! Methods: the row of the table for the receiver, and the few whose result no signature can say.

use super::call::in_order;
use super::instance::Instance;
use super::mistake::nearest;
use super::unify::{Class, Id, Node};
use super::wait::Obligation;
use super::{Checked, Code, Infer};
use crate::elaborate::method::signature::Signature;
use crate::elaborate::method::{self, Method, Receiver};
use crate::elaborate::ty::{Mistake, scalar};
use crate::ir::ScalarOp;
use crate::syntax::{Expr, Scalar, Span, Type};
use std::borrow::Cow;

impl Infer {
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

    pub(super) fn method_on(
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
    pub(super) fn entry(
        &self,
        kinds: &[Receiver],
        of: Option<Scalar>,
        name: &str,
    ) -> Option<(Method, Cow<'static, Signature>)> {
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

    pub(super) fn method_instance(
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
                Node::Option(_) => {
                    return Err(self.mistake(
                        Code::Refused,
                        span,
                        "`collect` to an `Option` is not in the kernel language",
                        "ask for `all(|v| v.is_some())` first, then `map` to what is inside by `unwrap`",
                    ));
                }
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
