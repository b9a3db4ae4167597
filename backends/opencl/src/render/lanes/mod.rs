//! Statements for several iterations at a time, in OpenCL's vector types: what CPU devices compute best with. A name is
//! the same for all lanes (and is then a scalar of C), or the first lane's value and one more in each further one, or a vector,
//! or a mask. Where lanes part ways, both ways are walked under masks.

mod fits;
mod memory;
mod stmt;
pub mod value;

pub use fits::fits;

use super::body::Body;
use dsl_runtime::ir::{Stmt, Var};
use std::collections::HashMap;
use value::Kind;

/// Code for several lanes in the making.
pub struct Lanes<'b, 'f> {
    /// What stands already, and the names that are the same for all lanes.
    pub body: &'b mut Body<'f>,
    /// The number of lanes.
    pub count: usize,
    kinds: HashMap<Var, Kind>,
    /// The mask of the lanes that are on the way, of lanes of four bytes; none if all are.
    mask: Option<String>,
}

impl<'b, 'f> Lanes<'b, 'f> {
    /// For iterations of a par: its index, which is the variable of a loop, has the first lane's value.
    pub fn new(body: &'b mut Body<'f>, count: usize, index: Var) -> Lanes<'b, 'f> {
        let first = body.name(index);
        Lanes {
            body,
            count,
            kinds: HashMap::from([(index, Kind::Near(first))]),
            mask: None,
        }
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
