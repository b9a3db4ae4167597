//! `filter`. Inside a body, one work-item appends what it keeps. Of a wide par, a first kernel counts what each block keeps;
//! the sums of the counts are the places where the blocks then write.

use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::types;
use crate::sink::{Feed, Goal};
use dsl_runtime::ir::Atom;

/// A filter.
pub struct Filter {
    feed: Feed,
    into: Vec<Held>,
    /// The number of kept iterations, or the place of the next.
    kept: String,
}

impl Filter {
    /// Of this sink.
    pub fn new(body: &mut Body<'_>, feed: Feed) -> Filter {
        let kept = body.fresh("kept");
        Filter {
            feed,
            into: vec![],
            kept,
        }
    }

    /// Whether it goes block by block.
    pub fn blocks(&self) -> bool {
        self.feed.goal != Goal::Here
    }

    fn values(&self) -> Vec<Atom> {
        self.feed.sink.values[1..].to_vec()
    }

    /// Room for all iterations.
    pub fn before(&mut self, body: &mut Body<'_>) {
        body.line(format!("ulong {} = 0;", self.kept));
        match self.feed.goal.clone() {
            Goal::Kept(names, _) => self.into = names.into_iter().map(Held::Global).collect(),
            Goal::Counts(_) => {}
            _ => {
                for (value, def) in self.values().into_iter().zip(&self.feed.defs.clone()[1..]) {
                    let ty = body.func.atom_type(value);
                    let mut shape = vec![self.feed.extent];
                    shape.extend(&ty.shape);
                    let (name, count) = (body.name(*def), body.count(&shape));
                    body.grab(ty.elem, &name, &count);
                    body.arrays.insert(*def, Held::Global(name.clone()));
                    self.into.push(Held::Global(name));
                }
            }
        }
    }

    /// A block begins.
    pub fn block(&mut self, body: &mut Body<'_>, number: &str) {
        match &self.feed.goal {
            Goal::Kept(_, offsets) => body.line(format!("{} = {offsets}[{number}];", self.kept)),
            Goal::Counts(_) => body.line(format!("{} = 0;", self.kept)),
            _ => {}
        }
    }

    /// Writes what is kept.
    pub fn element(&mut self, body: &mut Body<'_>) {
        let keep = body.atom(self.feed.sink.values[0]);
        let kept = self.kept.clone();
        if let Goal::Counts(_) = self.feed.goal {
            return body.line(format!("{kept} += {keep} ? 1 : 0;"));
        }
        body.line(format!("if ({keep}) {{"));
        for (into, value) in self.into.clone().iter().zip(self.values()) {
            let ty = body.func.atom_type(value);
            let at = match ty.shape.is_empty() {
                true => kept.clone(),
                false => format!("{kept} * {}", body.stride(&ty.shape)),
            };
            body.store(into, ty.elem, &at, value);
        }
        body.line(format!("{kept}++;\n}}"));
    }

    /// A block ends.
    pub fn block_end(&mut self, body: &mut Body<'_>, number: &str) {
        if let Goal::Counts(counts) = &self.feed.goal {
            body.line(format!("{counts}[{number}] = {};", self.kept));
        }
    }

    /// The number has its name.
    pub fn after(&mut self, body: &mut Body<'_>) {
        if self.feed.goal == Goal::Here {
            body.alias(self.feed.defs[0], self.kept.clone());
        }
    }
}

/// Of the counts of blocks, in place, where each block writes; the sum goes to `word`.
pub fn linking(body: &mut Body<'_>, counts: &str, word: &str) {
    let sum = body.fresh("sum");
    body.line(format!("ulong {sum} = 0;"));
    body.line("for (ulong b = 0; b < blocks; b++) {");
    body.line(format!("const ulong here = {counts}[b];"));
    body.line(format!("{counts}[b] = {sum};"));
    body.line(format!("{sum} += here;\n}}"));
    body.line(format!("{word} = {};", types::to_word(dsl_runtime::ir::ScalarType::U64, &sum)));
}
