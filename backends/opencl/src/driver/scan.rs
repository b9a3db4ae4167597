//! Scans in the canonical order. A body's scan runs along as its values come; one from the right stores them first and then
//! goes back over them. Of a wide par, a first kernel finds the totals of the blocks, a second makes of them what each
//! block begins with, and the third scans the blocks.

use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::lanes::{
    Lanes,
    value::{lane, vector},
};
use crate::render::{op, types};
use crate::sink::{Feed, Goal, memory};
use dsl_runtime::ir::order::{BLOCK, GROUP};
use dsl_runtime::ir::{Combine, SinkKind, Type};
use dsl_runtime::pass::effect;

/// How values come together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    /// One after the other.
    Running,
    /// In blocks of groups.
    Groups,
    /// In blocks, each a left fold.
    Folds,
}

/// A scan.
pub struct Scan {
    feed: Feed,
    order: Order,
    stem: String,
    into: Vec<Held>,
}

/// Whether result `i` contains value `i`.
fn inclusive(kind: SinkKind) -> bool {
    matches!(kind, SinkKind::Scan | SinkKind::RScan)
}

/// Whether it goes from the right.
pub fn reversed(kind: SinkKind) -> bool {
    matches!(kind, SinkKind::RScan | SinkKind::RExScan)
}

impl Scan {
    /// Of this sink.
    pub fn new(body: &mut Body<'_>, feed: Feed) -> Scan {
        let exact = !effect::shows_order(body.func, &feed.sink);
        let order = match &feed.sink.combine {
            _ if feed.inner => Order::Running,
            Some(Combine::Op(_)) if exact && feed.goal == Goal::Here => Order::Running,
            Some(Combine::Op(_)) if !exact => Order::Groups,
            _ => Order::Folds,
        };
        let stem = body.fresh("s");
        Scan {
            feed,
            order,
            stem,
            into: vec![],
        }
    }

    /// Whether it goes block by block.
    pub fn blocks(&self) -> bool {
        self.feed.goal != Goal::Here
    }

    fn types(&self, body: &Body<'_>) -> Vec<Type> {
        self.feed.types(body.func)
    }

    fn names(&self, part: &str) -> Vec<String> {
        (0..self.feed.sink.values.len())
            .map(|k| format!("{}{part}{k}", self.stem))
            .collect()
    }

    /// `to = left op right`; from the right, the operands change places.
    fn combine(&self, body: &mut Body<'_>, to: &[String], left: &[String], right: &[String]) {
        let combine = self.feed.sink.combine.as_ref().expect("a scan combines");
        let types = self.types(body);
        match reversed(self.feed.sink.kind) {
            true => body.combine(combine, &types, to, right, left),
            false => body.combine(combine, &types, to, left, right),
        }
    }

    fn set(&self, body: &mut Body<'_>, to: &[String], from: &[String]) {
        for (to, from) in to.iter().zip(from) {
            body.line(format!("{to} = {from};"));
        }
    }

    /// Variables.
    fn declare(&self, body: &mut Body<'_>) {
        let types = self.types(body);
        let starts = body.atoms(&self.feed.sink.outer);
        let stem = &self.stem;
        for (k, ty) in types.iter().enumerate() {
            let own = types::name(ty.elem);
            body.line(format!("{own} {stem}_c{k} = {};", starts[k]));
            body.line(format!("{own} {stem}_y{k};"));
            if self.order != Order::Running {
                body.line(format!("{own} {stem}_base{k} = {};", starts[k]));
                body.line(format!("{own} {stem}_t{k} = {};", starts[k]));
            }
        }
        if self.order == Order::Folds {
            body.line(format!("bool {stem}_some = false;"));
        }
        if self.order == Order::Groups {
            let own = types::name(types[0].elem);
            body.line(format!(
                "{own} {stem}_v[{GROUP}], {stem}_w[{GROUP}], {stem}_x[{GROUP}], {stem}_z, {stem}_last = {};",
                starts[0]
            ));
        }
    }

