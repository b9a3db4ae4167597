//! `collect`: each iteration writes its element or row.

use crate::render::array::{Held, private};
use crate::render::body::Body;
use crate::render::lanes::Lanes;
use crate::render::types;
use crate::sink::{Feed, memory};

/// A collect.
pub struct Collect {
    feed: Feed,
    into: Option<Held>,
}

impl Collect {
    /// Of this sink.
    pub fn new(feed: Feed) -> Collect {
        Collect { feed, into: None }
    }

    /// Whether it goes block by block.
    pub fn blocks(&self) -> bool {
        false
    }

    fn at(&self, body: &Body<'_>) -> String {
        let row = body.func.atom_type(self.feed.sink.values[0]).shape;
        let i = body.name(self.feed.index);
        match row.is_empty() {
            true => i,
            false => format!("{i} * {}", body.stride(&row)),
        }
    }

    /// Memory for the result; a row that the body makes is made in its place.
    pub fn before(&mut self, body: &mut Body<'_>) {
        let def = self.feed.defs.first().copied();
        let into = memory(body, &self.feed.goal, 0, def);
        let value = self.feed.sink.values[0].as_var();
        if let (Some(value), Held::Global(base)) = (value, &into)
            && private(body.func.ty(value)).is_none()
            && !body.func.ty(value).is_scalar()
        {
            let home = format!("({base} + {})", self.at(body));
            body.homes.insert(value, home);
        }
        self.into = Some(into);
    }

    /// Writes.
    pub fn element(&mut self, body: &mut Body<'_>) {
        let value = self.feed.sink.values[0];
        let elem = body.func.atom_type(value).elem;
        let (into, at) = (self.into.clone().expect("memory"), self.at(body));
        body.store(&into, elem, &at, value);
    }

    /// Writes the elements of several iterations.
    pub fn lanes(&mut self, lanes: &mut Lanes<'_, '_>) {
        let value = lanes.stored(self.feed.sink.values[0]);
        let elem = lanes.body.func.atom_type(self.feed.sink.values[0]).elem;
        let (own, count) = (types::stored(elem), lanes.count);
        let i = lanes.first(&lanes.body.name(self.feed.index));
        lanes.line(match self.into.clone().expect("memory") {
            Held::Private(name) => format!("vstore{count}({value}, 0, {name} + {i});"),
            Held::Global(base) => {
                format!("vstore{count}({value}, 0, (__global {own}*){base} + {i});")
            }
        });
    }

    /// Nothing is left to do.
    pub fn after(&mut self, _: &mut Body<'_>) {}
}
