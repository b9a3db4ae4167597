//! Calls: of kernels, which are run in place; of closures; of the functions of the prelude and those associated with types.

use super::control::Tail;
use super::env::{Env, FALSE, TRUE, TargetKind, children};
use super::pattern::BOOL;
use super::repeat::Rounds;
use super::value::{Closure, Value};
use super::{Code, Frame, Lower, R};
use crate::elaborate::infer::{describe, infer};
use crate::elaborate::method::assoc::{self, Assoc};
use crate::elaborate::method::{self, Method};
use crate::elaborate::ty::{self, GenericArg, Ty, Typed};
use crate::ir::{Atom, Const, Fault, ScalarOp, ScalarType};
use crate::syntax::{self, Callee, Expr, ExprKind, Kernel, Scalar};
use std::collections::BTreeSet;
use std::rc::Rc;

/// A kernel that is being run.
pub(super) struct Running {
    kernel: &'static Kernel,
    generics: Vec<GenericArg>,
    /// If it calls itself: the slot of the flag that says that it runs again, and those of its arguments.
    again: Option<(usize, Vec<usize>)>,
}

/// How deep calls of kernels may be nested.
const NESTED: usize = 48;

/// Final values of `&mut` parameters.
type Finals = Vec<(Value, Ty)>;

impl Lower {
    fn instance(&mut self, kernel: &'static Kernel, generics: &[GenericArg]) -> R<Rc<Typed>> {
        let key = (kernel as *const Kernel, generics.to_vec());
        if let Some(typed) = self.instances.get(&key) {
            return Ok(typed.clone());
        }
        let typed = Rc::new(infer(kernel, generics).map_err(Box::new)?);
        self.instances.insert(key, typed.clone());
        Ok(typed)
    }

    /// Runs a kernel on these arguments: its result, and what its `&mut` parameters hold at the end.
    pub(super) fn run(
        &mut self,
        kernel: &'static Kernel,
        generics: &[GenericArg],
        arguments: Vec<Value>,
    ) -> R<(Value, Finals)> {
        let same = |running: &Running| {
            std::ptr::eq(running.kernel, kernel) && running.generics == generics
        };
        if self.running.iter().any(same) {
            return Err(self.mistake(
                Code::Recursion,
                &format!(
                    "`{}` calls itself in a place where the call is not its result",
                    kernel.name
                ),
                "make the recursive call the last thing that the kernel does, or write a loop",
            ));
        }
        if self.running.len() >= NESTED {
            return Err(self.mistake(
                Code::Recursion,
                &format!(
                    "calls of kernels are nested more than {NESTED} deep, at `{}`",
                    kernel.name
                ),
                "write a loop instead of recursion through changing types",
            ));
        }
        let typed = self.instance(kernel, generics)?;
        let source = self.source(kernel.source);
        let frame = Rc::new(Frame {
            typed: typed.clone(),
            source,
        });
        let place = self.place;
        let outer_frame = std::mem::replace(&mut self.frame, frame);
        let outer_env = std::mem::take(&mut self.env);
        let outer_targets = std::mem::take(&mut self.targets);
        self.running.push(Running {
            kernel,
            generics: generics.to_vec(),
            again: None,
        });
        let result = if calls_itself(kernel) {
            self.run_again(kernel, &typed, arguments)
        } else {
            self.run_once(kernel, &typed, &arguments)
        };
        self.running.pop();
        self.targets = outer_targets;
        self.env = outer_env;
        self.frame = outer_frame;
        self.place = place;
        result
    }

    fn source(&mut self, source: syntax::Source) -> u16 {
        let known = self.func.sources.iter().position(|other| *other == source);
        known.unwrap_or_else(|| {
            self.func.sources.push(source);
            self.func.sources.len() - 1
        }) as u16
    }

    fn run_once(
        &mut self,
        kernel: &'static Kernel,
        typed: &Typed,
        arguments: &[Value],
    ) -> R<(Value, Finals)> {
        self.enter(TargetKind::Function, None, typed.result.clone());
        let mut mutable = vec![];
        for ((param, value), ty) in kernel.params.iter().zip(arguments).zip(&typed.params) {
            self.at(param.span);
            let slot = self.env.slots.len();
            self.bind_pattern(&param.pattern, value)?;
            if is_mutable(&param.ty) && self.env.slots.len() > slot {
                mutable.push((slot, ty.clone()));
            }
        }
        let value = self.block(&kernel.body, &typed.result, Tail::Function)?;
        let value = self.left(value, &typed.result)?;
        let finals = mutable
            .into_iter()
            .map(|(slot, ty)| (self.env.slots[slot].value.clone(), ty))
            .collect();
        Ok((value, finals))
    }

