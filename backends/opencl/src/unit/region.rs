//! The kernel of a region: statements that one work-item does.

use super::{Kernel, Maker, Param};
use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::types;
use dsl_runtime::ir::{VarSet, walk};
use dsl_runtime::plan::Region;

/// A region.
#[derive(Clone, Debug)]
pub struct RegionUnit {
    /// The only kernel.
    pub main: Kernel,
    /// Per result, where it is left.
    pub results: Vec<Left>,
    /// Whether it can fail.
    pub fails: bool,
}

/// Where a region leaves a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// In its word.
    Word,
    /// In a buffer of its shape.
    Buffer,
    /// On the stack, from the byte on that this word tells.
    Stack(usize),
}

impl Maker<'_> {
    /// The kernel of a region.
    pub fn region(&mut self, region: &Region) -> RegionUnit {
        let func = self.func;
        let unit = self.units;
        self.units += 1;
        let needed: VarSet = region.results.iter().copied().collect();
        let mut free = VarSet::new();
        let mut bound = VarSet::new();
        for stmt in &region.stmts {
            free.extend(walk::free_of_stmt(&func.vars, stmt));
            bound.extend(stmt.defs.iter().copied());
        }
        let free = self.env(free);
        let env: VarSet = free.difference(&bound).copied().collect();
        let mut left = vec![];
        let mut own = vec![];
        for (k, &var) in region.results.iter().enumerate() {
            let ty = func.ty(var);
            left.push(if ty.is_scalar() {
                Left::Word
            } else if walk::sizes(ty).any(|size| bound.contains(&size)) {
                self.words += 1;
                Left::Stack(self.words - 1)
            } else {
                own.push(Param::Out(k, ty.elem));
                Left::Buffer
            });
        }
        let words: Vec<Option<String>> = region
            .results
            .iter()
            .map(|&var| self.slot(var).map(|_| self.word(var)))
            .collect();
        let body = Body::new(func, &region.stmts, &needed);
        let main = self.kernel(&format!("u{unit}_region"), body, &env, &own, |body| {
            for (k, (&var, left)) in region.results.iter().zip(&left).enumerate() {
                if *left == Left::Buffer && crate::render::array::private(func.ty(var)).is_none() {
                    body.homes.insert(var, format!("out{k}"));
                }
            }
            for stmt in &region.stmts {
                body.stmt(stmt);
            }
            for (k, (&var, left)) in region.results.iter().zip(&left).enumerate() {
                let ty = func.ty(var).clone();
                match left {
                    Left::Word => {
                        let value = types::to_word(ty.elem, &body.name(var));
                        let word = words[k].clone().expect("a scalar has a word");
                        body.line(format!("{word} = {value};"));
                    }
                    Left::Buffer => {
                        let held = body.held(var);
                        if held.base() != format!("out{k}") {
                            let count = body.stride(&ty.shape);
                            let out = Held::Global(format!("out{k}"));
                            body.move_all(&out, ty.elem, held.base(), &count);
                        }
                    }
                    Left::Stack(word) => {
                        let held = body.held(var);
                        let (at, copy) = (body.fresh("at"), body.fresh("copy"));
                        let own = types::stored(ty.elem);
                        body.stack = true;
                        body.line(format!("__global const {own}* {at} = {};", held.base()));
                        body.line(format!("if (!MINE({at}, 0)) {{"));
                        let count = body.stride(&ty.shape);
                        body.grab(ty.elem, &copy, &count);
                        body.move_all(&Held::Global(copy.clone()), ty.elem, &at, &count);
                        body.line(format!(
                            "{at} = {copy};
}}"
                        ));
                        body.line(format!(
                            "words[{word}] = (ulong)((__global const uchar*){at} - stack);"
                        ));
                    }
                }
            }
        });
        RegionUnit {
            main,
            results: left,
            fails: crate::render::body::can_fail(func, &region.stmts),
        }
    }
}
