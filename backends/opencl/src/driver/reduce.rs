//! Reductions in the canonical order. Inside a kernel's body: one work-item, block after block, the totals joined by a
//! tree as they come. Of a wide par: a work-item writes the totals of its blocks, or of one lane of them, and one kernel joins
//! them.

use crate::render::body::Body;
use crate::render::lanes::{Lanes, value::vector};
use crate::render::{op, types};
use crate::sink::{Feed, Goal};
use dsl_runtime::ir::order::{BLOCK, INNER_LANES, LANES, SHORT};
use dsl_runtime::ir::{Combine, Type};
use dsl_runtime::pass::effect;

/// More levels than any tree over blocks has.
const LEVELS: usize = 56;

/// How values come together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    /// One after the other, from the start value on.
    Running,
    /// In lanes where they are many, else one after the other.
    Inner,
    /// In blocks of lanes, joined by a tree.
    Blocks,
    /// In blocks, each a left fold, joined by a tree.
    Folds,
}

/// A reduction.
pub struct Reduce {
    feed: Feed,
    order: Order,
    /// Whether the values are known to be many.
    many: bool,
    /// Stem of the names.
    stem: String,
}

impl Reduce {
    /// Of this sink.
    pub fn new(body: &mut Body<'_>, feed: Feed) -> Reduce {
        let exact = !effect::shows_order(body.func, &feed.sink);
        let op = matches!(feed.sink.combine, Some(Combine::Op(_)));
        let short = feed
            .extent
            .as_const()
            .is_some_and(|n| n.bits <= SHORT as u64);
        let order = match (feed.inner, op) {
            _ if exact => Order::Running,
            (true, true) if !short => Order::Inner,
            (true, _) => Order::Running,
            (false, true) => Order::Blocks,
            (false, false) => Order::Folds,
        };
        let stem = body.fresh("r");
        Reduce {
            feed,
            order,
            many: false,
            stem,
        }
    }

    /// Another work-item has each other lane: a lane is a plain sum.
    pub fn of_lane(&mut self) {
        self.order = Order::Running;
    }

    /// Whether it goes block by block.
    pub fn blocks(&self) -> bool {
        self.feed.goal != Goal::Here || matches!(self.order, Order::Blocks | Order::Folds)
    }

    fn types(&self, body: &Body<'_>) -> Vec<Type> {
        self.feed.types(body.func)
    }

    fn names(&self, part: &str) -> Vec<String> {
        (0..self.feed.sink.values.len())
            .map(|k| format!("{}{part}{k}", self.stem))
            .collect()
    }

    fn combine(&self, body: &mut Body<'_>, to: &[String], left: &[String], right: &[String]) {
        let combine = self
            .feed
            .sink
            .combine
            .as_ref()
            .expect("a reduction combines");
        body.combine(combine, &self.types(body), to, left, right);
    }

    fn identity(&self, body: &Body<'_>) -> String {
        match &self.feed.sink.combine {
            Some(Combine::Op(op)) => {
                let ty = self.types(body)[0].elem;
                types::constant(op.identity(ty).expect("what reduces has an identity"))
            }
            _ => unreachable!("only operations have lanes"),
        }
    }

    fn interleaved(&self) -> usize {
        match self.order {
            Order::Inner => INNER_LANES,
            _ => LANES,
        }
    }

    /// Before the first iteration.
    pub fn before(&mut self, body: &mut Body<'_>) {
        let types = self.types(body);
        let starts = body.atoms(&self.feed.sink.outer);
        let (acc, tree) = (self.names("_"), self.names("_tree"));
        let stem = self.stem.clone();
        for (k, ty) in types.iter().enumerate() {
            let own = types::name(ty.elem);
            match self.order {
                Order::Running | Order::Inner => {
                    body.line(format!("{own} {} = {};", acc[k], starts[k]));
                }
                Order::Blocks | Order::Folds => {
                    body.line(format!("{own} {};", acc[k]));
                    if self.feed.goal == Goal::Here {
                        body.line(format!("{own} {}[{LEVELS}];", tree[k]));
                    }
                }
            }
        }
        if self.order == Order::Blocks {
            body.line(format!(
                "{} {stem}_s[{LANES}];",
                types::stored(types[0].elem)
            ));
        }
        if self.order == Order::Folds {
            body.line(format!("bool {stem}_some = false;"));
        }
        if self.blocks() && self.feed.goal == Goal::Here {
            body.line(format!("uint {stem}_depth = 0;\nulong {stem}_count = 0;"));
        }
    }