    /// A kernel that calls itself last: each call is a round of a loop that carries the arguments.
    fn run_again(
        &mut self,
        kernel: &'static Kernel,
        typed: &Rc<Typed>,
        arguments: Vec<Value>,
    ) -> R<(Value, Finals)> {
        if kernel.params.iter().any(|param| is_mutable(&param.ty)) {
            return Err(self.mistake(
                Code::Recursion,
                &format!("`{}` has a `&mut` parameter and calls itself", kernel.name),
                "write a loop",
            ));
        }
        let again = self.define("", BOOL, Value::Scalar(TRUE));
        let result = self.define("", typed.result.clone(), Value::Undef);
        let mut slots = BTreeSet::from([again, result]);
        let (mut params, mut fixed) = (vec![], vec![]);
        for (value, ty) in arguments.into_iter().zip(&typed.params) {
            // A closure cannot be carried: the call hands it on as it is.
            if matches!(ty, Ty::Fn(..)) {
                fixed.push(Some(value));
                params.push(usize::MAX);
                continue;
            }
            let slot = self.define("", ty.clone(), value);
            slots.insert(slot);
            params.push(slot);
            fixed.push(None);
        }
        if let Some(running) = self.running.last_mut() {
            running.again = Some((again, params.clone()));
        }
        let cond = |lower: &mut Lower| Ok(lower.flag(again));
        let mut indexed = BTreeSet::new();
        indexed.insert("");
        self.repeat(&slots, &indexed, Rounds::While(&cond), &|lower, _| {
            let mark = lower.env.slots.len();
            lower.set(again, Value::Scalar(FALSE));
            let arguments: Vec<Value> = params
                .iter()
                .zip(&fixed)
                .map(|(&slot, fixed)| match fixed {
                    Some(value) => value.clone(),
                    None => lower.env.slots[slot].value.clone(),
                })
                .collect();
            let (value, _) = lower.run_once(kernel, typed, &arguments)?;
            lower.env.live = TRUE;
            lower.env.slots.truncate(mark);
            lower.set(result, value);
            Ok(())
        })?;
        Ok((self.env.slots[result].value.clone(), vec![]))
    }

    /// Applies a closure, or a function that stands for one.
    pub(super) fn apply(&mut self, function: &Value, arguments: Vec<Value>) -> R<Value> {
        let closure = match function {
            Value::Closure(closure) => closure.clone(),
            _ => return Ok(Value::Undef),
        };
        let place = self.place;
        match &*closure {
            Closure::Expr {
                params,
                body,
                ty,
                env,
                frame,
            } => {
                let result = match ty {
                    Ty::Fn(_, result) => (**result).clone(),
                    _ => Ty::Never,
                };
                let inner = Env {
                    slots: env.slots.clone(),
                    floor: env.slots.len(),
                    live: TRUE,
                };
                let outer_env = std::mem::replace(&mut self.env, inner);
                let outer_frame = std::mem::replace(&mut self.frame, frame.clone());
                let outer_targets = std::mem::take(&mut self.targets);
                self.enter(TargetKind::Function, None, result.clone());
                for ((pattern, _), value) in params.iter().zip(&arguments) {
                    self.bind_pattern(pattern, value)?;
                }
                let value = self.expr_in(body, Tail::Function)?;
                let value = self.left(value, &result)?;
                let live = self.env.live;
                self.targets = outer_targets;
                self.frame = outer_frame;
                self.env = outer_env;
                // A closure that can only fail ends the path of whoever calls it.
                if live == FALSE && matches!(value, Value::Undef) {
                    self.env.live = FALSE;
                }
                self.place = place;
                Ok(value)
            }
            Closure::Path {
                expr,
                ty,
                callee,
                frame,
            } => {
                let (types, result) = match ty {
                    Ty::Fn(params, result) => (params.clone(), (**result).clone()),
                    _ => (vec![], Ty::Never),
                };
                let outer_frame = std::mem::replace(&mut self.frame, frame.clone());
                let value = self.call_values(expr, callee, arguments, &types, &result);
                self.frame = outer_frame;
                self.place = place;
                value
            }
        }
    }

