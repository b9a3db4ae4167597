//! Calls: of closures, kernels, functions of the prelude, associated functions.

use super::instance::Instance;
use super::mistake::{OWN, nearest};
use super::unify::{Class, Id, Node};
use super::{Checked, Code, Infer};
use crate::elaborate::method::{self, assoc};
use crate::elaborate::ty::Mistake;
use crate::syntax::{Callee, Expr, ExprKind, Generic, Kernel, Span, Type};

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
                        format!("call a closure, a kernel or a function of the prelude{OWN}"),
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

    /// Types the arguments of a call: closures after the others, as rustc does, so that they know more.
    pub(super) fn arguments(
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

    pub(super) fn count(
        &mut self,
        name: &str,
        expected: usize,
        found: usize,
        span: Span,
    ) -> Checked<()> {
        if expected == found {
            return Ok(());
        }
        let plural = if expected == 1 { "" } else { "s" };
        let text = format!("`{name}` takes {expected} argument{plural} and is given {found}");
        let remedy = format!("give it {expected}{OWN}");
        Err(self.mistake(Code::Arguments, span, text, remedy))
    }
}

/// The order in which arguments are typed: closures last.
pub(super) fn in_order(args: &[Expr]) -> impl Iterator<Item = usize> + use<> {
    let is_closure: Vec<bool> = args
        .iter()
        .map(|arg| matches!(arg.kind, ExprKind::Closure { .. }))
        .collect();
    let mut order: Vec<usize> = (0..is_closure.len()).collect();
    order.sort_by_key(|i| is_closure[*i]);
    order.into_iter()
}
