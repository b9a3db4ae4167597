//! Elements of arrays for all lanes: neighbours at once, others one by one.

use super::Lanes;
use super::value::{Kind, lane, vector};
use crate::render::types;
use crate::sink::{AHEAD, LINE};
use dsl_runtime::ir::{Atom, Index, ScalarType, Var};

/// Where the lanes' elements lie.
enum Reach {
    /// At the same place.
    Same(String),
    /// Side by side from here on.
    Near(String),
    /// At the places in this vector.
    Far(String),
}

impl Lanes<'_, '_> {
    fn reach(&self, index: &Index) -> Reach {
        let shape = &self.body.func.ty(index.array).shape;
        if index.indices.iter().all(|&at| self.same(at)) {
            return Reach::Same(self.body.offset(shape, &self.body.atoms(&index.indices)));
        }
        let (&last, outer) = index.indices.split_last().expect("an index");
        let near = match last.as_var().and_then(|var| self.kind(var)) {
            Some(Kind::Near(first)) => Some(self.first(first)),
            _ => None,
        };
        if let Some(first) = near
            && outer.iter().all(|&at| self.same(at))
        {
            let mut indices = self.body.atoms(outer);
            indices.push(first);
            return Reach::Near(self.body.offset(shape, &indices));
        }
        let mut text = self.vector(index.indices[0]);
        for (&at, &length) in index.indices[1..].iter().zip(&shape[1..]) {
            text = format!("({text} * {} + {})", self.vector(length), self.vector(at));
        }
        Reach::Far(text)
    }

    /// Tests indices.
    fn inside(&mut self, index: &Index) {
        if !index.checked {
            return;
        }
        let shape = self.body.func.ty(index.array).shape.clone();
        for (&at, &length) in index.indices.iter().zip(&shape) {
            if self.same(at) {
                let (at, length) = (self.body.atom(at), self.body.atom(length));
                self.body.fail_if(&format!("{at} >= {length}"));
            } else {
                let beyond = format!("({} >= {})", self.vector(at), self.vector(length));
                self.fail_where(&beyond, 8);
            }
        }
    }

    /// Reads an element for each lane.
    pub fn index(&mut self, def: Var, index: &Index) {
        self.inside(index);
        let elem = self.body.func.ty(index.array).elem;
        let base = self.body.held(index.array).base().to_owned();
        let own = vector(elem, self.count);
        let truth = elem == ScalarType::Bool;
        match self.reach(index) {
            Reach::Same(at) => {
                let value = types::from_memory(elem, &format!("{base}[{at}]"));
                self.body.bind(def, &value);
            }
            Reach::Near(at) => {
                if self.asks {
                    for line in (0..elem.bytes() * self.count).step_by(LINE) {
                        let ahead = AHEAD / 2 + line;
                        self.line(format!(
                            "FETCH((__global const char*)({base} + {at}) + {ahead});"
                        ));
                    }
                }
                let load = format!("vload{}(0, {base} + {at})", self.count);
                let load = match self.on(4) {
                    None => load,
                    Some(on) => {
                        let name = self.body.fresh("load");
                        let first = self.body.fresh("from");
                        self.line(format!("const ulong {first} = {at};"));
                        self.line(format!("{own} {name} = ({own})(0);"));
                        self.line(format!("if (all_{}x4({on})) {{", self.count));
                        self.line(format!(
                            "{name} = vload{}(0, {base} + {first});",
                            self.count
                        ));
                        self.line("} else {");
                        for k in 0..self.count {
                            let s = lane(k);
                            self.line(format!("if ({on}{s}) {name}{s} = {base}[{first} + {k}];"));
                        }
                        self.line("}");
                        name
                    }
                };
                self.loaded(def, &load, truth);
            }
            Reach::Far(at) => {
                let places = self.body.fresh("at");
                self.line(format!("const ulong{} {places} = {at};", self.count));
                let on = self.on(4);
                let each = |k: usize| {
                    let s = lane(k);
                    match &on {
                        None => format!("{base}[{places}{s}]"),
                        Some(on) => {
                            format!("{on}{s} ? {base}[{places}{s}] : ({})0", types::stored(elem))
                        }
                    }
                };
                let all: Vec<String> = (0..self.count).map(each).collect();
                self.loaded(def, &format!("({own})({})", all.join(", ")), truth);
            }
        }
    }

    fn loaded(&mut self, def: Var, value: &str, truth: bool) {
        match truth {
            true => {
                let zero = format!("(uchar{})(0)", self.count);
                self.bind(def, &format!("({value} != {zero})"), 1);
            }
            false => self.bind(def, value, 0),
        }
    }

    /// The lanes' values as memory holds them.
    pub fn stored(&self, value: Atom) -> String {
        match self.body.func.atom_type(value).elem {
            ScalarType::Bool => {
                format!("as_uchar{}({} & (char)1)", self.count, self.mask(value, 1))
            }
            _ => self.vector(value),
        }
    }
}