    /// A call as written.
    pub(super) fn call(
        &mut self,
        expr: &'static Expr,
        callee: &'static Callee,
        args: &'static [Expr],
        tail: Tail,
    ) -> R<Value> {
        let result = self.ty(expr);
        let types: Vec<Ty> = args.iter().map(|arg| self.ty(arg)).collect();
        let operands: Vec<&'static Expr> = args.iter().collect();
        if let Callee::Prelude(name @ ("swap" | "replace" | "take")) = callee {
            return self.exchange(name, args, &types);
        }
        let Callee::Kernel(kernel) = callee else {
            return self.strict(&operands, &result, |lower, values| {
                lower.call_values(expr, callee, values, &types, &result)
            });
        };
        let kernel = kernel();
        let generics = self.generics_of(expr);
        if tail == Tail::Function
            && let Some(running) = self.running.last()
            && std::ptr::eq(running.kernel, kernel)
            && running.generics == generics
            && let Some((again, params)) = running.again.clone()
            && std::ptr::eq(self.frame.typed.kernel, kernel)
        {
            return self.strict(&operands, &result, |lower, values| {
                lower.set(again, Value::Scalar(TRUE));
                for (slot, value) in params.into_iter().zip(values) {
                    if slot != usize::MAX {
                        lower.set(slot, value);
                    }
                }
                Ok(Value::Undef)
            });
        }
        self.strict(&operands, &result, |lower, values| {
            let (value, finals) = lower.run(kernel, &generics, values)?;
            let mutable = kernel
                .params
                .iter()
                .zip(args)
                .filter(|(param, _)| is_mutable(&param.ty));
            for ((_, arg), (value, _)) in mutable.zip(finals) {
                lower.assign_to(arg, value)?;
            }
            Ok(value)
        })
    }

    fn generics_of(&self, expr: &'static Expr) -> Vec<GenericArg> {
        let key = expr as *const Expr;
        self.frame
            .typed
            .instances
            .get(&key)
            .cloned()
            .unwrap_or_default()
    }

    /// `swap(&mut a, &mut b)`, `replace(&mut a, v)`, `take(&mut a)`.
    fn exchange(&mut self, name: &str, args: &'static [Expr], types: &[Ty]) -> R<Value> {
        match (name, args) {
            ("swap", [a, b]) => {
                let (x, y) = (self.expr(a)?, self.expr(b)?);
                self.assign_to(a, y)?;
                self.assign_to(b, x)?;
                Ok(Value::unit())
            }
            ("replace", [a, value]) => {
                let value = self.expr(value)?;
                self.replace(a, |_, _| Ok(value))
            }
            (_, [a]) => {
                let empty = self.default_of(&types[0])?;
                self.replace(a, |_, _| Ok(empty))
            }
            _ => Ok(Value::Undef),
        }
    }

    /// The value of `Default::default()`.
    pub(super) fn default_of(&mut self, ty: &Ty) -> R<Value> {
        if matches!(ty, Ty::Option(_)) {
            return Ok(Value::none());
        }
        let atoms = self.flatten(&Value::Undef, ty)?;
        Ok(self.rebuild(ty, &mut atoms.into_iter()))
    }

    /// Calls what a path names on values.
    fn call_values(
        &mut self,
        expr: &'static Expr,
        callee: &Callee,
        values: Vec<Value>,
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        match callee {
            Callee::Local(name) => {
                let Some(slot) = self.find(name) else {
                    return Ok(Value::Undef);
                };
                let function = self.env.slots[slot].value.clone();
                self.apply(&function, values)
            }
            Callee::Kernel(kernel) => {
                let generics = self.generics_of(expr);
                Ok(self.run(kernel(), &generics, values)?.0)
            }
            Callee::Prelude(name) => self.prelude(name, &values, types, result),
            Callee::Assoc(of, name) => self.assoc(of, name, values, types, result),
        }
    }