    /// A block begins.
    pub fn block(&mut self, body: &mut Body<'_>) {
        let stem = &self.stem;
        match self.order {
            Order::Running if self.feed.goal != Goal::Here => {
                let identity = self.identity(body);
                body.line(format!("{} = {identity};", self.names("_")[0]));
            }
            Order::Blocks => {
                let identity = self.identity(body);
                body.line(format!(
                    "for (uint l = 0; l < {LANES}; l++) {stem}_s[l] = {identity};"
                ));
            }
            Order::Folds => body.line(format!("{stem}_some = false;")),
            _ => {}
        }
    }

    /// The values of an iteration.
    pub fn element(&mut self, body: &mut Body<'_>) {
        let values = body.atoms(&self.feed.sink.values);
        let acc = self.names("_");
        let stem = self.stem.clone();
        let i = body.name(self.feed.index);
        match self.order {
            Order::Running => self.combine(body, &acc, &acc, &values),
            Order::Inner if self.many => {
                let lane = vec![format!("{stem}_s[{i} % {INNER_LANES}]")];
                self.combine(body, &lane, &lane, &values);
            }
            Order::Inner => self.combine(body, &acc, &acc, &values),
            Order::Blocks => {
                let lane = vec![format!("{stem}_s[{i} % {LANES}]")];
                self.combine(body, &lane, &lane, &values);
            }
            Order::Folds => {
                body.line(format!("if ({stem}_some) {{"));
                self.combine(body, &acc, &acc, &values);
                body.line("} else {");
                for (acc, value) in acc.iter().zip(&values) {
                    body.line(format!("{acc} = {value};"));
                }
                body.line(format!("{stem}_some = true;"));
                body.line("}");
            }
        }
    }

    /// The number of lanes that the order asks for; none if any will do.
    pub fn width(&self) -> Option<usize> {
        match self.order {
            Order::Inner => Some(INNER_LANES),
            Order::Blocks => Some(LANES),
            Order::Running | Order::Folds => None,
        }
    }

    /// Whether few values come together in another way than many.
    pub fn splits(&self) -> bool {
        self.order == Order::Inner
    }

    /// Before many values.
    pub fn many(&mut self, body: &mut Body<'_>) {
        if !self.splits() {
            return;
        }
        self.many = true;
        let (own, identity) = (types::stored(self.types(body)[0].elem), self.identity(body));
        let (stem, lanes) = (&self.stem, self.interleaved());
        body.line(format!("{own} {stem}_s[{lanes}];"));
        body.line(format!(
            "for (uint l = 0; l < {lanes}; l++) {stem}_s[l] = {identity};"
        ));
    }

    /// After many values.
    pub fn many_end(&mut self, body: &mut Body<'_>) {
        if !self.splits() {
            return;
        }
        self.join(body);
        let (acc, total) = (self.names("_"), [format!("{}_s[0]", self.stem)]);
        self.combine(body, &acc, &acc, &total);
    }

    /// Before the first vector.
    pub fn lanes_before(&mut self, body: &mut Body<'_>, count: usize) {
        let stem = &self.stem;
        let own = vector(self.types(body)[0].elem, count);
        let begin = match self.order {
            Order::Running => format!("({own})({})", self.identity(body)),
            _ => format!("vload{count}(0, {stem}_s)"),
        };
        body.line(format!("{own} {stem}_v = {begin};"));
    }

    /// The values of several iterations.
    pub fn lanes(&mut self, lanes: &mut Lanes<'_, '_>) {
        let Some(Combine::Op(op)) = self.feed.sink.combine else {
            unreachable!("only operations go in lanes")
        };
        let ty = self.types(lanes.body)[0].elem;
        let v = format!("{}_v", self.stem);
        let x = [v.clone(), lanes.vector(self.feed.sink.values[0])];
        let value = op::vector(op, ty, lanes.count, &x);
        lanes.line(format!("{v} = {value};"));
    }

