//! `filter`. Inside a body, one work-item appends what it keeps. Of a wide par, a first kernel counts what each block keeps;
//! the sums of the counts are the places where the blocks then write.

use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::lanes::Lanes;
use crate::render::types;
use crate::sink::{Feed, Goal};
use dsl_runtime::ir::{Atom, Stmt};
use dsl_runtime::pass::effect;

/// What an iteration costs at most that is done without vectors.
const LIGHT: u32 = 4;

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
            Goal::Kept(_, offsets) => {
                let kept = &self.kept;
                body.line(format!("{kept} = {offsets}[{number}];"));
                body.line(format!("const ulong {kept}_end = {offsets}[{number} + 1];"));
            }
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

    /// Whether an iteration costs so little that it is best done by itself, and what it keeps are scalars.
    pub fn light(&self, stmts: &[Stmt]) -> bool {
        let cost: u32 = stmts.iter().map(effect::cost).fold(0, u32::saturating_add);
        matches!(self.feed.goal, Goal::Kept(..)) && cost <= LIGHT
    }

    /// Asks for the memory that is written soon.
    pub fn fetch(&self, body: &mut Body<'_>) {
        for into in &self.into {
            let base = into.base();
            body.line(format!(
                "FETCH_TO_WRITE((__global char*)({base} + {}) + 256);",
                self.kept
            ));
        }
    }

    /// Whether the block has room for so many more.
    pub fn room(&self, more: usize) -> String {
        format!("{0} + {more} <= {0}_end", self.kept)
    }

    /// Writes in any case, where there is room: what is not kept is overwritten by the next.
    pub fn element_within(&mut self, body: &mut Body<'_>) {
        for (into, value) in self.into.clone().iter().zip(self.values()) {
            let ty = body.func.atom_type(value);
            body.store(into, ty.elem, &self.kept, value);
        }
        let keep = body.atom(self.feed.sink.values[0]);
        body.line(format!("{} += {keep} ? 1 : 0;", self.kept));
    }

    /// Before the first vector.
    pub fn lanes_before(&mut self, body: &mut Body<'_>, count: usize) {
        if let Goal::Counts(_) = self.feed.goal {
            body.line(format!("int{count} {}_v = (int{count})(0);", self.kept));
        }
    }

    /// The values of several iterations: those that are kept are brought together, and then stored at once.
    pub fn lanes(&mut self, lanes: &mut Lanes<'_, '_>) {
        let (kept, count) = (self.kept.clone(), lanes.count);
        let keep = self.feed.sink.values[0];
        if let Goal::Counts(_) = self.feed.goal {
            let mask = lanes.mask(keep, 4);
            return lanes.line(format!("{kept}_v -= {mask};"));
        }
        let mask = lanes.mask(keep, 1);
        lanes.line("{");
        lanes.line(format!(
            "char keep[{count}];\nvstore{count}({mask}, 0, keep);"
        ));
        let mut stores = String::new();
        for (k, (into, value)) in self.into.clone().iter().zip(self.values()).enumerate() {
            let elem = lanes.body.func.atom_type(value).elem;
            let own = types::stored(elem);
            let value = lanes.stored(value);
            lanes.line(format!(
                "{own} all{k}[{count}];\nvstore{count}({value}, 0, all{k});"
            ));
            stores += &format!("((__global {own}*){})[{kept}] = all{k}[l];\n", into.base());
        }
        // What is not kept is overwritten by the next one, as long as the block has as many to come.
        lanes.line(format!("if ({kept} + {count} <= {kept}_end) {{"));
        lanes.line(format!("for (uint l = 0; l < {count}; l++) {{"));
        lanes.line(format!("{stores}{kept} += keep[l] & 1;\n}}"));
        lanes.line(format!("}} else {{\nfor (uint l = 0; l < {count}; l++) {{"));
        lanes.line(format!(
            "if (keep[l]) {{\n{stores}{kept}++;\n}}\n}}\n}}\n}}"
        ));
    }

    /// After the last vector.
    pub fn lanes_after(&mut self, body: &mut Body<'_>, count: usize) {
        if let Goal::Counts(_) = self.feed.goal {
            let kept = &self.kept;
            body.line(format!(
                "int {kept}_w[{count}];\nvstore{count}({kept}_v, 0, {kept}_w);"
            ));
            body.line(format!(
                "for (uint l = 0; l < {count}; l++) {kept} += {kept}_w[l];"
            ));
        }
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
    body.line(format!("{counts}[blocks] = {sum};"));
    body.line(format!(
        "{word} = {};",
        types::to_word(dsl_runtime::ir::ScalarType::U64, &sum)
    ));
}