    fn prelude(&mut self, name: &str, values: &[Value], types: &[Ty], result: &Ty) -> R<Value> {
        let size = |lower: &mut Lower, k: usize| -> R<Atom> {
            let atom = lower.atom(&values[k], &types[k])?;
            lower.size(atom)
        };
        match name {
            "indices" => {
                let n = size(self, 0)?;
                Ok(Value::view(vec![n], Ty::Scalar(Scalar::Usize), |_, at| {
                    Ok(Value::Scalar(at[0]))
                }))
            }
            "fill" => {
                let n = size(self, 0)?;
                self.fill(vec![n], &values[1], result)
            }
            "tabulate" => {
                let n = size(self, 0)?;
                self.tabulate(vec![n], &values[1], result, true)
            }
            "tabulate2" | "tabulate3" => {
                let dims = self.index_list(&values[0], &types[0])?;
                self.tabulate(dims, &values[1], result, false)
            }
            "histogram" => {
                let bins = size(self, 0)?;
                let dest = self.fill(vec![bins], &values[3], result)?;
                let operands = [values[4].clone(), values[1].clone(), values[2].clone()];
                let tys = [types[4].clone(), types[1].clone(), types[2].clone()];
                self.scatter_with(&dest, result, &operands, &tys)
            }
            "min" | "max" => {
                let method = method::find(result, if name == "min" { "min" } else { "max" });
                match method {
                    Some(Method::Op(op)) => {
                        let a = self.atom(&values[0], result)?;
                        let b = self.atom(&values[1], result)?;
                        Ok(Value::Scalar(self.op(op, &[a, b])))
                    }
                    _ => {
                        let op = if name == "min" {
                            ScalarOp::Le
                        } else {
                            ScalarOp::Gt
                        };
                        let first = self.ordered(op, &values[0], &values[1], result)?;
                        let (a, b) = (values[0].clone(), values[1].clone());
                        self.branch(first, result, |_| Ok(a), |_| Ok(b))
                    }
                }
            }
            "zip" => {
                let a = self.iterate(&values[0], &types[0])?;
                let b = self.iterate(&values[1], &types[1])?;
                self.zip_items(&a, &b)
            }
            "from_fn" => {
                let Ty::Array(_, n) = result else {
                    return Ok(Value::Undef);
                };
                self.fixed_tabulate(*n, result, |lower, at| {
                    lower.apply(&values[0], vec![Value::Scalar(at)])
                })
            }
            "Axis" => Ok(values[0].clone()),
            _ => match crate::rng::kernel(name) {
                Some(kernel) => Ok(self.run(kernel, &[], values.to_vec())?.0),
                None => Err(self.mistake(
                    Code::Missing,
                    &format!("`{name}` is no function that kernels can call"),
                    "call a function that is marked `#[kernel]`",
                )),
            },
        }
    }

    /// A length as `u64`; a negative one is a failure.
    pub(super) fn size(&mut self, atom: Atom) -> R<Atom> {
        let ty = self.elem(atom);
        if ty.class() == crate::ir::types::Class::Signed {
            let zero = Const { ty, bits: 0 };
            let natural = self.op(ScalarOp::Ge, &[atom, zero.into()]);
            self.check(Fault::SizeOverflow, natural, vec![atom]);
        }
        Ok(self.cast(ScalarType::U64, atom))
    }

    /// `f` at each index, computed here and now. `alone`: the closure takes the index itself, not a tuple of indices.
    fn tabulate(&mut self, dims: Vec<Atom>, f: &Value, result: &Ty, alone: bool) -> R<Value> {
        let elem = super::place::element_type(result);
        let f = f.clone();
        self.shape(&dims);
        self.eager(dims, elem, &move |lower, at| {
            let index = if alone {
                Value::Scalar(at[0])
            } else {
                Value::Tuple(at.iter().map(|&atom| Value::Scalar(atom)).collect())
            };
            lower.apply(&f, vec![index])
        })
    }

    fn assoc(
        &mut self,
        of: &syntax::Type,
        name: &'static str,
        values: Vec<Value>,
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        let plain = match result {
            Ty::Option(inner) => (**inner).clone(),
            other => other.clone(),
        };
        let own = describe(of, &self.frame.typed.generics);
        let of = own.clone().unwrap_or(plain.clone());
        if values.is_empty() {
            if let Ty::Scalar(scalar) = of
                && let Some((scalar, bits)) = assoc::value(scalar, name)
            {
                let ty = ty::scalar(scalar);
                return Ok(Value::Scalar(Const { ty, bits }.into()));
            }
            return self.default_of(&of);
        }
        let Some(assoc) = assoc::find(&of, name) else {
            let receiver = types.first().cloned().or(own).unwrap_or(of);
            let Some(method) = method::find(&receiver, name) else {
                return Err(self.mistake(
                    Code::Missing,
                    &format!("`{name}` is no function that kernels can call"),
                    "call a function that is marked `#[kernel]`",
                ));
            };
            return self.method_values(
                method,
                (&values[0], &receiver),
                &values[1..],
                &types[1..],
                result,
            );
        };
        self.assoc_values(assoc, &values, types, result, &of)
    }

