//! Scans: like reductions, with a result for each element.

use crate::elaborate::lower::value::{Array, Value};
use crate::elaborate::lower::{Lower, R};
use crate::ir::{Atom, SinkKind};
use std::rc::Rc;

impl Lower {
    /// `scan`, `exscan`, `rscan`, `rexscan`.
    pub(in crate::elaborate::lower) fn scan(
        &mut self,
        kind: SinkKind,
        array: &Rc<Array>,
        start: &Value,
        f: &Value,
    ) -> R<Value> {
        let ty = array.elem.clone();
        let f = f.clone();
        let combines = self.combine(&ty, &|lower, a, b| lower.apply(&f, vec![a, b]))?;
        let outer: Vec<Atom> = self.flatten(start, &ty)?;
        let len = array.dims[0];
        let defs = self.par(len, |lower, at| {
            let value = lower.element(array, &[at])?;
            let values = lower.flatten(&value, &ty)?;
            Ok(lower.combining(kind, &combines, &outer, None, &values))
        })?;
        Ok(Value::stored(vec![len], ty, defs))
    }
}
