//! Statements for several iterations at a time, in OpenCL's vector types: what CPU devices compute best with. A name is
//! the same for all lanes (and is then a scalar of C), or the first lane's value and one more in each further one, or a vector,
//! or a mask. Where lanes part ways, both ways are walked under masks.

mod agree;
mod fits;
mod looping;
mod memory;
mod stmt;
pub mod value;

pub use agree::agreements;
pub use fits::{fits, sides};

use super::body::Body;
use dsl_runtime::ir::{Stmt, Var, VarSet};
use std::collections::HashMap;
use value::Kind;

/// Code for several lanes in the making.
pub struct Lanes<'b, 'f> {
    /// What stands already, and the names that are the same for all lanes.
    pub body: &'b mut Body<'f>,
    /// The number of lanes of a vector.
    pub count: usize,
    /// The number of vectors that go side by side: loops that wait for their own results do better with several.
    pub sides: usize,
    /// The one of them that is written at the moment.
    side: usize,
    kinds: HashMap<Var, Kind>,
    /// Comparisons that come out the same in all lanes, which has been seen to.
    agreed: VarSet,
    /// Per side, the mask of the lanes that are on the way, of lanes of four bytes; none if all are.
    mask: Option<Vec<String>>,
    /// Whether memory is asked for ahead of loads.
    pub asks: bool,
}

impl<'b, 'f> Lanes<'b, 'f> {
    /// For iterations of a par: its index, which is the variable of a loop, has the first lane's value.
    pub fn new(
        body: &'b mut Body<'f>,
        (count, sides): (usize, usize),
        index: Var,
        agreed: VarSet,
    ) -> Lanes<'b, 'f> {
        let first = body.name(index);
        Lanes {
            body,
            count,
            sides,
            side: 0,
            kinds: HashMap::from([(index, Kind::Near(first))]),
            agreed,
            mask: None,
            asks: false,
        }
    }

    /// Writes something for each vector.
    pub fn each(&mut self, mut write: impl FnMut(&mut Self)) {
        for side in 0..self.sides {
            self.side = side;
            write(self);
        }
        self.side = 0;
    }

    /// Adds lines.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.body.line(text);
    }

    /// The statements.
    pub fn stmts(&mut self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }
}