    /// Before the first iteration.
    pub fn before(&mut self, body: &mut Body<'_>) {
        if !matches!(self.feed.goal, Goal::Totals(_)) {
            for k in 0..self.feed.sink.values.len() {
                let def = self.feed.defs.get(k).copied();
                let into = memory(body, &self.feed.goal, k, def);
                self.into.push(into);
            }
        }
        if self.feed.goal != Goal::Here || !reversed(self.feed.sink.kind) {
            self.declare(body);
        }
    }

    /// A total begins: an operation has a value that changes nothing, a function is not called for the first value.
    fn begin(&self, body: &mut Body<'_>) {
        match (self.order, &self.feed.sink.combine) {
            (Order::Groups, Some(Combine::Op(op))) => {
                let ty = self.types(body)[0].elem;
                let identity = op.identity(ty).expect("what scans has an identity");
                let begin = [types::constant(identity)];
                self.set(body, &self.names("_t"), &begin);
            }
            _ => body.line(format!("{}_some = false;", self.stem)),
        }
    }

    /// A block begins.
    pub fn block(&mut self, body: &mut Body<'_>, number: &str) {
        if self.order == Order::Running {
            return;
        }
        self.begin(body);
        if let Goal::Carried(_, carries) = self.feed.goal.clone() {
            let types = self.types(body);
            for ((to, carry), ty) in self.names("_c").iter().zip(&carries).zip(types) {
                let value = types::from_memory(ty.elem, &format!("{carry}[{number}]"));
                body.line(format!("{to} = {value};"));
            }
        }
    }

    /// The values of an iteration.
    pub fn element(&mut self, body: &mut Body<'_>) {
        let values = body.atoms(&self.feed.sink.values);
        let i = body.name(self.feed.index);
        let kind = self.feed.sink.kind;
        if self.feed.goal == Goal::Here && reversed(kind) {
            return self.write(body, &i, &values);
        }
        let position = body.position.clone().unwrap_or_else(|| i.clone());
        self.step(body, &position, &values);
        if !matches!(self.feed.goal, Goal::Totals(_)) {
            let results = self.names("_y");
            self.write(body, &i, &results);
        }
    }

    fn write(&self, body: &mut Body<'_>, at: &str, values: &[String]) {
        let types = self.types(body);
        for ((into, ty), value) in self.into.iter().zip(types).zip(values) {
            body.put(into, ty.elem, at, value);
        }
    }

    /// Takes the value at a position; the result is in the variables `y`.
    fn step(&self, body: &mut Body<'_>, position: &str, values: &[String]) {
        let stem = &self.stem;
        let (c, y, t, base) = (
            self.names("_c"),
            self.names("_y"),
            self.names("_t"),
            self.names("_base"),
        );
        let inclusive = inclusive(self.feed.sink.kind);
        let n = body.atom(self.feed.extent);
        let whole = matches!(self.feed.goal, Goal::Here) && self.order != Order::Running;
        if whole {
            body.line(format!("if ({position} % {BLOCK} == 0) {{"));
            body.line(format!("if ({position} > 0) {{"));
            self.combine(body, &base, &base, &t);
            body.line("}");
            self.set(body, &c, &base);
            self.begin(body);
            body.line("}");
        }
        // The total of the last block is no part of anything.
        let totals = !matches!(self.feed.goal, Goal::Carried(..));
        let more = format!("({position} / {BLOCK} + 1) * {BLOCK} < {n}");
        let results = !matches!(self.feed.goal, Goal::Totals(_));
        match self.order {
            Order::Running | Order::Folds => {
                if results {
                    if !inclusive {
                        self.set(body, &y, &c);
                    }
                    self.combine(body, &c, &c, values);
                    if inclusive {
                        self.set(body, &y, &c);
                    }
                }
                if self.order == Order::Folds && totals {
                    body.line(format!("if ({more}) {{\nif ({stem}_some) {{"));
                    self.combine(body, &t, &t, values);
                    body.line("} else {");
                    self.set(body, &t, values);
                    body.line(format!("{stem}_some = true;\n}}\n}}"));
                }
            }
            Order::Groups => {
                let one = |text: String| vec![text];
                let z = one(format!("{stem}_z"));
                body.line("{");
                body.line(format!("const uint g = {position} % {GROUP};"));
                self.set(body, &z, values);
                for (level, distance) in [("v", 1), ("w", 2), ("x", 4)] {
                    body.line(format!("{stem}_{level}[g] = {stem}_z;"));
                    body.line(format!("if (g >= {distance}) {{"));
                    let left = one(format!("{stem}_{level}[g - {distance}]"));
                    self.combine(body, &z, &left, &z);
                    body.line("}");
                }
                if results {
                    if inclusive {
                        self.combine(body, &y, &c, &z);
                    } else {
                        self.set(body, &y, &c);
                        body.line("if (g > 0) {");
                        self.combine(body, &y, &c, &one(format!("{stem}_last")));
                        body.line("}");
                        body.line(format!("{stem}_last = {stem}_z;"));
                    }
                }
                body.line(format!("if (g == {}) {{", GROUP - 1));
                if results {
                    self.combine(body, &c, &c, &z);
                }
                if totals {
                    self.combine(body, &t, &t, &z);
                }
                body.line("}");
                body.line("}");
            }
        }
    }