    /// After the last vector.
    pub fn lanes_after(&mut self, body: &mut Body<'_>, count: usize) {
        let stem = self.stem.clone();
        if self.order != Order::Running {
            return body.line(format!("vstore{count}({stem}_v, 0, {stem}_s);"));
        }
        let ty = self.types(body)[0].elem;
        let own = types::stored(ty);
        body.line(format!(
            "{own} {stem}_j[{count}];\nvstore{count}({stem}_v, 0, {stem}_j);"
        ));
        let acc = self.names("_");
        body.line(format!("for (uint l = 0; l < {count}; l++) {{"));
        self.combine(body, &acc, &acc, &[format!("{stem}_j[l]")]);
        body.line("}");
    }

    /// Joins lanes by halves; the total is lane 0.
    fn join(&self, body: &mut Body<'_>) {
        let stem = &self.stem;
        body.line(format!(
            "for (uint w = {}; w > 0; w /= 2) for (uint l = 0; l < w; l++) {{",
            self.interleaved() / 2
        ));
        let lane = |at: &str| vec![format!("{stem}_s[{at}]")];
        self.combine(body, &lane("l"), &lane("l"), &lane("l + w"));
        body.line("}");
    }

    /// A block ends.
    pub fn block_end(&mut self, body: &mut Body<'_>, number: &str) {
        if !self.blocks() {
            return;
        }
        let stem = self.stem.clone();
        let acc = self.names("_");
        if self.order == Order::Blocks {
            self.join(body);
            body.line(format!("{} = {stem}_s[0];", acc[0]));
        }
        if let Goal::Totals(totals) = &self.feed.goal {
            let types = self.types(body);
            for ((total, acc), ty) in totals.clone().iter().zip(&acc).zip(types) {
                let value = types::to_memory(ty.elem, acc);
                body.line(format!("{total}[{number}] = {value};"));
            }
            return;
        }
        if self.order == Order::Running {
            return;
        }
        // As many joins as the number of blocks so far has zeros at its end.
        let tree = self.names("_tree");
        let at = |at: &str| -> Vec<String> { tree.iter().map(|t| format!("{t}[{at}]")).collect() };
        for (tree, acc) in at(&format!("{stem}_depth")).iter().zip(&acc) {
            body.line(format!("{tree} = {acc};"));
        }
        body.line(format!("{stem}_depth++;"));
        body.line(format!(
            "for (ulong m = ++{stem}_count; m % 2 == 0; m /= 2) {{\n{stem}_depth--;"
        ));
        let (left, right) = (
            at(&format!("{stem}_depth - 1")),
            at(&format!("{stem}_depth")),
        );
        self.combine(body, &left, &left, &right);
        body.line("}");
    }

    /// After the last iteration: the results have their names.
    pub fn after(&mut self, body: &mut Body<'_>) {
        if self.feed.goal != Goal::Here {
            return;
        }
        let stem = self.stem.clone();
        let acc = self.names("_");
        let starts = body.atoms(&self.feed.sink.outer);
        let defs = self.feed.defs.clone();
        match self.order {
            Order::Running | Order::Inner => {}
            Order::Blocks | Order::Folds => {
                let tree = self.names("_tree");
                let at = |at: &str| -> Vec<String> {
                    tree.iter().map(|t| format!("{t}[{at}]")).collect()
                };
                body.line(format!("while ({stem}_depth > 1) {{\n{stem}_depth--;"));
                let (left, right) = (
                    at(&format!("{stem}_depth - 1")),
                    at(&format!("{stem}_depth")),
                );
                self.combine(body, &left, &left, &right);
                body.line("}");
                for (acc, start) in acc.iter().zip(&starts) {
                    body.line(format!("{acc} = {start};"));
                }
                body.line(format!("if ({stem}_depth > 0) {{"));
                self.combine(body, &acc, &starts, &at("0"));
                body.line("}");
            }
        }
        for (def, acc) in defs.into_iter().zip(acc) {
            body.alias(def, acc);
        }
    }
}

