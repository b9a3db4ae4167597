//! Blocks and statements → `Block` and `Stmt`.

use super::pattern::Position;
use super::{Reader, option};
use crate::refuse::form;
use crate::source::Stretch;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Block, Expr, Item, Local, Pat, Stmt};

impl Reader {
    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: &mut Block) -> TokenStream {
        let mark = self.scope.open();
        let span = Stretch::of(block);
        self.items(&block.stmts);
        let count = block.stmts.len();
        let mut stmts = Vec::new();
        let mut value = None;
        for (index, stmt) in block.stmts.iter_mut().enumerate() {
            let last = index + 1 == count;
            match stmt {
                Stmt::Item(_) => {}
                Stmt::Local(local) => stmts.push(self.local(local)),
                Stmt::Expr(expr, semicolon) => {
                    let tree = self.expr(expr);
                    match semicolon {
                        None if last => value = Some(tree),
                        _ => stmts.push(quote!(__cuprous::Stmt::Expr(#tree))),
                    }
                }
                Stmt::Macro(call) => {
                    self.attributes(&call.attrs);
                    let span = Stretch::of(&call.mac);
                    let kind = self.macro_call(&mut call.mac);
                    let tree = quote!(__cuprous::Expr { kind: #kind, span: #span });
                    match call.semi_token {
                        None if last => value = Some(tree),
                        _ => stmts.push(quote!(__cuprous::Stmt::Expr(#tree))),
                    }
                }
            }
        }
        self.scope.close(mark);
        let value = option(value);
        quote! {
            __cuprous::Block { stmts: &[#(#stmts),*], value: #value, span: #span }
        }
    }

    /// The items of a block: they are in scope in all of it.
    fn items(&mut self, stmts: &[Stmt]) {
        let mut constants = Vec::new();
        for stmt in stmts {
            let Stmt::Item(item) = stmt else { continue };
            match item {
                Item::Const(item) if item.ident != "_" => {
                    self.attributes(&item.attrs);
                    constants.push(item);
                }
                Item::Const(_) => {}
                Item::Fn(item) => {
                    self.refuse(&item.sig.ident, form::NESTED_FN);
                }
                Item::Static(item) => {
                    self.refuse(&item.ident, form::STATIC_ITEM);
                }
                Item::Use(item) => {
                    self.refuse(item.use_token, form::NESTED_ITEM);
                }
                item => {
                    let first = item.to_token_stream().into_iter().next();
                    self.refuse(first, form::NESTED_ITEM);
                }
            }
        }
        if !constants.is_empty() {
            let names = constants.iter().map(|c| &c.ident);
            let items = quote!(#(#[allow(dead_code)] #constants)*);
            self.scope.constants(names, items);
        }
    }

    fn local(&mut self, local: &mut Local) -> TokenStream {
        self.attributes(&local.attrs);
        let span = Stretch::of(local);
        let mut init = None;
        let mut or_else = None;
        if let Some(given) = &mut local.init {
            init = Some(self.expr(&mut given.expr));
            if let Some((_, diverge)) = &mut given.diverge {
                or_else = Some(match &mut **diverge {
                    Expr::Block(block) => self.block(&mut block.block),
                    other => self.refuse(other, form::UNKNOWN),
                });
            }
        }
        let position = match or_else {
            Some(_) => Position::Test,
            None => Position::Whole,
        };
        let (pattern, ty) = self.annotated(&local.pat, position);
        let (init, or_else) = (option(init), option(or_else));
        quote! {
            __cuprous::Stmt::Let {
                pattern: #pattern, ty: #ty, init: #init, or_else: #or_else, span: #span,
            }
        }
    }

    /// A pattern with or without a type: `x: f32`.
    pub(super) fn annotated(
        &mut self,
        pat: &Pat,
        position: Position,
    ) -> (TokenStream, TokenStream) {
        match pat {
            Pat::Type(typed) => {
                let ty = self.ty(&typed.ty);
                (self.pattern(&typed.pat, position), ty)
            }
            pat => (self.pattern(pat, position), quote!(__cuprous::Type::Infer)),
        }
    }
}