    /// The number of lanes that suits it: two groups of it, or one where values are wide.
    pub fn suits(&self, body: &Body<'_>) -> usize {
        match self.types(body)[0].elem.bytes() {
            8 => GROUP,
            _ => 2 * GROUP,
        }
    }

    /// The values of several iterations: one or two groups.
    pub fn lanes(&mut self, lanes: &mut Lanes<'_, '_>) {
        let Some(Combine::Op(op)) = self.feed.sink.combine else {
            unreachable!("only operations go in lanes")
        };
        let ty = self.types(lanes.body)[0].elem;
        let (own, count) = (vector(ty, lanes.count), lanes.count);
        let identity = types::constant(op.identity(ty).expect("what scans has an identity"));
        let value = lanes.vector(self.feed.sink.values[0]);
        lanes.line("{");
        let one = |text: String| vec![text];
        if let Goal::Totals(_) = self.feed.goal {
            // Only the last value of each group is asked for: neighbours are joined, then neighbours of these, and so on.
            lanes.line(format!("const {own} z{count} = {value};"));
            let mut width = count;
            while width > count / GROUP {
                let half = width / 2;
                let x = [format!("z{width}.even"), format!("z{width}.odd")];
                let sum = op::vector(op, ty, half, &x);
                let own = match half {
                    1 => types::name(ty).to_owned(),
                    _ => vector(ty, half),
                };
                lanes.line(format!("const {own} z{half} = {sum};"));
                width = half;
            }
            let t = self.names("_t");
            for group in 0..width {
                let total = match width {
                    1 => "z1".to_owned(),
                    _ => format!("z{width}{}", lane(group)),
                };
                self.combine(lanes.body, &t, &t, &one(total));
            }
        } else {
            lanes.line(format!("{own} z = {value};"));
            for distance in [1, 2, 4] {
                let moved: Vec<String> = (0..count)
                    .map(|l| match l % GROUP < distance {
                        true => identity.clone(),
                        false => format!("z{}", lane(l - distance)),
                    })
                    .collect();
                let moved = format!("({own})({})", moved.join(", "));
                let sum = op::vector(op, ty, count, &[moved, "z".into()]);
                lanes.line(format!("z = {sum};"));
            }
            let last = |group: usize| format!("z{}", lane(group * GROUP + GROUP - 1));
            let c = self.names("_c");
            let scalar = types::name(ty);
            lanes.line(format!("const {scalar} c0 = {};", c[0]));
            for group in 1..=count / GROUP {
                let next = op::expression(op, ty, &[format!("c{}", group - 1), last(group - 1)]);
                lanes.line(format!("const {scalar} c{group} = {next};"));
            }
            let carries: Vec<String> = (0..count).map(|l| format!("c{}", l / GROUP)).collect();
            let carries = format!("({own})({})", carries.join(", "));
            let sums = op::vector(op, ty, count, &[carries, "z".into()]);
            lanes.line(format!("const {own} sums = {sums};"));
            let result = match inclusive(self.feed.sink.kind) {
                true => "sums".to_owned(),
                // What a lane begins with: what the one before ends with, in a group.
                false => {
                    let all: Vec<String> = (0..count)
                        .map(|l| match l % GROUP {
                            0 => format!("c{}", l / GROUP),
                            _ => format!("sums{}", lane(l - 1)),
                        })
                        .collect();
                    format!("({own})({})", all.join(", "))
                }
            };
            let i = lanes.body.name(self.feed.index);
            let base = self.into[0].base().to_owned();
            let stored = types::stored(ty);
            lanes.line(format!(
                "vstore{count}({result}, 0, (__global {stored}*){base} + {i});"
            ));
            lanes.line(format!("{} = c{};", c[0], count / GROUP));
        }
        lanes.line("}");
    }

