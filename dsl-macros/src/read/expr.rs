//! Expressions → `Expr`. Calls and paths are in `call`, macros in `macros`.

use super::pattern::Position;
use super::{Reader, option, ty};
use crate::refuse::form;
use crate::scope::{context, text};
use crate::source::Stretch;
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{BinOp, Expr, ExprBinary, ExprBlock, ExprClosure, ExprIf, ExprMatch, Label, Lifetime};
use syn::{Lit, LitInt, Member, Pat, RangeLimits, ReturnType, UnOp};

impl Reader {
    /// An expression.
    pub(super) fn expr(&mut self, expr: &mut Expr) -> TokenStream {
        match expr {
            Expr::Paren(inner) => return self.expr(&mut inner.expr),
            Expr::Group(inner) => return self.expr(&mut inner.expr),
            _ => {}
        }
        let span = Stretch::of(expr);
        let kind = self.kind(expr);
        quote!(__cuprous::Expr { kind: #kind, span: #span })
    }

    /// Expressions with commas between them.
    pub(super) fn exprs<'a>(
        &mut self,
        exprs: impl IntoIterator<Item = &'a mut Expr>,
    ) -> Vec<TokenStream> {
        exprs.into_iter().map(|e| self.expr(e)).collect()
    }

    pub(super) fn maybe(&mut self, expr: &mut Option<Box<Expr>>) -> TokenStream {
        option(expr.as_deref_mut().map(|e| self.expr(e)))
    }

    fn kind(&mut self, expr: &mut Expr) -> TokenStream {
        if let Some(message) = refused(expr) {
            return self.refuse(&*expr, message);
        }
        match expr {
            Expr::Lit(literal) => self.literal(&literal.lit),
            Expr::Path(_) => self.path(expr),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method(call),
            Expr::Macro(call) => {
                self.attributes(&call.attrs);
                self.macro_call(&mut call.mac)
            }
            Expr::Unary(unary) => {
                let op = match unary.op {
                    UnOp::Deref(_) => quote!(Deref),
                    UnOp::Not(_) => quote!(Not),
                    UnOp::Neg(_) => quote!(Neg),
                    _ => return self.refuse(unary, form::UNKNOWN),
                };
                let of = self.expr(&mut unary.expr);
                quote!(__cuprous::ExprKind::Unary(__cuprous::Unary::#op, &#of))
            }
            Expr::Reference(reference) => {
                if reference.mutability.is_some() {
                    return self.refuse(reference, form::MUT_REF);
                }
                let of = self.expr(&mut reference.expr);
                quote!(__cuprous::ExprKind::Unary(__cuprous::Unary::Ref, &#of))
            }
            Expr::Binary(binary) => self.binary(binary),
            Expr::Assign(assign) => {
                let right = self.expr(&mut assign.right);
                let left = self.expr(&mut assign.left);
                quote!(__cuprous::ExprKind::Assign(&#left, &#right))
            }
            Expr::Infer(_) => quote!(__cuprous::ExprKind::Underscore),
            Expr::Cast(cast) => {
                let value = self.expr(&mut cast.expr);
                let ty = self.ty(&cast.ty);
                quote!(__cuprous::ExprKind::Cast(&#value, #ty))
            }
            Expr::Index(index) => {
                let base = self.expr(&mut index.expr);
                let at = self.expr(&mut index.index);
                quote!(__cuprous::ExprKind::Index(&#base, &#at))
            }
            Expr::Field(field) => {
                let base = self.expr(&mut field.base);
                let name = match &field.member {
                    Member::Named(name) => text(name),
                    Member::Unnamed(index) => index.index.to_string(),
                };
                quote!(__cuprous::ExprKind::Field(&#base, #name))
            }
            Expr::Tuple(tuple) => {
                let members = self.exprs(&mut tuple.elems);
                quote!(__cuprous::ExprKind::Tuple(&[#(#members),*]))
            }
            Expr::Array(array) => {
                let members = self.exprs(&mut array.elems);
                quote!(__cuprous::ExprKind::Array(&[#(#members),*]))
            }
            Expr::Repeat(repeat) => {
                let value = self.expr(&mut repeat.expr);
                let count = self.expr(&mut repeat.len);
                quote!(__cuprous::ExprKind::Repeat(&#value, &#count))
            }
            Expr::Range(range) => {
                let low = self.maybe(&mut range.start);
                let high = self.maybe(&mut range.end);
                let inclusive = matches!(range.limits, RangeLimits::Closed(_));
                quote!(__cuprous::ExprKind::Range { low: #low, high: #high, inclusive: #inclusive })
            }
            Expr::Let(test) => {
                let value = self.expr(&mut test.expr);
                let pattern = self.pattern(&test.pat, Position::Test);
                quote!(__cuprous::ExprKind::Let(&#pattern, &#value))
            }
            Expr::If(branch) => self.branch(branch),
            Expr::Match(choice) => self.choice(choice),
            Expr::ForLoop(turn) => {
                let iter = self.expr(&mut turn.expr);
                let mark = self.scope.open();
                let pattern = self.pattern(&turn.pat, Position::Whole);
                let body = self.block(&mut turn.body);
                self.scope.close(mark);
                let label = label(&turn.label);
                quote!(__cuprous::ExprKind::For { label: #label, pattern: #pattern, iter: &#iter, body: #body })
            }
            Expr::While(turn) => {
                let mark = self.scope.open();
                let cond = self.expr(&mut turn.cond);
                let body = self.block(&mut turn.body);
                self.scope.close(mark);
                let label = label(&turn.label);
                quote!(__cuprous::ExprKind::While { label: #label, cond: &#cond, body: #body })
            }
            Expr::Loop(turn) => {
                let body = self.block(&mut turn.body);
                let label = label(&turn.label);
                quote!(__cuprous::ExprKind::Loop { label: #label, body: #body })
            }
            Expr::Break(exit) => {
                let value = self.maybe(&mut exit.expr);
                let label = target(&exit.label);
                quote!(__cuprous::ExprKind::Break(#label, #value))
            }
            Expr::Continue(next) => {
                let label = target(&next.label);
                quote!(__cuprous::ExprKind::Continue(#label))
            }
            Expr::Return(back) => {
                let value = self.maybe(&mut back.expr);
                quote!(__cuprous::ExprKind::Return(#value))
            }
            Expr::Block(ExprBlock {
                attrs,
                label: name,
                block,
            }) => {
                self.attributes(attrs);
                let block = self.block(block);
                let label = label(name);
                quote!(__cuprous::ExprKind::Block(#label, #block))
            }
            Expr::Closure(closure) => self.closure(closure),
            other => self.refuse(other, form::UNKNOWN),
        }
    }

    fn binary(&mut self, binary: &mut ExprBinary) -> TokenStream {
        // What `&&` binds on its left is visible on its right.
        let left = self.expr(&mut binary.left);
        let right = self.expr(&mut binary.right);
        let (assign, op) = match binary.op {
            BinOp::And(_) => return quote!(__cuprous::ExprKind::And(&#left, &#right)),
            BinOp::Or(_) => return quote!(__cuprous::ExprKind::Or(&#left, &#right)),
            op => match operator(op) {
                Some(found) => found,
                None => return self.refuse(op, form::UNKNOWN),
            },
        };
        let op = quote::format_ident!("{op}");
        let form = quote::format_ident!("{}", if assign { "AssignOp" } else { "Binary" });
        quote!(__cuprous::ExprKind::#form(__cuprous::Binary::#op, &#left, &#right))
    }

    fn branch(&mut self, branch: &mut ExprIf) -> TokenStream {
        let mark = self.scope.open();
        let cond = self.expr(&mut branch.cond);
        let then = self.block(&mut branch.then_branch);
        self.scope.close(mark);
        let other = branch.else_branch.as_mut();
        let or_else = option(other.map(|(_, e)| self.expr(e)));
        quote!(__cuprous::ExprKind::If { cond: &#cond, then: #then, or_else: #or_else })
    }

    fn choice(&mut self, choice: &mut ExprMatch) -> TokenStream {
        let value = self.expr(&mut choice.expr);
        let arms: Vec<TokenStream> = choice
            .arms
            .iter_mut()
            .map(|arm| {
                self.attributes(&arm.attrs);
                let arm = self.arm(&mut arm.pat, |reader| reader.expr(&mut arm.body));
                quote!(#arm)
            })
            .collect();
        quote!(__cuprous::ExprKind::Match(&#value, &[#(#arms),*]))
    }

    /// An arm of a `match`: the body is read where the pattern's variables are bound.
    pub(super) fn arm(
        &mut self,
        pat: &mut Pat,
        body: impl FnOnce(&mut Reader) -> TokenStream,
    ) -> TokenStream {
        let mark = self.scope.open();
        let (pattern, guard) = match pat {
            Pat::Guard(guarded) => {
                let pattern = self.pattern(&guarded.pat, Position::Test);
                (pattern, Some(self.expr(&mut guarded.guard)))
            }
            pat => (self.pattern(pat, Position::Test), None),
        };
        let guard = option(guard);
        let body = body(self);
        self.scope.close(mark);
        quote!(__cuprous::Arm { pattern: #pattern, guard: #guard, body: &#body })
    }

    fn closure(&mut self, closure: &mut ExprClosure) -> TokenStream {
        self.attributes(&closure.attrs);
        if let Some(token) = &closure.asyncness {
            return self.refuse(token, form::ASYNC);
        }
        let mark = self.scope.open();
        let params: Vec<TokenStream> = closure
            .inputs
            .iter()
            .map(|param| {
                let (pattern, ty) = self.annotated(param, Position::Whole);
                quote!((#pattern, #ty))
            })
            .collect();
        let result = match &closure.output {
            ReturnType::Default => quote!(__cuprous::Type::Infer),
            ReturnType::Type(_, ty) => self.ty(ty),
        };
        let body = self.expr(&mut closure.body);
        self.scope.close(mark);
        quote! {
            __cuprous::ExprKind::Closure { params: &[#(#params),*], result: #result, body: &#body }
        }
    }

    fn literal(&mut self, literal: &Lit) -> TokenStream {
        match literal {
            Lit::Int(int) => self.int(int),
            Lit::Float(float) => {
                let digits = float.base10_digits();
                let suffix = self.suffix(float.suffix(), literal);
                float_kind(digits, &suffix, literal)
            }
            Lit::Bool(value) => {
                let value = value.value;
                quote!(__cuprous::ExprKind::Bool(#value))
            }
            Lit::Byte(byte) => {
                let value = Literal::u128_unsuffixed(byte.value().into());
                quote! {
                    __cuprous::ExprKind::Int(#value, ::core::option::Option::Some(__cuprous::Scalar::U8))
                }
            }
            Lit::Char(_) => self.refuse(
                literal,
                "a character is not a value in a kernel: use a number, or a byte `b'a'`",
            ),
            _ => self.refuse(literal, form::TEXT),
        }
    }

    fn int(&mut self, int: &LitInt) -> TokenStream {
        let digits = int.base10_digits();
        let suffix = self.suffix(int.suffix(), int);
        if int.suffix().starts_with('f') {
            return float_kind(digits, &suffix, int);
        }
        let Ok(value) = digits.trim_start_matches('-').parse::<u128>() else {
            return self.refuse(int, "this number is too large for any type");
        };
        let value = Literal::u128_unsuffixed(value);
        signed(
            digits,
            quote!(__cuprous::ExprKind::Int(#value, #suffix)),
            int,
        )
    }

    fn suffix(&mut self, suffix: &str, at: impl quote::ToTokens) -> TokenStream {
        if suffix.is_empty() {
            return quote!(::core::option::Option::None);
        }
        match ty::scalar(suffix) {
            Some(scalar) => quote!(::core::option::Option::Some(#scalar)),
            None => {
                let unknown =
                    "this suffix is not a type of the kernel language: use one of its scalars";
                self.refuse(at, crate::refuse::of_type(suffix).unwrap_or(unknown))
            }
        }
    }
}

fn float_kind(digits: &str, suffix: &TokenStream, at: impl quote::ToTokens) -> TokenStream {
    let positive = digits.trim_start_matches('-');
    signed(
        digits,
        quote!(__cuprous::ExprKind::Float(#positive, #suffix)),
        at,
    )
}

/// A literal's kind; one whose digits have a sign, as in patterns, is a negation.
fn signed(digits: &str, kind: TokenStream, at: impl quote::ToTokens) -> TokenStream {
    if !digits.starts_with('-') {
        return kind;
    }
    let span = Stretch::of(&at);
    quote! {
        __cuprous::ExprKind::Unary(__cuprous::Unary::Neg, &__cuprous::Expr { kind: #kind, span: #span })
    }
}

/// Forms that no kernel holds.
fn refused(expr: &Expr) -> Option<&'static str> {
    Some(match expr {
        Expr::Async(_) | Expr::Await(_) => form::ASYNC,
        Expr::Unsafe(_) => form::UNSAFE,
        Expr::Try(_) | Expr::TryBlock(_) => form::TRY,
        Expr::RawAddr(_) => form::RAW,
        Expr::Struct(_) => form::RECORD,
        Expr::Const(_) => form::CONST_BLOCK,
        Expr::Yield(_) | Expr::Verbatim(_) => form::UNKNOWN,
        _ => return None,
    })
}

/// Whether an operator assigns, and its name in the tree.
fn operator(op: BinOp) -> Option<(bool, &'static str)> {
    Some(match op {
        BinOp::Add(_) => (false, "Add"),
        BinOp::Sub(_) => (false, "Sub"),
        BinOp::Mul(_) => (false, "Mul"),
        BinOp::Div(_) => (false, "Div"),
        BinOp::Rem(_) => (false, "Rem"),
        BinOp::BitAnd(_) => (false, "BitAnd"),
        BinOp::BitOr(_) => (false, "BitOr"),
        BinOp::BitXor(_) => (false, "BitXor"),
        BinOp::Shl(_) => (false, "Shl"),
        BinOp::Shr(_) => (false, "Shr"),
        BinOp::Eq(_) => (false, "Eq"),
        BinOp::Ne(_) => (false, "Ne"),
        BinOp::Lt(_) => (false, "Lt"),
        BinOp::Le(_) => (false, "Le"),
        BinOp::Gt(_) => (false, "Gt"),
        BinOp::Ge(_) => (false, "Ge"),
        BinOp::AddAssign(_) => (true, "Add"),
        BinOp::SubAssign(_) => (true, "Sub"),
        BinOp::MulAssign(_) => (true, "Mul"),
        BinOp::DivAssign(_) => (true, "Div"),
        BinOp::RemAssign(_) => (true, "Rem"),
        BinOp::BitAndAssign(_) => (true, "BitAnd"),
        BinOp::BitOrAssign(_) => (true, "BitOr"),
        BinOp::BitXorAssign(_) => (true, "BitXor"),
        BinOp::ShlAssign(_) => (true, "Shl"),
        BinOp::ShrAssign(_) => (true, "Shr"),
        _ => return None,
    })
}

fn label(label: &Option<Label>) -> TokenStream {
    target(&label.as_ref().map(|l| l.name.clone()))
}

fn target(label: &Option<Lifetime>) -> TokenStream {
    match label {
        Some(label) => {
            // A label of a `macro_rules!` and one of its caller differ, though they read the same.
            let name = match context(label.ident.span()) {
                Some(context) => format!("{}#{context}", text(&label.ident)),
                None => text(&label.ident),
            };
            quote!(::core::option::Option::Some(#name))
        }
        None => quote!(::core::option::Option::None),
    }
}