/// The kernel that joins the totals of a wide par's blocks: one work-item, in the order of the tree.
pub fn joining(body: &mut Body<'_>, feed: &Feed, totals: &[String], words: &[String]) {
    let types = feed.types(body.func);
    let combine = feed.sink.combine.as_ref().expect("a reduction combines");
    body.line(
        "for (ulong step = 1; step < blocks; step *= 2) for (ulong b = 0; b + step < blocks; b += 2 * step) {",
    );
    let at = |body: &mut Body<'_>, at: &str, name: &str| -> Vec<String> {
        let mut names = vec![];
        for (k, (total, ty)) in totals.iter().zip(&types).enumerate() {
            let value = types::from_memory(ty.elem, &format!("{total}[{at}]"));
            body.line(format!("{} {name}{k} = {value};", types::name(ty.elem)));
            names.push(format!("{name}{k}"));
        }
        names
    };
    let left = at(body, "b", "left");
    let right = at(body, "b + step", "right");
    body.combine(combine, &types, &left, &left, &right);
    for ((total, ty), left) in totals.iter().zip(&types).zip(&left) {
        let value = types::to_memory(ty.elem, left);
        body.line(format!("{total}[b] = {value};"));
    }
    body.line("}");
    let starts = body.atoms(&feed.sink.outer);
    let mut results = vec![];
    for (k, (start, ty)) in starts.iter().zip(&types).enumerate() {
        let name = format!("result{k}");
        body.line(format!("{} {name} = {start};", types::name(ty.elem)));
        results.push(name);
    }
    body.line("if (blocks > 0) {");
    let total = at(body, "0", "total");
    body.combine(combine, &types, &results, &starts, &total);
    body.line("}");
    for ((result, ty), word) in results.iter().zip(&types).zip(words) {
        body.line(format!("{word} = {};", types::to_word(ty.elem, result)));
    }
}

/// The same for totals of lanes, by operations that cannot fail: one group, whose work-items wait for each other at each level.
pub fn joining_lanes(body: &mut Body<'_>, feed: &Feed, totals: &[String], words: &[String]) {
    let (total, ty) = (&totals[0], &feed.types(body.func)[0]);
    let combine = feed.sink.combine.as_ref().expect("a reduction combines");
    let own = types::name(ty.elem);
    let types = [ty.clone()];
    let one = |text: &str| vec![text.to_owned()];
    let element = |at: &str| types::from_memory(ty.elem, &format!("{total}[{at}]"));
    let store = |body: &mut Body<'_>, value: &str| {
        let value = types::to_memory(ty.elem, value);
        body.line(format!("{total}[b * {LANES}] = {value};"));
    };
    body.line("const ulong me = get_local_id(0), all = get_local_size(0);");
    body.line("for (ulong b = me; b < blocks; b += all) {");
    body.line(format!("{own} x[{LANES}];"));
    let lane = element(&format!("b * {LANES} + l"));
    body.line(format!("for (uint l = 0; l < {LANES}; l++) x[l] = {lane};"));
    body.line(format!(
        "for (uint w = {}; w > 0; w /= 2) for (uint l = 0; l < w; l++) {{",
        LANES / 2
    ));
    body.combine(
        combine,
        &types,
        &one("x[l]"),
        &one("x[l]"),
        &one("x[l + w]"),
    );
    body.line("}");
    store(body, "x[0]");
    body.line("}\nbarrier(CLK_GLOBAL_MEM_FENCE);");
    body.line("for (ulong step = 1; step < blocks; step *= 2) {");
    body.line("for (ulong b = 2 * step * me; b + step < blocks; b += 2 * step * all) {");
    let (left, right) = (format!("b * {LANES}"), format!("(b + step) * {LANES}"));
    body.line(format!("{own} left = {};", element(&left)));
    body.line(format!("const {own} right = {};", element(&right)));
    body.combine(combine, &types, &one("left"), &one("left"), &one("right"));
    store(body, "left");
    body.line("}\nbarrier(CLK_GLOBAL_MEM_FENCE);\n}");
    body.line("if (me == 0) {");
    let start = body.atoms(&feed.sink.outer);
    body.line(format!("{own} result = {};", start[0]));
    body.line("if (blocks > 0) {");
    body.combine(combine, &types, &one("result"), &start, &[element("0")]);
    body.line("}");
    let word = types::to_word(ty.elem, "result");
    body.line(format!("{} = {word};\n}}", words[0]));
}

/// The number of blocks of so many iterations.
pub fn blocks(extent: u64) -> u64 {
    extent.div_ceil(BLOCK as u64)
}