    /// A block ends.
    pub fn block_end(&mut self, body: &mut Body<'_>, number: &str) {
        if let Goal::Totals(totals) = self.feed.goal.clone() {
            let types = self.types(body);
            for ((total, t), ty) in totals.iter().zip(self.names("_t")).zip(types) {
                let value = types::to_memory(ty.elem, &t);
                body.line(format!("{total}[{number}] = {value};"));
            }
        }
    }

    /// After the last iteration: from the right, what was stored is scanned.
    pub fn after(&mut self, body: &mut Body<'_>) {
        if self.feed.goal != Goal::Here || !reversed(self.feed.sink.kind) {
            return;
        }
        self.declare(body);
        let n = body.atom(self.feed.extent);
        let p = body.fresh("p");
        body.line(format!("for (ulong {p} = 0; {p} < {n}; {p}++) {{"));
        let at = format!("({n} - 1 - {p})");
        let types = self.types(body);
        let mut values = vec![];
        for (into, ty) in self.into.clone().iter().zip(types) {
            let name = body.fresh("v");
            let value = types::from_memory(ty.elem, &format!("{}[{at}]", into.base()));
            body.line(format!("const {} {name} = {value};", types::name(ty.elem)));
            values.push(name);
        }
        self.step(body, &p, &values);
        let results = self.names("_y");
        self.write(body, &at, &results);
        body.line("}");
    }
}

/// Of the totals of blocks, in place, what each block begins with.
pub fn linking(body: &mut Body<'_>, feed: &Feed, totals: &[String]) {
    let types = feed.types(body.func);
    let combine = feed.sink.combine.as_ref().expect("a scan combines");
    let starts = body.atoms(&feed.sink.outer);
    let stem = body.fresh("l");
    let (mut carries, mut news) = (vec![], vec![]);
    for (k, (start, ty)) in starts.iter().zip(&types).enumerate() {
        let name = format!("{stem}_c{k}");
        body.line(format!("{} {name} = {start};", types::name(ty.elem)));
        carries.push(name);
        news.push(format!("{stem}_t{k}"));
    }
    body.line("for (ulong b = 0; b < blocks; b++) {");
    for (((total, ty), carry), new) in totals.iter().zip(&types).zip(&carries).zip(&news) {
        let value = types::from_memory(ty.elem, &format!("{total}[b]"));
        body.line(format!("const {} {new} = {value};", types::name(ty.elem)));
        let value = types::to_memory(ty.elem, carry);
        body.line(format!("{total}[b] = {value};"));
    }
    body.line("if (b + 1 < blocks) {");
    match reversed(feed.sink.kind) {
        true => body.combine(combine, &types, &carries, &news, &carries),
        false => body.combine(combine, &types, &carries, &carries, &news),
    }
    body.line("}\n}");
}