    fn assoc_values(
        &mut self,
        assoc: Assoc,
        values: &[Value],
        types: &[Ty],
        result: &Ty,
        of: &Ty,
    ) -> R<Value> {
        match assoc {
            Assoc::Of => {
                let atom = self.atom(&values[0], &types[0])?;
                let to = match result {
                    Ty::Scalar(scalar) => ty::scalar(*scalar),
                    _ => self.elem(atom),
                };
                Ok(Value::Scalar(self.cast(to, atom)))
            }
            Assoc::From => self.convert(&values[0], &types[0], result),
            Assoc::FromBits => {
                let atom = self.atom(&values[0], &types[0])?;
                let to = match result {
                    Ty::Scalar(scalar) => ty::scalar(*scalar),
                    _ => self.elem(atom),
                };
                Ok(Value::Scalar(self.bits(to, atom)))
            }
            Assoc::Zeros | Assoc::Ones => {
                let dims = self.index_list(&values[0], &types[0])?;
                let one = matches!(assoc, Assoc::Ones) as u128;
                let elem = super::place::element_type(result);
                let value = self.number(one, &elem);
                self.fill(dims, &Value::Scalar(value), result)
            }
            Assoc::FromElem => {
                let dims = self.index_list(&values[0], &types[0])?;
                self.fill(dims, &values[1], result)
            }
            Assoc::FromShapeFn => {
                let dims = self.index_list(&values[0], &types[0])?;
                let alone = dims.len() == 1 && !matches!(types[0], Ty::Tuple(_) | Ty::Array(..));
                self.tabulate(dims, &values[1], result, alone)
            }
            Assoc::FromShapeVec => {
                let dims = self.index_list(&values[0], &types[0])?;
                self.shape_vec(dims, &values[1], &types[1])
            }
            Assoc::FromSeq => Ok(values[0].clone()),
            Assoc::FromIter => {
                let iter = self.iterate(&values[0], &types[0])?;
                self.collect_items(&iter)
            }
            Assoc::Linspace => self.linspace(values, of),
            Assoc::Range => self.arange(values, of),
            Assoc::Eye => {
                let n = self.atom(&values[0], &types[0])?;
                let elem = super::place::element_type(result);
                let (zero, one) = (self.number(0, &elem), self.number(1, &elem));
                Ok(Value::view(vec![n, n], elem, move |lower, at| {
                    let diagonal = lower.op(ScalarOp::Eq, &[at[0], at[1]]);
                    Ok(Value::Scalar(
                        lower.op(ScalarOp::Select, &[diagonal, one, zero]),
                    ))
                }))
            }
        }
    }

    /// A small number in a scalar type.
    pub(super) fn number(&self, value: u128, ty: &Ty) -> Atom {
        let small = crate::ir::op::cast(
            match ty {
                Ty::Scalar(scalar) => ty::scalar(*scalar),
                _ => ScalarType::U64,
            },
            Const::u64(value as u64),
        );
        small.into()
    }
}

/// Whether a parameter is a `&mut` one.
fn is_mutable(ty: &syntax::Type) -> bool {
    match ty {
        syntax::Type::Ref { mutable, .. } => *mutable,
        syntax::Type::Known(inner) => is_mutable(inner),
        _ => false,
    }
}

/// Whether a kernel's body calls the kernel itself.
fn calls_itself(kernel: &'static Kernel) -> bool {
    fn visit(expr: &'static Expr, kernel: &'static Kernel) -> bool {
        if let ExprKind::Call(Callee::Kernel(callee), ..) = &expr.kind
            && std::ptr::eq(callee(), kernel)
        {
            return true;
        }
        let mut found = false;
        children(expr, &mut |child| found = found || visit(child, kernel));
        found
    }
    let body = &kernel.body;
    let stmts = body.stmts.iter().any(|stmt| match stmt {
        syntax::Stmt::Let { init, .. } => init.is_some_and(|init| visit(init, kernel)),
        syntax::Stmt::Expr(expr) => visit(expr, kernel),
    });
    stmts || body.value.is_some_and(|value| visit(value, kernel))
}
