//! `scatter` and `scatter_with`. Inside a body, one work-item writes in order. Of a wide par, a `scatter` marks each place
//! that it writes, so that a second visit is found; a `scatter_with` is in its own file.

use crate::render::array::Held;
use crate::render::body::Body;
use crate::render::types;
use crate::sink::{Feed, Goal};
use dsl_runtime::ir::{ScalarType, SinkKind};

/// A scatter.
pub struct Scatter {
    feed: Feed,
    into: Vec<Held>,
    /// The array of marks; none if duplicates are allowed.
    marks: Option<String>,
}

impl Scatter {
    /// Of this sink.
    pub fn new(_: &mut Body<'_>, feed: Feed) -> Scatter {
        Scatter {
            feed,
            into: vec![],
            marks: None,
        }
    }

    /// Whether it goes block by block.
    pub fn blocks(&self) -> bool {
        false
    }

    /// Copies of the destinations.
    pub fn before(&mut self, body: &mut Body<'_>) {
        let dests = self.feed.sink.outer.clone();
        let first = dests[0].as_var().expect("arrays have names");
        let once = self.feed.sink.kind == SinkKind::Scatter;
        if let Goal::Arrays(names) = &self.feed.goal {
            let (names, marks) = names.split_at(dests.len());
            self.into = names.iter().cloned().map(Held::Global).collect();
            self.marks = marks.first().cloned();
            return;
        }
        for (dest, def) in dests.iter().zip(self.feed.defs.clone()) {
            let dest = dest.as_var().expect("arrays have names");
            let ty = body.func.ty(dest).clone();
            let from = body.held(dest);
            let to = body.make(def);
            let count = body.stride(&ty.shape);
            body.move_all(&to, ty.elem, from.base(), &count);
            self.into.push(to);
        }
        if once {
            let marks = body.fresh("marks");
            let length = body.atom(body.func.ty(first).shape[0]);
            body.grab(ScalarType::U8, &marks, &length);
            let q = body.fresh("q");
            body.line(format!(
                "for (ulong {q} = 0; {q} < {length}; {q}++) {marks}[{q}] = 0;"
            ));
            self.marks = Some(marks);
        }
    }

    /// Writes.
    pub fn element(&mut self, body: &mut Body<'_>) {
        let (&index, values) = self.feed.sink.values.split_first().expect("an index");
        let dest = self.feed.sink.outer[0].as_var().expect("arrays have names");
        let shape = body.func.ty(dest).shape.clone();
        let at = body.fresh("at");
        let index = body.atom(index);
        body.line(format!("const ulong {at} = (ulong){index};"));
        let length = body.atom(shape[0]);
        body.fail_if(&format!("{at} >= {length}"));
        match (&self.marks, &self.feed.goal) {
            (Some(marks), Goal::Here) => {
                body.fail_if(&format!("{marks}[{at}]"));
                body.line(format!("{marks}[{at}] = 1;"));
            }
            // Of two visits, whichever order they come in, one finds the other's mark.
            (Some(marks), _) => {
                let bit = format!("1u << ({at} % 32)");
                body.fail_if(&format!("atomic_or(&{marks}[{at} / 32], {bit}) & ({bit})"));
            }
            (None, _) => {}
        }
        let place = match &shape[1..] {
            [] => at.clone(),
            rest => format!("{at} * {}", body.stride(rest)),
        };
        let values = values.to_vec();
        match self.feed.sink.combine.clone() {
            None => {
                for (into, &value) in self.into.clone().iter().zip(&values) {
                    let elem = body.func.atom_type(value).elem;
                    body.store(into, elem, &place, value);
                }
            }
            Some(combine) => {
                let types: Vec<_> = values.iter().map(|&v| body.func.atom_type(v)).collect();
                let mut old = vec![];
                for (into, ty) in self.into.iter().zip(&types) {
                    let name = body.fresh("old");
                    let element = format!("{}[{at}]", into.base());
                    let value = types::from_memory(ty.elem, &element);
                    body.line(format!("{} {name} = {value};", types::name(ty.elem)));
                    old.push(name);
                }
                let values = body.atoms(&values);
                body.combine(&combine, &types, &old, &old, &values);
                for ((into, ty), old) in self.into.clone().iter().zip(&types).zip(&old) {
                    body.put(into, ty.elem, &at, old);
                }
            }
        }
    }

    /// Nothing is left to do.
    pub fn after(&mut self, _: &mut Body<'_>) {}
}
